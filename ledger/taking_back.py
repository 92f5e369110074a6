"""Money that a payment service says it gave back: a refund, or a charge-back.

It is gone whether we like it or not, so nothing is refused.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Connection,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
)

from ledger import people, schema
from ledger.events import LAST_CHARACTER
from ledger.explaining import take_turns
from ledger.incoming import Kind, Outcome, Paid, Payment, again
from ledger.pledges import pledge_by_id
from ledger.returns import parts_of, record_part, take_out
from ledger.suspense import hold
from ledger.vault import Keys

__all__ = ["told_back"]

PAYMENTS_MAX = 8


def told_back(
    db: Connection,
    keys: Keys,
    payment: Payment,
    *,
    channel: str,
    test: bool,
    at: datetime,
) -> Paid:
    """Record money that a service gave back, once for its id and kind.

    The outcome is `returned`, or `suspense` where all of it is unexplained; `matched`
    is what was explained. A repeat is not compared by the phone, which no row keeps.
    """
    assert payment.kind in (Kind.REFUND, Kind.REVERSAL)
    assert payment.amount > 0
    paid_at = payment.paid_at.astimezone(UTC).isoformat()
    body = payment.body | {"paid_at": paid_at}
    take_turns(db, payment)
    before = _again(db, payment, body)
    if before is not None:
        return before
    helds = [
        held
        for payment_id in _payments(db, keys, payment, test)
        if (held := hold(db, payment_id)) is not None
    ]
    parts = parts_of(db, payment, helds, test)
    first_id: int | None = None
    for number, part in enumerate(parts):
        key, asked = payment.key, body
        if first_id is not None:
            key = f"rest:{payment.source}:{first_id}:{number}"
            asked = body | {"id": payment.outside_id, "amount": part.moved.amount}
        recorded = record_part(db, part, key, asked, channel, test, at)
        if not recorded.first:
            # Another transaction was recording the same, and committed it just now.
            raced = _again(db, payment, body)
            assert raced is not None
            return raced
        first_id = first_id or recorded.event_id
    for held in helds:
        take_out(db, held, parts)
    done = _again(db, payment, body)
    assert done is not None
    return replace(done, first=True)


def _again(db: Connection, payment: Payment, body: dict[str, str | int]) -> Paid | None:
    """What was recorded under this id, with all of the events that it took."""
    told = again(db, payment, body, None)
    if told is None or told.outcome is Outcome.DIFFERS:
        return told
    prefix = f"rest:{payment.source}:{told.event_id}:"
    values = {
        "wanted": told.event_id,
        "first_key": prefix,
        "last_key": prefix + LAST_CHARACTER,
    }
    row = db.execute(_told, values).one()
    unexplained = int(row.unexplained)
    # What went back from several donors has none to name to another.
    given_id = None if row.donors > 1 else row.given_id
    given = db.execute(_given, {"wanted": given_id}).first()
    is_known = unexplained < payment.amount
    return Paid(
        Outcome.RETURNED if is_known else Outcome.SUSPENSE,
        told.event_id,
        matched=payment.amount - unexplained,
        unmatched=unexplained,
        first=False,
        code=given.code if given else None,
        person_id=given.person_id if given else None,
        pledge=None if given_id is None else pledge_by_id(db, given_id),
    )


def _payments(db: Connection, keys: Keys, payment: Payment, test: bool) -> list[int]:
    """The payments that this takes back, in the order of their ids.

    The one with the same id, else the only one whose id or reference it names, else
    those with its code of which something is in suspense; of a phone alone the only one
    of the same amount.
    """
    asked = {
        "of_source": payment.source,
        "in_test": test,
        "outside_id": payment.outside_id,
        "reference": payment.reference,
        "code": payment.code,
    }
    for query, most in (
        (_SAME_ID, 1),
        (_NAMED_ID, 1),
        (_SAME_REFERENCE, 1),
        (_SAME_CODE, PAYMENTS_MAX),
    ):
        found = list(db.scalars(query, asked))
        if 0 < len(found) <= most:
            return sorted(found)
    if payment.phone is None or payment.code is not None:
        return []
    person = people.find(db, keys, payment.phone)
    if person is None:
        return []
    values = asked | {"of_person": person.id, "of_amount": payment.amount}
    theirs = list(db.scalars(_SAME_PHONE, values))
    return theirs if len(theirs) == 1 else []


_event = schema.event.c
_payment = schema.payment.c
_transfer = schema.transfer.c

_told_events = or_(
    _event.id == bindparam("wanted"),
    (_event.key >= bindparam("first_key")) & (_event.key < bindparam("last_key")),
)
_told = (
    select(
        cast(
            func.coalesce(
                func.sum(case((_event.about_id.is_(None), _transfer.amount), else_=0)),
                0,
            ),
            BigInteger,
        ).label("unexplained"),
        func.max(case((_event.campaign.is_not(None), _event.about_id))).label(
            "given_id"
        ),
        func.count(
            case(
                (_event.campaign.is_not(None), func.coalesce(_event.person_id, 0)),
            ).distinct()
        ).label("donors"),
    )
    .join(schema.transfer, _transfer.event_id == _event.id)
    .where(_told_events)
)
_given = (
    select(schema.code.c.code, _event.person_id)
    .join(schema.code, schema.code.c.event_id == _event.id)
    .where(_event.id == bindparam("wanted"))
)
_all = (
    select(_payment.event_id)
    .join(schema.event, _event.id == _payment.event_id)
    .where(_event.test == bindparam("in_test"))
    .limit(PAYMENTS_MAX)
)
_SAME_ID = _all.where(
    _payment.source == bindparam("of_source"),
    _payment.outside_id == bindparam("outside_id"),
)
_NAMED_ID = _all.where(
    _payment.source == bindparam("of_source"),
    _payment.outside_id == bindparam("reference"),
)
# As an expression: SQLite would go through all payments of the source for it.
_of_source = _all.where(_payment.source.concat("") == bindparam("of_source"))
_SAME_REFERENCE = _of_source.where(_payment.reference == bindparam("reference"))
# A literal: a partial index is not used for a value that is not known yet.
_SAME_CODE = _of_source.where(
    _payment.code == bindparam("code"), _payment.unmatched > literal_column("0")
)
_SAME_PHONE = _of_source.where(
    _event.person_id == bindparam("of_person"),
    _event.kind.in_(("payment", "gift")),
    _payment.amount == bindparam("of_amount"),
)
