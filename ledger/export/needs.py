"""One row for each need of a centre, with how many come and how many came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, select

from ledger import needs
from ledger.export.cells import jalali, utc
from ledger.export.pages import Record, walk
from ledger.export.selection import Selection, events_of
from ledger.export.table import Column, Table
from ledger.schema import event, need
from ledger.vault import Keys

__all__ = ["NEEDS"]

_COLUMNS = (
    Column("number", "شماره", whole=True),
    Column("recorded_at", "زمان ثبت (UTC)", 22),
    Column("recorded_at_jalali", "زمان ثبت", 18),
    Column("campaign", "پویش"),
    Column("place", "مکان"),
    Column("district", "منطقه"),
    Column("centre", "مرکز"),
    Column("title", "عنوان", 20),
    Column("skill", "مهارت", 16),
    Column("vacancies", "ظرفیت", whole=True),
    Column("coming", "می‌آیند", whole=True),
    Column("urgency", "فوریت", whole=True),
    Column("meets_at", "زمان دیدار (UTC)", 22),
    Column("state", "وضعیت"),
    Column("changed_at", "آخرین تغییر (UTC)", 22),
    # Behind what was there before it: old readers go on.
    Column("came", "آمدند", whole=True),
)


def _pages(engine: Engine, selection: Selection, keys: Keys) -> Iterator[list[Record]]:
    complete = partial(_records, time_zone=selection.time_zone)
    return walk(engine, NEEDS.source, selection, _NEEDS, complete)


def _records(db: Connection, rows: Sequence[Any], *, time_zone: str) -> list[Record]:
    answers = needs.counts(db, need_ids=[row.id for row in rows])
    return [
        (
            row.id,
            utc(row.at),
            jalali(row.at, time_zone),
            row.campaign,
            row.place,
            row.district or "",
            row.centre or "",
            row.title,
            row.skill,
            row.vacancies,
            answers[row.id].get("yes", 0),
            row.urgency,
            utc(row.meets_at),
            row.state,
            utc(row.changed_at),
            answers[row.id].get("came", 0),
        )
        for row in rows
    ]


_NEEDS = select(
    event.c.id,
    event.c.at,
    event.c.district,
    event.c.centre,
    need.c.campaign,
    need.c.place,
    need.c.title,
    need.c.skill,
    need.c.vacancies,
    need.c.urgency,
    need.c.meets_at,
    need.c.state,
    need.c.changed_at,
).join(need, need.c.event_id == event.c.id)

_SOURCE = events_of(event.c.kind == "need")
NEEDS = Table("needs", "نیازها", _SOURCE, _COLUMNS, _pages, state="state")
