"""Goods that donors brought leave the centre once, and the report counts them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from ledger import chart, inkind
from ledger.balances import balances
from ledger.batches import Wrong
from ledger.engine import reading, writing
from ledger.handing_out import HandedOut, HandingOut, hand_out
from ledger.reporting import Scope, statement
from ledger.verify import verify
from tests.ledger.books import CAMPAIGN, Books
from tests.ledger.purchases import PURPOSE, Shop


@pytest.fixture
def books(ledger_engine: Engine) -> Books:
    """Ten parcels were handed in, and ten are bought."""
    books = Books(ledger_engine)
    _, code = books.pledge(amount=10, unit="parcel")
    with writing(books.engine) as db:
        inkind.receive(
            db,
            key="received:1",
            code=code,
            quantity=10,
            by="sara",
            channel="operator",
            test=False,
            at=books.at,
        )
    shop = Shop(books)
    shop.given(100)
    shop.buy(100, quantity=10)
    return books


def _asked(books: Books, quantity: int, key: str = "out:1") -> HandingOut:
    return HandingOut(
        key, CAMPAIGN, PURPOSE, "parcel", quantity, "sara", False, books.at, "12"
    )


def _hand_out(books: Books, asked: HandingOut) -> HandedOut:
    with writing(books.engine) as db:
        return hand_out(db, asked)


def test_what_was_handed_in_is_given_out_and_counted_once(books: Books) -> None:
    assert _hand_out(books, _asked(books, 6)).left == 4
    with reading(books.engine, snapshot=True) as db:
        total = statement(db, Scope(CAMPAIGN)).total
        stands = {one.account: one.posted for one in balances(db)}
        assert not verify(db).faults
    assert (total.in_kind, total.bought, total.delivered) == (
        {"parcel": 10},
        {"parcel": 10},
        {"parcel": 6},
    )
    assert stands[chart.stock(CAMPAIGN, PURPOSE)] == 14
    assert stands[chart.delivered("12")] == 6


def test_what_was_bought_is_not_given_out_so(books: Books) -> None:
    with pytest.raises(Wrong, match="11 parcel are wanted and 10 of those handed in"):
        _hand_out(books, _asked(books, 11))
    with pytest.raises(Wrong, match="0 of those handed in for children"):
        _hand_out(books, replace(_asked(books, 1), purpose="children"))
    with pytest.raises(Wrong, match="no district is called"):
        _hand_out(books, replace(_asked(books, 1), district="*"))


def test_the_same_again_is_one_and_another_under_its_id_is_refused(
    books: Books,
) -> None:
    first = _hand_out(books, _asked(books, 6))
    again = _hand_out(books, replace(_asked(books, 6), by="reza"))
    assert again == replace(first, first=False)
    with pytest.raises(Wrong, match="another quantity"):
        _hand_out(books, _asked(books, 2))


def test_two_at_once_never_give_the_same_parcel(books: Books) -> None:
    def give(n: int) -> bool:
        try:
            _hand_out(books, _asked(books, 4, f"out:{n}"))
        except Wrong:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(give, range(4))).count(True) == 2
