"""A new number by phone: asked for on the old one, agreed to on the new one.

Who asks reads the same whoever has that number. The old phone is told at once, and the
move is done some minutes after the new phone agreed, when its own texts have left.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from gateway.apart import Apart
from gateway.orders import Order, note
from gateway.pushing import ask_person
from gateway.receipts import promise_text
from ledger import erasing, events, people, renumbering, stops
from ledger.engine import Connection, reading, writing
from ledger.renumbering import PHONES, NotMoved, Renumbering, State
from ledger.vault import Keys, look_up

if TYPE_CHECKING:
    from gateway.approvals import Doing
    from gateway.service import Service
    from ussd.menus import Menus

__all__ = [
    "ASKED_A_DAY_MAX",
    "MOVED_AFTER",
    "change_number",
    "move_agreed",
    "refuse_number",
    "state_for",
    "sweep_numbers",
    "take_number",
]

ASKED_A_DAY_MAX = 3
# The reply to the new phone leaves as somebody's who is then forgotten.
MOVED_AFTER = timedelta(minutes=10)
SWEPT_MAX = 50
CHANNEL = "desk"
BY = "phones"

log = structlog.get_logger()


def state_for(db: Connection, keys: Keys, phone: str, test: bool, at: datetime) -> str:
    """Whether this phone is waited for: "waiting", or nothing."""
    hashed = look_up(keys, phone)
    found = renumbering.waiting_for(db, look_up=hashed, test=test, at=at)
    return "" if found is None else "waiting"


def change_number(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Ask a new number to agree to what its owner asks for on the old phone."""
    person = people.remember(db, keys, order.phone, at=order.at, alone=True)
    if events.find(db, key=order.key) is not None:
        return {}
    phone = order.effect.answers["other_phone"]
    if phone == order.phone:
        return {"outcome": "own"}
    since = order.at - timedelta(days=1)
    if (
        events.count_since(db, person_id=person.id, kind=renumbering.ASKED, since=since)
        >= ASKED_A_DAY_MAX
    ):
        return {"outcome": "many"}
    asked = _noted(db, order, person.id, order.key, renumbering.ASKED)
    promise_text(
        db,
        order.menus,
        template="sms.number.asked",
        event_id=asked,
        person_id=person.id,
        campaign=order.campaign.id,
        slots={"contact": order.campaign.contact},
        test=order.test,
        at=order.at,
    )
    there = people.remember(db, keys, phone, at=order.at)
    stopped = stops.wants_none(db, person_id=there.id, test=order.test)
    if stopped or renumbering.has_facts(db, person_id=there.id):
        return {}
    other = renumbering.waiting_for(
        db, look_up=look_up(keys, phone), test=order.test, at=order.at
    )
    if other is not None and other.person_id != person.id:
        # A yes would be to one of two: the first of them is answered first.
        return {}
    renumbering.ask(
        db,
        keys,
        person_id=person.id,
        phone=phone,
        way=PHONES,
        by=None,
        test=order.test,
        at=order.at,
    )
    ask_person(
        db,
        keys,
        order.menus,
        person_id=there.id,
        event_id=_noted(db, order, there.id, f"{order.key}:new", renumbering.OFFERED),
        template="sms.number",
        slots={"ends": order.phone[-4:]},
        screen="number.mine",
        answers={},
        campaign=order.campaign.id,
        test=order.test,
        at=order.at,
        expires_at=order.at + renumbering.RENUMBER_TIME,
    )
    return {}


def take_number(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Agree on the new phone. The move itself follows: see `sweep_numbers`."""
    person = people.remember(db, keys, order.phone, at=order.at)
    before = events.find(db, key=order.key)
    if before is not None:
        return _outcome(before.body.get("outcome", ""))
    change = renumbering.waiting_for(
        db, look_up=look_up(keys, order.phone), test=order.test, at=order.at
    )
    outcome = ""
    if change is None:
        outcome = "none"
    elif renumbering.has_facts(db, person_id=person.id):
        outcome = "known"
    elif not renumbering.agree(db, renumbering_id=change.id, at=order.at):
        outcome = "none"
    note(db, order, person.id, {"outcome": outcome} if outcome else {})
    return _outcome(outcome)


def refuse_number(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Say no on the new phone, also after a yes: nothing is moved."""
    person = people.remember(db, keys, order.phone, at=order.at)
    change = renumbering.open_for(
        db, look_up=look_up(keys, order.phone), test=order.test
    )
    if change is not None:
        renumbering.refuse(
            db, renumbering_id=change.id, state=State.REFUSED, at=order.at
        )
    note(db, order, person.id, {})
    return {}


def sweep_numbers(service: Service, menus: Menus, apart: Apart, at: datetime) -> None:
    """Move what both phones agreed to, and close what nobody answered."""
    with reading(service.engine) as db:
        ready = renumbering.agreed(db, before=at - MOVED_AFTER, limit=SWEPT_MAX)
        over = renumbering.over(db, at=at, limit=SWEPT_MAX)
    for change in ready:
        with apart("number", change.id):
            try:
                with writing(service.engine) as db:
                    _move(db, service.keys, menus, change, BY, at)
            except NotMoved as refused:
                log.warning("number_not_moved", id=change.id, why=str(refused))
                _close(service, change, State.REFUSED, at)
    for change in over:
        with apart("number", change.id):
            _close(service, change, State.EXPIRED, at)


def move_agreed(db: Connection, doing: Doing) -> int:
    """Move a number that people at a centre agreed to: the act of a request."""
    from gateway.agreed import menus_of
    from ledger.requests import Refused

    change = renumbering.find(db, int(doing.request.body["renumbering"]))
    if change is None:
        raise Refused("there is no such change of a number")
    try:
        return _move(
            db,
            doing.service.keys,
            menus_of(doing),
            change,
            doing.request.made_by,
            doing.at,
        )
    except NotMoved as refused:
        raise Refused(str(refused)) from None


def _move(
    db: Connection,
    keys: Keys,
    menus: Menus | None,
    change: Renumbering,
    by: str,
    at: datetime,
) -> int:
    event_id = renumbering.move(
        db,
        keys,
        key=f"number:{change.id}",
        change=change,
        by=by,
        channel=CHANNEL,
        at=at,
    )
    promise_text(
        db,
        menus,
        template="sms.number.done",
        event_id=event_id,
        person_id=change.person_id,
        campaign=None,
        slots={},
        test=change.test,
        at=at,
    )
    return event_id


def _close(service: Service, change: Renumbering, state: State, at: datetime) -> None:
    with writing(service.engine) as db:
        if state is State.EXPIRED:
            _forget_stranger(db, service.keys, change, at)
        renumbering.refuse(db, renumbering_id=change.id, state=state, at=at)


def _forget_stranger(
    db: Connection, keys: Keys, change: Renumbering, at: datetime
) -> None:
    """Forget a phone that somebody typed, and that never answered."""
    phone = renumbering.phone_of(db, keys, change)
    there = None if phone is None else people.find(db, keys, phone)
    if phone is None or there is None:
        return
    there = people.remember(db, keys, phone, at=at, alone=True)
    if renumbering.is_all(db, person_id=there.id):
        erasing.erase(
            db,
            keys,
            person_id=there.id,
            key=f"number:{change.id}:forgotten",
            channel=CHANNEL,
            by=BY,
            test=change.test,
            at=at,
        )


def _noted(db: Connection, order: Order, person_id: int, key: str, kind: str) -> int:
    return events.record(
        db,
        key=key,
        kind=kind,
        body={},
        person_id=person_id,
        channel=order.channel,
        test=order.test,
        at=order.at,
    ).event_id


def _outcome(outcome: object) -> dict[str, str]:
    return {"outcome": str(outcome)} if outcome else {}
