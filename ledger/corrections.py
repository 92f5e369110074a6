"""Payments that were recorded with a wrong amount, put right by more facts.

What came besides goes into suspense and is matched from there. What never came is
taken back: out of suspense first, then from the pledges and gifts that the payment
reached, the last one first. The first fact stays as it is.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, or_, select, update

from ledger import chart, events, funds, schema
from ledger.events import LAST_CHARACTER, Moved
from ledger.gift_queries import Gift, lock_gift
from ledger.pledges import Pledge, lock_pledge
from ledger.requests import CHANNEL, Refused
from ledger.suspense import Held, hold, match_key
from ledger.tracing_gifts import Purpose

__all__ = ["Corrected", "correct", "payment_of"]


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a payment was taken for before, and what it is now, in rial.

    `event_ids` has one for each place that it changed.
    """

    event_ids: tuple[int, ...]
    was: int
    amount: int


@dataclass(frozen=True, slots=True)
class _Reached:
    """A pledge or gift that this payment reached, and with how much."""

    given: Pledge | Gift
    amount: int

    @property
    def left(self) -> int:
        """How much can be taken back: what was refunded went back already."""
        paid = self.given.paid if isinstance(self.given, Pledge) else self.given.amount
        return min(self.amount, paid - self.given.refunded)


_event = schema.event.c
_payment = schema.payment.c
_transfer = schema.transfer.c
_find = select(_payment.event_id, _payment.amount).where(
    _payment.source == bindparam("of_source"), _payment.outside_id == bindparam("of_id")
)
_amount = select(_payment.amount).where(_payment.event_id == bindparam("of_payment"))
_credit = schema.account.alias("credit")
# Where the money of a payment went, and what an earlier correction took from there.
_went = (
    select(
        _event.id,
        _event.kind,
        _event.about_id,
        _transfer.amount,
        _transfer.phase,
        _credit.c.code.label("credit"),
    )
    .join(schema.transfer, _transfer.event_id == _event.id)
    .join(_credit, _credit.c.id == _transfer.credit_id)
    .where(
        or_(
            _event.id == bindparam("of_payment"),
            (_event.key >= bindparam("first_key"))
            & (_event.key < bindparam("last_key")),
        ),
    )
    .order_by(_transfer.id)
)
_kind_of = select(_event.kind).where(_event.id == bindparam("wanted"))


def payment_of(db: Connection, source: str, outside_id: str) -> tuple[int, int] | None:
    """The event and the amount of a service's payment; None if it told of none."""
    row = db.execute(_find, {"of_source": source, "of_id": outside_id}).first()
    return None if row is None else (row.event_id, int(row.amount))


def correct(
    db: Connection, *, payment_id: int, was: int, amount: int, by: str, at: datetime
) -> Corrected:
    """Let a payment, taken for `was` rial until now, be of `amount`.

    `payment_id` is its event; 0 is for one that never came. Raises Refused for an
    unknown one, where it is not taken for `was` any more, and where what would be
    taken back has gone back to its payer.
    """
    assert amount >= 0
    held = hold(db, payment_id)
    if held is None:
        raise Refused(f"there is no payment {payment_id}")
    stands = int(db.scalar(_amount, {"of_payment": payment_id}) or 0)
    if stands != was:
        raise Refused(f"the payment is of {stands} rial by now, not of {was}")
    if amount == was:
        raise Refused(f"the payment is of {was} rial already")
    body: dict[str, str | int] = {
        "payment": payment_id,
        "was": was,
        "amount": amount,
        "by": by,
    }
    if amount > was:
        made, left = _add(db, held, body, amount - was, at), amount - was
    else:
        out = min(was - amount, held.unmatched)
        made, left = _take_all(db, held, body, was - amount, at), -out
    db.execute(
        update(schema.payment)
        .where(_payment.event_id == payment_id)
        .values(
            amount=amount,
            unmatched=held.unmatched + left,
            next_at=at if held.unmatched + left and amount > was else None,
        )
    )
    return Corrected(tuple(made), was, amount)


def _add(
    db: Connection,
    held: Held,
    body: dict[str, str | int],
    more: int,
    at: datetime,
) -> list[int]:
    settle, suspense = chart.settle(held.source), chart.suspense(held.source)
    moved = Moved(settle, suspense, chart.RIAL, more, "single")
    return [_record(db, held, body, moved, None, at)]


def _take_all(
    db: Connection, held: Held, body: dict[str, str | int], less: int, at: datetime
) -> list[int]:
    """Take money back that never came: one event for each place it is taken from."""
    out = min(less, held.unmatched)
    less -= out
    taken: list[tuple[_Reached, int]] = []
    for reached in _reached(db, held.event_id) if less else ():
        part = min(less, reached.left)
        if part > 0:
            taken.append((reached, part))
            less -= part
    if less:
        raise Refused(f"{less} rial of the payment went back to its payer already")
    # Money that never came is taken out even if it is spent: the books show it then.
    for campaign, purpose in sorted(
        {(one.given.campaign, one.given.purpose) for one, _ in taken}
    ):
        funds.lock(db, Purpose(campaign, purpose, held.test))
    settle = chart.settle(held.source)
    made = []
    if out:
        suspense = chart.suspense(held.source)
        moved = Moved(suspense, settle, chart.RIAL, out, "single")
        made.append(_record(db, held, body, moved, None, at))
    for one, part in taken:
        given = chart.donation(one.given.campaign, one.given.purpose)
        moved = Moved(given, settle, chart.RIAL, part, "reversal")
        made.append(_record(db, held, body, moved, one.given, at))
    return made


def _reached(db: Connection, payment_id: int) -> list[_Reached]:
    """The pledges and gifts that a payment reached, held, the last one first."""
    prefix = f"match:{payment_id}:"
    values = {
        "of_payment": payment_id,
        "first_key": prefix,
        "last_key": prefix + LAST_CHARACTER,
    }
    amounts: defaultdict[int, int] = defaultdict(int)
    for row in db.execute(_went, values):
        if row.kind == "payment.correct":
            # What it took out of suspense had reached nothing.
            if row.phase == "reversal":
                amounts[row.about_id] -= row.amount
        elif row.kind == "gift":
            if row.credit.startswith("N:"):
                amounts[row.id] += row.amount
        elif row.phase == "post":
            amounts[row.about_id] += row.amount
    # Locked in the order of their ids, so that two corrections cannot wait in a ring.
    given = {number: _given(db, number) for number in sorted(amounts)}
    return [
        _Reached(given[number], amounts[number])
        for number in reversed(amounts)
        if amounts[number] > 0
    ]


def _given(db: Connection, event_id: int) -> Pledge | Gift:
    if db.scalar(_kind_of, {"wanted": event_id}) == "pledge":
        return lock_pledge(db, event_id)
    return lock_gift(db, event_id)


def _record(
    db: Connection,
    held: Held,
    body: dict[str, str | int],
    moved: Moved,
    given: Pledge | Gift | None,
    at: datetime,
) -> int:
    """An event under the key of what takes money out of this payment's suspense."""
    recorded = events.record(
        db,
        key=match_key(db, held),
        kind="payment.correct",
        body=body,
        moved=[moved],
        person_id=held.person_id if given is None else given.person_id,
        about_id=held.event_id if given is None else given.event_id,
        campaign=None if given is None else given.campaign,
        purpose=None if given is None else given.purpose,
        channel=CHANNEL,
        test=held.test,
        at=at,
    )
    return recorded.event_id
