"""A campaign's `window:`, read: two days, a rule that comes again, or a list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from phone.dates import NotADay, read_day
from phone.digits import fold_digits
from ussd.nodes import Node
from ussd.windows import ALWAYS, MONTHS, WEEKDAYS, Every, Span, Window

__all__ = ["DATES_MAX", "MONTH_DAYS", "PERIODS", "read_window"]

MONTH_DAYS = 31
DATES_MAX = 200

# What each rule takes beside `every`; it needs all of it.
PERIODS: Mapping[str, tuple[str, ...]] = {
    "week": ("day",),
    "month": ("days",),
    "year": ("month", "days"),
}
_DAYS = re.compile(r"([0-9]{1,2})(?:-([0-9]{1,2}))?")
_DAY = "Write it as 1405/01/01 or 2026-03-21"


def read_window(node: Node | None, named: str, time_zone: str) -> Window:
    """The window of the campaign `named`; what is wrong is a fault of its node.

    Days for feasts of the moon are written by hand: no rule knows when it is seen.
    """
    if node is None:
        return ALWAYS
    entry = node.mapping("window", takes=("from", "to", "every", "dates", *_RULES))
    kinds = [name for name in ("every", "dates") if name in entry]
    if len(kinds) > 1 or (kinds and ("from" in entry or "to" in entry)):
        what = "a window is two days, a rule or a list of days"
        node.fault_of_name(what, "Take out all but one of from and to, every, dates")
        return ALWAYS
    if "every" in entry:
        every = _every(entry, node)
        return Window(time_zone, every=every) if every is not None else ALWAYS
    if "dates" in entry:
        return Window(time_zone, spans=_dates(entry["dates"]))
    if any(name in entry for name in _RULES):
        node.fault_of_name("a rule says every what", "Add every: week, month or year")
        return ALWAYS
    return _between(entry, named, time_zone, node)


_RULES = ("day", "days", "month")


def _between(
    entry: Mapping[str, Node], named: str, time_zone: str, node: Node
) -> Window:
    first, last = _day(entry.get("from")), _day(entry.get("to"))
    if first and last and last < first:
        what = f"campaign {named} closes before it opens"
        node.fault_of_name(what, "Swap the two days")
    if first is None and last is None:
        return ALWAYS
    return Window(time_zone, spans=((first, last),))


def _every(entry: Mapping[str, Node], node: Node) -> Every | None:
    period = entry["every"].string("every")
    needs = PERIODS.get(period)
    if needs is None:
        known = ", ".join(PERIODS)
        entry["every"].fault(f"there is no rule {period!r}", f"Use one of: {known}")
        return None
    for name in _RULES:
        if (name in entry) != (name in needs):
            what = f"every {period} takes {' and '.join(needs)}"
            node.fault_of_name(what, f"Write {', '.join(needs)} beside every")
            return None
    if period == "week":
        name = entry["day"].string("day").lower()
        if name not in WEEKDAYS:
            entry["day"].fault(f"there is no day {name!r}", "Write it as wednesday")
            return None
        return Every(period, weekday=WEEKDAYS.index(name))
    month = entry["month"].whole("month") if "month" in entry else 1
    if not 1 <= month <= MONTHS:
        entry["month"].fault("there is no such month", f"Write 1 to {MONTHS}")
        return None
    found = _DAYS.fullmatch(fold_digits(entry["days"].string("days")).strip())
    first = int(found[1]) if found else 0
    last = int(found[2] or found[1]) if found else 0
    if not 1 <= first <= last <= MONTH_DAYS:
        entry["days"].fault("these are no days of a month", "Write them as 1-14")
        return None
    return Every(period, first, last, month)


def _dates(node: Node) -> tuple[Span, ...]:
    parts = node.sequence("dates")
    if not parts:
        node.fault("there are no dates", "Write them as [1405/04/05-1405/04/14]")
    if len(parts) > DATES_MAX:
        node.fault(f"there are more than {DATES_MAX} dates", "Take out those gone by")
        return ()
    found: list[tuple[date, date]] = []
    for part in parts:
        written = part.string("a date")
        # Hyphens may be those of a single day, slashes are never between two.
        first, _, last = written.partition("-") if "/" in written else (written, "", "")
        days = _read(first), _read(last or first)
        if days[0] is None or days[1] is None:
            part.fault(
                "not a day, nor two", "Write 1405/05/01 or 1405/04/05-1405/04/14"
            )
        elif days[1] < days[0]:
            part.fault("it ends before it begins", "Swap the two days")
        else:
            found.append((days[0], days[1]))
    found.sort()
    for earlier, later in zip(found, found[1:], strict=False):
        if later[0] <= earlier[1]:
            node.fault("two of the dates overlap", "Make one of them, or part them")
            break
    return tuple(found)


def _day(node: Node | None) -> date | None:
    if node is None:
        return None
    day = _read(node.string("a day"))
    if day is None:
        node.fault("not a day", _DAY)
    return day


def _read(written: str) -> date | None:
    try:
        return read_day(written.strip())
    except NotADay:
        return None
