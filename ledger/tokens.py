"""Keys of the export address. Only their SHA-256 is kept: they are random enough."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from ledger import schema
from ledger.engine import LedgerError
from ledger.once import Once

__all__ = ["NameTaken", "NoSuchToken", "add", "is_valid", "names", "revoke"]

PREFIX = "yrg_"
SECRET_BYTES = 32
SECRET_CHARS_MAX = 100

_token = schema.token.c
_insert = Once(schema.token, _token.name, returning=_token.id)
_live = select(_token.name).where(_token.revoked_at.is_(None)).order_by(_token.name)
_valid = _live.where(_token.digest == bindparam("wanted"))
_revoke = (
    update(schema.token)
    .where(_token.name == bindparam("of_name"), _token.revoked_at.is_(None))
    .values(revoked_at=bindparam("since"))
)


class NameTaken(LedgerError):
    """A token of this name exists, or existed: a log must name one thing only."""


class NoSuchToken(LedgerError):
    """No token of this name is in force."""


def add(db: Connection, *, name: str, at: datetime) -> str:
    """Make a token and return its secret, which is never shown again."""
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    if _insert(db, name=name, digest=_digest(secret), at=at) is None:
        raise NameTaken(f"there is a token {name!r}, in force or revoked")
    return secret


def is_valid(db: Connection, secret: str) -> str | None:
    """The name of the token with this secret, or None if none is in force."""
    if not secret.startswith(PREFIX) or len(secret) > SECRET_CHARS_MAX:
        return None
    found: str | None = db.execute(_valid, {"wanted": _digest(secret)}).scalar()
    return found


def revoke(db: Connection, *, name: str, at: datetime) -> None:
    """Put a token out of force for good. Raises NoSuchToken."""
    if db.execute(_revoke, {"of_name": name, "since": at}).rowcount == 0:
        raise NoSuchToken(f"no token {name!r} is in force")


def names(db: Connection) -> list[str]:
    """The names of the tokens in force, sorted."""
    return list(db.execute(_live).scalars())


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
