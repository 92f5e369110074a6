"""Gifts that are to be paid back: not more than came, and nothing that is spent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine

from ledger import batches, pledges, refunds
from ledger.balances import balances
from ledger.batches import Purchase
from ledger.engine import reading, writing
from ledger.money_rules import MONEY_RULES
from ledger.payments import Kind
from ledger.refunds import Refunded, refund
from ledger.requests import Refused
from tests.ledger.books import CAMPAIGN, NOON, Books
from tests.ledger.races import at_once

LATER = NOON + timedelta(days=1)


def _refund(engine: Engine, code: str, amount: int, key: str = "refund:1") -> Refunded:
    with writing(engine) as db:
        return refund(db, key=key, code=code, amount=amount, by="sara", at=LATER)


def _stands_on(engine: Engine, account: str) -> int:
    """What is posted to an account; debit counts up."""
    with reading(engine) as db:
        for rule in MONEY_RULES:
            assert db.execute(rule.query).all() == [], rule.what
        return sum(one.posted for one in balances(db) if one.account == account)


def _spend(engine: Engine, cost: int) -> None:
    with writing(engine) as db:
        _buy(db, cost)


def _buy(db: Connection, cost: int) -> object:
    return batches.buy(
        db,
        Purchase(
            key="batch:1",
            campaign=CAMPAIGN,
            purpose="nowruz",
            title="Parcels",
            unit="parcel",
            quantity=1,
            cost=cost,
            bank="main",
            by="sara",
            test=False,
            at=LATER,
        ),
    )


def test_what_is_agreed_stands_as_owed_until_it_is_paid_back(ledger_engine: Engine):
    books = Books(ledger_engine)
    event_id, code = books.pledge(amount=750_000)
    books.pay(event_id, 750_000)
    done = _refund(ledger_engine, code, 250_000)
    assert (done.amount, done.given.event_id) == (250_000, event_id)
    assert _stands_on(ledger_engine, f"L:Refund:{CAMPAIGN}") == -250_000
    with reading(ledger_engine) as db:
        stands = pledges.pledge_by_id(db, event_id)
    assert stands is not None
    assert (stands.state, stands.refunded) == ("paid", 250_000)
    _refund(ledger_engine, code, 500_000, "refund:2")
    with reading(ledger_engine) as db:
        stands = pledges.pledge_by_id(db, event_id)
    assert stands is not None
    assert stands.state == "refunded"
    books.give_back(750_000, Kind.REFUND, code=code)
    assert _stands_on(ledger_engine, f"L:Refund:{CAMPAIGN}") == 0


def test_no_more_goes_back_than_came(ledger_engine: Engine):
    books = Books(ledger_engine)
    event_id, code = books.pledge(amount=750_000)
    with pytest.raises(Refused):
        _refund(ledger_engine, code, 1)
    books.pay(event_id, 500_000)
    # There is money of others in the same purpose.
    other_id, _ = books.pledge(phone="+989351112233")
    books.pay(other_id, 750_000)
    with pytest.raises(Refused, match="only 500000 rial"):
        _refund(ledger_engine, code, 500_001)
    _refund(ledger_engine, code, 400_000)
    with pytest.raises(Refused, match="only 100000 rial"):
        _refund(ledger_engine, code, 100_001, "refund:2")
    assert _stands_on(ledger_engine, f"L:Refund:{CAMPAIGN}") == -400_000


def test_a_gift_at_a_till_can_be_paid_back(ledger_engine: Engine):
    books = Books(ledger_engine)
    given = books.give(300_000)
    assert given.code is not None
    _refund(ledger_engine, given.code, 300_000)
    with pytest.raises(Refused):
        _refund(ledger_engine, given.code, 1, "refund:2")
    assert _stands_on(ledger_engine, f"L:Refund:{CAMPAIGN}") == -300_000


def test_goods_are_not_paid_back(ledger_engine: Engine):
    books = Books(ledger_engine)
    _, code = books.pledge(amount=3, unit="parcel")
    with pytest.raises(Refused, match="parcel"):
        _refund(ledger_engine, code, 1)


def test_an_unknown_code_is_refused(ledger_engine: Engine):
    with pytest.raises(Refused, match="no pledge and no gift"):
        _refund(ledger_engine, "123456782", 1)


def test_the_same_key_pays_back_once(ledger_engine: Engine):
    books = Books(ledger_engine)
    event_id, code = books.pledge(amount=750_000)
    books.pay(event_id, 750_000)
    first = _refund(ledger_engine, code, 750_000)
    assert _refund(ledger_engine, code, 750_000).event_id == first.event_id
    assert _stands_on(ledger_engine, f"L:Refund:{CAMPAIGN}") == -750_000


def test_money_that_is_spent_does_not_go_back(ledger_engine: Engine):
    books = Books(ledger_engine)
    event_id, code = books.pledge(amount=750_000)
    books.pay(event_id, 750_000)
    _spend(ledger_engine, 600_000)
    with pytest.raises(Refused, match="150000"):
        _refund(ledger_engine, code, 150_001)
    _refund(ledger_engine, code, 150_000)
    assert _stands_on(ledger_engine, f"L:Refund:{CAMPAIGN}") == -150_000


def test_two_refunds_at_once_do_not_pay_more_back_than_came(
    ledger_engine: Engine, ledger_url: str
):
    books = Books(ledger_engine)
    event_id, code = books.pledge(amount=750_000)
    books.pay(event_id, 750_000)
    till = books.give(750_000)
    assert till.code is not None
    for wanted in (code, till.code):

        def back(number: int, wanted: str = wanted) -> object:
            def act(db: Connection) -> object:
                key = f"refund:{wanted}:{number}"
                return refund(
                    db, key=key, code=wanted, amount=500_000, by="sara", at=LATER
                )

            return act

        results = at_once(ledger_url, *(back(number) for number in range(4)))
        assert sum(isinstance(one, Refunded) for one in results) == 1
    assert _stands_on(ledger_engine, f"L:Refund:{CAMPAIGN}") == -1_000_000


def test_a_refund_and_a_purchase_at_once_do_not_use_the_same_money(
    ledger_engine: Engine, ledger_url: str
):
    books = Books(ledger_engine)
    event_id, code = books.pledge(amount=750_000)
    books.pay(event_id, 750_000)

    def back(db: Connection) -> object:
        return refund(
            db, key="refund:1", code=code, amount=500_000, by="sara", at=LATER
        )

    def spend(db: Connection) -> object:
        return _buy(db, 500_000)

    results = at_once(ledger_url, back, spend)
    assert sum(isinstance(one, Refused) for one in results) == 1
    owed = _stands_on(ledger_engine, f"L:Refund:{CAMPAIGN}")
    spent = _stands_on(ledger_engine, f"X:Package:{CAMPAIGN}:nowruz")
    assert sorted([-owed, spent]) == [0, 500_000]


def test_what_is_left_to_pay_back_is_told(ledger_engine: Engine):
    books = Books(ledger_engine)
    event_id, code = books.pledge(amount=750_000)
    books.pay(event_id, 500_000)
    with reading(ledger_engine) as db:
        assert refunds.left_of(refunds.given(db, code)) == 500_000
    _refund(ledger_engine, code, 200_000)
    with reading(ledger_engine) as db:
        assert refunds.left_of(refunds.given(db, code)) == 300_000
