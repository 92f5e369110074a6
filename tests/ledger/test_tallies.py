from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from ledger import events, schema, tallies
from ledger.engine import Connection, Engine, reading, writing
from ledger.tallies import Key, Sum, count_run, miscounted, sums
from ledger.verify import verify
from tests.ledger.facts import AT, pledge

LATER = AT + timedelta(hours=2)
KINDS = ("pledge", "delivery")


@pytest.fixture(autouse=True)
def _short_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "RUN_EVENTS", 4)


def _deliver(db: Connection, number: int, district: str, *, test: bool = False) -> None:
    events.record(
        db,
        key=f"delivery:{number}",
        kind="delivery",
        body={},
        campaign="winter",
        district=district,
        channel="at",
        test=test,
        at=AT,
    )


def _fill(engine: Engine, number: int) -> None:
    """So many facts, one after the other: pledges, deliveries and a rehearsal."""
    for n in range(number):
        with writing(engine) as db:
            if n % 3 == 0:
                pledge(db, f"at:{n}", amount=1000 + n)
            else:
                _deliver(db, n, f"23-t{1 + n % 2}", test=n % 7 == 5)


def _count(engine: Engine) -> int:
    counted = 0
    while count_run(engine, LATER):
        counted += 1
    return counted


def test_counted_runs_and_the_rest_come_to_what_the_events_do(
    ledger_engine: Engine,
) -> None:
    _fill(ledger_engine, 23)
    with reading(ledger_engine, snapshot=True) as db:
        before = sums(db, kinds=KINDS)
    assert _count(ledger_engine) == 5
    with reading(ledger_engine, snapshot=True) as db:
        assert sums(db, kinds=KINDS) == before
        assert miscounted(db) == []
        assert before[Key("", "winter", "pledge", "rial")] == Sum(
            8, sum(1000 + n for n in range(0, 23, 3))
        )
        by_district = {
            key.place: sum.number
            for key, sum in sums(db, kinds=["delivery"], campaign="winter").items()
        }
        assert sum(by_district.values()) == 15 - 2
        assert sums(db, kinds=KINDS, campaign="spring") == {}


def test_a_run_that_something_may_still_come_to_is_not_counted(
    ledger_engine: Engine,
) -> None:
    _fill(ledger_engine, 9)
    assert not count_run(ledger_engine, AT + timedelta(minutes=59))
    assert _count(ledger_engine) == 2


def test_an_open_transaction_keeps_its_run_open_on_postgresql(
    ledger_engine: Engine,
) -> None:
    if ledger_engine.dialect.name == "sqlite":
        # There a transaction that writes is alone, and ids are in order of commits.
        _fill(ledger_engine, 9)
        assert _count(ledger_engine) == 2
        return
    with writing(ledger_engine) as hanging:
        _deliver(hanging, 99, "23-t1")
        _fill(ledger_engine, 9)
        assert _count(ledger_engine) == 0
    assert _count(ledger_engine) == 2
    with reading(ledger_engine, snapshot=True) as db:
        assert miscounted(db) == []


def test_an_open_transaction_that_drew_the_last_id_of_a_run_keeps_it_open(
    ledger_engine: Engine,
) -> None:
    _fill(ledger_engine, 2)
    if ledger_engine.dialect.name == "sqlite":
        _fill(ledger_engine, 9)
        assert _count(ledger_engine) == 2
        return
    with writing(ledger_engine) as hanging:
        # Ids 0 to 3 are the first run: whoever comes behind it was later.
        _deliver(hanging, 99, "23-t1")
        for number in range(100, 103):
            with writing(ledger_engine) as db:
                _deliver(db, number, "23-t2")
        assert _count(ledger_engine) == 0
    assert _count(ledger_engine) == 1
    with reading(ledger_engine, snapshot=True) as db:
        assert miscounted(db) == []


def test_a_count_that_was_changed_by_hand_is_named(ledger_engine: Engine) -> None:
    _fill(ledger_engine, 9)
    _count(ledger_engine)
    with writing(ledger_engine) as db:
        tally = schema.tally.c
        assert db.scalar(select(tally.number).where(tally.run == 1)) is not None
        db.execute(
            update(schema.tally)
            .where(tally.run == 1, tally.kind == "pledge")
            .values(number=tally.number + 1)
        )
    with reading(ledger_engine, snapshot=True) as db:
        assert miscounted(db) == [1]
        (fault,) = [one for one in verify(db).faults if one.table == "tally"]
    assert (fault.id, fault.what) == ("1", "is not what the events of its run come to")
