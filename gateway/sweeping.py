"""What falls due by itself: money that waits for its pledge, expiry, gifts of each
month, and what donors are reminded of.

The scheduler sweeps every few seconds. Each step does a bounded number of things, in
transactions that also keep the place up to which it has come: a sweep that dies is
taken up where it ended, and nothing is done or said twice. Whatever writes to people
rests at night.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from gateway import digests, entering, receipts, reminding, renumbering, rounds, waves
from gateway.apart import Apart
from gateway.assemblies import due as assemblies
from gateway.library import NoMenus
from gateway.service import Service
from gateway.timebank import sweeping as hours
from ledger import chart, expiring, payments, plans
from ledger.engine import Connection, reading, writing
from ledger.expiring import Made
from ledger.instalments import INSTALMENTS_MAX
from sms.rules import is_quiet
from ussd.menus import Campaign, CampaignState, Menus

__all__ = ["SWEEP_EVERY", "sweep"]

SWEEP_EVERY = timedelta(seconds=5)
LOOK_MAX = 500
# One sweep looks so many times at most, closes about so many pledges of a campaign, and
# holds so many at once.
LOOKS_MAX = 20
CLOSED_MAX = 500
HELD_MAX = 50
STANDING_MAX = 100
MATCH_MAX = 100
# Who made a pledge long before the service could close it hears nothing of that now.
TOLD_LATE_MAX = timedelta(days=3)
# No month of the calendar has less.
MONTH_MIN = timedelta(days=29)

log = structlog.get_logger()


def sweep(service: Service, at: datetime) -> None:
    """Do what is due now; raises LedgerError where the ledger does not answer."""
    try:
        menus = service.library.current(None)
    except NoMenus:
        return
    apart = Apart()
    _match(service, menus, apart, at)
    if is_quiet(service.rules, at):
        return
    for campaign in menus.campaigns.values():
        if campaign.pledge_days and campaign.state(at) is not CampaignState.PAUSED:
            for parts in range(INSTALMENTS_MAX + 1):
                with apart("expiry", campaign.id):
                    _expire(service, menus, campaign, parts, at)
    _pledge_months(service, menus, apart, at)
    reminding.remind(service, menus, apart, at)
    entering.sweep_entries(service, menus, apart, at)
    renumbering.sweep_numbers(service, menus, apart, at)
    waves.sweep_needs(service, menus, apart, at)
    digests.tell_centres(service, menus, apart, at)
    rounds.tell_rounds(service, menus, apart, at)
    hours.sweep(service, menus, apart, at)
    assemblies.fall_due(service, menus, apart, at)


def _match(service: Service, menus: Menus, apart: Apart, at: datetime) -> None:
    """Look again for the pledges of money in suspense, and tell whose came."""
    with reading(service.engine) as db:
        waiting = payments.due(db, at=at, limit=MATCH_MAX)
    for payment_id in waiting:
        with apart("match", payment_id), writing(service.engine) as db:
            paid = payments.match_waiting(db, payment_id=payment_id, at=at)
            if paid is not None and paid.pledge is not None:
                test = paid.pledge.test
                receipts.tell(db, menus, paid, test=test, at=at)


def _expire(
    service: Service, menus: Menus, campaign: Campaign, parts: int, at: datetime
) -> None:
    """Close the pledges of a campaign whose days are over, the oldest first.

    Those that are paid in `parts`, or else at once: of one number of parts the oldest
    has the last part first.
    """
    name = f"expiry:{parts}" if parts else "expiry"
    until = at - timedelta(days=campaign.pledge_days)
    closed = 0
    for _ in range(LOOKS_MAX):
        with reading(service.engine) as db:
            window = expiring.made_since(
                db,
                parts=parts,
                after=expiring.place_of(db, name, campaign.id),
                until=until - max(0, parts - 1) * MONTH_MIN,
                limit=LOOK_MAX,
            )
            over = _over(db, window, campaign, parts, until)
        if not over:
            break
        for part in _pages(over):
            with writing(service.engine) as db:
                # In the order of ids, as whoever holds several pledges.
                for made, is_over in sorted(part, key=lambda one: one[0].pledge_id):
                    if is_over:
                        closed += _close(db, service, menus, campaign, made, at)
                expiring.move_place(db, name, campaign.id, part[-1][0].place)
        if len(over) < LOOK_MAX or closed >= CLOSED_MAX:
            break
    if closed:
        log.info("pledges_expired", campaign=campaign.id, number=closed)


def _over(
    db: Connection,
    window: Sequence[Made],
    campaign: Campaign,
    parts: int,
    until: datetime,
) -> list[tuple[Made, bool]]:
    """Which pledges of a window are to be closed; it ends before the first of which
    an instalment is to come."""
    ours = [made.pledge_id for made in window if made.campaign == campaign.id]
    still_open = expiring.still_open(db, ours)
    dues = expiring.last_dues(db, ours)
    over = []
    for made in window:
        in_parts = made.pledge_id in dues
        if parts and in_parts and dues[made.pledge_id] > until:
            break
        # A pledge in parts is met a second time, as its plan.
        its_turn = in_parts == bool(parts)
        over.append((made, its_turn and made.pledge_id in still_open))
    return over


def _pages(over: list[tuple[Made, bool]]) -> Iterator[list[tuple[Made, bool]]]:
    """What is done in one transaction: so much of a window as closes a few pledges."""
    part: list[tuple[Made, bool]] = []
    for one in over:
        part.append(one)
        if sum(is_over for _, is_over in part) == HELD_MAX:
            yield part
            part = []
    if part:
        yield part


def _close(
    db: Connection,
    service: Service,
    menus: Menus,
    campaign: Campaign,
    made: Made,
    at: datetime,
) -> bool:
    expired = expiring.expire(db, pledge_id=made.pledge_id, at=at)
    if expired is None:
        return False
    pledge, recorded = expired
    late = at - made.place.at - timedelta(days=campaign.pledge_days)
    in_time = late <= TOLD_LATE_MAX or made.place.id != made.pledge_id
    if in_time and pledge.unit == chart.RIAL:
        reminding.tell(
            db,
            service,
            menus,
            template="sms.expired",
            event_id=recorded.event_id,
            pledge=pledge,
            slots={"code": pledge.code},
            at=at,
        )
    return True


def _pledge_months(service: Service, menus: Menus, apart: Apart, at: datetime) -> None:
    """Pledge the gifts of each month that are due, and say how to pay them."""
    zone = ZoneInfo(service.settings.time_zone)
    open_now = {
        campaign.id
        for campaign in menus.campaigns.values()
        if campaign.state(at) is CampaignState.OPEN
    }
    with reading(service.engine) as db:
        waiting = plans.waiting(db, at=at, limit=STANDING_MAX)
    for one in waiting:
        with apart("month", one.event_id), writing(service.engine) as db:
            recorded = plans.pledge_month(
                db, service.keys, one, campaigns=open_now, zone=zone, at=at
            )
            if recorded is not None:
                reminding.tell_month(db, service, menus, one, recorded, at)
