"""Phones that an operator registered: of a centre, a helper, a secretary, an owner.

A phone is an office here and no name: the title says which. What somebody did in a role
stays theirs when it ends; only what they may do from then on does not.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from ledger import events, people, schema
from ledger.events import Recorded
from ledger.vault import Keys

__all__ = [
    "TITLE_CHARS_MAX",
    "Added",
    "Member",
    "Role",
    "add",
    "end",
    "end_all",
    "listed",
    "mark_told",
    "of_places",
    "roles_of",
    "untold",
]

TITLE_CHARS_MAX = 40
# An operator's acts come over it.
CHANNEL = "operator"


class Role(StrEnum):
    CENTRE = "centre"
    HELPER = "helper"
    SECRETARY = "secretary"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Member:
    """A phone in a role at a place, without the number."""

    id: int
    person_id: int
    role: Role
    place: str
    title: str
    since: datetime
    ended_at: datetime | None
    # The Gregorian day of the last digest.
    told_on: str | None
    test: bool


@dataclass(frozen=True, slots=True)
class Added:
    member: Member
    first: bool


_staff = schema.staff.c
_COLUMNS = (
    *(_staff.id, _staff.person_id, _staff.role, _staff.place, _staff.title),
    *(_staff.since, _staff.ended_at, _staff.told_on, _staff.test),
)
_LIVE = select(*_COLUMNS).where(_staff.ended_at.is_(None)).order_by(_staff.id)
_OF_PERSON = _LIVE.where(
    _staff.person_id == bindparam("of_person"), _staff.test == bindparam("in_test")
)
_OF_PLACES = _LIVE.where(
    _staff.role == bindparam("in_role"),
    _staff.test == bindparam("in_test"),
    _staff.place.in_(bindparam("places", expanding=True)),
)
_INSERT = insert(schema.staff).returning(*_COLUMNS)
_END = (
    update(schema.staff)
    .where(_staff.id == bindparam("of_id"), _staff.ended_at.is_(None))
    .values(ended_at=bindparam("now", type_=schema.Utc))
    .returning(*_COLUMNS)
)


def add(
    db: Connection,
    keys: Keys,
    *,
    phone: str,
    role: Role,
    place: str,
    title: str,
    by: str,
    test: bool,
    at: datetime,
) -> Added:
    """Register a phone (E.164) in a role at a place, once while it lasts.

    `place` is a place's code; `title` an office of at most 40 characters. Again, it
    returns what stands, whatever its title.
    """
    assert 0 < len(title) <= TITLE_CHARS_MAX
    person = people.remember(db, keys, phone, at=at, alone=True)
    for member in roles_of(db, person_id=person.id, test=test):
        if (member.role, member.place) == (role, place):
            return Added(member, first=False)
    row = db.execute(
        _INSERT,
        {
            "person_id": person.id,
            "role": role,
            "place": place,
            "title": title,
            "test": test,
            "made_by": by,
            "since": at,
        },
    ).one()
    member = _member(row)
    _note(db, member, "added", by=by, at=at)
    return Added(member, first=True)


def end(db: Connection, *, staff_id: int, by: str, at: datetime) -> Member | None:
    """End a role; None if there is no such one any more."""
    row = db.execute(_END, {"of_id": staff_id, "now": at}).first()
    if row is None:
        return None
    member = _member(row)
    _note(db, member, "ended", by=by, at=at)
    return member


def end_all(db: Connection, *, person_id: int, at: datetime) -> int:
    """End every role of somebody who is erased; how many."""
    return db.execute(
        update(schema.staff)
        .where(_staff.person_id == person_id, _staff.ended_at.is_(None))
        .values(ended_at=at)
    ).rowcount


def roles_of(db: Connection, *, person_id: int, test: bool) -> tuple[Member, ...]:
    """What a person is registered as now, the first role first."""
    found = db.execute(_OF_PERSON, {"of_person": person_id, "in_test": test})
    return tuple(map(_member, found))


def of_places(
    db: Connection, *, places: Collection[str], role: Role, test: bool
) -> tuple[Member, ...]:
    """Who has a role at one of these places."""
    wanted = {"places": sorted(places), "in_role": role, "in_test": test}
    return tuple(map(_member, db.execute(_OF_PLACES, wanted)))


def listed(
    db: Connection, *, test: bool, role: Role | None = None, limit: int, after: int = 0
) -> Sequence[Member]:
    """The roles that last, `limit` at most, of those with a higher id than `after`."""
    wanted = _LIVE.where(_staff.test == test, _staff.id > after)
    if role is not None:
        wanted = wanted.where(_staff.role == role)
    return [_member(row) for row in db.execute(wanted.limit(limit))]


def untold(db: Connection, *, role: Role, day: str, limit: int) -> Sequence[Member]:
    """Who has a role and was not told anything that day (YYYY-MM-DD) yet."""
    wanted = _LIVE.where(
        _staff.role == role, _staff.told_on.is_(None) | (_staff.told_on < day)
    )
    return [_member(row) for row in db.execute(wanted.limit(limit))]


def mark_told(db: Connection, *, staff_id: int, day: str) -> bool:
    """Remember the day of a digest; False if that day's was told before."""
    told = db.execute(
        update(schema.staff)
        .where(
            _staff.id == staff_id,
            _staff.ended_at.is_(None),
            _staff.told_on.is_(None) | (_staff.told_on < day),
        )
        .values(told_on=day)
    )
    return told.rowcount == 1


def _note(
    db: Connection, member: Member, what: str, *, by: str, at: datetime
) -> Recorded:
    return events.record(
        db,
        key=f"staff:{member.id}:{what}",
        kind=f"staff.{what}",
        body={"role": member.role, "place": member.place, "by": by},
        person_id=member.person_id,
        channel=CHANNEL,
        test=member.test,
        at=at,
    )


def _member(row: Row[*tuple[Any, ...]]) -> Member:
    return Member(
        id=row.id,
        person_id=row.person_id,
        role=Role(row.role),
        place=row.place,
        title=row.title,
        since=row.since,
        ended_at=row.ended_at,
        told_on=row.told_on,
        test=row.test,
    )
