"""The texts that are no screens: notices, and the messages that deeds promise.

A message must be one part, with the words of every sender line it can leave by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from phone.encoding import Limits, excess, sms_cost
from ussd.faults import Fault
from ussd.menus import CUT_OFF_SLOTS, EFFECT_TEXTS, Campaign, Menus, TextMessage
from ussd.prover.legible import LIKE_A_KEY, illegible
from ussd.prover.marked import CODE, Rial, titles_of
from ussd.prover.worst import NO_MAX, SUM_MAX, Line
from ussd.screen import MORE
from ussd.templates import Template, Unrendered

__all__ = ["message_faults", "notice_faults"]

# What notices may speak of, beside the language.
NOTICE_SLOTS: Mapping[str, Mapping[str, Any]] = {
    "stands": {"amount": Rial(SUM_MAX // 1000), "code": CODE},
}
# A notice that stands on a screen of its own, and the notices that are its keys.
NOTICE_KEYS: Mapping[str, tuple[tuple[str, str], ...]] = {
    # It stands alone where it does not fit above a screen, then with a key to go on.
    "stands": ((MORE, "go_on"),),
    "resume": (("1", "go_on"), ("2", "afresh"), ("0", "leave")),
}
# A notice that writes its key itself.
KEYED = ("err",)


def notice_faults(menus: Menus, channels: Mapping[str, Limits]) -> Iterator[Fault]:
    """Notices that a screen cannot hold, or that read wrong."""
    for name, texts in menus.notices.items():
        for language, text in texts.items():
            yield from _notice(menus, name, language, text, channels)


def _notice(
    menus: Menus,
    name: str,
    language: str,
    text: Template,
    channels: Mapping[str, Limits],
) -> Iterator[Fault]:
    place = menus.places["notices", name]
    slots = {**NOTICE_SLOTS.get(name, {}), "language": language}
    slots["figures"] = menus.figures.get(language, language)
    if not text.source.strip():
        yield Fault(*place, f"notice {name} ({language}) is empty", "Write its text")
    if unknown := sorted(text.names - set(slots)):
        what = f"notice {name} speaks of {unknown[0]!r}, which nothing supplies"
        yield Fault(*place, what, "Take the slot out")
        return
    try:
        said = text.render(slots)
    except Unrendered as reason:
        what = f"notice {name} ({language}): {reason}"
        yield Fault(*place, what, "Correct the slot")
        return
    for key, label in NOTICE_KEYS.get(name, ()):
        said += f"\n{key} {menus.notices[label][language].source}"
    for channel, limits in channels.items():
        if over := excess(said, limits):
            what = f"notice {name} ({language}) is {over} over on {channel}"
            yield Fault(*place, what, f"Cut {over} characters")
    yield from illegible(f"notice {name}", language, said, place)
    if LIKE_A_KEY.search(text.source):
        what = f"a line of notice {name} begins like a key"
        if name not in KEYED:
            yield Fault(*place, what, "Begin it with a word, not with a figure")


def message_faults(menus: Menus, lines: Sequence[Line]) -> Iterator[Fault]:
    """Messages that nothing sends, that say too much, or that read wrong."""
    given = {n: slots for texts in EFFECT_TEXTS.values() for n, slots in texts.items()}
    given |= {f.cut_off: CUT_OFF_SLOTS for f in menus.flows.values() if f.cut_off}
    for name, message in menus.texts.items():
        if name not in given:
            what = f"nothing sends {name}"
            yield Fault(message.line, message.column, what, "Take it out")
        else:
            yield from _message(menus, message, given[name], lines)


def _message(
    menus: Menus, message: TextMessage, given: Sequence[str], lines: Sequence[Line]
) -> Iterator[Fault]:
    place, name = (message.line, message.column), message.name
    for language, text in message.text.items():
        if unknown := sorted(text.names - {*given, "language"}):
            what = f"{name} speaks of {unknown[0]!r}, which nothing supplies"
            yield Fault(*place, what, "Correct the name")
            continue
        for campaign in menus.campaigns.values():
            try:
                texts = list(_texts(menus, text, given, language, campaign))
            except Unrendered as reason:
                what = f"{name} ({language}): {reason}"
                yield Fault(*place, what, "Correct the slot")
                break
            for said in texts:
                yield from illegible(name, language, said, place)
                yield from _parts(menus, message, language, said, lines)


def _texts(
    menus: Menus,
    text: Template,
    given: Sequence[str],
    language: str,
    campaign: Campaign,
) -> Iterator[str]:
    """A message with the longest values that its deed gives it; raises Unrendered."""
    most = campaign.max or NO_MAX
    values: Mapping[str, Sequence[Any]] = {
        # A round amount is shorter than one that needs a decimal in toman.
        "amount": [Rial(most), Rial(most - 1)],
        "code": [CODE],
        "pledged": [Rial(SUM_MAX)],
        "paid": [Rial(SUM_MAX)],
        "pay": [campaign.pay],
        "call": [campaign.call],
    }
    slots = {
        "language": language,
        "figures": menus.figures.get(language, language),
        "titles": titles_of(menus, language),
    }
    names = sorted(text.names & set(given))
    for combination in product(*(values[name] for name in names)):
        yield text.render({**slots, **dict(zip(names, combination, strict=True))})


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
            place = (message.line, message.column)
            yield Fault(*place, what, "Shorten it to one part")
