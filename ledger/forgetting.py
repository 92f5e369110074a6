"""What nobody needs any more, deleted or emptied: a little at a time.

What carriers told us holds private words and numbers. What it led to stands elsewhere,
under keys that keep a late repeat from being believed again. What our own texts said
goes later, when nobody asks any more what became of them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, null, select, update

from ledger.outbox import State
from ledger.schema import (
    attempt,
    dial_end,
    enquiry,
    fragment,
    inbound,
    meta,
    outbox,
    payment,
    question,
    receipt,
    sensitive,
    unreadable,
)
from ledger.sensitive import What

__all__ = [
    "DIAL_ENDS_KEPT",
    "KEPT",
    "PAYERS_KEPT",
    "REASONS_KEPT",
    "TEXTS_KEPT",
    "forget",
    "forget_texts",
]

KEPT = timedelta(days=30)
TEXTS_KEPT = timedelta(days=90)
# Who redials within ten minutes is told of the call before.
DIAL_ENDS_KEPT = timedelta(days=7)
# By the phone that a payment named it is matched, and told from another of its id.
PAYERS_KEPT = timedelta(days=365)
# Of a delivery that nobody closed: whoever has not come by then needs no reason.
REASONS_KEPT = timedelta(days=90)

# How old a table's rows are, and which of them may go.
_AGES: tuple[tuple[Table, Any, tuple[Any, ...]], ...] = (
    (receipt, receipt.c.at, ()),
    (inbound, inbound.c.at, ()),
    (unreadable, unreadable.c.at, ()),
    (question, question.c.asked_at, (question.c.state != "open",)),
)
_UNSENT = (State.QUEUED, State.SENDING, State.UNCLEAR)
# What is emptied, by which age, and where that is still needed. The rows stay: the
# name in `meta` says how far they were looked at.
_SAID: tuple[tuple[str, Table, Any, Any, dict[str, Any]], ...] = (
    (
        "forgotten_texts",
        outbox,
        outbox.c.promised_at,
        outbox.c.state.not_in(_UNSENT),
        {"slots": {}},
    ),
    (
        "forgotten_attempts",
        attempt,
        attempt.c.began_at,
        attempt.c.outcome.is_not(None),
        {"detail": null()},
    ),
)


def forget(db: Connection, *, before: datetime, limit: int = 500) -> int:
    """Delete up to `limit` rows of each table that are older than `before`; how many.

    An enquiry that somebody is done with stays, without its words.
    """
    # Before all else: whoever erases somebody takes this table first.
    gone = _forget_reasons(db, before + KEPT - REASONS_KEPT, limit)
    for table, age, conditions in _AGES:
        # The first by id are the oldest, near enough, and need no look at the rest.
        first = (
            select(table.c.id, age.label("age"))
            .where(*conditions)
            .order_by(table.c.id)
            .limit(limit)
            .subquery()
        )
        old = select(first.c.id).where(first.c.age < before)
        gone += db.execute(delete(table).where(table.c.id.in_(old))).rowcount
    # What is left here is of texts that were whole, or long given up.
    gone += db.execute(delete(fragment).where(fragment.c.at < before)).rowcount
    ended = before + KEPT - DIAL_ENDS_KEPT
    calls = select(dial_end.c.dial).where(dial_end.c.at < ended).limit(limit)
    gone += db.execute(delete(dial_end).where(dial_end.c.dial.in_(calls))).rowcount
    paid = before + KEPT - PAYERS_KEPT
    payers = (
        select(payment.c.event_id)
        .where(payment.c.look_up.is_not(None), payment.c.paid_at < paid)
        .limit(limit)
    )
    hashless = update(payment).where(payment.c.event_id.in_(payers))
    gone += db.execute(hashless.values(look_up=None)).rowcount
    done = (
        select(enquiry.c.id)
        .where(
            enquiry.c.state != "open",
            enquiry.c.changed_at < before,
            enquiry.c.words != b"",
        )
        .limit(limit)
    )
    emptied = update(enquiry).where(enquiry.c.id.in_(done)).values(words=b"")
    return gone + db.execute(emptied).rowcount


def _forget_reasons(db: Connection, before: datetime, limit: int) -> int:
    """Delete why somebody asked for a delivery that long ago, waiting or not."""
    said = sensitive.c
    of = said.what == What.DELIVERY, said.given_at < before
    whose = select(said.person_id).where(*of).order_by(said.person_id).limit(limit)
    # Looked at again: one of them may have answered anew meanwhile.
    old = delete(sensitive).where(*of, said.person_id.in_(whose))
    return db.execute(old).rowcount


def forget_texts(db: Connection, *, before: datetime, limit: int = 500) -> int:
    """Empty what texts promised before then say, and what carriers answered.

    Up to `limit` of each, and how many rows were looked at: each once. One that may
    still be sent keeps its words.
    """
    return sum(_empty(db, before, limit, *said) for said in _SAID)


def _empty(
    db: Connection,
    before: datetime,
    limit: int,
    name: str,
    table: Table,
    age: Any,
    condition: Any,
    values: dict[str, Any],
) -> int:
    reached = db.scalar(select(meta.c.value).where(meta.c.name == name))
    if reached is None:
        db.execute(insert(meta).values(name=name, value="0"))
    after = int(reached or 0)
    rows = db.execute(
        select(table.c.id, age.label("age"))
        .where(table.c.id > after)
        .order_by(table.c.id)
        .limit(limit)
    ).all()
    old = []
    for row in rows:
        if row.age >= before:
            break
        old.append(row.id)
    if not old:
        return 0
    db.execute(
        update(table)
        .where(table.c.id > after, table.c.id <= old[-1], condition)
        .values(values)
    )
    db.execute(update(meta).where(meta.c.name == name).values(value=str(old[-1])))
    return len(old)
