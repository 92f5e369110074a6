"""Another vault key in the place of the old one, while the service runs.

Both keys open everything meanwhile, and the new one seals. Row by row what the old
one sealed is sealed anew, a few hundred to a transaction: a rotation that is broken
off is taken up by beginning again, and finds the rows that are done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    Table,
    func,
    literal,
    select,
    tuple_,
    update,
)

from ledger import schema
from ledger.engine import LedgerError, reading, writing
from ledger.vault import (
    Keys,
    WrongKeys,
    change_claim,
    check_key,
    reseal,
    reseal_slots,
    rewrap,
)

__all__ = ["NoOldKey", "Rotated", "StillSealing", "Unopened", "rotate"]

ROWS_AT_ONCE = 500
PASSES_MAX = 10

# The new value of one column of a row; None where nothing is to be done.
Sealing = Callable[[Keys, RowMapping], object | None]


class NoOldKey(LedgerError):
    """There is no old key to take the place of."""


class Unopened(LedgerError):
    """Neither key opens some values; everything else was sealed anew."""


class StillSealing(LedgerError):
    """A process that does not know the new key yet goes on sealing with the old."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """How many values were looked at, and how many of them were sealed anew."""

    seen: int
    changed: int


@dataclass(frozen=True, slots=True)
class _Column:
    """Sealed values of one column, and how each is sealed anew."""

    table: Table
    name: str
    anew: Sealing


def _raw(name: str) -> Sealing:
    return lambda keys, row: reseal(keys, row[name]) if row[name] else None


def _key(keys: Keys, row: RowMapping) -> bytes | None:
    return rewrap(keys, row["person_id"], row["wrapped_key"])


def _slots(keys: Keys, row: RowMapping) -> Mapping[str, str] | None:
    return reseal_slots(keys, row["slots"])


# What is under a person's own key needs nothing: that key is wrapped anew.
_COLUMNS = (
    _Column(schema.vault, "wrapped_key", _key),
    _Column(schema.outbox, "slots", _slots),
    _Column(schema.enquiry, "words", _raw("words")),
    _Column(schema.question, "session", _raw("session")),
    _Column(schema.inbound, "raw", _raw("raw")),
    _Column(schema.inbound, "words", _raw("words")),
    _Column(schema.fragment, "raw", _raw("raw")),
    _Column(schema.receipt, "raw", _raw("raw")),
    _Column(schema.unreadable, "raw", _raw("raw")),
)


def rotate(
    engine: Engine,
    keys: Keys,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Rotated:
    """Seal everything by `keys.vault`, and bind the database to it at the end.

    It goes over all rows until a pass finds nothing under the old key, because others
    may still have written some. `progress` is told how many values of the first pass
    are done, and about how many there are. Raises NoOldKey, Unopened and WrongKeys.
    """
    if keys.vault_old is None:
        raise NoOldKey("vault_key_old is not set: there is nothing to rotate")
    with reading(engine) as db:
        check_key(db, keys)
        rows = sum(_count(db, column.table) for column in _COLUMNS)
    seen = changed = 0
    for done, anew in _pass(engine, keys):
        seen, changed = seen + done, changed + anew
        if progress is not None:
            progress(seen, max(rows, seen))
    left = changed
    for _ in range(PASSES_MAX):
        if not left:
            break
        left = sum(anew for _, anew in _pass(engine, keys))
        changed += left
    if left:
        raise StillSealing(
            "somebody still seals with the old key: restart every process"
        )
    with writing(engine) as db:
        change_claim(db, keys)
    return Rotated(seen, changed)


def _pass(engine: Engine, keys: Keys) -> Iterator[tuple[int, int]]:
    """Go over every column once: how many values were seen and changed, by and by."""
    unopened, first = 0, ""
    for column in _COLUMNS:
        after: Sequence[Any] | None = None
        while rows := _rows(engine, column, after):
            new = []
            for row in rows:
                try:
                    value = column.anew(keys, row)
                except WrongKeys:
                    place = "/".join(str(row[c.name]) for c in _key_columns(column))
                    unopened += 1
                    first = first or f"{column.table.name} {place}"
                else:
                    new += [] if value is None else [(row, value)]
            yield len(rows), _write(engine, column, new)
            after = [row[c.name] for c in _key_columns(column)]
    if unopened:
        raise Unopened(
            f"{unopened} values open with neither key, the first is {first}; "
            "everything else was sealed anew"
        )


def _rows(
    engine: Engine, column: _Column, after: Sequence[Any] | None
) -> Sequence[RowMapping]:
    key = _key_columns(column)
    found = select(*key, column.table.c[column.name])
    if after is not None:
        reached = (literal(value, c.type) for value, c in zip(after, key, strict=True))
        found = found.where(tuple_(*key) > tuple_(*reached))
    with reading(engine) as db:
        return db.execute(found.order_by(*key).limit(ROWS_AT_ONCE)).mappings().all()


def _write(
    engine: Engine, column: _Column, new: Sequence[tuple[RowMapping, object]]
) -> int:
    """Put the new values in the place of those they were made from, and no others."""
    if not new:
        return 0
    here, written = column.table.c[column.name], 0
    with writing(engine) as db:
        for row, value in new:
            is_that = [c == row[c.name] for c in _key_columns(column)]
            changed = update(column.table).where(*is_that, _same(here, row))
            written += db.execute(changed.values({here: value})).rowcount
    return written


def _same(here: Column[Any], row: RowMapping) -> ColumnElement[bool]:
    value = row[here.name]
    same: ColumnElement[bool] = here == value
    if isinstance(value, Mapping):
        # There is no equality of two JSON values on PostgreSQL.
        ((name, sealed),) = value.items()
        same = here[name].as_string() == sealed
    return same


def _key_columns(column: _Column) -> Sequence[Column[Any]]:
    return list(column.table.primary_key.columns)


def _count(db: Connection, table: Table) -> int:
    return int(db.scalar(select(func.count()).select_from(table)) or 0)
