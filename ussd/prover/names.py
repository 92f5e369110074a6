"""Names in a menu file that nothing in it answers to."""

from __future__ import annotations

from collections.abc import Iterator

from ussd.facts import FACTS
from ussd.faults import Fault
from ussd.menus import EFFECT_TEXTS, RESERVED, Choice, Menus, Screen
from ussd.prover.keywords import keyword_name_faults
from ussd.prover.taken import taken_faults
from ussd.prover.ways import OUTCOMES, REASONS

__all__ = ["LISTED_FACTS", "name_faults"]

# The groups of facts that are lists.
LISTED_FACTS = tuple(group for group, facts in FACTS.items() if not facts)

_NAME = "Correct the name, or add what it names"


def name_faults(menus: Menus) -> Iterator[Fault]:
    """Targets, campaigns, texts, lists and outcomes that do not exist."""
    if menus.start not in menus.screens:
        place = menus.places["start", ""]
        yield Fault(*place, f"there is no start screen {menus.start!r}", _NAME)
    if not menus.dialled:
        place = menus.places["dialled", ""]
        yield Fault(*place, "nothing can be dialled", "Add a code under `dialled:`")
    yield from _dialled(menus)
    yield from keyword_name_faults(menus)
    yield from taken_faults(menus)
    for flow in menus.flows.values():
        if flow.cut_off and flow.cut_off not in menus.texts:
            what = f"the flow {flow.name} promises {flow.cut_off!r}, which is no text"
            remedy = f"Write {flow.cut_off} under `texts:`"
            yield Fault(flow.line, flow.column, what, remedy)
        if flow.private and flow.private not in menus.screens:
            what = f"the flow {flow.name} leads to {flow.private!r}, which is no screen"
            yield Fault(flow.line, flow.column, what, _NAME)
        if flow.campaign and flow.campaign not in menus.campaigns:
            what = f"the flow {flow.name} is of no campaign {flow.campaign!r}"
            yield Fault(flow.line, flow.column, what, _NAME)
    for screen in menus.screens.values():
        for choice in screen.choices:
            yield from _choice(menus, screen, choice)
        yield from _screen(menus, screen)


def _dialled(menus: Menus) -> Iterator[Fault]:
    for code, opening in menus.dialled.items():
        if opening.shortcut:
            continue  # what is wrong with it stands where it is written
        place = menus.places["dialled", code]
        if opening.to not in menus.screens:
            what = f"{code} leads to {opening.to!r}, which is no screen"
            yield Fault(*place, what, _NAME)
        if opening.campaign and opening.campaign not in menus.campaigns:
            what = f"{code} is of no campaign {opening.campaign!r}"
            yield Fault(*place, what, _NAME)
    led = {opening.shortcut for opening in menus.dialled.values()}
    for shortcut in menus.shortcuts.values():
        place = (shortcut.line, shortcut.column)
        if shortcut.to not in menus.screens:
            what = f"the shortcut {shortcut.name} leads to {shortcut.to!r}, "
            yield Fault(*place, what + "which is no screen", _NAME)
        if shortcut.campaign and shortcut.campaign not in menus.campaigns:
            what = f"{shortcut.name} is of no campaign {shortcut.campaign!r}"
            yield Fault(*place, what, _NAME)
        if shortcut.name in menus.screens:
            what = f"{shortcut.name} is a shortcut and a screen"
            yield Fault(*place, what, "Give the shortcut another name")
        elif shortcut.name not in led:
            what = f"nothing dials the shortcut {shortcut.name}"
            yield Fault(*place, what, "Name it under `dialled:`, or take it out")


def _choice(menus: Menus, screen: Screen, choice: Choice) -> Iterator[Fault]:
    place = (choice.line, choice.column)
    led = [choice.to, *choice.otherwise.values()]
    yield from _missing(menus, screen, led, [choice.via], place)
    if choice.campaign and choice.campaign not in menus.campaigns:
        yield Fault(*place, f"there is no campaign {choice.campaign!r}", _NAME)
    for text in EFFECT_TEXTS.get(choice.do, ()):
        if text not in menus.texts:
            what = f"{choice.do} sends {text!r}, which is no text"
            yield Fault(*place, what, f"Write {text} under `texts:`")
    known = OUTCOMES.get(choice.do, {})
    for outcome in choice.otherwise:
        if not outcome or outcome not in known:
            deed = choice.do or "a key that does nothing"
            what = f"{deed} never comes to {outcome!r}"
            use = ", ".join(filter(None, known)) or "no `otherwise`"
            yield Fault(*place, what, f"Use {use}")


def _screen(menus: Menus, screen: Screen) -> Iterator[Fault]:
    place = (screen.line, screen.column)
    led = [screen.then, screen.empty, screen.wrong_to]
    led += [to for _, to in screen.instead]
    if screen.ask is not None:
        led += screen.ask.refused.values()
        known = REASONS[screen.ask.kind]
        for reason in screen.ask.refused:
            if reason not in known:
                what = f"a question of kind {screen.ask.kind} is never refused "
                what += f"for {reason!r}"
                use = ", ".join(known) or "no `refused`"
                at = (screen.ask.line, screen.ask.column)
                yield Fault(*at, what, f"Use {use}")
    yield from _missing(menus, screen, led, [screen.via], place)
    if screen.listed and screen.listed not in {*menus.lists, *LISTED_FACTS}:
        what = f"{screen.name} lists {screen.listed!r}, which is no list"
        use = ", ".join(LISTED_FACTS)
        yield Fault(*place, what, f"Name a list of this file, or {use}")


def _missing(
    menus: Menus,
    screen: Screen,
    led: list[str],
    first: list[str],
    place: tuple[int, int],
) -> Iterator[Fault]:
    for target in dict.fromkeys([*led, *first]):
        if target and target not in menus.screens and target not in RESERVED:
            what = f"{screen.name} leads to {target!r}, which is no screen"
            yield Fault(*place, what, _NAME)
