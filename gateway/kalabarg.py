"""Home delivery of what a household bought with its subsidy elsewhere: asked for, and
said to be brought.

We never see what is bought, nor the codes it is paid with. A request goes to the queue
of the place's centre, else to the partner that the campaign names, else to the
operator; somebody has to have taken it within `delivery_hours`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gateway.living import placed_at
from gateway.orders import Order, tell
from gateway.receipts import promise_text
from ledger import deliveries, delivering, events, people, sensitive, staff
from ledger.deliveries import LIVE, OPERATOR, PARTNER, Delivery, State
from ledger.delivering import Done, Outcome
from ledger.engine import Connection
from ledger.hearing import last_event
from ledger.signups import NOWHERE, Placed
from ledger.staff import Member, Role
from ledger.vault import Keys
from phone.dates import jalali_day
from ussd.facts import FACTS
from ussd.machine import Need
from ussd.menus import Menus

if TYPE_CHECKING:
    from gateway.facts import Asker

__all__ = [
    "BROUGHT",
    "CLOSED",
    "QUEUE_NAME",
    "TAKEN",
    "Reason",
    "confirm",
    "delivery",
    "deliveries_of",
    "request",
    "show_reason",
    "tell_citizen",
    "why",
    "withdraw",
]

# What a centre's desk calls these: the name of their queue.
QUEUE_NAME = "kalabarg"
SHOWN_MAX = 10
# The event that a reason was shown, and how long the screen can be read again.
REASON_SHOWN = "reason.shown"
SHOWN_FOR = timedelta(minutes=10)
# Of a number in the books.
DIGITS_MAX = 18
TAKEN, BROUGHT, CLOSED = "sms.kb.taken", "sms.kb.done", "sms.kb.closed"
# Tehran's municipal districts, as the places that are shipped name them.
DISTRICT = "23-t{number}"

Result = dict[str, str]


class Reason(StrEnum):
    """Why somebody asks, in the order of the keys: they never change. Who presses the
    key after the last has not said it."""

    OLD_AGE = "old-age"
    DISABILITY = "disability"
    ILLNESS = "illness"
    CHILD = "child"


def request(db: Connection, keys: Keys, order: Order) -> Result:
    """Ask for a delivery, once while one waits; the reason goes to the centre alone."""
    answers, campaign = order.effect.answers, order.campaign
    placed = _placed(order)
    person = people.remember(db, keys, order.phone, at=order.at)
    asked = deliveries.request(
        db,
        keys,
        key=order.key,
        person_id=person.id,
        campaign=campaign.id,
        place=placed.place_code,
        district=placed.district,
        centre=placed.centre,
        queue=_queue(placed, campaign.delivery_partner),
        call_back=answers["call_back"] == "yes",
        due_at=order.at + timedelta(hours=campaign.delivery_hours),
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    if asked.recorded is None:
        return {"outcome": "many"}
    if asked.already:
        return {"code": asked.code, "outcome": "already"}
    if asked.recorded.first:
        _keep_reason(db, keys, order, person.id, placed.centre)
    centre = order.places.place(placed.centre)
    slots: dict[str, str | int] = {"code": asked.code}
    template = "sms.kb.noted"
    if centre is not None and centre.dial:
        template = "sms.kb"
        slots["centre"] = centre.dial
    tell(db, order, asked.recorded, person.id, template, slots)
    return {"code": asked.code}


def confirm(db: Connection, keys: Keys, order: Order) -> Result:
    """Note that a request was brought, as its citizen says, or as the centre does that
    was told its code.

    A code that is another's says no more than one that nobody has.
    """
    code = order.effect.answers["delivery"]
    person = people.remember(db, keys, order.phone, at=order.at)
    found = deliveries.with_code(db, code=code, test=order.test)
    by = None if found is None else _who(db, order, person.id, found)
    if found is None or by is None:
        return {"outcome": "unknown"}
    done = delivering.deliver(
        db,
        key=order.key,
        delivery_id=found.id,
        by=by,
        channel=order.channel,
        at=order.at,
    )
    return _came_to(db, order, done, BROUGHT)


def withdraw(db: Connection, keys: Keys, order: Order) -> Result:
    """Take a request of one's own back."""
    person = people.remember(db, keys, order.phone, at=order.at)
    found = _own(db, person.id, order.effect.answers["delivery"], test=order.test)
    if found is None:
        return {"outcome": "unknown"}
    done = delivering.close(
        db,
        key=order.key,
        delivery_id=found.id,
        by="self",
        why="",
        state=State.WITHDRAWN,
        channel=order.channel,
        at=order.at,
    )
    return _came_to(db, order, done, "")


def deliveries_of(
    db: Connection, keys: Keys, need: Need, asker: Asker
) -> Mapping[str, Any]:
    """The caller's own requests, the latest first."""
    person = people.find(db, keys, asker.phone)
    if person is None:
        return {"items": []}
    found = deliveries.of_person(
        db, person_id=person.id, test=asker.test, limit=SHOWN_MAX
    )
    return {"items": [{"value": one.code, "state": str(one.state)} for one in found]}


def delivery(db: Connection, keys: Keys, need: Need, asker: Asker) -> Mapping[str, Any]:
    """One of the caller's own, by its code; empty for any other."""
    person = people.find(db, keys, asker.phone)
    found = None
    if person is not None:
        found = _own(db, person.id, need.argument, test=asker.test)
    if found is None:
        return dict.fromkeys(FACTS["delivery"], "")
    due = found.due_at.astimezone(ZoneInfo(asker.time_zone)).date()
    return {
        "delivery_code": found.code,
        "delivery_state": str(found.state),
        "delivery_due": jalali_day(due),
        "delivery_late": "yes" if found.is_late(asker.at) else "",
    }


def show_reason(db: Connection, keys: Keys, order: Order) -> Result:
    """Let a centre read why somebody asks; the books keep that it did."""
    person = people.remember(db, keys, order.phone, at=order.at)
    value = order.effect.answers["item"]
    told = _told_to(db, person.id, value, test=order.test)
    if told is None or not _reason(db, keys, told[0]):
        return {}
    found, member = told
    events.record(
        db,
        key=order.key,
        kind=REASON_SHOWN,
        body={"item": value, "staff": member.id},
        person_id=found.person_id,
        about_id=found.id,
        campaign=found.campaign,
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    return {}


def why(db: Connection, keys: Keys, need: Need, asker: Asker) -> Mapping[str, Any]:
    """Why somebody asks, for who is registered at the very centre it was said to, and
    asked for it a moment ago."""
    nothing = dict.fromkeys(FACTS["delivery_why"], "")
    person = people.find(db, keys, asker.phone)
    if person is None:
        return nothing
    told = _told_to(db, person.id, need.argument, test=asker.test)
    if told is None:
        return nothing
    found, member = told
    last = last_event(
        db,
        person_id=found.person_id,
        kinds=(REASON_SHOWN,),
        test=asker.test,
        since=asker.at - SHOWN_FOR,
    )
    if last is None or last[0] != {"item": need.argument, "staff": member.id}:
        return nothing
    said = _reason(db, keys, found)
    # As the key that says it: what it is called stands in the menus.
    return {"why": str(list(Reason).index(Reason(said)) + 1) if said else ""}


def tell_citizen(
    db: Connection, menus: Menus | None, done: Done, template: str, *, at: datetime
) -> None:
    """Tell who asked what became of it, in the transaction of the fact, once."""
    if done.recorded is None or not done.recorded.first:
        return
    of = done.before
    campaign = None if menus is None else menus.campaigns.get(of.campaign)
    slots: dict[str, str | int] = {"code": of.code}
    if template == CLOSED:
        slots["contact"] = "" if campaign is None else campaign.contact
    promise_text(
        db,
        menus,
        template=template,
        event_id=done.recorded.event_id,
        person_id=of.person_id,
        campaign=of.campaign,
        slots=slots,
        test=of.test,
        at=at,
    )


def _placed(order: Order) -> Placed:
    """Where a citizen said they are: at a centre, in a district, or nowhere known."""
    answers, tree = order.effect.answers, order.places
    if answers.get("kb_where") == "centre":
        found = tree.by_dial(answers.get("centre_code", "")).place
        return NOWHERE if found is None else placed_at(tree, found.code)
    if answers.get("kb_where") == "district":
        return placed_at(tree, DISTRICT.format(number=answers.get("kb_district")))
    return NOWHERE


def _queue(placed: Placed, partner: str) -> str:
    if placed.centre is not None:
        return placed.centre
    if partner:
        return f"{PARTNER}{partner}"
    return placed.district or OPERATOR


def _keep_reason(
    db: Connection, keys: Keys, order: Order, person_id: int, centre: str | None
) -> None:
    """Keep why, for the centre; nothing in a rehearsal, where anybody is anybody."""
    said = order.effect.answers.get("kb_reason", "")
    reasons = list(Reason)
    if centre is None or order.test or not said.isdecimal():
        return
    if 1 <= int(said) <= len(reasons):
        sensitive.keep(
            db,
            keys,
            person_id=person_id,
            what=sensitive.What.DELIVERY,
            answer=reasons[int(said) - 1],
            centre=centre,
            menus=order.menus.hash,
            at=order.at,
        )


def _who(db: Connection, order: Order, person_id: int, found: Delivery) -> str | None:
    """Who says that it was brought: its citizen, or somebody of the centre whose turn
    it is; None for anybody else."""
    if found.person_id == person_id:
        return "self"
    for member in staff.roles_of(db, person_id=person_id, test=order.test):
        covers = order.places.is_in(found.queue, member.place)
        if _is_of(member, found.queue) or (member.role is Role.CENTRE and covers):
            return f"staff:{member.id}"
    return None


def _told_to(
    db: Connection, person_id: int, value: str, *, test: bool
) -> tuple[Delivery, Member] | None:
    """The request that an item of a desk stands for, if it waits at the very centre
    that this person is registered for."""
    queue, _, number = value.partition(".")
    if queue != QUEUE_NAME or not _is_id(number):
        return None
    found = deliveries.find(db, delivery_id=int(number))
    if found is None or found.test != test or found.state not in LIVE:
        return None
    for member in staff.roles_of(db, person_id=person_id, test=test):
        if _is_of(member, found.queue):
            return found, member
    return None


def _reason(db: Connection, keys: Keys, found: Delivery) -> str | None:
    return sensitive.answer_of(
        db,
        keys,
        person_id=found.person_id,
        what=sensitive.What.DELIVERY,
        centre=found.queue,
    )


def _is_id(number: str) -> bool:
    return number.isascii() and number.isdecimal() and len(number) <= DIGITS_MAX


def _is_of(member: Member, centre: str) -> bool:
    return member.role is Role.CENTRE and member.place == centre


def _own(db: Connection, person_id: int, code: str, *, test: bool) -> Delivery | None:
    found = deliveries.with_code(db, code=code, test=test)
    return found if found is not None and found.person_id == person_id else None


def _came_to(db: Connection, order: Order, done: Done | None, template: str) -> Result:
    if done is None:
        return {"outcome": "unknown"}
    if template:
        tell_citizen(db, order.menus, done, template, at=order.at)
    return {} if done.outcome is Outcome.DONE else {"outcome": str(done.outcome)}
