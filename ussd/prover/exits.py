"""Whether every caller can come to every screen, and from each to an end in time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ussd.faults import Fault
from ussd.menus import BACK, HOME, RETURN, Menus
from ussd.prover.paths import FAR, Paths

__all__ = ["exit_faults"]


def exit_faults(paths: Paths) -> Iterator[Fault]:
    """Screens nobody comes to, with no way out, or too far away."""
    menus = paths.menus
    leaving = _leaving(paths)
    stuck = {paths.screens[n] for n, leaves in enumerate(leaving) if not leaves}
    most = menus.limits.turns_max
    for screen in menus.screens.values():
        place = (screen.line, screen.column)
        if screen.name not in paths.reached:
            what = f"nobody can come to {screen.name}"
            yield Fault(*place, what, "Lead to it, or take it out")
        elif screen.name in stuck:
            what = f"from {screen.name} there is no way to an end"
            yield Fault(*place, what, "Lead one of its keys to an end")
        elif screen.ends and paths.reached[screen.name] > most:
            what = f"{screen.name} is farther than {most} turns away"
            yield Fault(*place, what, "Shorten the way, or raise turns_max")
    yield from _refusals(paths)
    yield from _calls(paths)
    yield from _flows(paths)


def _leaving(paths: Paths) -> list[bool]:
    """The states from which an end can be come to, by back and home too."""
    # Who goes back from a state is where they were before it; who goes home, at an
    # entry. Both are ways too, but they lead to no state that was not come to before.
    backs: list[list[int]] = [[] for _ in paths.screens]
    homes: list[int] = []
    for state, name in enumerate(paths.screens):
        words = {way.to for way in paths.ways[name] if not way.via}
        if BACK in words:
            for start in _shown_before(paths, state):
                backs[start].append(state)
        if HOME in words or (BACK in words and state in paths.entries):
            homes.append(state)
    leaving = [paths.menus.screens[name].ends for name in paths.screens]
    edge = [state for state, leaves in enumerate(leaving) if leaves]
    while edge:
        state = edge.pop()
        befores = [way.start for way in paths.befores[state]] + backs[state]
        if homes and state in paths.entries:
            befores, homes = befores + homes, []
        for before in befores:
            if not leaving[before]:
                leaving[before] = True
                edge.append(before)
    return leaving


def _shown_before(paths: Paths, state: int) -> set[int]:
    """The states a caller may have read before this one, redirects left out."""
    seen, shown, left = {state}, set(), [state]
    while left:
        for edge in paths.befores[left.pop()]:
            if edge.way.turns:
                shown.add(edge.start)
            elif edge.start not in seen:
                seen.add(edge.start)
                left.append(edge.start)
    return shown


def _refusals(paths: Paths) -> Iterator[Fault]:
    """Screens that say why an answer was refused, and are come to without one."""
    refusing = {
        to
        for screen in paths.menus.screens.values()
        if screen.ask is not None
        for to in screen.ask.refused.values()
    }
    for name in paths.reached:
        for way in paths.ways[name]:
            if way.to in refusing and not way.refused:
                what = f"{name} leads to {way.to}, which says why an answer was refused"
                remedy = "Lead to the question instead"
                yield Fault(way.line, way.column, what, remedy)


def _calls(paths: Paths) -> Iterator[Fault]:
    """Sub-flows that are entered and from which no return is reached."""
    returning = _returning(paths)
    for name in paths.reached:
        for way in paths.ways[name]:
            if way.via and way.via not in returning:
                what = f"from {way.via} no return is reached"
                remedy = "Lead a screen there `to: return`, or take out `via:`"
                yield Fault(way.line, way.column, what, remedy)


def _returning(paths: Paths) -> set[str]:
    """The screens from which a return can be reached."""
    returning: set[str] = set()
    # Who waits for a screen to return: the screens that lead to it, and the sub-flows
    # that go on at a screen after another one returned.
    waiting: dict[str, list[tuple[str, str]]] = {}
    edge: list[str] = []

    def add(name: str) -> None:
        if name not in returning:
            returning.add(name)
            edge.append(name)

    for name, ways in paths.ways.items():
        for way in ways:
            if way.via:
                waiting.setdefault(way.via, []).append((name, way.to))
                waiting.setdefault(way.to, []).append((name, way.via))
            elif way.to == RETURN:
                add(name)
            else:
                waiting.setdefault(way.to, []).append((name, ""))
    while edge:
        for name, also in waiting.get(edge.pop(), ()):
            if not also or also in returning or also == RETURN:
                add(name)
    return returning


def _flows(paths: Paths) -> Iterator[Fault]:
    """Flows without a screen, and those too short for the way to their ends."""
    menus = paths.menus
    by_flow: dict[str, list[int]] = {name: [] for name in menus.flows}
    flow_of = [menus.flow_of(name) for name in paths.screens]
    for state, flow in enumerate(flow_of):
        if flow in by_flow:
            by_flow[flow].append(state)
    for name, declared in menus.flows.items():
        if name not in menus.flow_names.values():
            what = f"no screen belongs to the flow {name}"
            remedy = f"Name its screens {name}.something, or take it out"
            yield Fault(declared.line, declared.column, what, remedy)
            continue
        within = [of == name for of in flow_of]
        inner = [s for s in by_flow[name] if s in paths.entries or _entered(paths, s)]
        turns = paths.far(inner, within=within)
        yield from _too_short(menus, name, _ends(paths, by_flow[name]), turns, paths)


def _entered(paths: Paths, state: int) -> bool:
    """Whether some way leads to a state from outside its flow."""
    flow_of = paths.menus.flow_of
    flow = flow_of(paths.screens[state])
    return any(
        flow_of(paths.screens[edge.start]) != flow for edge in paths.befores[state]
    )


def _ends(paths: Paths, states: Iterable[int]) -> Iterator[int]:
    """The states that end a flow: an end, or what is read after a deed."""
    for state in states:
        screen = paths.menus.screens[paths.screens[state]]
        if screen.ends or any(edge.way.deed for edge in paths.befores[state]):
            yield state


def _too_short(
    menus: Menus, name: str, ends: Iterable[int], turns: list[int], paths: Paths
) -> Iterator[Fault]:
    flow = menus.flows[name]
    for state in ends:
        if flow.turns_max < turns[state] < FAR:
            screen = paths.screens[state]
            what = f"{screen} is {turns[state]} turns into {name}, which has "
            what += f"{flow.turns_max}"
            remedy = "Shorten the way, or raise its turns_max"
            yield Fault(flow.line, flow.column, what, remedy)
