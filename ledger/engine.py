"""Connections and transactions, on SQLite and on PostgreSQL alike.

What fails here fails as one of these, so that nobody above needs a driver:

    LedgerError
    ├── NothingRecorded    the transaction is known not to stand
    ├── OutcomeUnknown     the connection died during COMMIT: look the key up
    └── NotRead            a read failed; nothing was to be recorded

The driver's own error stands as the cause, without the values of a statement.
"""

from __future__ import annotations

import os
import select
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from time import sleep
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    DisconnectionError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ledger.prepared import run

__all__ = [
    "Connection",
    "Engine",
    "LedgerError",
    "NotRead",
    "NothingRecorded",
    "OutcomeUnknown",
    "connect",
    "empty_log",
    "reading",
    "writing",
]

BUSY_TIMEOUT_MS = 5_000
CONNECT_TIMEOUT_SECONDS = 5
SILENCE_TIMEOUT_MS = 10_000  # of a network that swallows what we send
POOL_TIMEOUT_SECONDS = 5
SQLITE_OLDEST = (3, 35, 0)  # the first with RETURNING
# Of 4 KiB. In books of millions a pledge touches pages of its own, and its caller waits
# for all of them when the log is copied: the default of 1,000 cost a tenth of the rate.
SQLITE_LOG_PAGES = 4_000
PENDING_READS_MAX = 4
SWITCH_PAUSE_MS = 20

_turns: WeakKeyDictionary[Engine, Lock] = WeakKeyDictionary()
_BEGIN = "ledger_begin"
# READ COMMITTED is said aloud: the guards take a sum after they took a lock, and a
# server set to REPEATABLE READ would give them the sum of before.
_WRITE = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
}
_SNAPSHOT = {
    "sqlite": "BEGIN",
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
}


class LedgerError(Exception):
    """The database did not do what was asked of it."""


class NothingRecorded(LedgerError):
    """The transaction is known not to stand."""


class OutcomeUnknown(LedgerError):
    """The connection died during COMMIT: the transaction may stand or not."""


class NotRead(LedgerError):
    """A read failed."""


def connect(url: str, *, pool_size: int = 8) -> Engine:
    """Open the database at `url`, sqlite:///file or postgresql://…

    Every thread that works at once needs one of `pool_size` connections; a few
    more are opened under pressure. Raises LedgerError for an address of another
    kind; the connections themselves are made when first needed.
    """
    address = _address(url)
    name = address.get_backend_name()
    # Both drivers are kept from beginning transactions by themselves: a writer on
    # SQLite must say IMMEDIATE, a single read on PostgreSQL needs no BEGIN at all.
    engine = create_engine(
        address,
        isolation_level="AUTOCOMMIT",
        pool_size=pool_size,
        max_overflow=max(2, pool_size // 2),
        pool_timeout=POOL_TIMEOUT_SECONDS,
        # SQLite forgets all it has read when another connection has written, so the
        # one that wrote last writes next.
        pool_use_lifo=True,
        hide_parameters=True,
        connect_args=(
            {"timeout": BUSY_TIMEOUT_MS / 1000}
            if name == "sqlite"
            else {
                "connect_timeout": CONNECT_TIMEOUT_SECONDS,
                "tcp_user_timeout": SILENCE_TIMEOUT_MS,
            }
        ),
    )
    event.listen(engine, "begin", _begin)
    if name == "sqlite":
        _turns[engine] = Lock()
        event.listen(engine, "connect", _prepare_sqlite)
        _refuse_moved(engine, str(address.database))
    else:
        event.listen(engine, "connect", _prepare_postgresql)
        event.listen(engine, "checkout", _refuse_stale)
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes: committed at the end, rolled back on an exception.

    On SQLite it holds the write lock from its first moment, so it cannot deadlock;
    on PostgreSQL it is READ COMMITTED. Raises NothingRecorded or OutcomeUnknown;
    an exception of the caller's own passes through after the rollback.
    """
    with _turn(engine):
        try:
            db = _begun(engine)
        except (DBAPIError, PoolTimeout) as error:
            raise NothingRecorded(_said(error)) from error
        with db:
            try:
                yield db
            except BaseException as error:
                _abandon(db)
                if isinstance(error, DBAPIError):
                    raise NothingRecorded(_said(error)) from error
                raise
            _commit(db)


@contextmanager
def reading(engine: Engine, *, snapshot: bool = False) -> Iterator[Connection]:
    """A connection to read with, and nothing else.

    With `snapshot` every statement sees the same moment, and rows may be streamed;
    without it each statement stands alone and costs nothing beside itself. Raises
    NotRead.
    """
    try:
        if not snapshot:
            with engine.connect().execution_options(**{_BEGIN: ""}) as db:
                yield db
            return
        with _begun(engine, _SNAPSHOT[engine.dialect.name]) as db:
            try:
                yield db
            finally:
                _abandon(db)
    except (DBAPIError, PoolTimeout) as error:
        raise NotRead(_said(error)) from error


def empty_log(engine: Engine) -> bool:
    """Copy SQLite's log into its file and cut it to nothing; False if that must wait.

    Until then what was deleted can be read in it. Nobody is kept waiting: who writes,
    or reads for long, leaves it for the next time. PostgreSQL sees to its own. Raises
    NotRead.
    """
    if engine.dialect.name != "sqlite":
        return True
    with reading(engine) as db:
        run(db, "PRAGMA busy_timeout = 0")
        try:
            done = db.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        finally:
            run(db, f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    return not done[0]


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise LedgerError(
            "the database address is not a URL like sqlite:///var/yarigar.db"
        ) from None
    name = address.drivername
    if name in ("postgres", "postgresql"):
        return address.set(drivername="postgresql+psycopg")
    if name == "postgresql+psycopg":
        return address
    if name in ("sqlite", "sqlite+pysqlite"):
        if not address.database or address.database == ":memory:":
            raise LedgerError("an SQLite database needs a file: sqlite:///var/x.db")
        if sqlite3.sqlite_version_info < SQLITE_OLDEST:
            raise LedgerError(
                f"SQLite {sqlite3.sqlite_version} is too old: 3.35 is needed"
            )
        return address
    raise LedgerError(f"the ledger knows sqlite and postgresql, not {name}")


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Let one thread write at a time, on SQLite.

    SQLite itself makes the others sleep and try again, in no order: eight busy threads
    were seen to starve one of them past the five seconds.
    """
    turn = _turns.get(engine)
    if turn is None:
        yield
        return
    if not turn.acquire(timeout=BUSY_TIMEOUT_MS / 1000):
        raise NothingRecorded("another transaction held the database for too long")
    try:
        yield
    finally:
        turn.release()


def _begun(engine: Engine, begin: str | None = None) -> Connection:
    """A connection in its transaction, a fresh one if the pooled one was dead.

    It writes, unless `begin` says otherwise.
    """
    try:
        return _begun_once(engine, begin)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
    return _begun_once(engine, begin)


def _begun_once(engine: Engine, begin: str | None) -> Connection:
    db = engine.connect()
    try:
        if begin is not None:
            db.execution_options(**{_BEGIN: begin})
        db.begin()
    except BaseException:
        db.close()
        raise
    return db


def _begin(db: Connection) -> None:
    statement = db.get_execution_options().get(_BEGIN, _WRITE[db.dialect.name])
    if statement:
        run(db, statement)


def _commit(db: Connection) -> None:
    if not _stands(db):
        _abandon(db)
        raise NothingRecorded("an error inside the transaction was passed over")
    try:
        db.commit()
    except DBAPIError as error:
        _abandon(db)
        if _is_rolled_back(error.orig):
            raise NothingRecorded(_said(error)) from error
        raise OutcomeUnknown(_said(error)) from error


def _stands(db: Connection) -> bool:
    """Whether COMMIT would commit: PostgreSQL takes it for ROLLBACK after an error,
    and SQLite has already rolled back when the disk is full."""
    driver: Any = db.connection.driver_connection
    if db.dialect.name == "sqlite":
        return bool(driver.in_transaction)
    return bool(driver.pgconn.transaction_status == TransactionStatus.INTRANS)


def _is_rolled_back(error: Any) -> bool:
    """Whether a failed COMMIT surely left nothing behind."""
    if isinstance(error, sqlite3.Error):
        # Not SQLITE_IOERR: the frames may have reached the disk before it failed.
        primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return primary in (
            sqlite3.SQLITE_BUSY,
            sqlite3.SQLITE_CONSTRAINT,
            sqlite3.SQLITE_FULL,
        )
    # An ERROR is the server's word that it rolled back. FATAL is not: a server that
    # shuts down while it waits for its standby has already committed.
    diag = getattr(error, "diag", None)
    return (
        diag is not None
        and diag.severity_nonlocalized == "ERROR"
        and diag.sqlstate != "40003"
    )


def _abandon(db: Connection) -> None:
    try:
        db.rollback()
    except DBAPIError:
        db.invalidate()  # the server rolls back when the connection is gone


def _said(error: Exception) -> str:
    """What failed, without the values of the statement."""
    if not isinstance(error, DBAPIError):
        return "no database connection became free in time"
    orig: Any = error.orig
    sign = getattr(orig, "sqlstate", None) or getattr(orig, "sqlite_errorname", None)
    return f"{type(orig).__name__} {sign}" if sign else type(orig).__name__


def _prepare_sqlite(driver: sqlite3.Connection, record: object) -> None:
    _keep_a_log(driver)
    for pragma in (
        # NORMAL could lose a pledge whose text has already left.
        "synchronous=FULL",
        "foreign_keys=ON",
        # Without it, REPLACE deletes rows and no trigger hears of it.
        "recursive_triggers=ON",
        # What was erased is overwritten, and not merely left out.
        "secure_delete=ON",
        f"wal_autocheckpoint={SQLITE_LOG_PAGES}",
    ):
        driver.execute(f"PRAGMA {pragma}")


def _refuse_moved(engine: Engine, path: str) -> None:
    """Let no connection be used whose file is not at `path` any more.

    SQLite would go on writing to what was moved or deleted, and tell nobody.
    """

    def note(driver: sqlite3.Connection, record: Any) -> None:
        record.info["file"] = _file_at(path)

    def compare(driver: sqlite3.Connection, record: Any, proxy: object) -> None:
        if record.info["file"] != _file_at(path):
            raise DisconnectionError("the database file was put in another place")

    event.listen(engine, "connect", note)
    event.listen(engine, "checkout", compare)


def _file_at(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _keep_a_log(driver: sqlite3.Connection) -> None:
    """Switch a new file to WAL. Two that do so at once are told BUSY without a wait."""
    for _ in range(BUSY_TIMEOUT_MS // SWITCH_PAUSE_MS):
        try:
            driver.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
        sleep(SWITCH_PAUSE_MS / 1000)
    driver.execute("PRAGMA journal_mode=WAL")


def _prepare_postgresql(driver: Any, record: object) -> None:
    driver.execute(f"SET lock_timeout = {BUSY_TIMEOUT_MS}")
    # After a restore the planner knows nothing yet, and compiled for seconds what takes
    # a millisecond.
    driver.execute("SET jit = off")


def _refuse_stale(driver: Any, record: object, proxy: object) -> None:
    """Refuse a pooled connection that the server has closed, without a round trip.

    An idle connection has nothing to read; one that the server left has an error
    or the end of the stream waiting.
    """
    poll = select.poll()
    poll.register(driver.pgconn.socket, select.POLLIN)
    for _ in range(PENDING_READS_MAX):
        if not poll.poll(0):
            return
        try:
            driver.pgconn.consume_input()
        except psycopg.OperationalError:
            break
    raise DisconnectionError("the server has closed the connection")
