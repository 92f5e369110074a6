"""Every way through a menu file, from each code that can be dialled.

A caller is at a screen and, inside a sub-flow, owes a return to one or more others:
both together are a state. The states that can be come to are walked once; what the
prover asks of them (how far, with which answers, to what end) it asks of this graph.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ussd.faults import Fault
from ussd.menus import BACK, HOME, RETURN, Menus, Opening
from ussd.prover.ways import Way, ways_out
from ussd.steps import RETURNS_MAX

__all__ = ["FAR", "Edge", "Paths", "openings"]

STATES_MAX = 200_000


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one state to another, by the numbers of the states."""

    start: int
    end: int
    way: Way


def openings(menus: Menus) -> Iterator[Opening]:
    """Where conversations begin: by all that is dialled, and by every keyword."""
    yield from menus.dialled.values()
    for keyword in menus.keywords.values():
        for to in dict.fromkeys(filter(None, (keyword.to, keyword.rest))):
            yield Opening(to, keyword.campaign, keyword.set)


class Paths:
    """The states of a menu file whose names all answer to something.

    `screens[n]` is the screen of state n and `returns[n]` what it owes; `edges[n]` are
    the ways out of it, `befores[n]` those into it. `entries` are the states that a
    dialled code or a keyword opens.
    """

    def __init__(self, menus: Menus) -> None:
        self.menus = menus
        self.screens: list[str] = []
        self.returns: list[tuple[str, ...]] = []
        self.edges: list[list[Edge]] = []
        self.befores: list[list[Edge]] = []
        self.faults: list[Fault] = []
        self._numbers: dict[tuple[str, tuple[str, ...]], int] = {}
        self.ways = {
            name: tuple(ways_out(menus, screen))
            for name, screen in menus.screens.items()
        }
        led = [menus.start, *(opening.to for opening in openings(menus))]
        self.entries = tuple(
            dict.fromkeys(self._state(to, ()) for to in led if to in menus.screens)
        )
        self._walk()
        self._dialled = {menus.start, *(o.to for o in menus.dialled.values())}
        self.turns = self.far(self.entries)
        self.reached: dict[str, int] = {}
        for state, name in enumerate(self.screens):
            turns = self.turns[state]
            self.reached[name] = min(turns, self.reached.get(name, turns))

    # -- the graph ----------------------------------------------------------------

    def _state(self, screen: str, returns: tuple[str, ...]) -> int:
        known = self._numbers.get((screen, returns))
        if known is not None:
            return known
        number = self._numbers[screen, returns] = len(self.screens)
        self.screens.append(screen)
        self.returns.append(returns)
        self.edges.append([])
        self.befores.append([])
        return number

    def _walk(self) -> None:
        faults: set[Fault] = set()
        at = 0
        while at < len(self.screens):
            name = self.screens[at]
            for way in self.ways[name]:
                end = self._end(at, way, faults)
                if end is not None:
                    edge = Edge(at, end, way)
                    self.edges[at].append(edge)
                    self.befores[end].append(edge)
            at += 1
            if len(self.screens) > STATES_MAX:
                screen = self.menus.screens[name]
                what = f"{name} is in sub-flows entered in more than {STATES_MAX} ways"
                faults.add(Fault(screen.line, screen.column, what, _LEAVE))
                break
        self.faults += sorted(faults)

    def _end(self, at: int, way: Way, faults: set[Fault]) -> int | None:
        """The state a way leads to; None for back and home, which lead to old ones."""
        returns = self.returns[at]
        to = way.to
        if way.via:
            returns, to = (*returns, way.to), way.via
            if len(returns) > RETURNS_MAX:
                what = f"the sub-flow {way.via} is entered more than {RETURNS_MAX} deep"
                faults.add(Fault(way.line, way.column, what, _LEAVE))
                return None
        while to == RETURN:
            if not returns:
                what = f"{self.screens[at]} leads to return, and nothing called it"
                remedy = "Lead to it by `via:` only, or name a screen here"
                faults.add(Fault(way.line, way.column, what, remedy))
                return None
            to, returns = returns[-1], returns[:-1]
        if to in (BACK, HOME):
            return None
        return self._state(to, returns)

    def far(
        self, entries: Sequence[int], *, within: Sequence[bool] | None = None
    ) -> list[int]:
        """As `distances`, for a caller; a keyword's where no call comes to a state.

        A text may come to the middle, which makes no call any shorter.
        """
        by_call = [
            state
            for state in entries
            if self.screens[state] in self._dialled or state not in self.entries
        ]
        turns = self.distances(by_call, within=within)
        if len(by_call) == len(entries):
            return turns
        texted = self.distances(entries, within=within)
        return [
            called if called < FAR else other
            for called, other in zip(turns, texted, strict=True)
        ]

    def distances(
        self, entries: Iterable[int], *, within: Sequence[bool] | None = None
    ) -> list[int]:
        """Turns to each state by the shortest way; FAR where there is none.

        With `within`, only by the states it marks.
        """
        found = [FAR] * len(self.screens)
        edge = []
        for state in entries:
            found[state] = 1
            edge.append((1, state))
        while edge:
            turns, state = heapq.heappop(edge)
            if turns > found[state]:
                continue
            for way in self.edges[state]:
                if within is not None and not within[way.end]:
                    continue
                so_far = turns + way.way.turns
                if so_far < found[way.end]:
                    found[way.end] = so_far
                    heapq.heappush(edge, (so_far, way.end))
        return found


FAR = 1 << 30
_LEAVE = "Leave a sub-flow by return, back or home"
