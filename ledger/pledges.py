"""Promised gifts: pending until money comes, then posted in parts, or voided.

A pledge is one pending transfer. What was paid, cancelled or expired of it are the
transfers that resolve it; nothing about a pledge is ever stored twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row

from ledger import chart, codes, events
from ledger import pledge_queries as queries
from ledger.events import Moved, Recorded
from ledger.vault import Keys

__all__ = [
    "CancelOutcome",
    "Cancelled",
    "DonorKind",
    "Pledge",
    "State",
    "cancel_pledge",
    "latest_since",
    "lock_pledge",
    "only_open",
    "pledge_by_code",
    "pledge_by_id",
    "pledge_of",
    "pledges_of",
    "record_pledge",
    "resolving",
]

SHOWN_MAX = 100


class State(StrEnum):
    OPEN = "open"
    PART_PAID = "part_paid"
    PAID = "paid"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    WRITTEN_OFF = "written_off"
    REFUNDED = "refunded"


class DonorKind(StrEnum):
    """Who gives, if not a person: an organisation, or a staff under one code."""

    ORGANISATION = "organisation"
    COHORT = "cohort"


class CancelOutcome(StrEnum):
    CANCELLED = "cancelled"
    ALREADY_CANCELLED = "already_cancelled"
    PAID = "paid"
    NOT_YOURS = "not_yours"


@dataclass(frozen=True, slots=True)
class Pledge:
    """A pledge as it stands now. Amounts are minor units of `unit`.

    `paid` is all that ever came for it, `refunded` what was given back of that;
    `voided` is what its donor took back and `written_off` what we gave up.
    """

    event_id: int
    key: str
    code: str
    at: datetime
    person_id: int | None
    campaign: str
    purpose: str
    unit: str
    amount: int
    paid: int
    voided: int
    written_off: int
    expired: int
    refunded: int
    test: bool
    pending_id: int

    @property
    def outstanding(self) -> int:
        resolved = self.paid + self.voided + self.written_off + self.expired
        return self.amount - resolved

    @property
    def state(self) -> State:
        """Name it by what was paid, and only then by what became of the rest."""
        if self.outstanding:
            return State.PART_PAID if self.paid else State.OPEN
        if self.paid:
            return State.REFUNDED if self.refunded >= self.paid else State.PAID
        if self.written_off:
            return State.WRITTEN_OFF
        return State.CANCELLED if self.voided else State.EXPIRED


@dataclass(frozen=True, slots=True)
class Cancelled:
    """How a cancellation ended; `released` is what this key gave free."""

    outcome: CancelOutcome
    recorded: Recorded | None = None
    released: int = 0


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
    donor_kind: DonorKind | None = None,
    cohort: str | None = None,
    test: bool,
    at: datetime,
) -> Recorded:
    """Record a promised gift in minor units of `unit`, and give it its code.

    `cohort` is the code under which a staff gives together. The same key again returns
    the first pledge and its code, and moves nothing.
    """
    assert amount > 0
    assert (cohort is not None) == (donor_kind is DonorKind.COHORT)
    body: dict[str, str | int] = {
        "campaign": campaign,
        "purpose": purpose,
        "unit": unit,
        "amount": amount,
    }
    if donor_kind is not None:
        body["donor_kind"] = donor_kind
    if cohort is not None:
        body["cohort"] = cohort
    recorded = events.record(
        db,
        key=key,
        kind="pledge",
        body=body,
        moved=[_moved(campaign, purpose, unit, amount, "pending")],
        person_id=person_id,
        campaign=campaign,
        purpose=purpose,
        channel=channel,
        donor_kind=donor_kind,
        cohort=cohort,
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
    mine = pledge_of(db, person_id=person_id, code=code)
    if mine is None or mine.test != test:
        return Cancelled(CancelOutcome.NOT_YOURS)
    pledge = lock_pledge(db, mine.event_id)
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
        moved=[resolving(pledge, rest, "void")],
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
        return [_pledge(row) for row in db.execute(queries.NEWEST_FIRST, values)]
    rows = db.execute(queries.NEWEST_FIRST_OF, values | {"in_test": test})
    return [_pledge(row) for row in rows]


def pledge_of(db: Connection, *, person_id: int, code: str) -> Pledge | None:
    """The person's own pledge with this code; None for another's, as for no code."""
    row = db.execute(
        queries.THEIR_CODE, {"of_person": person_id, "wanted": code}
    ).first()
    return None if row is None else _pledge(row)


def pledge_by_code(db: Connection, code: str) -> Pledge | None:
    """Anybody's pledge with this code, real or rehearsed: for payments and operators,
    never for a caller."""
    row = db.execute(queries.BY_CODE, {"wanted": code}).first()
    return None if row is None else _pledge(row)


def pledge_by_id(db: Connection, event_id: int) -> Pledge | None:
    row = db.execute(queries.BY_ID, {"wanted": event_id}).first()
    return None if row is None else _pledge(row)


def only_open(
    db: Connection, *, person_id: int, unit: str, amount: int, test: bool
) -> Pledge | None:
    """The one pledge of a person of which exactly `amount` is open; None if two are."""
    values = {
        "of_person": person_id,
        "in_test": test,
        "in_unit": unit,
        "open_amount": amount,
    }
    rows = db.execute(queries.ONLY_OPEN, values).all()
    return _pledge(rows[0]) if len(rows) == 1 else None


def lock_pledge(db: Connection, event_id: int) -> Pledge:
    """The pledge as it stands, held until the transaction ends.

    Whatever resolves a pledge goes through here first, so that two take turns. The
    lock is a statement of its own: the sums that follow must see what the transaction
    before this one has committed.
    """
    db.execute(queries.LOCK, {"wanted": event_id}).one()
    return _pledge(db.execute(queries.BY_ID, {"wanted": event_id}).one())


def resolving(pledge: Pledge, amount: int, phase: str) -> Moved:
    """The transfer that posts, voids or expires so much of a pledge."""
    return _moved(
        pledge.campaign,
        pledge.purpose,
        pledge.unit,
        amount,
        phase,
        pledge.pending_id,
    )


def latest_since(
    db: Connection, *, person_id: int, since: datetime, test: bool
) -> Pledge | None:
    """The newest pledge, rehearsed or real, made at `since` or later; whatever became
    of it."""
    values = {"of_person": person_id, "since": since, "in_test": test}
    row = db.execute(queries.LATEST_SINCE, values).first()
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
        debit=chart.receivable(campaign, unit),
        credit=chart.donation(campaign, purpose, unit),
        unit=unit,
        amount=amount,
        phase=phase,
        pending_id=pending_id,
    )


def _pledge(row: Row[*tuple[Any, ...]]) -> Pledge:
    return Pledge(**row._mapping)
