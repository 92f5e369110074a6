"""Texts about a decision or about premises: one event for each person who is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.receipts import promise_text
from ledger.assemblies import invitations, meetings
from ledger.assemblies.decisions import Decision
from ledger.assemblies.districts import CAMPAIGN, number_of
from ledger.assemblies.meetings import Meeting
from ledger.assemblies.noting import Kept, note
from ledger.assemblies.premises import Match
from ledger.engine import Connection
from phone.dates import jalali, jalali_day
from ussd.menus import Menus

__all__ = ["tell_done", "tell_match", "tell_off", "when"]

# Of those who come to meetings, so many hear that a decision is done.
TOLD_MAX = 50
# Of a meeting that is off all of them have to: nobody is to stand before a locked door.
OFF_MAX = 2_000


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
    return sum(
        _tell(
            db,
            menus,
            decision,
            kind="decision.told",
            key=f"decision:{decision.event_id}:told:{person_id}",
            person_id=person_id,
            template="sms.ben.done",
            slots=slots,
            channel=channel,
            at=at,
        )
        for person_id in dict.fromkeys(told)
    )


def tell_match(
    db: Connection, menus: Menus | None, match: Match, *, channel: str, at: datetime
) -> None:
    """Say to both sides that there is something for them, and whom to call.

    Neither learns who the other is: the organiser brings them together.
    """
    contact = menus.campaign.contact if menus is not None else ""
    for one in (match.offer, match.need):
        _tell(
            db,
            menus,
            one,
            kind="premises.told",
            key=f"premises:{one.event_id}:told",
            person_id=one.person_id,
            template="sms.ben.match",
            slots={"dist": str(number_of(one.district)), "contact": contact},
            channel=channel,
            at=at,
        )


def tell_off(
    db: Connection, menus: Menus, meeting: Meeting, *, channel: str, at: datetime
) -> int:
    """Say to who wanted to come that a meeting is called off; how many are told."""
    coming = invitations.coming(db, meeting_id=meeting.event_id, limit=OFF_MAX)
    return sum(
        _tell(
            db,
            menus,
            meeting,
            kind="meeting.told",
            key=f"meeting:{meeting.event_id}:off:{person_id}",
            person_id=person_id,
            template="sms.ben.off",
            slots=when(meeting, menus.time_zone),
            channel=channel,
            at=at,
        )
        for person_id in coming
    )


def when(meeting: Meeting, time_zone: str) -> dict[str, str | int]:
    """What a text says of a meeting, the venue apart."""
    day, hour = jalali(meeting.meets_at, time_zone).split()
    return {"dist": str(number_of(meeting.district)), "when": day, "hour": hour}


def _tell(
    db: Connection,
    menus: Menus | None,
    about: Kept,
    *,
    kind: str,
    key: str,
    person_id: int,
    template: str,
    slots: Mapping[str, str | int],
    channel: str,
    at: datetime,
) -> bool:
    """Promise a text to somebody, once for the key; whether it is promised now."""
    recorded = note(
        db, key, kind, {}, about, person_id=person_id, channel=channel, at=at
    )
    return recorded.first and promise_text(
        db,
        menus,
        template=template,
        event_id=recorded.event_id,
        person_id=person_id,
        campaign=CAMPAIGN,
        slots=slots,
        test=about.test,
        at=at,
    )
