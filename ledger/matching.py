"""Which pledge a payment is for: by its code, by phone and amount, by its reference.

Money is matched when it comes, when the scheduler looks again, or by an operator. A
rehearsed payment meets only rehearsed pledges, a real one only real ones.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, bindparam, select

from ledger import chart, events, schema
from ledger.incoming import Outcome, Paid, became
from ledger.pledges import (
    Pledge,
    lock_pledge,
    only_open,
    pledge_by_code,
    resolving,
)
from ledger.suspense import Held, hold, leave, match_key, next_look, released
from phone.codes import is_code
from phone.digits import fold_digits

__all__ = ["How", "find_pledge", "match", "match_waiting"]

# A code that nobody knows may be of a pledge that is being committed.
PHONE_AFTER = timedelta(minutes=10)

_NINE_DIGITS = re.compile(r"(?<![0-9])[0-9]{9}(?![0-9])")
_person = schema.person.c
_person_of = select(_person.id).where(_person.look_up == bindparam("hashed"))


class How(StrEnum):
    CODE = "code"
    PHONE = "phone"
    REFERENCE = "reference"
    OPERATOR = "operator"


def match(
    db: Connection,
    *,
    payment_id: int,
    code: str,
    amount: int | None = None,
    by: str,
    why: str,
    at: datetime,
) -> Paid:
    """Give a pledge what an operator says is for it, as much as both have open.

    `payment_id` is the payment's event, `by` the operator's name and `why` their
    reason, both without a citizen's name. With `amount` not more than that.
    """
    assert amount is None or amount > 0
    held = hold(db, payment_id)
    found = pledge_by_code(db, code)
    if held is None or found is None:
        return Paid(Outcome.UNKNOWN)
    if held.unmatched == 0:
        return Paid(Outcome.NOTHING_LEFT, payment_id)
    pledge = _locked_if_open(db, found, held.test)
    if pledge is None:
        return Paid(Outcome.NOT_OPEN, payment_id, unmatched=held.unmatched)
    most = held.unmatched if amount is None else min(amount, held.unmatched)
    said = {"by": by, "why": why}
    return _post(db, held, pledge, most, How.OPERATOR, at, said)


def match_waiting(db: Connection, *, payment_id: int, at: datetime) -> Paid | None:
    """Look again for the pledge of a payment in suspense; None if there is none yet.

    One payment for each transaction: two of them could wait for each other's pledges.
    """
    held = hold(db, payment_id)
    if held is None or held.unmatched == 0:
        return None
    found = find_pledge(
        db,
        code=held.code,
        look_up=held.look_up,
        reference=held.reference,
        amount=held.unmatched,
        test=held.test,
        age=at - held.at,
    )
    if found is not None:
        pledge, how = found
        locked = _locked_if_open(db, pledge, held.test)
        if locked and (how is How.CODE or locked.outstanding == held.unmatched):
            return _post(db, held, locked, held.unmatched, how, at, {})
    leave(db, payment_id, unmatched=held.unmatched, next_at=_next(db, held, at))
    return None


def find_pledge(
    db: Connection,
    *,
    code: str | None,
    look_up: bytes | None,
    reference: str | None,
    amount: int,
    test: bool,
    age: timedelta,
) -> tuple[Pledge, How] | None:
    """The pledge that money is for, and how that is known; it is not locked yet.

    A code is believed with any amount. A phone and a reference only where exactly
    `amount` is open, for they name no pledge: the phone's only such pledge, or the
    one whose code stands in the reference.
    """
    if code is not None:
        named = pledge_by_code(db, code)
        if named is not None and _fits(named, test):
            return named, How.CODE
    if look_up is not None and (code is None or age >= PHONE_AFTER):
        person_id = db.scalar(_person_of, {"hashed": look_up})
        if person_id is not None:
            only = only_open(
                db, person_id=person_id, unit=chart.RIAL, amount=amount, test=test
            )
            if only is not None:
                return only, How.PHONE
    for written in _NINE_DIGITS.findall(fold_digits(reference or "")):
        named = pledge_by_code(db, written) if is_code(written) else None
        if named and _fits(named, test) and named.outstanding == amount:
            return named, How.REFERENCE
    return None


def _fits(pledge: Pledge, test: bool) -> bool:
    is_rial = pledge.unit == chart.RIAL
    return is_rial and pledge.test == test and pledge.outstanding > 0


def _locked_if_open(db: Connection, pledge: Pledge, test: bool) -> Pledge | None:
    if not _fits(pledge, test):
        return None
    locked = lock_pledge(db, pledge.event_id)
    return locked if locked.outstanding else None


def _next(db: Connection, held: Held, at: datetime) -> datetime | None:
    return next_look(
        db,
        code=held.code,
        look_up=held.look_up,
        reference=held.reference,
        came_at=held.at,
        at=at,
    )


def _post(
    db: Connection,
    held: Held,
    pledge: Pledge,
    most: int,
    how: How,
    at: datetime,
    said: dict[str, str],
) -> Paid:
    amount = min(most, pledge.outstanding)
    body: dict[str, str | int] = {
        "payment": held.event_id,
        "amount": amount,
        "how": how,
        **said,
    }
    if held.reference is not None:
        body["reference"] = held.reference
    recorded = events.record(
        db,
        key=match_key(db, held),
        kind="payment.match",
        body=body,
        moved=[
            resolving(pledge, amount, "post"),
            released(held.source, chart.receivable(pledge.campaign), amount),
        ],
        person_id=pledge.person_id,
        about_id=pledge.event_id,
        campaign=pledge.campaign,
        purpose=pledge.purpose,
        channel=held.channel,
        test=held.test,
        at=at,
    )
    left = held.unmatched - amount
    leave(db, held.event_id, unmatched=left, next_at=_next(db, held, at))
    return Paid(
        became(amount, held.unmatched),
        recorded.event_id,
        matched=amount,
        unmatched=left,
        code=pledge.code,
        person_id=pledge.person_id,
        pledge=replace(pledge, paid=pledge.paid + amount),
    )
