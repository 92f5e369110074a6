"""The menus as a picture: one SVG file that needs nothing beside it.

A flow is a panel of cards in rows, from what is dialled down to the ends. The whole
is a panel for each flow side by side, under the one that leads to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ussd.pictures.cards import (
    COLOURS,
    INK,
    QUIET,
    SMALL_SIZE,
    TEXT_SIZE,
    Card,
    Said,
    card_of,
    pill,
    text_at,
    wide,
)
from ussd.pictures.graph import Graph, Shape
from ussd.pictures.layering import Edge, Layout, lay_out
from ussd.pictures.skeleton import Skeleton, skeleton_of

__all__ = ["TooMuchToDraw", "as_svg"]

SCREENS_MAX = 400
MARGIN = 24.0
TITLE = 40.0
PANEL_GAP = 56.0
SHELF_WIDTH = 3_200.0
FONTS = "'Vazirmatn', 'Noto Sans Arabic', 'DejaVu Sans', sans-serif"
MARKS = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
    'markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#4a5360"/>'
    "</marker></defs>"
)


class TooMuchToDraw(ValueError):
    """More screens than a picture is readable with."""


def as_svg(graph: Graph, flow: str = "") -> str:
    """A picture of one flow, or of all; raises TooMuchToDraw."""
    flows = (flow,) if flow else graph.flows
    screens = sum(len(graph.of_flow(name)) for name in flows)
    if screens > SCREENS_MAX:
        what = f"{screens} screens, and a picture holds {SCREENS_MAX}"
        raise TooMuchToDraw(f"{what}: draw one flow (--flow NAME), or Mermaid")
    panels = _in_order([_Panel(graph, name, alone=bool(flow)) for name in flows])
    spots = _spots(panels)
    width = max(x + p.width for p, (x, _) in zip(panels, spots, strict=True))
    height = max(y + p.height for p, (_, y) in zip(panels, spots, strict=True))
    legend_top = height + MARGIN
    total_width, total_height = max(width, 700.0) + MARGIN, legend_top + 2 * MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total_width:.0f}" '
        f'height="{total_height:.0f}" viewBox="0 0 {total_width:.0f} '
        f'{total_height:.0f}" font-family="{FONTS}" role="img">',
        f"<title>{' '.join(flows)}</title>",
        MARKS,
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    ]
    for panel, (x, y) in zip(panels, spots, strict=True):
        lines += panel.svg(x, y)
    if not flow:
        lines += _between(panels, spots)
    lines += _legend(legend_top)
    return "\n".join([*lines, "</svg>", ""])


@dataclass(frozen=True, slots=True)
class _Pill:
    """A dialled code, or another flow, as a node."""

    lines: tuple[str, ...]
    is_code: bool

    def svg(self, x: float, y: float) -> Iterator[str]:
        width, height = pill(self.lines)
        paper, border, ink = ("#1c2430", "#1c2430", "#ffffff")
        dash = ""
        if not self.is_code:
            paper, border, ink, dash = "#ffffff", QUIET, INK, ' stroke-dasharray="5 3"'
        yield (
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
            f'height="{height:.1f}" rx="{min(16.0, height / 2):.0f}" fill="{paper}" '
            f'stroke="{border}"{dash}/>'
        )
        for number, line in enumerate(self.lines, start=1):
            said = Said(line, TEXT_SIZE, ink, 'font-weight="bold"')
            yield text_at(said, x + width / 2, y + 18 * number, anchor="middle")


class _Panel:
    """One flow: cards and pills, laid out. `alone` shows where it is entered from."""

    def __init__(self, graph: Graph, flow: str, *, alone: bool) -> None:
        self.flow = flow
        self._title = " ".join(filter(None, (flow, graph.titles.get(flow))))
        self.skeleton = skeleton_of(graph, flow)
        self.cards = {
            box.name: card_of(graph, box, self.skeleton) for box in graph.of_flow(flow)
        }
        self.pills: dict[str, _Pill] = {}
        edges = [*self._entries(graph, self.skeleton, alone=alone)]
        edges += [
            Edge(name, end if end in self.cards else _beyond(end), port)
            for name, card in self.cards.items()
            for end, port in (card.ports() if card.tabs else {}).items()
        ]
        for name in self.skeleton.beyond:
            self.pills[_beyond(name)] = _Pill((f"{name} ▸",), is_code=False)
        sizes = {name: (card.width, card.height) for name, card in self.cards.items()}
        sizes |= {name: pill(made.lines) for name, made in self.pills.items()}
        last = [_beyond(name) for name in self.skeleton.beyond]
        self.layout: Layout = lay_out(sizes, edges, last)

    @property
    def width(self) -> float:
        title = wide(self._title, 20) + 2 * MARGIN
        return max(self.layout.width, title) + 2 * MARGIN

    @property
    def height(self) -> float:
        return self.layout.height + TITLE + 2 * MARGIN

    def bottom_of(self, flow: str) -> tuple[float, float]:
        """Where the pill of a flow it leads to ends, from its own corner."""
        name = _beyond(flow)
        x, y = self.layout.places[name]
        width, height = pill(self.pills[name].lines)
        return x + width / 2 + MARGIN, y + height + TITLE + MARGIN

    def svg(self, x: float, y: float) -> Iterator[str]:
        yield (
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{self.width:.1f}" '
            f'height="{self.height:.1f}" rx="12" fill="#fafbfc" stroke="#c9d1da"/>'
        )
        title = Said(self._title, 18, INK, 'font-weight="bold"')
        yield text_at(title, x + MARGIN, y + 30, rtl=False)
        x, y = x + MARGIN, y + MARGIN + TITLE
        for points in self.layout.lines.values():
            yield _line([(px + x, py + y) for px, py in points])
        for name, (left, top) in self.layout.places.items():
            node: Card | _Pill = self.cards.get(name) or self.pills[name]
            yield from node.svg(x + left, y + top)

    def _entries(
        self, graph: Graph, skeleton: Skeleton, *, alone: bool
    ) -> Iterator[Edge]:
        codes: dict[str, list[str]] = {}
        for code, to in graph.dialled:
            if to in self.cards:
                codes.setdefault(to, []).append(code)
        for to, dialled in codes.items():
            made = _Pill(tuple(dialled), is_code=True)
            self.pills[f"\ndialled {to}"] = made
            yield Edge(f"\ndialled {to}", to, pill(made.lines)[0] / 2)
        for flow, to in skeleton.entries if alone else ():
            made = _Pill((f"from {flow}",), is_code=False)
            self.pills[f"\nfrom {flow}"] = made
            yield Edge(f"\nfrom {flow}", to, pill(made.lines)[0] / 2)


# Nodes that are no screens have names that no screen has.
def _beyond(flow: str) -> str:
    return f"\nbeyond {flow}"


def _in_order(panels: Sequence[_Panel]) -> list[_Panel]:
    """The first, then the others as its lines come to them from left to right."""
    first, *others = panels
    beyond = first.skeleton.beyond

    def across(panel: _Panel) -> float:
        if panel.flow not in beyond:
            return float("inf")
        return first.bottom_of(panel.flow)[0]

    return [first, *sorted(others, key=across)]


def _spots(panels: Sequence[_Panel]) -> list[tuple[float, float]]:
    """The first panel on top, the others on shelves under it."""
    spots = [(MARGIN, MARGIN)]
    x, y = MARGIN, MARGIN + panels[0].height + PANEL_GAP
    high = 0.0
    for panel in panels[1:]:
        if x > MARGIN and x + panel.width > SHELF_WIDTH:
            x, y, high = MARGIN, y + high + PANEL_GAP, 0.0
        spots.append((x, y))
        x, high = x + panel.width + PANEL_GAP, max(high, panel.height)
    wide_all = max(left + p.width for p, (left, _) in zip(panels, spots, strict=True))
    spots[0] = (MARGIN + (wide_all - MARGIN - panels[0].width) / 2, MARGIN)
    return spots


def _between(
    panels: Sequence[_Panel], spots: Sequence[tuple[float, float]]
) -> Iterator[str]:
    """Lines from the first panel down to those on the first shelf."""
    (first, *others), ((x, y), *places) = panels, spots
    for panel, (left, top) in zip(others, places, strict=True):
        if panel.flow in first.skeleton.beyond and top == places[0][1]:
            from_x, from_y = first.bottom_of(panel.flow)
            border = y + first.height
            points = [(x + from_x, y + from_y), (x + from_x, border)]
            yield _line([*points, (left + panel.width / 2, top)])


def _line(points: Sequence[tuple[float, float]]) -> str:
    """Straight down through a row, bent between two."""
    (x, y), *rest = points
    path = [f"M{x:.1f} {y:.1f}"]
    for number, (to_x, to_y) in enumerate(rest):
        if number % 2 == 0 and number < len(rest) - 1 or abs(to_x - x) < 1:
            path.append(f"L{to_x:.1f} {to_y:.1f}")
        else:
            middle = (y + to_y) / 2
            path.append(
                f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}"
            )
        x, y = to_x, to_y
    return (
        f'<path d="{" ".join(path)}" fill="none" stroke="#4a5360" '
        'stroke-width="1.3" marker-end="url(#tip)"/>'
    )


def _legend(y: float) -> Iterator[str]:
    x = MARGIN
    for shape in Shape:
        paper, border = COLOURS[shape]
        yield (
            f'<rect x="{x:.1f}" y="{y:.1f}" width="14" height="14" rx="3" '
            f'fill="{paper}" stroke="{border}"/>'
        )
        yield text_at(Said(shape, SMALL_SIZE), x + 20, y + 11)
        x += 32 + wide(shape, SMALL_SIZE)
    said = "black: dialled · dashed: on a condition · → name: leads there too"
    yield text_at(Said(said, SMALL_SIZE, QUIET), x + 8, y + 11)
