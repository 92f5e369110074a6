"""A backup comes back whole or not at all; on both databases."""

from __future__ import annotations

import json
import shutil
import stat
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, insert, select, text
from sqlalchemy.exc import DBAPIError

from ledger import audience, bulks, consents, people, schema
from ledger.audience import Audience
from ledger.backups import BadArchive, NotEmpty, restore, take
from ledger.backups import archive as archives
from ledger.bulks import BulkState
from ledger.engine import LedgerError, connect, reading, writing
from ledger.vault import WrongKeys, claim_key
from ledger.verify import verify
from tests import services
from tests.ledger.books import NOON, Books
from tests.ledger.facts import KEYS, OTHER_PHONE, PHONE

LATER = NOON + timedelta(days=1)


@pytest.fixture
def empty(
    request: pytest.FixtureRequest, ledger_engine: Engine, tmp_path: Path
) -> Iterator[Engine]:
    """A second ledger of the same kind, migrated and empty."""
    if ledger_engine.dialect.name == "sqlite":
        made: Path = request.getfixturevalue("_migrated_sqlite")
        folder = tmp_path / "second"
        folder.mkdir()
        for path in made.parent.glob("ledger.db*"):
            shutil.copy(path, folder / path.name)
        engine = connect(f"sqlite:///{folder / 'ledger.db'}")
        yield engine
        engine.dispose()
        return
    server: services.Postgres = request.getfixturevalue("_postgres")
    template: str = request.getfixturevalue("_migrated_postgres")
    engine = connect(server.create("second", template=template))
    yield engine
    engine.dispose()
    server.drop("second")


def test_everything_comes_back_and_the_books_are_whole(
    ledger_engine: Engine, empty: Engine, tmp_path: Path
) -> None:
    _fill(ledger_engine)
    taken = take(ledger_engine, tmp_path / "b.zip", at=LATER)
    heard: list[tuple[int, int]] = []

    back = restore(
        empty,
        KEYS,
        tmp_path / "b.zip",
        sends=True,
        at=LATER,
        progress=lambda *now: heard.append(now),
    )

    assert back.rows == taken.rows > 20
    assert heard[-1][0] <= heard[-1][1]
    assert _everything(empty) == _everything(ledger_engine)
    with reading(empty, snapshot=True) as db:
        assert verify(db).faults == ()
        assert people.phone_of(db, KEYS, person_id=1) == PHONE


def test_a_restored_ledger_goes_on_and_is_guarded(
    ledger_engine: Engine, empty: Engine, tmp_path: Path
) -> None:
    _fill(ledger_engine)
    take(ledger_engine, tmp_path / "b.zip", at=LATER)
    restore(empty, KEYS, tmp_path / "b.zip", at=LATER)

    with reading(empty) as db:
        last = db.scalar(text("SELECT max(id) FROM event"))
    event_id, code = Books(empty, at=LATER, name="after").pledge(OTHER_PHONE)
    assert event_id > last
    with reading(empty) as db:
        codes = select(schema.code.c.code).where(schema.code.c.event_id <= last)
        assert code not in db.scalars(codes).all()
    for act in ("UPDATE event SET kind = 'x'", "DELETE FROM transfer"):
        with pytest.raises((LedgerError, DBAPIError)), writing(empty) as db:
            db.execute(text(act))
    if empty.dialect.name == "postgresql":
        guards = text(
            "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal"
            " ORDER BY tgname"
        )
        with reading(empty) as db, reading(ledger_engine) as first:
            assert db.execute(guards).all() == first.execute(guards).all()


def test_writers_do_not_wait_and_are_not_half_in_it(
    ledger_engine: Engine, empty: Engine, tmp_path: Path
) -> None:
    _fill(ledger_engine)
    stop = threading.Event()
    made: list[int] = []

    def write() -> None:
        books = Books(ledger_engine, name="meanwhile")
        while not stop.is_set():
            made.append(books.pledge(OTHER_PHONE)[0])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not made:
            stop.wait(0.01)
        before = len(made)
        take(ledger_engine, tmp_path / "b.zip", at=LATER)
        during = len(made)
    finally:
        stop.set()
        writer.join()
    restore(empty, KEYS, tmp_path / "b.zip", at=LATER)
    with reading(empty, snapshot=True) as db:
        assert verify(db).faults == ()
        ids = db.scalars(select(schema.event.c.id).order_by(schema.event.c.id)).all()
    assert len(ids) - 3 >= before
    assert during >= before


def test_who_was_erased_since_does_not_come_back(
    ledger_engine: Engine, empty: Engine, tmp_path: Path
) -> None:
    _fill(ledger_engine)
    take(ledger_engine, tmp_path / "b.zip", at=LATER)
    with reading(ledger_engine) as db:
        system = db.scalar(
            select(schema.meta.c.value).where(schema.meta.c.name == "system")
        )
    erased = [
        (system, 1, LATER),
        # Another ledger's, one who is not there, one who came after that erasure.
        ("other", 2, LATER),
        (system, 99, LATER),
        (system, 2, NOON - timedelta(days=1)),
    ]
    back = restore(empty, KEYS, tmp_path / "b.zip", erased=erased, at=LATER)
    assert back.erased == 1
    with reading(empty, snapshot=True) as db:
        assert people.phones_of(db, KEYS, person_ids=[1, 2]) == {2: OTHER_PHONE}
        assert verify(db).faults == ()


def test_a_text_that_may_have_left_is_not_sent_again(
    ledger_engine: Engine, empty: Engine, tmp_path: Path
) -> None:
    _fill(ledger_engine)
    take(ledger_engine, tmp_path / "b.zip", at=LATER)
    assert restore(empty, KEYS, tmp_path / "b.zip", at=LATER).texts == 1
    with reading(empty) as db:
        states = db.scalars(select(schema.outbox.c.state)).all()
    assert sorted(states) == ["delivered", "failed"]


def test_a_send_that_ran_is_paused_because_who_had_it_is_not_known(
    ledger_engine: Engine, empty: Engine, tmp_path: Path
) -> None:
    _fill(ledger_engine)
    with writing(ledger_engine) as db:
        consents.give(db, person_id=1, menus="m", test=False, at=NOON)
        everybody = Audience(campaign="one-plus-one")
        bulks.prepare(
            db,
            name="yalda",
            template="sms.campaign",
            slots={},
            menus="m" * 64,
            audience=everybody,
            reached=audience.count(db, everybody),
            parts=1,
            cost="",
            approvals=1,
            by="sara",
            begins_at=NOON,
            expires_at=LATER + timedelta(days=9),
            at=NOON,
        )
        bulks.start(db, "yalda", by="sara", at=NOON)
    take(ledger_engine, tmp_path / "b.zip", at=LATER)
    restore(empty, KEYS, tmp_path / "b.zip", at=LATER)
    with writing(empty) as db:
        assert bulks.named(db, "yalda").state is BulkState.PAUSED
        bulks.resume(db, "yalda", by="sara", at=LATER)


def test_only_a_new_database_takes_a_backup(
    ledger_engine: Engine, empty: Engine, tmp_path: Path
) -> None:
    _fill(ledger_engine)
    take(ledger_engine, tmp_path / "b.zip", at=LATER)
    Books(empty).pledge()
    before = _everything(empty)
    with pytest.raises(NotEmpty):
        restore(empty, KEYS, tmp_path / "b.zip", at=LATER)
    assert _everything(empty) == before


def test_other_keys_than_its_own_restore_nothing(
    ledger_engine: Engine, empty: Engine, tmp_path: Path
) -> None:
    _fill(ledger_engine)
    take(ledger_engine, tmp_path / "b.zip", at=LATER)
    before = _everything(empty)
    with pytest.raises(WrongKeys):
        restore(empty, replace(KEYS, index=b"x" * 32), tmp_path / "b.zip", at=LATER)
    assert _everything(empty) == before


def test_a_backup_is_its_owners_and_holds_no_number(
    ledger_engine: Engine, tmp_path: Path
) -> None:
    _fill(ledger_engine)
    out = tmp_path / "b.zip"
    take(ledger_engine, out, at=LATER)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with zipfile.ZipFile(out) as archive:
        for name in archive.namelist():
            assert PHONE[1:].encode() not in archive.read(name)
            assert KEYS.vault not in archive.read(name)
    left = {path.name for path in tmp_path.iterdir()}
    assert left <= {"b.zip", "second", "ledger.db", "ledger.db-wal", "ledger.db-shm"}


def _torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def _no_zip(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" * 500)


def _flipped(path: Path) -> None:
    """A byte of what the longest table holds: some of a header's mean nothing."""
    with zipfile.ZipFile(path) as archive:
        members = pairwise(archive.infolist())
    table, behind = max(members, key=lambda two: two[0].compress_size)
    body = bytearray(path.read_bytes())
    body[behind.header_offset - table.compress_size // 2] ^= 0xFF
    path.write_bytes(body)


def _rewritten(change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> Any:
    """An archive whose every checksum is right, and that says something else."""

    def alter(path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        said = json.loads(members.pop("manifest.json"))
        change(said, members)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, body in members.items():
                archive.writestr(name, body)
            archive.writestr("manifest.json", json.dumps(said))

    return alter


def _other_revision(said: dict[str, Any], _: dict[str, bytes]) -> None:
    said["revision"] = "0001"


def _other_format(said: dict[str, Any], _: dict[str, bytes]) -> None:
    said["format"] = 2


def _other_database(said: dict[str, Any], _: dict[str, bytes]) -> None:
    said["database"] = "oracle"


def _one_more(said: dict[str, Any], members: dict[str, bytes]) -> None:
    members["../evil"] = b"x"


def _one_less(said: dict[str, Any], members: dict[str, bytes]) -> None:
    members.pop(next(iter(members)))


def _other_bytes(said: dict[str, Any], members: dict[str, bytes]) -> None:
    name = max(members, key=lambda one: len(members[one]))
    members[name] = members[name][:-1] + bytes([members[name][-1] ^ 1])


def _bomb(said: dict[str, Any], members: dict[str, bytes]) -> None:
    name = next(iter(members))
    members[name] = bytes(40 << 20)
    said["members"][name] = {"bytes": 40 << 20, "sha256": "0" * 64}


def _no_numbers(said: dict[str, Any], _: dict[str, bytes]) -> None:
    said["members"] = [1, 2]


def _fewer_rows(said: dict[str, Any], _: dict[str, bytes]) -> None:
    said["rows"]["event"] += 1


def _no_members(said: dict[str, Any], members: dict[str, bytes]) -> None:
    said["members"] = {}
    members.clear()


def _another_member(said: dict[str, Any], members: dict[str, bytes]) -> None:
    name = next(iter(members))
    said["members"]["../evil"] = said["members"][name]
    members["../evil"] = members[name]


def _without_end(said: dict[str, Any], _: dict[str, bytes]) -> None:
    said["rows"]["event"] = float("inf")


def _of_a_terminal(said: dict[str, Any], _: dict[str, bytes]) -> None:
    said["revision"] = "\x1b[2J\ud800"


@pytest.mark.parametrize(
    "alter",
    [
        _torn,
        _no_zip,
        _flipped,
        *map(
            _rewritten,
            (
                _other_revision,
                _other_format,
                _other_database,
                _one_more,
                _one_less,
                _other_bytes,
                _bomb,
                _no_numbers,
                _fewer_rows,
                _no_members,
                _another_member,
                _without_end,
                _of_a_terminal,
            ),
        ),
    ],
)
def test_what_is_no_whole_backup_is_refused_and_changes_nothing(
    ledger_engine: Engine,
    empty: Engine,
    tmp_path: Path,
    alter: Callable[[Path], None],
) -> None:
    _fill(ledger_engine)
    path = tmp_path / "b.zip"
    take(ledger_engine, path, at=LATER)
    alter(path)
    before = _everything(empty)
    with pytest.raises(BadArchive) as refused:
        restore(empty, KEYS, path, at=LATER)
    assert str(refused.value).isprintable()
    assert _everything(empty) == before


def test_a_database_without_its_guards_is_no_backup(
    sqlite_ledger_url: str, tmp_path: Path
) -> None:
    shutil.copy(tmp_path / "ledger.db", tmp_path / "new.db")
    engine = connect(sqlite_ledger_url)
    _fill(engine)
    with engine.connect() as db:
        db.exec_driver_sql("DROP TRIGGER event_refuses_update")
        db.commit()
    take(engine, tmp_path / "b.zip", at=LATER)
    engine.dispose()
    new = connect(f"sqlite:///{tmp_path / 'new.db'}")
    with pytest.raises(BadArchive, match="guards"):
        restore(new, KEYS, tmp_path / "b.zip", at=LATER)
    new.dispose()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("small") / "b.zip"
    with archives.Writer.to(path) as writer:
        for name in ("event", "transfer"):
            with writer.member(name) as into:
                into(b"one\ttwo\n" * 100)
        writer.finish(
            archives.Manifest("sqlite", "1", "s", "now", {"event": 1}, writer.members)
        )
    return path


@given(
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=5),
    length=st.floats(0.5, 1) | st.just(1.0),
)
def test_whatever_is_changed_in_a_file_it_is_whole_or_refused(
    small: Path, changes: list[tuple[float, int]], length: float
) -> None:
    body = bytearray(small.read_bytes())
    for place, byte in changes:
        body[int(place * (len(body) - 1))] = byte
    changed = small.with_name("changed.zip")
    changed.write_bytes(body[: int(length * len(body))])
    try:
        with archives.Archive.of(changed) as archive:
            archive.prove()
            said = [b"".join(archive.pieces(name)) for name in ("event", "transfer")]
    except BadArchive as refused:
        assert "\n" not in str(refused)  # noqa: PT017  # either is right
    else:
        assert said == [b"one\ttwo\n" * 100] * 2


def test_memory_stays_the_same_however_long_a_member_is(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "long.zip"
    tracemalloc.start()
    with archives.Writer.to(path) as writer:
        with writer.member(archives.DATABASE_MEMBER) as into:
            for n in range(64):
                into(n.to_bytes(4) * (1 << 18))
        writer.finish(archives.Manifest("sqlite", "1", "s", "now", {}, writer.members))
    with archives.Archive.of(path) as archive:
        archive.prove()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 << 20


def _fill(engine: Engine) -> None:
    with writing(engine) as db:
        claim_key(db, KEYS)
    books = Books(engine)
    event_id, _ = books.pledge(PHONE)
    books.pay(event_id, 1000)
    books.promise(event_id, "queued")
    other, _ = books.sign_up(OTHER_PHONE)
    books.promise(other, "delivered")
    with writing(engine) as db:
        db.execute(
            insert(schema.unreadable).values(
                # Every byte, and what a text format would take for its own.
                carrier="kave",
                way="inbound",
                raw=bytes(range(256)),
                why="\\N\t\n\r\\.",
                at=NOON,
            )
        )


def _everything(engine: Engine) -> dict[str, list[Any]]:
    with reading(engine, snapshot=True) as db:
        return {
            table.name: sorted(map(repr, db.execute(select(text("*"), table))))
            for table in schema.metadata.sorted_tables
        }
