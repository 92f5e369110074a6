"""A backup of the whole database, of one moment, while others write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select

from ledger import migrate, schema
from ledger.backups import postgresql, sqlite
from ledger.backups.archive import PIECE_BYTES, Manifest, Writer
from ledger.engine import LedgerError, connect, reading
from ledger.schema import metadata

__all__ = ["Taken", "take"]

_SYSTEM = select(schema.meta.c.value).where(schema.meta.c.name == "system")


@dataclass(frozen=True, slots=True)
class Taken:
    """How many rows of how many tables a backup has."""

    tables: int
    rows: int


def take(
    engine: Engine,
    out: Path,
    *,
    at: datetime,
    progress: Callable[[int, int], None] | None = None,
) -> Taken:
    """Back the database up to the file `out`, which its owner alone can read.

    The keys are not in it: without them nobody reads a phone number in it. `progress`
    is told bytes done and bytes to do, 0 where that is not known. Raises LedgerError
    if the database is of another version, and OSError if `out` cannot be written.
    """
    if not migrate.is_current(engine):
        raise LedgerError("the database needs `yarigar migrate`")
    with Writer.to(out) as writer:
        if engine.dialect.name == "sqlite":
            manifest = _sqlite(engine, out, writer, at, progress)
        else:
            manifest = _postgresql(engine, writer, at, progress)
        writer.finish(manifest)
    return Taken(len(manifest.rows), sum(manifest.rows.values()))


def _sqlite(
    engine: Engine,
    out: Path,
    writer: Writer,
    at: datetime,
    progress: Callable[[int, int], None] | None,
) -> Manifest:
    path = Path(str(engine.url.database))
    with sqlite.copied(path, out, progress) as copy:
        copied = connect(f"sqlite:///{copy}", pool_size=1)
        try:
            with reading(copied, snapshot=True) as db:
                rows, system = _rows(db), str(db.scalar(_SYSTEM))
        finally:
            copied.dispose()
        with copy.open("rb") as file, writer.member(sqlite.MEMBER) as into:
            while piece := file.read(PIECE_BYTES):
                into(piece)
    return Manifest("sqlite", migrate.head(), system, _iso(at), rows, writer.members)


def _postgresql(
    engine: Engine,
    writer: Writer,
    at: datetime,
    progress: Callable[[int, int], None] | None,
) -> Manifest:
    done = 0

    def told(size: int) -> None:
        nonlocal done
        done += size
        if progress is not None:
            progress(done, 0)

    with reading(engine, snapshot=True) as db:
        rows = postgresql.write(db, writer, told)
        return Manifest(
            database="postgresql",
            revision=migrate.head(),
            system=str(db.scalar(_SYSTEM)),
            at=_iso(at),
            rows=rows,
            members=writer.members,
            columns={name: postgresql.columns(db, name) for name in rows},
            sequences=postgresql.sequences(db),
        )


def _rows(db: Connection) -> dict[str, int]:
    return {
        table.name: db.scalar(select(func.count()).select_from(table)) or 0
        for table in metadata.sorted_tables
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
