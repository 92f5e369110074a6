"""What a centre needs people for, from the day it says so to the day they met.

A need is a row whose state changes beside the events that say so. Whoever counts its
vacancies holds the row first: of two answers to the last of them one is too late.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Integer, Row, bindparam, func, insert, select, update

from ledger import events, schema
from ledger.engine import LedgerError
from ledger.events import Recorded
from ledger.schema import Utc

__all__ = [
    "TITLE_CHARS_MAX",
    "URGENCY_MAX",
    "VACANCIES_MAX",
    "Need",
    "NeedState",
    "NotOpen",
    "cancel",
    "close",
    "counts",
    "find",
    "listed",
    "lock",
    "over",
    "put",
    "raise_need",
    "said_yes",
]

TITLE_CHARS_MAX = 40
VACANCIES_MAX = 500
URGENCY_MAX = 5
# What operators do comes over it.
OPERATOR = "operator"


class NotOpen(LedgerError):
    """There is no such need, or it is over."""


class NeedState(StrEnum):
    OPEN = "open"
    FILLED = "filled"
    CLOSED = "closed"
    CANCELLED = "cancelled"


# Somebody may still come.
LIVE = (NeedState.OPEN, NeedState.FILLED)


@dataclass(frozen=True, slots=True)
class Need:
    """So many people, with a skill, at a place and a time. `urgency` is 1 to 5."""

    id: int
    campaign: str
    place: str
    title: str
    skill: str
    vacancies: int
    urgency: int
    meets_at: datetime
    state: NeedState
    wave: int
    next_at: datetime | None
    test: bool
    at: datetime


_need = schema.need.c
_invite = schema.invite.c
_COLUMNS = (
    *(_need.event_id, _need.campaign, _need.place, _need.title, _need.skill),
    *(_need.vacancies, _need.urgency, _need.meets_at, _need.state, _need.wave),
    *(_need.next_at, _need.test, _need.at),
)
_FIND = select(*_COLUMNS).where(_need.event_id == bindparam("of_id"))
_LOCK = _FIND.with_for_update()
_INSERT = insert(schema.need)
_SAID_YES = (
    select(func.count())
    .select_from(schema.invite)
    .where(_invite.need_id == bindparam("of_id"), _invite.state == "yes")
)
_COUNTS = (
    select(_invite.need_id, _invite.state, func.count())
    .where(_invite.need_id.in_(bindparam("ids", expanding=True)))
    .group_by(_invite.need_id, _invite.state)
)
_OVER = (
    select(*_COLUMNS)
    .where(
        _need.next_at.is_not(None),
        _need.meets_at <= bindparam("now", type_=Utc),
    )
    .order_by(_need.meets_at)
    .limit(bindparam("room", type_=Integer))
)


def raise_need(
    db: Connection,
    *,
    key: str,
    campaign: str,
    place: str,
    title: str,
    skill: str,
    vacancies: int,
    urgency: int,
    meets_at: datetime,
    district: str | None,
    centre: str | None,
    by: str,
    person_id: int | None = None,
    channel: str = OPERATOR,
    test: bool,
    at: datetime,
) -> Recorded:
    """Write down what a place needs people for; the first invitations follow by
    themselves.

    `district` and `centre` are the codes of the places that it lies in; `by` is an
    operator's name, or "centre" where a registered phone asks, which is `person_id`.
    """
    assert 0 < len(title) <= TITLE_CHARS_MAX
    assert 0 < vacancies <= VACANCIES_MAX
    assert 0 < urgency <= URGENCY_MAX
    assert meets_at > at
    recorded = events.record(
        db,
        key=key,
        kind="need",
        body={
            "place": place,
            "title": title,
            "skill": skill,
            "vacancies": vacancies,
            "urgency": urgency,
            "by": by,
        },
        person_id=person_id,
        campaign=campaign,
        district=district,
        centre=centre,
        channel=channel,
        test=test,
        at=at,
    )
    if recorded.first:
        db.execute(
            _INSERT,
            {
                "event_id": recorded.event_id,
                "campaign": campaign,
                "place": place,
                "title": title,
                "skill": skill,
                "vacancies": vacancies,
                "urgency": urgency,
                "meets_at": meets_at,
                "state": NeedState.OPEN,
                "wave": 0,
                "next_at": at,
                "test": test,
                "at": at,
                "changed_at": at,
            },
        )
    return recorded


def close(db: Connection, *, need_id: int, by: str, at: datetime) -> Need:
    """Ask nobody more; who said yes still comes. Raises NotOpen."""
    return _end(db, need_id, NeedState.CLOSED, by, at)


def cancel(db: Connection, *, need_id: int, by: str, at: datetime) -> Need:
    """Call it off, also once it is closed: who said yes is told by the next sweep.

    Raises NotOpen.
    """
    return _end(db, need_id, NeedState.CANCELLED, by, at)


def find(db: Connection, *, need_id: int) -> Need | None:
    row = db.execute(_FIND, {"of_id": need_id}).first()
    return None if row is None else _as_need(row)


def lock(db: Connection, *, need_id: int) -> Need:
    """The need, held until the transaction ends. Whoever holds a person too holds
    the person first.
    """
    return _as_need(db.execute(_LOCK, {"of_id": need_id}).one())


def said_yes(db: Connection, *, need_id: int) -> int:
    """How many come."""
    return int(db.scalar(_SAID_YES, {"of_id": need_id}) or 0)


def counts(db: Connection, *, need_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """How many invitations of each need are in each state."""
    found: dict[int, dict[str, int]] = {need_id: {} for need_id in need_ids}
    for need_id, state, number in db.execute(_COUNTS, {"ids": sorted(need_ids)}):
        found[need_id][state] = number
    return found


def listed(
    db: Connection,
    *,
    test: bool,
    places: Collection[str] | None = None,
    live: bool = True,
    limit: int,
) -> Sequence[Need]:
    """Needs, the nearest day first; with `live` those that are not over."""
    wanted = select(*_COLUMNS).where(_need.test == test)
    if places is not None:
        wanted = wanted.where(_need.place.in_(sorted(places)))
    if live:
        wanted = wanted.where(_need.state.in_(LIVE))
    wanted = wanted.order_by(_need.meets_at, _need.event_id).limit(limit)
    return [_as_need(row) for row in db.execute(wanted)]


def over(db: Connection, *, at: datetime, limit: int) -> Sequence[Need]:
    """The needs whose time has come, and which are looked at no more after this."""
    return [_as_need(row) for row in db.execute(_OVER, {"now": at, "room": limit})]


def put(db: Connection, need_id: int, *, at: datetime, **values: object) -> None:
    """Change what stands in a need that this transaction holds."""
    db.execute(
        update(schema.need)
        .where(_need.event_id == need_id)
        .values({**values, "changed_at": at})
    )


def _end(db: Connection, need_id: int, state: NeedState, by: str, at: datetime) -> Need:
    found = find(db, need_id=need_id)
    if found is None:
        raise NotOpen(f"there is no need {need_id}")
    found = lock(db, need_id=need_id)
    still_meets = found.state is NeedState.CLOSED and found.meets_at > at
    may_end = state is NeedState.CANCELLED and still_meets
    if found.state not in LIVE and not may_end:
        raise NotOpen(f"need {need_id} is {found.state} already")
    place = db.execute(
        select(schema.event.c.district, schema.event.c.centre).where(
            schema.event.c.id == need_id
        )
    ).one()
    events.record(
        db,
        key=f"need:{need_id}:{state}",
        kind="need.closed",
        body={"state": state, "by": by},
        about_id=need_id,
        campaign=found.campaign,
        district=place.district,
        centre=place.centre,
        channel=OPERATOR,
        test=found.test,
        at=at,
    )
    put(db, need_id, at=at, state=state)
    if state is NeedState.CANCELLED:
        # Who comes to one that is closed is reminded of it; of this they hear now.
        db.execute(
            update(schema.invite)
            .where(_invite.need_id == need_id, _invite.state == "yes")
            .values(next_at=at)
        )
    return found


def _as_need(row: Row[*tuple[Any, ...]]) -> Need:
    return Need(
        id=row.event_id,
        campaign=row.campaign,
        place=row.place,
        title=row.title,
        skill=row.skill,
        vacancies=row.vacancies,
        urgency=row.urgency,
        meets_at=row.meets_at,
        state=NeedState(row.state),
        wave=row.wave,
        next_at=row.next_at,
        test=row.test,
        at=row.at,
    )
