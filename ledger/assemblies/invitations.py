"""Who is asked to a meeting, what they answer, and who came of them.

The sweeper asks a few at a time, each once, and reminds those who said yes. A text is
the event of the one person whom it is for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BindParameter,
    Connection,
    Integer,
    bindparam,
    exists,
    func,
    select,
    update,
)

from ledger import events, people, schema
from ledger.assemblies import benefactors
from ledger.assemblies.meetings import HELD, Meeting, meeting_of
from ledger.assemblies.noting import note
from ledger.events import Recorded
from ledger.once import Once

__all__ = [
    "Answer",
    "Answered",
    "Attendance",
    "Outcome",
    "answer",
    "ask",
    "attendance_of",
    "coming",
    "mark_came",
    "remind",
    "to_ask",
    "to_remind",
]

ANSWER, ASKED, REMINDED = "meeting.answer", "meeting.asked", "meeting.reminded"


class Answer(StrEnum):
    ASKED = "asked"
    YES = "yes"
    NO = "no"


class Outcome(StrEnum):
    """What an answer came to."""

    NOTED = "noted"
    OVER = "over"
    NOT_YOURS = "not_yours"


@dataclass(frozen=True, slots=True)
class Attendance:
    """How many were asked, said yes, said no and came."""

    asked: int
    yes: int
    no: int
    came: int


@dataclass(frozen=True, slots=True)
class Answered:
    recorded: Recorded | None
    outcome: Outcome


_present = schema.attendance.c
_OF: BindParameter[int] = bindparam("of_meeting")
_ask_once = Once(
    schema.attendance,
    _present.meeting_id,
    _present.person_id,
    returning=_present.person_id,
)
_put_answer = (
    update(schema.attendance)
    .where(_present.meeting_id == _OF, _present.person_id == bindparam("of_person"))
    .values(
        answer=bindparam("to_answer"),
        changed_at=bindparam("now", type_=schema.Utc),
    )
)
_benefactor = schema.benefactor.c
_not_asked = (
    select(_benefactor.person_id)
    .where(
        _benefactor.district == bindparam("of_district"),
        _benefactor.test == bindparam("in_test"),
        _benefactor.state == benefactors.State.ACTIVE,
        ~exists().where(
            _present.meeting_id == _OF, _present.person_id == _benefactor.person_id
        ),
    )
    .order_by(_benefactor.event_id)
    .limit(bindparam("room", type_=Integer))
)
_said = schema.event.alias("said")
_not_reminded = (
    select(_present.person_id)
    .where(
        _present.meeting_id == _OF,
        _present.answer == Answer.YES,
        _present.changed_at <= bindparam("before", type_=schema.Utc),
        ~exists().where(
            _said.c.about_id == _OF,
            _said.c.kind == REMINDED,
            _said.c.person_id == _present.person_id,
        ),
    )
    .order_by(_present.person_id)
    .limit(bindparam("room", type_=Integer))
)


def answer(
    db: Connection,
    *,
    key: str,
    meeting_id: int,
    person_id: int,
    said: Answer,
    channel: str,
    test: bool,
    at: datetime,
) -> Answered:
    """Note whether somebody comes; they may think again until it begins.

    It is theirs to say who were asked, or are in the register of that district.
    """
    body = {"answer": str(said)}
    again = events.repeated(db, key=key, kind=ANSWER, body=body)
    if again is not None:
        return Answered(again, Outcome.NOTED)
    found = meeting_of(db, meeting_id, lock=True)
    if found is None or found.test is not test:
        return Answered(None, Outcome.NOT_YOURS)
    mine = benefactors.benefactors_of(db, person_id=person_id, test=test)
    is_asked = db.execute(
        select(_present.person_id).where(
            _present.meeting_id == meeting_id, _present.person_id == person_id
        )
    ).first()
    if is_asked is None and all(one.district != found.district for one in mine):
        return Answered(None, Outcome.NOT_YOURS)
    if not found.is_ahead(at):
        return Answered(None, Outcome.OVER)
    recorded = note(
        db, key, ANSWER, body, found, person_id=person_id, channel=channel, at=at
    )
    if not recorded.first:
        return Answered(recorded, Outcome.NOTED)
    _ask_once(
        db,
        meeting_id=meeting_id,
        person_id=person_id,
        answer=said,
        asked_at=at,
        changed_at=at,
    )
    db.execute(
        _put_answer,
        {
            "of_meeting": meeting_id,
            "of_person": person_id,
            "to_answer": said,
            "now": at,
        },
    )
    return Answered(recorded, Outcome.NOTED)


def to_ask(db: Connection, meeting: Meeting, *, limit: int) -> Sequence[int]:
    """Benefactors of the district who were not asked yet."""
    of = {
        "of_meeting": meeting.event_id,
        "of_district": meeting.district,
        "in_test": meeting.test,
        "room": limit,
    }
    return db.scalars(_not_asked, of).all()


def ask(
    db: Connection, meeting: Meeting, *, person_id: int, channel: str, at: datetime
) -> Recorded | None:
    """Note that somebody is asked now; None if they were, or answered by themselves.

    Also None for who was erased, or a meeting called off, since they were looked up.
    """
    if people.hold(db, person_id=person_id) is None:
        return None
    found = meeting_of(db, meeting.event_id, lock=True)
    if found is None or not found.is_ahead(at):
        return None
    new = _ask_once(
        db,
        meeting_id=meeting.event_id,
        person_id=person_id,
        answer=Answer.ASKED,
        asked_at=at,
        changed_at=at,
    )
    if new is None:
        return None
    key = f"meeting:{meeting.event_id}:asked:{person_id}"
    return note(
        db, key, ASKED, {}, meeting, person_id=person_id, channel=channel, at=at
    )


def to_remind(
    db: Connection, meeting: Meeting, *, before: datetime, limit: int
) -> Sequence[int]:
    """Those who said yes by then and were not reminded yet."""
    return db.scalars(
        _not_reminded,
        {"of_meeting": meeting.event_id, "before": before, "room": limit},
    ).all()


def remind(
    db: Connection, meeting: Meeting, *, person_id: int, channel: str, at: datetime
) -> Recorded | None:
    """Note that somebody is reminded now; not `first` if they were before.

    None if they do not come any more, or the meeting was called off.
    """
    if people.hold(db, person_id=person_id) is None:
        return None
    found = meeting_of(db, meeting.event_id, lock=True)
    if found is None or not found.is_ahead(at):
        return None
    said = db.scalar(
        select(_present.answer).where(
            _present.meeting_id == meeting.event_id, _present.person_id == person_id
        )
    )
    if said != Answer.YES:
        return None
    key = f"meeting:{meeting.event_id}:reminded:{person_id}"
    return note(
        db, key, REMINDED, {}, meeting, person_id=person_id, channel=channel, at=at
    )


def attendance_of(db: Connection, *, meeting_id: int) -> Attendance:
    """The counts of a meeting."""
    counts = {
        row.answer: int(row.number)
        for row in db.execute(
            select(_present.answer, func.count().label("number"))
            .where(_present.meeting_id == meeting_id)
            .group_by(_present.answer)
        )
    }
    held = db.scalar(
        select(schema.event.c.body).where(
            schema.event.c.about_id == meeting_id, schema.event.c.kind == HELD
        )
    )
    return Attendance(
        asked=sum(counts.values()),
        yes=counts.get(Answer.YES, 0),
        no=counts.get(Answer.NO, 0),
        came=int(held["came"]) if held else 0,
    )


def mark_came(db: Connection, *, meeting_id: int, person_id: int, at: datetime) -> None:
    """Note that somebody came, asked or not."""
    _ask_once(
        db,
        meeting_id=meeting_id,
        person_id=person_id,
        answer=Answer.ASKED,
        asked_at=at,
        changed_at=at,
    )
    db.execute(
        update(schema.attendance)
        .where(_present.meeting_id == meeting_id, _present.person_id == person_id)
        .values(came=True, changed_at=at)
    )


def coming(db: Connection, *, meeting_id: int, limit: int) -> Sequence[int]:
    """Who said that they come, or came: their ids."""
    return db.scalars(
        select(_present.person_id)
        .where(
            _present.meeting_id == meeting_id,
            (_present.answer == Answer.YES) | _present.came.is_(True),
        )
        .order_by(_present.person_id)
        .limit(limit)
    ).all()
