from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, Text, cast, func, insert, select, text

from ledger import erasing, events, rollups
from ledger.balances import balances
from ledger.engine import LedgerError, reading, writing
from ledger.events import Moved
from ledger.rollups import rolled_up
from ledger.schema import checkpoint, event, leaf, rollup, tile
from ledger.sealing import leaves, notes, rows
from ledger.sealing.floor import BEHIND, floor
from ledger.sealing.notes import Signer
from ledger.sealing.sealer import Run, seal, size_of
from ledger.sealing.tree import leaf_hash, root_of
from ledger.vault import WrongKeys
from ledger.verify import verify
from tests.ledger.books import CAMPAIGN, KEYS, NOON, Books

SIGNER = Signer(b"s" * 32, "give.example.org/yarigar")
ZONE = "Asia/Tehran"


def sealed(engine: Engine, **how: Any) -> Run:
    return seal(engine, SIGNER, ZONE, NOON, **how)


def events_sealed(engine: Engine) -> list[int]:
    with reading(engine) as db:
        found = select(leaf.c.event_id).where(leaf.c.event_id.is_not(None)).distinct()
        return sorted(db.scalars(found))


def sound(engine: Engine) -> bool:
    with reading(engine, snapshot=True) as db:
        verdict = verify(db, seal_key=SIGNER.public_key)
        assert verdict.faults == ()
        assert rolled_up(db) == balances(db)
        return verdict.is_sound


def test_facts_become_leaves_of_one_signed_tree(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge, code = books.pledge(amount=100)
    books.pay(pledge, 60)
    books.sign_up("+989121234568")

    run = sealed(ledger_engine)

    with reading(ledger_engine) as db:
        rows = db.execute(select(leaf).order_by(leaf.c.number)).all()
        last = db.execute(select(checkpoint)).one()
    shown = [leaves.read(row.data) for row in rows]
    kinds = [one.kind for one in shown if one.kind != "account"]
    assert sorted(kinds) == ["payment", "pledge"]
    assert [row.number for row in rows] == list(range(run.size))
    hashes = [leaf_hash(row.data) for row in rows]
    assert hashes == sorted(hashes)
    assert run.root == root_of(hashes) == last.root
    assert (last.size, last.day) == (run.size, "2026-11-22")
    assert notes.is_signed(notes.read(last.note), SIGNER.public_key)
    own = next(row for row in rows if leaves.read(row.data).kind == "pledge")
    said = leaves.read(own.data)
    assert said[:5] == ("2026-11-22", CAMPAIGN, "pledge", "rial", 100)
    assert said.commitment == leaves.commitment(own.nonce, code)
    assert sound(ledger_engine)


def test_a_leaf_shows_nothing_that_leads_to_its_donor(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    _, code = books.pledge("+989121234567", amount=100)
    sealed(ledger_engine)
    with reading(ledger_engine) as db:
        published = b"".join(db.scalars(select(leaf.c.data)))
        keys = list(db.scalars(select(event.c.key)))
    for secret in (code, "9121234567", *keys):
        assert secret.encode() not in published


def test_what_is_sealed_is_not_sealed_again(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    books.pledge()
    first = sealed(ledger_engine)
    again = sealed(ledger_engine, all=True)
    assert (again.leaves, again.size, again.root) == (0, first.size, None)
    books.pledge()
    assert sealed(ledger_engine).leaves == 1
    assert sound(ledger_engine)


def test_rehearsals_are_never_sealed(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    books.pledge(test=True)
    assert sealed(ledger_engine, all=True).size == 0
    real, _ = books.pledge()
    sealed(ledger_engine)
    assert events_sealed(ledger_engine) == [real]
    assert sound(ledger_engine)


def test_an_event_in_two_units_has_a_leaf_for_each(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        events.record(
            db,
            key="buy:1",
            kind="purchase",
            body={},
            moved=[
                Moved("X:Package:c:p", "A:Bank:b", "rial", 900, "single"),
                Moved("I:Stock:c:p", "Q:parcel:Clearing", "parcel", 3, "single"),
                Moved("X:Fee:b", "A:Bank:b", "rial", 5, "single"),
            ],
            campaign="c",
            channel="operator",
            test=False,
            at=NOON,
        )
    sealed(ledger_engine)
    with reading(ledger_engine) as db:
        shown = [leaves.read(data) for data in db.scalars(select(leaf.c.data))]
    units = {(one.unit, one.amount) for one in shown if one.kind == "purchase"}
    assert units == {("rial", 900), ("parcel", 3)}
    assert all(one.commitment == b"" for one in shown)
    assert sound(ledger_engine)


def test_a_request_is_sealed_though_it_moves_nothing(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        for kind in ("request.refused", "export.people"):
            events.record(
                db,
                key=kind,
                kind=kind,
                body={"by": "sara"},
                channel="operator",
                test=False,
                at=NOON,
            )
    assert sealed(ledger_engine).leaves == 1
    with reading(ledger_engine) as db:
        shown = leaves.read(db.scalars(select(leaf.c.data)).one())
    assert shown[:5] == ("2026-11-22", "", "request.refused", "", 0)
    assert sound(ledger_engine)


def test_many_batches_make_one_tree(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    for number in range(7):
        books.pledge(f"+98912123456{number}", amount=100 + number)
    run = sealed(ledger_engine, batch=2, batches_max=2)
    assert (run.batches, run.more) == (2, True)
    run = sealed(ledger_engine, batch=2)
    assert (run.batches, run.more) == (2, False)
    with reading(ledger_engine) as db:
        sizes = list(db.scalars(select(checkpoint.c.size).order_by(checkpoint.c.size)))
    assert len(sizes) == 4
    assert sizes[-1] == run.size == 9  # two accounts among them
    assert sound(ledger_engine)


@contextmanager
def hanging(engine: Engine) -> Iterator[psycopg.Connection]:
    """A writer that has recorded a pledge and does not commit yet."""
    url = engine.url.set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(url) as other:
        row = other.execute(
            "INSERT INTO event"
            " (key, kind, body, campaign, channel, test, transfers, at)"
            " VALUES ('late', 'move', '{}', 'c', 'at', false, 1, now()) RETURNING id"
        ).fetchone()
        assert row is not None
        other.execute(
            "INSERT INTO transfer (event_id, number, debit_id, credit_id, unit, amount,"
            " phase) VALUES (%s, 1, 1, 2, 'rial', 5, 'single')",
            row,
        )
        yield other


def test_a_writer_that_hangs_loses_nothing(postgres_ledger_url: str) -> None:
    from ledger.engine import connect

    engine = connect(postgres_ledger_url)
    books = Books(engine)
    books.pledge()
    sealed(engine)
    with hanging(engine) as writer:
        # These were begun and committed while the other one hangs.
        later = [books.pledge(amount=10 + n)[0] for n in range(3)]
        assert sealed(engine, all=True).leaves == 0
        assert sound(engine)
        writer.commit()
    assert sealed(engine).leaves == 4
    assert set(later) < set(events_sealed(engine))
    assert sound(engine)
    engine.dispose()


def test_a_writer_that_gives_up_holds_nobody_up(postgres_ledger_url: str) -> None:
    from ledger.engine import connect

    engine = connect(postgres_ledger_url)
    books = Books(engine)
    books.pledge()
    with hanging(engine) as writer:
        later, _ = books.pledge()
        writer.rollback()
    sealed(engine)
    assert later in events_sealed(engine)
    assert sound(engine)
    engine.dispose()


def test_what_a_restore_brought_is_sealed_at_once(postgres_ledger_url: str) -> None:
    from ledger import migrate
    from ledger.engine import connect

    engine = connect(postgres_ledger_url)
    # The other cluster was older, and had come far further with its transactions.
    with writing(engine) as db:
        db.execute(text("ALTER TABLE event ALTER COLUMN cluster SET DEFAULT 42"))
        db.execute(text("ALTER TABLE event ALTER COLUMN xid SET DEFAULT '9000000000'"))
        db.execute(text("ALTER TABLE transfer DISABLE TRIGGER transfer_guards_insert"))
    brought, _ = Books(engine, name="old").pledge()
    with writing(engine) as db:
        db.execute(
            text("ALTER TABLE event ALTER COLUMN xid SET DEFAULT pg_current_xact_id()")
        )
        db.execute(
            text("ALTER TABLE transfer ENABLE ALWAYS TRIGGER transfer_guards_insert")
        )
    migrate.upgrade(postgres_ledger_url)
    new, _ = Books(engine, name="new").pledge()
    with reading(engine) as db:
        clusters = select(text("cluster")).select_from(event).order_by(event.c.id)
        old_one, new_one = db.scalars(clusters)
        here = db.scalar(text("SELECT system_identifier FROM pg_control_system()"))
    assert (old_one, new_one) == (42, here)
    sealed(engine)
    assert events_sealed(engine) == [brought, new]
    assert sound(engine)
    engine.dispose()


def test_an_id_that_was_drawn_early_is_found_later(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    first, _ = books.pledge()
    sealed(ledger_engine)
    with writing(ledger_engine) as db:
        db.execute(
            text("INSERT INTO meta (name, value) VALUES ('sealed_floor', '999')")
        )
    passed_over, _ = books.pledge()
    assert sealed(ledger_engine).leaves == 0
    assert sealed(ledger_engine, all=True).leaves == 1
    assert events_sealed(ledger_engine) == [first, passed_over]
    assert sound_but_for_the_tail(ledger_engine)


def sound_but_for_the_tail(engine: Engine) -> bool:
    with reading(engine, snapshot=True) as db:
        return verify(db).is_sound


def test_the_floor_stays_behind_the_newest_event(ledger_engine: Engine) -> None:
    sequence = {
        "sqlite": "UPDATE sqlite_sequence SET seq = 50000 WHERE name = 'event'",
        "postgresql": "SELECT setval('event_id_seq', 50000)",
    }
    books = Books(ledger_engine)
    books.pledge()
    with writing(ledger_engine) as db:
        db.execute(text(sequence[ledger_engine.dialect.name]))
    newest, _ = books.pledge()
    sealed(ledger_engine)
    with reading(ledger_engine) as db:
        assert floor(db) == newest - BEHIND
    books.pledge()
    assert sealed(ledger_engine).leaves == 1
    assert sound(ledger_engine)


def test_sealers_that_run_at_once_make_one_tree(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    for number in range(40):
        books.pledge(amount=100 + number)
    runs: list[Run] = []

    def work() -> None:
        runs.append(sealed(ledger_engine, batch=5))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(run.leaves for run in runs) == 42
    with reading(ledger_engine) as db:
        assert size_of(db) == 42
    assert sound(ledger_engine)


class _Died(Exception):
    pass


class _DyingSigner(Signer):
    def sign(self, *_: object) -> str:
        raise _Died


def test_a_sealer_that_dies_leaves_nothing_behind(ledger_engine: Engine) -> None:
    Books(ledger_engine).pledge()
    with pytest.raises(_Died):
        seal(ledger_engine, _DyingSigner(b"s" * 32, "x"), ZONE, NOON)
    with reading(ledger_engine) as db:
        for table in (leaf, tile, checkpoint, rollup):
            assert db.scalar(select(func.count()).select_from(table)) == 0
    sealed(ledger_engine)
    assert sound(ledger_engine)


def test_who_is_erased_while_a_batch_is_prepared_is_not_in_it(
    ledger_engine: Engine,
) -> None:
    pledge, _ = Books(ledger_engine).pledge()
    runs: list[Run] = []
    sealer = threading.Thread(target=lambda: runs.append(sealed(ledger_engine)))
    with writing(ledger_engine) as db:
        person_id = db.scalar(select(event.c.person_id).where(event.c.id == pledge))
        assert person_id is not None
        erasing.erase(
            db,
            KEYS,
            person_id=person_id,
            key="erase:1",
            channel="operator",
            by="sara",
            test=False,
            at=NOON,
        )
        sealer.start()
        # It reads the person as they were, and waits for this transaction.
        sealer.join(1.0)
        assert sealer.is_alive()
    sealer.join()
    assert runs[0].leaves == 4
    with reading(ledger_engine) as db:
        own = db.execute(select(leaf).where(leaf.c.event_id == pledge)).one()
    assert own.nonce is None
    assert leaves.read(own.data).commitment != b""
    assert sound(ledger_engine)


def test_the_rows_of_a_leaf_are_written_as_ever(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge, code = books.pledge(amount=70, purpose="بسته")
    books.cancel(code)
    with reading(ledger_engine) as db:
        found = rows.of_events(db, after=0, until=10)
        key = db.scalar(select(event.c.key).where(event.c.id == pledge))
        person = db.scalar(select(event.c.person_id).where(event.c.id == pledge))
        body = db.scalar(select(cast(event.c.body, Text)).where(event.c.id == pledge))
    assert key is not None
    assert body is not None
    assert found.events[0][4] == (
        f"event;{pledge};{len(key)}:{key};6:pledge;{len(body.encode())}:{body};;{person};"
        "12:one-plus-one;8:بسته;:;:;2:at;:;:;:;0;1;26:2026-11-22 08:30:01.000000;"
    )
    assert found.codes == [(pledge, code, f"code;9:{code};{pledge};")]
    assert [row[-1] for row in found.moved] == [
        f"transfer;1;{pledge};1;1;2;4:rial;70;7:pending;;",
        f"transfer;2;{pledge + 1};1;1;2;4:rial;70;4:void;1;",
    ]
    assert found.resolved == [(2, "resolution;1;1;2;")]


def test_another_key_does_not_seal_these_books(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    books.pledge()
    sealed(ledger_engine)
    books.pledge()
    with pytest.raises(WrongKeys, match="seal_key"):
        seal(ledger_engine, Signer(b"x" * 32, SIGNER.origin), ZONE, NOON)
    assert sealed(ledger_engine).leaves == 1


def test_days_stay_those_of_the_first_zone(ledger_engine: Engine) -> None:
    books = Books(ledger_engine, at=NOON.replace(hour=21))
    books.pledge()
    sealed(ledger_engine)
    books.pledge()
    seal(ledger_engine, SIGNER, "UTC", NOON)
    with reading(ledger_engine) as db:
        shown = [leaves.read(data) for data in db.scalars(select(leaf.c.data))]
    # It is past midnight in Tehran.
    assert {one.day for one in shown} == {"2026-11-23", ""}
    assert sound(ledger_engine)


def test_a_clock_that_was_set_back_does_not_reorder_seals(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    books.pledge()
    sealed(ledger_engine)
    books.pledge()
    seal(ledger_engine, SIGNER, ZONE, NOON - timedelta(days=3))
    with reading(ledger_engine) as db:
        days = db.scalars(select(checkpoint.c.day).order_by(checkpoint.c.size)).all()
    assert days == ["2026-11-22", "2026-11-22"]
    assert sound(ledger_engine)


def test_sums_beyond_64_bits_are_refused(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    for _ in range(2):
        books.move(Moved("A:Bank:a", "L:Suspense:a", "rial", 2**62, "single"))
    with pytest.raises(rollups.TooMuch):
        sealed(ledger_engine)
    with reading(ledger_engine) as db:
        assert size_of(db) == 0


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.sampled_from(["pledge", "pay", "cancel", "seal", "all"]), max_size=9)
)
def test_balances_are_the_same_by_rollups(
    ledger_engine: Engine, deeds: list[str]
) -> None:
    with reading(ledger_engine) as db:
        before = db.scalar(select(func.count()).select_from(event))
    books = Books(ledger_engine, name=f"run{before}")
    for deed in deeds:
        if deed in ("seal", "all"):
            sealed(ledger_engine, all=deed == "all")
            continue
        pledge, code = books.pledge(amount=100)
        if deed == "pay":
            books.pay(pledge, 30)
        elif deed == "cancel":
            books.cancel(code)
    with reading(ledger_engine, snapshot=True) as db:
        assert rolled_up(db) == balances(db)


def test_text_that_looks_like_two_columns_is_one(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        row = {
            "kind": "gift",
            "body": {},
            "channel": "at",
            "test": False,
            "transfers": 1,
            "at": NOON,
        }
        db.execute(insert(event).values(key="a", campaign="x;1:y", **row))
        db.execute(insert(event).values(key="b", campaign="x", purpose="y", **row))
    with reading(ledger_engine) as db:
        found = rows.of_events(db, after=0, until=10).events
    assert "5:x;1:y;:;" in found[0][4]
    assert "1:x;1:y;" in found[1][4]
    assert len({row[4].partition(";")[2].partition(";")[2] for row in found}) == 2


def test_a_ledger_that_is_away_says_so(sqlite_url: str) -> None:
    from ledger.engine import connect

    with pytest.raises(LedgerError):
        sealed(connect(sqlite_url))
