"""One row for each volunteer's sign-up, as it stands; one that was left has its state.

What a caller typed is exported as typed, and beside it the place that it leads to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, select

from ledger.export.cells import jalali, masked, utc
from ledger.export.pages import Record, text_states, walk
from ledger.export.selection import Selection, events_of
from ledger.export.table import Column, Table
from ledger.schema import code, event, place, place_above, signup, vault
from ledger.vault import Keys

__all__ = ["SIGNUPS", "centre_of"]

_COLUMNS = (
    Column("code", "کد پیگیری"),
    Column("recorded_at", "زمان ثبت (UTC)", 22),
    Column("recorded_at_jalali", "زمان ثبت", 18),
    Column("campaign", "پویش"),
    Column("place_kind", "نوع مکان"),
    Column("place", "مکان", 20),
    Column("province", "استان"),
    Column("district", "منطقه"),
    Column("skill", "مهارت", 20),
    Column("time", "زمان همکاری", 16),
    Column("channel", "کانال"),
    Column("volunteer", "داوطلب"),
    Column("text_state", "وضعیت پیامک"),
    Column("consent", "نسخهٔ رضایت‌نامه", 20),
    Column("round", "دوره", 12),
    Column("booth", "غرفه", 12),
    Column("state", "وضعیت", 10),
    Column("place_code", "کد مکان", 16),
    Column("centre", "کد مرکز", 16),
    Column("changed_at", "زمان آخرین تغییر (UTC)", 22),
)


def _pages(engine: Engine, selection: Selection, keys: Keys) -> Iterator[list[Record]]:
    complete = partial(_records, keys=keys, time_zone=selection.time_zone)
    return walk(engine, SIGNUPS.source, selection, _SIGNUPS, complete)


def _records(
    db: Connection, rows: Sequence[Any], *, keys: Keys, time_zone: str
) -> list[Record]:
    texts = text_states(db, [row.id for row in rows])
    return [
        (
            row.code,
            utc(row.at),
            jalali(row.at, time_zone),
            row.campaign,
            row.place_kind,
            row.place or "",
            row.province or "",
            row.district or "",
            row.skill,
            row.time,
            row.channel,
            masked(keys, row),
            texts.get(row.id, "none"),
            row.consent,
            row.round or "",
            row.booth or "",
            row.state,
            row.place_code or "",
            row.centre or "",
            utc(row.changed_at),
        )
        for row in rows
    ]


def centre_of(place_code: ColumnElement[str]) -> ColumnElement[str]:
    """The centre that a place is, or lies in; null for none."""
    return (
        select(place.c.code)
        .join(place_above, place_above.c.above == place.c.code)
        .where(place_above.c.place == place_code, place.c.kind == "centre")
        .limit(1)
        .scalar_subquery()
    )


_SIGNUPS = (
    select(
        event.c.id,
        event.c.at,
        event.c.channel,
        event.c.person_id,
        code.c.code,
        signup.c.campaign,
        signup.c.place_kind,
        signup.c.place,
        signup.c.province,
        signup.c.district,
        signup.c.skill,
        signup.c.time,
        signup.c.consent,
        signup.c.round,
        signup.c.booth,
        signup.c.state,
        signup.c.place_code,
        centre_of(signup.c.place_code).label("centre"),
        signup.c.changed_at,
        vault.c.wrapped_key,
        vault.c.phone,
    )
    .join(signup, signup.c.event_id == event.c.id)
    .join(code, code.c.event_id == event.c.id)
    .outerjoin(vault, vault.c.person_id == event.c.person_id)
)

_SOURCE = events_of(event.c.kind == "signup")
SIGNUPS = Table("signups", "داوطلبان", _SOURCE, _COLUMNS, _pages)
