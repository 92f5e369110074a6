"""One row for each person who did something, masked unless two people agreed.

What the law protects more, a sensitive answer, is in no export.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, bindparam, func, select

from ledger.export.cells import jalali, masked, phone_in_full, utc
from ledger.export.pages import Record, walk
from ledger.export.selection import Selection, Source
from ledger.export.table import Column, Table
from ledger.schema import consent, event, person, transfer, vault
from ledger.vault import Keys

__all__ = ["PEOPLE", "PEOPLE_IN_FULL"]

# Whole campaigns in Iran give in rial; parcels and minutes are in their own tables.
_UNIT = "rial"
_COLUMNS = (
    Column("person", "شماره", 10, whole=True),
    Column("since", "از (UTC)", 22),
    Column("since_jalali", "از", 18),
    Column("phone", "شمارهٔ تلفن", 16),
    Column("language", "زبان", 8),
    Column("state", "وضعیت"),
    Column("texts", "رضایت پیامک", 12),
    Column("pledges", "تعداد کمک", 10, whole=True),
    Column("signups", "تعداد ثبت‌نام", 10, whole=True),
    Column("unit", "واحد", 8),
    Column("pledged", "قول‌داده‌شده", 16, summed=True, whole=True),
    Column("paid", "پرداخت‌شده", 16, summed=True, whole=True),
)


def _pages(
    engine: Engine,
    selection: Selection,
    keys: Keys,
    *,
    show: Callable[[Keys, Any], str],
) -> Iterator[list[Record]]:
    complete = partial(_records, keys=keys, time_zone=selection.time_zone, show=show)
    return walk(engine, _SOURCE, selection, _PEOPLE, complete)


def _records(
    db: Connection,
    rows: Sequence[Any],
    *,
    keys: Keys,
    time_zone: str,
    show: Callable[[Keys, Any], str],
) -> list[Record]:
    wanted = {"people": [row.id for row in rows]}
    agreed = set(db.execute(_AGREED, wanted).scalars())
    counts: defaultdict[tuple[int, str], int] = defaultdict(int)
    for person_id, kind, times in db.execute(_COUNTS, wanted):
        counts[person_id, kind] = times
    sums: defaultdict[tuple[int, str], int] = defaultdict(int)
    for person_id, phase, amount in [
        *db.execute(_PLEDGED, wanted),
        *db.execute(_PAID, wanted),
    ]:
        sums[person_id, phase] = int(amount)
    return [
        (
            row.id,
            utc(row.since),
            jalali(row.since, time_zone),
            show(keys, row),
            row.language or "",
            "known" if row.look_up else "erased",
            "yes" if row.id in agreed else "no",
            counts[row.id, "pledge"],
            counts[row.id, "signup"],
            _UNIT,
            sums[row.id, "pending"],
            sums[row.id, "post"],
        )
        for row in rows
    ]


_did = event.alias("did")


def _acted(*how: ColumnElement[bool]) -> ColumnElement[bool]:
    # An EXISTS would be made a join, which on PostgreSQL begins at the first person
    # for each page; this is looked up person by person.
    found = select(_did.c.id).where(
        _did.c.person_id == person.c.id, _did.c.test.is_(False), *how
    )
    return found.limit(1).correlate(person).scalar_subquery().is_not(None)


# A person who was only ever rehearsed with is nobody's donor.
_SOURCE = Source(
    person.c.id,
    person.c.since,
    person,
    (_acted(),),
    lambda campaign: _acted(_did.c.campaign == campaign),
)
_PEOPLE = select(
    person.c.id,
    person.c.id.label("person_id"),
    person.c.since,
    person.c.language,
    person.c.look_up,
    vault.c.wrapped_key,
    vault.c.phone,
).outerjoin(vault, vault.c.person_id == person.c.id)
_of_people = (
    event.c.person_id.in_(bindparam("people", expanding=True)),
    event.c.test.is_(False),
)
_AGREED = select(consent.c.person_id).where(
    consent.c.person_id.in_(bindparam("people", expanding=True)),
    consent.c.what == "campaign",
    consent.c.withdrawn_at.is_(None),
)
_COUNTS = (
    select(event.c.person_id, event.c.kind, func.count())
    .where(*_of_people, event.c.kind.in_(("pledge", "signup")))
    .group_by(event.c.person_id, event.c.kind)
)
_pledged = (
    select(event.c.person_id, transfer.c.phase, func.sum(transfer.c.amount))
    .join(transfer, transfer.c.event_id == event.c.id)
    .where(*_of_people, event.c.kind == "pledge", transfer.c.phase == "pending")
    .where(transfer.c.unit == _UNIT)
)
_PLEDGED = _pledged.group_by(event.c.person_id, transfer.c.phase)
_post = transfer.alias("post")
_PAID = (
    select(event.c.person_id, _post.c.phase, func.sum(_post.c.amount))
    .join(transfer, transfer.c.event_id == event.c.id)
    .join(_post, _post.c.pending_id == transfer.c.id)
    .where(*_of_people, event.c.kind == "pledge", _post.c.phase == "post")
    .where(_post.c.unit == _UNIT)
    .group_by(event.c.person_id, _post.c.phase)
)

PEOPLE = Table(
    "people",
    "افراد",
    _SOURCE,
    _COLUMNS,
    partial(_pages, show=masked),
    state="state",
    about_people=True,
)
# Not in TABLES: only a request that was approved leads to it.
PEOPLE_IN_FULL = Table(
    "people",
    "افراد",
    _SOURCE,
    _COLUMNS,
    partial(_pages, show=phone_in_full),
    state="state",
    about_people=True,
)
