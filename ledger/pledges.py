"""Promised gifts: pending until money comes, then posted in parts, or voided.

A pledge is one pending transfer. What was paid, cancelled or expired of it are the
transfers that resolve it; nothing about a pledge is ever stored twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    bindparam,
    cast,
    func,
    select,
)

from ledger import codes, events, schema
from ledger.events import Moved, Recorded
from ledger.vault import Keys

__all__ = [
    "CancelOutcome",
    "Cancelled",
    "Pledge",
    "State",
    "cancel_pledge",
    "latest_since",
    "pledge_of",
    "pledges_of",
    "record_pledge",
]

SHOWN_MAX = 100


class State(StrEnum):
    OPEN = "open"
    PART_PAID = "part_paid"
    PAID = "paid"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class CancelOutcome(StrEnum):
    CANCELLED = "cancelled"
    ALREADY_CANCELLED = "already_cancelled"
    PAID = "paid"
    NOT_YOURS = "not_yours"


@dataclass(frozen=True, slots=True)
class Pledge:
    """A pledge as it stands now. Amounts are minor units of `unit`."""

    event_id: int
    key: str
    code: str
    at: datetime
    campaign: str
    purpose: str
    unit: str
    amount: int
    paid: int
    voided: int
    expired: int
    test: bool
    pending_id: int

    @property
    def outstanding(self) -> int:
        return self.amount - self.paid - self.voided - self.expired

    @property
    def state(self) -> State:
        if self.outstanding:
            return State.PART_PAID if self.paid else State.OPEN
        if self.paid:
            return State.PAID
        return State.CANCELLED if self.voided else State.EXPIRED


@dataclass(frozen=True, slots=True)
class Cancelled:
    """How a cancellation ended; `released` is what this key gave free."""

    outcome: CancelOutcome
    recorded: Recorded | None = None
    released: int = 0


_event = schema.event.c
_pending = schema.transfer.alias("pending")
_part = schema.transfer.alias("part")


def _resolved(phase: str) -> ColumnElement[int]:
    resolved = (
        select(func.coalesce(func.sum(_part.c.amount), 0))
        .where(_part.c.pending_id == _pending.c.id, _part.c.phase == phase)
        .scalar_subquery()
    )
    return cast(resolved, BigInteger)


_with_pending = schema.event.join(
    _pending,
    (_pending.c.event_id == _event.id) & (_pending.c.phase == "pending"),
).join(schema.code, schema.code.c.event_id == _event.id)
_pledges = (
    select(
        _event.id.label("event_id"),
        _event.key,
        schema.code.c.code,
        _event.at,
        _event.campaign,
        _event.purpose,
        _pending.c.unit,
        _pending.c.amount,
        _resolved("post").label("paid"),
        _resolved("void").label("voided"),
        _resolved("expire").label("expired"),
        _event.test,
        _pending.c.id.label("pending_id"),
    )
    .select_from(_with_pending)
    .where(_event.kind == "pledge", _event.person_id == bindparam("of_person"))
)
_newest_first = _pledges.order_by(_event.id.desc()).limit(bindparam("rows_max"))
_newest_first_of = _newest_first.where(_event.test == bindparam("in_test"))
_latest_since = (
    _pledges.where(_event.at >= bindparam("since"), _event.test == bindparam("in_test"))
    .order_by(_event.id.desc())
    .limit(1)
)
_by_code = _pledges.where(schema.code.c.code == bindparam("wanted"))
_lock = (
    select(_pending.c.id)
    .select_from(_with_pending)
    .where(
        _event.kind == "pledge",
        _event.person_id == bindparam("of_person"),
        _event.test == bindparam("in_test"),
        schema.code.c.code == bindparam("wanted"),
    )
    .with_for_update(key_share=True, of=_pending)
)


def record_pledge(
    db: Connection,
    keys: Keys,
    *,
    key: str,
    person_id: int,
    campaign: str,
    purpose: str,
    unit: str,
    amount: int,
    channel: str,
    test: bool,
    at: datetime,
) -> Recorded:
    """Record a promised gift in minor units of `unit`, and give it its code.

    The same key again returns the first pledge and its code, and moves nothing.
    """
    assert amount > 0
    recorded = events.record(
        db,
        key=key,
        kind="pledge",
        body={
            "campaign": campaign,
            "purpose": purpose,
            "unit": unit,
            "amount": amount,
        },
        moved=[_moved(campaign, purpose, unit, amount, "pending")],
        person_id=person_id,
        campaign=campaign,
        purpose=purpose,
        channel=channel,
        test=test,
        at=at,
    )
    if not recorded.first:
        return recorded
    return replace(recorded, code=codes.allot(db, keys, event_id=recorded.event_id))


def cancel_pledge(
    db: Connection,
    *,
    key: str,
    person_id: int,
    code: str,
    channel: str,
    test: bool,
    at: datetime,
) -> Cancelled:
    """Release all of a donor's pledge that is not paid yet.

    Nobody but the donor cancels, and no rehearsal a real pledge: another's code and an
    unknown one look alike. Two cancellations, or one and a payment, take turns.
    """
    wanted = {"of_person": person_id, "wanted": code}
    # The lock is a statement of its own: the sums that follow must see what the
    # transaction before this one has committed.
    if db.execute(_lock, wanted | {"in_test": test}).first() is None:
        return Cancelled(CancelOutcome.NOT_YOURS)
    pledge = _pledge(db.execute(_by_code, wanted).one())
    body = {"code": code}
    rest = pledge.outstanding
    if rest == 0:
        again = events.repeated(db, key=key, kind="pledge.void", body=body)
        if again is not None:
            return Cancelled(CancelOutcome.CANCELLED, again, pledge.voided)
        return Cancelled(
            CancelOutcome.PAID
            if pledge.paid == pledge.amount
            else CancelOutcome.ALREADY_CANCELLED
        )
    recorded = events.record(
        db,
        key=key,
        kind="pledge.void",
        body=body,
        moved=[
            _moved(
                pledge.campaign,
                pledge.purpose,
                pledge.unit,
                rest,
                "void",
                pledge.pending_id,
            )
        ],
        person_id=person_id,
        about_id=pledge.event_id,
        campaign=pledge.campaign,
        purpose=pledge.purpose,
        channel=channel,
        test=test,
        at=at,
    )
    return Cancelled(CancelOutcome.CANCELLED, recorded, rest if recorded.first else 0)


def pledges_of(
    db: Connection, *, person_id: int, test: bool | None = None, limit: int = 20
) -> list[Pledge]:
    """A person's pledges, the newest first; `test` picks the rehearsed or the real."""
    assert 0 < limit <= SHOWN_MAX
    values = {"of_person": person_id, "rows_max": limit}
    if test is None:
        return [_pledge(row) for row in db.execute(_newest_first, values)]
    rows = db.execute(_newest_first_of, values | {"in_test": test})
    return [_pledge(row) for row in rows]


def pledge_of(db: Connection, *, person_id: int, code: str) -> Pledge | None:
    """The person's own pledge with this code; None for another's, as for no code."""
    values = {"of_person": person_id, "wanted": code}
    row = db.execute(_by_code, values).first()
    return None if row is None else _pledge(row)


def latest_since(
    db: Connection, *, person_id: int, since: datetime, test: bool
) -> Pledge | None:
    """The newest pledge, rehearsed or real, made at `since` or later; whatever became
    of it."""
    values = {"of_person": person_id, "since": since, "in_test": test}
    row = db.execute(_latest_since, values).first()
    return None if row is None else _pledge(row)


def _moved(
    campaign: str,
    purpose: str,
    unit: str,
    amount: int,
    phase: str,
    pending_id: int | None = None,
) -> Moved:
    return Moved(
        debit=f"A:Receivable:Pledge:{campaign}",
        credit=f"N:Donation:{campaign}:{purpose}",
        unit=unit,
        amount=amount,
        phase=phase,
        pending_id=pending_id,
    )


def _pledge(row: Row[*tuple[Any, ...]]) -> Pledge:
    return Pledge(**row._mapping)
