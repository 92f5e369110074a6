from __future__ import annotations

import gc
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ledger import migrate
from ledger.engine import connect, reading
from ledger.sealing import ahead
from ledger.sealing.ahead import Ended
from ledger.sealing.preparing import prepare
from ledger.sealing.sealer import seal
from ledger.verify import verify
from tests.ledger.books import NOON, Books
from tests.ledger.sealing.test_sealer import SIGNER, ZONE


def test_other_processes_prepare_what_this_one_would(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    for amount in range(100, 109):
        pledge, _ = books.pledge(amount=amount)
        books.pay(pledge, 50)
    with reading(ledger_engine, snapshot=True) as db:
        here = [prepare(db, ZONE, after=n, until=n + 4) for n in range(0, 18, 4)]

    found = list(
        ahead.prepared(ledger_engine, ZONE, after=0, last=18, width=4, processes=2)
    )

    assert [one.last for one in found] == [4, 8, 12, 16, 18]
    assert [one.moved for one in found] == [one.moved for one in here if one]
    for batch, own in zip(found, here, strict=True):
        assert own is not None
        # Salts are thrown anew: the rest of a leaf is the same.
        marks = {(leaf[1], leaf[6]) for leaf in own.leaves}
        assert {(leaf[1], leaf[6]) for leaf in batch.leaves} == marks
        assert batch.leaves == sorted(batch.leaves)


def test_a_tree_of_batches_prepared_ahead_is_sound(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    for amount in range(100, 120):
        books.pledge(amount=amount)
    run = seal(ledger_engine, SIGNER, ZONE, NOON, batch=3, processes=2)
    assert (run.leaves, run.batches, run.more) == (22, 7, False)
    with reading(ledger_engine, snapshot=True) as db:
        assert verify(db, seal_key=SIGNER.public_key).faults == ()


def test_a_few_batches_of_many_are_sealed_and_the_rest_waits(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    for amount in range(100, 120):
        books.pledge(amount=amount)
    run = seal(ledger_engine, SIGNER, ZONE, NOON, batch=3, batches_max=2, processes=2)
    assert (run.batches, run.more) == (2, True)
    assert seal(ledger_engine, SIGNER, ZONE, NOON).size == 22


def test_a_range_without_facts_makes_no_batch(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    books.pledge()
    for number in range(4):
        books.sign_up(f"+98912123456{number}")
    books.pledge()
    found = ahead.prepared(ledger_engine, ZONE, after=0, last=6, width=2, processes=2)
    assert [one.last for one in found] == [1, 6]


def test_a_batch_leaves_nothing_to_a_collector_that_is_off(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    for amount in range(100, 109):
        pledge, _ = books.pledge(amount=amount)
        books.pay(pledge, 50)

    def prepare_all() -> None:
        for n in range(0, 18, 2):
            with reading(ledger_engine, snapshot=True) as db:
                assert prepare(db, ZONE, after=n, until=n + 2) is not None

    # What is compiled once is once in the way.
    prepare_all()
    gc.collect()
    gc.disable()
    try:
        prepare_all()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_process_that_ended_is_told_of(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/none/at-all.db")
    asked = ahead.prepared(engine, ZONE, after=0, last=9, width=3, processes=1)
    with pytest.raises(Ended):
        next(asked)


def test_where_no_process_can_be_had_the_sealer_goes_on_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    migrate.upgrade(url)
    engine = connect(url)
    Books(engine).pledge()
    # What it would run ends at once.
    monkeypatch.setattr("sys.executable", "/bin/false")
    run = seal(engine, SIGNER, ZONE, NOON, processes=2)
    assert (run.leaves, run.more) == (3, False)
    engine.dispose()
