"""The texts that are sent by SMS: who sends each, what it can say, and how long it is.

Each is measured with the longest values that its sender gives it, and with the words of
every sender line it can leave by. It may be one part, or as many as it says itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from phone.encoding import SMS_UCS2_UNITS, TextTooLong, sms_cost
from ussd.deeds import (
    ANSWER_UNITS_MAX,
    CHOICES_MAX,
    CONVERSATION_TEXTS,
    CUT_OFF_SLOTS,
    EFFECT_TEXTS,
    KEYWORD_SLOTS,
    LEDGER_TEXTS,
)
from ussd.faults import Fault
from ussd.menus import Campaign, Menus, TextMessage
from ussd.prover.legible import illegible
from ussd.prover.longest import (
    DECISIONS_MAX,
    DISTRICT,
    FAVOUR_HOURS_MAX,
    HOUR,
    HOURS_MAX,
    INSTALMENTS_MAX,
    NO_MAX,
    PARCELS_MAX,
    PLACE_DIAL,
    PLACE_SHORT,
    SUM_MAX,
    UNITS_MAX,
    VENUE_CHARS,
    WHERE,
)
from ussd.prover.marked import CODE, DAY, Name, Rial, titles_of
from ussd.prover.worst import Line
from ussd.templates import Unrendered

__all__ = ["Wording", "message_faults", "slots_of", "wordings"]

# What somebody at the help desk, or a screen, may say at its longest.
LETTER = "ض"
CAMPAIGN = "campaign"


@dataclass(frozen=True, slots=True)
class Wording:
    """A text as it can leave: in a language, with long values and a stop line."""

    language: str
    said: str
    stop_line: str

    @property
    def whole(self) -> str:
        return f"{self.said}\n{self.stop_line}" if self.stop_line else self.said


def slots_of(menus: Menus) -> dict[str, Sequence[str]]:
    """What each text is given to speak of, by its name; one that nobody sends lacks."""
    given: dict[str, Sequence[str]] = {
        name: slots for texts in EFFECT_TEXTS.values() for name, slots in texts.items()
    }
    given |= {f.cut_off: CUT_OFF_SLOTS for f in menus.flows.values() if f.cut_off}
    given |= CONVERSATION_TEXTS
    given |= LEDGER_TEXTS
    for keyword in menus.keywords.values():
        if keyword.says:
            # One that a deed sends too may say no more than both can.
            known = given.get(keyword.says, KEYWORD_SLOTS)
            given[keyword.says] = [slot for slot in KEYWORD_SLOTS if slot in known]
    # What is sent to many is the same for each of them.
    campaigns = (name for name, text in menus.texts.items() if text.kind == CAMPAIGN)
    return given | dict.fromkeys(campaigns, ())


def message_faults(menus: Menus, lines: Sequence[Line], units: int) -> Iterator[Fault]:
    """Texts that nothing sends, that say too much, or that read wrong.

    `units` are the most that a screen can have, for a text that sends one.
    """
    given = slots_of(menus)
    for name, message in menus.texts.items():
        place = (message.line, message.column)
        if name not in given:
            yield Fault(*place, f"nothing sends {name}", "Take it out")
            continue
        if message.kind == CAMPAIGN and not message.stop_line:
            what = f"{name} is a campaign text without the stop line"
            yield Fault(*place, what, "Write `stop_line: true`")
        yield from _message(menus, message, given[name], lines, units)


def _message(
    menus: Menus,
    message: TextMessage,
    given: Sequence[str],
    lines: Sequence[Line],
    units: int,
) -> Iterator[Fault]:
    place, name = (message.line, message.column), message.name
    for language, text in message.text.items():
        if unknown := sorted(text.names - {*given, "language"}):
            what = f"{name} speaks of {unknown[0]!r}, which nothing supplies"
            yield Fault(*place, what, "Correct the name")
            continue
        try:
            for worded in wordings(menus, message, language, given, lines, units):
                yield from illegible(name, language, worded.said, place)
                parts, encoding = sms_cost(worded.whole)
                if parts > message.parts_max:
                    what = f"{name} ({language}) can take {parts} parts in {encoding}"
                    yield Fault(*place, what, _shorter(message.parts_max))
        except Unrendered as reason:
            yield Fault(*place, f"{name} ({language}): {reason}", "Correct the slot")
        except TextTooLong:
            what = f"{name} ({language}) is longer than any text can be"
            yield Fault(*place, what, _shorter(message.parts_max))


def _shorter(parts_max: int) -> str:
    if parts_max == 1:
        return "Shorten it to one part"
    return f"Shorten it to {parts_max} parts"


def wordings(
    menus: Menus,
    message: TextMessage,
    language: str,
    given: Sequence[str],
    lines: Sequence[Line],
    units: int,
) -> Iterator[Wording]:
    """A text in every campaign, with the longest values; raises Unrendered."""
    ends = _ends(menus, message, language, lines)
    text = message.text[language]
    names = sorted(text.names & set(given))
    slots = {
        "language": language,
        "figures": menus.figures.get(language, language),
        "titles": titles_of(menus, language),
    }
    for campaign in menus.campaigns.values():
        values = _values(menus, message, language, campaign, units)
        for combination in product(*(values[name] for name in names)):
            values_of = dict(zip(names, combination, strict=True))
            said = text.render({**slots, **values_of})
            yield from (Wording(language, said, end) for end in ends)


def _ends(
    menus: Menus, message: TextMessage, language: str, lines: Sequence[Line]
) -> list[str]:
    """The words that it can end with, "" for none.

    A line's own words are for the first language; the others have theirs in `notices`.
    """
    if not message.stop_line:
        return [""]
    usual = menus.notices["stop"][language].source
    if language != menus.languages[0]:
        return [usual]
    ends = [line.stop_line for line in lines] or [usual]
    # A line that adds none today can be told to: what goes to many is held ready.
    return list(dict.fromkeys([*ends, usual] if message.kind == CAMPAIGN else ends))


def _values(
    menus: Menus, message: TextMessage, language: str, campaign: Campaign, units: int
) -> Mapping[str, Sequence[Any]]:
    """Each slot's longest values, in one campaign."""
    most = campaign.max or NO_MAX
    titles = sorted((f.title[language] for f in menus.flows.values()), key=len)
    choices = [f"{n} {title}" for n, title in enumerate(titles[-CHOICES_MAX:], start=1)]
    answers = message.name == "sms.answer"
    screen = max(units, SMS_UCS2_UNITS)
    return {
        # A round amount is shorter than one that needs a decimal in toman.
        "amount": [Rial(most), Rial(most - 1)],
        "left": [Rial(most), Rial(most - 1)],
        "number": [INSTALMENTS_MAX],
        "due": [Name(DAY)],
        "title": [campaign.title.get(language, "")],
        "until": ["", Name(DAY)],
        "count": [PARCELS_MAX],
        "goods": [value for value, _ in menus.lists.get("goods", ())],
        "bring_to": [campaign.bring_to.get(language, "")],
        "ends": [Name("9999")],
        "recipient": [campaign.recipient.get(language, "")],
        "code": [CODE],
        "kind": [value for value, _ in menus.lists.get("helps", ())],
        "hours": [FAVOUR_HOURS_MAX],
        "balance": [HOURS_MAX],
        "below": ["", "yes"],
        "where": ["", WHERE],
        "centre": ["", Name(PLACE_DIAL)],
        "pledged": [Rial(SUM_MAX)],
        "paid": [Rial(SUM_MAX)],
        "bought": [UNITS_MAX],
        "delivered": [UNITS_MAX],
        "unspent": [Rial(SUM_MAX)],
        "pay": [campaign.pay],
        "call": [campaign.call],
        "contact": [campaign.contact],
        "dist": [Name(DISTRICT)],
        "res": [Name(DECISIONS_MAX)],
        "next": ["", Name(DAY)],
        "when": [Name(DAY)],
        "hour": [Name(HOUR)],
        "place": [PLACE_SHORT],
        "venue": [LETTER * VENUE_CHARS],
        "choices": ["\n".join(choices)],
        "words": [LETTER * (ANSWER_UNITS_MAX if answers else screen)],
    }
