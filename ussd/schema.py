"""The JSON Schema of a menu file, by which editors complete and check what is typed.

It says what words a file has and what kind of value each takes; what the words lead to
is the prover's. Written in draft 2020-12, https://json-schema.org/draft/2020-12.
Scalars may be quoted or not, as `ussd.nodes` reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from phone.amounts import Unit
from ussd.campaigns import DELIVERY_HOURS_MAX, PLEDGE_DAYS_MAX
from ussd.entries import WRONG_MAX
from ussd.menus import EFFECTS, Kind, Limits, Resume
from ussd.prover.ways import REASONS
from ussd.reading import (
    LANGUAGES_MAX,
    LIMIT_MAX,
    NOTICES,
    PARTS_MAX,
    RESUME_MINUTES_MAX,
    TEXT_KINDS,
)
from ussd.window_reading import PERIODS
from ussd.windows import MONTHS, WEEKDAYS

__all__ = ["schema"]

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> Schema:
    """The schema, as a value that JSON holds."""
    return {
        "$schema": DRAFT,
        "title": "A menu file",
        **_mapping(
            "What a caller reads, and where each key leads.",
            {
                "languages": {
                    **_said("The languages spoken; the first is a new caller's."),
                    "type": "array",
                    "items": {"type": "string"},
                    "minItems": 1,
                    "maxItems": LANGUAGES_MAX,
                },
                "start": _word("The first screen."),
                "dialled": _named(
                    "What is dialled, and the screen or shortcut it leads to.",
                    {"anyOf": [_word("A screen or a shortcut."), _ref("opening")]},
                ),
                "shortcuts": _named("Ways into the middle.", _ref("shortcut")),
                "keywords": _named(
                    "What a text may begin with, by their names.", _ref("keyword")
                ),
                "campaigns": _named("Appeals; the first is usual.", _ref("campaign")),
                "flows": _named("Groups of screens, by their names.", _ref("flow")),
                "limits": _limits(),
                "lists": _named(
                    "What can be picked: a value, and its title.",
                    _named("A list: its values in order.", _ref("words")),
                ),
                "notices": _mapping(
                    "Short texts that are no screens.",
                    {name: _ref("words") for name in NOTICES},
                    needs=NOTICES,
                ),
                "screens": _named("The screens, by their names.", _ref("screen")),
                "texts": _named("Text messages, by their names.", _ref("message")),
            },
            needs=("languages", "start", "dialled", "campaigns", "screens", "texts"),
        ),
        "$defs": {
            "words": {
                **_said("A text for each language, with slots in braces."),
                "type": "object",
                "minProperties": 1,
                "additionalProperties": _SCALAR,
            },
            "opening": _opening(),
            "shortcut": _shortcut(),
            "keyword": _keyword(),
            "campaign": _campaign(),
            "flow": _flow(),
            "screen": _screen(),
            "wording": _wording(),
            "choice": _choice(),
            "ask": _ask(),
            "message": _message(),
        },
    }


_SCALAR: Schema = {"type": ["string", "number", "boolean"]}


# -- the parts of a file ---------------------------------------------------------------


def _opening() -> Schema:
    return _mapping(
        "A screen, and the campaign that dialling the code belongs to.",
        {
            "to": _word("The screen that is shown."),
            "campaign": _word("The campaign; the first one if none is named."),
        },
        needs=("to",),
    )


def _shortcut() -> Schema:
    return _mapping(
        "A way into the middle, with answers given beforehand.",
        {
            "to": _word("The screen that is shown."),
            "set": _answers("Answers by their names; an amount in rial."),
            "campaign": _word("The campaign; the first one if none is named."),
        },
        needs=("to",),
    )


def _keyword() -> Schema:
    words = _list("Any of them; signs and spaces do not matter.", _SCALAR)
    return _mapping(
        "Words that a text may begin with; either `to` or `says`.",
        {
            "words": _named("The words, for each language.", words),
            "to": _word("The screen that a text leads to."),
            "says": _word("The text that answers it."),
            "rest": _word("The screen where what follows the word is the answer."),
            "press": _word("A key that is pressed on the screen at once."),
            "set": _answers("Answers by their names; an amount in rial."),
            "campaign": _word("The campaign; the first one if none is named."),
        },
        needs=("words",),
    )


def _campaign() -> Schema:
    day = _word("A day, as 1405/01/01 or 2026-03-21.")
    preset = _mapping(
        "An amount with its words.",
        {"amount": _whole("In the smallest unit: rial."), "words": _ref("words")},
        needs=("amount", "words"),
    )
    return _mapping(
        "One appeal: who makes it, when it takes gifts, and of what size.",
        {
            "title": _ref("words"),
            "organiser": _ref("words"),
            "permit": _word("The number of the permit."),
            "contact": _word("A number that answers."),
            "call": _word("The code that opens these menus, as *780*5588*1#."),
            "pay": _word("The licensed code that takes the money: never one of ours."),
            "window": _window(day),
            "paused": _flag("Takes no gifts for the moment."),
            "unit": _word("The unit of its amounts: rial."),
            "min": _whole("The least gift, in rial."),
            "max": _whole("The largest gift, in rial."),
            "presets": _list("Amounts on keys: {preset1} and so on.", preset),
            "pledge_days": _whole("Days until a pledge expires.", 1, PLEDGE_DAYS_MAX),
            "remind_days": _whole(
                "Days until it is reminded of, once; 0 for never.", 0, PLEDGE_DAYS_MAX
            ),
            "card": _word("The number of the charity's own card, 16 digits."),
            "link": _word("Where it can be paid, as https://..."),
            "bring_to": _ref("words"),
            "recipient": _ref("words"),
            "cohorts": _named("Groups of staff, by their codes.", _ref("words")),
            "parcel_price": _whole("What a parcel costs, in rial."),
            "delivery_hours": _whole(
                "Within how many a delivery is taken up.", 1, DELIVERY_HOURS_MAX
            ),
            "delivery_partner": _word("Who gets the requests of no centre."),
            "enquiry": _mapping(
                "The official code to ask for a balance.",
                {
                    "code": _word("As *780*0000#."),
                    "verified": _flag("Somebody dialled it, and it is the right one."),
                },
                needs=("code",),
            ),
        },
        needs=("title", "organiser", "permit", "contact", "call", "pay"),
    )


def _window(day: Schema) -> Schema:
    return _mapping(
        "The days it takes gifts on: two, both included; a rule; or a list.",
        {
            "from": day,
            "to": day,
            "every": _one_of(PERIODS, "Takes `day`, `days`, or `month` and `days`."),
            "day": _one_of(WEEKDAYS, "Of every week."),
            "days": _word("Of every month, or of the month of every year, as 1-14."),
            "month": _whole("Of every year: 1 is Farvardin.", 1, MONTHS),
            "dates": _list("Days as 1405/05/01, or from one to another.", day),
        },
    )


def _flow() -> Schema:
    return _mapping(
        "The screens whose names begin with its name and a dot.",
        {
            "title": _ref("words"),
            "resume": _one_of(Resume, "What a later dial does with a broken call."),
            "resume_minutes": _whole(
                "How long it can go on after it broke.", 1, RESUME_MINUTES_MAX
            ),
            "turns_max": _whole("Turns that may be spent in it.", 1, LIMIT_MAX),
            "cut_off": _word("The text promised when the carrier cut the call."),
            "campaign": _word("The campaign it is about, if not the one dialled."),
            "private": _word("The screen that a number leads to which is not taken."),
        },
        needs=("title",),
    )


def _limits() -> Schema:
    said = {
        "turns_max": "Turns that one call may have.",
        "answer_chars_max": "Characters that one answer may have.",
        "wrong_keys_max": "Wrong keys after which the call ends.",
    }
    return _mapping(
        "What may not be exceeded.",
        {
            name: _whole(said.get(name, ""), 1, LIMIT_MAX)
            for name in Limits.__dataclass_fields__
        },
    )


def _screen() -> Schema:
    redirect = _mapping(
        "Another screen, while a condition holds.",
        {"when": _condition(), "to": _target()},
        needs=("when", "to"),
    )
    return _mapping(
        "One screen: a text with keys, a question, a list, or an end.",
        {
            "text": {
                "anyOf": [
                    _ref("words"),
                    _list("Wordings, the first that holds.", _ref("wording")),
                ]
            },
            "choices": _list("The keys under the text.", _ref("choice")),
            "ask": _ref("ask"),
            "then": _target("The screen after an answer."),
            "via": _word("A screen to go through first, until one leads to return."),
            "list": _word(
                "A list to pick from; `pledges` and `standings` are the caller's own."
            ),
            "item": _ref("words"),
            "pick": _word("The answer that a picked value is."),
            "empty": _target("The screen to show where there is nothing to list."),
            "instead": _list("Redirects, the first that holds.", redirect),
            "confirm": _flag("Nobody passes it without having seen it."),
            "end": _flag("The call ends with it."),
            "same": _word("A screen whose keys and question it shares."),
            "wrong": _mapping(
                "A way out after wrong keys in a row.",
                {
                    "max": _whole("How many wrong keys.", 1, WRONG_MAX),
                    "to": _target(),
                },
                needs=("max", "to"),
            ),
            "long": _flag("Its text may need several pages; key 9 turns them."),
            "sensitive": _flag("What is picked needs a consent before it."),
        },
    )


def _wording() -> Schema:
    return {
        **_said("A text for each language, read while its condition holds."),
        "type": "object",
        "properties": {"when": _condition()},
        "additionalProperties": _SCALAR,
    }


def _choice() -> Schema:
    return _mapping(
        "A key to press.",
        {
            "key": {
                **_said("One or two digits, in quotes. 0 goes back or leaves."),
                "anyOf": [
                    {"type": "string", "pattern": "^[0-9]{1,2}$"},
                    {"type": "integer", "minimum": 0, "maximum": 99},
                ],
            },
            "label": _ref("words"),
            "to": _target("The screen it leads to, or back, home, return."),
            "when": _condition(),
            "set": _answers("Answers that the key gives, by their names."),
            "do": _one_of(EFFECTS, "What is done when the key is pressed."),
            "campaign": _word("The campaign in which it is done."),
            "otherwise": _named("Where to, by what the deed came to.", _target()),
            "via": _word("A screen to go through first, until one leads to return."),
            "consent": _flag("The key allows sensitive questions to be asked."),
        },
        needs=("key", "to"),
    )


def _ask() -> Schema:
    reasons = sorted({reason for known in REASONS.values() for reason in known})
    return _mapping(
        "A question.",
        {
            "answer": _word("The name by which texts speak of the answer."),
            "kind": _one_of(Kind, "What it takes for an answer."),
            "min": _whole("The least number, or the fewest characters."),
            "max": _whole("The largest number, or the most characters."),
            "in": _one_of(Unit, "What a bare figure is in; toman if not said."),
            "set": _answers("Answers that go with it."),
            "refused": {
                **_said("Screens that say why an answer did not do, by the reason."),
                "type": "object",
                "properties": {reason: _target() for reason in reasons},
                "additionalProperties": False,
            },
            "sensitive": _flag("Needs a consent before it, and is kept nowhere."),
        },
        needs=("answer", "kind"),
    )


def _message() -> Schema:
    return _mapping(
        "A text message.",
        {
            "kind": _one_of(TEXT_KINDS, "A receipt reaches who stopped texts too."),
            "text": _ref("words"),
            "stop_line": _flag("Ends with the words of the sender line."),
            "expires_hours": _whole("It is not sent after so many hours."),
            "parts_max": _whole(
                "How many parts it may be; 1 if not said.", 1, PARTS_MAX
            ),
        },
        needs=("kind", "text"),
    )


# -- the kinds of value ----------------------------------------------------------------


def _said(description: str) -> Schema:
    return {"description": description} if description else {}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _word(description: str) -> Schema:
    return {**_said(description), **_SCALAR}


def _target(description: str = "A screen, or back, home, return.") -> Schema:
    return {**_said(description), "type": "string"}


def _condition() -> Schema:
    said = _said("Holds or not, as campaign_state == 'open'.")
    return {**said, "type": ["string", "boolean"]}


def _flag(description: str) -> Schema:
    return {**_said(description), "enum": [True, False, "true", "false"]}


def _whole(description: str, least: int = 0, most: int | None = None) -> Schema:
    number: Schema = {"type": "integer", "minimum": least}
    if most is not None:
        number["maximum"] = most
    digits = {"type": "string", "pattern": "^[0-9_]{1,24}$"}
    return {**_said(description), "anyOf": [number, digits]}


def _one_of(words: Iterable[str], description: str) -> Schema:
    return {**_said(description), "enum": [str(word) for word in words]}


def _answers(description: str) -> Schema:
    return _named(description, _SCALAR)


def _named(description: str, value: Schema) -> Schema:
    return {**_said(description), "type": "object", "additionalProperties": value}


def _list(description: str, item: Schema) -> Schema:
    return {**_said(description), "type": "array", "items": item}


def _mapping(
    description: str, words: Mapping[str, Schema], needs: Iterable[str] = ()
) -> Schema:
    made = {
        **_said(description),
        "type": "object",
        "properties": dict(words),
        "additionalProperties": False,
    }
    return {**made, "required": list(needs)} if needs else made
