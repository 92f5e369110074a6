"""Money that was told to have gone back before its payment was told, or beside it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Connection, and_, bindparam, func, or_, select

from ledger import chart, schema
from ledger.events import Moved
from ledger.incoming import Kind, Payment
from ledger.prepared import Prepared
from ledger.returns import Part, parts_of, record_part, take_out
from ledger.suspense import hold

__all__ = ["explain", "take_turns"]

# So long before its payment can a refund be told and still be known for its own.
AHEAD_MAX = timedelta(days=3)


def take_turns(db: Connection, payment: Payment) -> None:
    """Let money of a source that comes and money that goes back not pass unseen.

    To be called first. Payments share the turn, so that none waits for another; a
    refund has it alone. Without it each of two that are told at once would look for
    the other before it is committed, and both would find nothing.
    """
    if db.dialect.name == "postgresql":
        shared = payment.kind is Kind.PAYMENT
        digest = hashlib.sha256(f"returns:{payment.source}".encode()).digest()
        source = int.from_bytes(digest[:8], "big", signed=True)
        (_SHARE if shared else _ALONE).run(db, source=source)


def explain(
    db: Connection,
    payment: Payment,
    payment_id: int,
    *,
    channel: str,
    test: bool,
    at: datetime,
) -> int:
    """Put right what was told to have gone back before its payment was told.

    Such money was taken out of suspense unexplained. It is put back there and taken
    from where it belongs, so that the books end as if both had come in their order.
    Returns how much; `payment_id` is the event of the payment, recorded just now.
    """
    asked = {
        "in_test": test,
        "since": at - AHEAD_MAX,
        "refund": replace(payment, kind=Kind.REFUND).key,
        "reversal": replace(payment, kind=Kind.REVERSAL).key,
        "ours": f"pay:{payment.source}:",
        "rests": f"rest:{payment.source}:",
        "outside_id": payment.outside_id,
        "reference": payment.reference,
        "code": payment.code,
    }
    rest = payment.amount
    for event_id, kind in db.execute(_UNEXPLAINED, asked).all():
        left = int(db.scalar(_STILL_UNEXPLAINED, {"wanted": event_id}) or 0)
        if taken := min(rest, left):
            back = replace(payment, kind=Kind(kind), amount=taken)
            _explain(db, event_id, back, payment_id, channel, test, at)
            rest -= taken
    return payment.amount - rest


def _explain(
    db: Connection,
    event_id: int,
    back: Payment,
    payment_id: int,
    channel: str,
    test: bool,
    at: datetime,
) -> None:
    settled, waiting = chart.settle(back.source), chart.suspense(back.source)
    undone = Moved(settled, waiting, chart.RIAL, back.amount, "single")
    body: dict[str, str | int] = {"payment": payment_id, "amount": back.amount}
    held = hold(db, payment_id)
    assert held is not None
    parts = parts_of(db, back, [held], test)
    undo = Part("return.explained", undone, event_id)
    for number, part in enumerate([undo, *parts]):
        key = f"explained:{event_id}:{payment_id}:{number}"
        record_part(db, part, key, body, channel, test, at)
    take_out(db, held, parts)


_source = bindparam("source", type_=BigInteger)
_SHARE = Prepared(select(func.pg_advisory_xact_lock_shared(_source)))
_ALONE = Prepared(select(func.pg_advisory_xact_lock(_source)))

_event = schema.event.c
_transfer = schema.transfer.c
_said = _event.body
_UNEXPLAINED = (
    select(_event.id, _event.kind)
    .join(schema.transfer, _transfer.event_id == _event.id)
    .where(
        _event.kind.in_((Kind.REFUND.value, Kind.REVERSAL.value)),
        _event.at >= bindparam("since", type_=_event.at.type),
        _event.about_id.is_(None),
        _event.test == bindparam("in_test"),
        or_(
            _event.key.in_((bindparam("refund"), bindparam("reversal"))),
            and_(
                # As an expression: by the index all payments of the source were read.
                or_(
                    func.substr(_event.key, 1, func.length(bindparam("ours")))
                    == bindparam("ours"),
                    func.substr(_event.key, 1, func.length(bindparam("rests")))
                    == bindparam("rests"),
                ),
                or_(
                    _said["id"].as_string() == bindparam("outside_id"),
                    _said["reference"].as_string() == bindparam("outside_id"),
                    and_(
                        _said["reference"].as_string() == bindparam("reference"),
                        # Many write the same words; the code says whose money it is.
                        func.coalesce(_said["code"].as_string(), bindparam("code"), "")
                        == func.coalesce(bindparam("code"), ""),
                    ),
                    _said["code"].as_string() == bindparam("code"),
                ),
            ),
        ),
    )
    .order_by(_event.id)
    # Two payments that explain the same take turns.
    .with_for_update(key_share=True, of=schema.transfer)
)
_undoing = schema.event.alias("undoing")
_undone = schema.transfer.alias("undone")
_STILL_UNEXPLAINED = select(
    _transfer.amount
    - select(func.coalesce(func.sum(_undone.c.amount), 0))
    .join(_undoing, _undoing.c.id == _undone.c.event_id)
    .where(_undoing.c.about_id == bindparam("wanted"))
    .scalar_subquery()
).where(_transfer.event_id == bindparam("wanted"))
