"""Texts about a decision or about premises: one event for each person who is told."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.receipts import promise_text
from ledger.assemblies import decisions, invitations, meetings
from ledger.assemblies.decisions import Decision
from ledger.assemblies.districts import CAMPAIGN, number_of
from ledger.assemblies.meetings import Meeting
from ledger.assemblies.premises import Match
from ledger.engine import Connection
from ledger.events import record
from phone.dates import jalali, jalali_day
from ussd.menus import Menus

__all__ = ["tell_done", "tell_match", "tell_off", "when"]

# Of those who come to meetings, so many hear that a decision is done.
TOLD_MAX = 50
# Of a meeting that is off all of them have to: nobody is to stand before a locked door.
OFF_MAX = 2_000
TOLD = "decision.told"


def tell_done(
    db: Connection,
    menus: Menus | None,
    decision: Decision,
    *,
    channel: str,
    at: datetime,
) -> int:
    """Say that a decision is done, to its office and to who comes; how many are told.

    Those come who said so of the next meeting. Once each, however often it is said.
    """
    zone = menus.time_zone if menus is not None else "UTC"
    ahead = meetings.next_meeting(
        db, district=decision.district, test=decision.test, at=at
    )
    day = ""
    told: list[int] = []
    if decision.owner_id is not None:
        told.append(decision.owner_id)
    if ahead is not None:
        day = jalali_day(ahead.meets_at.astimezone(ZoneInfo(zone)).date())
        told += invitations.coming(db, meeting_id=ahead.event_id, limit=TOLD_MAX)
    slots: dict[str, str | int] = {
        "dist": str(number_of(decision.district)),
        "res": str(decision.number),
        "next": day,
    }
    promised = 0
    for person_id in dict.fromkeys(told):
        recorded = decisions.note(
            db,
            f"decision:{decision.event_id}:told:{person_id}",
            TOLD,
            {},
            decision,
            person_id=person_id,
            channel=channel,
            at=at,
        )
        if recorded.first:
            promised += promise_text(
                db,
                menus,
                template="sms.ben.done",
                event_id=recorded.event_id,
                person_id=person_id,
                campaign=CAMPAIGN,
                slots=slots,
                test=decision.test,
                at=at,
            )
    return promised


def tell_match(
    db: Connection, menus: Menus | None, match: Match, *, channel: str, at: datetime
) -> None:
    """Say to both sides that there is something for them, and whom to call.

    Neither learns who the other is: the organiser brings them together.
    """
    for one in (match.offer, match.need):
        recorded = record(
            db,
            key=f"premises:{one.event_id}:told",
            kind="premises.told",
            body={},
            person_id=one.person_id,
            about_id=one.event_id,
            campaign=CAMPAIGN,
            district=one.district,
            channel=channel,
            test=one.test,
            at=at,
        )
        if recorded.first:
            promise_text(
                db,
                menus,
                template="sms.ben.match",
                event_id=recorded.event_id,
                person_id=one.person_id,
                campaign=CAMPAIGN,
                slots={
                    "dist": str(number_of(one.district)),
                    "contact": menus.campaign.contact if menus is not None else "",
                },
                test=one.test,
                at=at,
            )


def tell_off(
    db: Connection, menus: Menus, meeting: Meeting, *, channel: str, at: datetime
) -> int:
    """Say to who wanted to come that a meeting is called off; how many are told."""
    promised = 0
    for person_id in invitations.coming(db, meeting_id=meeting.event_id, limit=OFF_MAX):
        recorded = meetings.note(
            db,
            f"meeting:{meeting.event_id}:off:{person_id}",
            "meeting.told",
            {},
            meeting,
            person_id=person_id,
            channel=channel,
            at=at,
        )
        if recorded.first:
            promised += promise_text(
                db,
                menus,
                template="sms.ben.off",
                event_id=recorded.event_id,
                person_id=person_id,
                campaign=CAMPAIGN,
                slots=when(meeting, menus.time_zone),
                test=meeting.test,
                at=at,
            )
    return promised


def when(meeting: Meeting, time_zone: str) -> dict[str, str | int]:
    """What a text says of a meeting, the venue apart."""
    day, hour = jalali(meeting.meets_at, time_zone).split()
    return {"dist": str(number_of(meeting.district)), "when": day, "hour": hour}
