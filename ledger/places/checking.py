"""What must be true of the places of a file together: one tree, and nothing twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ledger.places.faults import Faults
from ledger.places.kinds import LEVELS, Kind
from ledger.places.tree import Place

__all__ = ["checked"]

Rows = Mapping[str, tuple[int, Place]]


def checked(rows: Rows, faults: Faults) -> tuple[Place, ...]:
    """The places in an order in which each comes after the one it lies in.

    What is wrong is added to `faults`; what is given back is then not to be used.
    """
    circles = _on_circles(rows)
    for line, place in rows.values():
        if place.code in circles:
            faults.add(line, f"{place.code} lies in itself, by way of {place.parent}")
        else:
            _check_parent(rows, line, place, faults)
    _check_once(rows, faults)
    levels = sorted(rows.values(), key=lambda row: LEVELS[row[1].kind])
    return tuple(place for _, place in levels)


def _check_parent(rows: Rows, line: int, place: Place, faults: Faults) -> None:
    if place.parent is None:
        if place.kind != Kind.COUNTRY:
            faults.add(line, f"{place.code} lies nowhere: only a country has no parent")
        return
    if place.parent not in rows:
        faults.add(line, f"{place.code} lies in {place.parent}, which is not there")
        return
    above = rows[place.parent][1]
    if LEVELS[above.kind] >= LEVELS[place.kind]:
        what = f"a {place.kind} cannot lie in a {above.kind}"
        faults.add(line, f"{place.code} lies in {above.code}: {what}")


def _on_circles(rows: Rows) -> set[str]:
    """The places from which the way up comes back to where it began."""
    circles: set[str] = set()
    # Places whose way up was walked already.
    walked: set[str] = set()
    for start in rows:
        way: dict[str, int] = {}
        at: str | None = start
        while at and at in rows and at not in walked and at not in way:
            way[at] = len(way)
            at = rows[at][1].parent
        if at and at in way:
            first = way[at]
            circles.update(code for code, number in way.items() if number >= first)
        walked.update(way)
    return circles


def _check_once(rows: Rows, faults: Faults) -> None:
    """Whatever leads to one place may not lead to another as well."""
    seen: dict[tuple[str, str], tuple[int, str]] = {}
    for line, place in rows.values():
        for what, value in _leads(place):
            first_line, code = seen.setdefault((what, value), (line, place.code))
            if code != place.code:
                faults.add(line, f"the {what} {value} is that of line {first_line}")


def _leads(place: Place) -> Iterator[tuple[str, str]]:
    if place.dial:
        yield "dial", place.dial
    for prefix in place.prefixes:
        yield "prefix", prefix
