"""What money that went back is taken from, each a transfer of an event of its own.

What was agreed goes first, then what nobody had a use for, then what was given, and
what none of these explains makes the source's suspense smaller, below nothing if it
must. The first transfer of an event is then always all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, func, or_, select

from ledger import chart, events, funds, schema
from ledger.events import LAST_CHARACTER, Moved, Recorded
from ledger.gift_queries import Gift, gift_by_code, lock_gift
from ledger.incoming import Payment
from ledger.pledges import Pledge, lock_pledge, pledge_by_code, pledge_by_id
from ledger.suspense import Held, leave
from ledger.tracing_gifts import Purpose

__all__ = ["Part", "parts_of", "record_part", "take_out"]


@dataclass(frozen=True, slots=True)
class Part:
    kind: str
    moved: Moved
    about_id: int | None = None
    given: Pledge | Gift | None = None


def parts_of(
    db: Connection, payment: Payment, helds: list[Held], test: bool
) -> list[Part]:
    """What this money is taken from, all of it held; `helds` are its payments."""
    givens = list(_givens_of(db, payment, helds, test))
    parts = list(_parts_of(db, payment, helds, givens))
    # A purchase beside this sees all of it or nothing: see ledger.tracing_gifts.
    for campaign, purpose in sorted(
        {
            (part.given.campaign, part.given.purpose)
            for part in parts
            if part.given is not None and part.moved.phase == "reversal"
        }
    ):
        funds.lock(db, Purpose(campaign, purpose, test))
    return parts


def record_part(
    db: Connection,
    part: Part,
    key: str,
    body: Mapping[str, str | int],
    channel: str,
    test: bool,
    at: datetime,
) -> Recorded:
    return events.record(
        db,
        key=key,
        kind=part.kind,
        body=body,
        moved=[part.moved],
        person_id=part.given.person_id if part.given else None,
        about_id=part.about_id,
        campaign=part.given.campaign if part.given else None,
        purpose=part.given.purpose if part.given else None,
        channel=channel,
        test=test,
        at=at,
    )


def take_out(db: Connection, held: Held, parts: list[Part]) -> None:
    # A gift at a till is its own payment: what is reversed of it was not in suspense.
    taken = sum(
        part.moved.amount
        for part in parts
        if part.about_id == held.event_id and part.given is None
    )
    if taken:
        leave(db, held.event_id, unmatched=held.unmatched - taken, next_at=None)


def _givens_of(
    db: Connection, payment: Payment, helds: list[Held], test: bool
) -> Iterator[Pledge | Gift]:
    """What was given and is taken back, each held: what the code names, else what
    the payments were for."""
    if payment.code is not None:
        pledge = pledge_by_code(db, payment.code)
        if pledge is not None and pledge.test == test and pledge.unit == chart.RIAL:
            yield lock_pledge(db, pledge.event_id)
            return
        gift = gift_by_code(db, payment.code)
        if gift is not None and gift.test == test:
            yield lock_gift(db, gift.event_id)
            return
    wanted = {held.event_id for held in helds}
    found: set[int] = set()
    for payment_id in wanted:
        prefix = f"match:{payment_id}:"
        values = {
            "wanted": payment_id,
            "first_key": prefix,
            "last_key": prefix + LAST_CHARACTER,
        }
        found.update(db.scalars(_GIVEN, values))
    for event_id in sorted(found):
        is_pledge = pledge_by_id(db, event_id) is not None
        yield lock_pledge(db, event_id) if is_pledge else lock_gift(db, event_id)


def _parts_of(
    db: Connection, payment: Payment, helds: list[Held], givens: Sequence[Pledge | Gift]
) -> Iterator[Part]:
    rest = payment.amount
    settled = chart.settle(payment.source)
    for given in givens:
        owed = chart.refund(given.campaign)
        agreed = db.scalar(_AGREED, {"of_event": given.event_id, "owed": owed})
        if taken := min(rest, int(agreed or 0)):
            moved = Moved(owed, settled, chart.RIAL, taken, "single")
            yield Part("refund.paid", moved, given.event_id, given)
            rest -= taken
    waiting = chart.suspense(payment.source)
    for held in helds:
        if taken := min(rest, held.unmatched):
            moved = Moved(waiting, settled, chart.RIAL, taken, "single")
            yield Part(payment.kind, moved, held.event_id)
            rest -= taken
    for given in givens:
        kept = _came(given) - given.refunded
        if taken := min(rest, kept):
            source = chart.donation(given.campaign, given.purpose)
            moved = Moved(source, settled, chart.RIAL, taken, "reversal")
            yield Part(payment.kind, moved, given.event_id, given)
            rest -= taken
    if rest:
        yield Part(payment.kind, Moved(waiting, settled, chart.RIAL, rest, "single"))


def _came(given: Pledge | Gift) -> int:
    return given.paid if isinstance(given, Pledge) else given.amount


_event = schema.event.c
_transfer = schema.transfer.c
_debit = schema.account.alias("debit")
_credit = schema.account.alias("credit")

_told_events = or_(
    _event.id == bindparam("wanted"),
    (_event.key >= bindparam("first_key")) & (_event.key < bindparam("last_key")),
)
# What a payment became: the pledge it paid at once, the gift it is, and what its
# money was matched with later.
_GIVEN = select(
    case(
        (_event.kind == "gift", _event.id),
        else_=_event.about_id,
    )
).where(_told_events, or_(_event.kind == "gift", _event.about_id.is_not(None)))
_AGREED = (
    select(
        func.sum(
            case((_credit.c.code == bindparam("owed"), _transfer.amount), else_=0)
            - case((_debit.c.code == bindparam("owed"), _transfer.amount), else_=0)
        )
    )
    .join(schema.event, _event.id == _transfer.event_id)
    .join(_debit, _debit.c.id == _transfer.debit_id)
    .join(_credit, _credit.c.id == _transfer.credit_id)
    .where(_event.about_id == bindparam("of_event"))
)
