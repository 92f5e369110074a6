"""Answers that bear a name which something else of the conversation has already.

A turn lays the facts of a screen over the answers, and these over what the campaign
says: of two things with one name a text shows the one that lies above. What a list says
of its items is no such name, for `item:` alone reads it and means nothing else by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from ussd.facts import FACTS
from ussd.faults import Fault
from ussd.menus import Kind, Menus
from ussd.prover.supplies import campaign_slots

__all__ = ["taken_faults"]

# What a conversation notes by itself: how it began, the amount that may have been
# meant, and what a deed came to.
NOTED = frozenset({"dialled", "meant", "code", "outcome"})
# What filters and conditions know of who reads.
READER = frozenset({"language", "figures", "titles"})


def taken_faults(menus: Menus) -> Iterator[Fault]:
    """Answers, of screens and of what opens them, that bear a name of the service's."""
    taken = NOTED | READER | campaign_slots(menus)
    taken |= frozenset(chain.from_iterable(FACTS.values()))

    def found(
        who: str, names: Iterable[str], line: int, column: int
    ) -> Iterator[Fault]:
        for name in sorted(taken.intersection(names)):
            what = f"{who} keeps an answer as {name!r}, which the service says itself"
            yield Fault(line, column, what, "Give the answer another name")

    for screen in menus.screens.values():
        yield from found(screen.name, [screen.pick], screen.line, screen.column)
        for choice in screen.choices:
            yield from found(screen.name, choice.set, choice.line, choice.column)
        ask = screen.ask
        # The rest of a dial code is not kept.
        if ask is not None and ask.kind is not Kind.DIAL:
            names = [ask.answer, *ask.set]
            yield from found(screen.name, names, ask.line, ask.column)
    for shortcut in menus.shortcuts.values():
        yield from found(shortcut.name, shortcut.set, shortcut.line, shortcut.column)
    for keyword in menus.keywords.values():
        yield from found(keyword.name, keyword.set, keyword.line, keyword.column)
