"""Statements of the way of every dial and every text: compiled once, then the driver's.

A Core statement costs several times what the database needs for it, at each execution
anew. These are compiled once for each dialect; what is left is to put the values in
order, each the way its column's type wants it. Errors are SQLAlchemy's own, as from any
other statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import BindParameter

__all__ = ["Prepared", "Row", "pour", "run"]

Process = Callable[[Any], Any]
Row = tuple[Any, ...]
_CURSOR = "ledger_cursor"
# SQLite takes 32,766 values in a statement.
_ROWS_AT_ONCE = 100


class Prepared:
    """One statement, or one for each dialect by its name.

    Values are given by the names of its parameters; rows are tuples in the order of its
    columns. Lists (`IN`) are not for it.
    """

    def __init__(self, statement: Any) -> None:
        self._statements = statement if isinstance(statement, dict) else None
        self._statement = statement
        self._compiled: dict[tuple[str, tuple[str, ...]], _Compiled] = {}

    def first(self, db: Connection, **values: object) -> Row | None:
        """The first row, or None."""
        compiled, cursor = self._executed(db, values)
        try:
            row = cursor.fetchone()
            if compiled.order is not None:
                # Else SQLite holds the statement open, and with it what it locked.
                cursor.close()
        except _driver_error(db) as error:
            raise _as_sqlalchemys(db, compiled.text, error) from error
        return None if row is None else compiled.row(row)

    def all(self, db: Connection, **values: object) -> list[Row]:
        """Every row."""
        compiled, cursor = self._executed(db, values)
        try:
            rows = cursor.fetchall()
        except _driver_error(db) as error:
            # SQLite finds a row only when it is asked for.
            raise _as_sqlalchemys(db, compiled.text, error) from error
        return [compiled.row(row) for row in rows]

    def scalar(self, db: Connection, **values: object) -> Any:
        """The first column of the first row, or None."""
        row = self.first(db, **values)
        return None if row is None else row[0]

    def run(self, db: Connection, **values: object) -> int:
        """How many rows a statement without an answer changed."""
        _, cursor = self._executed(db, values)
        changed: int = cursor.rowcount
        return changed

    def many(self, db: Connection, rows: Sequence[Mapping[str, object]]) -> int:
        """Run it once for each of `rows`, which name the same parameters.

        Returns how many rows were changed by all of them together.
        """
        if not rows:
            return 0
        compiled = self._compile(db, rows[0])
        given = [compiled.parameters(values) for values in rows]
        changed: int = run(db, compiled.text, given, many=True).rowcount
        return changed

    def _executed(
        self, db: Connection, values: Mapping[str, object]
    ) -> tuple[_Compiled, Any]:
        compiled = self._compile(db, values)
        parameters = compiled.parameters(values)
        if compiled.order is not None:
            return compiled, run(db, compiled.text, parameters)
        return compiled, _run_again(db, compiled.text, parameters)

    def _compile(self, db: Connection, values: Mapping[str, object]) -> _Compiled:
        named = (db.dialect.name, tuple(values))
        compiled = self._compiled.get(named)
        if compiled is None:
            statement = (
                self._statement
                if self._statements is None
                else self._statements[db.dialect.name]
            )
            compiled = self._compiled[named] = _Compiled.of(statement, db, values)
        return compiled


@dataclass(slots=True)
class _Compiled:
    text: str
    # Names in the order of question marks; None where the driver takes names.
    order: Sequence[str] | None
    fixed: Mapping[str, Any]
    # Only what has to be changed on the way in, and on the way out by position.
    into: Mapping[str, Process]
    out: Sequence[tuple[int, Process]]

    @classmethod
    def of(
        cls, statement: Any, db: Connection, values: Mapping[str, object]
    ) -> _Compiled:
        columns = list(values) if getattr(statement, "is_insert", False) else None
        compiled = statement.compile(dialect=db.dialect, column_keys=columns)
        into: dict[str, Process] = {}
        fixed: dict[str, Any] = {}
        bound: BindParameter[Any]
        for bound, name in compiled.bind_names.items():
            process = bound.type.dialect_impl(db.dialect).bind_processor(db.dialect)
            if name not in values:
                # A value that stands in the statement itself.
                fixed[name] = process(bound.value) if process else bound.value
            elif process is not None:
                into[name] = process
        columns_out = getattr(statement, "exported_columns", None) or ()
        processes = [
            column.type.dialect_impl(db.dialect).result_processor(db.dialect, None)
            for column in columns_out
        ]
        return cls(
            text=str(compiled),
            order=compiled.positiontup,
            fixed=fixed,
            into=into,
            out=[(at, one) for at, one in enumerate(processes) if one is not None],
        )

    def parameters(self, values: Mapping[str, object]) -> Any:
        named = {**self.fixed, **values}
        for name, process in self.into.items():
            named[name] = process(named[name])
        return named if self.order is None else [named[name] for name in self.order]

    def row(self, row: Row) -> Row:
        if not self.out:
            return tuple(row)
        cells = list(row)
        for at, process in self.out:
            cells[at] = process(cells[at])
        return tuple(cells)


def run(db: Connection, text: str, parameters: Any = (), *, many: bool = False) -> Any:
    """Have the driver execute `text`, and return its cursor.

    With `many`, once for each of a list of parameters.
    """
    driver: Any = db.connection.driver_connection
    try:
        if not many:
            return driver.execute(text, parameters)
        cursor = driver.cursor()
        cursor.executemany(text, parameters)
        return cursor
    except _driver_error(db) as error:
        raise _as_sqlalchemys(db, text, error) from error


def _run_again(db: Connection, text: str, parameters: Any) -> Any:
    """Have psycopg execute `text` on the one cursor that its connection keeps.

    A new cursor learns anew how each type is written. Whoever calls has read all they
    want before the next statement. SQLAlchemy empties `info` with a lost connection.
    """
    kept = db.info
    cursor = kept.get(_CURSOR)
    if cursor is None:
        driver: Any = db.connection.driver_connection
        cursor = kept[_CURSOR] = driver.cursor()
    try:
        return cursor.execute(text, parameters)
    except _driver_error(db) as error:
        raise _as_sqlalchemys(db, text, error) from error


def pour(
    db: Connection, table: Table, types: Mapping[str, str], rows: Iterable[Row]
) -> None:
    """Insert many rows in the way that is quickest: on PostgreSQL it is COPY.

    `types` names the columns in the order of the cells, each with PostgreSQL's type.
    """
    columns = ", ".join(types)
    if db.dialect.name == "sqlite":
        insert = f"INSERT INTO {table.name} ({columns}) VALUES "  # noqa: S608
        marks = f"({', '.join('?' * len(types))})"
        ahead = iter(rows)
        # One statement for each row would cost a fifth more.
        while some := list(islice(ahead, _ROWS_AT_ONCE)):
            given = list(chain.from_iterable(some))
            run(db, insert + ", ".join([marks] * len(some)), given)
        return
    driver: Any = db.connection.driver_connection
    copy_in = f"COPY {table.name} ({columns}) FROM STDIN (FORMAT BINARY)"
    try:
        with driver.cursor() as cursor, cursor.copy(copy_in) as copy:
            copy.set_types(list(types.values()))
            for row in rows:
                copy.write_row(row)
    except _driver_error(db) as error:
        raise _as_sqlalchemys(db, copy_in, error) from error


def _driver_error(db: Connection) -> type[Exception]:
    dbapi: Any = db.dialect.loaded_dbapi
    error: type[Exception] = dbapi.Error
    return error


def _as_sqlalchemys(db: Connection, text: str, error: Exception) -> BaseException:
    """The driver's error as SQLAlchemy raises it, without the values."""
    is_lost = db.dialect.is_disconnect(error, db.connection.driver_connection, None)  # type: ignore[arg-type]
    if is_lost:
        db.invalidate(error)
    return DBAPIError.instance(
        text,
        None,
        error,
        _driver_error(db),
        hide_parameters=True,
        connection_invalidated=is_lost,
        dialect=db.dialect,
    )
