"""The rows of every table of a PostgreSQL database, by COPY, and back.

The guards of the facts stand aside in the one transaction that loads them, and are as
they were when it commits. A row keeps in which transaction of which cluster it was
made, by which the sealer knows that it is old.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Connection, func, select, text

from ledger import schema
from ledger.backups.archive import Archive, BadArchive, Writer
from ledger.engine import LedgerError
from ledger.schema import metadata

__all__ = ["columns", "load", "sequences", "write"]

_SETTINGS = ("SET LOCAL DateStyle = 'ISO, YMD'", "SET LOCAL bytea_output = 'hex'")
_COLUMNS = text(
    "SELECT attname FROM pg_attribute WHERE attrelid = cast(:name AS regclass)"
    " AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"
)
_SEQUENCE = text("SELECT pg_get_serial_sequence(:name, :column)")
_GUARDS = text(
    "SELECT tgname, tgenabled FROM pg_trigger"
    " WHERE tgrelid = cast(:name AS regclass) AND NOT tgisinternal"
)
_ENABLE = {b"O": "ENABLE", b"A": "ENABLE ALWAYS", b"R": "ENABLE REPLICA"}


def columns(db: Connection, table: str) -> list[str]:
    """The columns of a table as the database has them, in their order."""
    return list(db.scalars(_COLUMNS, {"name": table}))


def sequences(db: Connection) -> dict[str, int]:
    """How far the ids of each table have been given out."""
    found = {}
    for table in metadata.sorted_tables:
        name = _sequence(db, table.name)
        if name is not None:
            # A name that the database itself has quoted.
            last = db.scalar(text(f"SELECT last_value FROM {name}"))  # noqa: S608
            found[table.name] = int(last or 0)
    return found


def write(
    db: Connection, writer: Writer, told: Callable[[int], None]
) -> dict[str, int]:
    """Write every table as a member of its own; how many rows each had.

    `db` is in one snapshot; `told` hears of each piece's bytes.
    """
    _set(db)
    rows = {}
    for table in metadata.sorted_tables:
        query = sql.SQL("COPY {} ({}) TO STDOUT (ENCODING 'UTF8')").format(
            sql.Identifier(table.name), _named(columns(db, table.name))
        )
        with writer.member(table.name) as into, _cursor(db) as cursor:
            try:
                with cursor.copy(query) as copy:
                    for piece in copy:
                        into(piece)
                        told(len(piece))
            except psycopg.Error as error:
                raise LedgerError(f"{table} was not read: {error.sqlstate}") from error
            rows[table.name] = cursor.rowcount
    return rows


def load(db: Connection, archive: Archive, told: Callable[[int], None]) -> None:
    """Load every table into a database that has none of these rows.

    Raises BadArchive; `db` is to be rolled back then.
    """
    _set(db)
    tables = metadata.sorted_tables
    manifest = archive.manifest
    guards = {}
    for table in tables:
        here = columns(db, table.name)
        if manifest.columns.get(table.name) != here:
            raise BadArchive(f"{table.name} has other columns there than here")
        guards[table.name] = db.execute(_GUARDS, {"name": table.name}).all()
        _alter(db, table.name, "DISABLE TRIGGER USER")
    for filled in (schema.meta, schema.unit):
        # What a new database has: these rows come back with the others.
        db.execute(filled.delete())
    for table in tables:
        _load(db, archive, table.name, told)
    for name, found in guards.items():
        for guard, state in found:
            if (how := _ENABLE.get(_byte(state))) is not None:
                _alter(db, name, f"{how} TRIGGER", guard)
    for name, last in manifest.sequences.items():
        _set_sequence(db, name, last)


def _load(
    db: Connection, archive: Archive, table: str, told: Callable[[int], None]
) -> None:
    query = sql.SQL("COPY {} ({}) FROM STDIN (ENCODING 'UTF8')").format(
        sql.Identifier(table), _named(archive.manifest.columns[table])
    )
    try:
        with _cursor(db) as cursor:
            with cursor.copy(query) as copy:
                for piece in archive.pieces(table):
                    copy.write(piece)
                    told(len(piece))
            rows = cursor.rowcount
    except psycopg.DataError:
        raise BadArchive(f"{table} has rows that cannot be read") from None
    except psycopg.IntegrityError:
        raise BadArchive(f"{table} has rows that no ledger can have") from None
    except psycopg.Error as error:
        raise LedgerError(f"nothing was restored: {error.sqlstate}") from error
    if rows != archive.manifest.rows.get(table):
        raise BadArchive(f"{table} has another number of rows than its manifest says")


def _set_sequence(db: Connection, table: str, last: int) -> None:
    known = metadata.tables.get(table)
    name = None if known is None else _sequence(db, table)
    if known is None or name is None or not 0 <= last < 2**63:
        raise BadArchive("it counts ids of a table that gives none")
    (key,) = known.primary_key.columns
    highest = db.scalar(select(func.max(key))) or 0
    if reached := max(last, int(highest)):
        db.execute(select(func.setval(name, reached)))


def _sequence(db: Connection, table: str) -> str | None:
    key = list(metadata.tables[table].primary_key.columns)
    if len(key) != 1:
        return None
    found: str | None = db.scalar(_SEQUENCE, {"name": table, "column": key[0].name})
    return found


def _set(db: Connection) -> None:
    for setting in _SETTINGS:
        db.exec_driver_sql(setting)


def _alter(db: Connection, table: str, change: str, name: str | None = None) -> None:
    quote = db.dialect.identifier_preparer.quote_identifier
    named = "" if name is None else f" {quote(name)}"
    db.exec_driver_sql(f"ALTER TABLE {quote(table)} {change}{named}")


def _byte(state: Any) -> bytes:
    return state if isinstance(state, bytes) else str(state).encode()


def _named(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _cursor(db: Connection) -> psycopg.Cursor[Any]:
    driver: Any = db.connection.driver_connection
    cursor: psycopg.Cursor[Any] = driver.cursor()
    return cursor
