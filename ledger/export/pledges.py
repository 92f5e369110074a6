"""One row for each pledge, with what became of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, and_, bindparam, func, select

from ledger.export.cells import jalali, masked, toman, utc
from ledger.export.pages import Record, text_states, walk
from ledger.export.selection import Selection, events_of
from ledger.export.table import Column, Table
from ledger.pledges import State
from ledger.schema import code, event, payment, transfer, vault
from ledger.vault import Keys

__all__ = ["PLEDGES"]

_COLUMNS = (
    Column("code", "کد پیگیری"),
    Column("recorded_at", "زمان ثبت (UTC)", 22),
    Column("recorded_at_jalali", "زمان ثبت", 18),
    Column("campaign", "پویش"),
    Column("purpose", "محل هزینه", 16),
    Column("unit", "واحد", 8),
    Column("amount", "مقدار", 16, summed=True, whole=True),
    Column("amount_toman", "مبلغ (تومان)", 16, summed=True),
    Column("paid", "پرداخت‌شده", 16, summed=True, whole=True),
    Column("outstanding", "مانده", 16, summed=True, whole=True),
    Column("paid_at", "زمان پرداخت (UTC)", 22),
    Column("state", "وضعیت"),
    Column("channel", "کانال"),
    Column("district", "منطقه"),
    Column("centre", "مرکز"),
    Column("donor", "کمک‌کننده"),
    Column("text_state", "وضعیت پیامک"),
    Column("reference", "شمارهٔ مرجع", 16),
    # The columns above are a contract: what is new comes below.
    Column("refunded", "بازگردانده‌شده", 16, summed=True, whole=True),
    Column("donor_kind", "نوع کمک‌کننده", 14),
    Column("cohort", "کد گروه"),
    Column("partner", "همکار"),
)


@dataclass(slots=True)
class _Fate:
    """What became of one pledge's pending transfer, in its unit."""

    paid: int = 0
    voided: int = 0
    written_off: int = 0
    expired: int = 0
    refunded: int = 0
    paid_at: datetime | None = None
    reference: str = ""

    def outstanding(self, amount: int) -> int:
        return amount - self.paid - self.voided - self.written_off - self.expired

    def state(self, amount: int) -> State:
        """Name it as ledger.pledges does: what was paid outweighs what was not."""
        if self.outstanding(amount):
            return State.PART_PAID if self.paid else State.OPEN
        if self.paid:
            return State.REFUNDED if self.refunded >= self.paid else State.PAID
        if self.written_off:
            return State.WRITTEN_OFF
        return State.CANCELLED if self.voided else State.EXPIRED


def _pages(engine: Engine, selection: Selection, keys: Keys) -> Iterator[list[Record]]:
    complete = partial(_records, keys=keys, time_zone=selection.time_zone)
    return walk(engine, PLEDGES.source, selection, _PLEDGES, complete)


def _records(
    db: Connection, rows: Sequence[Any], *, keys: Keys, time_zone: str
) -> list[Record]:
    fates = _fates(db, rows)
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
                fate.refunded,
                row.donor_kind or "",
                row.cohort or "",
                row.partner or "",
            )
        )
    return records


def _fates(db: Connection, rows: Sequence[Any]) -> defaultdict[int, _Fate]:
    fates: defaultdict[int, _Fate] = defaultdict(_Fate)
    found = db.execute(
        _RESOLUTIONS, {"pending_ids": [row.pending_id for row in rows]}
    ).all()
    told = _told(db, found)
    for row in found:
        fate = fates[row.pending_id]
        if row.phase == "post":
            fate.paid += row.amount
            fate.paid_at, fate.reference = told.get(
                _payment_id(row), (row.at, str(row.body.get("reference", "")))
            )
        elif row.phase == "expire":
            fate.expired += row.amount
        elif row.kind == "pledge.write_off":
            fate.written_off += row.amount
        else:
            fate.voided += row.amount
    pending_ids = {row.id: row.pending_id for row in rows}
    for pledge_id, amount in db.execute(_REFUNDS, {"event_ids": list(pending_ids)}):
        fates[pending_ids[pledge_id]].refunded = int(amount)
    return fates


def _told(
    db: Connection, resolutions: Sequence[Any]
) -> dict[int, tuple[datetime, str]]:
    """When each payment was made and its reference, as the outside told them."""
    wanted = {_payment_id(row) for row in resolutions if row.phase == "post"}
    found = db.execute(_PAYMENTS, {"event_ids": list(wanted)})
    return {row.event_id: (row.paid_at, row.reference or "") for row in found}


def _payment_id(row: Any) -> int:
    # Money that came before its pledge was known is matched by a later event.
    return int(row.body.get("payment", row.event_id))


_PLEDGES = (
    select(
        event.c.id,
        event.c.at,
        event.c.campaign,
        event.c.purpose,
        event.c.channel,
        event.c.district,
        event.c.centre,
        event.c.partner,
        event.c.donor_kind,
        event.c.cohort,
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
_by = event.alias("by")
_RESOLUTIONS = (
    select(
        transfer.c.pending_id,
        transfer.c.event_id,
        transfer.c.phase,
        transfer.c.amount,
        _by.c.kind,
        _by.c.at,
        _by.c.body,
    )
    .join(_by, _by.c.id == transfer.c.event_id)
    .where(transfer.c.pending_id.in_(bindparam("pending_ids", expanding=True)))
    .order_by(transfer.c.id)
)
_REFUNDS = (
    select(_by.c.about_id, func.sum(transfer.c.amount))
    .join(transfer, transfer.c.event_id == _by.c.id)
    .where(
        _by.c.about_id.in_(bindparam("event_ids", expanding=True)),
        transfer.c.phase == "reversal",
    )
    .group_by(_by.c.about_id)
)
_PAYMENTS = select(payment.c.event_id, payment.c.paid_at, payment.c.reference).where(
    payment.c.event_id.in_(bindparam("event_ids", expanding=True))
)

_SOURCE = events_of(event.c.kind == "pledge")
PLEDGES = Table("pledges", "کمک‌ها", _SOURCE, _COLUMNS, _pages, state="state")
