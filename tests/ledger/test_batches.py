from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from ledger import batches, chart
from ledger.balances import balances
from ledger.batches import Wrong
from ledger.engine import reading, writing
from ledger.funds import Spent
from tests.ledger.books import CAMPAIGN, Books
from tests.ledger.purchases import PURPOSE, Shop


@pytest.fixture
def shop(ledger_engine: Engine) -> Shop:
    return Shop(Books(ledger_engine))


def _stands(shop: Shop) -> dict[str, int]:
    with reading(shop.books.engine) as db:
        return {one.account: one.posted for one in balances(db)}


def test_a_purchase_turns_money_of_its_purpose_into_goods(shop: Shop) -> None:
    shop.given(1000)
    done = shop.buy(700, quantity=24)
    assert (done.batch.number, done.batch.where.stock, done.first) == (1, 24, True)
    stands = _stands(shop)
    assert stands[chart.package(CAMPAIGN, PURPOSE)] == 700
    assert stands[chart.bank("main")] == -700
    assert stands[chart.stock(CAMPAIGN, PURPOSE)] == 24
    assert shop.unspent() == 300


def test_more_than_is_unspent_is_refused_with_the_figures(shop: Shop) -> None:
    pledge_id = shop.given(1000)
    shop.buy(600)
    shop.taken_back(pledge_id, 100)
    with pytest.raises(Spent, match="301 rial .* 300 .*1000 given, 100 paid .* 600 sp"):
        shop.buy(301)
    assert shop.unspent() == 300
    assert shop.buy(300).batch.number == 2


def test_money_of_another_purpose_is_not_touched(shop: Shop) -> None:
    shop.given(1000)
    with pytest.raises(Spent):
        Shop(shop.books, purpose="children").buy(1)


def test_what_was_only_promised_buys_nothing(shop: Shop) -> None:
    shop.books.pledge(amount=1000)
    with pytest.raises(Spent):
        shop.buy(1)


def test_a_rehearsal_spends_no_real_money(shop: Shop) -> None:
    shop.given(1000)
    rehearsal = Shop(shop.books, test=True)
    with pytest.raises(Spent):
        rehearsal.buy(1)
    rehearsal.gift(50)
    assert rehearsal.buy(50).batch.number == 1
    assert shop.unspent() == 1000


def test_the_same_purchase_twice_is_one(shop: Shop) -> None:
    shop.given(1000)
    asked = shop.purchase(400)
    with writing(shop.books.engine) as db:
        first = batches.buy(db, asked)
    with writing(shop.books.engine) as db:
        again = batches.buy(db, replace(asked, by="reza"))
    assert (again.event_id, again.first) == (first.event_id, False)
    assert shop.unspent() == 600


def test_the_same_id_for_another_purchase_names_what_differs(shop: Shop) -> None:
    shop.given(1000)
    asked = shop.purchase(400)
    with writing(shop.books.engine) as db:
        batches.buy(db, asked)
    other = replace(asked, cost=500, title="another")
    with (
        pytest.raises(Wrong, match="another cost, title"),
        writing(shop.books.engine) as db,
    ):
        batches.buy(db, other)
    other = replace(asked, purpose="children")
    with (
        pytest.raises(Wrong, match="another purpose"),
        writing(shop.books.engine) as db,
    ):
        batches.buy(db, other)
    assert shop.unspent() == 600


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": 0},
        {"quantity": -1},
        {"quantity": 2**63},
        {"cost": 2**63},
        {"cost": 0},
        {"unit": "rial"},
        {"unit": "camel"},
        {"title": ""},
        {"title": "x" * 61},
        {"title": "a\nb"},
        {"bank": "a:b"},
        {"purpose": "x" * 41},
    ],
)
def test_a_purchase_that_makes_no_sense_is_refused(
    shop: Shop, wrong: dict[str, Any]
) -> None:
    shop.given(1000)
    with pytest.raises(Wrong):
        shop.buy(**({"cost": 100} | wrong))
    assert shop.unspent() == 1000


def test_goods_go_from_stock_to_a_partner_to_a_district_and_back(shop: Shop) -> None:
    shop.given(1000)
    shop.buy(1000, quantity=240)
    shop.send(200)
    shop.send(40, partner="snapp")
    shop.deliver(150, district="12", centre="north")
    shop.deliver(20, district="3")
    shop.deliver(5)
    shop.take_back(10)
    where = shop.take_back(2, delivered=True, district="12").batch.where
    assert where.stock == 10
    assert where.carried == {"tapsi": 15, "snapp": 40}
    assert where.delivered == {"12": 148, "3": 20, "": 5}
    assert where.returned == 2
    stands = _stands(shop)
    assert stands[chart.stock(CAMPAIGN, PURPOSE)] == 10
    assert stands[chart.transit(CAMPAIGN, "tapsi")] == 15
    assert stands[chart.delivered("12")] == 148
    assert stands[chart.delivered(None)] == 5
    assert stands[chart.returned(CAMPAIGN, PURPOSE)] == 2


def test_nothing_leaves_a_place_where_it_is_not(shop: Shop) -> None:
    shop.given(1000)
    shop.buy(1000, quantity=10)
    with pytest.raises(Wrong, match="11 parcel are wanted and 10 are in stock"):
        shop.send(11)
    shop.send(6)
    with pytest.raises(Wrong, match="5 parcel are wanted and 4 are in stock"):
        shop.send(5)
    with pytest.raises(Wrong, match="7 parcel are wanted and 6 are with tapsi"):
        shop.deliver(7, district="12")
    with pytest.raises(Wrong, match="1 parcel are wanted and 0 are with snapp"):
        shop.take_back(1, partner="snapp")
    shop.deliver(6, district="12")
    with pytest.raises(Wrong, match="0 are delivered in 3"):
        shop.take_back(1, delivered=True, district="3")
    with pytest.raises(Wrong, match="has no batch 2"):
        shop.send(1, number=2)


def test_the_same_movement_twice_is_one(shop: Shop) -> None:
    shop.given(1000)
    shop.buy(1000)
    shop.send(6, key="move:1")
    assert not shop.send(6, key="move:1").first
    with pytest.raises(Wrong, match="another quantity"):
        shop.send(7, key="move:1")
    with pytest.raises(Wrong, match="another kind"):
        shop.deliver(6, key="move:1")
    with reading(shop.books.engine) as db:
        (found,) = batches.batches_of(db, campaign=CAMPAIGN, test=False)
    assert found.where.stock == 4


def test_numbers_run_through_a_campaign_and_not_a_purpose(shop: Shop) -> None:
    other = Shop(shop.books, purpose="children")
    shop.given(100)
    other.given(100)
    assert [s.buy(50).batch.number for s in (shop, other, shop)] == [1, 2, 3]


def test_two_purchases_at_once_never_spend_the_same_rial(shop: Shop) -> None:
    shop.given(1000)

    def buy(n: int) -> bool:
        try:
            shop.buy(300, key=f"batch:{n}")
        except Spent:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        bought = list(pool.map(buy, range(6)))
    assert bought.count(True) == 3
    assert shop.unspent() == 100


def test_purchases_for_two_purposes_at_once_get_two_numbers(shop: Shop) -> None:
    shops = [Shop(shop.books, purpose=f"p{n}") for n in range(4)]
    for one in shops:
        one.given(100)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda one: one.buy(100), shops))
    assert sorted(one.batch.number for one in done) == [1, 2, 3, 4]


def test_the_same_purchase_at_once_is_one(shop: Shop) -> None:
    shop.given(1000)
    asked = shop.purchase(400)

    def buy(_: int) -> bool:
        with writing(shop.books.engine) as db:
            return batches.buy(db, asked).first

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(buy, range(4))) == [False, False, False, True]
    assert shop.unspent() == 600


def test_two_who_send_at_once_never_send_the_same_parcel(shop: Shop) -> None:
    shop.given(1000)
    shop.buy(1000, quantity=10)

    def send(n: int) -> bool:
        asked = shop.movement(4, key=f"send:{n}")
        try:
            with writing(shop.books.engine) as db:
                batches.send(db, asked)
        except Wrong:
            return False
        return True

    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(send, range(5))).count(True) == 2
