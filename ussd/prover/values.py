"""Answers that the file itself gives: presets, keys and shortcuts within bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ussd.answers import Refused, read_answer
from ussd.faults import Fault
from ussd.menus import (
    EFFECT_TAKES,
    EFFECTS,
    Ask,
    Campaign,
    Keyword,
    Kind,
    Menus,
    Shortcut,
)
from ussd.prover.paths import FAR, Paths, openings
from ussd.templates import Slots, Template, Unrendered

__all__ = ["value_faults"]


def value_faults(paths: Paths) -> Iterator[Fault]:
    """Amounts out of bounds, answers nobody asks for, answers nobody uses."""
    menus = paths.menus
    for campaign in menus.campaigns.values():
        for number, (amount, _) in enumerate(campaign.presets, start=1):
            if not campaign.min <= amount <= campaign.max:
                what = f"preset {number} of {campaign.id} is {_outside(campaign)}"
                remedy = "Correct the amount: it is in the smallest unit, rial"
                yield Fault(*menus.places["campaigns", campaign.id], what, remedy)
    yield from _blank_words(menus)
    yield from _amounts(menus)
    yield from _languages(menus)
    for shortcut in menus.shortcuts.values():
        yield from _beforehand(menus, shortcut)
    for keyword in menus.keywords.values():
        yield from _beforehand(menus, keyword)
    yield from _unbounded(paths)
    yield from _unused(menus)


def _outside(campaign: Campaign) -> str:
    return f"outside {campaign.min} to {campaign.max}"


def _asked_amounts(menus: Menus) -> set[str]:
    return {
        screen.ask.answer
        for screen in menus.screens.values()
        if screen.ask is not None and screen.ask.kind is Kind.AMOUNT
    }


def _amounts(menus: Menus) -> Iterator[Fault]:
    """Keys that set an amount which the campaign does not take."""
    amounts = _asked_amounts(menus)
    most = str(menus.campaign.max)
    presets = {str(amount) for amount, _ in menus.campaign.presets}
    for screen in menus.screens.values():
        for choice in screen.choices:
            for name in amounts & choice.set.keys():
                for language in menus.languages:
                    slots: dict[str, Any] = {
                        **menus.campaign.slots(language, _SOME_DAY),
                        **dict.fromkeys([*amounts, "meant"], most),
                        "language": language,
                        "figures": menus.figures[language],
                    }
                    text = choice.set[name]
                    value = _rendered(text, slots)
                    # That of a preset is wrong where the preset is written.
                    if value in presets or not text.names <= slots.keys():
                        continue
                    if not _takes(menus.campaign, value):
                        what = f"key {choice.key} of {screen.name} sets {name!r} "
                        what += _outside(menus.campaign)
                        remedy = "Write an amount that the campaign takes, in rial"
                        yield Fault(choice.line, choice.column, what, remedy)
                        break


def _rendered(text: Template, slots: Slots) -> str:
    try:
        return text.render(slots)
    except Unrendered:
        return ""


def _blank_words(menus: Menus) -> Iterator[Fault]:
    """Titles without a word in them."""
    for name, values in menus.lists.items():
        for value, words in values:
            for language in menus.languages:
                if not words[language].strip():
                    what = f"list {name} has no title for {value!r} in {language}"
                    yield Fault(*menus.places["lists", name], what, _WORDS)
    for campaign in menus.campaigns.values():
        said = [campaign.title, campaign.organiser]
        said += [words for _, words in campaign.presets]
        if any(not words[language].strip() for words in said for language in words):
            what = f"{campaign.id} has a title, an organiser or a preset without words"
            yield Fault(*menus.places["campaigns", campaign.id], what, _WORDS)


def _languages(menus: Menus) -> Iterator[Fault]:
    """Keys that would remember a language which is not spoken."""
    for screen in menus.screens.values():
        for choice in screen.choices:
            text = choice.set.get("language_chosen")
            if text is None or text.names - {"language"}:
                continue
            for language in menus.languages:
                figures = menus.figures[language]
                slots = {"language": language, "figures": figures}
                chosen = _rendered(text, slots)
                if chosen not in menus.languages:
                    what = f"key {choice.key} of {screen.name} chooses {chosen!r}, "
                    remedy = f"Use {', '.join(menus.languages)}"
                    what += "which is no language of this file"
                    yield Fault(choice.line, choice.column, what, remedy)
                    break


def _takes(campaign: Campaign, value: str) -> bool:
    whole = value.isascii() and value.isdecimal()
    return whole and campaign.min <= int(value) <= campaign.max


def _beforehand(menus: Menus, giver: Shortcut | Keyword) -> Iterator[Fault]:
    """Answers given beforehand that no screen asks for, or would take."""
    place = (giver.line, giver.column)
    campaign = menus.campaigns[giver.campaign or menus.campaign.id]
    for name, value in giver.set.items():
        known = False
        accepted = False
        for screen in menus.screens.values():
            if screen.ask is not None and screen.ask.answer == name:
                known = True
                accepted |= _accepted(screen.ask, value, campaign)
            if screen.pick == name:
                known = True
                values = menus.lists.get(screen.listed, ())
                accepted |= any(value == one for one, _ in values)
            given: list[Mapping[str, object]] = [c.set for c in screen.choices]
            if any(name in one for one in given):
                known = True
                sources = [c.set[name].source for c in screen.choices if name in c.set]
                accepted |= value in sources
            if screen.ask is not None and name in screen.ask.set:
                known = True
                accepted |= screen.ask.set[name] == value
        if not known:
            what = f"{giver.name} sets {name!r}, which no screen asks for"
            yield Fault(*place, what, "Correct the name, or take it out")
        elif not accepted:
            what = f"{giver.name} sets {name!r} to {value!r}, "
            what += "which no screen would take"
            remedy = "Write what the question takes; an amount in rial"
            yield Fault(*place, what, remedy)


def _accepted(ask: Ask, value: str, campaign: Campaign) -> bool:
    """Whether a value is one that this question keeps."""
    if ask.kind is Kind.AMOUNT:
        return _takes(campaign, value)
    if ask.kind is Kind.POSTCODE:
        return len(value) == 5 and value.isascii() and value.isdecimal()
    try:
        return read_answer(ask, value, campaign) == value
    except Refused:
        return False


def _unbounded(paths: Paths) -> Iterator[Fault]:
    """Campaigns that are dialled and asked an amount for, and take none."""
    menus = paths.menus
    asking = {
        state
        for state, name in enumerate(paths.screens)
        if (ask := menus.screens[name].ask) is not None and ask.kind is Kind.AMOUNT
    }
    by_campaign: dict[str, set[str]] = {menus.campaign.id: {menus.start}}
    for opening in openings(menus):
        campaign = opening.campaign or menus.campaign.id
        by_campaign.setdefault(campaign, set()).add(opening.to)
    for campaign, opened in by_campaign.items():
        if menus.campaigns[campaign].max:
            continue
        entries = [state for state in paths.entries if paths.screens[state] in opened]
        turns = paths.distances(entries)
        if any(turns[state] < FAR for state in asking):
            what = f"{campaign} is asked an amount for, and has no `max`"
            remedy = "Write `min:` and `max:`, the gifts it takes, in rial"
            yield Fault(*menus.places["campaigns", campaign], what, remedy)


def _unused(menus: Menus) -> Iterator[Fault]:
    """Answers that are given, and that no text, condition or deed makes use of."""
    used = {name for needed in EFFECTS.values() for name in needed}
    used |= {name for taken in EFFECT_TAKES.values() for name in taken}
    for screen in menus.screens.values():
        used |= screen.names()
    for screen in menus.screens.values():
        for choice in screen.choices:
            for name in choice.set.keys() - used:
                what = f"key {choice.key} of {screen.name} sets {name!r}, "
                yield Fault(choice.line, choice.column, what + _NOBODY, _UNUSED)
        place = (screen.line, screen.column)
        if screen.pick and screen.pick not in used:
            what = f"{screen.name} picks {screen.pick!r}, {_NOBODY}"
            yield Fault(*place, what, _UNUSED)
        if screen.ask is not None and screen.ask.kind is not Kind.DIAL:
            for name in {screen.ask.answer, *screen.ask.set} - used:
                what = f"{screen.name} asks for {name!r}, {_NOBODY}"
                yield Fault(*place, what, _UNUSED)


_WORDS = "Write its words"
# Any day will do: amounts are the same on all of them.
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_NOBODY = "which nothing makes use of"
_UNUSED = "Correct the name, or take it out"
