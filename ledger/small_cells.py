"""Merging what is small, so that nobody's gift can be read out of a table of sums.

A cell of 1 to 4 people, or of 1 to 4 parcels, is merged with others until what it is
merged into is none: then each figure that was small is a sum of at least two, and what
is left of the total after the cells that stand alone says no more than that sum.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

__all__ = ["CELL_MIN", "OTHER", "is_small", "merged"]

CELL_MIN = 5
# The name of what was merged; no purpose and no district is called so.
OTHER = "*"


def is_small(counts: Collection[int]) -> bool:
    """Whether any of these counts is of so few that they could be known by name."""
    return any(0 < count < CELL_MIN for count in counts)


def merged(
    cells: Mapping[str, Sequence[int]],
    count: Callable[[frozenset[str]], Sequence[int]],
) -> frozenset[str]:
    """The names of the cells to be shown as one; empty if all can stand alone.

    `cells` has the counts of each, `count` counts several together: a person who is in
    two of them is one person. Cells of the fewest people join first.
    """
    together = frozenset(name for name, counts in cells.items() if is_small(counts))
    if not together:
        return together
    rest = sorted(cells.keys() - together, key=lambda name: (*cells[name], name))
    for name in rest:
        if not is_small(count(together)):
            break
        together |= {name}
    return together
