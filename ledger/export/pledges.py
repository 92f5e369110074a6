"""One row for each pledge, with what became of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, and_, bindparam, select

from ledger.export.cells import jalali, masked, toman, utc
from ledger.export.pages import Record, text_states, walk
from ledger.export.selection import Selection
from ledger.export.table import Column, Table
from ledger.pledges import State
from ledger.schema import code, event, transfer, vault
from ledger.vault import Keys

__all__ = ["PLEDGES"]

_COLUMNS = (
    Column("code", "کد پیگیری"),
    Column("recorded_at", "زمان ثبت (UTC)", 22),
    Column("recorded_at_jalali", "زمان ثبت", 18),
    Column("campaign", "پویش"),
    Column("purpose", "محل هزینه", 16),
    Column("unit", "واحد", 8),
    Column("amount", "مقدار", 16, summed=True),
    Column("amount_toman", "مبلغ (تومان)", 16, summed=True),
    Column("paid", "پرداخت‌شده", 16, summed=True),
    Column("outstanding", "مانده", 16, summed=True),
    Column("paid_at", "زمان پرداخت (UTC)", 22),
    Column("state", "وضعیت"),
    Column("channel", "کانال"),
    Column("district", "منطقه"),
    Column("centre", "مرکز"),
    Column("donor", "کمک‌کننده"),
    Column("text_state", "وضعیت پیامک"),
    Column("reference", "شمارهٔ مرجع", 16),
)


@dataclass(slots=True)
class _Fate:
    """What became of one pledge's pending transfer, in its unit."""

    paid: int = 0
    voided: int = 0
    expired: int = 0
    paid_at: datetime | None = None
    reference: str = ""

    def outstanding(self, amount: int) -> int:
        return amount - self.paid - self.voided - self.expired

    def state(self, amount: int) -> State:
        """Name it as ledger.pledges does: what was paid outweighs what was not."""
        if self.outstanding(amount):
            return State.PART_PAID if self.paid else State.OPEN
        if self.paid:
            return State.PAID
        return State.CANCELLED if self.voided else State.EXPIRED


def _pages(engine: Engine, selection: Selection, keys: Keys) -> Iterator[list[Record]]:
    complete = partial(_records, keys=keys, time_zone=selection.time_zone)
    return walk(engine, PLEDGES.kind, selection, _PLEDGES, complete)


def _records(
    db: Connection, rows: Sequence[Any], *, keys: Keys, time_zone: str
) -> list[Record]:
    fates = _fates(db, [row.pending_id for row in rows])
    texts = text_states(db, [row.id for row in rows])
    records: list[Record] = []
    for row in rows:
        fate = fates[row.pending_id]
        records.append(
            (
                row.code,
                utc(row.at),
                jalali(row.at, time_zone),
                row.campaign,
                row.purpose,
                row.unit,
                row.amount,
                toman(row.unit, row.amount),
                fate.paid,
                fate.outstanding(row.amount),
                utc(fate.paid_at),
                fate.state(row.amount),
                row.channel,
                row.district or "",
                row.centre or "",
                masked(keys, row),
                texts.get(row.id, "none"),
                fate.reference,
            )
        )
    return records


def _fates(db: Connection, pending_ids: list[int]) -> defaultdict[int, _Fate]:
    fates: defaultdict[int, _Fate] = defaultdict(_Fate)
    for row in db.execute(_RESOLUTIONS, {"pending_ids": pending_ids}):
        fate = fates[row.pending_id]
        if row.phase == "post":
            fate.paid += row.amount
            fate.paid_at = row.at
            fate.reference = str(row.body.get("reference", ""))
        elif row.phase == "void":
            fate.voided += row.amount
        else:
            fate.expired += row.amount
    return fates


_PLEDGES = (
    select(
        event.c.id,
        event.c.at,
        event.c.campaign,
        event.c.purpose,
        event.c.channel,
        event.c.district,
        event.c.centre,
        event.c.person_id,
        code.c.code,
        transfer.c.id.label("pending_id"),
        transfer.c.unit,
        transfer.c.amount,
        vault.c.wrapped_key,
        vault.c.phone,
    )
    .join(
        transfer,
        and_(transfer.c.event_id == event.c.id, transfer.c.phase == "pending"),
    )
    .join(code, code.c.event_id == event.c.id)
    .outerjoin(vault, vault.c.person_id == event.c.person_id)
)
_payment = event.alias("payment")
_RESOLUTIONS = (
    select(
        transfer.c.pending_id,
        transfer.c.phase,
        transfer.c.amount,
        _payment.c.at,
        _payment.c.body,
    )
    .join(_payment, _payment.c.id == transfer.c.event_id)
    .where(transfer.c.pending_id.in_(bindparam("pending_ids", expanding=True)))
    .order_by(transfer.c.id)
)

PLEDGES = Table("pledges", "کمک‌ها", "pledge", _COLUMNS, _pages)
