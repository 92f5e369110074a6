"""The versions of the menus that were ever accepted, and which one is current."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from ledger import schema
from ledger.once import Once, Upsert

__all__ = ["current", "current_hash", "publish", "version"]

_version = schema.menus_version.c
_current = schema.menus_current.c
_keep = Once(schema.menus_version, _version.hash, returning=_version.hash)
_point = Upsert(
    schema.menus_current,
    _current.id,
    change=lambda new: {"hash": new.hash, "at": new.at},
)
_find_hash = select(_current.hash)
_find_current = select(_version.hash, _version.source).select_from(
    schema.menus_current.join(schema.menus_version)
)
_find_version = select(_version.source).where(_version.hash == bindparam("wanted"))


def publish(db: Connection, *, hash: str, source: str, at: datetime) -> None:
    """Keep a proven version for ever and make it the current one."""
    _keep(db, hash=hash, source=source, at=at)
    _point(db, id=1, hash=hash, at=at)


def current(db: Connection) -> tuple[str, str] | None:
    """The hash and the source of the current menus; None before the first."""
    row = db.execute(_find_current).first()
    return None if row is None else (row.hash, row.source)


def current_hash(db: Connection) -> str | None:
    found: str | None = db.execute(_find_hash).scalar()
    return found


def version(db: Connection, hash: str) -> str | None:
    """The source of a version that a live conversation began with."""
    found: str | None = db.execute(_find_version, {"wanted": hash}).scalar()
    return found
