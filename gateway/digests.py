"""What waits at a centre, told by text once a day to the phones registered for it.

A count and nothing else: who waits and why is read on the centre's own screens.
"""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from gateway.apart import Apart
from gateway.centres import count_at, places_of
from gateway.queues import Look
from gateway.receipts import promise_text
from gateway.service import Service
from ledger import events, people, staff
from ledger.engine import Connection, reading, writing
from ledger.staff import Member, Role
from ussd.menus import Menus

__all__ = ["tell_centres"]

# So many phones are looked after in one sweep.
TOLD_A_SWEEP_MAX = 100


def tell_centres(service: Service, menus: Menus, apart: Apart, at: datetime) -> None:
    """Tell each registered phone of a centre that things wait there, once a day."""
    local = at.astimezone(ZoneInfo(service.settings.time_zone))
    if local.time() < time.fromisoformat(service.settings.centre_digest_at):
        return
    day = local.date().isoformat()
    with reading(service.engine) as db:
        waiting = staff.untold(db, role=Role.CENTRE, day=day, limit=TOLD_A_SWEEP_MAX)
    for member in waiting:
        with apart("digest", member.id), writing(service.engine) as db:
            _tell(db, service, menus, member, day, at)


def _tell(
    db: Connection,
    service: Service,
    menus: Menus,
    member: Member,
    day: str,
    at: datetime,
) -> None:
    person = people.hold(db, person_id=member.person_id)
    if not staff.mark_told(db, staff_id=member.id, day=day) or person is None:
        return
    places = places_of(service.places.current(), [member])
    waiting = count_at(db, service.keys, Look(places, member.test, at))
    if not waiting:
        return
    recorded = events.record(
        db,
        key=f"staff:{member.id}:digest:{day}",
        kind="staff.digest",
        body={"staff": member.id, "items": waiting},
        person_id=member.person_id,
        channel=staff.CHANNEL,
        test=member.test,
        at=at,
    )
    promise_text(
        db,
        menus,
        template="sms.centre.digest",
        event_id=recorded.event_id,
        person_id=member.person_id,
        campaign=None,
        slots={"count": waiting},
        test=member.test,
        at=at,
    )
