"""Reports as they were published: numbered, never changed, each on a seal.

A figure that turns out wrong is not mended where it stands: the next report shows what
is different from the one before it, line by line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from ledger import events
from ledger.once import Once
from ledger.report_sums import givers_between
from ledger.reporting import Line, Scope, Statement, digest, from_json, statement
from ledger.reporting import to_json as written
from ledger.requests import CHANNEL, Refused
from ledger.schema import checkpoint, report
from ledger.small_cells import CELL_MIN, is_small

__all__ = [
    "Change",
    "Published",
    "changes",
    "latest",
    "numbered",
    "proposed",
    "publish",
    "published",
]

LISTED_MAX = 500
# What only grows while nothing is put right.
_GROWING = frozenset({"received", "spent", "bought", "in_kind"})


@dataclass(frozen=True, slots=True)
class Published:
    """A report as it was published. `day` and `root` are the seal's it stands on."""

    number: int
    event_id: int
    statement: Statement
    digest: bytes
    day: str
    root: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """A figure that is not what the last report said.

    `table` is total, purposes or districts; `unit` is "" for rial and people. None is
    a line that one of the two does not have, or a crowd too small to be counted.
    `is_correction` where a figure that only grows became smaller.
    """

    table: str
    name: str
    figure: str
    unit: str
    before: int | None
    after: int | None

    @property
    def is_correction(self) -> bool:
        if self.before is None or self.after is None or self.name == "*":
            return False
        return self.figure in _GROWING and self.after < self.before


def proposed(db: Connection, campaign: str) -> Statement:
    """The report that could be published now: on the last seal. Raises Refused."""
    size = db.scalar(select(func.max(checkpoint.c.size)))
    if size is None:
        raise Refused("nothing is sealed yet: run `yarigar ledger seal`")
    _check_next(db, campaign, latest(db, campaign), size)
    said = statement(db, Scope(campaign, size=size))
    if not any(_figures(said.total).values()):
        raise Refused(f"nothing of {campaign} is sealed: is that its name?")
    return said


def publish(
    db: Connection,
    *,
    campaign: str,
    size: int,
    digest_hex: str,
    by: str,
    at: datetime,
    said: Statement | None = None,
) -> Published:
    """Publish what was agreed to: the report on the seal of `size` leaves.

    It is counted anew, by the caller just before (`said`) or here. Raises Refused
    where it is not, digit for digit, what had that digest, or where a later seal was
    published meanwhile.
    """
    said = said or statement(db, Scope(campaign, size=size))
    seen = digest(said)
    if seen.hex() != digest_hex:
        raise Refused("the books do not give the report that was agreed to")
    made = None
    while made is None:
        # Whoever finds the number taken has waited for the other.
        before = latest(db, campaign)
        _check_next(db, campaign, before, size)
        number = before.number + 1 if before else 1
        recorded = events.record(
            db,
            key=f"report:{campaign}:{number}",
            kind="report.published",
            body={
                "campaign": campaign,
                "number": number,
                "size": size,
                "digest": digest_hex,
                "by": by,
            },
            campaign=campaign,
            channel=CHANNEL,
            test=False,
            at=at,
        )
        if not recorded.first:
            continue
        made = _insert(
            db,
            campaign=campaign,
            number=number,
            event_id=recorded.event_id,
            size=size,
            figures=written(said),
            digest=seen,
            at=at,
        )
    return numbered(db, campaign, number)


def latest(db: Connection, campaign: str) -> Published | None:
    """The last report of a campaign; None before the first."""
    found = published(db, campaign, limit=1)
    return found[0] if found else None


def numbered(db: Connection, campaign: str, number: int) -> Published:
    """A report by its number; raises Refused where there is none."""
    query = _published(campaign).where(report.c.number == number)
    row = db.execute(query).first()
    if row is None:
        raise Refused(f"{campaign} has no report {number}")
    return _read(row)


def published(db: Connection, campaign: str, limit: int = 100) -> list[Published]:
    """The reports of a campaign, the latest first."""
    assert 0 < limit <= LISTED_MAX
    query = _published(campaign).order_by(report.c.number.desc()).limit(limit)
    return [_read(row) for row in db.execute(query)]


def changes(before: Statement, after: Statement) -> list[Change]:
    """What is different, line by line, in the order of the later report."""
    found = list(_compared("total", "", before.total, after.total))
    for table in ("purposes", "districts"):
        old: dict[str, Line] = {line.name: line for line in getattr(before, table)}
        new: dict[str, Line] = {line.name: line for line in getattr(after, table)}
        for name in [*new, *(name for name in old if name not in new)]:
            found += _compared(table, name, old.get(name), new.get(name))
    return found


def _check_next(
    db: Connection, campaign: str, before: Published | None, size: int
) -> None:
    """Refuse a report that says nothing new, or of whom the new is."""
    if before is None:
        return
    told = before.statement.size or 0
    if told >= size:
        raise Refused(f"report {before.number} stands on this seal or a later one")
    if is_small([givers_between(db, campaign, told, size)]):
        raise Refused(
            f"fewer than {CELL_MIN} people gave since report {before.number}: what "
            "each of them gave could be read out of the difference"
        )


def _compared(
    table: str, name: str, before: Line | None, after: Line | None
) -> Iterator[Change]:
    old, new = _figures(before), _figures(after)
    # Of goods a line has only what there is.
    none_before = None if before is None else 0
    none_after = None if after is None else 0
    for place in [*new, *(place for place in old if place not in new)]:
        was, now = old.get(place, none_before), new.get(place, none_after)
        if was != now:
            yield Change(table, name, *place, was, now)


def _figures(line: Line | None) -> dict[tuple[str, str], int | None]:
    if line is None:
        return {}
    found: dict[tuple[str, str], int | None] = {}
    for name in ("donors", "pledged", "received", "returned", "spent", "unspent"):
        found[name, ""] = getattr(line, name)
    for name in ("bought", "in_kind", "delivered"):
        goods: Mapping[str, int] = getattr(line, name)
        found |= {(name, unit): count for unit, count in goods.items()}
    return found


def _published(campaign: str) -> Any:
    return (
        select(report, checkpoint.c.day, checkpoint.c.root)
        .outerjoin(checkpoint, checkpoint.c.size == report.c.size)
        .where(report.c.campaign == campaign)
    )


def _read(row: Any) -> Published:
    return Published(
        number=row.number,
        event_id=row.event_id,
        statement=from_json(row.figures),
        digest=row.digest,
        day=row.day or "",
        root=row.root or b"",
        at=row.at,
    )


_insert = Once(report, report.c.campaign, report.c.number, returning=report.c.id)
