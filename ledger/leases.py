"""One holder of a name at a time: which scheduler leads."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, or_

from ledger import schema
from ledger.once import Upsert

__all__ = ["release", "take"]

_lease = schema.lease.c
# Who takes it at `at` may have it if it ran out by then, or is theirs already. The row
# that was not inserted carries no `at`, hence the parameter.
_take = Upsert(
    schema.lease,
    _lease.name,
    change=lambda new: {"holder": new.holder, "until": new.until},
    where=lambda new: or_(
        _lease.holder == new.holder,
        _lease.until <= bindparam("taken_at", type_=_lease.until.type),
    ),
)
_release = delete(schema.lease).where(
    _lease.name == bindparam("of_name"), _lease.holder == bindparam("by_holder")
)


def take(db: Connection, *, name: str, holder: str, seconds: int, at: datetime) -> bool:
    """Take or renew a lease for so many seconds; False while another holds it."""
    until = at + timedelta(seconds=seconds)
    return _take(db, name=name, holder=holder, until=until, taken_at=at)


def release(db: Connection, *, name: str, holder: str) -> None:
    """Give a lease back at once, so that the next holder need not wait."""
    db.execute(_release, {"of_name": name, "by_holder": holder})
