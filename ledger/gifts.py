"""Money that is given without a pledge: at a till, or out of suspense.

A gift has a tracking code of its own, like a pledge.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from ledger import chart, codes, events, people
from ledger.events import Moved
from ledger.explaining import explain, take_turns
from ledger.gift_queries import Gift, gift_by_code, lock_gift
from ledger.incoming import Kind, Outcome, Paid, Payment, again, keep
from ledger.suspense import hold, leave, match_key, released
from ledger.vault import Keys, look_up

__all__ = ["Gift", "accept", "gift_by_code", "give_at_till", "lock_gift"]


def give_at_till(
    db: Connection,
    keys: Keys,
    payment: Payment,
    *,
    campaign: str,
    purpose: str,
    channel: str,
    partner: str | None = None,
    test: bool,
    at: datetime,
) -> Paid:
    """Record a gift that was paid with the shopping, and give it its code.

    A phone that was typed at the till is remembered so that the receipt can be sent
    there; it is claimed, not proven. The same again returns the first gift.
    """
    assert payment.kind is Kind.PAYMENT
    assert payment.amount > 0
    body = payment.body | {"campaign": campaign, "purpose": purpose}
    hashed = None if payment.phone is None else look_up(keys, payment.phone)
    take_turns(db, payment)
    before = again(db, payment, body, hashed)
    if before is not None:
        return before
    person_id = None
    if payment.phone is not None:
        person_id = people.remember(db, keys, payment.phone, at=at).id
    came = Moved(
        chart.settle(payment.source),
        chart.suspense(payment.source),
        chart.RIAL,
        payment.amount,
        "single",
    )
    given = chart.donation(campaign, purpose)
    recorded = events.record(
        db,
        key=payment.key,
        kind="gift",
        body=body,
        moved=[came, released(payment.source, given, payment.amount)],
        person_id=person_id,
        campaign=campaign,
        purpose=purpose,
        channel=channel,
        partner=partner,
        test=test,
        at=at,
    )
    if not recorded.first:
        raced = again(db, payment, body, hashed)
        assert raced is not None
        return raced
    code = codes.allot(db, keys, event_id=recorded.event_id)
    event_id = recorded.event_id
    keep(db, event_id, payment, hashed=hashed, unmatched=0, next_at=None)
    returned = explain(db, payment, event_id, channel=channel, test=test, at=at)
    return Paid(
        Outcome.GIFT,
        event_id,
        matched=payment.amount,
        returned=returned,
        code=code,
        person_id=person_id,
    )


def accept(
    db: Connection,
    keys: Keys,
    *,
    payment_id: int,
    campaign: str,
    purpose: str,
    amount: int | None = None,
    by: str,
    why: str,
    at: datetime,
) -> Paid:
    """Take money out of suspense as a gift, all of it or `amount`.

    `payment_id` is the payment's event, `by` the operator's name, `why` their reason.
    """
    held = hold(db, payment_id)
    if held is None:
        return Paid(Outcome.UNKNOWN)
    taken = held.unmatched if amount is None else min(amount, held.unmatched)
    if taken == 0:
        return Paid(Outcome.NOTHING_LEFT, payment_id)
    recorded = events.record(
        db,
        key=match_key(db, held),
        kind="gift",
        body={
            "payment": payment_id,
            "amount": taken,
            "campaign": campaign,
            "purpose": purpose,
            "by": by,
            "why": why,
        },
        moved=[released(held.source, chart.donation(campaign, purpose), taken)],
        person_id=held.person_id,
        about_id=payment_id,
        campaign=campaign,
        purpose=purpose,
        channel=held.channel,
        test=held.test,
        at=at,
    )
    left = held.unmatched - taken
    # What an operator left there waits for an operator.
    leave(db, payment_id, unmatched=left, next_at=None)
    return Paid(
        Outcome.GIFT,
        recorded.event_id,
        matched=taken,
        unmatched=left,
        code=codes.allot(db, keys, event_id=recorded.event_id),
        person_id=held.person_id,
    )
