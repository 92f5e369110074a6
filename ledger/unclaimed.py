"""Money in suspense as an operator sees it: what it said, and what it may be for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from ledger import chart, people, schema
from ledger.pledges import Pledge, pledge_by_code, pledges_of
from ledger.vault import Keys
from phone.numbers import mask

__all__ = ["Hints", "Unclaimed", "hints", "listed", "show"]

LISTED_MAX = 500
PLEDGES_MAX = 20


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """A payment in rial; `unmatched` of it is in suspense.

    `id` is its event's, `phone` is masked: empty where it named none or one that no
    caller has. `next_at` is when it is looked at again, None once it waits for people.
    """

    id: int
    source: str
    outside_id: str
    amount: int
    unmatched: int
    code: str | None
    reference: str | None
    named_a_phone: bool
    phone: str
    paid_at: datetime
    next_at: datetime | None
    test: bool


@dataclass(frozen=True, slots=True)
class Hints:
    """What a payment may be for: the pledge of its code, and its phone's open ones."""

    of_code: Pledge | None
    of_phone: tuple[Pledge, ...]


_event = schema.event.c
_payment = schema.payment.c
_person = schema.person.c
_payments = select(
    _event.id,
    _payment.source,
    _payment.outside_id,
    _payment.amount,
    _payment.unmatched,
    _payment.code,
    _payment.reference,
    _payment.look_up,
    _person.id.label("person_id"),
    _payment.paid_at,
    _payment.next_at,
    _event.test,
).select_from(
    schema.payment.join(schema.event, _event.id == _payment.event_id).outerjoin(
        # Not the event's person: who paid may have called for the first time since.
        schema.person,
        _person.look_up == _payment.look_up,
    )
)
_LISTED = (
    _payments.where(
        _payment.unmatched > 0,
        _payment.event_id > bindparam("after"),
        _event.test == bindparam("in_test"),
    )
    .order_by(_payment.event_id)
    .limit(bindparam("rows_max"))
)
_ONE = _payments.where(_payment.event_id == bindparam("wanted"))


def listed(
    db: Connection, keys: Keys, *, after: int = 0, limit: int = 50, test: bool = False
) -> list[Unclaimed]:
    """Payments with something in suspense, the oldest first."""
    assert 0 < limit <= LISTED_MAX
    values = {"after": after, "in_test": test, "rows_max": limit}
    rows = db.execute(_LISTED, values).all()
    known = [row.person_id for row in rows if row.person_id is not None]
    phones = people.phones_of(db, keys, person_ids=known)
    return [_unclaimed(row, phones) for row in rows]


def show(db: Connection, keys: Keys, *, payment_id: int) -> Unclaimed | None:
    """One payment, whether or not anything of it is still in suspense."""
    row = db.execute(_ONE, {"wanted": payment_id}).first()
    if row is None:
        return None
    known = [] if row.person_id is None else [row.person_id]
    return _unclaimed(row, people.phones_of(db, keys, person_ids=known))


def hints(db: Connection, *, payment_id: int) -> Hints:
    """What a payment may be for, as far as the books know: at most 20 by the phone."""
    row = db.execute(_ONE, {"wanted": payment_id}).one()
    of_code = None if row.code is None else pledge_by_code(db, row.code)
    theirs: list[Pledge] = []
    if row.person_id is not None:
        theirs = pledges_of(
            db, person_id=row.person_id, test=row.test, limit=PLEDGES_MAX
        )
    return Hints(
        of_code,
        tuple(one for one in theirs if one.outstanding and one.unit == chart.RIAL),
    )


def _unclaimed(row: Row[*tuple[Any, ...]], phones: dict[int, str]) -> Unclaimed:
    phone = phones.get(row.person_id)
    return Unclaimed(
        id=row.id,
        source=row.source,
        outside_id=row.outside_id,
        amount=row.amount,
        unmatched=row.unmatched,
        code=row.code,
        reference=row.reference,
        named_a_phone=row.look_up is not None,
        phone="" if phone is None else mask(phone),
        paid_at=row.paid_at,
        next_at=row.next_at,
        test=row.test,
    )
