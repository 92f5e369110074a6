"""What those who asked are told of a round: that it began, and of its last day.

They asked, so it is no campaign text; whoever stopped texts gets none all the same.
The sweep calls this by day only.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from gateway import receipts
from gateway.apart import Apart
from gateway.service import Service
from ledger import awaiting, people, stops
from ledger.awaiting import Waiting, What
from ledger.engine import Connection, reading, writing
from ussd.menus import Campaign, Menus
from ussd.windows import Round

__all__ = ["tell_rounds"]

# What one sweep tells at most, of one round and in one transaction.
TOLD_MAX = 500
PAGE = 50
# A round that began longer ago is no news.
OPENING_LATE_MAX = timedelta(days=3)
CLOSING_AHEAD = timedelta(days=1)
# Of a shorter round nobody is told twice.
ROUND_MIN = timedelta(days=3)

TEMPLATES = {What.OPENING: "sms.opened", What.CLOSING: "sms.closing"}

log = structlog.get_logger()


def tell_rounds(service: Service, menus: Menus, apart: Apart, at: datetime) -> None:
    """Promise the texts that are due now about the rounds of all campaigns."""
    for campaign in menus.campaigns.values():
        found = campaign.window.round(at)
        if campaign.paused or found is None:
            continue
        if found.opens is not None and at - found.opens <= OPENING_LATE_MAX:
            with apart("opening", campaign.id):
                _tell(service, menus, campaign, What.OPENING, found, found.opens, at)
        if _ends_soon(found, at):
            with apart("closing", campaign.id):
                _tell(service, menus, campaign, What.CLOSING, found, at, at)


def _ends_soon(one: Round, at: datetime) -> bool:
    if one.closes is None or at < one.closes - CLOSING_AHEAD:
        return False
    return one.opens is None or one.closes - one.opens >= ROUND_MIN


def _tell(
    service: Service,
    menus: Menus,
    campaign: Campaign,
    what: What,
    one: Round,
    before: datetime,
    at: datetime,
) -> None:
    """Tell who asked before that moment, a page in each transaction."""
    told = 0
    while told < TOLD_MAX:
        with reading(service.engine) as db:
            found = awaiting.waiting(
                db,
                what,
                campaign=campaign.id,
                round_id=one.id,
                before=before,
                limit=PAGE,
            )
        if not found:
            break
        with writing(service.engine) as db:
            for waiting in found:
                _tell_one(db, menus, campaign, what, one, waiting, at)
        told += len(found)
    if told:
        log.info("round_told", campaign=campaign.id, what=str(what), number=told)


def _tell_one(
    db: Connection,
    menus: Menus,
    campaign: Campaign,
    what: What,
    one: Round,
    waiting: Waiting,
    at: datetime,
) -> None:
    recorded = awaiting.note_told(db, what, waiting, round_id=one.id, at=at)
    if recorded is None or not recorded.first:
        return
    person_id, test = waiting.person_id, waiting.test
    if stops.wants_none(db, person_id=person_id, test=test):
        return
    person = people.known(db, person_id=person_id)
    spoken = person.language if person is not None else None
    language = spoken if spoken in menus.languages else menus.languages[0]
    receipts.promise_text(
        db,
        menus,
        template=TEMPLATES[what],
        event_id=recorded.event_id,
        person_id=person_id,
        campaign=campaign.id,
        slots={
            "title": campaign.title.get(language or "", ""),
            "until": one.closes_text,
            "call": campaign.call,
        },
        test=test,
        at=at,
        until=one.closes,
    )
