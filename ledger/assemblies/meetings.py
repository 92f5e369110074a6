"""Meetings of an assembly: planned, held or called off.

`invitations` has who is asked and what they answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    bindparam,
    func,
    insert,
    select,
    update,
)

from ledger import events, schema
from ledger.assemblies.districts import CAMPAIGN
from ledger.assemblies.limits import (
    PLACE_CHARS_MAX,
    Wrong,
    check_ahead,
    check_count,
    check_words,
)
from ledger.assemblies.noting import note
from ledger.events import Recorded

__all__ = [
    "Meeting",
    "State",
    "called_off",
    "cancel",
    "hold",
    "listed",
    "meeting_of",
    "next_meeting",
    "note",
    "plan",
    "planned",
]

LISTED_MAX = 100
CAME_MAX = 1_000
MEETING, HELD, CANCELLED = "meeting", "meeting.held", "meeting.cancelled"


class State(StrEnum):
    PLANNED = "planned"
    HELD = "held"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Meeting:
    event_id: int
    district: str
    meets_at: datetime
    venue: str
    state: State
    test: bool

    def is_ahead(self, at: datetime) -> bool:
        """Whether anybody can still say that they come."""
        return self.state is State.PLANNED and at < self.meets_at


_meeting = schema.meeting.c
_OF: BindParameter[int] = bindparam("of_meeting")
_meetings = select(
    _meeting.event_id,
    _meeting.district,
    _meeting.meets_at,
    _meeting.venue,
    _meeting.state,
    _meeting.test,
)
_one = _meetings.where(_meeting.event_id == _OF)
_ahead = _meetings.where(
    _meeting.state == State.PLANNED,
    _meeting.meets_at > bindparam("now", type_=schema.Utc),
).order_by(_meeting.meets_at, _meeting.event_id)


def plan(
    db: Connection,
    *,
    key: str,
    district: str,
    meets_at: datetime,
    venue: str,
    by: str,
    channel: str,
    test: bool,
    at: datetime,
) -> tuple[Recorded, Meeting]:
    """Plan a meeting; its benefactors are asked by the sweeper. Raises Wrong."""
    venue = check_words("venue", venue, PLACE_CHARS_MAX)
    body = {
        "district": district,
        "meets_at": meets_at.isoformat(),
        "venue": venue,
        "by": by,
    }
    again = events.repeated(db, key=key, kind=MEETING, body=body)
    if again is None:
        check_ahead(meets_at, at)
    # Somebody else may ask whether it is planned.
    elif differs := [name for name in again.differs if name != "by"]:
        named = ", ".join(differs)
        raise Wrong(f"a meeting is planned there already, with another {named}")
    recorded = again or events.record(
        db,
        key=key,
        kind=MEETING,
        body=body,
        campaign=CAMPAIGN,
        district=district,
        channel=channel,
        test=test,
        at=at,
    )
    if recorded.first:
        db.execute(
            insert(schema.meeting),
            {
                "event_id": recorded.event_id,
                "district": district,
                "meets_at": meets_at,
                "venue": venue,
                "state": State.PLANNED,
                "test": test,
                "at": at,
                "changed_at": at,
            },
        )
    found = meeting_of(db, recorded.event_id)
    if found is None:
        raise Wrong("this id was used for something else")
    return recorded, found


def hold(
    db: Connection,
    *,
    key: str,
    meeting_id: int,
    came: int,
    by: str,
    channel: str,
    at: datetime,
) -> Recorded:
    """Note that a meeting was held, and how many came; raises Wrong."""
    check_count("who came", came, CAME_MAX)
    found = _locked(db, meeting_id)
    body: dict[str, str | int] = {"came": came, "by": by}
    again = events.repeated(db, key=key, kind=HELD, body=body)
    if again is not None:
        return again
    if found.state is not State.PLANNED:
        raise Wrong(f"that meeting is {found.state}")
    if at < found.meets_at:
        raise Wrong("that meeting has not begun")
    recorded = note(db, key, HELD, body, found, channel=channel, at=at)
    _move(db, meeting_id, State.HELD, at)
    return recorded


def cancel(
    db: Connection, *, key: str, meeting_id: int, by: str, channel: str, at: datetime
) -> Recorded:
    """Call a meeting off; raises Wrong for one that was held or called off."""
    found = _locked(db, meeting_id)
    body = {"state": str(State.CANCELLED), "by": by}
    again = events.repeated(db, key=key, kind=CANCELLED, body=body)
    if again is not None:
        return again
    if found.state is not State.PLANNED:
        raise Wrong(f"that meeting is {found.state}")
    recorded = note(db, key, CANCELLED, body, found, channel=channel, at=at)
    _move(db, meeting_id, State.CANCELLED, at)
    return recorded


def meeting_of(
    db: Connection, meeting_id: int, *, lock: bool = False
) -> Meeting | None:
    """The meeting of this id; with `lock` nobody else changes it meanwhile."""
    query = _one.with_for_update() if lock else _one
    row = db.execute(query, {"of_meeting": meeting_id}).first()
    return None if row is None else _read(row)


def next_meeting(
    db: Connection, *, district: str, test: bool, at: datetime
) -> Meeting | None:
    """The next meeting of a district that is ahead."""
    query = _ahead.where(_meeting.district == district, _meeting.test.is_(test))
    row = db.execute(query.limit(1), {"now": at}).first()
    return None if row is None else _read(row)


def listed(db: Connection, *, district: str, test: bool) -> list[Meeting]:
    """The meetings of a district, the latest first; 100 at most."""
    query = _meetings.where(_meeting.district == district, _meeting.test.is_(test))
    rows = db.execute(query.order_by(_meeting.meets_at.desc()).limit(LISTED_MAX))
    return [_read(row) for row in rows]


def called_off(db: Connection, *, district: str, meets_at: datetime, test: bool) -> int:
    """How many meetings of a district at this moment were called off."""
    found = select(func.count()).where(
        _meeting.district == district,
        _meeting.meets_at == meets_at,
        _meeting.test.is_(test),
        _meeting.state == State.CANCELLED,
    )
    return db.scalar(found) or 0


def planned(db: Connection, *, at: datetime, limit: int = LISTED_MAX) -> list[Meeting]:
    """The meetings ahead, the next first; rehearsals too."""
    return [_read(row) for row in db.execute(_ahead.limit(limit), {"now": at})]


def _locked(db: Connection, meeting_id: int) -> Meeting:
    found = meeting_of(db, meeting_id, lock=True)
    if found is None:
        raise Wrong(f"there is no meeting {meeting_id}")
    return found


def _move(db: Connection, meeting_id: int, state: State, at: datetime) -> None:
    db.execute(
        update(schema.meeting)
        .where(_meeting.event_id == meeting_id)
        .values(state=state, changed_at=at)
    )


def _read(row: Row[*tuple[Any, ...]]) -> Meeting:
    return Meeting(**dict(row._mapping) | {"state": State(row.state)})
