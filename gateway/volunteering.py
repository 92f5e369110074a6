"""Volunteers' own deeds: signing up, other answers, leaving, coming back.

Each is done once per key. What is asked of the ledger about a caller's own sign-up is
here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gateway import groups, renumbering
from gateway.living import booth_of, living, placed_at
from gateway.orders import Order, tell
from ledger import entries, people, signup_changes, signups
from ledger.engine import Connection
from ledger.signup_changes import Changed
from ledger.signups import Mine, Said
from ledger.vault import Keys
from ussd.facts import FACTS
from ussd.machine import Need

if TYPE_CHECKING:
    from gateway.facts import Asker

__all__ = ["change_sign_up", "come_back", "fetch_signup", "leave", "said", "sign_up"]


def sign_up(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Sign a volunteer up, once; a second time finds the first.

    The round is that of this moment: who began before it closed is in none, and is
    signed up all the same.
    """
    answers, person = order.effect.answers, _person(db, keys, order)
    living_at = living(order.places, answers)
    signed = signups.sign_up(
        db,
        keys,
        key=order.key,
        person_id=person.id,
        is_new=person.is_new,
        campaign=order.campaign.id,
        place_kind=living_at.kind,
        place=living_at.place,
        province=living_at.province,
        district=living_at.district,
        skill=answers["skill"],
        time=answers["time"],
        consent=order.menus.hash,
        placed=living_at.placed,
        round_id=order.campaign.round_id(order.at),
        booth=booth_of(order.places, answers.get("booth") or answers.get("stand")),
        name=answers.get("name"),
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    template = "sms.vol.again" if signed.already else "sms.vol"
    tell(db, order, signed.recorded, person.id, template, {"code": signed.code})
    outcome = {"outcome": "already"} if signed.already else {}
    return {"code": signed.code, **outcome}


def change_sign_up(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Give other answers to the caller's sign-up, if it stands."""
    answers, person = order.effect.answers, _person(db, keys, order)
    done = signup_changes.change(
        db,
        keys,
        key=order.key,
        person_id=person.id,
        campaign=order.campaign.id,
        said=said(order, answers),
        placed=living(order.places, answers).placed,
        booth=None,
        name=answers.get("name"),
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    groups.leave_centre(db, order, person.id)
    return _told(done)


def leave(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Take the caller out of the volunteers."""
    person = _person(db, keys, order)
    done = signup_changes.leave(
        db,
        key=order.key,
        person_id=person.id,
        campaign=order.campaign.id,
        placed=_placed(db, order, person.id),
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    groups.leave_centre(db, order, person.id)
    if done.recorded is not None:
        tell(db, order, done.recorded, person.id, "sms.vol.left", {})
    return _told(done)


def come_back(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Take the caller in again, as they were."""
    person = _person(db, keys, order)
    done = signup_changes.come_back(
        db,
        key=order.key,
        person_id=person.id,
        campaign=order.campaign.id,
        consent=order.menus.hash,
        placed=_placed(db, order, person.id),
        round_id=order.campaign.round_id(order.at),
        channel=order.channel,
        test=order.test,
        at=order.at,
    )
    if done.recorded is not None:
        tell(db, order, done.recorded, person.id, "sms.vol", {"code": done.code})
    return _told(done)


def said(order: Order, answers: Mapping[str, str]) -> Said:
    """What a conversation answered, as a sign-up keeps it."""
    at = living(order.places, answers)
    return Said(
        place_kind=at.kind,
        place=at.place,
        province=at.province,
        district=at.district,
        skill=answers["skill"],
        time=answers["time"],
        consent=order.menus.hash,
    )


def fetch_signup(
    db: Connection, keys: Keys, need: Need, asker: Asker
) -> Mapping[str, Any]:
    """The caller's sign-up, and what waits for this phone to agree to it."""
    facts: dict[str, Any] = dict.fromkeys(FACTS["signup"], "")
    facts["number_state"] = renumbering.state_for(
        db, keys, asker.phone, asker.test, asker.at
    )
    person = people.find(db, keys, asker.phone)
    if person is None:
        return facts
    campaign, test = asker.campaign, asker.test
    mine = signups.signup_of(db, person_id=person.id, campaign=campaign, test=test)
    if mine is None:
        entry = entries.waiting_for(
            db, person_id=person.id, campaign=campaign, test=test
        )
        if entry is not None and entry.expires_at > asker.at:
            facts["entry_state"] = "waiting"
        return facts
    return facts | _shown(mine, signups.name_of(db, keys, event_id=mine.event_id))


def _shown(mine: Mine, name: str) -> dict[str, str]:
    return {
        "mine_state": str(mine.state),
        "mine_code": mine.code,
        "mine_kind": mine.place_kind,
        "mine_place": mine.place or "",
        "mine_skill": mine.skill,
        "mine_time": mine.time,
        "mine_name": name,
    }


def _person(db: Connection, keys: Keys, order: Order) -> people.Person:
    return people.remember(db, keys, order.phone, at=order.at)


def _placed(db: Connection, order: Order, person_id: int) -> signups.Placed:
    """Where the sign-up stands that is left or come back to."""
    mine = signups.signup_of(
        db, person_id=person_id, campaign=order.campaign.id, test=order.test
    )
    return placed_at(order.places, None if mine is None else mine.place_code)


def _told(done: Changed) -> dict[str, str]:
    if not done.done:
        return {"outcome": "none"}
    return {"code": done.code}
