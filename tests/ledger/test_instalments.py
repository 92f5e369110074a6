"""Pledges in parts: how much each is, and when it is due."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from ledger.engine import reading, writing
from ledger.instalments import instal, instalments_of, shares
from phone.dates import jalali, read_day
from tests.ledger.facts import pledge

TEHRAN = ZoneInfo("Asia/Tehran")


@given(st.integers(12, 2**62), st.integers(1, 12))
def test_parts_make_up_the_whole_and_the_first_ones_are_alike(amount: int, number: int):
    parts = shares(amount, number)
    assert len(parts) == number
    assert sum(parts) == amount
    assert min(parts) > 0
    assert len(set(parts[:-1])) <= 1
    assert parts[-1] >= parts[0]


def test_a_part_is_round_to_a_thousand_toman():
    assert shares(1_000_000, 3) == [330_000, 330_000, 340_000]
    assert shares(30_000, 3) == [10_000] * 3


def test_instalments_fall_due_a_month_apart(ledger_engine: Engine):
    at = datetime.combine(read_day("1405/10/30"), time(12), tzinfo=TEHRAN)
    at = at.astimezone(UTC)
    with writing(ledger_engine) as db:
        made = pledge(db, amount=1_000_000, at=at)
        parts = instal(db, pledge_id=made.event_id, number=3, zone=TEHRAN, at=at)
        again = instal(db, pledge_id=made.event_id, number=2, zone=TEHRAN, at=at)
    assert again == parts
    assert [part.amount for part in parts] == [330_000, 330_000, 340_000]
    days = [jalali(part.due_at, "Asia/Tehran") for part in parts]
    assert days == ["1405/10/30 12:00", "1405/11/30 10:00", "1405/12/29 10:00"]
    # The text of the pledge itself says that the first is due.
    assert [part.reminded_at for part in parts] == [at, None, None]
    with reading(ledger_engine) as db:
        assert instalments_of(db, pledge_id=made.event_id) == parts


def test_nobody_is_asked_for_a_part_of_a_toman() -> None:
    assert shares(20_000, 3) == [6_660, 6_660, 6_680]
    assert shares(20_050, 3) == [6_680, 6_680, 6_690]
