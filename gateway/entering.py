"""What a helper writes down for somebody else, and what that phone says to it.

What the helper reads is the same whoever the phone is; the text never says who wrote it
down. Nothing counts until the phone itself agrees, by text or by dialling.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from gateway.apart import Apart
from gateway.living import booth_of, living
from gateway.orders import Order, note, tell
from gateway.pushing import ask_person
from gateway.volunteering import said
from ledger import (
    entries,
    entries_over,
    erasing,
    events,
    people,
    questions,
    signups,
    staff,
    stops,
)
from ledger.engine import Connection, reading, writing
from ledger.entries import Answers, Entry, EntryState
from ledger.signups import Where
from ledger.staff import Role
from ledger.vault import Keys, look_up
from ussd.menus import Menus

if TYPE_CHECKING:
    from gateway.service import Service

__all__ = [
    "ANYBODY_A_DAY_MAX",
    "ASKED_A_MINUTE_MAX",
    "HELPER_A_DAY_MAX",
    "confirm_entry",
    "enter_for",
    "refuse_entry",
    "sweep_entries",
]

# Phones that one person writes down in a day: a registered helper, and anybody.
HELPER_A_DAY_MAX = 200
ANYBODY_A_DAY_MAX = 10
_DAY = timedelta(days=1)
# Questions that leave in a minute: a list of thousands must not fill the line.
ASKED_A_MINUTE_MAX = 60
SWEPT_MAX = 100
# Who said no, or nothing, is forgotten then, if nothing else is known of them.
FORGOTTEN_AFTER = timedelta(days=1)
CHANNEL = "desk"
BY = "entries"

log = structlog.get_logger()


def enter_for(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Write another phone down, unless it wants none of that or is signed up."""
    helper = people.remember(db, keys, order.phone, at=order.at)
    before = events.find(db, key=order.key)
    if before is not None:
        return {}
    phone = order.effect.answers["other_phone"]
    if phone == order.phone:
        return {"outcome": "own"}
    made = entries.made_since(db, by_id=helper.id, since=order.at - _DAY)
    if made >= _day_max(db, helper.id, order.test):
        return {"outcome": "many"}
    if _wants_none(db, look_up(keys, phone), order.test):
        _nothing(db, order, helper.id)
        return {}
    person = people.remember(db, keys, phone, at=order.at, alone=True)
    is_signed_up = signups.signup_of(
        db, person_id=person.id, campaign=order.campaign.id, test=order.test
    )
    if is_signed_up or _waiting(db, order, person.id):
        _nothing(db, order, helper.id)
        return {}
    answers = order.effect.answers
    place = living(order.places, answers).placed
    booth = booth_of(order.places, answers.get("booth"))
    entries.enter(
        db,
        keys,
        key=order.key,
        person_id=person.id,
        by_id=helper.id,
        campaign=order.campaign.id,
        answers=Answers(
            said(order, answers), place, Where(place.place_code, None, booth)
        ),
        source="helper",
        place=booth or place.centre,
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    return {}


def confirm_entry(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Sign up whoever was written down and says yes: with the consent of now."""
    person = people.remember(db, keys, order.phone, at=order.at, alone=True)
    before = events.find(db, key=f"{order.key}:signup")
    if before is not None:
        again = {"outcome": "already"} if before.kind == signups.AGAIN else {}
        return {"code": before.code or str(before.body.get("code", "")), **again}
    entry = _waiting(db, order, person.id)
    if entry is None or entry.expires_at <= order.at:
        return _none(db, order, person.id)
    answers = entries.answers_of(db, keys, entry)
    signed = signups.sign_up(
        db,
        keys,
        key=f"{order.key}:signup",
        person_id=person.id,
        campaign=entry.campaign,
        place_kind=answers.said.place_kind,
        place=answers.said.place,
        province=answers.said.province,
        district=answers.said.district,
        skill=answers.said.skill,
        time=answers.said.time,
        consent=order.menus.hash,
        placed=answers.placed,
        round_id=order.campaign.round_id(order.at),
        booth=answers.where.booth,
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    entries.end(
        db,
        key=order.key,
        entry=entry,
        state=EntryState.CONFIRMED,
        by_id=person.id,
        signed=signed,
        channel=order.channel,
        at=order.at,
    )
    entries_over.empty(db, event_id=entry.event_id)
    template = "sms.vol.again" if signed.already else "sms.vol"
    tell(db, order, signed.recorded, person.id, template, {"code": signed.code})
    outcome = {"outcome": "already"} if signed.already else {}
    return {"code": signed.code, **outcome}


def refuse_entry(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Keep that the phone said no; it is not written down by anybody again."""
    person = people.remember(db, keys, order.phone, at=order.at, alone=True)
    if events.find(db, key=order.key) is not None:
        return {}
    entry = _waiting(db, order, person.id)
    if entry is None:
        return _none(db, order, person.id)
    entries.end(
        db,
        key=order.key,
        entry=entry,
        state=EntryState.REFUSED,
        by_id=person.id,
        channel=order.channel,
        at=order.at,
    )
    stops.stop(
        db,
        key=f"{order.key}:stop",
        look_up=look_up(keys, order.phone),
        line=stops.ENTRIES,
        person_id=person.id,
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    return {}


def sweep_entries(service: Service, menus: Menus, apart: Apart, at: datetime) -> None:
    """Ask the phones that were written down, a few a minute; close what is over."""
    with reading(service.engine) as db:
        asked = entries.asked_since(db, since=at - timedelta(minutes=1))
        waiting = entries.due(
            db,
            campaigns=menus.campaigns,
            limit=max(0, ASKED_A_MINUTE_MAX - asked),
        )
        over = entries.over(db, at=at, limit=SWEPT_MAX)
        old = entries_over.old(db, before=at - FORGOTTEN_AFTER, limit=SWEPT_MAX)
    for entry in waiting:
        with apart("entry", entry.event_id), writing(service.engine) as db:
            _ask(db, service.keys, menus, entry, at)
    for entry in over:
        with apart("entry", entry.event_id), writing(service.engine) as db:
            _close(db, entry, EntryState.EXPIRED, at)
    for entry in old:
        with apart("entry", entry.event_id), writing(service.engine) as db:
            _forget(db, service.keys, entry, at)


def _ask(db: Connection, keys: Keys, menus: Menus, entry: Entry, at: datetime) -> None:
    """Ask a phone, unless it wants none of that, or needs none, since it was written
    down."""
    campaign = menus.campaigns[entry.campaign]
    person = people.hold(db, person_id=entry.person_id)
    hashed = questions.look_up_of(db, person_id=entry.person_id)
    if person is None or hashed is None:
        return
    if _wants_none(db, hashed, entry.test):
        _close(db, entry, EntryState.REFUSED, at)
        return
    if signups.signup_of(
        db, person_id=person.id, campaign=entry.campaign, test=entry.test
    ):
        _close(db, entry, EntryState.EXPIRED, at)
        return
    event_id = entries.begin(db, entry=entry, channel=CHANNEL, at=at)
    if event_id is None:
        return
    language = person.language or menus.languages[0]
    ask_person(
        db,
        keys,
        menus,
        person_id=entry.person_id,
        event_id=event_id,
        template="sms.entry",
        slots={"recipient": campaign.recipient.get(language, "")},
        screen="entry.mine",
        answers={},
        campaign=entry.campaign,
        test=entry.test,
        at=at,
        expires_at=at + entries.ENTRY_TIME,
    )


def _close(db: Connection, entry: Entry, state: EntryState, at: datetime) -> None:
    entries.end(
        db,
        key=f"entry:{entry.event_id}:expired",
        entry=entry,
        state=state,
        by_id=None,
        channel=CHANNEL,
        at=at,
    )


def _forget(db: Connection, keys: Keys, entry: Entry, at: datetime) -> None:
    # The person before the entry, as whoever erases them locks them.
    is_all = entries_over.is_all(db, person_id=entry.person_id)
    entries_over.empty(db, event_id=entry.event_id)
    if is_all:
        erasing.erase(
            db,
            keys,
            person_id=entry.person_id,
            key=f"entry:{entry.event_id}:forgotten",
            channel=CHANNEL,
            by=BY,
            test=entry.test,
            at=at,
        )


def _day_max(db: Connection, person_id: int, test: bool) -> int:
    roles = staff.roles_of(db, person_id=person_id, test=test)
    helps = any(one.role in (Role.HELPER, Role.CENTRE) for one in roles)
    return HELPER_A_DAY_MAX if helps else ANYBODY_A_DAY_MAX


def _wants_none(db: Connection, hashed: bytes, test: bool) -> bool:
    """Whether a phone refused to be written down, or texts of any line."""
    found = stops.stopped(db, [hashed])
    return any(stops.is_rehearsed(line) == test for _, line in found)


def _waiting(db: Connection, order: Order, person_id: int) -> Entry | None:
    return entries.waiting_for(
        db, person_id=person_id, campaign=order.campaign.id, test=order.test
    )


def _nothing(db: Connection, order: Order, helper_id: int) -> None:
    events.record(
        db,
        key=order.key,
        kind=entries.NOTHING,
        body={"campaign": order.campaign.id},
        person_id=helper_id,
        campaign=order.campaign.id,
        channel=order.channel,
        test=order.test,
        at=order.at,
    )


def _none(db: Connection, order: Order, person_id: int) -> dict[str, str]:
    """Nothing waits for this phone any more; the answer to a repeat stays so."""
    note(db, order, person_id, {"outcome": "none"})
    return {"outcome": "none"}
