"""Payments with a wrong amount, put right without a change to any fact."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from ledger import gifts, migrate, payments, pledges
from ledger.balances import balances
from ledger.corrections import Corrected, correct, payment_of
from ledger.engine import connect, reading, writing
from ledger.money_rules import MONEY_RULES
from ledger.payments import Kind
from ledger.pledges import Pledge
from ledger.requests import Refused
from tests.ledger.books import CAMPAIGN, KEYS, NOON, Books
from tests.ledger.races import at_once

LATER = NOON + timedelta(days=1)


def _correct(engine: Engine, payment_id: int, was: int, amount: int) -> Corrected:
    with writing(engine) as db:
        return correct(
            db, payment_id=payment_id, was=was, amount=amount, by="sara", at=LATER
        )


def _posted(engine: Engine) -> dict[str, int]:
    """What stands on each account, after a look that all rules of money hold."""
    with reading(engine) as db:
        for rule in MONEY_RULES:
            assert db.execute(rule.query).all() == [], rule.what
        return {one.account: one.posted for one in balances(db) if one.posted}


def _pledge(engine: Engine, event_id: int) -> Pledge:
    with reading(engine) as db:
        found = pledges.pledge_by_id(db, event_id)
    assert found is not None
    return found


def _paid(books: Books, amount: int, *, code: str | None = None) -> int:
    paid = books.pay(None, amount, code=code)
    assert paid.event_id is not None
    return paid.event_id


def test_what_came_besides_waits_for_its_pledge(ledger_engine: Engine):
    books = Books(ledger_engine)
    event_id, code = books.pledge(amount=750_000)
    payment_id = _paid(books, 75_000, code=code)
    # Ten times as much had come: somebody had taken toman for rial.
    done = _correct(ledger_engine, payment_id, 75_000, 750_000)
    assert (done.was, done.amount, len(done.event_ids)) == (75_000, 750_000, 1)
    assert _posted(ledger_engine)["L:Suspense:psp"] == -675_000
    with reading(ledger_engine) as db:
        assert payments.due(db, at=LATER, limit=10) == [payment_id]
    with writing(ledger_engine) as db:
        payments.match_waiting(db, payment_id=payment_id, at=LATER)
    assert _pledge(ledger_engine, event_id).paid == 750_000
    assert _posted(ledger_engine)["A:Settle:psp"] == 750_000


def test_what_never_came_is_taken_out_of_suspense_first(ledger_engine: Engine):
    books = Books(ledger_engine)
    event_id, code = books.pledge(amount=500_000)
    payment_id = _paid(books, 700_000, code=code)
    _correct(ledger_engine, payment_id, 700_000, 600_000)
    assert _posted(ledger_engine)["L:Suspense:psp"] == -100_000
    assert _pledge(ledger_engine, event_id).refunded == 0
    _correct(ledger_engine, payment_id, 600_000, 450_000)
    assert _posted(ledger_engine) == {
        "A:Settle:psp": 450_000,
        f"N:Donation:{CAMPAIGN}:nowruz": -450_000,
    }
    assert _pledge(ledger_engine, event_id).refunded == 50_000


def test_a_payment_that_never_came_is_taken_back_from_all_it_reached(
    ledger_engine: Engine,
):
    books = Books(ledger_engine)
    first_id, code = books.pledge(amount=500_000)
    second_id, other = books.pledge(amount=200_000, phone="+989351112233")
    payment_id = _paid(books, 800_000, code=code)
    with writing(ledger_engine) as db:
        payments.match(
            db, payment_id=payment_id, code=other, by="sara", why="she said", at=LATER
        )
        gift = gifts.accept(
            db,
            KEYS,
            payment_id=payment_id,
            campaign=CAMPAIGN,
            purpose="children",
            by="sara",
            why="nobody asked",
            at=LATER,
        )
    done = _correct(ledger_engine, payment_id, 800_000, 0)
    assert len(done.event_ids) == 3
    assert _pledge(ledger_engine, first_id).state == "refunded"
    assert _pledge(ledger_engine, second_id).state == "refunded"
    assert gift.code is not None
    with reading(ledger_engine) as db:
        found = gifts.gift_by_code(db, gift.code)
    assert found is not None
    assert found.refunded == 100_000
    assert _posted(ledger_engine) == {}


def test_the_last_thing_a_payment_reached_gives_back_first(ledger_engine: Engine):
    books = Books(ledger_engine)
    first_id, code = books.pledge(amount=500_000)
    second_id, other = books.pledge(amount=200_000, phone="+989351112233")
    payment_id = _paid(books, 700_000, code=code)
    with writing(ledger_engine) as db:
        payments.match(
            db, payment_id=payment_id, code=other, by="sara", why="she said", at=LATER
        )
    _correct(ledger_engine, payment_id, 700_000, 600_000)
    assert _pledge(ledger_engine, second_id).refunded == 100_000
    _correct(ledger_engine, payment_id, 600_000, 400_000)
    assert _pledge(ledger_engine, second_id).refunded == 200_000
    assert _pledge(ledger_engine, first_id).refunded == 100_000


def test_a_gift_at_a_till_is_corrected(ledger_engine: Engine):
    books = Books(ledger_engine)
    given_back = books.give(300_000)
    assert given_back.event_id is not None
    assert given_back.code is not None
    _correct(ledger_engine, given_back.event_id, 300_000, 30_000)
    with reading(ledger_engine) as db:
        found = gifts.gift_by_code(db, given_back.code)
    assert found is not None
    assert found.refunded == 270_000
    assert _posted(ledger_engine)["A:Settle:shop"] == 30_000


def test_what_went_back_to_its_payer_is_not_taken_a_second_time(
    ledger_engine: Engine,
):
    books = Books(ledger_engine)
    _, code = books.pledge(amount=500_000)
    payment_id = _paid(books, 500_000, code=code)
    books.give_back(300_000, Kind.REVERSAL, code=code)
    with pytest.raises(Refused, match="100000 rial"):
        _correct(ledger_engine, payment_id, 500_000, 200_000)
    _correct(ledger_engine, payment_id, 500_000, 300_000)
    assert _posted(ledger_engine) == {}


@pytest.mark.parametrize(("was", "amount"), [(400_000, 1), (500_000, 500_000)])
def test_a_correction_of_another_amount_or_of_none_is_refused(
    ledger_engine: Engine, was: int, amount: int
):
    books = Books(ledger_engine)
    payment_id = _paid(books, 500_000)
    with pytest.raises(Refused, match="500000"):
        _correct(ledger_engine, payment_id, was, amount)


def test_an_unknown_payment_is_refused(ledger_engine: Engine):
    with pytest.raises(Refused, match="no payment"):
        _correct(ledger_engine, 99, 1, 2)
    with reading(ledger_engine) as db:
        assert payment_of(db, "psp", "nothing") is None


def test_two_corrections_at_once_correct_once(ledger_engine: Engine, ledger_url: str):
    books = Books(ledger_engine)
    payment_id = _paid(books, 500_000)

    def put_right(db: Connection) -> object:
        return correct(
            db, payment_id=payment_id, was=500_000, amount=50_000, by="sara", at=LATER
        )

    results = at_once(ledger_url, put_right, put_right, put_right)
    assert sum(isinstance(one, Corrected) for one in results) == 1
    assert _posted(ledger_engine)["A:Settle:psp"] == 50_000


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(0, 1_000_000), min_size=1, max_size=5))
def test_any_row_of_corrections_ends_at_the_last_amount(amounts: list[int]):
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        migrate.upgrade(url)
        engine = connect(url)
        books = Books(engine)
        event_id, code = books.pledge(amount=400_000)
        payment_id, was = _paid(books, 500_000, code=code), 500_000
        for amount in amounts:
            if amount != was:
                _correct(engine, payment_id, was, amount)
                was = amount
        posted = _posted(engine)
        stands = _pledge(engine, event_id)
        kept, waits = stands.paid - stands.refunded, -posted.get("L:Suspense:psp", 0)
        assert posted.get("A:Settle:psp", 0) == was == kept + waits
        assert kept >= 0
        engine.dispose()
