"""The journal as accountants' programs take it: events whose postings add up to zero.

hledger and beancount know nothing of a promise, so what is pending, and what releases
it, is a comment there: a balance is what `ledger.balances` calls posted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select

from ledger.engine import reading
from ledger.export.journal import JOURNAL
from ledger.export.pages import Record
from ledger.schema import unit

__all__ = ["Closing", "Entry", "Posting", "Units", "entries", "units"]

# The phases that only promise, or release a promise: see ledger.balances.
_PROMISES = frozenset({"pending", "void", "expire"})
_AT = {name: place for place, name in enumerate(JOURNAL.names)}
_PLACES = tuple(_AT[name] for name in ("debit", "credit", "unit", "amount", "phase"))


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount in minor units that goes from one account to another."""

    debit: str
    credit: str
    unit: str
    amount: int
    phase: str

    @property
    def has_happened(self) -> bool:
        return self.phase not in _PROMISES


@dataclass(frozen=True, slots=True)
class Entry:
    """One event: its day in campaign time, and what it moved."""

    event: int
    day: date
    kind: str
    code: str
    postings: tuple[Posting, ...]

    @property
    def happened(self) -> list[Posting]:
        return [one for one in self.postings if one.has_happened]


@dataclass(frozen=True, slots=True)
class Units:
    """How amounts are written: the name of a commodity, and its decimal places."""

    scales: dict[str, int]

    def commodity(self, code: str) -> str:
        return code.upper()

    def amount(self, code: str, amount: int) -> str:
        """Write minor units of `code` as 1500 RIAL or, with two places, 15.00 RIAL."""
        return f"{self.number(code, amount)} {self.commodity(code)}"

    def number(self, code: str, amount: int) -> str:
        scale = self.scales[code]
        if not scale:
            return str(amount)
        sign, digits = "-" if amount < 0 else "", str(abs(amount)).zfill(scale + 1)
        return f"{sign}{digits[:-scale]}.{digits[-scale:]}"


@dataclass(slots=True)
class Closing:
    """What the entries of a file add up to, which is stated at its end.

    It grows with the number of accounts, not with that of transfers.
    """

    sums: dict[tuple[str, str], int] = field(default_factory=dict)
    last_day: date | None = None

    def add(self, entry: Entry) -> list[tuple[str, str]]:
        """Add an entry; the accounts and units that it is the first to name."""
        fresh: list[tuple[str, str]] = []
        for one in entry.happened:
            for account, signed in (
                (one.debit, one.amount),
                (one.credit, -one.amount),
            ):
                place = account, one.unit
                if place not in self.sums:
                    fresh.append(place)
                    self.sums[place] = 0
                self.sums[place] += signed
        if entry.happened and (self.last_day is None or entry.day > self.last_day):
            self.last_day = entry.day
        return fresh


def entries(records: Iterable[Record], time_zone: str) -> Iterator[Entry]:
    """Gather a page of the journal by event."""
    zone = ZoneInfo(time_zone)
    for event, rows in groupby(records, key=lambda record: record[_AT["event"]]):
        lines = list(rows)
        first = lines[0]
        at = datetime.fromisoformat(str(first[_AT["recorded_at"]]))
        yield Entry(
            int(event),
            at.astimezone(zone).date(),
            str(first[_AT["kind"]]),
            str(first[_AT["code"]]),
            tuple(_posting(line) for line in lines),
        )


def units(engine: Engine) -> Units:
    """Read the units of account."""
    with reading(engine) as db:
        found = db.execute(select(unit.c.code, unit.c.scale).order_by(unit.c.code))
        return Units({row.code: row.scale for row in found})


def _posting(record: Record) -> Posting:
    debit, credit, unit, amount, phase = (record[place] for place in _PLACES)
    return Posting(str(debit), str(credit), str(unit), int(amount), str(phase))
