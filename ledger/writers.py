"""Whoever writes transfers at this moment, waited for."""

from __future__ import annotations

from time import sleep

from sqlalchemy import Connection, text

from ledger.engine import NothingRecorded

__all__ = ["ID_MAX", "settled"]

WRITERS_LOOKS = 250
WRITERS_PAUSE_MS = 20
# Every id of SQLite, where nobody writes beside us.
ID_MAX = 2**63 - 1


def settled(db: Connection) -> int:
    """The id up to which every transfer is there that ever will be.

    Ids are given out before they are committed: who has one and is not done yet holds
    the table's lock of writers, and is waited for, because a gift must not appear
    behind the cursor. To be asked while nothing is held: a charge-back that waits for
    the fund keeps all payments of its source waiting. Raises NothingRecorded.
    """
    if db.dialect.name == "sqlite":
        return ID_MAX
    last_id = int(db.execute(_LAST_ID).scalar() or 0)
    writers = set(db.scalars(_WRITERS))
    for _ in range(WRITERS_LOOKS):
        if not writers:
            return last_id
        sleep(WRITERS_PAUSE_MS / 1000)
        writers &= set(db.scalars(_WRITERS))
    raise NothingRecorded("a payment is still being written: try again in a moment")


_LAST_ID = text(
    "SELECT pg_sequence_last_value(pg_get_serial_sequence('transfer', 'id')::regclass)"
)
_WRITERS = text(
    "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation'"
    " AND relation = 'transfer'::regclass AND mode = 'RowExclusiveLock'"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND pid <> pg_backend_pid()"
)
