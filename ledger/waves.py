"""Whom to ask for what: every need that waits, against every volunteer, in one pass.

Nothing here reads a database or a clock. The most urgent need chooses first. For one
need, those with its very skill come before those who help with anything; of these, who
is nearer; of these, who was invited longest ago. Nobody is chosen for two needs.

Volunteers are numbers in arrays, and every place and skill has a pool of them in the
order in which they are chosen: three hundred thousand are a few dozen megabytes, and
what is taken is passed over once.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ledger.places.kinds import Kind
from ledger.places.tree import Tree

__all__ = ["ANYTHING", "Volunteers", "Wanted", "select_waves"]

# The skill of who helps with anything, and of a need that anybody can meet.
ANYTHING = "other"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many to ask for a need now; `known` were asked for it before."""

    need_id: int
    place: str
    skill: str
    number: int
    known: Collection[int] = ()


@dataclass(slots=True)
class Volunteers:
    """Who may be asked, added in the order in which they are to be chosen."""

    tree: Tree
    people: array[int] = field(default_factory=lambda: array("q"))
    signups: array[int] = field(default_factory=lambda: array("q"))
    taken: bytearray = field(default_factory=bytearray)
    _pools: dict[tuple[str, str], _Pool] = field(default_factory=dict)
    _skills: set[str] = field(default_factory=set)
    _into: dict[tuple[str, str], list[_Pool]] = field(default_factory=dict)

    def add(self, person_id: int, signup_id: int, place: str, skill: str) -> None:
        """Add one, who lives in a place of the tree; one elsewhere is never near."""
        number = len(self.people)
        self.people.append(person_id)
        self.signups.append(signup_id)
        self.taken.append(0)
        pools = self._into.get((place, skill))
        if pools is None:
            pools = self._into[place, skill] = [
                self._pools.setdefault((code, skill), _Pool())
                for code in rings(self.tree, place)
            ]
            self._skills.add(skill)
        for pool in pools:
            pool.numbers.append(number)

    def __len__(self) -> int:
        return len(self.people)

    def tiers(self, skill: str) -> tuple[Sequence[str], ...]:
        """The skills that do for one, the best first."""
        if skill == ANYTHING:
            return ((ANYTHING,), sorted(self._skills - {ANYTHING}))
        return ((skill,), (ANYTHING,))

    def choose(self, wanted: Wanted) -> list[int]:
        """The numbers of those to ask for a need, the best first; they are taken."""
        chosen: list[int] = []
        places = rings(self.tree, wanted.place)
        for skills in self.tiers(wanted.skill):
            for place in places:
                left = wanted.number - len(chosen)
                if left <= 0:
                    return chosen
                for number in self._nearest(place, skills, left, wanted.known):
                    self.taken[number] = 1
                    chosen.append(number)
        return chosen

    def _nearest(
        self, place: str, skills: Sequence[str], most: int, known: Collection[int]
    ) -> list[int]:
        """Up to so many of a place who are not taken; none of them is yet."""
        pools = [
            self._pools[place, skill]
            for skill in skills
            if (place, skill) in self._pools
        ]
        numbers = heapq.merge(*(pool.free(self.taken) for pool in pools))
        found: list[int] = []
        for number in numbers:
            if self.people[number] not in known:
                found.append(number)
                if len(found) == most:
                    break
        return found


@dataclass(slots=True)
class _Pool:
    """The volunteers of one place and skill; before `start` all are taken."""

    numbers: array[int] = field(default_factory=lambda: array("I"))
    start: int = 0

    def free(self, taken: bytearray) -> Iterator[int]:
        numbers, start = self.numbers, self.start
        while start < len(numbers) and taken[numbers[start]]:
            start += 1
        self.start = start
        for at in range(start, len(numbers)):
            if not taken[numbers[at]]:
                yield numbers[at]


def rings(tree: Tree, code: str) -> tuple[str, ...]:
    """A place and what it lies in up to the province: nobody is asked from farther.

    Of a place above all provinces, itself alone.
    """
    chain = [place.code for place in tree.chain(code) if place.kind != Kind.COUNTRY]
    return tuple(chain) or (code,)


def select_waves(
    volunteers: Volunteers, needs: Iterable[Wanted]
) -> Mapping[int, Sequence[int]]:
    """Whom to ask for each need: numbers of volunteers by the need's id.

    `needs` come in the order in which they choose, the most urgent first. The same
    volunteers and needs give the same, always.
    """
    return {
        need.need_id: chosen
        for need in needs
        if need.number > 0 and (chosen := volunteers.choose(need))
    }
