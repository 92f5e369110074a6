"""Ids that a carrier gives a second time, say when its centre began to count anew.

What had the id first keeps it under another name, with its receipts: then the next
receipt under that id is about the text that has it now, and about no other.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, LargeBinary, bindparam, select, update

from ledger.prepared import Prepared
from ledger.schema import attempt, part, receipt

__all__ = ["make_room", "retire"]

_HAD = [
    select(table.c.carrier_id, table.c.outbox_id).where(
        table.c.carrier == bindparam("of_channel"),
        table.c.carrier_id.in_(bindparam("ids", expanding=True)),
    )
    for table in (attempt, part)
]
_RENAME = [
    Prepared(
        update(table)
        .where(
            table.c.carrier == bindparam("of_channel"),
            table.c.carrier_id == bindparam("of_id"),
            table.c.outbox_id == bindparam("of_text"),
        )
        .values(carrier_id=bindparam("to_id"))
    )
    for table in (attempt, part)
]
# Those that found no text yet may be early, and about the one that has the id now.
_RENAME_RECEIPTS = Prepared(
    update(receipt)
    .where(
        receipt.c.carrier == bindparam("of_channel"),
        receipt.c.carrier_id == bindparam("of_id"),
        receipt.c.matched_at.is_not(None),
    )
    .values(carrier_id=bindparam("to_id"))
)
_STRANGER = Prepared(
    select(receipt.c.id).where(
        receipt.c.carrier == bindparam("of_channel"),
        receipt.c.carrier_id == bindparam("of_id"),
        receipt.c.status == bindparam("of_status"),
        receipt.c.part == bindparam("of_part"),
        receipt.c.matched_at.is_not(None),
        receipt.c.look_up != bindparam("of_person", type_=LargeBinary),
    )
)
_RENAME_ONE = Prepared(
    update(receipt)
    .where(receipt.c.id == bindparam("of_row"))
    .values(carrier_id=bindparam("to_id"))
)


def retire(db: Connection, *, channel: str, given: Sequence[tuple[str, int]]) -> int:
    """Take ids from the texts that had them before those that are given them now.

    `given` are pairs of an id and of the text that it is now; before that is written
    down. How many texts had one of them.
    """
    now = dict(given)
    asked = {"of_channel": channel, "ids": list(now)}
    had = {
        (row.carrier_id, row.outbox_id)
        for statement in _HAD
        for row in db.execute(statement, asked)
        if row.outbox_id != now[row.carrier_id]
    }
    for carrier_id, outbox_id in sorted(had):
        of = {"of_channel": channel, "of_id": carrier_id}
        of["to_id"] = f"{carrier_id}~{outbox_id}"
        for rename in _RENAME:
            rename.run(db, **of, of_text=outbox_id)
        _RENAME_RECEIPTS.run(db, **of)
    return len(had)


def make_room(
    db: Connection,
    *,
    channel: str,
    carrier_id: str,
    status: str,
    part: int,
    look_up: bytes,
) -> bool:
    """Put aside a receipt of another phone that said the same under the same id."""
    found = _STRANGER.scalar(
        db,
        of_channel=channel,
        of_id=carrier_id,
        of_status=status,
        of_part=part,
        of_person=look_up,
    )
    if found is None:
        return False
    _RENAME_ONE.run(db, of_row=found, to_id=f"{carrier_id}~r{found}")
    return True
