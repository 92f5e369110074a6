"""Money that comes in: to its pledge if that is known, else into suspense.

All of it first stands in the source's suspense and leaves it in the same event, so
that an excess, an unknown code and a late pledge are one case. Nothing here locks a
row that two payments to one campaign share, unless they pay the same pledge.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from ledger import chart, events, people
from ledger.events import Moved
from ledger.explaining import explain, take_turns
from ledger.incoming import Kind, Outcome, Paid, Payment, again, became, keep
from ledger.matching import How, find_pledge, match, match_waiting
from ledger.pledges import Pledge, lock_pledge, pledge_by_id, resolving
from ledger.suspense import due, next_look, released
from ledger.taking_back import told_back
from ledger.vault import Keys, look_up

__all__ = [
    "Kind",
    "Outcome",
    "Paid",
    "Payment",
    "due",
    "match",
    "match_waiting",
    "pay",
    "told_back",
]


def pay(
    db: Connection,
    keys: Keys,
    payment: Payment,
    *,
    channel: str,
    partner: str | None = None,
    test: bool,
    at: datetime,
) -> Paid:
    """Record money that a payment service has for us, once for its id.

    What fits no open pledge stays in suspense, and is looked at again. The same body
    again returns the first result, another body the fields that differ.
    """
    assert payment.kind is Kind.PAYMENT
    assert payment.amount > 0
    hashed = None if payment.phone is None else look_up(keys, payment.phone)
    take_turns(db, payment)
    pledge = _locked(db, payment, hashed, test)
    before = again(db, payment, payment.body, hashed)
    if before is not None:
        return before
    matched = min(payment.amount, pledge.outstanding) if pledge else 0
    recorded = events.record(
        db,
        key=payment.key,
        kind="payment",
        body=payment.body,
        moved=_moved(payment, pledge, matched),
        person_id=pledge.person_id if pledge else _person(db, keys, payment),
        about_id=pledge.event_id if pledge else None,
        campaign=pledge.campaign if pledge else None,
        purpose=pledge.purpose if pledge else None,
        channel=channel,
        partner=partner,
        test=test,
        at=at,
    )
    if not recorded.first:
        # Another transaction was recording the same, and committed it just now.
        raced = again(db, payment, payment.body, hashed)
        assert raced is not None
        return raced
    left = payment.amount - matched
    next_at = next_look(
        db,
        code=payment.code,
        look_up=hashed,
        reference=payment.reference,
        came_at=at,
        at=at,
    )
    keep(
        db,
        recorded.event_id,
        payment,
        hashed=hashed,
        unmatched=left,
        next_at=next_at if left else None,
    )
    event_id = recorded.event_id
    returned = explain(db, payment, event_id, channel=channel, test=test, at=at)
    return Paid(
        became(matched, payment.amount),
        event_id,
        matched=matched,
        unmatched=left,
        returned=returned,
        code=pledge.code if pledge else None,
        person_id=pledge.person_id if pledge else None,
        pledge=pledge_by_id(db, pledge.event_id) if pledge else None,
    )


def _locked(
    db: Connection, payment: Payment, hashed: bytes | None, test: bool
) -> Pledge | None:
    """The open pledge that this pays, held; None if there is none."""
    found = find_pledge(
        db,
        code=payment.code,
        look_up=hashed,
        reference=payment.reference,
        amount=payment.amount,
        test=test,
        age=timedelta(),
    )
    if found is None:
        return None
    pledge, how = found
    locked = lock_pledge(db, pledge.event_id)
    if how is How.CODE:
        return locked if locked.outstanding else None
    return locked if locked.outstanding == payment.amount else None


def _moved(payment: Payment, pledge: Pledge | None, matched: int) -> list[Moved]:
    came = Moved(
        chart.settle(payment.source),
        chart.suspense(payment.source),
        chart.RIAL,
        payment.amount,
        "single",
    )
    if pledge is None:
        return [came]
    return [
        came,
        resolving(pledge, matched, "post"),
        released(payment.source, chart.receivable(pledge.campaign), matched),
    ]


def _person(db: Connection, keys: Keys, payment: Payment) -> int | None:
    # Somebody who only paid is not made known: nobody agreed to that.
    person = None if payment.phone is None else people.find(db, keys, payment.phone)
    return None if person is None else person.id
