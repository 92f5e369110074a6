"""Places boxes in rows, so that lines run downwards and seldom cross.

The way of Sugiyama, Tagawa and Toda (1981): each box stands a row below all that lead
to it, a line over several rows keeps a lane free in each, rows are ordered by the
middle of their neighbours, and the boxes of a row are moved as near to these as their
widths let them (the least squares of a fixed order: pool adjacent violators).
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Edge", "Layout", "lay_out"]

GAP = 26.0
ROW_GAP = 54.0
LANE = 14.0
SWEEPS = 12


@dataclass(frozen=True, slots=True)
class Edge:
    """A line; `port` is where on the source it begins, from its left side."""

    source: str
    target: str
    port: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Left upper corners, the points of each line, and the size of it all.

    The points come in pairs, down one row each: a line is straight between the two
    of a pair and bends between pairs.
    """

    places: Mapping[str, tuple[float, float]]
    lines: Mapping[Edge, tuple[tuple[float, float], ...]]
    width: float
    height: float


def lay_out(
    sizes: Mapping[str, tuple[float, float]],
    edges: Sequence[Edge],
    last: Collection[str] = (),
) -> Layout:
    """Lay out boxes of these (width, height), in pixels; `last` in the last row.

    `edges` have no circle.
    """
    ranks = _ranks(sizes, edges)
    if last:
        ranks |= dict.fromkeys(last, max(ranks.values()) + 1)
    chains = {edge: _chain(edge, ranks) for edge in edges}
    widths = {name: width for name, (width, _) in sizes.items()}
    for chain in chains.values():
        widths |= dict.fromkeys(chain[1:-1], LANE)
    steps = [
        (upper, lower, edge.port if upper == edge.source else LANE / 2)
        for edge, chain in chains.items()
        for upper, lower in zip(chain, chain[1:], strict=False)
    ]
    rows = _ordered(_rows(sizes, ranks, chains), widths, steps)
    left = _placed(rows, widths, steps)
    tops, bottoms = _heights(rows, sizes)
    places = {name: (left[name], tops[ranks[name]]) for name in sizes}
    lines = {
        edge: tuple(_points(edge, chain, ranks, places, left, sizes, tops, bottoms))
        for edge, chain in chains.items()
    }
    width = max((left[name] + widths[name] for name in widths), default=0.0)
    return Layout(places, lines, width, bottoms[-1] if bottoms else 0.0)


def _ranks(sizes: Mapping[str, object], edges: Sequence[Edge]) -> dict[str, int]:
    """Each box below all that lead to it; one that nothing leads to, just above."""
    after: dict[str, list[str]] = defaultdict(list)
    waits = dict.fromkeys(sizes, 0)
    for edge in edges:
        after[edge.source].append(edge.target)
        waits[edge.target] += 1
    tops = [name for name, count in waits.items() if not count]
    ranks = dict.fromkeys(sizes, 0)
    ready = list(tops)
    for name in ready:
        for target in after[name]:
            ranks[target] = max(ranks[target], ranks[name] + 1)
            waits[target] -= 1
            if not waits[target]:
                ready.append(target)
    for name in tops:
        if after[name]:
            ranks[name] = min(ranks[target] for target in after[name]) - 1
    return ranks


def _chain(edge: Edge, ranks: Mapping[str, int]) -> tuple[str, ...]:
    """The source, a lane in every row between, and the target."""
    between = range(ranks[edge.source] + 1, ranks[edge.target])
    lanes = (f"{edge.source}\n{edge.target}\n{edge.port}\n{rank}" for rank in between)
    return (edge.source, *lanes, edge.target)


def _rows(
    sizes: Mapping[str, object],
    ranks: Mapping[str, int],
    chains: Mapping[Edge, Sequence[str]],
) -> list[list[str]]:
    """The rows in the order of a walk downwards, which crosses little already."""
    below: dict[str, list[str]] = defaultdict(list)
    for chain in chains.values():
        for upper, lower in zip(chain, chain[1:], strict=False):
            below[upper].append(lower)
    joined = {end for edge in chains for end in (edge.source, edge.target)}
    every = dict(ranks)
    for edge, chain in chains.items():
        for number, lane in enumerate(chain[1:-1], start=1):
            every[lane] = ranks[edge.source] + number
    rows: list[list[str]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    seen: set[str] = set()
    # What no line touches stands at the right end.
    for start in sorted(sizes, key=lambda name: (name not in joined, ranks[name])):
        stack = [start]
        while stack:
            name = stack.pop()
            if name not in seen:
                seen.add(name)
                rows[every[name]].append(name)
                stack += reversed(below[name])
    return rows


Steps = Sequence[tuple[str, str, float]]


def _ordered(
    rows: list[list[str]], widths: Mapping[str, float], steps: Steps
) -> list[list[str]]:
    """The order with the fewest crossings that some sweeps down and up find."""
    best, fewest = rows, _crossings(rows, widths, steps)
    for sweep in range(SWEEPS):
        rows = _swept(rows, widths, steps, down=sweep % 2 == 0)
        crossings = _crossings(rows, widths, steps)
        if crossings < fewest:
            best, fewest = rows, crossings
    return best


def _swept(
    rows: list[list[str]], widths: Mapping[str, float], steps: Steps, *, down: bool
) -> list[list[str]]:
    near: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for upper, lower, port in steps:
        if down:
            near[lower].append((upper, port / widths[upper]))
        else:
            near[upper].append((lower, 0.5))
    swept: list[list[str]] = []
    index: dict[str, int] = {}
    for row in rows if down else rows[::-1]:
        wanted = {
            name: (
                sum(index[n] + at for n, at in near[name]) / len(near[name])
                if near[name]
                else float(place)
            )
            for place, name in enumerate(row)
        }
        swept.append(sorted(row, key=wanted.__getitem__))
        index |= {name: place for place, name in enumerate(swept[-1])}
    return swept if down else swept[::-1]


def _crossings(rows: list[list[str]], widths: Mapping[str, float], steps: Steps) -> int:
    place = {name: number for row in rows for number, name in enumerate(row)}
    rank = {name: number for number, row in enumerate(rows) for name in row}
    ends: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for upper, lower, port in steps:
        begins = place[upper] + port / widths[upper]
        ends[rank[upper]].append((begins, place[lower]))
    crossings = 0
    for row_ends in ends.values():
        met: list[int] = []
        for _, lower_place in sorted(row_ends):
            crossings += len(met) - bisect_right(met, lower_place)
            insort(met, lower_place)
    return crossings


def _placed(
    rows: list[list[str]], widths: Mapping[str, float], steps: Steps
) -> dict[str, float]:
    """The left side of everything, after sweeps towards upper and lower neighbours."""
    above: dict[str, list[tuple[str, float]]] = defaultdict(list)
    below: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for upper, lower, port in steps:
        # Where the left side of the one would stand for the line to be straight.
        above[lower].append((upper, port - widths[lower] / 2))
        below[upper].append((lower, widths[lower] / 2 - port))
    left: dict[str, float] = {}
    for row in rows:
        start = 0.0
        for name in row:
            left[name] = start
            start += widths[name] + GAP
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        near = above if down else below
        for row in rows if down else rows[::-1]:
            wanted = [
                (
                    sum(left[other] + shift for other, shift in near[name])
                    / len(near[name])
                    if near[name]
                    else left[name]
                )
                for name in row
            ]
            left |= dict(zip(row, _apart(row, wanted, widths), strict=True))
    least = min(left.values(), default=0.0)
    return {name: x - least for name, x in left.items()}


def _apart(
    row: Sequence[str], wanted: Sequence[float], widths: Mapping[str, float]
) -> list[float]:
    """As near to `wanted` as may be, in this order and without overlap."""
    offsets, total = [], 0.0
    for name in row:
        offsets.append(total)
        total += widths[name] + GAP
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        mean, count = want - offset, 1
        while pools and pools[-1][0] > mean:
            other, many = pools.pop()
            mean = (mean * count + other * many) / (count + many)
            count += many
        pools.append((mean, count))
    means = [mean for mean, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _heights(
    rows: Sequence[Sequence[str]], sizes: Mapping[str, tuple[float, float]]
) -> tuple[list[float], list[float]]:
    tops, bottoms, top = [], [], 0.0
    for row in rows:
        high = max((sizes[name][1] for name in row if name in sizes), default=0.0)
        tops.append(top)
        bottoms.append(top + high)
        top += high + ROW_GAP
    return tops, bottoms


def _points(
    edge: Edge,
    chain: Sequence[str],
    ranks: Mapping[str, int],
    places: Mapping[str, tuple[float, float]],
    left: Mapping[str, float],
    sizes: Mapping[str, tuple[float, float]],
    tops: Sequence[float],
    bottoms: Sequence[float],
) -> list[tuple[float, float]]:
    x, y = places[edge.source]
    rank = ranks[edge.source]
    # Down beside what is taller in its own row, then row by row in the lanes.
    points = [
        (x + edge.port, y + sizes[edge.source][1]),
        (x + edge.port, bottoms[rank]),
    ]
    for lane in chain[1:-1]:
        rank += 1
        middle = left[lane] + LANE / 2
        points += [(middle, tops[rank]), (middle, bottoms[rank])]
    end_x, end_y = places[edge.target]
    middle = end_x + sizes[edge.target][0] / 2
    return [*points, (middle, end_y)]
