"""What donors are reminded of, once each: a pledge, an instalment, the gift of a month.

Nobody who asked for no more texts gets one of these, whichever line they said it to,
and none leaves for a campaign that takes no gifts at the moment. A rehearsed pledge is
reminded of over the channels of rehearsals.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from gateway import receipts
from gateway.apart import Apart
from gateway.service import Service
from ledger import chart, dues, expiring, stops
from ledger.engine import Connection, reading, writing
from ledger.events import Recorded
from ledger.expiring import Place
from ledger.plans import Standing
from ledger.pledges import Pledge, pledge_by_id
from phone.dates import jalali
from sms.lines import line_of
from ussd.menus import Campaign, CampaignState, Menus

__all__ = ["remind", "tell", "tell_month"]

LOOK_MAX = 500
REMIND_MAX = 50
DUES_MAX = 100
# A reminder that could not be given in these days is not given any more.
LATE_MAX = timedelta(days=3)
# An instalment is brought up before it is due.
DUE_AHEAD = timedelta(days=3)
PLACE = "reminders"


def remind(service: Service, menus: Menus, apart: Apart, at: datetime) -> None:
    """Promise the reminders that are due now."""
    open_now = [
        campaign
        for campaign in menus.campaigns.values()
        if campaign.state(at) is CampaignState.OPEN
    ]
    for campaign in open_now:
        if campaign.remind_days:
            with apart("reminders", campaign.id):
                _remind_of_pledges(service, menus, campaign, at)
    open_ids = [campaign.id for campaign in open_now]
    _remind_of_dues(service, menus, open_ids, apart, at)


def tell_month(
    db: Connection,
    service: Service,
    menus: Menus,
    one: Standing,
    recorded: Recorded,
    at: datetime,
) -> None:
    """Promise the text of a month's pledge, in the pledge's transaction."""
    pledge = pledge_by_id(db, recorded.event_id)
    assert pledge is not None
    tell(
        db,
        service,
        menus,
        template="sms.standing",
        event_id=recorded.event_id,
        pledge=pledge,
        slots={"amount": pledge.amount, "code": pledge.code},
        at=at,
    )


def tell(
    db: Connection,
    service: Service,
    menus: Menus,
    *,
    template: str,
    event_id: int,
    pledge: Pledge,
    slots: Mapping[str, str | int],
    at: datetime,
) -> bool:
    """Promise a text about a pledge to its donor; False if they want none."""
    person_id, test = pledge.person_id, pledge.test
    if person_id is None or _wants_none(db, service, person_id, test=test):
        return False
    campaign = menus.campaigns.get(pledge.campaign)
    pay = campaign.pay if campaign is not None else ""
    return receipts.promise_text(
        db,
        menus,
        template=template,
        event_id=event_id,
        person_id=person_id,
        campaign=pledge.campaign,
        slots={"pay": pay, **slots},
        test=test,
        at=at,
    )


def _remind_of_pledges(
    service: Service, menus: Menus, campaign: Campaign, at: datetime
) -> None:
    until = at - timedelta(days=campaign.remind_days)
    with reading(service.engine) as db:
        reached = expiring.place_of(db, PLACE, campaign.id)
        window = expiring.made_since(
            db,
            after=max(reached, Place(until - LATE_MAX, 0), key=lambda one: one.at),
            until=until,
            limit=LOOK_MAX,
        )
        ours = [made.pledge_id for made in window if made.campaign == campaign.id]
        # Of one that is paid in parts, each part is brought up.
        in_parts = expiring.last_dues(db, ours)
        still_open = expiring.still_open(db, ours) - in_parts.keys()
    for first in range(0, len(window), REMIND_MAX):
        part = window[first : first + REMIND_MAX]
        with writing(service.engine) as db:
            for made in part:
                if made.pledge_id in still_open:
                    _remind_of(db, service, menus, made.pledge_id, at)
            expiring.move_place(db, PLACE, campaign.id, part[-1].place)


def _remind_of(
    db: Connection, service: Service, menus: Menus, pledge_id: int, at: datetime
) -> None:
    pledge = pledge_by_id(db, pledge_id)
    if pledge is None or not pledge.outstanding or pledge.unit != chart.RIAL:
        return
    # The text is the pledge event's own: the outbox takes a second one for the first.
    tell(
        db,
        service,
        menus,
        template="sms.reminder",
        event_id=pledge_id,
        pledge=pledge,
        slots={"amount": pledge.outstanding, "code": pledge.code},
        at=at,
    )


def _remind_of_dues(
    service: Service,
    menus: Menus,
    campaigns: list[str],
    apart: Apart,
    at: datetime,
) -> None:
    with reading(service.engine) as db:
        waiting = dues.falling(
            db, campaigns=campaigns, at=at, ahead=DUE_AHEAD, limit=DUES_MAX
        )
    for one in waiting:
        with apart("due", one.pledge_id), writing(service.engine) as db:
            due = dues.fall_due(db, one, at=at)
            if due is not None:
                tell(
                    db,
                    service,
                    menus,
                    template="sms.due",
                    event_id=due.event_id,
                    pledge=due.pledge,
                    slots={
                        "amount": due.left,
                        "left": due.pledge.outstanding,
                        "code": due.pledge.code,
                        "number": due.number,
                        "due": _day(service, due.due_at),
                    },
                    at=at,
                )


def _wants_none(
    db: Connection, service: Service, person_id: int, *, test: bool
) -> bool:
    """Whether somebody has stopped texts, of every line or of any of ours."""
    lines = {stops.EVERY_LINE, *(line_of(channel) for channel in service.routes)}
    named = {stops.kept_as(line, test=test) for line in lines}
    return not named.isdisjoint(stops.lines_of(db, person_id=person_id))


def _day(service: Service, at: datetime) -> str:
    return jalali(at, service.settings.time_zone).split()[0]
