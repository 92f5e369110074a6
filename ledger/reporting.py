"""The transparency report: what was given, and what it became, in sums only.

Counted from the facts, by purpose and by district, as they are now or as they stood
under a seal: of the same seal everybody counts the same, at any time. Who gave is
counted and not told; what is small is merged (`ledger.small_cells`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection

from ledger.report_sums import By, Scope, Sums, sums_by, sums_of
from ledger.small_cells import CELL_MIN, OTHER, is_small, merged

__all__ = [
    "OTHER",
    "Line",
    "Scope",
    "Statement",
    "digest",
    "from_json",
    "statement",
    "to_json",
]


@dataclass(frozen=True, slots=True)
class Line:
    """Sums of a campaign, or of one purpose or district of it. Amounts are rial.

    `name` is "" for what has none; `donors` is None for fewer than five. Goods are by
    unit. A purchase is for no district, so there only what was given out is known.
    """

    name: str
    donors: int | None
    pledged: int
    received: int
    returned: int
    spent: int
    unspent: int
    bought: Mapping[str, int]
    in_kind: Mapping[str, int]
    delivered: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Statement:
    """A campaign's report. `size` is the seal it stands on, None for what is now."""

    campaign: str
    size: int | None
    total: Line
    purposes: tuple[Line, ...]
    districts: tuple[Line, ...]


def statement(db: Connection, scope: Scope) -> Statement:
    """Count a campaign's report; reads all of the campaign."""
    total = sums_of(db, scope)
    return Statement(
        campaign=scope.campaign,
        size=scope.size,
        total=_line("", total),
        purposes=_table(db, scope, By.PURPOSE, total),
        districts=_table(db, scope, By.DISTRICT, total),
    )


def to_json(said: Statement) -> dict[str, Any]:
    """A report as it is stored."""
    return asdict(said)


def from_json(stored: Mapping[str, Any]) -> Statement:
    """A report from how it was stored."""
    return Statement(
        campaign=stored["campaign"],
        size=stored["size"],
        total=Line(**stored["total"]),
        purposes=tuple(Line(**line) for line in stored["purposes"]),
        districts=tuple(Line(**line) for line in stored["districts"]),
    )


def digest(said: Statement) -> bytes:
    """SHA-256 of the report as JSON in UTF-8: names sorted, no spaces, no escapes."""
    text = json.dumps(
        to_json(said), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(text.encode()).digest()


def _table(db: Connection, scope: Scope, by: By, total: Sums) -> tuple[Line, ...]:
    """A line for each name, and at the end one for all that are small.

    No line at all where even these together are few.
    """
    told = {
        name: _told_apart(sums, total) for name, sums in sums_by(db, scope, by).items()
    }
    found = {name: sums for name, sums in told.items() if sums != Sums()}
    line = _line if by is By.PURPOSE else _district

    def count(names: frozenset[str]) -> Sequence[int]:
        return _told_apart(sums_of(db, scope, by, names), total).counts

    together = merged({name: sums.counts for name, sums in found.items()}, count)
    lines = [line(name, found[name]) for name in sorted(found.keys() - together)]
    if together:
        other = _told_apart(sums_of(db, scope, by, together), total)
        if is_small(other.counts):
            return ()
        lines.append(line(OTHER, other))
    return tuple(lines)


def _told_apart(sums: Sums, total: Sums) -> Sums:
    """Without the goods of which there are few in all: no merging makes them more.

    They stand in the total alone, and do not take the table from all other figures.
    """
    few = {unit for unit, count in total.delivered.items() if is_small([count])}
    told = {unit: count for unit, count in sums.delivered.items() if unit not in few}
    if is_small([total.bringers]):
        return replace(sums, delivered=told, bringers=0, in_kind={})
    return replace(sums, delivered=told)


def _district(name: str, sums: Sums) -> Line:
    """What is known of a district: nothing of what is bought and spent."""
    return replace(_line(name, sums), spent=0, unspent=0, bought={}, in_kind={})


def _line(name: str, sums: Sums) -> Line:
    return Line(
        name=name,
        donors=sums.donors if sums.donors >= CELL_MIN else None,
        pledged=sums.pledged,
        received=sums.received,
        returned=sums.returned,
        spent=sums.spent,
        unspent=sums.unspent,
        bought=dict(sorted(sums.bought.items())),
        in_kind=dict(sorted(sums.in_kind.items())),
        delivered=dict(sorted(sums.delivered.items())),
    )
