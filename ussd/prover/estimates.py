"""How long a deed takes from dialling, in screens and in seconds.

Each screen is one request of the carrier, and so one step of its bill. Seconds are
what a slow reader with a plain keypad needs; they are held against the carrier's
timers, for a call that is cut in the middle is a gift that was not made.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ussd.faults import Fault
from ussd.menus import Ask, Kind, Menus
from ussd.prover.paths import Edge, Paths
from ussd.prover.ways import Way

__all__ = ["Reach", "Timers", "reaches", "timer_faults"]

# A fluent reader takes some 20 characters a second (Brysbaert 2019: 238 words a
# minute); who reads with effort, off a small screen, takes half of them.
READ_CHARS_A_SECOND = 10
# Finding a key and pressing it.
KEY_SECONDS = 1.0
# Opening the answer field and sending what is in it.
SEND_SECONDS = 2.0
# Several presses make a letter: eight words a minute is what beginners reach.
LETTER_SECONDS = 1.5
# From sending an answer to the next screen.
NETWORK_SECONDS = 2.0
# What is usually typed, where a question takes more: a short name, 75000.
LETTERS = 8
AMOUNT_DIGITS = 6
POSTCODE_DIGITS = 10
PHONE_DIGITS = 11
COHORT_DIGITS = 8
CODE_DIGITS = 9
# Dial codes beyond this many open menus that the first ones open too.
OPENED_MAX = 40


@dataclass(frozen=True, slots=True)
class Timers:
    """How long a carrier keeps a call, and how long it waits for one answer.

    The defaults are what carriers commonly give (Africa's Talking: 180 and 30).
    """

    session_seconds_max: int = 180
    answer_seconds_max: int = 30


@dataclass(frozen=True, slots=True, order=True)
class Reach:
    """The shortest way from a dialled code to the screen after a deed of a flow.

    `deed` is an effect, or "end" where a flow has none; `screens` counts that last
    one too, and is also the number of steps that a carrier bills.
    """

    flow: str
    deed: str
    code: str
    screens: int
    seconds: int
    line: int = 0
    column: int = 1


class _Clock:
    """What screens and answers take; `chars` are the longest texts, by the screen."""

    def __init__(self, menus: Menus, chars: Mapping[str, int]) -> None:
        self._menus = menus
        self._chars = chars

    def reading(self, screen: str) -> float:
        return self._chars.get(screen, 0) / READ_CHARS_A_SECOND

    def answering(self, screen: str, way: Way) -> float:
        ask = self._menus.screens[screen].ask
        if way.typed and ask is not None:
            return SEND_SECONDS + _typing(ask)
        return SEND_SECONDS + KEY_SECONDS

    def passing(self, screen: str, way: Way) -> float:
        """Seconds from reading a screen to reading the next one."""
        if not way.turns:
            return 0.0
        taken = self.reading(screen) + self.answering(screen, way) + NETWORK_SECONDS
        return way.turns * taken


def _typing(ask: Ask) -> float:
    match ask.kind:
        case Kind.TEXT:
            return min(ask.max, LETTERS) * LETTER_SECONDS
        case Kind.AMOUNT:
            return AMOUNT_DIGITS * KEY_SECONDS
        case Kind.POSTCODE:
            return POSTCODE_DIGITS * KEY_SECONDS
        case Kind.PHONE:
            return PHONE_DIGITS * KEY_SECONDS
        case Kind.CODE:
            return CODE_DIGITS * KEY_SECONDS
        case Kind.NUMBER:
            return len(str(ask.max)) * KEY_SECONDS
        case Kind.COHORT:
            return COHORT_DIGITS * KEY_SECONDS
        case Kind.DIGITS | Kind.PLACE_CODE:
            return ask.max * KEY_SECONDS
        case Kind.YES_NO | Kind.DIAL:
            return KEY_SECONDS


def reaches(paths: Paths, chars: Mapping[str, int]) -> list[Reach]:
    """The shortest way to each deed and flow, from every code that leads there.

    `chars` is how long each screen can become, in characters.
    """
    clock = _Clock(paths.menus, chars)
    goals = _goals(paths)
    found = []
    opened = {o.to: code for code, o in reversed(list(paths.menus.dialled.items()))}
    for to, code in sorted(opened.items(), key=lambda item: item[1])[:OPENED_MAX]:
        taken = _taken(paths, clock, to)
        for (flow, deed), edges in goals.items():
            ways = []
            for edge in edges:
                if edge.start in taken:
                    turns, seconds = taken[edge.start]
                    way = edge.way
                    seconds += clock.passing(paths.screens[edge.start], way)
                    ways.append((turns + way.turns, seconds, way.line, way.column))
            if ways:
                turns, seconds, *place = min(ways)
                found.append(Reach(flow, deed, code, turns, round(seconds), *place))
    return sorted(found)


def _goals(paths: Paths) -> dict[tuple[str, str], list[Edge]]:
    """The ways that do something, by flow and effect; else those into a flow's end."""
    menus = paths.menus
    goals: dict[tuple[str, str], list[Edge]] = {}
    ends: dict[tuple[str, str], list[Edge]] = {}
    for edges in paths.edges:
        for edge in edges:
            flow = menus.flow_of(paths.screens[edge.start])
            end = paths.screens[edge.end]
            if edge.way.deed:
                goals.setdefault((flow, edge.way.deed), []).append(edge)
            elif menus.screens[end].ends and menus.flow_of(end):
                ends.setdefault((menus.flow_of(end), "end"), []).append(edge)
    done = {flow for flow, _ in goals}
    return goals | {goal: ways for goal, ways in ends.items() if goal[0] not in done}


def _taken(paths: Paths, clock: _Clock, to: str) -> dict[int, tuple[int, float]]:
    """Screens and seconds to each state from a code that opens `to`."""
    taken: dict[int, tuple[int, float]] = {}
    entries = [state for state in paths.entries if paths.screens[state] == to]
    edge = [(1, NETWORK_SECONDS, state) for state in entries]
    while edge:
        screens, seconds, state = heapq.heappop(edge)
        if state in taken:
            continue
        taken[state] = (screens, seconds)
        name = paths.screens[state]
        for way in paths.edges[state]:
            if way.end not in taken:
                so_far = seconds + clock.passing(name, way.way)
                heapq.heappush(edge, (screens + way.way.turns, so_far, way.end))
    return taken


def timer_faults(
    paths: Paths,
    chars: Mapping[str, int],
    channels: Iterable[str],
    timers: Mapping[str, Timers],
) -> Iterator[Fault]:
    """Ways and screens that take longer than a carrier of these waits."""
    clock = _Clock(paths.menus, chars)
    shortest: dict[tuple[str, str], Reach] = {}
    for reach in reaches(paths, chars):
        known = shortest.setdefault((reach.flow, reach.deed), reach)
        if reach.seconds < known.seconds:
            shortest[reach.flow, reach.deed] = reach
    for channel in channels:
        timer = timers.get(channel, Timers())
        for reach in shortest.values():
            if reach.seconds > timer.session_seconds_max:
                what = f"{reach.deed} takes {reach.seconds} seconds from {reach.code}, "
                what += f"and {channel} ends a call after {timer.session_seconds_max}"
                remedy = "Shorten the way to it, or dial nearer to it"
                yield Fault(reach.line, reach.column, what, remedy)
        for name in paths.reached:
            yield from _slow(paths, clock, name, channel, timer)


def _slow(
    paths: Paths, clock: _Clock, name: str, channel: str, timer: Timers
) -> Iterator[Fault]:
    screen = paths.menus.screens[name]
    answering = max(
        (clock.answering(name, way) for way in paths.ways[name] if way.turns),
        default=0.0,
    )
    seconds = round(clock.reading(name) + answering)
    if seconds > timer.answer_seconds_max:
        what = f"{name} takes {seconds} seconds to read and answer, and {channel} "
        what += f"waits for {timer.answer_seconds_max}"
        remedy = "Ask for less on one screen, or shorten its text"
        yield Fault(screen.line, screen.column, what, remedy)
