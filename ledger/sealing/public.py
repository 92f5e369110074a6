"""What of the seals everybody may see: leaves as they are read, and the checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, or_, select

from ledger import schema
from ledger.sealing.leaves import read

__all__ = ["Public", "checkpoints", "newest", "shown"]

ROWS_AT_ONCE = 5_000

_leaf = schema.leaf.c
_checkpoint = schema.checkpoint.c
_cosignature = schema.cosignature.c


@dataclass(frozen=True, slots=True)
class Public:
    """A checkpoint and what witnesses signed below it."""

    size: int
    root: bytes
    day: str
    name: str
    text: str


def newest(db: Connection) -> Public | None:
    """The largest checkpoint, if there is one."""
    size = db.scalar(select(func.max(_checkpoint.size)))
    if size is None:
        return None
    return next(one for one in checkpoints(db, size) if one.size == size)


def checkpoints(db: Connection, size: int) -> Iterator[Public]:
    """The last checkpoint of each day up to `size`, named by its day.

    One that a witness signed and a later one followed on its day is named by its day
    and its size.
    """
    day_last = (
        select(func.max(_checkpoint.size))
        .where(_checkpoint.size <= size)
        .group_by(_checkpoint.day)
    )
    lasts = set(db.scalars(day_last))
    lines: dict[int, list[str]] = {}
    for place, line in db.execute(
        select(_cosignature.size, _cosignature.line)
        .where(_cosignature.size <= size)
        .order_by(_cosignature.size, _cosignature.witness)
    ):
        lines.setdefault(place, []).append(f"{line}\n")
    wanted = select(schema.checkpoint).where(
        or_(
            _checkpoint.size.in_(day_last),
            _checkpoint.size.in_(select(_cosignature.size)),
        ),
        _checkpoint.size <= size,
    )
    for row in db.execute(wanted.order_by(_checkpoint.size)):
        name = row.day if row.size in lasts else f"{row.day}-{row.size}"
        text = row.note + "".join(lines.get(row.size, ()))
        yield Public(row.size, bytes(row.root), row.day, name, text)


def shown(db: Connection, first: int, end: int) -> Iterator[tuple[str | int, ...]]:
    """The leaves from `first` up to `end`: their number and what their bytes say.

    `db` is from reading(snapshot=True).
    """
    query = (
        select(_leaf.number, _leaf.data)
        .where(_leaf.number >= first, _leaf.number < end)
        .order_by(_leaf.number)
    )
    options = {"yield_per": ROWS_AT_ONCE}
    for number, data in db.execute(query, execution_options=options):
        day, campaign, kind, unit, amount, committed, facts = read(bytes(data))
        hashes = committed.hex(), facts.hex()
        yield number, day, campaign, kind, unit, amount, *hashes
