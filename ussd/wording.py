"""The longest each text can become, and whether it still fits and reads right.

Slots take every value they can have where there are few, and their longest where
there are many. A screen is measured on every channel in the encoding it needs; a text
message must be one part with the words of every sender line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice, product
from typing import Any

from phone.encoding import Limits, excess, sms_cost
from ussd.faults import Fault
from ussd.menus import EFFECT_TEXTS, Campaign, Kind, Menus, Screen, TextMessage
from ussd.screen import MORE, page, titles, worded
from ussd.templates import Template, Unrendered

__all__ = ["Line", "wording_faults"]

COMBINATIONS_MAX = 4_000
CODE = "999999999"
# Rial; a campaign that gathers more shows a figure of the same length.
SUM_MAX = 9_999_999_999_990
SENDER_CHARS = 14

_BARE_CODE = re.compile("(?<!\u200e)\\*[0-9]+(\\*[0-9]+)*#(?!\u200e)")
_SPLIT_DIGITS = re.compile(r"[0-9۰-۹][- ][0-9۰-۹]")
_ARABIC = re.compile("[يىك]")
# Slots that an effect gives the text it promises.
_TEXT_SLOTS = {"amount": SUM_MAX, "code": CODE, "pledged": SUM_MAX, "paid": SUM_MAX}


@dataclass(frozen=True, slots=True)
class Line:
    """A sender line, and the words that texts from it end with."""

    sender: str
    stop_line: str


Slots = dict[str, Any]


def wording_faults(
    menus: Menus, channels: Mapping[str, Limits], lines: Sequence[Line]
) -> Iterator[Fault]:
    """Texts that can exceed a screen or a text message, or that read wrong."""
    worst = _Worst(menus, lines)
    for screen in menus.screens.values():
        for language in menus.languages:
            yield from _screen(menus, screen, language, worst, channels)
    for name, texts in menus.notices.items():
        for language, text in texts.items():
            yield from _notice(menus, name, language, text, channels)
    for text_name in menus.texts:
        yield from _message(menus, text_name, lines)


def _notice(
    menus: Menus,
    name: str,
    language: str,
    text: Template,
    channels: Mapping[str, Limits],
) -> Iterator[Fault]:
    line = menus.lines["notices", name]
    slots: Slots = {"language": language}
    if name == "stands":
        slots |= {"amount": str(SUM_MAX // 1000), "code": CODE}
    if unknown := sorted(text.names - set(slots)):
        what = f"notice {name} speaks of {unknown[0]!r}, which nothing supplies"
        yield Fault(line, 1, what, "Take the slot out")
        return
    try:
        said = text.render(slots)
    except Unrendered as reason:
        yield Fault(
            line, 1, f"notice {name} ({language}): {reason}", "Correct the slot"
        )
        return
    # It stands alone where it does not fit above a screen, then with a key to go on.
    if name == "stands":
        said += f"\n{MORE} {menus.notices['go_on'][language].source}"
    for channel, limits in channels.items():
        if over := excess(said, limits):
            what = f"notice {name} ({language}) is {over} over on {channel}"
            yield Fault(line, 1, what, f"Cut {over} characters")
    yield from _reads_wrong(f"notice {name}", language, said, line)


def _screen(
    menus: Menus,
    screen: Screen,
    language: str,
    worst: _Worst,
    channels: Mapping[str, Limits],
) -> Iterator[Fault]:
    if screen.listed and screen.listed not in menus.lists and not screen.item:
        return  # that it lacks `item` is a fault of its shape
    over: dict[str, int] = {}
    wrong: set[Fault] = set()
    for campaign in _dialled(menus):
        items = worst.items(screen, language, campaign)
        for slots in worst.slots(screen, language, campaign):
            try:
                wrong |= set(_said_wrong(screen, language, slots, items))
                for channel, limits in channels.items():
                    for text in _pages(menus, screen, slots, language, items, limits):
                        over[channel] = max(over.get(channel, 0), excess(text, limits))
            except Unrendered as reason:
                what = f"{screen.name} ({language}) in {campaign.id}: {reason}"
                yield Fault(screen.line, 1, what, "Supply it in that campaign")
                return
    yield from wrong
    for channel, units in over.items():
        if units:
            what = f"{screen.name} ({language}) can be {units} over on {channel}"
            remedy = f"Cut {units} characters, or the longest value of a slot"
            yield Fault(screen.line, 1, what, remedy)


def _said_wrong(
    screen: Screen, language: str, slots: Slots, items: Sequence[Mapping[str, Any]]
) -> Iterator[Fault]:
    """What reads wrong on a screen: in its text, its keys, and the items it lists."""
    text, _ = worded(screen, slots, language)
    yield from _reads_wrong(screen.name, language, text, screen.line)
    labels = [
        (f"key {choice.key} of {screen.name}", choice.label[language], choice.line)
        for choice in screen.choices
        if choice.label and choice.when.holds(slots)
    ]
    said = [(name, label.render(slots), line) for name, label, line in labels]
    for item in titles(screen, items, slots, language):
        said.append((f"an item of {screen.name}", item, screen.line))
    for name, label, line in said:
        yield from _reads_wrong(name, language, label, line)
        if label[:1].isdecimal():
            what = f"{name} begins with a figure, and both read as one number"
            yield Fault(line, 1, what, "Begin it with a word")


def _pages(
    menus: Menus,
    screen: Screen,
    slots: Slots,
    language: str,
    items: Sequence[Mapping[str, Any]],
    limits: Limits,
) -> Iterator[str]:
    for number in range(len(items) + 1):
        laid = page(
            menus, screen, slots, language, items=items, number=number, limits=limits
        )
        yield laid.text
        if not laid.more:
            break


def _dialled(menus: Menus) -> Sequence[Campaign]:
    """The campaigns that a conversation can be in."""
    named = {campaign for _, campaign in menus.dialled.values() if campaign}
    return [c for c in menus.campaigns.values() if c is menus.campaign or c.id in named]


def _message(menus: Menus, name: str, lines: Sequence[Line]) -> Iterator[Fault]:
    message = menus.texts[name]
    given = {n: slots for texts in EFFECT_TEXTS.values() for n, slots in texts.items()}
    if name not in given:
        yield Fault(message.line, 1, f"nothing sends {name}", "Take it out")
        return
    for language, text in message.text.items():
        if unknown := sorted(text.names - {*given[name], "language"}):
            what = f"{name} speaks of {unknown[0]!r}, which nothing supplies"
            yield Fault(message.line, 1, what, "Correct the name")
            continue
        for campaign in menus.campaigns.values():
            slots: Slots = {
                **_TEXT_SLOTS,
                "amount": _odd(campaign.max or 10),
                "pay": campaign.pay,
                "language": language,
                "titles": menus.titles[language],
            }
            try:
                said = text.render(slots)
            except Unrendered as reason:
                what = f"{name} ({language}): {reason}"
                yield Fault(message.line, 1, what, "Correct the slot")
                continue
            yield from _reads_wrong(name, language, said, message.line)
            yield from _parts(menus, message, language, said, lines)


def _parts(
    menus: Menus,
    message: TextMessage,
    language: str,
    said: str,
    lines: Sequence[Line],
) -> Iterator[Fault]:
    """A text that is more than one part with the words of some sender line."""
    ends = [line.stop_line for line in lines if message.stop_line] or [""]
    for end in dict.fromkeys(ends):
        # The line's own words are for the first language; the others have theirs in
        # `notices`.
        if language != menus.languages[0] and message.stop_line:
            end = menus.notices["stop"][language].source
        parts, encoding = sms_cost(f"{said}\n{end}" if end else said)
        if parts > 1:
            what = f"{message.name} ({language}) can take {parts} parts in {encoding}"
            yield Fault(message.line, 1, what, "Shorten it to one part")


def _reads_wrong(name: str, language: str, text: str, line: int) -> Iterator[Fault]:
    if not text.strip():
        yield Fault(line, 1, f"{name} ({language}) is empty", "Write its text")
    if language != "fa":
        return
    if _ARABIC.search(text):
        what = f"{name} has an Arabic ي or ك"
        yield Fault(line, 1, what, "Write the Persian ی and ک")
    if _BARE_CODE.search(text):
        what = f"{name} has a dial code that right-to-left text turns around"
        yield Fault(line, 1, what, "Write it as a slot: {pay|dialled}")
    if _SPLIT_DIGITS.search(text.replace("\n", "|")):
        what = f"{name} splits a number by a hyphen or a space"
        yield Fault(line, 1, what, "Write the digits together, or «تا» between them")


def _odd(rial: int) -> int:
    """An amount just below, that needs a decimal in toman."""
    return rial - 1


class _Worst:
    """The values that decide how long a screen can become."""

    def __init__(self, menus: Menus, lines: Sequence[Line]) -> None:
        self._menus = menus
        senders = [line.sender for line in lines if line.sender]
        self._sender = max(senders, key=len, default="9" * SENDER_CHARS)
        self._groups = _groups(menus)

    def slots(
        self, screen: Screen, language: str, campaign: Campaign
    ) -> Iterator[Slots]:
        """Slots of the screen in every combination, up to COMBINATIONS_MAX."""
        fixed: Slots = {
            **self._menus.blank,
            **campaign.slots(language, datetime(2026, 1, 1, tzinfo=UTC)),
            "language": language,
            "titles": self._menus.titles[language],
        }
        if not campaign.max:
            fixed["max"] = 10
        axes = [*self._axes(screen.names(), campaign)]
        for values in islice(product(*axes), COMBINATIONS_MAX):
            slots = dict(fixed)
            for value in values:
                slots.update(value)
            yield slots

    def items(
        self, screen: Screen, language: str, campaign: Campaign
    ) -> Sequence[Mapping[str, Any]]:
        """The items of its list; of a list of facts, two of the longest."""
        if not screen.listed:
            return ()
        if screen.listed in self._menus.lists:
            titles = self._menus.titles[language][screen.listed]
            return [{"value": v, "title": t} for v, t in titles.items()]
        states = self._menus.titles[language].get("states", {"open": "open"})
        longest = max(states, key=lambda state: len(states[state]))
        item = {"value": CODE, "state": longest, "amount": _odd(campaign.max or 10)}
        return [item, item]

    def _axes(
        self, names: frozenset[str], campaign: Campaign
    ) -> Iterator[list[Mapping[str, Any]]]:
        """What varies independently: each fact, and each group of linked answers."""
        amounts = [campaign.max or 10, _odd(campaign.max or 10)]
        states = [value for value, _ in self._menus.lists.get("states", ())]
        facts: dict[str, Sequence[Any]] = {
            "texts_stopped": [False, True],
            "line": [self._sender],
            "report_pledged": [SUM_MAX],
            "report_paid": [SUM_MAX],
            "report_donors": [999_999],
            "one_amount": amounts,
            "one_code": [CODE],
            "one_state": states or ["open"],
            "code": [CODE],
            "meant": [str(amount) for amount in amounts],
        }
        for name in sorted(names & set(facts)):
            yield [{name: value} for value in facts[name]]
        for group in self._groups:
            spoken = names & {name for bundle in group for name in bundle}
            cut = [
                {name: bundle[name] for name in spoken & set(bundle)}
                for bundle in group
            ]
            distinct = list(
                {tuple(sorted(b.items(), key=str)): b for b in cut}.values()
            )
            if spoken:
                yield [
                    {
                        name: str(amount) if v is None else v
                        for name, v in bundle.items()
                    }
                    for bundle in distinct
                    for amount in (amounts if None in bundle.values() else [0])
                ]


Bundle = Mapping[str, Any]


def _groups(menus: Menus) -> list[list[Bundle]]:
    """Answers by what is given together, as a place and its kind are.

    A bundle is what one key or one answer sets; None in it stands for an amount.
    Bundles that share a name are values of one group.
    """
    groups: list[list[Bundle]] = []
    for bundle in _bundles(menus):
        linked = [g for g in groups if any(set(b) & set(bundle) for b in g)]
        groups = [g for g in groups if g not in linked]
        groups.append([*(b for g in linked for b in g), bundle])
    return groups


def _bundles(menus: Menus) -> Iterator[Bundle]:
    for screen in menus.screens.values():
        for choice in screen.choices:
            if choice.set:
                yield {
                    name: None if text.names else text.source
                    for name, text in choice.set.items()
                }
        if screen.pick:
            values = [v for v, _ in menus.lists.get(screen.listed, ())] or [CODE]
            yield from ({screen.pick: value} for value in values)
        if screen.ask is not None:
            for value in _longest(screen.ask.kind, screen.ask.max):
                yield {**screen.ask.set, screen.ask.answer: value}


def _longest(kind: Kind, most: int) -> Sequence[Any]:
    """Longest answers to a question: in either alphabet where letters are typed."""
    if kind is Kind.AMOUNT:
        return [None]
    if kind is Kind.NUMBER:
        return [str(most)]
    if kind is Kind.DIGITS:
        return ["9" * most]
    if kind is Kind.POSTCODE:
        return ["99999"]
    if kind is Kind.TEXT:
        # A bracket is two septets, and one letter there must be.
        return ["W" + "[" * (most - 1), "ض" * most]
    return []
