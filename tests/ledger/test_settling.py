"""What services paid into the bank."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Engine

from ledger.balances import balances
from ledger.engine import reading, writing
from ledger.incoming import Kind, Payment
from ledger.settling import Settled, booked, settle, settled, told_in
from tests.ledger.books import NOON, Books

DAY = date(2026, 11, 23)


def _settle(
    engine: Engine, event_id: int, amount: int, fee: int, *, times: int = 0
) -> int:
    told = Payment("psp", "p1", Kind.PAYMENT, amount, NOON)
    with writing(engine) as db:
        return settle(
            db,
            told,
            event_id,
            amount=amount,
            fee=fee,
            times=times,
            bank="main",
            on=DAY,
            channel="psp",
            test=False,
            at=NOON + timedelta(days=1),
        )


def _posted(engine: Engine) -> dict[str, int]:
    with reading(engine) as db:
        return {one.account: one.posted for one in balances(db) if one.posted}


def test_a_settlement_is_booked_once_and_its_difference_beside_it(
    ledger_engine: Engine,
):
    event_id = Books(ledger_engine).pay(None, 1_000, outside_id="p1").event_id
    assert event_id is not None
    first = _settle(ledger_engine, event_id, 1_000, 100)
    assert _settle(ledger_engine, event_id, 1_000, 100) == first
    assert _posted(ledger_engine) == {
        "A:Bank:main": 900,
        "X:Fee:psp": 100,
        "L:Suspense:psp": -1_000,
    }
    _settle(ledger_engine, event_id, -200, -20, times=1)
    with reading(ledger_engine) as db:
        assert settled(db, [event_id, 77]) == {event_id: Settled(800, 80, 2, DAY)}
    assert _posted(ledger_engine) == {
        "A:Bank:main": 720,
        "X:Fee:psp": 80,
        "A:Settle:psp": 200,
        "L:Suspense:psp": -1_000,
    }


def test_a_fee_that_takes_all_leaves_the_bank_alone(ledger_engine: Engine):
    event_id = Books(ledger_engine).pay(None, 50, outside_id="p1").event_id
    assert event_id is not None
    _settle(ledger_engine, event_id, 50, 50)
    assert _posted(ledger_engine) == {"X:Fee:psp": 50, "L:Suspense:psp": -50}


def test_what_a_source_told_is_found_by_its_key_and_by_its_time(
    ledger_engine: Engine,
):
    books = Books(ledger_engine)
    for hour, name in enumerate("abcde"):
        books.pay(
            None, 10 + hour, outside_id=name, paid_at=NOON + timedelta(hours=hour)
        )
    books.pay(None, 5, outside_id="f", source="other", paid_at=NOON)
    with reading(ledger_engine) as db:
        found = told_in(
            db,
            "psp",
            since=NOON + timedelta(hours=1),
            until=NOON + timedelta(hours=4),
            size=2,
        )
        assert [(one.outside_id, one.amount) for one in found] == [
            ("b", 11),
            ("c", 12),
            ("d", 13),
        ]
        asked = [Payment("psp", name, Kind.PAYMENT, 1, NOON) for name in "bz"]
        known = booked(db, asked)
    assert list(known) == ["pay:psp:payment:b"]
    assert known["pay:psp:payment:b"].amount == 11
    assert known["pay:psp:payment:b"].paid_at == NOON + timedelta(hours=1)
