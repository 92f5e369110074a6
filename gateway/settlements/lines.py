"""A row as a line of money, or why it is none. A fault never shows the value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from gateway.payments.fields import AHEAD_MAX, YEAR_MIN, Fields
from gateway.payments.form import Kind, Unreadable
from gateway.payments.signed_json import ID_CHARS_MAX
from gateway.settlements.columns import Place
from gateway.settlements.files import Row
from phone.amounts import RIAL_MAX, RIAL_PER_TOMAN
from phone.dates import NotADay, read_day
from phone.digits import fold, fold_digits, visible

__all__ = ["ERRORS", "Line", "Reader"]

# What a spreadsheet shows where it could not reckon; the last is our own, for a number
# that it has rounded.
ERRORS = frozenset(
    "#REF! #N/A #VALUE! #DIV/0! #NAME? #NULL! #NUM! #ROUNDED!".split()  # noqa: SIM905
)
WORDS = {
    "payment": Kind.PAYMENT,
    "پرداخت": Kind.PAYMENT,
    "خرید": Kind.PAYMENT,
    "واریز": Kind.PAYMENT,
    "refund": Kind.REFUND,
    "استرداد": Kind.REFUND,
    "عودت": Kind.REFUND,
    "reversal": Kind.REVERSAL,
    "برگشت": Kind.REVERSAL,
}
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)

# Groups of three with one mark between them, or none; a fraction of nothing.
_AMOUNT = re.compile(
    r"([0-9]{1,19}|[0-9]{1,3}(?:([,٬،'])[0-9]{3})(?:\2[0-9]{3})*)(\.00?)?"
)
_DAY_TIME = re.compile(
    r"(\d{8}|\d{4}[-/]\d{1,2}[-/]\d{1,2})(?:(?:\s+|T)(\S+))?", re.ASCII
)
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?", re.ASCII)
_SHORT_TIME = re.compile(r"(\d{2})(\d{2})(\d{2})?", re.ASCII)
_WITH_ZONE = re.compile(r"\S+T\S+([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_UNSAID = re.compile(r"-*")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of money, in rial.

    `paid_at` is known to the `within`: a second, a minute or a day of the campaign's
    zone. `fee` is None where the file has none; `settled_on` is the bank's day, None
    where it does not say, and `is_settled` whether the bank has it.
    """

    row: int
    kind: Kind
    id: str
    amount: int
    paid_at: datetime
    within: timedelta
    code: str | None
    phone: str | None = field(repr=False)
    reference: str | None = field(repr=False)
    fee: int | None
    settled_on: date | None
    is_settled: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """How the rows of one source are read."""

    place: Place
    zone: ZoneInfo
    region: str
    in_toman: bool
    kinds: Mapping[str, Kind]
    at: datetime

    def read(self, row: Row) -> Line:
        """Read a row. Raises Unreadable, whose line names the field."""
        given = {name: self.cell(row, name) for name in self.place}
        for name, value in given.items():
            if value in ERRORS:
                raise Unreadable(f"{name}: the cell holds an error or a rounded number")
        fields = Fields({n: v or None for n, v in given.items()}, given)
        amount = self.rial("amount", given["amount"])
        if not 0 < amount <= RIAL_MAX:
            raise Unreadable(f"amount: should be from 1 to {RIAL_MAX} rial")
        kind = self._kind(given.get("kind", ""))
        fee = self.rial("fee", given["fee"]) if given.get("fee") else 0
        if fee > (amount if kind is Kind.PAYMENT else RIAL_MAX):
            raise Unreadable("fee: is more than the amount")
        written = f"{given['paid_at']} {given.get('paid_time', '')}".strip()
        paid_at, within = self._moment("paid_at", written)
        self._insist_on_net(given.get("net", ""), kind, amount, fee)
        settled = given.get("settled_at", "")
        return Line(
            row=row.number,
            kind=kind,
            id=fields.word(
                "id", ID_CHARS_MAX, r"[!-~]+", "printable ASCII without spaces"
            ),
            amount=amount,
            paid_at=paid_at,
            within=within,
            code=fields.code("code"),
            phone=fields.phone("phone", self.region),
            reference=fields.reference("reference"),
            fee=fee if "fee" in self.place else None,
            settled_on=self._day("settled_at", settled) if settled else None,
            is_settled=bool(settled) or "settled_at" not in self.place,
        )

    def cell(self, row: Row, name: str) -> str:
        """The cell of a field, without what nobody sees; empty for a lone stroke."""
        place = self.place.get(name)
        if place is None or place >= len(row.cells):
            return ""
        value = " ".join(visible(row.cells[place]).split())
        if _UNSAID.fullmatch(value):
            return ""
        return value if name == "reference" else fold_digits(value)

    def rial(self, name: str, written: str) -> int:
        """A whole number that is not negative, in rial."""
        if written.startswith(("-", "(", "\u2212")):
            raise Unreadable(f"{name}: is negative")
        found = _AMOUNT.fullmatch(written.removeprefix("+"))
        if not found:
            raise Unreadable(f"{name}: should be a whole number")
        number = int(re.sub(r"\D", "", found[1], flags=re.ASCII))
        return number * RIAL_PER_TOMAN if self.in_toman else number

    def _insist_on_net(self, written: str, kind: Kind, amount: int, fee: int) -> None:
        if not written:
            return
        goes = amount - fee if kind is Kind.PAYMENT else amount + fee
        if self.rial("net", written.removeprefix("-")) != goes:
            raise Unreadable("net: is not the amount without the fee")

    def _kind(self, written: str) -> Kind:
        if not written:
            if "kind" in self.place:
                raise Unreadable("kind: is missing")
            return Kind.PAYMENT
        known = WORDS | dict(self.kinds)
        for word, kind in known.items():
            if fold(word) == fold(written):
                return kind
        raise Unreadable("kind: is none that the settings name")

    def _moment(self, name: str, written: str) -> tuple[datetime, timedelta]:
        if not written:
            raise Unreadable(f"{name}: is missing")
        try:
            if _WITH_ZONE.fullmatch(written):
                moment, within = datetime.fromisoformat(written.upper()), SECOND
            else:
                moment, within = self._local(name, written)
            moment = moment.astimezone(UTC).replace(microsecond=0)
        except Unreadable:
            raise
        except (ValueError, OverflowError):
            raise Unreadable(f"{name}: is on no calendar or clock") from None
        if moment.year < YEAR_MIN:
            raise Unreadable(f"{name}: is before the year {YEAR_MIN}")
        if moment > self.at + AHEAD_MAX:
            raise Unreadable(f"{name}: is more than a day from now")
        return moment, within

    def _local(self, name: str, written: str) -> tuple[datetime, timedelta]:
        found = _DAY_TIME.fullmatch(written)
        if not found:
            raise Unreadable(
                f"{name}: should be as 1405/09/01 12:30 or 2026-11-22 12:30"
            )
        day = self._day(name, found[1])
        if found[2] is None:
            return datetime.combine(day, time(), tzinfo=self.zone), DAY
        hour = _TIME.fullmatch(found[2]) or _SHORT_TIME.fullmatch(found[2])
        if not hour:
            raise Unreadable(f"{name}: should have a time as 12:30 or 12:30:45")
        of_day = time(int(hour[1]), int(hour[2]), int(hour[3] or 0))
        within = SECOND if hour[3] else MINUTE
        return datetime.combine(day, of_day, tzinfo=self.zone), within

    def _day(self, name: str, written: str) -> date:
        # The bank's day may have a time behind it.
        day = written.replace("T", " ").split()[0]
        if re.fullmatch(r"\d{8}", day, re.ASCII):
            day = f"{day[:4]}/{day[4:6]}/{day[6:]}"
        try:
            return _day_of(day)
        except NotADay:
            raise Unreadable(f"{name}: is no day of either calendar") from None


# A file has few days and many lines.
@lru_cache(maxsize=4_096)
def _day_of(written: str) -> date:
    return read_day(written)
