"""Which gift paid for which batch, and that every rial is in exactly one of them."""

from __future__ import annotations

import itertools
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from ledger import chart, events, funds, schema
from ledger.engine import Connection, NothingRecorded, connect, reading, writing
from ledger.events import Moved
from ledger.funds import Spent
from tests.ledger.books import CAMPAIGN, Books
from tests.ledger.purchases import PURPOSE, Shop


@pytest.fixture
def shop(ledger_engine: Engine) -> Shop:
    return Shop(Books(ledger_engine))


def test_the_oldest_gift_is_spent_first(shop: Shop) -> None:
    first, second, third = shop.given(100), shop.gift(100), shop.given(100)
    shop.buy(150)
    shop.buy(100)
    assert shop.shares(first) == [(1, 100)]
    assert shop.shares(second) == [(1, 50), (2, 50)]
    assert shop.shares(third) == [(2, 50)]


def test_a_pledge_paid_in_parts_is_traced_part_by_part(shop: Shop) -> None:
    pledge_id, _ = shop.books.pledge(amount=100)
    shop.books.pay(pledge_id, 30)
    between = shop.gift(40)
    shop.books.pay(pledge_id, 70)
    shop.buy(50)
    shop.buy(60)
    assert shop.shares(pledge_id) == [(1, 30), (2, 40)]
    assert shop.shares(between) == [(1, 20), (2, 20)]


def test_an_unspent_gift_became_nothing_yet(shop: Shop) -> None:
    shop.given(100)
    waiting = shop.given(100)
    shop.buy(100)
    assert shop.shares(waiting) == []
    assert shop.shares(10**9) == []


def test_money_that_was_paid_back_buys_nothing(shop: Shop) -> None:
    first, second = shop.given(100), shop.given(100)
    shop.taken_back(first, 60)
    shop.buy(100)
    assert shop.shares(first) == [(1, 40)]
    assert shop.shares(second) == [(1, 60)]


def test_gifts_fill_in_for_spent_money_that_was_taken_back(shop: Shop) -> None:
    first, second = shop.given(100), shop.given(250)
    shop.buy(100)
    shop.taken_back(first, 70)
    assert shop.shares(first) == [(1, 30)]
    assert shop.unspent() == 180
    shop.buy(180)
    assert shop.shares(second) == [(2, 250)]
    assert shop.unspent() == 0


def test_spent_money_taken_back_can_leave_less_than_nothing(shop: Shop) -> None:
    first = shop.given(100)
    shop.buy(100)
    shop.taken_back(first, 100)
    assert shop.unspent() == -100
    shop.given(120)
    with pytest.raises(Spent, match="21 rial are wanted, and 20 "):
        shop.buy(21)
    shop.buy(20)
    assert shop.unspent() == 0


def test_a_part_paid_after_a_refund_is_whole(shop: Shop) -> None:
    pledge_id, _ = shop.books.pledge(amount=200)
    shop.books.pay(pledge_id, 100)
    shop.taken_back(pledge_id, 100)
    shop.books.pay(pledge_id, 100)
    shop.buy(100)
    assert shop.shares(pledge_id) == [(1, 100)]


def test_what_a_batch_became_is_told_with_the_gift(shop: Shop) -> None:
    gift = shop.gift(100)
    shop.buy(100, quantity=24)
    shop.send(20)
    shop.deliver(18, district="12")
    shop.take_back(1, delivered=True, district="12")
    with reading(shop.books.engine) as db:
        (share,) = funds.became(db, gift)
    assert (share.title, share.unit, share.quantity, share.delivered) == (
        "بسته نوروزی",
        "parcel",
        24,
        17,
    )


def test_a_refund_waits_for_a_purchase_and_finds_the_money_gone(shop: Shop) -> None:
    shop.given(100)

    def take(n: int) -> bool:
        try:
            if n % 2:
                shop.buy(100, key=f"batch:{n}")
            else:
                with writing(shop.books.engine) as db:
                    funds.hold(
                        db, campaign=CAMPAIGN, purpose=PURPOSE, test=False, amount=100
                    )
                    gift = db.scalar(
                        select(schema.event.c.id).where(schema.event.c.kind == "pledge")
                    )
                    assert gift is not None
                    _refund(db, shop, gift, n)
        except Spent:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(take, range(6))).count(True) == 1
    assert shop.unspent() == 0


def _refund(db: Connection, shop: Shop, gift: int, n: int, amount: int = 100) -> None:
    donation, owed = chart.donation(CAMPAIGN, PURPOSE), chart.refund(CAMPAIGN)
    events.record(
        db,
        key=f"refund:{n}",
        kind="refund",
        body={},
        moved=[Moved(donation, owed, "rial", amount, "reversal")],
        about_id=gift,
        campaign=CAMPAIGN,
        purpose=PURPOSE,
        channel="operator",
        test=False,
        at=shop.books.at,
    )


def test_a_purchase_waits_for_a_payment_that_is_being_written(
    postgres_ledger_url: str,
) -> None:
    """Ids are given before they are committed: the gift must not be passed over."""
    engine = connect(postgres_ledger_url)
    shop = Shop(Books(engine))
    shop.given(100)
    late, _ = shop.books.pledge(amount=40)
    with engine.connect() as other:
        other.exec_driver_sql("BEGIN")
        other.exec_driver_sql("LOCK TABLE transfer IN ROW EXCLUSIVE MODE")
        with pytest.raises(NothingRecorded, match="being written"):
            shop.buy(50)
        with ThreadPoolExecutor(1) as pool:
            bought = pool.submit(shop.buy, 50, key="batch:later")
            other.exec_driver_sql("SELECT pg_sleep(0.2)")
            assert not bought.done()
            other.exec_driver_sql("COMMIT")
            assert bought.result().batch.number == 1
    shop.books.pay(late, 40)
    assert shop.unspent() == 90
    engine.dispose()


def test_a_purchase_that_waits_keeps_nobody_waiting(postgres_ledger_url: str) -> None:
    """A charge-back has its source's turn alone: all payments would wait with it."""
    engine = connect(postgres_ledger_url)
    shop = Shop(Books(engine))
    gift = shop.given(100)
    with engine.connect() as other, ThreadPoolExecutor(1) as pool:
        other.exec_driver_sql("BEGIN")
        other.exec_driver_sql("LOCK TABLE transfer IN ROW EXCLUSIVE MODE")
        bought = pool.submit(shop.buy, 50)
        other.exec_driver_sql("SELECT pg_sleep(0.3)")
        with writing(engine) as db:
            funds.hold(db, campaign=CAMPAIGN, purpose=PURPOSE, test=False, amount=60)
            _refund(db, shop, gift, 1, 60)
        assert not bought.done()
        other.exec_driver_sql("COMMIT")
        # What was agreed to be paid back meanwhile is not spent.
        with pytest.raises(Spent, match="50 rial are wanted, and 40 "):
            bought.result()
    assert shop.buy(40).batch.number == 1
    engine.dispose()


@pytest.fixture(scope="module")
def template(_migrated_sqlite: Path) -> Path:
    return _migrated_sqlite.parent


_steps = st.lists(
    st.one_of(
        st.tuples(st.just("give"), st.integers(1, 60)),
        st.tuples(st.just("more"), st.integers(1, 60)),
        st.tuples(st.just("back"), st.integers(1, 60)),
        st.tuples(st.just("buy"), st.integers(1, 90)),
    ),
    max_size=14,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(steps=[("give", 60), ("buy", 50), ("back", 50)], picks=[0] * 14)
@given(steps=_steps, picks=st.lists(st.integers(0, 5), min_size=14, max_size=14))
def test_what_batches_cost_is_what_gifts_gave_to_them(
    template: Path, steps: list[tuple[str, int]], picks: list[int]
) -> None:
    """Against a plain count: all that is kept is either unspent or in one batch."""
    with TemporaryDirectory() as folder:
        for path in template.glob("ledger.db*"):
            shutil.copy(path, folder)
        engine = connect(f"sqlite:///{folder}/ledger.db")
        shop = Shop(Books(engine))
        kept: dict[int, int] = {}
        spent = 0
        numbers = itertools.count()
        for (step, amount), pick in zip(steps, picks, strict=False):
            one = sorted(kept)[pick % len(kept)] if kept else None
            if step == "give":
                pledge_id, _ = shop.books.pledge(amount=1000)
                shop.books.pay(pledge_id, amount)
                kept[pledge_id] = amount
            elif step == "more" and one is not None:
                shop.books.pay(one, amount)
                kept[one] += amount
            elif step == "back" and one is not None and kept[one]:
                amount = min(amount, kept[one])
                shop.taken_back(one, amount)
                kept[one] -= amount
            elif step == "buy":
                left = sum(kept.values()) - spent
                try:
                    shop.buy(amount, key=f"batch:{next(numbers)}")
                except Spent:
                    assert left < amount
                    continue
                assert left >= amount
                spent += amount
        shares = {gift: shop.shares(gift) for gift in kept}
        assert shop.unspent() == sum(kept.values()) - spent
        for gift, parts in shares.items():
            assert sum(amount for _, amount in parts) <= kept[gift]
        # What was taken back of spent money is filled in at the next purchase.
        kept[shop.given(1000)] = 1000
        last = shop.unspent() - 500
        shop.buy(last, key="batch:last")
        parts = [part for gift in kept for part in shop.shares(gift)]
        assert sum(amount for _, amount in parts) == spent + last
        engine.dispose()


def test_no_question_about_a_purpose_reads_all_transfers(
    sqlite_ledger_url: str,
) -> None:
    # SQLite chooses by the words of a question; PostgreSQL by the rows there are.
    engine = connect(sqlite_ledger_url)
    shop = Shop(Books(engine))
    shop.taken_back(shop.given(100), 60)
    asked: list[tuple[str, Any]] = []

    def note(*told: Any) -> None:
        asked.append((told[2], told[3]))

    sqlalchemy.event.listen(engine, "before_cursor_execute", note)
    shop.buy(30)
    assert shop.unspent() == 10
    sqlalchemy.event.remove(engine, "before_cursor_execute", note)
    questions = [one for one in asked if "SELECT" in one[0] and "transfer" in one[0]]
    assert len(questions) > 4
    with reading(engine) as db:
        for said, given in questions:
            steps = db.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}", given)
            plan = [step[-1] for step in steps]
            assert not [step for step in plan if step.startswith("SCAN transfer")]
    engine.dispose()
