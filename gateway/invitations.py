"""Invitations as those who are invited meet them: what they are shown, and answer.

A text asks, and its answer walks the same screen that a call comes to; both do the same
deed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gateway.orders import Order, tell
from ledger import invitations, inviting, needs, people
from ledger.engine import Connection
from ledger.inviting import Answered, Outcome
from ledger.needs import Need
from ledger.places.tree import Tree
from ledger.vault import Keys
from phone.dates import jalali
from ussd.facts import FACTS
from ussd.machine import Need as Asked

if TYPE_CHECKING:
    from gateway.facts import Asker

__all__ = ["accept", "decline", "invite", "invites", "meeting", "place_called"]

# A text of one part has no room for more; a place with a longer name is its number.
PLACE_CHARS_MAX = 20
ID_DIGITS_MAX = 18


def accept(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Come, if there is room; the text says where and when, or that there is none."""
    return _answer(db, keys, order, yes=True)


def decline(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Not come, also after having said yes."""
    return _answer(db, keys, order, yes=False)


def invites(db: Connection, keys: Keys, need: Asked, asker: Asker) -> Mapping[str, Any]:
    """What the caller is asked to, and comes to; the nearest day first."""
    person = people.find(db, keys, asker.phone)
    if person is None:
        return {"items": []}
    found = invitations.of_person(db, person_id=person.id, test=asker.test, at=asker.at)
    items = []
    for one in found:
        to = needs.find(db, need_id=one.need_id)
        assert to is not None
        when, _ = jalali(to.meets_at, asker.time_zone).split()
        items.append({"value": str(one.id), "when": when})
    return {"items": items}


def invite(db: Connection, keys: Keys, need: Asked, asker: Asker) -> Mapping[str, Any]:
    """The invitation of that number, if it is the caller's own."""
    nothing = dict.fromkeys(FACTS["invite"], "")
    person = people.find(db, keys, asker.phone)
    number = _number(need.argument)
    if person is None or number is None:
        return nothing
    found = invitations.find(db, invite_id=number)
    if found is None or (found.person_id, found.test) != (person.id, asker.test):
        return nothing
    to = needs.find(db, need_id=found.need_id)
    assert to is not None
    return {
        "invite_state": str(found.state),
        **meeting(to, asker.places, asker.language, asker.time_zone, named="invite_"),
    }


def meeting(
    need: Need, tree: Tree, language: str, zone: str, *, named: str = ""
) -> dict[str, str]:
    """When and where a need meets, as texts and screens say it."""
    day, hour = jalali(need.meets_at, zone).split()
    return {
        f"{named}when": day,
        f"{named}hour": hour,
        f"{named}place": place_called(tree, need.place, language),
    }


def place_called(tree: Tree, code: str, language: str) -> str:
    """A place in at most 20 characters: its title, else the number that is dialled."""
    place = tree.place(code)
    if place is None:
        return code
    # Of another language it would make a text of one part two.
    title = place.titles.get(language, "")
    return title if 0 < len(title) <= PLACE_CHARS_MAX else place.dial or code


def _answer(db: Connection, keys: Keys, order: Order, *, yes: bool) -> dict[str, str]:
    person = people.remember(db, keys, order.phone, at=order.at)
    number = _number(order.effect.answers["invite"])
    done = (
        Answered(Outcome.NOT_YOURS, changed=False)
        if number is None
        else inviting.answer(
            db,
            key=order.key,
            invite_id=number,
            person_id=person.id,
            yes=yes,
            channel=order.channel,
            test=order.test,
            at=order.at,
        )
    )
    _tell(db, order, person.id, done)
    usual = Outcome.YES if yes else Outcome.NO
    return {} if done.outcome is usual else {"outcome": str(done.outcome)}


def _tell(db: Connection, order: Order, person_id: int, done: Answered) -> None:
    if not done.changed or done.recorded is None or done.need is None:
        return
    if done.outcome is Outcome.YES:
        slots: Mapping[str, str] = meeting(
            done.need, order.places, order.language, order.menus.time_zone
        )
        tell(db, order, done.recorded, person_id, "sms.vol.meet", slots)
    elif done.outcome is Outcome.FULL:
        tell(db, order, done.recorded, person_id, "sms.vol.full", {})


def _number(text: str) -> int | None:
    """The number of a row; what a menu was not given is none."""
    if not (text.isascii() and text.isdecimal() and len(text) <= ID_DIGITS_MAX):
        return None
    return int(text)
