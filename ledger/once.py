"""Inserts that meet a row which is already there, in either dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from ledger.prepared import Prepared

__all__ = ["Once", "Upsert"]

_DIALECTS = (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))


class Once:
    """An insert that leaves the row with the same `unique` columns as it is.

    Called with a connection and values, it returns the column `returning` of the new
    row, or None where there was one already. Another transaction that is inserting
    the same row is waited for.
    """

    def __init__(
        self, table: Table, *unique: Column[Any], returning: Column[Any]
    ) -> None:
        self._insert = Prepared(
            {
                name: insert(table)
                .on_conflict_do_nothing(index_elements=list(unique))
                .returning(returning)
                for name, insert in _DIALECTS
            }
        )

    def __call__(self, db: Connection, **values: object) -> Any:
        return self._insert.scalar(db, **values)


class Upsert:
    """An insert that changes the row with the same `unique` column instead.

    `change` makes the new values from the row that would have been inserted; `where`,
    if given, says whether the old row may be changed. Called with a connection and
    values, it tells whether a row was inserted or changed.
    """

    def __init__(
        self,
        table: Table,
        unique: Column[Any],
        *,
        change: Callable[[Any], Mapping[str, Any]],
        where: Callable[[Any], ColumnElement[bool]] | None = None,
    ) -> None:
        self._statements = {}
        for name, insert in _DIALECTS:
            new = insert(table)
            self._statements[name] = new.on_conflict_do_update(
                index_elements=[unique],
                set_=change(new.excluded),
                where=None if where is None else where(new.excluded),
            ).returning(unique)

    def __call__(self, db: Connection, **values: object) -> bool:
        row = db.execute(self._statements[db.dialect.name], values).first()
        return row is not None
