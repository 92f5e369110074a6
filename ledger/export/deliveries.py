"""One row for each request for delivery, with what became of it.

Without its tracking code, which is only the citizen's to tell at the door, and without
the reason, which is only the centre's to read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, select

from ledger.export.cells import jalali, masked, utc
from ledger.export.pages import Record, text_states, walk
from ledger.export.selection import Selection, events_of
from ledger.export.table import Column, Table
from ledger.schema import delivery, event, vault
from ledger.vault import Keys

__all__ = ["DELIVERIES"]

_COLUMNS = (
    Column("number", "شماره", whole=True),
    Column("recorded_at", "زمان ثبت (UTC)", 22),
    Column("recorded_at_jalali", "زمان ثبت", 18),
    Column("campaign", "پویش"),
    Column("place", "مکان"),
    Column("district", "منطقه"),
    Column("centre", "مرکز"),
    Column("queue", "صف", 16),
    Column("state", "وضعیت"),
    Column("call_back", "اجازهٔ تماس"),
    Column("due_at", "مهلت (UTC)", 22),
    Column("taken_at", "زمان پذیرش (UTC)", 22),
    Column("changed_at", "آخرین تغییر (UTC)", 22),
    Column("channel", "کانال"),
    Column("citizen", "شهروند"),
    Column("text_state", "وضعیت پیامک"),
)


def _pages(engine: Engine, selection: Selection, keys: Keys) -> Iterator[list[Record]]:
    complete = partial(_records, keys=keys, time_zone=selection.time_zone)
    return walk(engine, DELIVERIES.source, selection, _DELIVERIES, complete)


def _records(
    db: Connection, rows: Sequence[Any], *, keys: Keys, time_zone: str
) -> list[Record]:
    texts = text_states(db, [row.id for row in rows])
    return [
        (
            row.id,
            utc(row.at),
            jalali(row.at, time_zone),
            row.campaign,
            row.place or "",
            row.district or "",
            row.centre or "",
            row.queue,
            row.state,
            "yes" if row.call_back else "no",
            utc(row.due_at),
            utc(row.taken_at),
            utc(row.changed_at),
            row.channel,
            masked(keys, row),
            texts.get(row.id, "none"),
        )
        for row in rows
    ]


_DELIVERIES = (
    select(
        event.c.id,
        event.c.at,
        event.c.channel,
        event.c.person_id,
        event.c.district,
        event.c.centre,
        delivery.c.campaign,
        delivery.c.place,
        delivery.c.queue,
        delivery.c.state,
        delivery.c.call_back,
        delivery.c.due_at,
        delivery.c.taken_at,
        delivery.c.changed_at,
        vault.c.wrapped_key,
        vault.c.phone,
    )
    .join(delivery, delivery.c.event_id == event.c.id)
    .outerjoin(vault, vault.c.person_id == event.c.person_id)
)

_SOURCE = events_of(event.c.kind == "delivery")
DELIVERIES = Table(
    "deliveries", "درخواست‌های تحویل", _SOURCE, _COLUMNS, _pages, state="state"
)
