"""How a gift is read, and held by whoever takes money back from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Connection, bindparam, cast, func, select

from ledger import schema

__all__ = ["Gift", "gift_by_code", "lock_gift"]


@dataclass(frozen=True, slots=True)
class Gift:
    """Money in rial that is given, and what was given back of it."""

    event_id: int
    code: str
    at: datetime
    person_id: int | None
    campaign: str
    purpose: str
    amount: int
    refunded: int
    test: bool


def gift_by_code(db: Connection, code: str) -> Gift | None:
    """The gift with this code: for operators and services, never for a caller."""
    row = db.execute(_BY_CODE, {"wanted": code}).first()
    return None if row is None else Gift(**row._mapping)


def lock_gift(db: Connection, event_id: int) -> Gift:
    """The gift as it stands, held until the transaction ends: two that take money
    back from it take turns."""
    db.execute(_LOCK, {"wanted": event_id}).one()
    return Gift(**db.execute(_BY_ID, {"wanted": event_id}).one()._mapping)


_event = schema.event.c
_given = schema.transfer.alias("given")
_back = schema.transfer.alias("back")
_by = schema.event.alias("by")
_refunded = (
    select(func.coalesce(func.sum(_back.c.amount), 0))
    .where(
        _by.c.about_id == _event.id,
        _back.c.event_id == _by.c.id,
        _back.c.phase == "reversal",
    )
    .scalar_subquery()
)
_ALL = (
    select(
        _event.id.label("event_id"),
        schema.code.c.code,
        _event.at,
        _event.person_id,
        _event.campaign,
        _event.purpose,
        _given.c.amount,
        cast(_refunded, BigInteger).label("refunded"),
        _event.test,
    )
    .join(schema.code, schema.code.c.event_id == _event.id)
    .join(_given, (_given.c.event_id == _event.id) & (_given.c.number == 1))
    .where(_event.kind == "gift")
)
_BY_CODE = _ALL.where(schema.code.c.code == bindparam("wanted"))
_BY_ID = _ALL.where(_event.id == bindparam("wanted"))
_LOCK = (
    select(_given.c.id)
    .where(_given.c.event_id == bindparam("wanted"), _given.c.number == 1)
    .with_for_update(key_share=True)
)
