"""A centre's desk by phone: what waits there, seen to by whoever is registered for it.

A centre may have no computer. Its phone reads what waits in every system's queue, says
what was done, and raises a need. Whom it may call it is shown the number of, on a
screen of its own and nowhere else, and the books keep that it was shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gateway import invitations, kalabarg_queue
from gateway.orders import Order
from gateway.queues import COUNTED_MAX, Deed, Look, Queue, QueueItem
from gateway.timebank import queue as hours
from ledger import events, needs, people, staff
from ledger.engine import Connection
from ledger.hearing import last_event
from ledger.invitations import coming
from ledger.inviting import arrive
from ledger.places.kinds import Kind
from ledger.places.tree import Tree
from ledger.staff import Member, Role
from ledger.vault import Keys
from phone.dates import jalali
from phone.numbers import national
from ussd.facts import FACTS
from ussd.machine import Need

if TYPE_CHECKING:
    from gateway.facts import Asker

__all__ = [
    "QUEUES",
    "called",
    "confirm",
    "count_at",
    "desk",
    "done",
    "item",
    "items_at",
    "places_of",
    "queue",
    "raise_need",
    "show_number",
]

# Who said yes is the centre's to see from then on until so long after the meeting.
SHOWN_AFTER = timedelta(days=7)
# Of what waits, a screen has room for so much.
TITLE_CHARS_MAX = 16
# The event that a number was shown, and how long the screen can be read again.
SHOWN = "people.shown"
SHOWN_FOR = timedelta(minutes=10)


def desk(db: Connection, keys: Keys, need: Need, asker: Asker) -> Mapping[str, Any]:
    """The caller's centre, and how much waits there in all; empty for who has none."""
    members = _members(db, keys, asker.phone, test=asker.test)
    if not members:
        return {"desk_place": "", "desk_waiting": 0}
    place = invitations.place_called(asker.places, members[0].place, asker.language)
    look = Look(places_of(asker.places, members), asker.test, asker.at)
    return {"desk_place": place, "desk_waiting": count_at(db, keys, look)}


def queue(db: Connection, keys: Keys, need: Need, asker: Asker) -> Mapping[str, Any]:
    """What waits at the caller's centres: what can be seen to now comes first."""
    members = _members(db, keys, asker.phone, test=asker.test)
    look = Look(places_of(asker.places, members), asker.test, asker.at)
    return {
        "items": [
            {
                "value": f"{name}.{one.value}",
                "state": one.kind,
                "when": _when(one, asker.time_zone),
            }
            for name, one in items_at(db, keys, look)
        ]
    }


def item(db: Connection, keys: Keys, need: Need, asker: Asker) -> Mapping[str, Any]:
    """One thing that waits there: what it is, and what may be done about it."""
    members = _members(db, keys, asker.phone, test=asker.test)
    look = Look(places_of(asker.places, members), asker.test, asker.at)
    found = _find(db, keys, look, need.argument)
    if found is None:
        return dict.fromkeys(FACTS["queue_item"], "")
    _, one = found
    return {
        "item_kind": one.kind,
        "item_title": one.title[:TITLE_CHARS_MAX],
        "item_when": _when(one, asker.time_zone),
        "item_done": "yes" if Deed.DONE in one.deeds else "",
        "item_confirm": "yes" if Deed.CONFIRM in one.deeds else "",
        "item_call": "yes" if one.person_id is not None else "",
    }


def called(db: Connection, keys: Keys, need: Need, asker: Asker) -> Mapping[str, Any]:
    """Whom the centre may call about one thing, a moment after it asked for it."""
    members = _members(db, keys, asker.phone, test=asker.test)
    look = Look(places_of(asker.places, members), asker.test, asker.at)
    found = _find(db, keys, look, need.argument)
    if found is None or not _was_asked(db, found[1], need.argument, look):
        return dict.fromkeys(FACTS["queue_call"], "")
    numbers = [*_numbers(db, keys, found[1]), "", ""]
    return {"call_phone": numbers[0], "call_other": numbers[1]}


def done(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Say that something which waited has happened."""
    return _act(db, keys, order, Deed.DONE)


def confirm(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Take something up, or say that it is right."""
    return _act(db, keys, order, Deed.CONFIRM)


def show_number(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Let the centre read whom it may call; the books keep that it did."""
    member, found = _mine(db, keys, order)
    if member is None or found is None or found[1].person_id is None:
        return {"outcome": "gone"}
    value = order.effect.answers["item"]
    shown = {order.key: found[1].person_id}
    if found[1].other_id is not None:
        shown[f"{order.key}:other"] = found[1].other_id
    for key, person_id in shown.items():
        events.record(
            db,
            key=key,
            kind=SHOWN,
            body={"item": value, "staff": member.id},
            person_id=person_id,
            campaign=order.effect.campaign,
            channel=order.channel,
            test=order.test,
            at=order.at,
        )
    return {}


def raise_need(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Write down what the caller's centre needs people for."""
    members = _members(db, keys, order.phone, test=order.test)
    meets_at = _meets_at(order)
    if not members:
        return {"outcome": "gone"}
    if meets_at <= order.at:
        return {"outcome": "past"}
    answers, place = order.effect.answers, members[0].place
    skill = answers["need_skill"]
    needs.raise_need(
        db,
        key=order.key,
        campaign=order.campaign.id,
        place=place,
        title=_titled(order, skill),
        skill=skill,
        vacancies=int(answers["need_count"]),
        urgency=int(answers["need_urgency"]),
        meets_at=meets_at,
        district=_code(order.places, place, Kind.DISTRICT),
        centre=_code(order.places, place, Kind.CENTRE),
        by="centre",
        person_id=members[0].person_id,
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    return {}


def items_at(db: Connection, keys: Keys, look: Look) -> Sequence[tuple[str, QueueItem]]:
    """What waits at these places in every queue, with the queue's name, `look.limit`
    at most.

    What a centre can say something of comes first: volunteers of next week are not in
    the way of what is to be done today. Of these the longest wait is first.
    """
    if not look.places:
        return ()
    found = [
        (name, one)
        for name, waiting in QUEUES.items()
        for one in waiting.items(db, keys, look)
    ]
    found.sort(
        key=lambda pair: (not pair[1].deeds, pair[1].since, pair[0], pair[1].value)
    )
    return found[: look.limit]


def count_at(db: Connection, keys: Keys, look: Look) -> int:
    """How much waits at these places, also what no list has room for; 999 at most."""
    return len(items_at(db, keys, replace(look, limit=COUNTED_MAX)))


def places_of(tree: Tree, members: Sequence[Member]) -> frozenset[str]:
    """The codes of the places that these look after, and of all that lies in them."""
    own = {member.place for member in members}
    return frozenset(own | {one.code for code in own for one in tree.under(code)})


def _act(db: Connection, keys: Keys, order: Order, deed: Deed) -> dict[str, str]:
    if events.find(db, key=order.key) is not None:
        return {}
    _, found = _mine(db, keys, order)
    if found is None or deed not in found[1].deeds:
        return {"outcome": "gone"}
    name, one = found
    QUEUES[name].acts[deed](db, keys, order, one)
    return {}


def _mine(
    db: Connection, keys: Keys, order: Order
) -> tuple[Member | None, tuple[str, QueueItem] | None]:
    """Who orders it, and the thing it is about, if that waits at a place of theirs."""
    # Held: who is erased meanwhile does nothing here.
    people.remember(db, keys, order.phone, at=order.at)
    members = _members(db, keys, order.phone, test=order.test)
    look = Look(places_of(order.places, members), order.test, order.at)
    found = _find(db, keys, look, order.effect.answers["item"])
    return (members[0] if members else None), found


def _find(
    db: Connection, keys: Keys, look: Look, value: str
) -> tuple[str, QueueItem] | None:
    for name, one in items_at(db, keys, look):
        if f"{name}.{one.value}" == value:
            return name, one
    return None


def _members(db: Connection, keys: Keys, phone: str, *, test: bool) -> list[Member]:
    person = people.find(db, keys, phone)
    if person is None:
        return []
    found = staff.roles_of(db, person_id=person.id, test=test)
    return [member for member in found if member.role is Role.CENTRE]


def _was_asked(db: Connection, one: QueueItem, value: str, look: Look) -> bool:
    """Whether the books have kept, just now, that its number is shown."""
    if one.person_id is None:
        return False
    last = last_event(
        db,
        person_id=one.person_id,
        kinds=(SHOWN,),
        test=look.test,
        since=look.at - SHOWN_FOR,
    )
    return last is not None and last[0].get("item") == value


def _numbers(db: Connection, keys: Keys, one: QueueItem) -> list[str]:
    whose = [who for who in (one.person_id, one.other_id) if who is not None]
    known = people.phones_of(db, keys, person_ids=whose)
    return [national(known[who]) for who in whose if who in known]


def _titled(order: Order, skill: str) -> str:
    titles = order.menus.titles[order.menus.languages[0]]
    return str(titles["skills"].get(skill, skill))[: needs.TITLE_CHARS_MAX]


def _meets_at(order: Order) -> datetime:
    answers, zone = order.effect.answers, ZoneInfo(order.menus.time_zone)
    day = order.at.astimezone(zone).date() + timedelta(days=int(answers["need_days"]))
    return datetime.combine(day, time(int(answers["need_hour"])), tzinfo=zone)


def _when(one: QueueItem, zone: str) -> str:
    """The day it is for, else the one since which it waits."""
    return jalali(one.when or one.since, zone).split()[0]


def _code(tree: Tree, place: str, kind: Kind) -> str | None:
    found = tree.above(place, kind)
    return found.code if found is not None else None


# --- those who said yes to a need --------------------------------------------------


def _coming(db: Connection, keys: Keys, look: Look) -> Sequence[QueueItem]:
    found = coming(
        db,
        places=look.places,
        test=look.test,
        since=look.at - SHOWN_AFTER,
        limit=look.limit,
    )
    return [
        QueueItem(
            value=str(invite.id),
            kind="volunteer",
            place=need.place,
            since=invite.asked_at,
            deeds=(Deed.DONE,) if need.meets_at <= look.at else (),
            title=need.title,
            when=need.meets_at,
            person_id=invite.person_id,
        )
        for invite, need in found
    ]


def _came(db: Connection, keys: Keys, order: Order, one: QueueItem) -> None:
    arrive(
        db, key=order.key, invite_id=int(one.value), channel=order.channel, at=order.at
    )


QUEUES: Mapping[str, Queue] = {
    "hours": hours.QUEUE,
    "kalabarg": kalabarg_queue.QUEUE,
    "need": Queue(_coming, {Deed.DONE: _came}),
}
