"""Where amounts come from and go to, named by a code like A:Bank:mellat.

An account is made by the first transfer that names it. Ids are never kept in the
process: a transfer names its accounts by code, in the statement that writes it, so a
database restored under a running service cannot make money change accounts.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from ledger import schema
from ledger.once import Once

__all__ = ["account_id"]

CODE_CHARS_MAX = 160

_account = schema.account.c
_insert = Once(schema.account, _account.code, returning=_account.id)
_find = select(_account.id, _account.unit).where(_account.code == bindparam("code"))


def account_id(db: Connection, code: str, unit: str) -> int:
    """The id of the account with this code, made if new; it holds only `unit`."""
    assert 0 < len(code) <= CODE_CHARS_MAX
    row = db.execute(_find, {"code": code}).first()
    if row is None:
        made: int | None = _insert(db, code=code, unit=unit)
        if made is not None:
            return made
        row = db.execute(_find, {"code": code}).one()
    assert row.unit == unit, f"{code} holds {row.unit}, not {unit}"
    found: int = row.id
    return found
