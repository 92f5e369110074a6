"""Money that came and has no pledge or gift yet: held, released, looked at again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select, update

from ledger import chart, codes, schema
from ledger.events import LAST_CHARACTER, Moved

__all__ = ["Held", "due", "hold", "leave", "match_key", "next_look", "released"]

# A callback can come before the pledge that it pays is committed.
FIRST_LOOK = timedelta(seconds=30)
# Then the pauses double; after a day and a half only an operator can tell.
LOOKS_LAST = timedelta(hours=36)
LOOKS_AT_ONCE_MAX = 500

_event = schema.event.c
_payment = schema.payment.c

_hold = (
    select(
        _payment.event_id,
        _payment.source,
        _payment.unmatched,
        _payment.code,
        _payment.look_up,
        _payment.reference,
        _event.person_id,
        _event.channel,
        _event.test,
        _event.at,
    )
    .join(schema.event, _event.id == _payment.event_id)
    .where(_payment.event_id == bindparam("wanted"))
    .with_for_update(key_share=True, of=schema.payment)
)
_leave = (
    update(schema.payment)
    .where(_payment.event_id == bindparam("of_event"))
    .values(unmatched=bindparam("left"), next_at=bindparam("look_at"))
)
_due = (
    select(_payment.event_id)
    .where(_payment.next_at <= bindparam("now", type_=_payment.next_at.type))
    .order_by(_payment.next_at)
    .limit(bindparam("rows_max"))
)
_keys = select(func.count()).where(
    _event.key >= bindparam("first_key"), _event.key < bindparam("last_key")
)


@dataclass(frozen=True, slots=True)
class Held:
    """A payment whose row is locked, and how much of it is in suspense, in rial."""

    event_id: int
    source: str
    unmatched: int
    code: str | None
    look_up: bytes | None
    reference: str | None
    person_id: int | None
    channel: str
    test: bool
    at: datetime


def hold(db: Connection, payment_id: int) -> Held | None:
    """The payment of this event, locked until the transaction ends.

    It is locked before any pledge is.
    """
    row = db.execute(_hold, {"wanted": payment_id}).first()
    return None if row is None else Held(**row._mapping)


def leave(
    db: Connection, payment_id: int, *, unmatched: int, next_at: datetime | None
) -> None:
    """Write down what is still in suspense of a payment that is held."""
    look_at = next_at if unmatched else None
    db.execute(_leave, {"of_event": payment_id, "left": unmatched, "look_at": look_at})


def due(db: Connection, *, at: datetime, limit: int = LOOKS_AT_ONCE_MAX) -> list[int]:
    """The payments that are to be looked at again, the longest waiting first."""
    assert 0 < limit <= LOOKS_AT_ONCE_MAX
    return list(db.scalars(_due, {"now": at, "rows_max": limit}))


def next_look(
    db: Connection,
    *,
    code: str | None,
    look_up: bytes | None,
    reference: str | None,
    came_at: datetime,
    at: datetime,
) -> datetime | None:
    """When money is worth another look; None if only an operator can tell."""
    age = at - came_at
    if age >= LOOKS_LAST:
        return None
    has_more = look_up is not None or reference is not None
    # What a known code stands for is closed, and stays so.
    if not has_more and (code is None or codes.event_of(db, code) is not None):
        return None
    return at + max(FIRST_LOOK, age)


def released(source: str, credit: str, amount: int) -> Moved:
    """The transfer that takes so much out of a source's suspense."""
    return Moved(chart.suspense(source), credit, chart.RIAL, amount, "single")


def match_key(db: Connection, held: Held) -> str:
    """The key of the next event that takes money out of this payment's suspense."""
    prefix = f"match:{held.event_id}:"
    values = {"first_key": prefix, "last_key": prefix + LAST_CHARACTER}
    return f"{prefix}{(db.scalar(_keys, values) or 0) + 1}"
