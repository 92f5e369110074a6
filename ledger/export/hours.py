"""One row for each time that somebody said help was given, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, select

from ledger.export.cells import jalali, phone_in_full, utc
from ledger.export.pages import Record, walk
from ledger.export.selection import Selection, events_of
from ledger.export.table import Column, Table
from ledger.schema import code, event, favour, introduction, vault
from ledger.vault import Keys
from phone.numbers import mask

__all__ = ["HOURS"]

_COLUMNS = (
    Column("code", "کد ساعت"),
    Column("recorded_at", "زمان ثبت (UTC)", 22),
    Column("recorded_at_jalali", "زمان ثبت", 18),
    Column("campaign", "پویش"),
    Column("district", "منطقه"),
    Column("centre", "مرکز"),
    Column("kind", "کار", 14),
    Column("venue", "محل دیدار"),
    Column("unit", "واحد"),
    Column("minutes", "دقیقه", summed=True, whole=True),
    Column("state", "وضعیت"),
    Column("changed_at", "زمان وضعیت (UTC)", 22),
    Column("channel", "کانال"),
    Column("giver", "یاریگر"),
    Column("receiver", "گیرنده"),
)
_gives = vault.alias("gives")
_gets = vault.alias("gets")


def _pages(engine: Engine, selection: Selection, keys: Keys) -> Iterator[list[Record]]:
    complete = partial(_records, keys=keys, time_zone=selection.time_zone)
    return walk(engine, HOURS.source, selection, _HOURS, complete)


def _records(
    db: Connection, rows: Sequence[Any], *, keys: Keys, time_zone: str
) -> list[Record]:
    return [
        (
            row.code,
            utc(row.at),
            jalali(row.at, time_zone),
            row.campaign,
            row.district or "",
            row.centre or "",
            row.kind,
            row.venue,
            "minute",
            row.minutes,
            row.state,
            utc(row.changed_at),
            row.channel,
            _masked(keys, row.giver_id, row.giver_key, row.giver_phone),
            _masked(keys, row.receiver_id, row.receiver_key, row.receiver_phone),
        )
        for row in rows
    ]


def _masked(keys: Keys, person_id: int, key: bytes | None, phone: bytes) -> str:
    whole = phone_in_full(keys, _Sealed(person_id, key, phone))
    return mask(whole) if whole else ""


class _Sealed:
    """One of the two of a row, as a cell reads a person."""

    def __init__(self, person_id: int, wrapped_key: bytes | None, phone: bytes) -> None:
        self.person_id = person_id
        self.wrapped_key = wrapped_key
        self.phone = phone


_HOURS = (
    select(
        event.c.id,
        event.c.at,
        event.c.channel,
        event.c.campaign,
        event.c.district,
        event.c.centre,
        code.c.code,
        favour.c.kind,
        favour.c.venue,
        introduction.c.minutes,
        introduction.c.state,
        introduction.c.changed_at,
        introduction.c.giver_id,
        introduction.c.receiver_id,
        _gives.c.wrapped_key.label("giver_key"),
        _gives.c.phone.label("giver_phone"),
        _gets.c.wrapped_key.label("receiver_key"),
        _gets.c.phone.label("receiver_phone"),
    )
    .join(code, code.c.event_id == event.c.id)
    .join(introduction, introduction.c.hours_id == event.c.id)
    .join(favour, favour.c.event_id == introduction.c.need_id)
    .outerjoin(_gives, _gives.c.person_id == introduction.c.giver_id)
    .outerjoin(_gets, _gets.c.person_id == introduction.c.receiver_id)
)

_SOURCE = events_of(event.c.kind == "hours")
HOURS = Table("hours", "ساعت‌ها", _SOURCE, _COLUMNS, _pages, state="state")
