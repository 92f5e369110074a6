"""Which links of a flow are drawn as lines.

Drawn all, the ways back hide the way on: from each screen there is one to the start.
So a line is a link that leads on, and the first that reaches a screen nothing else
leads on to; every other link is a row in its box that names where it leads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ussd.pictures.graph import Box, Graph, Link

__all__ = ["Skeleton", "end_of", "skeleton_of"]


@dataclass(frozen=True, slots=True)
class Skeleton:
    """`lines` are (screen, end): ends are screens, and the flows in `beyond`."""

    lines: frozenset[tuple[str, str]]
    beyond: tuple[str, ...]
    # Screens by which the flow is entered from others, and those others.
    entries: tuple[tuple[str, str], ...]

    def draws(self, graph: Graph, box: Box, link: Link) -> bool:
        """Whether this link is one of the lines, not only one beside it."""
        end = end_of(graph, box, link)
        return (box.name, end) in self.lines and (
            link.is_main
            or not any(
                other.is_main and end_of(graph, box, other) == end
                for other in box.links
            )
        )


def end_of(graph: Graph, box: Box, link: Link) -> str:
    """Where the line of a link ends: at a screen of its flow, or at another flow."""
    flow = graph.flow_of(link.target)
    return link.target if flow == box.flow else flow


def skeleton_of(graph: Graph, flow: str) -> Skeleton:
    """The lines of one flow. They have no circle: a way back is never one."""
    boxes = {box.name: box for box in graph.of_flow(flow)}
    later = graph.flows[graph.flows.index(flow) + 1 :]
    entries = tuple(_entries(graph, flow))
    opened = [to for _, to in graph.dialled]
    first = [graph.start, *opened, *(to for _, to in entries), *boxes]
    walk = _Walk(boxes)
    for name in dict.fromkeys(name for name in first[: -len(boxes)] if name in boxes):
        walk.follow(name)
    walk.reach_aside()
    for name in boxes:
        walk.follow(name)
        walk.reach_aside()
    leaving = {
        (box.name, graph.flow_of(link.target)): None
        for box in boxes.values()
        for link in box.links
        if link.is_main and graph.flow_of(link.target) in later
    }
    return Skeleton(
        frozenset({*walk.lines, *leaving}),
        tuple(dict.fromkeys(end for _, end in leaving)),
        entries,
    )


def _entries(graph: Graph, flow: str) -> Iterator[tuple[str, str]]:
    found = {
        (box.flow, link.target): None
        for box in graph.boxes.values()
        if box.flow != flow
        for link in box.links
        if link.is_main and graph.flow_of(link.target) == flow
    }
    yield from found


class _Walk:
    """Goes through a flow depth first; a link to where it came from is no line."""

    def __init__(self, boxes: Mapping[str, Box]) -> None:
        self._boxes = boxes
        self._done: set[str] = set()
        self.lines: list[tuple[str, str]] = []

    def follow(self, start: str, *, aside: bool = False) -> None:
        """Take every link that leads on, from a screen that was not met yet.

        What was reached `aside` mostly leads back to the way that was left, so only
        its links to what is new are lines.
        """
        if start in self._done:
            return
        open_ = {start}
        stack = [(start, iter(self._on(start)))]
        while stack:
            name, ends = stack[-1]
            end = next(ends, None)
            if end is None:
                open_.discard(name)
                self._done.add(name)
                stack.pop()
            elif end not in open_ and not (aside and end in self._done):
                self.lines.append((name, end))
                if end not in self._done:
                    open_.add(end)
                    stack.append((end, iter(self._on(end))))

    def reach_aside(self) -> None:
        """Draw a way that is no main one where it is the first to reach a screen."""
        while True:
            found = next(self._asides(), None)
            if found is None:
                return
            self.lines.append(found)
            self.follow(found[1], aside=True)

    def _asides(self) -> Iterator[tuple[str, str]]:
        for name in [*dict.fromkeys(s for s, _ in self.lines), *self._boxes]:
            if name in self._done:
                for link in self._boxes[name].links:
                    if link.target in self._boxes and link.target not in self._done:
                        yield name, link.target

    def _on(self, name: str) -> Sequence[str]:
        ends = [link.target for link in self._boxes[name].links if link.is_main]
        return [end for end in dict.fromkeys(ends) if end in self._boxes]
