"""One row for each transfer: the books themselves, pending promises included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, and_, select

from ledger.export.cells import jalali, utc
from ledger.export.pages import Record, walk
from ledger.export.selection import Selection, events_of
from ledger.export.table import Column, Table
from ledger.schema import account, code, event, leaf, transfer
from ledger.vault import Keys

__all__ = ["JOURNAL"]

_COLUMNS = (
    Column("event", "شمارهٔ رویداد", 14, whole=True),
    Column("number", "ردیف", 6, whole=True),
    Column("recorded_at", "زمان ثبت (UTC)", 22),
    Column("recorded_at_jalali", "زمان ثبت", 18),
    Column("kind", "نوع", 16),
    Column("debit", "بدهکار", 32),
    Column("credit", "بستانکار", 32),
    Column("unit", "واحد", 8),
    Column("amount", "مقدار", 16, summed=True, whole=True),
    Column("phase", "مرحله", 10),
    Column("about", "دربارهٔ رویداد", 14, whole=True),
    Column("code", "کد پیگیری"),
    Column("campaign", "پویش"),
    Column("purpose", "محل هزینه", 16),
    Column("district", "منطقه"),
    Column("centre", "مرکز"),
    Column("channel", "کانال"),
    Column("partner", "همکار"),
    Column("donor_kind", "نوع کمک‌کننده", 14),
    Column("cohort", "کد گروه"),
    Column("leaf", "شمارهٔ مهر", 14, whole=True),
)


def _pages(engine: Engine, selection: Selection, keys: Keys) -> Iterator[list[Record]]:
    complete = partial(_records, time_zone=selection.time_zone)
    return walk(engine, JOURNAL.source, selection, _TRANSFERS, complete)


def _records(db: Connection, rows: Sequence[Any], *, time_zone: str) -> list[Record]:
    return [
        (
            row.id,
            row.number,
            utc(row.at),
            jalali(row.at, time_zone),
            row.kind,
            row.debit,
            row.credit,
            row.unit,
            row.amount,
            row.phase,
            row.about_id or "",
            row.code or row.about_code or "",
            row.campaign or "",
            row.purpose or "",
            row.district or "",
            row.centre or "",
            row.channel,
            row.partner or "",
            row.donor_kind or "",
            row.cohort or "",
            "" if row.leaf is None else row.leaf,
        )
        for row in sorted(rows, key=lambda row: (row.id, row.number))
    ]


_debit = account.alias("debit")
_credit = account.alias("credit")
_about = code.alias("about")
_TRANSFERS = (
    select(
        event.c.id,
        transfer.c.number,
        event.c.at,
        event.c.kind,
        _debit.c.code.label("debit"),
        _credit.c.code.label("credit"),
        transfer.c.unit,
        transfer.c.amount,
        transfer.c.phase,
        event.c.about_id,
        code.c.code,
        _about.c.code.label("about_code"),
        event.c.campaign,
        event.c.purpose,
        event.c.district,
        event.c.centre,
        event.c.channel,
        event.c.partner,
        event.c.donor_kind,
        event.c.cohort,
        leaf.c.number.label("leaf"),
    )
    .join(transfer, transfer.c.event_id == event.c.id)
    .join(_debit, _debit.c.id == transfer.c.debit_id)
    .join(_credit, _credit.c.id == transfer.c.credit_id)
    .outerjoin(code, code.c.event_id == event.c.id)
    .outerjoin(_about, _about.c.event_id == event.c.about_id)
    .outerjoin(
        leaf, and_(leaf.c.event_id == event.c.id, leaf.c.unit == transfer.c.unit)
    )
)

_SOURCE = events_of(event.c.transfers > 0)
JOURNAL = Table("journal", "دفتر روزنامه", _SOURCE, _COLUMNS, _pages, state="phase")
