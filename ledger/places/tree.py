"""The whole tree of places in memory, to be asked while somebody waits on the phone.

A tree never changes: a new import makes another. Closed places keep their names and
their place in the tree, because people signed up there; nobody is led to one any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ledger.places.kinds import LEVELS
from ledger.places.near import Nearness, one_slip_away
from phone.digits import fold, fold_digits

__all__ = ["EMPTY", "Found", "Place", "Tree"]

# What is longer is no dial, no postal code and no name of a place.
TYPED_CHARS_MAX = 80
FOUND_MAX = 20


@dataclass(frozen=True, slots=True)
class Place:
    """One place. `dial` is what a caller types for it, or empty."""

    code: str
    kind: str
    parent: str | None
    titles: Mapping[str, str] = field(hash=False)
    aliases: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    dial: str = ""
    closed: bool = False

    def title(self, language: str) -> str:
        """What it is called in that language, else in any, else its code."""
        return self.titles.get(language) or next(iter(self.titles.values()), self.code)


@dataclass(frozen=True, slots=True)
class Found:
    """What a dial leads to: the place, or the one that must have been meant.

    `near` are all that are one slip of a finger away; `meant` is the only one of them.
    """

    place: Place | None
    meant: Place | None = None
    near: tuple[Place, ...] = ()


class Tree:
    """Places by everything they are asked for. Only `__init__` writes to it."""

    __slots__ = ("_children", "_dials", "_names", "_places", "_prefixes")

    def __init__(self, places: Iterable[Place] = ()) -> None:
        self._places = {place.code: place for place in places}
        self._children: dict[str, list[Place]] = {}
        self._dials: dict[str, Place] = {}
        self._prefixes: dict[str, Place] = {}
        self._names: dict[str, list[Place]] = {}
        for place in self._places.values():
            if place.parent is not None:
                self._children.setdefault(place.parent, []).append(place)
            if place.closed:
                continue
            if place.dial:
                self._dials[place.dial] = place
            for prefix in place.prefixes:
                self._prefixes[prefix] = place
            for name in {fold(one) for one in (*place.titles.values(), *place.aliases)}:
                self._names.setdefault(name, []).append(place)

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places.values())

    def place(self, code: str | None) -> Place | None:
        """The place of that code, also a closed one."""
        return None if code is None else self._places.get(code)

    def by_dial(self, typed: str) -> Found:
        """The open place a caller means with these digits, or whose they nearly are."""
        if len(typed) > TYPED_CHARS_MAX:
            return Found(None)
        digits = "".join(fold_digits(typed).split())
        place = self._dials.get(digits)
        if place is not None:
            return Found(place)
        near = tuple(
            self._dials[one] for one in one_slip_away(digits) if one in self._dials
        )
        return Found(None, near[0] if len(near) == 1 else None, near)

    def by_postcode(self, digits: str) -> Place | None:
        """The open place with the longest prefix of a postal code or its beginning."""
        if len(digits) > TYPED_CHARS_MAX:
            return None
        digits = fold_digits(digits)
        for length in range(len(digits), 0, -1):
            place = self._prefixes.get(digits[:length])
            if place is not None:
                return place
        return None

    def by_name(self, text: str, within: str | None = None) -> tuple[Place, ...]:
        """The open places of that name, however it is spelled, the highest first.

        `within` is the code of a place they have to lie in.
        """
        if len(text) > TYPED_CHARS_MAX:
            return ()
        named = self._names.get(fold(text), [])
        if within is not None:
            named = [one for one in named if self.is_in(one.code, within)]
        found = sorted(named, key=lambda one: (LEVELS.get(one.kind, 0), one.code))
        return tuple(found[:FOUND_MAX])

    def chain(self, code: str | None) -> tuple[Place, ...]:
        """The place and each that it lies in, up to the country; () for no place."""
        found: list[Place] = []
        place = self.place(code)
        while place is not None and len(found) <= len(LEVELS):
            found.append(place)
            place = self.place(place.parent)
        return tuple(found)

    def above(self, code: str | None, kind: str) -> Place | None:
        """The place of that kind that it lies in, or that it is."""
        return next((one for one in self.chain(code) if one.kind == kind), None)

    def is_in(self, code: str | None, above: str) -> bool:
        return any(one.code == above for one in self.chain(code))

    def children(self, code: str) -> tuple[Place, ...]:
        """The open places right below, in the order of their codes."""
        below = (one for one in self._children.get(code, ()) if not one.closed)
        return tuple(sorted(below, key=lambda one: one.code))

    def under(
        self, code: str, kind: str | None = None, *, closed: bool = False
    ) -> tuple[Place, ...]:
        """All open places that lie in it, of one kind or of any; not itself.

        With `closed` the closed ones too.
        """
        found: list[Place] = []
        waiting = list(reversed(self._children.get(code, ())))
        while waiting:
            place = waiting.pop()
            waiting.extend(reversed(self._children.get(place.code, ())))
            if (closed or not place.closed) and kind in (None, place.kind):
                found.append(place)
        return tuple(sorted(found, key=lambda one: one.code))

    def near(self, code: str | None) -> Nearness:
        """How near other places are to this one: `near(code).rank(other)`."""
        return Nearness(lambda one: [(p.code, p.kind) for p in self.chain(one)], code)


EMPTY = Tree()
