"""What a payment service or a till tells us, and what became of it.

The same id of the same source is the same payment for ever. Its amounts are in the
transfers; the row beside the event holds what a search needs, and what a repeat is
compared with that may stand in no event: the phone, by its keyed hash, and the time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, bindparam, func, insert, select

from ledger import events, schema
from ledger.pledges import Pledge, pledge_by_id
from ledger.prepared import Prepared

__all__ = ["Kind", "Outcome", "Paid", "Payment", "again", "keep"]

OUTSIDE_ID_CHARS_MAX = 80
REFERENCE_CHARS_MAX = 80


class Kind(StrEnum):
    PAYMENT = "payment"
    REFUND = "refund"
    REVERSAL = "reversal"


class Outcome(StrEnum):
    """What became of money, or why nothing did.

    After `excess` a part paid a pledge and the rest is in suspense. The last four
    moved nothing.
    """

    MATCHED = "matched"
    EXCESS = "excess"
    SUSPENSE = "suspense"
    GIFT = "gift"
    RETURNED = "returned"
    DIFFERS = "differs"
    UNKNOWN = "unknown"
    NOTHING_LEFT = "nothing_left"
    NOT_OPEN = "not_open"


@dataclass(frozen=True, slots=True)
class Payment:
    """Money in rial that a source says came in, or went back.

    `outside_id` is the source's own and unique to it and the kind; `phone` is E.164,
    `code` a tracking code that was checked for its shape only.
    """

    source: str
    outside_id: str
    kind: Kind
    amount: int
    paid_at: datetime
    code: str | None = None
    phone: str | None = field(default=None, repr=False)
    reference: str | None = None

    @property
    def key(self) -> str:
        return f"pay:{self.source}:{self.kind}:{self.outside_id}"

    @property
    def body(self) -> dict[str, str | int]:
        """What was asked for; of a phone only that there was one."""
        assert 0 < len(self.outside_id) <= OUTSIDE_ID_CHARS_MAX
        asked: dict[str, str | int] = {"amount": self.amount}
        if self.code is not None:
            asked["code"] = self.code
        if self.phone is not None:
            asked["phone"] = "given"
        if self.reference is not None:
            assert 0 < len(self.reference) <= REFERENCE_CHARS_MAX
            asked["reference"] = self.reference
        return asked


@dataclass(frozen=True, slots=True)
class Paid:
    """What became of money; `first` is False when the same was told before.

    `matched` is what reached a pledge or a gift, or was given back, and `unmatched`
    what went into suspense, both by this event. `returned` is what of a payment was
    told to have gone back before the payment itself; a repeat does not say it.
    `pledge` stands as it does now.
    """

    outcome: Outcome
    event_id: int | None = None
    matched: int = 0
    unmatched: int = 0
    returned: int = 0
    differs: tuple[str, ...] = ()
    first: bool = True
    code: str | None = None
    person_id: int | None = None
    pledge: Pledge | None = None


_event = schema.event.c
_payment = schema.payment.c
_transfer = schema.transfer.c

_insert = Prepared(insert(schema.payment))
_first_told = (
    select(_event.about_id, _event.person_id, _payment.paid_at, _payment.look_up)
    .select_from(schema.event.outerjoin(schema.payment, _payment.event_id == _event.id))
    .where(_event.id == bindparam("wanted"))
)
_posted = select(func.coalesce(func.sum(_transfer.amount), 0)).where(
    _transfer.event_id == bindparam("wanted"), _transfer.phase == "post"
)


def again(
    db: Connection, payment: Payment, body: dict[str, str | int], hashed: bytes | None
) -> Paid | None:
    """What became of this payment when it was first told; None if it is new.

    Of another body under the same id the differing fields are named and nothing moves.
    """
    first = events.find(db, key=payment.key)
    if first is None:
        return None
    told = db.execute(_first_told, {"wanted": first.event_id}).one()
    differs = events.differing(first.body, body)
    if told.paid_at is not None:
        if told.paid_at != payment.paid_at:
            differs.add("paid_at")
        # The hash of a person who was erased is gone, and cannot differ.
        if told.look_up is not None and told.look_up != hashed:
            differs.add("phone")
    if differs:
        return Paid(
            Outcome.DIFFERS, first.event_id, differs=tuple(sorted(differs)), first=False
        )
    pledge = None if told.about_id is None else pledge_by_id(db, told.about_id)
    if first.kind != "payment":
        outcome = Outcome.GIFT if first.kind == "gift" else Outcome.RETURNED
        matched = payment.amount
    else:
        matched = int(db.scalar(_posted, {"wanted": first.event_id}) or 0)
        outcome = became(matched, payment.amount)
    return Paid(
        outcome,
        first.event_id,
        matched=matched,
        unmatched=payment.amount - matched,
        first=False,
        code=first.code or (pledge.code if pledge else None),
        person_id=told.person_id,
        pledge=pledge,
    )


def became(matched: int, amount: int) -> Outcome:
    if matched == amount:
        return Outcome.MATCHED
    return Outcome.EXCESS if matched else Outcome.SUSPENSE


def keep(
    db: Connection,
    event_id: int,
    payment: Payment,
    *,
    hashed: bytes | None,
    unmatched: int,
    next_at: datetime | None,
) -> None:
    """Write the row that a payment is searched by."""
    _insert.run(
        db,
        event_id=event_id,
        source=payment.source,
        outside_id=payment.outside_id,
        amount=payment.amount,
        code=payment.code,
        look_up=hashed,
        reference=payment.reference,
        paid_at=payment.paid_at,
        unmatched=unmatched,
        next_at=next_at,
    )
