"""Gifts that are not given at once: in parts, and those of each month.

A gift in parts is one pledge: see `ledger.instalments`. A standing gift becomes a
pledge of its own in each Jalali month, until its donor ends it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Integer, bindparam, insert, select, update

from ledger import codes, events, pledges, schema
from ledger.events import Recorded
from ledger.instalments import Instalment, instal, instalments_of, shares
from ledger.months import day_of, falls_due, month_of
from ledger.vault import Keys

__all__ = [
    "Instalment",
    "Standing",
    "Stood",
    "end_standing",
    "instal",
    "instalments_of",
    "pledge_month",
    "shares",
    "stand",
    "standing_of",
    "waiting",
]

STANDING_MAX = 20
# What is later than this belongs to a month that is over.
LATE_MAX = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Standing:
    """A gift of each month, in minor units of `unit`, due on `day` of the month."""

    event_id: int
    code: str
    person_id: int
    campaign: str
    purpose: str
    unit: str
    amount: int
    channel: str
    language: str
    test: bool
    day: int
    made: int
    next_at: datetime


@dataclass(frozen=True, slots=True)
class Stood:
    """What stands under a key; `already` says that there was such a gift before."""

    recorded: Recorded
    code: str
    already: bool = False


_standing = schema.standing.c
_insert_standing = insert(schema.standing)
_columns = (
    _standing.event_id,
    schema.code.c.code,
    _standing.person_id,
    _standing.campaign,
    _standing.purpose,
    _standing.unit,
    _standing.amount,
    _standing.channel,
    _standing.language,
    _standing.test,
    _standing.day,
    _standing.made,
    _standing.next_at,
)
_live = (
    select(*_columns)
    .select_from(
        schema.standing.join(
            schema.code, schema.code.c.event_id == schema.standing.c.event_id
        )
    )
    .where(_standing.ended_at.is_(None))
)
_of_person = (
    _live.where(
        _standing.person_id == bindparam("of_person"),
        _standing.test == bindparam("in_test"),
    )
    .order_by(_standing.event_id.desc())
    .limit(STANDING_MAX)
)
_waiting = (
    _live.where(_standing.next_at <= bindparam("now", type_=schema.Utc))
    .order_by(_standing.next_at)
    .limit(bindparam("room", type_=Integer))
)
_lock_person = (
    select(schema.person.c.id)
    .where(schema.person.c.id == bindparam("of_person"))
    .with_for_update(key_share=True)
)


def stand(
    db: Connection,
    keys: Keys,
    *,
    key: str,
    person_id: int,
    campaign: str,
    purpose: str,
    unit: str,
    amount: int,
    channel: str,
    language: str,
    test: bool,
    zone: ZoneInfo,
    at: datetime,
    day: int | None = None,
) -> Stood:
    """Promise a gift of each Jalali month, on `day` or on today's, and give its code.

    The sweeper makes the pledges; without a day the first of them at once. Somebody
    has one gift for a purpose of a campaign: a second finds the first and makes none.
    The same key again returns the first, whatever became of it.
    """
    assert amount > 0
    db.execute(_lock_person, {"of_person": person_id})
    body: dict[str, str | int] = {
        "campaign": campaign,
        "purpose": purpose,
        "unit": unit,
        "amount": amount,
        "day": day or day_of(at, zone),
    }
    first = events.repeated(db, key=key, kind="standing", body=body)
    if first is None:
        for other in standing_of(db, person_id=person_id, test=test):
            if (other.campaign, other.purpose) == (campaign, purpose):
                return Stood(Recorded(other.event_id, False), other.code, already=True)
    recorded = first or events.record(
        db,
        key=key,
        kind="standing",
        body=body,
        person_id=person_id,
        campaign=campaign,
        purpose=purpose,
        channel=channel,
        test=test,
        at=at,
    )
    if not recorded.first:
        assert recorded.code is not None
        return Stood(recorded, recorded.code)
    code = codes.allot(db, keys, event_id=recorded.event_id)
    db.execute(
        _insert_standing,
        {
            "event_id": recorded.event_id,
            "person_id": person_id,
            "campaign": campaign,
            "purpose": purpose,
            "unit": unit,
            "amount": amount,
            "channel": channel,
            "language": language,
            "test": test,
            "day": body["day"],
            "next_at": at if day is None else _first_at(day, zone, at),
        },
    )
    return Stood(recorded, code)


def standing_of(db: Connection, *, person_id: int, test: bool) -> list[Standing]:
    """A person's gifts of each month that were not ended, the newest first."""
    values = {"of_person": person_id, "in_test": test}
    return [Standing(**row._mapping) for row in db.execute(_of_person, values)]


def end_standing(
    db: Connection,
    *,
    key: str,
    person_id: int,
    code: str,
    channel: str,
    test: bool,
    at: datetime,
) -> Recorded | None:
    """End a donor's own gift of each month; None where they have none of that code.

    What was pledged already stays, and can be cancelled by itself. The same key again
    returns the first.
    """
    body = {"code": code}
    again = events.repeated(db, key=key, kind="standing.end", body=body)
    if again is not None:
        return again
    for one in standing_of(db, person_id=person_id, test=test):
        if one.code == code and _end(db, one, at):
            return events.record(
                db,
                key=key,
                kind="standing.end",
                body=body,
                person_id=person_id,
                about_id=one.event_id,
                campaign=one.campaign,
                purpose=one.purpose,
                channel=channel,
                test=test,
                at=at,
            )
    return None


def waiting(db: Connection, *, at: datetime, limit: int) -> list[Standing]:
    """Gifts of each month that are due, the longest due first."""
    rows = db.execute(_waiting, {"now": at, "room": limit})
    return [Standing(**row._mapping) for row in rows]


def pledge_month(
    db: Connection,
    keys: Keys,
    one: Standing,
    *,
    campaigns: Collection[str],
    zone: ZoneInfo,
    at: datetime,
) -> Recorded | None:
    """Pledge a standing gift that is due; None where this month has no pledge.

    A campaign that is not among `campaigns` is closed: its gift goes on in the next
    month. So does one whose day passed in a month that is over, more than a week ago:
    after a long outage nobody finds the gifts of half a year at once.
    """
    month, current, is_due = month_of(one.next_at, zone), month_of(at, zone), True
    if month < current and at - one.next_at > LATE_MAX:
        month = current
        is_due = falls_due(month, one.day, zone) <= at
    open_now = one.campaign in campaigns
    taken = db.execute(
        update(schema.standing)
        .where(
            _standing.event_id == one.event_id,
            _standing.next_at == one.next_at,
            _standing.ended_at.is_(None),
        )
        .values(
            next_at=falls_due(month + is_due, one.day, zone),
            made=one.made + (is_due and open_now),
        )
    )
    if taken.rowcount != 1 or not is_due or not open_now:
        return None
    return pledges.record_pledge(
        db,
        keys,
        key=f"standing:{one.event_id}:{one.made + 1}",
        person_id=one.person_id,
        campaign=one.campaign,
        purpose=one.purpose,
        unit=one.unit,
        amount=one.amount,
        channel=one.channel,
        test=one.test,
        at=at,
    )


def _first_at(day: int, zone: ZoneInfo, at: datetime) -> datetime:
    """The first time that this day begins to be due from now on."""
    month = month_of(at, zone)
    here = falls_due(month, day, zone)
    return here if here >= at else falls_due(month + 1, day, zone)


def _end(db: Connection, one: Standing, at: datetime) -> bool:
    ended: Any = db.execute(
        update(schema.standing)
        .where(_standing.event_id == one.event_id, _standing.ended_at.is_(None))
        .values(ended_at=at)
    )
    return bool(ended.rowcount == 1)
