"""How a carrier says a dial ended: whether the last screen was surely seen."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, or_, select

from ledger import schema
from ledger.once import Upsert

__all__ = ["ended", "reached"]

_dial_end = schema.dial_end.c
# Reports come twice and out of order; once the screen was seen, it was seen.
_end = Upsert(
    schema.dial_end,
    _dial_end.dial,
    change=lambda new: {"reached": or_(_dial_end.reached, new.reached), "at": new.at},
)
_find = select(_dial_end.reached).where(_dial_end.dial == bindparam("wanted"))


def ended(db: Connection, *, dial: str, reached: bool, at: datetime) -> None:
    """Note that a dial ended, and whether its last screen reached the caller."""
    _end(db, dial=dial, reached=reached, at=at)


def reached(db: Connection, dial: str) -> bool | None:
    """Whether the last screen was seen; None while no carrier has said."""
    found: bool | None = db.execute(_find, {"wanted": dial}).scalar()
    return found
