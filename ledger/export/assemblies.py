"""The registers of assemblies: a row for each benefactor, decision, meeting, room.

A benefactor's name is sealed and in no export; of a phone there is the mask. Rows say
what is so now, and the board of all districts is the sum of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Select, select

from ledger.assemblies.districts import number_of
from ledger.assemblies.invitations import attendance_of
from ledger.export.cells import jalali, masked, utc
from ledger.export.pages import Cell, Record, walk
from ledger.export.selection import Selection, Source, events_of
from ledger.export.table import Column, Table
from ledger.schema import benefactor, decision, event, meeting, premises, vault
from ledger.vault import Keys
from phone.dates import jalali_day

__all__ = ["BENEFACTORS", "DECISIONS", "MEETINGS", "PREMISES"]

_RECORDED = (
    Column("recorded_at", "زمان ثبت (UTC)", 22),
    Column("recorded_at_jalali", "زمان ثبت", 18),
    Column("district", "منطقه", 10, whole=True),
)
# The rest of a row: of the books, the keys and the zone.
Rest = Callable[[Connection, Any, Keys, str], Record]


def _table(
    name: str,
    title: str,
    kind: str,
    columns: tuple[Column, ...],
    query: Select[Any],
    rest: Rest,
) -> Table:
    """A register whose rows begin with when and where."""
    source: Source = events_of(event.c.kind == kind)

    def pages(
        engine: Engine, selection: Selection, keys: Keys
    ) -> Iterator[list[Record]]:
        zone = selection.time_zone

        def complete(db: Connection, rows: Sequence[Any]) -> list[Record]:
            return [
                (
                    row.id,
                    utc(row.at),
                    jalali(row.at, zone),
                    number_of(row.district),
                    *rest(db, row, keys, zone),
                )
                for row in rows
            ]

        return walk(engine, source, selection, query, complete)

    number = Column("number", "ردیف", 10, whole=True)
    return Table(name, title, source, (number, *_RECORDED, *columns), pages, "state")


def _benefactor(db: Connection, row: Any, keys: Keys, zone: str) -> list[Cell]:
    return [
        row.kind,
        row.capacity,
        row.amount,
        row.covers,
        masked(keys, row),
        row.state,
        row.channel,
    ]


def _decision(db: Connection, row: Any, keys: Keys, zone: str) -> list[Cell]:
    return [
        row.decision,
        row.title,
        row.kind,
        row.owner,
        row.due_on.isoformat(),
        jalali_day(row.due_on),
        row.state,
        row.claim or "",
        utc(row.claimed_at),
        utc(row.changed_at),
    ]


def _meeting(db: Connection, row: Any, keys: Keys, zone: str) -> list[Cell]:
    counts = attendance_of(db, meeting_id=row.id)
    return [
        utc(row.meets_at),
        jalali(row.meets_at, zone),
        row.venue,
        row.state,
        counts.asked,
        counts.yes,
        counts.no,
        counts.came,
    ]


def _premises(db: Connection, row: Any, keys: Keys, zone: str) -> list[Cell]:
    return [
        row.side,
        row.kind,
        row.square_metres,
        masked(keys, row),
        row.state,
        row.channel,
    ]


_fact = select(event.c.id, event.c.at, event.c.channel, event.c.person_id)
_sealed = (vault.c.wrapped_key, vault.c.phone)
_whose = vault.c.person_id == event.c.person_id

BENEFACTORS = _table(
    "benefactors",
    "خیرین",
    "benefactor",
    (
        Column("kind", "نوع"),
        Column("capacity", "توان", 16),
        Column("amount", "مقدار", 10, whole=True),
        Column("covers", "زیر پوشش", 10, whole=True),
        Column("benefactor", "خیر"),
        Column("state", "وضعیت"),
        Column("channel", "کانال"),
    ),
    _fact.add_columns(
        benefactor.c.district,
        benefactor.c.kind,
        benefactor.c.capacity,
        benefactor.c.amount,
        benefactor.c.covers,
        benefactor.c.state,
        *_sealed,
    )
    .join(benefactor, benefactor.c.event_id == event.c.id)
    .outerjoin(vault, _whose),
    _benefactor,
)
DECISIONS = _table(
    "decisions",
    "مصوبه‌ها",
    "decision",
    (
        Column("decision", "شماره مصوبه", 10, whole=True),
        Column("title", "عنوان", 20),
        Column("kind", "نوع"),
        Column("owner", "مسئول", 24),
        Column("due_on", "مهلت (میلادی)", 14),
        Column("due_on_jalali", "مهلت", 14),
        Column("state", "وضعیت"),
        Column("claim", "گزارش مسئول"),
        Column("claimed_at", "زمان گزارش (UTC)", 22),
        Column("changed_at", "آخرین تغییر (UTC)", 22),
    ),
    _fact.add_columns(
        decision.c.district,
        decision.c.number.label("decision"),
        decision.c.title,
        decision.c.kind,
        decision.c.owner,
        decision.c.due_on,
        decision.c.state,
        decision.c.claim,
        decision.c.claimed_at,
        decision.c.changed_at,
    ).join(decision, decision.c.event_id == event.c.id),
    _decision,
)
MEETINGS = _table(
    "meetings",
    "نشست‌ها",
    "meeting",
    (
        Column("meets_at", "زمان نشست (UTC)", 22),
        Column("meets_at_jalali", "زمان نشست", 18),
        Column("venue", "محل", 20),
        Column("state", "وضعیت"),
        Column("asked", "دعوت‌شده", 10, whole=True),
        Column("yes", "می‌آیند", 10, whole=True),
        Column("no", "نمی‌آیند", 10, whole=True),
        Column("came", "آمدند", 10, whole=True),
    ),
    _fact.add_columns(
        meeting.c.district, meeting.c.meets_at, meeting.c.venue, meeting.c.state
    ).join(meeting, meeting.c.event_id == event.c.id),
    _meeting,
)
PREMISES = _table(
    "premises",
    "مکان‌ها",
    "premises",
    (
        Column("side", "پیشنهاد یا نیاز"),
        Column("kind", "نوع"),
        Column("square_metres", "متر مربع", 10, whole=True),
        Column("whose", "از"),
        Column("state", "وضعیت"),
        Column("channel", "کانال"),
    ),
    _fact.add_columns(
        premises.c.district,
        premises.c.side,
        premises.c.kind,
        premises.c.square_metres,
        premises.c.state,
        *_sealed,
    )
    .join(premises, premises.c.event_id == event.c.id)
    .outerjoin(vault, _whose),
    _premises,
)
