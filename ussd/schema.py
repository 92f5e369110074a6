"""The JSON Schema of a menu file, by which editors complete and check what is typed.

It says what words a file has and what kind of value each takes; what the words lead to
is the prover's. Written in draft 2020-12, https://json-schema.org/draft/2020-12.
"""

from __future__ import annotations

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
from ussd.schema_values import (
    SCALAR,
    Schema,
    answers,
    condition,
    flag,
    listed,
    mapping,
    named,
    one_of,
    ref,
    said,
    target,
    whole,
    word,
)
from ussd.window_reading import PERIODS
from ussd.windows import MONTHS, WEEKDAYS

__all__ = ["schema"]

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> Schema:
    """The schema, as a value that JSON holds."""
    return {
        "$schema": DRAFT,
        "title": "A menu file",
        **mapping(
            "What a caller reads, and where each key leads.",
            {
                "languages": {
                    **said("The languages spoken; the first is a new caller's."),
                    "type": "array",
                    "items": {"type": "string"},
                    "minItems": 1,
                    "maxItems": LANGUAGES_MAX,
                },
                "start": word("The first screen."),
                "dialled": named(
                    "What is dialled, and the screen or shortcut it leads to.",
                    {"anyOf": [word("A screen or a shortcut."), ref("opening")]},
                ),
                "shortcuts": named("Ways into the middle.", ref("shortcut")),
                "keywords": named(
                    "What a text may begin with, by their names.", ref("keyword")
                ),
                "campaigns": named("Appeals; the first is usual.", ref("campaign")),
                "flows": named("Groups of screens, by their names.", ref("flow")),
                "limits": _limits(),
                "lists": named(
                    "What can be picked: a value, and its title.",
                    named("A list: its values in order.", ref("words")),
                ),
                "notices": mapping(
                    "Short texts that are no screens.",
                    {name: ref("words") for name in NOTICES},
                    needs=NOTICES,
                ),
                "screens": named("The screens, by their names.", ref("screen")),
                "texts": named("Text messages, by their names.", ref("message")),
            },
            needs=("languages", "start", "dialled", "campaigns", "screens", "texts"),
        ),
        "$defs": {
            "words": {
                **said("A text for each language, with slots in braces."),
                "type": "object",
                "minProperties": 1,
                "additionalProperties": SCALAR,
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


def _opening() -> Schema:
    return mapping(
        "A screen, and the campaign that dialling the code belongs to.",
        {
            "to": word("The screen that is shown."),
            "campaign": word("The campaign; the first one if none is named."),
        },
        needs=("to",),
    )


def _shortcut() -> Schema:
    return mapping(
        "A way into the middle, with answers given beforehand.",
        {
            "to": word("The screen that is shown."),
            "set": answers("Answers by their names; an amount in rial."),
            "campaign": word("The campaign; the first one if none is named."),
        },
        needs=("to",),
    )


def _keyword() -> Schema:
    words = listed("Any of them; signs and spaces do not matter.", SCALAR)
    return mapping(
        "Words that a text may begin with; either `to` or `says`.",
        {
            "words": named("The words, for each language.", words),
            "to": word("The screen that a text leads to."),
            "says": word("The text that answers it."),
            "rest": word("The screen where what follows the word is the answer."),
            "press": word("A key that is pressed on the screen at once."),
            "set": answers("Answers by their names; an amount in rial."),
            "campaign": word("The campaign; the first one if none is named."),
        },
        needs=("words",),
    )


def _campaign() -> Schema:
    day = word("A day, as 1405/01/01 or 2026-03-21.")
    preset = mapping(
        "An amount with its words.",
        {"amount": whole("In the smallest unit: rial."), "words": ref("words")},
        needs=("amount", "words"),
    )
    return mapping(
        "One appeal: who makes it, when it takes gifts, and of what size.",
        {
            "title": ref("words"),
            "organiser": ref("words"),
            "permit": word("The number of the permit."),
            "contact": word("A number that answers."),
            "call": word("The code that opens these menus, as *780*5588*1#."),
            "pay": word("The licensed code that takes the money: never one of ours."),
            "window": _window(day),
            "paused": flag("Takes no gifts for the moment."),
            "unit": word("The unit of its amounts: rial."),
            "min": whole("The least gift, in rial."),
            "max": whole("The largest gift, in rial."),
            "presets": listed("Amounts on keys: {preset1} and so on.", preset),
            "pledge_days": whole("Days until a pledge expires.", 1, PLEDGE_DAYS_MAX),
            "remind_days": whole(
                "Days until it is reminded of, once; 0 for never.", 0, PLEDGE_DAYS_MAX
            ),
            "card": word("The number of the charity's own card, 16 digits."),
            "link": word("Where it can be paid, as https://..."),
            "bring_to": ref("words"),
            "recipient": ref("words"),
            "cohorts": named("Groups of staff, by their codes.", ref("words")),
            "parcel_price": whole("What a parcel costs, in rial."),
            "delivery_hours": whole(
                "Within how many a delivery is taken up.", 1, DELIVERY_HOURS_MAX
            ),
            "delivery_partner": word("Who gets the requests of no centre."),
            "enquiry": mapping(
                "The official code to ask for a balance.",
                {
                    "code": word("As *780*0000#."),
                    "verified": flag("Somebody dialled it, and it is the right one."),
                },
                needs=("code",),
            ),
        },
        needs=("title", "organiser", "permit", "contact", "call", "pay"),
    )


def _window(day: Schema) -> Schema:
    return mapping(
        "The days it takes gifts on: two, both included; a rule; or a list.",
        {
            "from": day,
            "to": day,
            "every": one_of(PERIODS, "Takes `day`, `days`, or `month` and `days`."),
            "day": one_of(WEEKDAYS, "Of every week."),
            "days": word("Of every month, or of the month of every year, as 1-14."),
            "month": whole("Of every year: 1 is Farvardin.", 1, MONTHS),
            "dates": listed("Days as 1405/05/01, or from one to another.", day),
        },
    )


def _flow() -> Schema:
    return mapping(
        "The screens whose names begin with its name and a dot.",
        {
            "title": ref("words"),
            "resume": one_of(Resume, "What a later dial does with a broken call."),
            "resume_minutes": whole(
                "How long it can go on after it broke.", 1, RESUME_MINUTES_MAX
            ),
            "turns_max": whole("Turns that may be spent in it.", 1, LIMIT_MAX),
            "cut_off": word("The text promised when the carrier cut the call."),
            "campaign": word("The campaign it is about, if not the one dialled."),
            "private": word("The screen that a number leads to which is not taken."),
        },
        needs=("title",),
    )


def _limits() -> Schema:
    what = {
        "turns_max": "Turns that one call may have.",
        "answer_chars_max": "Characters that one answer may have.",
        "wrong_keys_max": "Wrong keys after which the call ends.",
    }
    return mapping(
        "What may not be exceeded.",
        {
            name: whole(what.get(name, ""), 1, LIMIT_MAX)
            for name in Limits.__dataclass_fields__
        },
    )


def _screen() -> Schema:
    redirect = mapping(
        "Another screen, while a condition holds.",
        {"when": condition(), "to": target()},
        needs=("when", "to"),
    )
    return mapping(
        "One screen: a text with keys, a question, a list, or an end.",
        {
            "text": {
                "anyOf": [
                    ref("words"),
                    listed("Wordings, the first that holds.", ref("wording")),
                ]
            },
            "choices": listed("The keys under the text.", ref("choice")),
            "ask": ref("ask"),
            "then": target("The screen after an answer."),
            "via": word("A screen to go through first, until one leads to return."),
            "list": word(
                "A list to pick from; `pledges` and `standings` are the caller's own."
            ),
            "item": ref("words"),
            "pick": word("The answer that a picked value is."),
            "empty": target("The screen to show where there is nothing to list."),
            "instead": listed("Redirects, the first that holds.", redirect),
            "confirm": flag("Nobody passes it without having seen it."),
            "end": flag("The call ends with it."),
            "same": word("A screen whose keys and question it shares."),
            "wrong": mapping(
                "A way out after wrong keys in a row.",
                {
                    "max": whole("How many wrong keys.", 1, WRONG_MAX),
                    "to": target(),
                },
                needs=("max", "to"),
            ),
            "long": flag("Its text may need several pages; key 9 turns them."),
            "sensitive": flag("What is picked needs a consent before it."),
        },
    )


def _wording() -> Schema:
    return {
        **said("A text for each language, read while its condition holds."),
        "type": "object",
        "properties": {"when": condition()},
        "additionalProperties": SCALAR,
    }


def _choice() -> Schema:
    return mapping(
        "A key to press.",
        {
            "key": {
                **said("One or two digits, in quotes. 0 goes back or leaves."),
                "anyOf": [
                    {"type": "string", "pattern": "^[0-9]{1,2}$"},
                    {"type": "integer", "minimum": 0, "maximum": 99},
                ],
            },
            "label": ref("words"),
            "to": target("The screen it leads to, or back, home, return."),
            "when": condition(),
            "set": answers("Answers that the key gives, by their names."),
            "do": one_of(EFFECTS, "What is done when the key is pressed."),
            "campaign": word("The campaign in which it is done."),
            "otherwise": named("Where to, by what the deed came to.", target()),
            "via": word("A screen to go through first, until one leads to return."),
            "consent": flag("The key allows sensitive questions to be asked."),
        },
        needs=("key", "to"),
    )


def _ask() -> Schema:
    reasons = sorted({reason for known in REASONS.values() for reason in known})
    return mapping(
        "A question.",
        {
            "answer": word("The name by which texts speak of the answer."),
            "kind": one_of(Kind, "What it takes for an answer."),
            "min": whole("The least number, or the fewest characters."),
            "max": whole("The largest number, or the most characters."),
            "in": one_of(Unit, "What a bare figure is in; toman if not said."),
            "set": answers("Answers that go with it."),
            "refused": {
                **said("Screens that say why an answer did not do, by the reason."),
                "type": "object",
                "properties": {reason: target() for reason in reasons},
                "additionalProperties": False,
            },
            "sensitive": flag("Needs a consent before it, and is kept nowhere."),
        },
        needs=("answer", "kind"),
    )


def _message() -> Schema:
    return mapping(
        "A text message.",
        {
            "kind": one_of(TEXT_KINDS, "A receipt reaches who stopped texts too."),
            "text": ref("words"),
            "stop_line": flag("Ends with the words of the sender line."),
            "expires_hours": whole("It is not sent after so many hours."),
            "parts_max": whole(
                "How many parts it may be; 1 if not said.", 1, PARTS_MAX
            ),
        },
        needs=("kind", "text"),
    )
