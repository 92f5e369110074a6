"""The group somebody says they belong to, kept for their own centre alone.

Whose centre nobody knows is not asked: no one could read it. Who is no volunteer of
that centre any more has no answer there. In a rehearsal, where anybody can dial as
anybody, nothing is kept and nothing is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gateway.orders import Order, note
from ledger import people, sensitive, signups
from ledger.engine import Connection
from ledger.groups import Group, centre_of
from ledger.places.kinds import Kind
from ledger.places.tree import Place, Tree
from ledger.sensitive import What
from ledger.vault import Keys
from ussd.machine import Need

if TYPE_CHECKING:
    from gateway.facts import Asker

__all__ = ["drop", "group", "keep", "leave_centre"]


def keep(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Keep which group it is, in the place of an earlier answer."""
    person = people.remember(db, keys, order.phone, at=order.at)
    # Held: who goes to another centre at this moment does so before or after.
    mine = signups.locked(
        db, person_id=person.id, campaign=order.effect.campaign, test=order.test
    )
    centre = _centre(order.places, mine)
    if centre is None:
        return {"outcome": "nowhere"}
    recorded = note(db, order, person.id, {})
    said = int(order.effect.answers["group"])
    if recorded.first and not order.test:
        sensitive.keep(
            db,
            keys,
            person_id=person.id,
            what=What.GROUP,
            answer=list(Group)[said - 1],
            centre=centre.code,
            menus=order.menus.hash,
            at=order.at,
        )
    return {}


def drop(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Delete the answer at once, and with it the consent."""
    person = people.remember(db, keys, order.phone, at=order.at)
    recorded = note(db, order, person.id, {})
    if recorded.first and not order.test:
        sensitive.take_back(db, person_id=person.id, what=What.GROUP)
    return {}


def leave_centre(db: Connection, order: Order, person_id: int) -> None:
    """Delete the answer of who is no volunteer any more where it was given.

    The sign-up has changed in this transaction, and holds the person. Another centre
    was not agreed to, so the answer does not follow.
    """
    centre = None if order.test else centre_of(db, person_id=person_id)
    if centre is None:
        return
    for place in signups.places_of(db, person_id=person_id):
        found = order.places.above(place, Kind.CENTRE)
        if found is not None and found.code == centre:
            return
    sensitive.take_back(db, person_id=person_id, what=What.GROUP)


def group(db: Connection, keys: Keys, need: Need, asker: Asker) -> Mapping[str, Any]:
    """Whether a centre has an answer of the caller's, and which would see one."""
    person = people.find(db, keys, asker.phone)
    if person is None:
        return {"group_kept": "", "group_centre": ""}
    mine = signups.signup_of(
        db, person_id=person.id, campaign=asker.campaign, test=asker.test
    )
    centre = _centre(asker.places, mine)
    kept = not asker.test and centre_of(db, person_id=person.id) is not None
    return {
        "group_kept": "yes" if kept else "",
        "group_centre": "" if centre is None else centre.title(asker.language),
    }


def _centre(tree: Tree, mine: signups.Mine | None) -> Place | None:
    """The centre somebody signed up at, while they are a volunteer there."""
    if mine is None or mine.state is not signups.State.ACTIVE:
        return None
    return tree.above(mine.place_code, Kind.CENTRE)
