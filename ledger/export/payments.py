"""One row for each payment that came, and how much of it was for something known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, select

from ledger.export.cells import jalali, masked, toman, utc
from ledger.export.pages import Record, walk
from ledger.export.selection import Selection, Source
from ledger.export.table import Column, Table
from ledger.schema import event, payment, vault
from ledger.vault import Keys

__all__ = ["PAYMENTS"]

# A payment service's amounts are rial: see ledger.payments.
_UNIT = "rial"
_COLUMNS = (
    Column("payment", "شمارهٔ رویداد", 14, whole=True),
    Column("recorded_at", "زمان ثبت (UTC)", 22),
    Column("recorded_at_jalali", "زمان ثبت", 18),
    Column("paid_at", "زمان پرداخت (UTC)", 22),
    Column("kind", "نوع"),
    Column("source", "درگاه"),
    Column("outside_id", "شناسهٔ درگاه", 24),
    Column("unit", "واحد", 8),
    Column("amount", "مبلغ", 16, summed=True, whole=True),
    Column("amount_toman", "مبلغ (تومان)", 16, summed=True),
    Column("matched", "شناخته‌شده", 16, summed=True, whole=True),
    Column("unmatched", "معلق", 16, summed=True, whole=True),
    Column("state", "وضعیت"),
    Column("code", "کد پیگیری"),
    Column("reference", "شمارهٔ مرجع", 16),
    Column("campaign", "پویش"),
    Column("purpose", "محل هزینه", 16),
    Column("channel", "کانال"),
    Column("partner", "همکار"),
    Column("donor", "کمک‌کننده"),
)


def _pages(engine: Engine, selection: Selection, keys: Keys) -> Iterator[list[Record]]:
    complete = partial(_records, keys=keys, time_zone=selection.time_zone)
    return walk(engine, _SOURCE, selection, _PAYMENTS, complete)


def _records(
    db: Connection, rows: Sequence[Any], *, keys: Keys, time_zone: str
) -> list[Record]:
    return [
        (
            row.id,
            utc(row.at),
            jalali(row.at, time_zone),
            utc(row.paid_at),
            row.kind,
            row.source,
            row.outside_id,
            _UNIT,
            row.amount,
            toman(_UNIT, row.amount),
            row.amount - row.unmatched,
            row.unmatched,
            _state(row.amount, row.unmatched),
            row.code or "",
            row.reference or "",
            row.campaign or "",
            row.purpose or "",
            row.channel,
            row.partner or "",
            masked(keys, row),
        )
        for row in rows
    ]


def _state(amount: int, unmatched: int) -> str:
    if not unmatched:
        return "matched"
    return "unmatched" if unmatched == amount else "part_matched"


_SOURCE = Source(
    payment.c.event_id,
    event.c.at,
    payment.join(event, event.c.id == payment.c.event_id),
    (event.c.test.is_(False),),
    lambda campaign: event.c.campaign == campaign,
    same=(event.c.id,),
)
_PAYMENTS = (
    select(
        payment.c.event_id.label("id"),
        event.c.at,
        payment.c.paid_at,
        event.c.kind,
        payment.c.source,
        payment.c.outside_id,
        payment.c.amount,
        payment.c.unmatched,
        payment.c.code,
        payment.c.reference,
        event.c.campaign,
        event.c.purpose,
        event.c.channel,
        event.c.partner,
        event.c.person_id,
        vault.c.wrapped_key,
        vault.c.phone,
    )
    .join(event, event.c.id == payment.c.event_id)
    .outerjoin(vault, vault.c.person_id == event.c.person_id)
)

PAYMENTS = Table("payments", "پرداخت‌ها", _SOURCE, _COLUMNS, _pages, state="state")
