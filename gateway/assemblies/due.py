"""What falls due in assemblies: benefactors asked to a meeting, reminded the day
before, and offices asked what became of a decision.

Part of the sweep: a few at a time, each in a transaction of its own, each once. Who has
a question of ours open is asked the next one when that is answered.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.apart import Apart
from gateway.assemblies.facts import name_of
from gateway.assemblies.roles import answers_for
from gateway.assemblies.telling import when
from gateway.pushing import ask_person, flow_of, is_asked
from gateway.receipts import promise_text
from gateway.service import Service
from ledger import questions
from ledger.assemblies import claims, invitations, meetings
from ledger.assemblies.decisions import Decision, put
from ledger.assemblies.districts import CAMPAIGN
from ledger.assemblies.meetings import Meeting
from ledger.engine import Connection, reading, writing
from ledger.events import Recorded
from phone.dates import jalali_day
from ussd.menus import Menus

__all__ = ["fall_due"]

# The sweeper acts for nobody.
CHANNEL = "schedule"
# One sweep looks at so many, and writes to so many of them.
LOOK_MAX = 200
ASKED_MAX = 50
# A meeting is announced so long before, and brought up on the day before.
ANNOUNCED = timedelta(days=30)
REMINDED = timedelta(days=1)
# An office has so long to answer; who is asked to a meeting has until it begins.
ANSWER_TIME = timedelta(days=3)
MEETING_SCREEN, DECISION_SCREEN = "benmeet.ask", "benres.answer"


def fall_due(service: Service, menus: Menus, apart: Apart, at: datetime) -> None:
    """Write to whom it is time to write; raises NothingRecorded, as `apart` does."""
    if not {MEETING_SCREEN, DECISION_SCREEN} <= menus.screens.keys():
        # Menus without assemblies: nobody could answer.
        return
    with reading(service.engine) as db:
        ahead = meetings.planned(db, at=at)
    for meeting in ahead:
        if meeting.meets_at - at <= ANNOUNCED:
            with apart("assembly", meeting.event_id):
                _announce(service, menus, meeting, at)
        if meeting.meets_at - at <= REMINDED:
            with apart("assembly reminder", meeting.event_id):
                _bring_up(service, menus, meeting, at)
    _ask_offices(service, menus, apart, at)


def _announce(service: Service, menus: Menus, meeting: Meeting, at: datetime) -> None:
    with reading(service.engine) as db:
        waiting = invitations.to_ask(db, meeting, limit=ASKED_MAX)
    for person_id in waiting:
        with writing(service.engine) as db:
            _ask(db, service, menus, meeting, person_id, at)


def _ask(
    db: Connection,
    service: Service,
    menus: Menus,
    meeting: Meeting,
    person_id: int,
    at: datetime,
) -> None:
    asked = invitations.ask(db, meeting, person_id=person_id, channel=CHANNEL, at=at)
    if asked is None:
        return
    if is_asked(
        db, menus, person_id=person_id, screen=MEETING_SCREEN, test=meeting.test
    ):
        # A second question of the flow would take the answer to the first.
        _say_soon(db, menus, meeting, asked, person_id, at)
        return
    ask_person(
        db,
        service.keys,
        menus,
        person_id=person_id,
        event_id=asked.event_id,
        template="sms.ben.meet",
        slots=_said_of(meeting, menus),
        screen=MEETING_SCREEN,
        answers={"meeting": str(meeting.event_id)},
        campaign=menus.campaign.id,
        test=meeting.test,
        at=at,
        expires_at=meeting.meets_at,
    )


def _bring_up(service: Service, menus: Menus, meeting: Meeting, at: datetime) -> None:
    """Remind who said yes, once, on the day before."""
    with reading(service.engine) as db:
        # Who says yes in the last day knows of it.
        before = meeting.meets_at - REMINDED
        waiting = invitations.to_remind(db, meeting, before=before, limit=ASKED_MAX)
    for person_id in waiting:
        with writing(service.engine) as db:
            reminded = invitations.remind(
                db, meeting, person_id=person_id, channel=CHANNEL, at=at
            )
            if reminded is not None and reminded.first:
                _say_soon(db, menus, meeting, reminded, person_id, at)


def _say_soon(
    db: Connection,
    menus: Menus,
    meeting: Meeting,
    recorded: Recorded,
    person_id: int,
    at: datetime,
) -> None:
    promise_text(
        db,
        menus,
        template="sms.ben.soon",
        event_id=recorded.event_id,
        person_id=person_id,
        campaign=CAMPAIGN,
        slots=_said_of(meeting, menus),
        test=meeting.test,
        at=at,
        until=meeting.meets_at,
    )


def _said_of(meeting: Meeting, menus: Menus) -> dict[str, str | int]:
    return when(meeting, menus.time_zone) | {"venue": meeting.venue}


def _ask_offices(service: Service, menus: Menus, apart: Apart, at: datetime) -> None:
    today = at.astimezone(ZoneInfo(menus.time_zone)).date()
    flow = flow_of(menus, DECISION_SCREEN)
    waiting: list[Decision] = []
    with reading(service.engine) as db:
        for test in (False, True):
            # Left out by the query: however many decisions wait for an answer, none
            # stands before those of another office.
            busy = questions.asked(db, flow=flow, test=test)
            waiting += claims.to_remind(
                db, without=busy, test=test, today=today, at=at, limit=LOOK_MAX
            )
    first: dict[tuple[int | None, bool], Decision] = {}
    for decision in waiting:
        first.setdefault((decision.owner_id, decision.test), decision)
    for decision in list(first.values())[:ASKED_MAX]:
        with apart("decision", decision.event_id), writing(service.engine) as db:
            _ask_office(db, service, menus, decision, at)


def _ask_office(
    db: Connection, service: Service, menus: Menus, decision: Decision, at: datetime
) -> None:
    owner_id = decision.owner_id
    if owner_id is None or not answers_for(
        db, person_id=owner_id, district=decision.district, test=decision.test
    ):
        # Passed over as if it had been asked: it would stand before others for ever.
        put(db, decision.event_id, at, reminded_at=at)
        return
    today = at.astimezone(ZoneInfo(menus.time_zone)).date()
    reminded = claims.remind(db, decision, today=today, channel=CHANNEL, at=at)
    if reminded is None or not reminded.first:
        return
    ask_person(
        db,
        service.keys,
        menus,
        person_id=owner_id,
        event_id=reminded.event_id,
        template="sms.ben.due",
        slots={"res": str(decision.number), "next": jalali_day(decision.due_on)},
        screen=DECISION_SCREEN,
        answers={"decision": name_of(decision)},
        campaign=menus.campaign.id,
        test=decision.test,
        at=at,
        expires_at=at + ANSWER_TIME,
    )
