"""A backup put into an empty database: all of it, or nothing.

Everything is compared before a row is written, and the rows are loaded in one
transaction. Who was erased after the backup is erased again in the same one, and no
text that may have left after it is sent a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, select, update

from ledger import erasing, migrate, schema
from ledger.backups import postgresql, sqlite
from ledger.backups.archive import Archive, BadArchive
from ledger.bulks import BulkState
from ledger.engine import LedgerError, connect, reading, writing
from ledger.outbox import State
from ledger.schema import metadata
from ledger.vault import Keys, check_key

__all__ = ["NotEmpty", "Restored", "restore"]

CHANNEL = "restore"
# What a new database has rows in.
_FILLED = ("meta", "unit")


class NotEmpty(LedgerError):
    """The database has a ledger in it already."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back: rows, people erased again, texts for an operator to look at."""

    rows: int
    erased: int
    texts: int


def restore(
    engine: Engine,
    keys: Keys,
    path: Path,
    *,
    erased: Iterable[tuple[str, int, datetime]] = (),
    sends: bool = False,
    at: datetime,
    progress: Callable[[int, int], None] | None = None,
) -> Restored:
    """Put the backup at `path` into `engine`'s database, which is migrated and empty.

    `erased` are people who were erased since: the ledger's own id, the person's, and
    when. Texts that had not left are not sent, unless `sends` says that nothing
    happened after the backup: they count as failed. `progress` is told bytes done and
    bytes in all. Raises BadArchive, NotEmpty, WrongKeys, and OSError for no file.
    """
    with Archive.of(path) as archive:
        manifest = archive.manifest
        if manifest.database != engine.dialect.name:
            raise BadArchive(
                f"it is of {manifest.database}, and this database is "
                f"{engine.dialect.name}"
            )
        if manifest.revision != migrate.head() or not migrate.is_current(engine):
            raise BadArchive(
                f"it is of revision {manifest.revision}, and this program and its "
                f"database of {migrate.head()}: restore it by the version it was made "
                "with, and migrate then"
            )
        with reading(engine) as db:
            _refuse_filled(db)
        half = None if progress is None else _half(progress, 0)
        archive.prove(half)
        then = [
            (person_id, when)
            for system, person_id, when in erased
            if system == manifest.system
        ]

        def finish(db: Connection) -> tuple[int, int]:
            check_key(db, keys)
            again = _erase_again(db, keys, then, at)
            return again, 0 if sends else _hold_back(db, at)

        if engine.dialect.name == "sqlite":
            again, texts = _sqlite(engine, archive, finish)
        else:
            done = 0

            def told(size: int) -> None:
                nonlocal done
                done += size
                if progress is not None:
                    _half(progress, 1)(done, archive.size)

            with writing(engine) as db:
                _refuse_filled(db)
                postgresql.load(db, archive, told)
                again, texts = finish(db)
        return Restored(sum(manifest.rows.values()), again, texts)


def _sqlite(
    engine: Engine,
    archive: Archive,
    finish: Callable[[Connection], tuple[int, int]],
) -> tuple[int, int]:
    target = Path(str(engine.url.database))
    with sqlite.unpacked(archive, target) as copy:
        copied = connect(f"sqlite:///{copy}", pool_size=1)
        try:
            with writing(copied) as db:
                for table in metadata.sorted_tables:
                    rows = db.exec_driver_sql(
                        f'SELECT count(*) FROM "{table.name}"'  # noqa: S608
                    ).scalar()
                    if rows != archive.manifest.rows.get(table.name):
                        raise BadArchive(f"{table.name} has another number of rows")
                done = finish(db)
        finally:
            copied.dispose()
        with reading(engine) as db:
            _refuse_filled(db)
        engine.dispose()
        sqlite.load(copy, target)
    return done


def _refuse_filled(db: Connection) -> None:
    for table in metadata.sorted_tables:
        if table.name not in _FILLED:
            with closing(db.execute(select(table).limit(1))) as found:
                if found.first() is not None:
                    raise NotEmpty(
                        f"there are rows in {table.name}: a backup is restored into a "
                        "new database alone"
                    )


def _erase_again(
    db: Connection, keys: Keys, then: Iterable[tuple[int, datetime]], at: datetime
) -> int:
    person = schema.person.c
    again = 0
    for person_id, when in then:
        known = select(person.id).where(
            person.id == person_id, person.look_up.is_not(None), person.since <= when
        )
        if db.execute(known).first() is None:
            continue
        erasing.erase(
            db,
            keys,
            person_id=person_id,
            key=f"restore:{person_id}:{when.isoformat()}",
            channel=CHANNEL,
            by=CHANNEL,
            test=False,
            at=at,
        )
        again += 1
    return again


def _hold_back(db: Connection, at: datetime) -> int:
    """Close the texts that were to be sent, and pause sends: some may have left after
    the backup."""
    outbox, bulk = schema.outbox.c, schema.bulk.c
    # Whom a send had reached by then is not known here: somebody has to say.
    db.execute(
        update(schema.bulk)
        .where(bulk.state == BulkState.RUNNING)
        .values(state=BulkState.PAUSED, changed_at=at)
    )
    return db.execute(
        update(schema.outbox)
        .where(outbox.state.in_([State.QUEUED, State.SENDING]))
        .values(state=State.FAILED, changed_at=at, lease_owner=None, lease_until=None)
    ).rowcount


def _half(
    progress: Callable[[int, int], None], which: int
) -> Callable[[int, int], None]:
    """Tell of one of two times that everything is gone through."""
    return lambda done, of: progress(which * of + done, 2 * of)
