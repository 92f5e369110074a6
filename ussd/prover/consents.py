"""Sensitive answers: asked after a consent only, and kept out of all that is kept."""

from __future__ import annotations

from collections.abc import Iterator

from ussd.deeds import EFFECT_SEALS
from ussd.faults import Fault
from ussd.menus import EFFECT_TAKES, EFFECT_TEXTS, EFFECTS, Menus
from ussd.prover.supplies import Supplies

__all__ = ["consent_faults"]


def consent_faults(supplies: Supplies) -> Iterator[Fault]:
    """Sensitive questions without a consent before them, and answers that leak."""
    menus, paths = supplies.menus, supplies.paths
    asked: set[str] = set()
    for state, name in enumerate(paths.screens):
        screen = menus.screens[name]
        if not screen.asks_sensitive or name in asked:
            continue
        if not supplies.consented(state):
            asked.add(name)
            what = f"{name} asks for {screen.asks_sensitive!r}, which is sensitive, "
            what += "and not every way to it goes by a consent"
            remedy = "Lead to it by a key with `consent: true` only"
            at = screen.ask or screen
            yield Fault(at.line, at.column, what, remedy)
    sensitive = _tainted(menus)
    if sensitive:
        yield from _leaks(menus, sensitive)


def _tainted(menus: Menus) -> set[str]:
    """The sensitive answers, and those that are made of them."""
    tainted = set[str]().union(*menus.sensitive.values())
    made = [
        (name, text.names)
        for screen in menus.screens.values()
        for choice in screen.choices
        for name, text in choice.set.items()
        if text.names
    ]
    before = -1
    while tainted and len(tainted) != before:
        before = len(tainted)
        tainted |= {name for name, names in made if names & tainted}
    return tainted


def _leaks(menus: Menus, sensitive: set[str]) -> Iterator[Fault]:
    """Deeds that write a sensitive answer down, and messages that tell it."""
    for screen in menus.screens.values():
        for choice in screen.choices:
            taken = {*EFFECTS.get(choice.do, ()), *EFFECT_TAKES.get(choice.do, ())}
            sealed = EFFECT_SEALS.get(choice.do, ())
            for name in sorted((taken & sensitive).difference(sealed)):
                what = f"{choice.do} writes down {name!r}, which is sensitive"
                remedy = "Keep it under another name, which the deed does not take"
                yield Fault(choice.line, choice.column, what, remedy)
    supplied = {
        text: slots for texts in EFFECT_TEXTS.values() for text, slots in texts.items()
    }
    for message in menus.texts.values():
        names = frozenset().union(*(text.names for text in message.text.values()))
        for name in sorted((names & sensitive) - {*supplied.get(message.name, ())}):
            what = f"{message.name} tells {name!r}, which is sensitive"
            remedy = "Say it on a screen only: a text can be read by others"
            yield Fault(message.line, message.column, what, remedy)
