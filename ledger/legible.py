"""Rows that cannot be read as what they should be, found before they stop a check.

SQLite keeps whatever is written into a column, and PostgreSQL has times that no
calendar holds. A value like this in a fact is damage; it is named by queries that do
not read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Date,
    Integer,
    LargeBinary,
    Select,
    String,
    case,
    cast,
    func,
    or_,
    select,
)

from ledger import schema
from ledger.rules import Rule
from ledger.schema.base import Utc

__all__ = ["illegible"]

_FACTS = (
    *("unit", "account", "event", "transfer", "resolution", "code", "signup"),
    *("payment", "request", "request_approval", "batch", "report"),
    *("benefactor", "meeting", "attendance", "decision", "premises"),
    *("leaf", "tile", "checkpoint", "rollup", "witness", "cosignature"),
)
_FIRST = datetime(1, 1, 2, tzinfo=UTC)
_LAST = datetime(9999, 12, 30, tzinfo=UTC)


def illegible(dialect: str) -> Iterator[Rule]:
    """A rule for each table of facts: its values are of their columns' types."""
    wrong = _on_sqlite if dialect == "sqlite" else _on_postgresql
    for name in _FACTS:
        table = getattr(schema, name)
        found = [one for column in table.columns for one in wrong(column)]
        if found:
            keys: Any = [_named(key, dialect) for key in table.primary_key]
            query: Select[Any] = select(*keys).where(or_(*found))
            yield Rule(name, "has a value that cannot be read", query)


def _named(key: ColumnElement[Any], dialect: str) -> ColumnElement[str]:
    """A key as text; bytes that stand where a text should be in hexadecimal."""
    if dialect == "sqlite":
        return case(
            (func.typeof(key) == "blob", func.hex(key)), else_=cast(key, String)
        )
    return cast(key, String)


def _on_sqlite(column: ColumnElement[Any]) -> Iterator[ColumnElement[bool]]:
    kind = column.type
    expected = "text"
    if isinstance(kind, Integer | Boolean):
        expected = "integer"
    elif isinstance(kind, LargeBinary):
        expected = "blob"
    yield func.typeof(column).not_in([expected, "null"])
    raw = cast(column, String)
    if expected == "text":
        # What stands behind a NUL is not read, nor sealed.
        yield func.instr(raw, func.char(0)) > 0
    if isinstance(kind, Utc):
        # As it is written: 2026-11-22 08:30:15.123456
        yield column.is_not(None) & (func.strftime("%Y", raw).is_(None))
        yield raw.not_like("____-__-__ __:__:__.______")
    if isinstance(kind, Date):
        yield func.coalesce(func.strftime("%Y-%m-%d", raw), "") != raw
    if isinstance(kind, JSON):
        yield column.is_not(None) & (func.json_valid(raw) == 0)
        yield (func.json_valid(raw) == 1) & (func.json_type(raw) != "object")


def _on_postgresql(column: ColumnElement[Any]) -> Iterator[ColumnElement[bool]]:
    if isinstance(column.type, Utc):
        yield ~column.between(_FIRST, _LAST)
    if isinstance(column.type, Date):
        yield ~column.between(_FIRST.date(), _LAST.date())
    if isinstance(column.type, JSON):
        yield func.json_typeof(column) != "object"
