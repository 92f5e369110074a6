from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, delete, insert, select, text

from ledger import events, schema
from ledger.engine import (
    LedgerError,
    NothingRecorded,
    NotRead,
    OutcomeUnknown,
    connect,
    empty_log,
    reading,
    writing,
)
from tests.ledger.facts import AT, KEYS, caller, count, pledge


@pytest.fixture
def postgres(postgres_ledger_url: str) -> Iterator[Engine]:
    engine = connect(postgres_ledger_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite(sqlite_ledger_url: str) -> Iterator[Engine]:
    engine = connect(sqlite_ledger_url)
    yield engine
    engine.dispose()


def note(engine: Engine, name: str) -> None:
    with writing(engine) as db:
        db.execute(insert(schema.meta).values(name=name, value="1"))


def attempt(engine: Engine, *deeds: Callable[[Connection], object]) -> None:
    with writing(engine) as db:
        for deed in deeds:
            deed(db)


def insert_a(db: Connection) -> None:
    db.execute(insert(schema.meta).values(name="a", value="secret"))


def end_of(engine: Engine) -> Callable[[Connection], None]:
    """The end of a connection, by the server's hand."""

    def end(db: Connection) -> None:
        pid = db.execute(text("SELECT pg_backend_pid()")).scalar_one()
        other = connect(engine.url.render_as_string(hide_password=False))
        _end_backends(other, [pid])
        other.dispose()

    return end


def names(engine: Engine) -> set[str]:
    with reading(engine) as db:
        return set(db.execute(select(schema.meta.c.name)).scalars()) - {"system"}


def test_what_is_written_stands_after_the_transaction(ledger_engine: Engine) -> None:
    note(ledger_engine, "a")
    assert names(ledger_engine) == {"a"}


def test_an_exception_of_the_caller_undoes_everything(ledger_engine: Engine) -> None:
    def fail(db: Connection) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        attempt(ledger_engine, insert_a, fail)
    assert names(ledger_engine) == set()


def test_a_statement_that_fails_means_that_nothing_was_recorded(
    ledger_engine: Engine,
) -> None:
    with pytest.raises(NothingRecorded) as caught:
        attempt(ledger_engine, insert_a, insert_a)
    assert names(ledger_engine) == set()
    assert "secret" not in str(caught.value)
    assert "secret" not in str(caught.value.__cause__)


def test_an_error_that_was_passed_over_is_not_taken_for_a_commit(
    postgres: Engine,
) -> None:
    def pass_over(db: Connection) -> None:
        with pytest.raises(Exception, match="no_such_table"):
            db.execute(text("SELECT * FROM no_such_table"))

    with pytest.raises(NothingRecorded, match="passed over"):
        attempt(postgres, insert_a, pass_over)
    assert names(postgres) == set()


def test_a_rollback_that_sqlite_did_by_itself_is_not_taken_for_a_commit(
    sqlite: Engine,
) -> None:
    def roll_back(db: Connection) -> None:  # as SQLite does when the disk is full
        db.exec_driver_sql("ROLLBACK")

    with pytest.raises(NothingRecorded, match="passed over"):
        attempt(sqlite, insert_a, roll_back)
    assert names(sqlite) == set()


def test_a_full_disk_means_that_nothing_was_recorded(sqlite: Engine) -> None:
    def fill(db: Connection) -> None:
        pages = db.exec_driver_sql("PRAGMA page_count").scalar_one()
        db.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        for number in range(100):
            pledge(db, f"at:{number}")

    with pytest.raises(NothingRecorded, match="SQLITE_FULL"):
        attempt(sqlite, fill)
    with reading(sqlite) as db:
        assert count(db, schema.event) == 0


def test_sqlite_is_durable_and_guarded(sqlite: Engine) -> None:
    with writing(sqlite) as db:
        found = {
            name: db.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in (
                "journal_mode",
                "synchronous",
                "foreign_keys",
                "recursive_triggers",
                "busy_timeout",
                "secure_delete",
                "wal_autocheckpoint",
            )
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "recursive_triggers": 1,
        "busy_timeout": 5000,
        "secure_delete": 1,
        "wal_autocheckpoint": 4000,
    }


def test_what_was_deleted_leaves_the_log_when_nobody_reads_it(
    sqlite: Engine, tmp_path: Path
) -> None:
    note(sqlite, "a name to be forgotten")
    with reading(sqlite, snapshot=True) as db:
        assert count(db, schema.meta) > 0
        with writing(sqlite) as other:
            other.execute(delete(schema.meta))
        assert not empty_log(sqlite)
    assert b"a name to be forgotten" in everything_in(tmp_path)
    with writing(sqlite):
        began = time.monotonic()
        assert not empty_log(sqlite)
        assert time.monotonic() - began < 3
    assert empty_log(sqlite)
    assert b"a name to be forgotten" not in everything_in(tmp_path)
    with writing(sqlite) as db:
        assert db.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 5000


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("ledger.db*"))


def test_a_writer_on_postgresql_sees_what_was_committed_and_waits_not_for_ever(
    postgres: Engine,
) -> None:
    with writing(postgres) as db:
        db.execute(
            text("SET default_transaction_isolation = 'repeatable read'")
        )  # as an operator may have set for the whole server
    with writing(postgres) as db:
        assert db.execute(text("SHOW transaction_isolation")).scalar() == (
            "read committed"
        )
        assert db.execute(text("SHOW lock_timeout")).scalar() == "5s"


def test_a_writer_waits_for_another_process_and_then_says_so(
    sqlite_ledger_url: str, sqlite: Engine
) -> None:
    path = sqlite_ledger_url.removeprefix("sqlite:///")
    with writing(sqlite) as db:
        db.exec_driver_sql("PRAGMA busy_timeout=50")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(NothingRecorded, match="SQLITE_BUSY"), writing(sqlite):
        pass
    other.execute("ROLLBACK")
    other.close()
    note(sqlite, "a")
    assert names(sqlite) == {"a"}


def test_readers_are_not_held_up_by_a_writer(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        db.execute(insert(schema.meta).values(name="a", value="1"))
        assert names(ledger_engine) == set()
    assert names(ledger_engine) == {"a"}


def test_a_snapshot_sees_one_moment(ledger_engine: Engine) -> None:
    with reading(ledger_engine, snapshot=True) as db:
        before = count(db, schema.meta)
        note(ledger_engine, "a")
        assert count(db, schema.meta) == before


def test_a_snapshot_streams_rows(ledger_engine: Engine) -> None:
    with reading(ledger_engine, snapshot=True) as db:
        rows = db.execution_options(stream_results=True, yield_per=2).execute(
            select(schema.unit.c.code)
        )
        assert len(list(rows)) == 4


def test_a_failed_read_is_not_read(ledger_engine: Engine) -> None:
    with pytest.raises(NotRead), reading(ledger_engine) as db:
        db.execute(text("SELECT * FROM no_such_table"))
    assert names(ledger_engine) == set()


def test_a_snapshot_refuses_to_write_on_postgresql(postgres: Engine) -> None:
    with (
        pytest.raises(NotRead, match="25006"),
        reading(postgres, snapshot=True) as db,
    ):
        insert_a(db)


def test_connections_that_the_server_closed_are_replaced(postgres: Engine) -> None:
    with writing(postgres) as first, writing(postgres) as second:
        pids = [
            db.execute(text("SELECT pg_backend_pid()")).scalar_one()
            for db in (first, second)
        ]
    _end_backends(postgres, pids)
    note(postgres, "a")
    assert names(postgres) == {"a"}


def test_a_connection_that_dies_before_commit_has_recorded_nothing(
    postgres: Engine,
) -> None:
    with pytest.raises(NothingRecorded):
        attempt(postgres, insert_a, end_of(postgres), insert_a)
    assert names(postgres) == set()


def test_a_connection_that_dies_during_commit_leaves_the_outcome_unknown(
    postgres: Engine,
) -> None:
    with pytest.raises(OutcomeUnknown):
        attempt(postgres, insert_a, end_of(postgres))
    assert names(postgres) == set()
    note(postgres, "b")


def test_a_commit_that_the_server_refuses_has_recorded_nothing(
    postgres: Engine,
) -> None:
    def be_late(db: Connection) -> None:
        db.execute(text("INSERT INTO late VALUES (1)"))

    with writing(postgres) as db:
        unique = "n int UNIQUE DEFERRABLE INITIALLY DEFERRED"
        db.execute(text(f"CREATE TABLE late ({unique})"))
        be_late(db)
    with pytest.raises(NothingRecorded, match="23505"):
        attempt(postgres, insert_a, be_late)
    assert names(postgres) == set()


def test_the_connection_that_wrote_last_writes_next(ledger_engine: Engine) -> None:
    with reading(ledger_engine), reading(ledger_engine), writing(ledger_engine):
        pass  # there are three now
    used = []
    for _ in range(3):
        with writing(ledger_engine) as db:
            used.append(db.connection.driver_connection)
    assert used[0] is used[1] is used[2]


def test_threads_take_turns_on_sqlite(sqlite: Engine) -> None:
    failed: list[Exception] = []

    def run(thread: int) -> None:
        try:
            for number in range(20):
                with writing(sqlite) as db:
                    pledge(db, f"{thread}:{number}")
        except LedgerError as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with reading(sqlite) as db:
        assert count(db, schema.event) == 160


def test_an_unreachable_server_is_nothing_recorded() -> None:
    engine = connect("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(NothingRecorded), writing(engine):
        pass
    with pytest.raises(NotRead), reading(engine):
        pass
    engine.dispose()


@pytest.mark.parametrize(
    "url",
    ["", "var/x.db", "sqlite://", "sqlite:///:memory:", "mysql://u:hush@h/d"],
)
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(LedgerError) as caught:
        connect(url)
    assert "hush" not in str(caught.value)


def test_postgresql_is_spoken_to_through_psycopg() -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        engine = connect(f"{scheme}://someone@127.0.0.1/books")
        assert engine.url.drivername == "postgresql+psycopg"


def test_an_event_survives_a_hard_stop(tmp_path: Path, sqlite: Engine) -> None:
    with writing(sqlite) as db:
        pledge(db, person_id=caller(db))
    # What is on the disk now, without a checkpoint, is what a power cut leaves.
    for path in tmp_path.glob("ledger.db*"):
        if not path.name.endswith("-shm"):
            (tmp_path / f"copy-{path.name}").write_bytes(path.read_bytes())
    copy = connect(f"sqlite:///{tmp_path / 'copy-ledger.db'}")
    with reading(copy) as db:
        assert events.find(db, key="at:1") is not None
    copy.dispose()


def test_the_keys_of_the_tests_are_not_shown() -> None:
    assert "vvv" not in repr(KEYS)
    assert AT.tzinfo is not None


def _end_backends(engine: Engine, pids: list[int]) -> None:
    with writing(engine) as db:
        own = db.execute(text("SELECT pg_backend_pid()")).scalar_one()
        for pid in sorted(pids, key=lambda pid: pid == own):
            if pid != own:
                db.execute(
                    text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid}
                )
