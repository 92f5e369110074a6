"""All lines of a file, judged as a whole before anything is done with one of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from gateway.payments.form import Kind, Unreadable
from gateway.settlements.columns import insist_on_plain
from gateway.settlements.files import BadFile, Row
from gateway.settlements.lines import Line, Reader
from phone.digits import fold
from phone.private import looks_like_card

__all__ = ["Parked", "Spool", "spooled"]

CACHE_KIB = 65_536
# How the row of totals begins.
TOTALS = frozenset(
    map(fold, ("total", "totals", "sum", "جمع", "جمع کل", "مجموع", "جمع مبلغ"))
)

_TABLES = """
CREATE TABLE line (
    row INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL,
    amount INTEGER NOT NULL, paid_at INTEGER NOT NULL, within INTEGER NOT NULL,
    code TEXT, phone TEXT, reference TEXT, fee INTEGER, settled_on TEXT,
    is_settled INTEGER NOT NULL, UNIQUE (kind, id)
);
CREATE TABLE parked (row INTEGER PRIMARY KEY, id TEXT, why TEXT NOT NULL);
"""
_INSERT = "INSERT OR IGNORE INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SAME = "SELECT * FROM line WHERE kind = ? AND id = ?"
_NAMED = "SELECT 1 FROM line WHERE kind = 'payment' AND id = ?"
_PARKED_ID = "SELECT 1 FROM parked WHERE id = ?"


@dataclass(frozen=True, slots=True)
class Parked:
    """A row that is no line of money, and why."""

    row: int
    why: str


class Spool:
    """The lines of a file, on disk while there are many.

    `repeated` counts rows that said again what one before them had said.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._cards = 0
        self._sum = 0
        self.repeated = 0
        self.lines = 0
        self.parked = 0

    def take(self, rows: Iterator[Row], reader: Reader) -> None:
        """Read all rows; raises BadFile for what makes the file as a whole wrong."""
        totals: Row | None = None
        for row in rows:
            insist_on_plain(row)
            if totals is not None:
                raise BadFile(f"row {row.number}: stands below the row of totals")
            if _is_totals(row, reader):
                totals = row
                continue
            try:
                self._add(reader.read(row))
            except Unreadable as fault:
                self._park(row, reader, str(fault))
        if not self.lines and not self.parked:
            raise BadFile("the file has no rows below the names of its columns")
        if self.lines and self._cards == self.lines:
            raise BadFile(
                "the column of the id holds card numbers, which are not taken"
            )
        if totals is not None:
            self._insist_on(totals, reader)
        self._db.execute("CREATE INDEX ix_parked_id ON parked (id)")

    def pages(self, size: int) -> Iterator[list[Line]]:
        """The lines in the order of their rows, so many at a time."""
        last = 0
        while True:
            found = self._db.execute(
                "SELECT * FROM line WHERE row > ? ORDER BY row LIMIT ?", (last, size)
            ).fetchall()
            if not found:
                return
            last = found[-1][0]
            yield [_line(values) for values in found]

    def parked_rows(self) -> Iterator[Parked]:
        """The rows that are no lines of money, in their order."""
        found = self._db.execute("SELECT row, why FROM parked ORDER BY row")
        return (Parked(*values) for values in found)

    def names(self, payment_id: str) -> bool:
        """Whether the file has a row of that payment, read or parked."""
        return any(
            self._db.execute(query, (payment_id,)).fetchone()
            for query in (_NAMED, _PARKED_ID)
        )

    def period(self) -> tuple[datetime, datetime] | None:
        """The first and the last moment that a payment of the file can be of."""
        first, last = self._db.execute(
            "SELECT min(paid_at), max(paid_at + within) FROM line"
            " WHERE kind = 'payment'"
        ).fetchone()
        if first is None:
            return None
        return datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC)

    def _add(self, line: Line) -> None:
        values = _values(line)
        if self._db.execute(_INSERT, values).rowcount:
            self.lines += 1
            self._cards += looks_like_card(line.id)
            self._sum += line.amount if line.kind is Kind.PAYMENT else -line.amount
            return
        before = self._db.execute(_SAME, (line.kind.value, line.id)).fetchone()
        if tuple(before[1:]) != values[1:]:
            raise BadFile(
                f"row {line.row}: row {before[0]} has the same id and says otherwise"
            )
        self.repeated += 1
        self._sum += line.amount if line.kind is Kind.PAYMENT else -line.amount

    def _park(self, row: Row, reader: Reader, why: str) -> None:
        self.parked += 1
        named = reader.cell(row, "id") or None
        self._db.execute(
            "INSERT INTO parked VALUES (?, ?, ?)", (row.number, named, why)
        )

    def _insist_on(self, totals: Row, reader: Reader) -> None:
        written = reader.cell(totals, "amount")
        if self.parked:
            # What cannot be read cannot be added up; nothing is applied then anyway,
            # unless an operator says that it is to be.
            return
        try:
            told = reader.rial("amount", written)
        except Unreadable:
            raise BadFile(
                f"row {totals.number}: there is no total of the amounts"
            ) from None
        if told != self._sum:
            raise BadFile(
                f"row {totals.number}: the total is {told} rial and the rows are "
                f"{self._sum}"
            )


@contextmanager
def spooled() -> Iterator[Spool]:
    """An empty spool, which leaves nothing behind: its file has no name on any disk."""
    db = sqlite3.connect("", isolation_level=None)
    try:
        db.executescript(
            f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
            f"PRAGMA cache_size=-{CACHE_KIB}; {_TABLES} BEGIN;"
        )
        yield Spool(db)
    finally:
        db.close()


def _is_totals(row: Row, reader: Reader) -> bool:
    """Whether a row is the sum of those above it: it says so, and names no payment."""
    named = fold(reader.cell(row, "id"))
    return (not named or named in TOTALS) and any(
        fold(cell).rstrip(":") in TOTALS for cell in row.cells
    )


def _values(line: Line) -> tuple[Any, ...]:
    return (
        line.row,
        line.kind.value,
        line.id,
        line.amount,
        int(line.paid_at.timestamp()),
        int(line.within.total_seconds()),
        line.code,
        line.phone,
        line.reference,
        line.fee,
        line.settled_on.isoformat() if line.settled_on else None,
        int(line.is_settled),
    )


def _line(values: Sequence[Any]) -> Line:
    (row, kind, id, amount, paid, within, code, phone, said, fee, on, settled) = values
    return Line(
        row=row,
        kind=Kind(kind),
        id=id,
        amount=amount,
        paid_at=datetime.fromtimestamp(paid, UTC),
        within=timedelta(seconds=within),
        code=code,
        phone=phone,
        reference=said,
        fee=fee,
        settled_on=date.fromisoformat(on) if on else None,
        is_settled=bool(settled),
    )
