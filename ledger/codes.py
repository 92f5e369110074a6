"""Tracking codes: one space for every kind of thing, unique in the database."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from ledger import schema
from ledger.engine import LedgerError
from ledger.once import Once
from ledger.vault import Keys
from phone.codes import code_of

__all__ = ["NoCodeLeft", "allot", "event_of"]

ATTEMPTS_MAX = 64
# The next counter on a collision is far away, and prime to the number of codes: the
# counter beside it is the one that the next event will ask for.
STEP = 7_368_787

_code = schema.code.c
_insert = Once(schema.code, _code.code, returning=_code.code)
_event_of = select(_code.event_id).where(_code.code == bindparam("wanted"))


class NoCodeLeft(LedgerError):
    """So many codes are taken that no free one was found."""


def allot(db: Connection, keys: Keys, *, event_id: int) -> str:
    """Give an event its nine digits, which do not tell its place in the sequence."""
    for attempt in range(ATTEMPTS_MAX):
        code = code_of(event_id + attempt * STEP, keys.code)
        if _insert(db, code=code, event_id=event_id) is not None:
            return code
    raise NoCodeLeft("no free tracking code was found")


def event_of(db: Connection, code: str) -> int | None:
    """The event that a code belongs to."""
    found: int | None = db.execute(_event_of, {"wanted": code}).scalar()
    return found
