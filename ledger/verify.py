"""Read all of the books and say what cannot be true of them.

The database guards each row as it comes in; this proves afterwards that no row
came in another way: a restore, a repair by hand, a guard that was dropped.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select, text
from sqlalchemy.exc import DatabaseError, DataError

from ledger.assemblies.records import REGISTER_RULES, untrue_registers
from ledger.legible import illegible
from ledger.money_rules import MONEY_RULES
from ledger.records import RECORD_RULES, untrue_records
from ledger.request_rules import REQUEST_RULES
from ledger.rules import RULES, Fault, Rule, lost_references
from ledger.schema import account, code, event, leaf, outbox, signup, transfer
from ledger.sealing.checking import wrong_seals
from ledger.tallies import miscounted
from ledger.time_rules import TIME_RULES
from phone.codes import is_code

__all__ = ["FAULTS_MAX", "Count", "Fault", "Sum", "Verdict", "verify"]

FAULTS_MAX = 1_000
_ROWS_AT_ONCE = 2_000
# What a value of another kind raises where it is read.
_SENSELESS = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows of a table were read."""

    table: str
    rows: int


@dataclass(frozen=True, slots=True)
class Sum:
    """What moved in one phase, in minor units; rehearsals stand apart."""

    unit: str
    phase: str
    test: bool
    transfers: int
    amount: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was read and what is wrong; `cut` says that faults were left out."""

    counts: tuple[Count, ...]
    sums: tuple[Sum, ...]
    faults: tuple[Fault, ...]
    cut: bool

    @property
    def is_sound(self) -> bool:
        return not self.faults


def verify(
    db: Connection,
    *,
    faults_max: int = FAULTS_MAX,
    progress: Callable[[int, int], None] | None = None,
    seal_key: bytes | None = None,
) -> Verdict:
    """Check every fact against every other and against its seal, in constant memory.

    `db` is from reading(snapshot=True), so that all checks see the same moment.
    `progress` is told how many checks are done and how many there are. At most
    `faults_max` faults are told: a damaged table can hold millions. `seal_key` is the
    public key that must have signed; without it, the one that the books name.
    """
    damage = tuple(islice(_damage(db), faults_max))
    try:
        if not damage:
            rules = illegible(db.dialect.name)
            damage = tuple(
                islice((f for one in rules for f in _broken(db, one)), faults_max)
            )
        return _judged(db, damage, faults_max, progress, seal_key)
    except DatabaseError as error:
        if not _is_torn(error):
            raise
        torn = Fault("database", "-", "has pages or values that cannot be read")
        return Verdict((), (), (*damage, torn)[:faults_max], cut=True)


def _judged(
    db: Connection,
    damage: tuple[Fault, ...],
    faults_max: int,
    progress: Callable[[int, int], None] | None,
    seal_key: bytes | None,
) -> Verdict:
    found = chain(damage, _faults(db, progress, seal_key))
    faults = tuple(islice(found, faults_max + 1))
    return Verdict(
        counts=tuple(
            Count(table.name, db.scalar(select(func.count()).select_from(table)) or 0)
            for table in (event, transfer, code, signup, outbox, leaf)
        ),
        sums=tuple(
            Sum(row.unit, row.phase, row.test, row.transfers, int(row.amount))
            for row in db.execute(_SUMS)
        ),
        faults=faults[:faults_max],
        cut=len(faults) > faults_max,
    )


def _faults(
    db: Connection,
    progress: Callable[[int, int], None] | None,
    seal_key: bytes | None,
) -> Iterator[Fault]:
    rules = [*lost_references(), *RULES, *MONEY_RULES, *REQUEST_RULES, *RECORD_RULES]
    rules += [*TIME_RULES, *REGISTER_RULES]
    checks: list[Callable[[Connection], Iterator[Fault]]] = [
        partial(_broken, rule=rule) for rule in rules
    ]
    checks += [_mistyped_codes, _untrue_pledges, untrue_records, untrue_registers]
    checks += [_miscounted, partial(wrong_seals, public_key=seal_key)]
    for done, check in enumerate(checks):
        if progress:
            progress(done, len(checks))
        try:
            yield from check(db)
        except _SENSELESS as error:
            what = f"holds a value that stopped a check ({type(error).__name__})"
            yield Fault("database", "-", what)
    if progress:
        progress(len(checks), len(checks))


def _damage(db: Connection) -> Iterator[Fault]:
    # PostgreSQL has checksums for this, and tells of damage by failing a query.
    if db.dialect.name != "sqlite":
        return
    try:
        for (line,) in db.execute(text("PRAGMA integrity_check")):
            if line != "ok":
                yield Fault("database", "-", str(line))
    except DatabaseError as error:
        if not _is_torn(error):
            raise
        yield Fault("database", "-", "has pages that cannot be checked")


def _is_torn(error: DatabaseError) -> bool:
    """Whether the database says that what is in it cannot be read."""
    if isinstance(error, DataError):
        return True
    if not isinstance(error.orig, sqlite3.Error):
        return False
    # A text that is no UTF-8 or no JSON has no number, or that of any mistake.
    number: int = getattr(error.orig, "sqlite_errorcode", 0)
    return number & 0xFF in (0, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT)


def _broken(db: Connection, rule: Rule) -> Iterator[Fault]:
    for row in _stream(db, rule.query):
        yield Fault(rule.table, "/".join(str(part) for part in row), rule.what)


def _mistyped_codes(db: Connection) -> Iterator[Fault]:
    for row in _stream(db, select(code.c.event_id, code.c.code)):
        if not is_code(row.code):
            yield Fault("code", str(row.event_id), "has a wrong check digit")


def _miscounted(db: Connection) -> Iterator[Fault]:
    for run in miscounted(db):
        yield Fault("tally", str(run), "is not what the events of its run come to")


def _untrue_pledges(db: Connection) -> Iterator[Fault]:
    for row in _stream(db, _PLEDGES):
        for field in ("campaign", "purpose", "unit", "amount"):
            if row.body.get(field) != getattr(row, field):
                what = f"was asked for another {field} than its transfer has"
                yield Fault("event", str(row.id), what)
        # Not by ledger.chart, which stops at a name that was changed by hand.
        unit = "" if row.unit == "rial" else f":{row.unit}"
        accounts = (
            f"A:Receivable:Pledge:{row.campaign}{unit}",
            f"N:Donation:{row.campaign}:{row.purpose}{unit}",
        )
        if (row.debit, row.credit) != accounts:
            what = "stands on other accounts than its campaign's and purpose's"
            yield Fault("event", str(row.id), what)


_SUMS = (
    select(
        transfer.c.unit,
        transfer.c.phase,
        event.c.test,
        func.count().label("transfers"),
        func.sum(transfer.c.amount).label("amount"),
    )
    .join(event, event.c.id == transfer.c.event_id)
    .group_by(transfer.c.unit, transfer.c.phase, event.c.test)
    .order_by(transfer.c.unit, transfer.c.phase, event.c.test)
)
_debit = account.alias("debit")
_credit = account.alias("credit")
_PLEDGES = (
    select(
        event.c.id,
        event.c.body,
        event.c.campaign,
        event.c.purpose,
        transfer.c.unit,
        transfer.c.amount,
        _debit.c.code.label("debit"),
        _credit.c.code.label("credit"),
    )
    .join(
        transfer,
        and_(transfer.c.event_id == event.c.id, transfer.c.phase == "pending"),
    )
    .join(_debit, _debit.c.id == transfer.c.debit_id)
    .join(_credit, _credit.c.id == transfer.c.credit_id)
    .where(event.c.kind == "pledge")
)


def _stream(db: Connection, query: Select[Any]) -> Iterator[Any]:
    # The rows come by and by, on PostgreSQL through a cursor on the server.
    options = {"yield_per": _ROWS_AT_ONCE}
    with db.execute(query, execution_options=options) as result:
        yield from result
