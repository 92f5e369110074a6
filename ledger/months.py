"""Days that come again each Jalali month: gifts and instalments fall due on them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import jdatetime

__all__ = ["DUE_HOUR", "Month", "day_of", "falls_due", "month_of"]

# In the morning, when people are awake and offices are open.
DUE_HOUR = time(10)
MONTHS_A_YEAR = 12

# Months since the year 0: the difference of two is how far they are apart.
Month = int


def month_of(at: datetime, zone: ZoneInfo) -> Month:
    """The Jalali month that this moment belongs to there."""
    persian = _persian(at, zone)
    return int(persian.year * MONTHS_A_YEAR + persian.month - 1)


def day_of(at: datetime, zone: ZoneInfo) -> int:
    """The day of the Jalali month, 1 to 31."""
    return int(_persian(at, zone).day)


def falls_due(month: Month, day: int, zone: ZoneInfo) -> datetime:
    """When that day of a month begins to be due, in UTC.

    A month without such a day has it on its last one: day 31 of Esfand is the 29th,
    or the 30th of a leap year.
    """
    assert 1 <= day <= 31
    year, of_year = divmod(month, MONTHS_A_YEAR)
    first = jdatetime.date(year, of_year + 1, 1)
    # A leap year's Esfand has 30 days, which the library's table does not say.
    length = jdatetime.j_days_in_month[of_year]
    if of_year == MONTHS_A_YEAR - 1 and first.isleap():
        length = 30
    local: date = first.replace(day=min(day, length)).togregorian()
    return datetime.combine(local, DUE_HOUR, tzinfo=zone).astimezone(UTC)


def _persian(at: datetime, zone: ZoneInfo) -> jdatetime.date:
    return jdatetime.date.fromgregorian(date=at.astimezone(zone).date())
