"""Days and times in the Persian calendar. Storage is UTC; this is for the edges."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import jdatetime

from phone.digits import fold_digits, visible

CHARS_MAX = 20
JALALI_YEAR_MAX = 1699
YEAR_MIN = 1900
YEAR_MAX = 2199

_DAY = re.compile(r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})", re.ASCII)


class NotADay(ValueError):
    """This is no day of either calendar."""


def jalali(at: datetime, time_zone: str) -> str:
    """Write an aware moment as 1405/09/01 14:05 in that time zone.

    Raises ValueError for one without a zone, which would mean this machine's.
    """
    if at.tzinfo is None:
        raise ValueError("a moment has a time zone")
    local = at.astimezone(ZoneInfo(time_zone))
    return f"{jalali_day(local.date())} {local:%H:%M}"


def jalali_day(day: date) -> str:
    """Write a day as 1405/09/01; slashes, because hyphens reverse in Persian text."""
    persian = jdatetime.date.fromgregorian(date=day)
    return f"{persian.year:04}/{persian.month:02}/{persian.day:02}"


def read_day(text: str) -> date:
    """Read 2026-11-22, 2026/11/22, 1405/09/01 or ۱۴۰۵/۹/۱.

    A year below 1700 is Persian. Raises NotADay, also outside 1900 to 2199, where
    some later sum would leave the calendar.
    """
    if len(text) > CHARS_MAX:
        raise NotADay(f"a day has at most {CHARS_MAX} characters")
    found = _DAY.fullmatch(fold_digits(visible(text)).strip())
    if not found:
        raise NotADay("a day looks like 1405/09/01 or 2026-11-22")
    year, month, of_month = int(found[1]), int(found[3]), int(found[4])
    try:
        if year <= JALALI_YEAR_MAX:
            day: date = jdatetime.date(year, month, of_month).togregorian()
        else:
            day = date(year, month, of_month)
    except ValueError:
        raise NotADay("there is no such day in the calendar") from None
    if not YEAR_MIN <= day.year <= YEAR_MAX:
        raise NotADay(f"a day lies between {YEAR_MIN} and {YEAR_MAX}")
    return day


def day_start(day: date, time_zone: str) -> datetime:
    """Say when that day begins there, in UTC.

    Where summer time swallowed midnight, as in Iran until 2022, that is the moment of
    the change, so days meet without a gap.
    """
    midnight = datetime.combine(day, time.min, tzinfo=ZoneInfo(time_zone))
    return midnight.astimezone(UTC)


def day_end(day: date, time_zone: str) -> datetime:
    """Say when the next day begins there, in UTC: the first moment not in this day."""
    return day_start(day + timedelta(days=1), time_zone)
