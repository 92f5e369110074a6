"""What screens say of hours: one bounded read for each group of facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.timebank.whereabouts import said
from ledger import people
from ledger.engine import Connection
from ledger.timebank import favours, hours, introductions
from ledger.timebank.introductions import Introduction
from ledger.timebank.standing import HOUR, standing_of
from ledger.vault import Keys
from ussd.facts import FACTS
from ussd.machine import Need

if TYPE_CHECKING:
    from gateway.facts import Asker

__all__ = ["balance", "favour_of", "favours_of", "helping", "one", "told", "told_of"]

SHOWN_STATES = ("asked", "accepted", "introduced")
WAITING = ("told", "disputed")

Facts = dict[str, Any]


def balance(db: Connection, keys: Keys, need: Need, asker: Asker) -> Facts:
    """What the caller gave and received in hours; and where they are, if known."""
    person = people.find(db, keys, asker.phone)
    none = {**dict.fromkeys(FACTS["hours"], 0), "tb_below": "", "tb_place": ""}
    if person is None:
        return none
    own = standing_of(db, person_id=person.id, test=asker.test)
    place = favours.place_of(db, person_id=person.id, test=asker.test)
    return {
        "tb_given": own.given // HOUR,
        "tb_got": own.received // HOUR,
        "tb_balance": abs(own.balance) // HOUR,
        "tb_below": "yes" if own.balance < 0 else "",
        "tb_waiting": own.waiting // HOUR,
        "tb_place": "known" if asker.places.place(place) else "",
    }


def helping(db: Connection, keys: Keys, need: Need, asker: Asker) -> Facts:
    """What the caller is asked to do for somebody, or has said yes to."""
    return {
        "items": [
            {"value": str(one.id), "purpose": one.kind, "count": one.minutes // HOUR}
            for one in _introductions(db, keys, asker, *SHOWN_STATES)
            if one.giver_id == _person(db, keys, asker)
        ]
    }


def one(db: Connection, keys: Keys, need: Need, asker: Asker) -> Facts:
    """The introduction of that number, if the caller is the one who gives."""
    own = _person(db, keys, asker)
    number = int(need.argument) if need.argument.isdecimal() else 0
    found = introductions.by_id(db, number) if own is not None and number else None
    if found is None or (found.giver_id, found.test) != (own, asker.test):
        return _nothing("helping")
    state = found.state if found.state in SHOWN_STATES else ""
    return {
        "helping_state": "asked" if state == "asked" else "agreed" if state else "",
        "helping_kind": found.kind,
        "helping_hours": found.minutes // HOUR,
        "helping_where": said(asker.places, found.place, asker.language),
    }


def told_of(db: Connection, keys: Keys, need: Need, asker: Asker) -> Facts:
    """The hours that wait for the caller's word, by their codes."""
    own = _person(db, keys, asker)
    return {
        "items": [
            {
                "value": hours.code_of(db, one),
                "purpose": one.kind,
                "count": one.minutes // HOUR,
            }
            for one in _introductions(db, keys, asker, *WAITING)
            if one.receiver_id == own
        ]
    }


def told(db: Connection, keys: Keys, need: Need, asker: Asker) -> Facts:
    """The hours of that code, if the caller is the one who received them."""
    own = _person(db, keys, asker)
    found = hours.introduction_of(db, need.argument) if own is not None else None
    if found is None or (found.receiver_id, found.test) != (own, asker.test):
        return _nothing("told")
    states = {"confirmed": "confirmed", **dict.fromkeys(WAITING, "waits")}
    return {
        "told_state": states.get(found.state, "void"),
        "told_kind": found.kind,
        "told_count": found.minutes // HOUR,
    }


def favours_of(db: Connection, keys: Keys, need: Need, asker: Asker) -> Facts:
    """What the caller offers and needs, by the codes."""
    own = _person(db, keys, asker)
    if own is None:
        return {"items": []}
    return {
        "items": [
            {
                "value": one.code,
                "state": one.side,
                "purpose": one.kind,
                "count": one.minutes // HOUR,
            }
            for one in favours.of_person(db, person_id=own, test=asker.test)
        ]
    }


def favour_of(db: Connection, keys: Keys, need: Need, asker: Asker) -> Facts:
    """The caller's own offer or need of that code."""
    own = _person(db, keys, asker)
    found = favours.by_code(db, need.argument) if own is not None else None
    if found is None or (found.person_id, found.test) != (own, asker.test):
        return _nothing("favour")
    is_live = found.state in ("open", "matched")
    return {
        "own_state": found.state if is_live else "",
        "own_kind": found.kind,
        "own_hours": found.minutes // HOUR,
    }


def _introductions(
    db: Connection, keys: Keys, asker: Asker, *states: str
) -> list[Introduction]:
    own = _person(db, keys, asker)
    if own is None:
        return []
    return introductions.of_person(db, *states, person_id=own, test=asker.test)


def _person(db: Connection, keys: Keys, asker: Asker) -> int | None:
    person = people.find(db, keys, asker.phone)
    return person.id if person is not None else None


def _nothing(group: str) -> Facts:
    """Nothing of that name, or of somebody else: the two look alike."""
    return {name: 0 if name.endswith(_COUNTS) else "" for name in FACTS[group]}


_COUNTS = ("_hours", "_count")
