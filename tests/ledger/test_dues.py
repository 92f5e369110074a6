"""Instalments that fall due: each brought up once, and not where it is paid."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from ledger import plans
from ledger.dues import Due, Falling, fall_due, falling
from ledger.engine import reading, writing
from tests.ledger.books import CAMPAIGN, NOON, Books

TEHRAN = ZoneInfo("Asia/Tehran")


def _in_three(books: Books, **more: bool) -> int:
    event_id, _ = books.pledge(amount=1_000_000, **more)
    with writing(books.engine) as db:
        plans.instal(db, pledge_id=event_id, number=3, zone=TEHRAN, at=books.at)
    return event_id


def _fall(books: Books, days: int) -> list[Falling]:
    """What falls due so many days from now."""
    at = NOON + timedelta(days=days)
    with reading(books.engine) as db:
        waiting = falling(db, campaigns=[CAMPAIGN], at=at, limit=10)
    fallen = []
    for one in waiting:
        with writing(books.engine) as db:
            due = fall_due(db, one, at=at)
            fallen += [due] if due is not None else []
    return fallen


def test_each_instalment_falls_due_once(ledger_engine: Engine):
    books = Books(ledger_engine)
    _in_three(books)
    assert _fall(books, 20) == []
    (second,) = _fall(books, 30)
    assert (second.number, second.left) == (2, 330_000)
    assert _fall(books, 31) == []
    (third,) = _fall(books, 60)
    # What is open in all is not asked for at once.
    assert (third.number, third.left) == (3, 340_000)
    assert third.event_id != second.event_id
    assert _fall(books, 61) == []


@pytest.mark.parametrize(
    ("paid", "lefts"),
    [
        (330_000, [330_000, 340_000]),
        (400_000, [260_000, 340_000]),
        (660_000, [340_000]),
        (1_000_000, []),
    ],
)
def test_what_is_paid_counts_for_the_instalments_in_their_order(
    ledger_engine: Engine, paid: int, lefts: list[int]
):
    books = Books(ledger_engine)
    event_id = _in_three(books)
    books.pay(event_id, paid)
    fallen = [*_fall(books, 30), *_fall(books, 60)]
    assert [one.left for one in fallen] == lefts


def test_instalments_of_a_closed_pledge_are_not_brought_up(ledger_engine: Engine):
    books = Books(ledger_engine)
    event_id = _in_three(books)
    books.expire(event_id, 1_000_000)
    assert _fall(books, 30) == []


def test_an_instalment_that_is_a_week_late_is_left_alone(ledger_engine: Engine):
    books = Books(ledger_engine)
    _in_three(books)
    fallen = _fall(books, 60)
    assert [one.number for one in fallen] == [3]


def test_only_campaigns_that_take_gifts_are_looked_at(ledger_engine: Engine):
    books = Books(ledger_engine)
    _in_three(books)
    until = NOON + timedelta(days=60)
    with reading(ledger_engine) as db:
        assert falling(db, campaigns=["other"], at=until, limit=10) == []
        assert falling(db, campaigns=[], at=until, limit=10) == []
        # The second is so long over that nothing is said of it, nor looked for.
        (third,) = falling(db, campaigns=[CAMPAIGN], at=until, limit=10)
    assert third.number == 3


def test_two_sweepers_bring_an_instalment_up_once(ledger_engine: Engine):
    books = Books(ledger_engine)
    event_id = _in_three(books)
    at = NOON + timedelta(days=30)
    seen_by_both = Due(event_id, 2, 330_000, at)
    with writing(ledger_engine) as db:
        assert fall_due(db, seen_by_both, at=at) is not None
    with writing(ledger_engine) as db:
        assert fall_due(db, seen_by_both, at=at) is None
