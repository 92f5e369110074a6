"""A database file of SQLite: its pages as they were at one moment, and back.

The copy is the online backup of SQLite, under a read transaction that is held from
its first page to its last: writers go on, and the copy does not see them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ledger.backups.archive import DATABASE_MEMBER, Archive, BadArchive
from ledger.engine import BUSY_TIMEOUT_MS, LedgerError

__all__ = ["MEMBER", "copied", "load", "unpacked"]

MEMBER = DATABASE_MEMBER
PAGES_AT_ONCE = 2048

_SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"


@contextmanager
def copied(
    path: Path, beside: Path, progress: Callable[[int, int], None] | None
) -> Iterator[Path]:
    """A copy of the database at `path`, whole and of one moment, until it is left."""
    with TemporaryDirectory(prefix=".yarigar-", dir=beside.parent) as folder:
        copy = Path(folder) / MEMBER
        with (
            _said("the database was not copied"),
            closing(_open(path)) as source,
            closing(_open(copy)) as target,
        ):
            source.execute("BEGIN")
            source.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
            source.backup(
                target, pages=PAGES_AT_ONCE, progress=_pages(progress, source)
            )
            source.execute("ROLLBACK")
            # Else a part of it would stand in files beside it.
            target.execute("PRAGMA journal_mode = DELETE")
        yield copy


@contextmanager
def unpacked(archive: Archive, target: Path) -> Iterator[Path]:
    """The database of an archive beside `target`, if it is whole and has our tables.

    Raises BadArchive.
    """
    with TemporaryDirectory(prefix=".yarigar-", dir=target.parent) as folder:
        copy = Path(folder) / MEMBER
        with copy.open("xb") as file:
            for piece in archive.pieces(MEMBER):
                file.write(piece)
        try:
            with closing(_open(copy)) as found, closing(_open(target)) as ours:
                found.execute("PRAGMA trusted_schema = OFF")
                # Guards, too: what could change facts behind them is not let in.
                if set(found.execute(_SCHEMA)) != set(ours.execute(_SCHEMA)):
                    raise BadArchive("its tables or guards are not those of a ledger")
                (said,) = found.execute("PRAGMA integrity_check(1)").fetchone()
        except sqlite3.DatabaseError:
            raise BadArchive("its database cannot be read") from None
        if said != "ok":
            raise BadArchive("its database is damaged")
        yield copy


def load(copy: Path, target: Path) -> None:
    """Put a whole copy in the place of what is in `target`, in one transaction."""
    with (
        _said("nothing was restored"),
        closing(_open(copy)) as source,
        closing(_open(target)) as into,
    ):
        source.backup(into)


@contextmanager
def _said(what: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise LedgerError(f"{what}: {error.sqlite_errorname}") from error


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)


def _pages(
    progress: Callable[[int, int], None] | None, source: sqlite3.Connection
) -> Callable[[int, int, int], None] | None:
    if progress is None:
        return None
    (size,) = source.execute("PRAGMA page_size").fetchone()

    def told(status: int, remaining: int, total: int) -> None:
        progress((total - remaining) * size, total * size)

    return told
