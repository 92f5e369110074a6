"""Windows: which round it is, when the next one is, and what the days of a month do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import jdatetime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.dates import jalali_day, read_day
from tests.ussd.small import small
from ussd.faults import BadMenus
from ussd.menus import Campaign, CampaignState
from ussd.windows import ALWAYS, Every, Window

TEHRAN = "Asia/Tehran"


def noon(day: str, zone: str = TEHRAN) -> datetime:
    return datetime.combine(
        read_day(day), datetime.min.time().replace(hour=12), tzinfo=ZoneInfo(zone)
    )


def monthly(first: int, last: int) -> Window:
    return Window(TEHRAN, every=Every("month", first, last))


def test_what_has_no_window_is_always_open() -> None:
    assert ALWAYS.is_open(noon("1405/01/01"))
    assert ALWAYS.round(noon("1405/01/01")) is None
    assert ALWAYS.next(noon("1405/01/01")) is None


def test_a_monthly_round_has_its_first_day_for_an_id() -> None:
    window = monthly(1, 14)
    found = window.round(noon("1404/11/14"))
    assert found is not None
    assert (found.id, found.closes_text) == ("1404-11-01", "1404/11/14")
    assert window.round(noon("1404/11/15")) is None
    coming = window.next(noon("1404/11/15"))
    assert coming is not None
    assert coming.id == "1404-12-01"
    # While one is on, the next is that of the month after.
    coming = window.next(noon("1404/12/03"))
    assert coming is not None
    assert coming.id == "1405-01-01"


def test_a_round_is_open_from_midnight_to_midnight_in_tehran() -> None:
    window = monthly(1, 14)
    # 1 Bahman 1404 is Wednesday 21 January 2026; Tehran is 3:30 ahead.
    opens = datetime(2026, 1, 20, 20, 30, tzinfo=UTC)
    closes = datetime(2026, 2, 3, 20, 30, tzinfo=UTC)
    second = timedelta(seconds=1)
    assert not window.is_open(opens - second)
    assert window.is_open(opens)
    assert window.is_open(closes - second)
    assert not window.is_open(closes)


@pytest.mark.parametrize(
    ("month", "last"),
    [
        ("1405/06", "1405/06/31"),
        ("1405/07", "1405/07/30"),
        # 1403 was a leap year, 1404 was not.
        ("1403/12", "1403/12/30"),
        ("1404/12", "1404/12/29"),
    ],
)
def test_a_round_to_the_end_of_the_month_ends_with_it(month: str, last: str) -> None:
    found = monthly(20, 31).round(noon(f"{month}/25"))
    assert found is not None
    assert found.closes_text == last


def test_a_month_without_the_day_has_no_round() -> None:
    coming = monthly(31, 31).next(noon("1405/07/01"))
    assert coming is not None
    assert coming.id == "1406-01-31"
    leap = Window(TEHRAN, every=Every("year", 30, 30, month=12))
    coming = leap.next(noon("1404/01/01"))
    assert coming is not None
    assert coming.id == "1408-12-30"


def test_every_year_it_comes_in_its_month() -> None:
    window = Window(TEHRAN, every=Every("year", 1, 14, month=11))
    assert window.is_open(noon("1405/11/14"))
    coming = window.next(noon("1405/11/15"))
    assert coming is not None
    assert coming.id == "1406-11-01"


def test_every_wednesday_is_a_round_of_its_own() -> None:
    window = Window(TEHRAN, every=Every("week", weekday=2))
    # 1 Bahman 1404 was a Wednesday.
    found = window.round(noon("1404/11/01"))
    assert found is not None
    assert found.id == "1404-11-01"
    coming = window.next(noon("1404/11/01"))
    assert coming is not None
    assert coming.id == "1404-11-08"
    assert not window.is_open(noon("1404/11/02"))


def test_dates_by_hand_are_rounds_in_their_order() -> None:
    campaign = _campaign("{dates: [1405/05/01, 1405/04/05-1405/04/14]}")
    assert campaign.state(noon("1405/04/01")) is CampaignState.EARLY
    assert campaign.opens_text(noon("1405/04/01")) == "1405/04/05"
    assert campaign.round_id(noon("1405/04/14")) == "1405-04-05"
    assert campaign.state(noon("1405/04/20")) is CampaignState.EARLY
    assert campaign.round_id(noon("1405/04/20")) == ""
    assert campaign.round_id(noon("1405/05/01")) == "1405-05-01"
    assert campaign.state(noon("1405/05/02")) is CampaignState.CLOSED


def test_days_meet_where_summer_time_swallowed_midnight() -> None:
    # In 1401 Tehran's clocks went from 0:00 to 1:00 on 1 Farvardin.
    window = Window(TEHRAN, spans=((read_day("1401/01/01"), read_day("1401/01/01")),))
    found = window.round(noon("1401/01/01"))
    assert found is not None
    assert found.opens == datetime(2022, 3, 21, 20, 30, tzinfo=UTC) - timedelta(days=1)
    assert found.closes is not None
    assert (found.closes - found.opens) < timedelta(days=1, hours=1)


@pytest.mark.parametrize(
    ("window", "what"),
    [
        ("{every: month}", "every month takes days"),
        ("{every: moon, days: 1-14}", "there is no rule 'moon'"),
        ("{every: month, days: 14-1}", "these are no days of a month"),
        ("{every: month, days: 1-32}", "these are no days of a month"),
        ("{every: month, days: 1-14, month: 3}", "every month takes days"),
        ("{every: year, month: 13, days: 1-2}", "there is no such month"),
        ("{every: week, day: funday}", "there is no day 'funday'"),
        ("{days: 1-14}", "a rule says every what"),
        ("{every: week, day: friday, from: 1405/01/01}", "a window is two days"),
        ("{dates: []}", "there are no dates"),
        ("{dates: [1405/13/01]}", "not a day, nor two"),
        ("{dates: [1405/04/09-1405/04/05]}", "it ends before it begins"),
        ("{dates: [1405/04/05-1405/04/14, 1405/04/10]}", "two of the dates overlap"),
    ],
)
def test_a_window_that_cannot_be_is_named(window: str, what: str) -> None:
    with pytest.raises(BadMenus) as refused:
        _campaign(window)
    assert any(fault.what.startswith(what) for fault in refused.value.faults)


_days = st.dates(date(1980, 1, 1), date(2090, 1, 1))
_rules = st.one_of(
    st.builds(
        lambda a, b: Every("month", min(a, b), max(a, b)),
        st.integers(1, 31),
        st.integers(1, 31),
    ),
    st.builds(
        lambda a, b, month: Every("year", min(a, b), max(a, b), month),
        st.integers(1, 29),
        st.integers(1, 29),
        st.integers(1, 12),
    ),
    st.builds(lambda day: Every("week", weekday=day), st.integers(0, 6)),
)


@given(_rules, _days, st.sampled_from([TEHRAN, "UTC", "Africa/Nairobi"]))
def test_a_rule_is_open_on_the_days_that_it_names(
    every: Every, day: date, zone: str
) -> None:
    persian = jdatetime.date.fromgregorian(date=day)
    named = {
        "week": day.weekday() == every.weekday,
        "month": every.first <= persian.day <= every.last,
        "year": persian.month == every.month
        and every.first <= persian.day <= every.last,
    }[every.period]
    window = Window(zone, every=every)
    at = noon(jalali_day(day), zone)
    assert window.is_open(at) == named
    found, coming = window.round(at), window.next(at)
    assert coming is not None
    assert coming.opens is not None
    assert coming.opens > at
    if found is not None:
        assert found.opens is not None
        assert found.closes is not None
        assert found.opens <= at < found.closes <= coming.opens


def _campaign(window: str) -> Campaign:
    root = '  root: {text: {en: Root}, choices: [{key: "0", to: bye}]}'
    changed = {"    min: 1000": f"    window: {window}\n    min: 1000"}
    return small(root, changed=changed).campaign
