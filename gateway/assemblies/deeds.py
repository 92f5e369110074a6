"""The deeds of benefactors, of offices and of secretaries, one order each.

Who may not is told so by an outcome, and nothing is recorded. What an office says is
kept as its claim; only a secretary of that district, or an operator, makes it true.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.assemblies import telling
from gateway.assemblies.facts import NEXT, decision_named, next_of
from gateway.assemblies.roles import answers_for, office_of
from gateway.orders import Order
from ledger import people
from ledger.assemblies import benefactors, claims, invitations
from ledger.assemblies import premises as rooms
from ledger.assemblies.benefactors import Said
from ledger.assemblies.claims import Claim, Outcome, Settled
from ledger.assemblies.districts import code_of
from ledger.assemblies.limits import Wrong
from ledger.engine import Connection, NothingRecorded
from ledger.events import find
from ledger.people import Person
from ledger.vault import Keys

__all__ = [
    "attend_meeting",
    "claim_decision",
    "close_premises",
    "join_assembly",
    "leave_assembly",
    "match_premises",
    "register_premises",
    "settle_decision",
]

Result = dict[str, str]


def join_assembly(db: Connection, keys: Keys, order: Order) -> Result:
    """Put the caller into a district's register, or change what stands there."""
    said = order.effect.answers
    with _within_limits():
        benefactors.join(
            db,
            keys,
            key=order.key,
            person_id=_person(db, keys, order).id,
            district=code_of(int(said["ben_district"])),
            said=Said(
                benefactors.Kind(said["ben_kind"]),
                said["capacity"],
                int(said["ben_amount"]),
                int(said["ben_covers"]),
            ),
            name=said.get("ben_name") or None,
            channel=order.channel,
            test=order.test,
            at=order.at,
        )
    return {}


def leave_assembly(db: Connection, keys: Keys, order: Order) -> Result:
    """Take the caller out of the register of the district they joined last."""
    person = _person(db, keys, order)
    if _is_done(db, order):
        return {}
    mine = benefactors.benefactors_of(db, person_id=person.id, test=order.test)
    if not mine:
        return {"outcome": "none"}
    benefactors.leave(
        db,
        key=order.key,
        person_id=person.id,
        district=mine[0].district,
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    return {}


def register_premises(db: Connection, keys: Keys, order: Order) -> Result:
    """Write down premises that the caller offers or asks for."""
    said = order.effect.answers
    with _within_limits():
        made = rooms.register(
            db,
            key=order.key,
            person_id=_person(db, keys, order).id,
            district=code_of(int(said["ben_district"])),
            side=rooms.Side(said["premises_side"]),
            kind=said["premises_kind"],
            square_metres=int(said["square_metres"]),
            channel=order.channel,
            test=order.test,
            at=order.at,
        )
    return {"outcome": "many"} if made is None else {}


def close_premises(db: Connection, keys: Keys, order: Order) -> Result:
    """Take back an offer or a need of the caller's own."""
    closed = rooms.close(
        db,
        key=order.key,
        premises_id=int(order.effect.answers["premises"]),
        person_id=_person(db, keys, order).id,
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    return {"outcome": "none"} if closed is None else {}


def match_premises(db: Connection, keys: Keys, order: Order) -> Result:
    """Bring an offer and a need of the secretary's own district together."""
    person = _person(db, keys, order)
    if _is_done(db, order):
        return {}
    offer_id, _, need_id = order.effect.answers["match"].partition("-")
    # Looked at again under a lock: another secretary may have been first.
    need = rooms.find(db, int(need_id))
    if need is None or need.test is not order.test:
        return {"outcome": "none"}
    office = office_of(db, person_id=person.id, district=need.district, test=order.test)
    if office is None:
        return {"outcome": "none"}
    try:
        matched = rooms.match(
            db,
            key=order.key,
            offer_id=int(offer_id),
            need_id=int(need_id),
            by=office,
            channel=order.channel,
            at=order.at,
        )
    except Wrong:
        return {"outcome": "none"}
    telling.tell_match(db, order.menus, matched, channel=order.channel, at=order.at)
    return {}


def attend_meeting(db: Connection, keys: Keys, order: Order) -> Result:
    """Note whether the caller comes to a meeting."""
    said = order.effect.answers
    person = _person(db, keys, order)
    if _is_done(db, order):
        return {}
    meeting_id = _meeting_id(db, order, person)
    if meeting_id is None:
        return {"outcome": "not_yours"}
    done = invitations.answer(
        db,
        key=order.key,
        meeting_id=meeting_id,
        person_id=person.id,
        said=invitations.Answer(said["attending"]),
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    noted = done.outcome is invitations.Outcome.NOTED
    return {} if noted else {"outcome": str(done.outcome)}


def claim_decision(db: Connection, keys: Keys, order: Order) -> Result:
    """Keep what the caller's office says of its decision."""
    said = order.effect.answers
    found = decision_named(db, said["decision"], test=order.test)
    person = _person(db, keys, order)
    if found is None or not answers_for(
        db, person_id=person.id, district=found.district, test=order.test
    ):
        return {"outcome": "not_yours"}
    return _told(
        claims.claim(
            db,
            key=order.key,
            decision=found,
            person_id=person.id,
            said=Claim(said["claim"]),
            channel=order.channel,
            at=order.at,
        )
    )


def settle_decision(db: Connection, keys: Keys, order: Order) -> Result:
    """Confirm that a decision is done, or take its office's claim for not yet true."""
    said = order.effect.answers
    found = decision_named(db, said["decision"], test=order.test)
    person = _person(db, keys, order)
    if found is None:
        return {"outcome": "not_yours"}
    office = office_of(
        db, person_id=person.id, district=found.district, test=order.test
    )
    if office is None:
        return {"outcome": "not_yours"}
    is_done = said["settle"] == "done"
    act = claims.confirm if is_done else claims.send_back
    settled = act(
        db,
        key=order.key,
        decision=found,
        by=office,
        person_id=person.id,
        channel=order.channel,
        at=order.at,
    )
    if is_done and settled.recorded is not None and settled.recorded.first:
        telling.tell_done(db, order.menus, found, channel=order.channel, at=order.at)
    return _told(settled)


@contextmanager
def _within_limits() -> Iterator[None]:
    """Menus that ask for more than the registers take: nothing is recorded."""
    try:
        yield
    except Wrong as refused:
        raise NothingRecorded(str(refused)) from None


def _told(settled: Settled) -> Result:
    noted = settled.outcome is Outcome.NOTED
    return {} if noted else {"outcome": str(settled.outcome)}


def _person(db: Connection, keys: Keys, order: Order) -> Person:
    return people.remember(db, keys, order.phone, at=order.at)


def _meeting_id(db: Connection, order: Order, person: Person) -> int | None:
    named = order.effect.answers["meeting"]
    if named != NEXT:
        return int(named)
    ahead = next_of(db, person_id=person.id, test=order.test, at=order.at)
    return None if ahead is None else ahead.event_id


def _is_done(db: Connection, order: Order) -> bool:
    """Whether this order was carried out before: then what it finds is another."""
    return find(db, key=order.key) is not None
