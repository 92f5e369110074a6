"""The transparency report against what was done, counted by hand."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from ledger import chart, funds, inkind
from ledger.engine import reading, writing
from ledger.events import Moved
from ledger.reporting import (
    OTHER,
    Line,
    Scope,
    Statement,
    digest,
    from_json,
    statement,
    to_json,
)
from tests.ledger.books import CAMPAIGN, Books
from tests.ledger.purchases import Shop


@pytest.fixture
def books(ledger_engine: Engine) -> Books:
    return Books(ledger_engine)


def _phones(first: int, count: int) -> list[str]:
    return [f"+98912{number:07}" for number in range(first, first + count)]


def _said(books: Books, **scope: bool | int) -> Statement:
    with reading(books.engine, snapshot=True) as db:
        return statement(db, Scope(CAMPAIGN, **scope))


def _crowd(shop: Shop, first: int, count: int, amount: int) -> list[int]:
    return [shop.given(amount, phone) for phone in _phones(first, count)]


def _handed_in(said: Statement) -> list[tuple[str, dict[str, int]]]:
    return [(one.name, dict(one.in_kind)) for one in said.purposes]


def _brought(
    books: Books, phone: str, quantity: int, *, purpose: str = "nowruz"
) -> None:
    """Have goods be promised and handed in."""
    _, code = books.pledge(phone, quantity, unit="parcel", purpose=purpose)
    with writing(books.engine) as db:
        done = inkind.receive(
            db,
            key=f"received:{code}",
            code=code,
            quantity=quantity,
            by="sara",
            channel="operator",
            test=False,
            at=books.at,
        )
    assert done.outcome is inkind.ReceivedOutcome.RECEIVED


def test_a_campaign_with_nothing_says_nothing(books: Books) -> None:
    nothing = Line("", None, 0, 0, 0, 0, 0, {}, {}, {})
    assert _said(books) == Statement(CAMPAIGN, None, nothing, (), ())


def test_every_sum_stands_by_its_purpose(books: Books) -> None:
    nowruz, children = Shop(books), Shop(books, purpose="children")
    first, *_ = _crowd(nowruz, 0, 6, 100)
    _crowd(children, 3, 5, 50)
    for phone in _phones(0, 5):
        books.pledge(phone, 1000, purpose="children")
    nowruz.taken_back(first, 30)
    nowruz.buy(400, quantity=24)
    nowruz.send(20)
    nowruz.deliver(12, district="12")
    said = _said(books)
    assert said.total == Line(
        "",
        donors=8,
        pledged=600 + 250 + 5000,
        received=850,
        returned=30,
        spent=400,
        unspent=420,
        bought={"parcel": 24},
        in_kind={},
        delivered={"parcel": 12},
    )
    assert [
        (one.name, one.donors, one.received, one.spent, one.unspent)
        for one in said.purposes
    ] == [("children", 8, 250, 0, 250), ("nowruz", 6, 600, 400, 170)]
    assert nowruz.unspent() == 170


def test_few_givers_of_a_purpose_are_told_with_others(books: Books) -> None:
    _crowd(Shop(books), 0, 7, 100)
    _crowd(Shop(books, purpose="needed"), 20, 9, 10)
    _crowd(Shop(books, purpose="children"), 40, 2, 77)
    said = _said(books)
    assert [(one.name, one.donors, one.received) for one in said.purposes] == [
        ("needed", 9, 90),
        (OTHER, 9, 854),
    ]


def test_payers_are_few_even_among_many_who_promised(books: Books) -> None:
    """One payment among fifty pledges is one donor's amount to the rial."""
    shop = Shop(books)
    _crowd(Shop(books, purpose="needed"), 60, 9, 10)
    for phone in _phones(0, 50):
        books.pledge(phone, 1000)
    shop.given(123, _phones(0, 1)[0])
    assert [one.name for one in _said(books).purposes] == [OTHER]


def test_few_who_brought_goods_are_told_with_others(books: Books) -> None:
    """Two parcels that one of many handed in are what that one gave."""
    _crowd(Shop(books), 0, 7, 100)
    _crowd(Shop(books, purpose="needed"), 20, 9, 10)
    _brought(books, _phones(0, 1)[0], 2)
    said = _said(books)
    assert said.total.in_kind == {"parcel": 2}
    assert _handed_in(said) == [("needed", {}), ("nowruz", {})]
    for phone in _phones(1, 3):
        _brought(books, phone, 1)
    _brought(books, _phones(20, 1)[0], 1, purpose="needed")
    assert _handed_in(_said(books)) == [(OTHER, {"parcel": 6})]
    for first, purpose in ((4, "nowruz"), (21, "needed")):
        for phone in _phones(first, 4):
            _brought(books, phone, 1, purpose=purpose)
    assert _handed_in(_said(books)) == [
        ("needed", {"parcel": 5}),
        ("nowruz", {"parcel": 9}),
    ]


def test_few_parcels_in_all_take_no_table_away(books: Books) -> None:
    shop = Shop(books)
    _crowd(shop, 0, 6, 100)
    _crowd(Shop(books, purpose="needed"), 20, 5, 10)
    shop.buy(100, quantity=10)
    shop.send(10)
    shop.deliver(3, district="12")
    said = _said(books)
    assert said.total.delivered == {"parcel": 3}
    assert [(one.name, one.received, one.delivered) for one in said.purposes] == [
        ("needed", 50, {}),
        ("nowruz", 600, {}),
    ]
    assert [(one.name, one.delivered) for one in said.districts] == [("", {})]


def test_where_all_are_few_there_is_no_table(books: Books) -> None:
    _crowd(Shop(books), 0, 3, 100)
    said = _said(books)
    assert said.purposes == ()
    assert (said.total.donors, said.total.received) == (None, 300)


def test_a_gift_of_nobody_known_counts_as_a_giver(books: Books) -> None:
    for _ in range(5):
        books.give(10)
    books.give(20, "+989121234567")
    books.give(20, "+989121234567")
    total = _said(books).total
    assert (total.donors, total.received, total.pledged) == (6, 90, 0)


def test_few_parcels_of_a_district_are_told_with_others(books: Books) -> None:
    shop = Shop(books)
    _crowd(shop, 0, 6, 100)
    shop.buy(600, quantity=100)
    shop.send(100)
    for district, count in (("1", 3), ("2", 30), ("3", 12), ("4", 20)):
        shop.deliver(count, district=district)
    shop.take_back(4, delivered=True, district="2")
    said = _said(books)
    assert [(one.name, dict(one.delivered)) for one in said.districts] == [
        ("", {}),
        ("2", {"parcel": 26}),
        ("4", {"parcel": 20}),
        (OTHER, {"parcel": 15}),
    ]
    assert said.total.delivered == {"parcel": 61}


def test_goods_that_were_handed_in_are_not_bought(books: Books) -> None:
    pledge_id, _ = books.pledge(amount=7, unit="parcel")
    moved = Moved(
        chart.stock(CAMPAIGN, "nowruz"),
        chart.receivable(CAMPAIGN, "parcel"),
        "parcel",
        7,
        "single",
    )
    books.move(moved, kind="received", about_id=pledge_id)
    total = _said(books).total
    assert (dict(total.in_kind), dict(total.bought), total.received) == (
        {"parcel": 7},
        {},
        0,
    )


def test_a_rehearsal_is_in_no_real_report(books: Books) -> None:
    _crowd(Shop(books), 0, 5, 100)
    Shop(books, test=True).gift(7)
    assert _said(books).total.received == 500
    assert _said(books, test=True).total.received == 7


def test_another_campaign_is_in_no_report_of_this_one(books: Books) -> None:
    books.give(10, campaign=f"{CAMPAIGN}-2")
    assert _said(books).total.received == 0


def test_spent_money_that_was_taken_back_shows_below_nothing(books: Books) -> None:
    shop = Shop(books)
    gift = shop.gift(100)
    shop.buy(100)
    shop.taken_back(gift, 40)
    assert _said(books).total.unspent == -40 == shop.unspent()


def test_a_report_is_the_same_after_it_was_stored(books: Books) -> None:
    shop = Shop(books)
    _crowd(shop, 0, 6, 100)
    shop.buy(100)
    said = _said(books)
    again = from_json(to_json(said))
    assert again == said
    assert digest(again) == digest(said)


def test_unspent_of_all_purposes_is_what_the_funds_have(books: Books) -> None:
    for number, name in enumerate(("nowruz", "children", "needed")):
        shop = Shop(books, purpose=name)
        _crowd(shop, 10 * number, 6, 100)
        shop.buy(100 * number + 50)
    said = _said(books)
    with reading(books.engine) as db:
        for line in said.purposes:
            assert line.unspent == funds.unspent(
                db, campaign=CAMPAIGN, purpose=line.name, test=False
            )
    assert said.total.unspent == sum(line.unspent for line in said.purposes)
