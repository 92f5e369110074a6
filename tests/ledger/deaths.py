"""A process that ends at any statement it asks of its database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Engine, event


class Death(BaseException):
    """The process ends here, as far as the database can tell."""


class Deaths:
    """Ends the process that uses an engine at its n-th statement from now."""

    def __init__(self) -> None:
        self._left: int | None = None

    @contextmanager
    def at(self, statement: int) -> Iterator[None]:
        self._left = statement
        try:
            yield
        finally:
            self._left = None

    def count(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                raise Death

    def on(self, engine: Engine) -> None:
        """Count what the driver is asked, whoever asks it."""
        count = self.count

        class Cursor(sqlite3.Cursor):
            def execute(self, *asked: Any) -> Any:
                count()
                return super().execute(*asked)

            def executemany(self, *asked: Any) -> Any:
                count()
                return super().executemany(*asked)

        class Driver(sqlite3.Connection):
            def cursor(self, factory: Any = Cursor) -> Any:
                return super().cursor(factory)

            def execute(self, *asked: Any) -> Any:
                return self.cursor().execute(*asked)

        class Postgres(psycopg.Cursor[Any]):
            def execute(self, *asked: Any, **more: Any) -> Any:
                count()
                return super().execute(*asked, **more)

            def copy(self, *asked: Any, **more: Any) -> Any:
                count()
                return super().copy(*asked, **more)

        is_sqlite = engine.dialect.name == "sqlite"
        told = {"factory": Driver} if is_sqlite else {"cursor_factory": Postgres}

        def do_connect(dialect: Any, record: Any, given: Any, options: Any) -> None:
            options.update(told)

        event.listen(engine, "do_connect", do_connect)
