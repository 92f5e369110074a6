"""Refunds told before, beside or instead of their payments: no rial counted twice."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Engine

from ledger import funds, gifts, payments, refunds
from ledger.corrections import correct
from ledger.engine import connect, reading, writing
from ledger.payments import Kind, Outcome, Payment
from ledger.requests import Refused
from ledger.tracing_gifts import Purpose
from tests.ledger.books import CAMPAIGN, KEYS, NOON, Books
from tests.ledger.test_payments import OTHER_PHONE, PHONE, posted, standing, unsound

GIVEN = f"N:Donation:{CAMPAIGN}:nowruz"


class Beside:
    """An act in a transaction of its own, begun while another one is open."""

    def __init__(self, url: str, act: Callable[[Connection], object]) -> None:
        self.result: object = None
        self._act = act
        self._engine = connect(url, pool_size=1)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def waits(self) -> bool:
        self._thread.join(0.4)
        return self._thread.is_alive()

    def ended(self) -> object:
        self._thread.join()
        self._engine.dispose()
        return self.result

    def _run(self) -> None:
        try:
            with writing(self._engine) as db:
                self.result = self._act(db)
        except Refused as refused:
            self.result = refused


def told(amount: int, kind: Kind, outside_id: str, **more: str) -> Payment:
    return Payment("psp", outside_id, kind, amount, NOON, **more)


def pay(db: Connection, payment: Payment) -> payments.Paid:
    do = payments.pay if payment.kind is Kind.PAYMENT else payments.told_back
    return do(db, KEYS, payment, channel="psp", test=False, at=NOON)


def test_what_went_back_before_it_came_is_said_with_the_payment(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    pledge_id, code = books.pledge(amount=100)
    books.give_back(130, outside_id="a")
    paid = books.pay(pledge_id, 130, outside_id="a")
    assert (paid.outcome, paid.matched, paid.returned) == (Outcome.EXCESS, 100, 130)
    books.give_back(20, code=code)
    assert books.pay(None, 70, code=code).returned == 20
    assert books.pay(None, 70).returned == 0


@pytest.mark.parametrize("first", [Kind.PAYMENT, Kind.REFUND])
def test_a_payment_and_its_refund_at_once_find_each_other(
    first: Kind, ledger_engine: Engine, ledger_url: str
) -> None:
    books = Books(ledger_engine)
    pledge_id, code = books.pledge(amount=100)
    # Else one would wait for the other to open the accounts.
    books.pay(None, 5)
    both = [told(100, Kind.PAYMENT, "a", code=code), told(100, Kind.REFUND, "a")]
    one, other = both if first is Kind.PAYMENT else reversed(both)
    with writing(ledger_engine) as db:
        pay(db, one)
        beside = Beside(ledger_url, lambda db: pay(db, other))
        beside.waits()
    beside.ended()
    assert standing(ledger_engine, pledge_id).refunded == 100
    assert posted(ledger_engine) == {"A:Settle:psp": 5, "L:Suspense:psp": -5}


def test_two_payments_of_a_source_do_not_wait_for_each_other(
    postgres_ledger_url: str,
) -> None:
    engine = connect(postgres_ledger_url)
    Books(engine).pay(None, 5)
    with writing(engine) as db:
        pay(db, told(100, Kind.PAYMENT, "a"))
        beside = Beside(
            postgres_ledger_url, lambda db: pay(db, told(100, Kind.PAYMENT, "b"))
        )
        assert not beside.waits()
    beside.ended()
    engine.dispose()


def test_a_refund_told_before_its_sale_at_a_till_is_explained(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    books.give_back(40, source="shop", outside_id="s1/1/7")
    sale = Payment("shop", "s1/1/7", Kind.PAYMENT, 50, NOON)
    with writing(ledger_engine) as db:
        given = gifts.give_at_till(
            db,
            KEYS,
            sale,
            campaign=CAMPAIGN,
            purpose="nowruz",
            channel="shop",
            test=False,
            at=NOON,
        )
    assert (given.outcome, given.matched, given.returned) == (Outcome.GIFT, 50, 40)
    assert posted(ledger_engine) == {"A:Settle:shop": 10, GIVEN: -10}
    with reading(ledger_engine) as db:
        assert unsound(db) == []


def test_a_word_that_many_payments_carry_takes_nobody_elses_money(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    _, theirs = books.pledge(amount=100)
    pledge_id, _ = books.pledge(OTHER_PHONE, amount=500)
    books.give_back(100, code=theirs, reference="online")
    assert books.pay(pledge_id, 500, "online").returned == 0
    assert standing(ledger_engine, pledge_id).refunded == 0


@pytest.mark.parametrize("how", ["refund", "correction"])
def test_a_gift_goes_back_once_when_two_take_it_back_at_once(
    how: str, ledger_engine: Engine, ledger_url: str
) -> None:
    given = Books(ledger_engine).give(100, PHONE)
    code, event_id = given.code, given.event_id
    assert code is not None
    assert event_id is not None

    def agreed(db: Connection) -> object:
        if how == "refund":
            return refunds.refund(
                db, key="refund:1", code=code, amount=100, by="sara", at=NOON
            )
        return correct(db, payment_id=event_id, was=100, amount=0, by="sara", at=NOON)

    with writing(ledger_engine) as db:
        back = Payment("shop", "r", Kind.REVERSAL, 100, NOON, code=code)
        payments.told_back(db, KEYS, back, channel="shop", test=False, at=NOON)
        beside = Beside(ledger_url, agreed)
        assert beside.waits()
    assert isinstance(beside.ended(), Refused)
    with reading(ledger_engine) as db:
        found = gifts.gift_by_code(db, code)
    assert found is not None
    assert found.refunded == 100


def test_money_that_goes_back_waits_for_who_spends_of_its_purpose(
    ledger_engine: Engine, ledger_url: str
) -> None:
    books = Books(ledger_engine)
    pledge_id, code = books.pledge(amount=100)
    books.pay(pledge_id, 100)
    back = told(100, Kind.REVERSAL, "r", code=code)
    with writing(ledger_engine) as db:
        funds.lock(db, Purpose(CAMPAIGN, "nowruz", False))
        beside = Beside(ledger_url, lambda db: pay(db, back))
        assert beside.waits()
    beside.ended()
    assert standing(ledger_engine, pledge_id).refunded == 100


def test_a_refund_from_two_people_names_neither_to_the_other(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    second, code = books.pledge(PHONE, amount=30)
    first, _ = books.pledge(OTHER_PHONE, amount=100)
    paid = books.pay(first, 130, outside_id="a")
    assert paid.event_id is not None
    with writing(ledger_engine) as db:
        payments.match(
            db,
            payment_id=paid.event_id,
            code=code,
            by="mina",
            why="the payer called",
            at=books.at,
        )
    back = books.give_back(130, Kind.REVERSAL, outside_id="a")
    assert standing(ledger_engine, first).refunded == 100
    assert standing(ledger_engine, second).refunded == 30
    assert (back.matched, back.code, back.person_id) == (130, None, None)
