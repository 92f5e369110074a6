"""One row for each hour of the time bank that is offered or needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, select

from ledger.export.cells import jalali, masked, utc
from ledger.export.pages import Record, walk
from ledger.export.selection import Selection, events_of
from ledger.export.table import Column, Table
from ledger.schema import code, event, favour, vault
from ledger.vault import Keys

__all__ = ["FAVOURS"]

_COLUMNS = (
    Column("code", "کد پیگیری"),
    Column("recorded_at", "زمان ثبت (UTC)", 22),
    Column("recorded_at_jalali", "زمان ثبت", 18),
    Column("campaign", "پویش"),
    Column("place", "مکان"),
    Column("district", "منطقه"),
    Column("centre", "مرکز"),
    Column("side", "پیشنهاد یا نیاز"),
    Column("kind", "کار", 14),
    Column("venue", "محل دیدار"),
    Column("minutes", "دقیقه", whole=True),
    Column("state", "وضعیت"),
    Column("changed_at", "آخرین تغییر (UTC)", 22),
    Column("channel", "کانال"),
    Column("whose", "از"),
)


def _pages(engine: Engine, selection: Selection, keys: Keys) -> Iterator[list[Record]]:
    complete = partial(_records, keys=keys, time_zone=selection.time_zone)
    return walk(engine, FAVOURS.source, selection, _FAVOURS, complete)


def _records(
    db: Connection, rows: Sequence[Any], *, keys: Keys, time_zone: str
) -> list[Record]:
    return [
        (
            row.code,
            utc(row.at),
            jalali(row.at, time_zone),
            row.campaign,
            row.place or "",
            row.district or "",
            row.centre or "",
            row.side,
            row.kind,
            row.venue,
            row.minutes,
            row.state,
            utc(row.changed_at),
            row.channel,
            masked(keys, row),
        )
        for row in rows
    ]


_FAVOURS = (
    select(
        event.c.id,
        event.c.at,
        event.c.channel,
        event.c.person_id,
        event.c.district,
        event.c.centre,
        code.c.code,
        favour.c.campaign,
        favour.c.place,
        favour.c.side,
        favour.c.kind,
        favour.c.venue,
        favour.c.minutes,
        favour.c.state,
        favour.c.changed_at,
        vault.c.wrapped_key,
        vault.c.phone,
    )
    .join(code, code.c.event_id == event.c.id)
    .join(favour, favour.c.event_id == event.c.id)
    .outerjoin(vault, vault.c.person_id == event.c.person_id)
)

_SOURCE = events_of(event.c.kind == "favour")
FAVOURS = Table(
    "favours", "پیشنهادها و نیازهای ساعت", _SOURCE, _COLUMNS, _pages, state="state"
)
