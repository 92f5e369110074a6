"""Below which event all are sealed: where the frequent look for the rest begins.

It bounds a search and decides nothing: every hour the sealer looks from the first event
on. It stays behind the newest sealed event, because an id is drawn a moment before its
transaction is numbered, so a neighbour's can be committed and sealed first.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from ledger import schema
from ledger.once import Upsert

__all__ = ["BEHIND", "floor", "raise_floor"]

BEHIND = 10_000
_NAME = "sealed_floor"

_meta = schema.meta.c
_find = select(_meta.value).where(_meta.name == bindparam("of"))
_put = Upsert(schema.meta, _meta.name, change=lambda new: {"value": new.value})


def floor(db: Connection) -> int:
    """The id of an event up to which, as far as is known, all are sealed."""
    return int(db.scalar(_find, {"of": _NAME}) or 0)


def raise_floor(db: Connection, newest: int) -> None:
    """Note that the sealer came as far as event `newest`."""
    if newest - BEHIND > floor(db):
        _put(db, name=_NAME, value=str(newest - BEHIND))
