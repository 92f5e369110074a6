"""What a payment service paid into our bank, and what it kept for its work.

A payment is settled once. Where its amount was corrected later, the difference is
settled by an event of its own, so that the first fact stays as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Connection, bindparam, select

from ledger import chart, events, schema
from ledger.events import Moved
from ledger.incoming import Payment

__all__ = [
    "Booked",
    "Settled",
    "Told",
    "booked",
    "note_file",
    "settle",
    "settled",
    "told_in",
]

KEYS_MAX = 500

_event = schema.event.c
_payment = schema.payment.c
_booked = (
    select(
        _event.key,
        _event.id.label("event_id"),
        _event.body,
        _event.test,
        _payment.amount,
        _payment.code,
        _payment.look_up,
        _payment.reference,
        _payment.paid_at,
    )
    .select_from(schema.event.outerjoin(schema.payment, _payment.event_id == _event.id))
    .where(_event.key.in_(bindparam("keys", expanding=True)))
)
_settled = (
    select(_event.about_id, _event.body)
    .where(
        _event.about_id.in_(bindparam("about", expanding=True)),
        _event.kind == "settlement",
    )
    .order_by(_event.id)
)
_told_in = (
    select(_payment.event_id, _payment.outside_id, _payment.amount, _payment.paid_at)
    .where(
        _payment.source == bindparam("of_source"),
        _payment.outside_id > bindparam("after"),
        _payment.paid_at >= bindparam("since", type_=_payment.paid_at.type),
        _payment.paid_at < bindparam("until", type_=_payment.paid_at.type),
        _payment.amount > 0,
    )
    .order_by(_payment.outside_id)
    .limit(bindparam("rows_max"))
)


@dataclass(frozen=True, slots=True)
class Booked:
    """What the books have of a payment, or of money that went back.

    `paid_at` and `look_up` are None where no row keeps them.
    """

    event_id: int
    amount: int
    code: str | None
    look_up: bytes | None = field(repr=False)
    reference: str | None = field(repr=False)
    paid_at: datetime | None
    test: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """What was settled of a payment so far, in rial, by so many events.

    Both are below nothing for what the service took back out of our bank.
    """

    amount: int = 0
    fee: int = 0
    times: int = 0
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A payment that a source told us of."""

    event_id: int
    outside_id: str
    amount: int
    paid_at: datetime


def booked(db: Connection, payments: Sequence[Payment]) -> dict[str, Booked]:
    """What the books have of these, by their keys; at most 500 at a time."""
    assert len(payments) <= KEYS_MAX
    found = db.execute(_booked, {"keys": [payment.key for payment in payments]})
    return {
        row.key: Booked(
            event_id=row.event_id,
            amount=int(row.body["amount"] if row.amount is None else row.amount),
            code=_said(row.body, "code"),
            look_up=row.look_up,
            reference=_said(row.body, "reference"),
            paid_at=row.paid_at or _moment(row.body),
            test=row.test,
        )
        for row in found
    }


def settled(db: Connection, event_ids: Sequence[int]) -> dict[int, Settled]:
    """What was settled of these events, those without anything left out."""
    assert len(event_ids) <= KEYS_MAX
    found: defaultdict[int, Settled] = defaultdict(Settled)
    for about_id, body in db.execute(_settled, {"about": list(event_ids)}):
        so_far = found[about_id]
        found[about_id] = Settled(
            amount=so_far.amount + int(body["amount"]),
            fee=so_far.fee + int(body["fee"]),
            times=so_far.times + 1,
            on=date.fromisoformat(body["on"]) if "on" in body else None,
        )
    return dict(found)


def settle(
    db: Connection,
    payment: Payment,
    event_id: int,
    *,
    amount: int,
    fee: int,
    times: int,
    bank: str,
    on: date | None,
    channel: str,
    test: bool,
    at: datetime,
) -> int:
    """Record that a service paid `amount` without its `fee` into a bank's account.

    Either may be below nothing. `times` is how often something was settled of this
    payment before; the same again returns the first event.
    """
    assert amount or fee
    body: dict[str, str | int] = {"amount": amount, "fee": fee, "bank": bank}
    if on is not None:
        body["on"] = on.isoformat()
    again = f"{payment.kind}:{payment.outside_id}"
    service = chart.settle(payment.source)
    moved = [
        *_move(chart.bank(bank), service, amount - fee),
        *_move(chart.fee(payment.source), service, fee),
    ]
    recorded = events.record(
        db,
        key=f"settle:{payment.source}:{again}"
        if not times
        else f"settle:{payment.source}:{times}:{event_id}",
        kind="settlement",
        body=body,
        moved=moved,
        about_id=event_id,
        channel=channel,
        test=test,
        at=at,
    )
    return recorded.event_id


def told_in(
    db: Connection, source: str, *, since: datetime, until: datetime, size: int = 500
) -> Iterator[Told]:
    """The payments of a source that were paid from `since` to before `until`, by id."""
    after = ""
    while True:
        rows = db.execute(
            _told_in,
            {
                "of_source": source,
                "after": after,
                "since": since,
                "until": until,
                "rows_max": size,
            },
        ).all()
        for row in rows:
            yield Told(*row)
        if len(rows) < size:
            return
        after = rows[-1].outside_id


def note_file(
    db: Connection,
    *,
    source: str,
    digest: str,
    lines: int,
    by: str,
    test: bool,
    at: datetime,
) -> None:
    """Record who applied which settlement file, by its SHA-256."""
    body: dict[str, str | int] = {
        "source": source,
        "digest": digest,
        "lines": lines,
        "by": by,
    }
    events.record(
        db,
        key=f"settlement-file:{source}:{digest}:{at.isoformat()}",
        kind="settlement.file",
        body=body,
        channel=source,
        test=test,
        at=at,
    )


def _move(debit: str, credit: str, amount: int) -> list[Moved]:
    if not amount:
        return []
    if amount < 0:
        debit, credit = credit, debit
    return [Moved(debit, credit, chart.RIAL, abs(amount), "single")]


def _said(body: dict[str, str | int], name: str) -> str | None:
    return str(body[name]) if name in body else None


def _moment(body: dict[str, str | int]) -> datetime | None:
    return datetime.fromisoformat(str(body["paid_at"])) if "paid_at" in body else None
