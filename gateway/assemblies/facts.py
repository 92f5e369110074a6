"""What the screens of an assembly say: each group is a few bounded reads.

What there is nothing to say of is an empty text.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gateway.assemblies.roles import districts_of
from ledger import people
from ledger.assemblies import benefactors, claims, decisions, invitations, meetings
from ledger.assemblies import premises as rooms
from ledger.assemblies.decisions import Decision
from ledger.assemblies.districts import code_of, number_of
from ledger.assemblies.limits import Wrong
from ledger.assemblies.meetings import Meeting
from ledger.assemblies.premises import Premises
from ledger.engine import Connection
from ledger.vault import Keys
from phone.dates import jalali, jalali_day
from ussd.facts import FACTS
from ussd.machine import Need

if TYPE_CHECKING:
    from gateway.facts import Asker

__all__ = [
    "FETCHING",
    "decision_named",
    "home_of",
    "meeting_named",
    "name_of",
    "next_of",
]

SHOWN_MAX = 20
# In the place of a meeting's id: the next one of the caller's own district.
NEXT = "next"
_DIGITS_MAX = 9


def name_of(decision: Decision) -> str:
    """How screens name a decision: its district's number and its own, `11-3`."""
    return f"{number_of(decision.district)}-{decision.number}"


def decision_named(db: Connection, name: str, *, test: bool) -> Decision | None:
    """The decision that `11-3` names, or the first of district `11`."""
    district, _, number = name.partition("-")
    if not _is_number(district) or (number and not _is_number(number)):
        return None
    try:
        code = code_of(int(district))
    except Wrong:
        return None
    return decisions.decision_of(
        db, district=code, number=int(number or "1"), test=test
    )


def meeting_named(
    db: Connection, name: str, *, person_id: int, asker: Asker
) -> Meeting | None:
    """The meeting of this id, or the caller's next one; none of another's books."""
    if name == NEXT:
        return next_of(db, person_id=person_id, test=asker.test, at=asker.at)
    if not _is_number(name):
        return None
    found = meetings.meeting_of(db, int(name))
    return found if found is not None and found.test is asker.test else None


def next_of(
    db: Connection, *, person_id: int, test: bool, at: datetime
) -> Meeting | None:
    """The next meeting of somebody's own district."""
    home = home_of(db, person_id=person_id, test=test)
    if home is None:
        return None
    return meetings.next_meeting(db, district=home, test=test, at=at)


def home_of(db: Connection, *, person_id: int, test: bool) -> str | None:
    """The district that somebody belongs to, first as who helps there."""
    mine = benefactors.benefactors_of(db, person_id=person_id, test=test)
    if mine:
        return mine[0].district
    return next(iter(districts_of(db, person_id=person_id, test=test)), None)


def _assembly(db: Connection, keys: Keys, need: Need, asker: Asker) -> dict[str, Any]:
    said: dict[str, Any] = dict.fromkeys(FACTS["assembly"], "")
    person = people.find(db, keys, asker.phone)
    if person is None:
        return said
    if home := home_of(db, person_id=person.id, test=asker.test):
        said["ben_home"] = str(number_of(home))
    if districts_of(db, person_id=person.id, test=asker.test):
        said["ben_secretary"] = "yes"
    mine = benefactors.benefactors_of(db, person_id=person.id, test=asker.test)
    if mine:
        said |= {
            "ben_in": str(number_of(mine[0].district)),
            "ben_my_district": number_of(mine[0].district),
            "ben_my_capacity": mine[0].said.capacity,
            "ben_my_amount": mine[0].said.amount,
            "ben_my_covers": str(mine[0].said.covers),
        }
    return said


def _decision(db: Connection, keys: Keys, need: Need, asker: Asker) -> dict[str, Any]:
    said: dict[str, Any] = dict.fromkeys(FACTS["decision"], "")
    found = decision_named(db, need.argument, test=asker.test)
    if found is None:
        return said
    total = decisions.last_number(db, district=found.district, test=asker.test)
    district = number_of(found.district)
    person = people.find(db, keys, asker.phone)
    is_owner = person is not None and person.id == found.owner_id
    return {
        "res_number": found.number,
        "res_total": total,
        "res_title": found.title,
        "res_district": district,
        "res_state": str(found.shown(_today(asker))),
        "res_due": jalali_day(found.due_on),
        # After the last comes the first.
        "res_next": f"{district}-{found.number % total + 1}",
        "res_owner": "yes" if is_owner else "",
    }


def _meeting(db: Connection, keys: Keys, need: Need, asker: Asker) -> dict[str, Any]:
    said: dict[str, Any] = dict.fromkeys(FACTS["meeting"], "")
    person = people.find(db, keys, asker.phone)
    if person is None:
        return said
    found = meeting_named(db, need.argument, person_id=person.id, asker=asker)
    if found is None:
        return said
    day, hour = jalali(found.meets_at, asker.time_zone).split()
    counts = invitations.attendance_of(db, meeting_id=found.event_id)
    return {
        "meet_state": "ahead" if found.is_ahead(asker.at) else "over",
        "meet_district": number_of(found.district),
        "meet_day": day,
        "meet_hour": hour,
        "meet_venue": found.venue,
        "meet_asked": counts.asked,
        "meet_yes": counts.yes,
        "meet_no": counts.no,
    }


def _claims(db: Connection, keys: Keys, need: Need, asker: Asker) -> dict[str, Any]:
    """What the caller's offices wait to be confirmed by this secretary."""
    found = claims.waiting(
        db, districts=_own(db, keys, asker), test=asker.test, limit=SHOWN_MAX
    )
    return {
        "items": [
            {"value": name_of(one), "count": one.number, "title": one.title}
            for one in found
        ]
    }


def _matches(db: Connection, keys: Keys, need: Need, asker: Asker) -> dict[str, Any]:
    found = rooms.matches(
        db, districts=_own(db, keys, asker), test=asker.test, limit=SHOWN_MAX
    )
    return {
        "items": [
            _room(one.need, f"{one.offer.event_id}-{one.need.event_id}")
            for one in found
        ]
    }


def _my_premises(
    db: Connection, keys: Keys, need: Need, asker: Asker
) -> dict[str, Any]:
    person = people.find(db, keys, asker.phone)
    if person is None:
        return {"items": []}
    return {
        "items": [
            _room(one, str(one.event_id))
            for one in rooms.of_person(db, person_id=person.id, test=asker.test)
        ]
    }


def _room(one: Premises, value: str) -> dict[str, Any]:
    return {
        "value": value,
        "side": str(one.side),
        "kind": one.kind,
        "metres": one.square_metres,
    }


def _own(db: Connection, keys: Keys, asker: Asker) -> tuple[str, ...]:
    """The districts of a secretary; none of anybody else."""
    person = people.find(db, keys, asker.phone)
    if person is None:
        return ()
    return districts_of(db, person_id=person.id, test=asker.test)


def _today(asker: Asker) -> date:
    return asker.at.astimezone(ZoneInfo(asker.time_zone)).date()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 0 < len(text) <= _DIGITS_MAX


FETCHING = {
    "assembly": _assembly,
    "decision": _decision,
    "meeting": _meeting,
    "claims": _claims,
    "matches": _matches,
    "my_premises": _my_premises,
}
