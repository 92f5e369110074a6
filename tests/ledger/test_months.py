"""Days that come again each Jalali month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.months import day_of, falls_due, month_of
from phone.dates import jalali

TEHRAN = ZoneInfo("Asia/Tehran")
# From the year 2000 to 2090.
MOMENTS = st.integers(946_684_800, 3_786_912_000).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)


def _days(first: str, day: int, months: int) -> list[str]:
    """The Jalali days on which that day falls, from the month of `first` on."""
    begin = month_of(datetime.fromisoformat(first), TEHRAN)
    return [
        jalali(falls_due(begin + n, day, TEHRAN), "Asia/Tehran") for n in range(months)
    ]


def test_the_last_day_of_a_month_follows_its_length():
    # 1403 was a leap year of the calendar, 1404 was none.
    assert _days("2024-12-25T00:00:00+00:00", 31, 4) == [
        "1403/10/30 10:00",
        "1403/11/30 10:00",
        "1403/12/30 10:00",
        "1404/01/31 10:00",
    ]
    assert _days("2026-03-01T00:00:00+00:00", 30, 2) == [
        "1404/12/29 10:00",
        "1405/01/30 10:00",
    ]


@pytest.mark.parametrize(
    ("at", "month", "day"),
    [
        # One second before and after midnight in Tehran.
        ("2026-03-20T20:29:59+00:00", 1404 * 12 + 11, 29),
        ("2026-03-20T20:30:00+00:00", 1405 * 12, 1),
    ],
)
def test_a_month_begins_at_midnight_in_tehran(at: str, month: int, day: int):
    moment = datetime.fromisoformat(at)
    assert (month_of(moment, TEHRAN), day_of(moment, TEHRAN)) == (month, day)


@given(MOMENTS, st.integers(1, 31))
def test_a_day_falls_due_once_in_its_own_month(at: datetime, day: int):
    month = month_of(at, TEHRAN)
    due = falls_due(month, day, TEHRAN)
    assert month_of(due, TEHRAN) == month
    assert day_of(due, TEHRAN) in (day, 29, 30)
    assert timedelta(26) < falls_due(month + 1, day, TEHRAN) - due < timedelta(34)
