"""What carriers tell us: receipts and incoming texts, stored before they are believed.

A receipt is stored as it came, once, and matched when the carrier's id for the text is
known, which may be later: a fast carrier's receipt overtakes its own answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    bindparam,
    delete,
    func,
    select,
    update,
)

from ledger.once import Once
from ledger.outbox import State, raise_state
from ledger.schema import Utc, attempt, inbound, outbox, person, receipt
from ledger.vault import Keys, seal_raw

__all__ = ["Matched", "forget", "match_receipts", "store_inbound", "store_receipt"]

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


_receipt_once = Once(
    receipt,
    receipt.c.carrier,
    receipt.c.carrier_id,
    receipt.c.status,
    receipt.c.part,
    returning=receipt.c.id,
)
_inbound_once = Once(
    inbound, inbound.c.carrier, inbound.c.carrier_id, returning=inbound.c.id
)


def store_receipt(
    db: Connection,
    keys: Keys,
    *,
    carrier: str,
    carrier_id: str,
    status: str,
    raw: bytes,
    at: datetime,
    part: int = 0,
) -> bool:
    """Store a receipt, its form sealed; False if the same was there already.

    `carrier` is the channel's name, `status` our word for it, `part` 0 the whole text.
    """
    new = _receipt_once(
        db,
        carrier=carrier,
        carrier_id=carrier_id,
        status=status,
        part=part,
        raw=seal_raw(keys, raw),
        at=at,
    )
    return new is not None


def store_inbound(
    db: Connection,
    keys: Keys,
    *,
    carrier: str,
    carrier_id: str,
    look_up: bytes,
    line: str,
    raw: bytes,
    keyword: str | None,
    at: datetime,
) -> bool:
    """Store an incoming text, its form sealed; False if the same was there already."""
    new = _inbound_once(
        db,
        carrier=carrier,
        carrier_id=carrier_id,
        look_up=look_up,
        line=line,
        raw=seal_raw(keys, raw),
        keyword=keyword,
        at=at,
    )
    return new is not None


_FOUND = (
    select(
        receipt.c.id,
        receipt.c.carrier,
        receipt.c.carrier_id,
        receipt.c.status,
        receipt.c.part,
        attempt.c.outbox_id,
        attempt.c.number,
        attempt.c.parts,
        outbox.c.attempts,
        outbox.c.person_id,
        person.c.look_up,
    )
    .join(
        attempt,
        (attempt.c.carrier == receipt.c.carrier)
        & (attempt.c.carrier_id == receipt.c.carrier_id),
    )
    .join(outbox, outbox.c.id == attempt.c.outbox_id)
    .join(person, person.c.id == outbox.c.person_id)
    .where(receipt.c.matched_at.is_(None))
    .order_by(receipt.c.id)
)
# Pairs in one IN would be read through every unmatched receipt on SQLite.
_FOUND_BY_ID = _FOUND.where(
    receipt.c.carrier == bindparam("of_carrier"),
    receipt.c.carrier_id.in_(bindparam("ids", expanding=True)),
)
_FOUND_LATELY = _FOUND.where(receipt.c.at > bindparam("since", type_=Utc)).limit(
    bindparam("room", type_=Integer)
)
_MATCH = (
    update(receipt)
    .where(receipt.c.id == bindparam("of_id"))
    .values(matched_at=bindparam("now", type_=Utc))
)


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
        rows = list(db.execute(_FOUND_LATELY, {"since": since, "room": limit}))
    else:
        by_carrier: dict[str, list[str]] = {}
        for carrier, carrier_id in ids:
            by_carrier.setdefault(carrier, []).append(carrier_id)
        rows = [
            row
            for carrier, of_it in by_carrier.items()
            for row in db.execute(_FOUND_BY_ID, {"of_carrier": carrier, "ids": of_it})
        ]
    return [_believe(db, row, at) for row in rows]


def _believe(db: Connection, row: Any, at: datetime) -> Matched:
    db.execute(_MATCH, {"of_id": row.id, "now": at})
    state = _meaning(db, row)
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


def _meaning(db: Connection, row: Any) -> State | None:
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


def forget(db: Connection, *, before: datetime) -> int:
    """Delete receipts and incoming texts that are older than `before`; how many."""
    return sum(
        db.execute(delete(table).where(table.c.at < before)).rowcount
        for table in (receipt, inbound)
    )
