from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.dates import NotADay, day_end, day_start, jalali, jalali_day, read_day

TEHRAN = "Asia/Tehran"
DAYS = st.dates(date(1900, 1, 1), date(2199, 12, 31))


@pytest.mark.parametrize(
    ("day", "persian"),
    [
        (date(2026, 2, 3), "1404/11/14"),
        (date(2026, 2, 11), "1404/11/22"),
        (date(2025, 12, 21), "1404/09/30"),
        (date(2026, 3, 21), "1405/01/01"),
        (date(2024, 3, 20), "1403/01/01"),
        (date(2028, 3, 20), "1407/01/01"),
        (date(2025, 3, 20), "1403/12/30"),
        (date(2026, 11, 22), "1405/09/01"),
        (date(2024, 11, 2), "1403/08/12"),
    ],
)
def test_known_days_of_both_calendars_agree(day: date, persian: str) -> None:
    assert jalali_day(day) == persian
    assert read_day(persian) == day


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (datetime(2026, 11, 22, 10, 35, tzinfo=UTC), "1405/09/01 14:05"),
        (datetime(2026, 11, 22, 20, 29, 59, tzinfo=UTC), "1405/09/01 23:59"),
        (datetime(2026, 11, 22, 20, 30, tzinfo=UTC), "1405/09/02 00:00"),
        (datetime(2022, 7, 1, 0, 0, tzinfo=UTC), "1401/04/10 04:30"),
    ],
)
def test_a_moment_is_shown_in_campaign_time(at: datetime, shown: str) -> None:
    assert jalali(at, TEHRAN) == shown


def test_a_moment_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 11, 22, tzinfo=UTC).replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        jalali(naive, TEHRAN)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22",
        "2026/11/22",
        "1405/09/01",
        "1405-9-1",
        "۱۴۰۵/۰۹/۰۱",
        "١٤٠٥/٩/١",
        " 1405/09/01 ",
        "\u200e۱۴۰۵/۹/۱\u200e",
    ],
)
def test_a_day_is_read_in_either_calendar_and_any_digits(text: str) -> None:
    assert read_day(text) == date(2026, 11, 22)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1405",
        "1405/13/01",
        "1405/00/01",
        "1405/12/30",
        "1404/12/30",
        "2026-02-29",
        "0000/01/01",
        "0900/01/01",
        "1700-01-01",
        "1899-12-31",
        "2200-01-01",
        "9999-12-31",
        "1405/09-01",
        "05/09/01",
        "2026-11-22T00:00",
        "22/11/2026",
        "²⁰²⁶-11-22",
        "today",
        "1" * 10_000,
    ],
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(NotADay):
        read_day(text)


@given(DAYS)
def test_every_day_can_be_written_and_read_back(day: date) -> None:
    assert read_day(jalali_day(day)) == day
    assert read_day(day.isoformat()) == day


@given(DAYS, st.sampled_from([TEHRAN, "UTC", "Africa/Nairobi", "America/Havana"]))
def test_days_meet_without_a_gap(day: date, time_zone: str) -> None:
    start, end = day_start(day, time_zone), day_end(day, time_zone)
    assert end == day_start(day + timedelta(days=1), time_zone)
    assert timedelta(hours=22) < end - start < timedelta(hours=26)
    assert start.tzinfo is UTC


def test_a_day_begins_at_local_midnight() -> None:
    day = date(2026, 11, 22)
    assert day_start(day, TEHRAN) == datetime(2026, 11, 21, 20, 30, tzinfo=UTC)
    assert day_end(day, TEHRAN) == datetime(2026, 11, 22, 20, 30, tzinfo=UTC)


def test_a_day_whose_midnight_summer_time_swallowed_begins_at_the_change() -> None:
    # 2 Farvardin 1401: 00:00 became 01:00, so the day had 23 hours.
    day = date(2022, 3, 22)
    assert day_start(day, TEHRAN) == datetime(2022, 3, 21, 20, 30, tzinfo=UTC)
    assert day_end(day, TEHRAN) == datetime(2022, 3, 22, 19, 30, tzinfo=UTC)
