"""When a campaign takes gifts: days of the Persian calendar, once or again and again.

A window is a rule and a round is one of the times that it is open. Days are days of
the window's time zone, however long a change of the clock makes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

import jdatetime

from phone.dates import day_end, day_start, jalali_day

__all__ = ["ALWAYS", "WEEKDAYS", "Every", "Round", "Window"]

WEEKDAYS = (
    *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday"),
    "sunday",
)
MONTHS = 12
# The 31st comes again after seven months at the latest; the 30th of Esfand, which only
# leap years have, after five years.
MONTHS_AHEAD = 9
YEARS_AHEAD = 7
KEPT_MAX = 256

# The first and the last day; None is without a beginning, or without an end.
Span = tuple[date | None, date | None]


@dataclass(frozen=True, slots=True)
class Round:
    """One time that a window is open: from `opens` until just before `closes`.

    `id` is its first day, as 1405-11-01; of one without a beginning, to- and its last.
    """

    id: str
    opens: datetime | None
    opens_text: str
    closes: datetime | None
    closes_text: str


@dataclass(frozen=True, slots=True)
class Every:
    """Days that come again. Of a `week` it is one day; of a month that is too short
    for `last` it is the days that it has."""

    # week, month or year
    period: str
    first: int = 1
    last: int = 1
    # Of a year: 1 is Farvardin.
    month: int = 1
    # Of a week: 0 is Monday, as for Python.
    weekday: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """The rule. With neither `spans`, which are in order, nor `every` it is open."""

    time_zone: str = "UTC"
    spans: tuple[Span, ...] = ()
    every: Every | None = None

    @property
    def is_always(self) -> bool:
        return not self.spans and self.every is None

    def round(self, now: datetime) -> Round | None:
        """The round that is going on; None between two, and of what is always open."""
        for one in self._near(now):
            if _has_begun(one, now) and not _is_over(one, now):
                return one
        return None

    def next(self, now: datetime) -> Round | None:
        """The round that begins next; None where none will."""
        for one in self._near(now):
            if not _has_begun(one, now):
                return one
        return None

    def is_open(self, now: datetime) -> bool:
        return self.is_always or self.round(now) is not None

    def _near(self, now: datetime) -> tuple[Round, ...]:
        return _near(self, now.astimezone(ZoneInfo(self.time_zone)).date())


ALWAYS = Window()


def _has_begun(one: Round, now: datetime) -> bool:
    return one.opens is None or now >= one.opens


def _is_over(one: Round, now: datetime) -> bool:
    return one.closes is not None and now >= one.closes


@lru_cache(maxsize=KEPT_MAX)
def _near(window: Window, day: date) -> tuple[Round, ...]:
    """The two rounds that end on that day or after it, the earlier one first."""
    spans = iter(window.spans) if window.every is None else _coming(window.every, day)
    left = (span for span in spans if span[1] is None or span[1] >= day)
    return tuple(_round(span, window.time_zone) for span in islice(left, 2))


def _coming(every: Every, day: date) -> Iterator[Span]:
    """The times that it comes, from the month or the year of that day on."""
    if every.period == "week":
        ahead = (every.weekday - day.weekday()) % len(WEEKDAYS)
        for week in range(2):
            that = day + timedelta(days=ahead + week * len(WEEKDAYS))
            yield that, that
        return
    today = jdatetime.date.fromgregorian(date=day)
    if every.period == "month":
        for ahead in range(MONTHS_AHEAD):
            years, month = divmod(today.month - 1 + ahead, MONTHS)
            yield from _in_month(every, today.year + years, month + 1)
        return
    for year in range(today.year, today.year + YEARS_AHEAD):
        yield from _in_month(every, year, every.month)


def _in_month(every: Every, year: int, month: int) -> Iterator[Span]:
    """Its days in one month; nothing of a month that ends before they begin."""
    first = _month_start(year, month)
    length = (_month_start(year + month // MONTHS, month % MONTHS + 1) - first).days
    if every.first <= length:
        last = min(every.last, length)
        yield (
            first + timedelta(days=every.first - 1),
            first + timedelta(days=last - 1),
        )


def _month_start(year: int, month: int) -> date:
    start: date = jdatetime.date(year, month, 1).togregorian()
    return start


def _round(span: Span, time_zone: str) -> Round:
    first, last = span
    opens_text = jalali_day(first) if first else ""
    closes_text = jalali_day(last) if last else ""
    name = opens_text or f"to-{closes_text}"
    return Round(
        id=name.replace("/", "-"),
        opens=day_start(first, time_zone) if first else None,
        opens_text=opens_text,
        closes=day_end(last, time_zone) if last else None,
        closes_text=closes_text,
    )
