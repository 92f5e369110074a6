"""Receipts matched with the texts they are about, and what they say of them.

A receipt is matched when the carrier's id for the text is known, which may be later
than it comes: a fast carrier's receipt overtakes its own answer. An id belongs to its
channel, and to one phone where the receipt names it. Of a text that was handed over
part by part each part has its own id; it is delivered when all its parts are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    LargeBinary,
    bindparam,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    update,
)

from ledger.outbox import State, raise_state
from ledger.prepared import Prepared
from ledger.schema import Utc, attempt, outbox, part, person, receipt

__all__ = ["MATCH_DAYS_MAX", "Matched", "match_receipts"]

# A receipt that found no text in so long is about somebody else's.
MATCH_DAYS_MAX = 3

# What a receipt's status says of the text; any other says nothing.
_MEANINGS = {
    "sent": State.SENT,
    "delivered": State.DELIVERED,
    "failed": State.FAILED,
    "opted_out": State.FAILED,
}


@dataclass(frozen=True, slots=True)
class Matched:
    """A receipt that found its text."""

    outbox_id: int
    person_id: int
    # The person's keyed hash, for the stop list; None once erased.
    look_up: bytes | None = field(repr=False)
    carrier: str
    status: str
    # Whether it changed the text's state.
    raised: bool


# An attempt that handed over part by part is known by the ids of its parts alone.
_has_parts = exists().where(
    part.c.outbox_id == attempt.c.outbox_id, part.c.number == attempt.c.number
)
_is_of_phone = or_(
    receipt.c.look_up.is_(None),
    person.c.look_up.is_(None),
    receipt.c.look_up == person.c.look_up,
)


def _found(table: Any, place: Any, total: Any, reference: Any) -> Any:
    return (
        select(
            receipt.c.id,
            receipt.c.carrier,
            receipt.c.carrier_id,
            receipt.c.status,
            receipt.c.part,
            table.c.outbox_id,
            table.c.number,
            total.label("parts"),
            place.label("place"),
            reference.label("reference"),
            outbox.c.attempts,
            outbox.c.person_id,
            person.c.look_up,
        )
        .join(
            table,
            (table.c.carrier == receipt.c.carrier)
            & (table.c.carrier_id == receipt.c.carrier_id),
        )
        .join(outbox, outbox.c.id == table.c.outbox_id)
        .join(person, person.c.id == outbox.c.person_id)
        .where(receipt.c.matched_at.is_(None), _is_of_phone)
    )


_FOUND = (
    _found(attempt, literal(0), attempt.c.parts, null()).where(~_has_parts),
    _found(part, part.c.part, part.c.total, part.c.reference),
)
# Pairs in one IN would be read through every unmatched receipt on SQLite.
_FOUND_BY_ID = [
    found.where(
        receipt.c.carrier == bindparam("of_carrier"),
        receipt.c.carrier_id.in_(bindparam("ids", expanding=True)),
    )
    for found in _FOUND
]
_FOUND_LATELY = [
    found.where(receipt.c.at > bindparam("since", type_=Utc))
    .order_by(receipt.c.id)
    .limit(bindparam("room", type_=Integer))
    for found in _FOUND
]


def match_receipts(
    db: Connection,
    *,
    at: datetime,
    ids: Sequence[tuple[str, str]] | None = None,
    limit: int = 500,
) -> list[Matched]:
    """Believe the stored receipts whose text is known, and raise its state.

    With `ids`, pairs of carrier and the carrier's id, only theirs: when a receipt came,
    and when an answer brought its id. Without, the latest up to `limit`: the sweeper
    finds the pair that passed each other in two transactions.
    """
    if ids is None:
        since = at - timedelta(days=MATCH_DAYS_MAX)
        rows = [
            row
            for found in _FOUND_LATELY
            for row in db.execute(found, {"since": since, "room": limit})
        ]
    else:
        by_carrier: dict[str, list[str]] = {}
        for carrier, carrier_id in ids:
            by_carrier.setdefault(carrier, []).append(carrier_id)
        rows = [
            row
            for carrier, of_it in by_carrier.items()
            for found in _FOUND_BY_ID
            for row in db.execute(found, {"of_carrier": carrier, "ids": of_it})
        ]
    _hold(db, rows)
    return [_believe(db, row, at) for row in sorted(rows, key=lambda row: row.id)]


_HOLD = (
    select(outbox.c.id)
    .where(outbox.c.id.in_(bindparam("texts", expanding=True)))
    .order_by(outbox.c.id)
    .with_for_update()
)


def _hold(db: Connection, rows: Sequence[Any]) -> None:
    """Let no two count the parts of one text at once: each would miss the other's."""
    texts = sorted({row.outbox_id for row in rows if row.place or row.part})
    if texts and db.dialect.name == "postgresql":
        db.execute(_HOLD, {"texts": texts})


_MATCH = Prepared(
    update(receipt)
    .where(receipt.c.id == bindparam("of_id"))
    .values(matched_at=bindparam("now", type_=Utc))
)


# What carriers say late of somebody who was erased since.
_BLANK = Prepared(
    update(receipt)
    .where(receipt.c.id == bindparam("of_id"))
    .values(look_up=None, raw=b"")
)


def _believe(db: Connection, row: Any, at: datetime) -> Matched:
    _MATCH.run(db, of_id=row.id, now=at)
    if row.look_up is None:
        _BLANK.run(db, of_id=row.id)
    state = _of_piece(db, row) if row.place else _of_whole(db, row)
    raised = state is not None and raise_state(
        db, outbox_id=row.outbox_id, state=state, at=at
    )
    return Matched(
        outbox_id=row.outbox_id,
        person_id=row.person_id,
        look_up=row.look_up,
        carrier=row.carrier,
        status=row.status,
        raised=raised,
    )


_PARTS_DELIVERED = select(func.count(receipt.c.part.distinct())).where(
    receipt.c.carrier == bindparam("of_carrier"),
    receipt.c.carrier_id == bindparam("of_carrier_id"),
    receipt.c.status == "delivered",
    receipt.c.part > 0,
)


def _of_whole(db: Connection, row: Any) -> State | None:
    """What a receipt says that came under the id of a whole text."""
    state = _MEANINGS.get(row.status)
    if state is State.FAILED and row.number != row.attempts:
        # An earlier attempt's failure; a later one is on its way.
        return None
    if state is State.DELIVERED and row.part > 0:
        arrived = db.scalar(
            _PARTS_DELIVERED,
            {"of_carrier": row.carrier, "of_carrier_id": row.carrier_id},
        )
        # A long text is delivered when all its parts are.
        if arrived is None or arrived < (row.parts or 1):
            return State.SENT
    return state


# PostgreSQL cannot tell what kind of NULL it is otherwise.
_PERSON = cast(bindparam("of_person", type_=LargeBinary), LargeBinary)


def _reported(*statuses: str) -> Any:
    return exists().where(
        receipt.c.carrier == part.c.carrier,
        receipt.c.carrier_id == part.c.carrier_id,
        receipt.c.status.in_(statuses),
        or_(
            receipt.c.look_up.is_(None),
            _PERSON.is_(None),
            receipt.c.look_up == _PERSON,
        ),
    )


def _places(condition: Any) -> Any:
    # What one reference joins is one text, over however many attempts it went.
    return (
        select(func.count(part.c.part.distinct()))
        .where(
            part.c.outbox_id == bindparam("of_text"),
            part.c.carrier == bindparam("of_carrier"),
            part.c.reference == bindparam("of_reference"),
            part.c.total == bindparam("of_total"),
            condition,
        )
        .scalar_subquery()
    )


_PROGRESS = select(
    _places(_reported("delivered")),
    _places(or_(part.c.outcome == "accepted", _reported("delivered", "sent"))),
)
_later = part.alias("later")
_SENT_AGAIN = select(
    or_(
        exists().where(
            _later.c.outbox_id == bindparam("of_text"),
            _later.c.part == bindparam("of_place"),
            _later.c.number > bindparam("of_number"),
        ),
        exists().where(
            attempt.c.outbox_id == bindparam("of_text"),
            attempt.c.number > bindparam("of_number"),
            ~_has_parts,
        ),
    )
)


def _of_piece(db: Connection, row: Any) -> State | None:
    """What a receipt says that came under the id of one part."""
    state = _MEANINGS.get(row.status)
    if state is State.FAILED:
        again = {
            "of_text": row.outbox_id,
            "of_place": row.place,
            "of_number": row.number,
        }
        return None if db.scalar(_SENT_AGAIN, again) else state
    if state is None:
        return None
    arrived, taken = db.execute(
        _PROGRESS,
        {
            "of_text": row.outbox_id,
            "of_carrier": row.carrier,
            "of_reference": row.reference,
            "of_total": row.parts,
            "of_person": row.look_up,
        },
    ).one()
    if arrived >= row.parts:
        return State.DELIVERED
    # While it is not known of some part whether it left, the text is no further.
    return State.SENT if taken >= row.parts else None
