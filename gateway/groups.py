"""The group somebody says they belong to, kept for their own centre alone.

Whose centre nobody knows is not asked: no one could read it. In a rehearsal, where
anybody can dial as anybody, nothing is kept and nothing is shown.
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

__all__ = ["drop", "group", "keep"]


def keep(db: Connection, keys: Keys, order: Order) -> dict[str, str]:
    """Keep which group it is, in the place of an earlier answer."""
    person = people.remember(db, keys, order.phone, at=order.at)
    centre = _centre(
        db, order.places, person.id, order.effect.campaign, test=order.test
    )
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


def group(db: Connection, keys: Keys, need: Need, asker: Asker) -> Mapping[str, Any]:
    """Whether a centre has an answer of the caller's, and which would see one."""
    person = people.find(db, keys, asker.phone)
    if person is None:
        return {"group_kept": "", "group_centre": ""}
    centre = _centre(db, asker.places, person.id, asker.campaign, test=asker.test)
    kept = not asker.test and centre_of(db, person_id=person.id) is not None
    return {
        "group_kept": "yes" if kept else "",
        "group_centre": "" if centre is None else centre.title(asker.language),
    }


def _centre(
    db: Connection, tree: Tree, person_id: int, campaign: str, *, test: bool
) -> Place | None:
    """The centre somebody signed up at, while they are a volunteer there."""
    mine = signups.signup_of(db, person_id=person_id, campaign=campaign, test=test)
    if mine is None or mine.state is not signups.State.ACTIVE:
        return None
    return tree.above(mine.place_code, Kind.CENTRE)
