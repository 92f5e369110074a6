"""The tables of places: read as a tree, with the version that an import raises."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from ledger import schema
from ledger.once import Upsert
from ledger.places.tree import Place, Tree

__all__ = ["hold", "raise_version", "read_tree", "version"]

VERSION = "places_version"

_place = schema.place.c
_meta = schema.meta.c
_all = select(
    *(_place.code, _place.kind, _place.parent, _place.titles, _place.aliases),
    *(_place.prefixes, _place.dial, _place.closed),
)
_version = select(_meta.value).where(_meta.name == bindparam("wanted"))
_keep = Upsert(schema.meta, _meta.name, change=lambda new: {"value": new.value})
_hold = Upsert(schema.meta, _meta.name, change=lambda new: {"value": _meta.value})


def version(db: Connection) -> int:
    """How many imports changed the places; 0 before the first."""
    found = db.execute(_version, {"wanted": VERSION}).scalar()
    return 0 if found is None else int(found)


def hold(db: Connection) -> None:
    """Let nobody else import until this transaction ends."""
    _hold(db, name=VERSION, value="0")


def raise_version(db: Connection) -> int:
    """Say to every process that the places are others now."""
    raised = version(db) + 1
    _keep(db, name=VERSION, value=str(raised))
    return raised


def read_tree(db: Connection) -> Tree:
    """All places, closed ones included."""
    return Tree(map(_as_place, db.execute(_all)))


def _as_place(row: Row[*tuple[Any, ...]]) -> Place:
    return Place(
        code=row.code,
        kind=row.kind,
        parent=row.parent,
        titles=row.titles,
        aliases=tuple(row.aliases),
        prefixes=tuple(row.prefixes),
        dial=row.dial or "",
        closed=row.closed,
    )
