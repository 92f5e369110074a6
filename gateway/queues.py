"""What waits for somebody at a centre, whichever system it is of.

A system gives a `Queue`: what waits at some places, and what a centre may do about it.
`gateway.centres` holds all of them, shows them by phone and counts them for the digest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.orders import Order
from ledger.engine import Connection
from ledger.vault import Keys

__all__ = [
    "COUNTED_MAX",
    "ITEMS_MAX",
    "Act",
    "Deed",
    "Items",
    "Look",
    "Queue",
    "QueueItem",
]

# No call has turns for more pages; of more a desk is told how many there are.
ITEMS_MAX = 100
COUNTED_MAX = 999


class Deed(StrEnum):
    """What a centre can say of something that waits."""

    # It has happened: they came, it was brought, the two were introduced.
    DONE = "done"
    # It is taken up, or it is right as it stands.
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One thing that waits. `value` names it within its queue, in digits or a code,
    and is another one once something else is to be done about it.

    `kind` is a value of the list `queues` of the menus, which titles it; `title` is a
    few words without a name, and `place` where it waits. `when` is the day it is for,
    if it is for one. `person_id` is whom the centre may call about it, and `other_id` a
    second one, as of an introduction.
    """

    value: str
    kind: str
    place: str
    since: datetime
    deeds: Collection[Deed]
    title: str = ""
    when: datetime | None = None
    person_id: int | None = None
    other_id: int | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """Whose queue is looked at, and when: the codes of the places, `limit` at most."""

    places: Collection[str]
    test: bool
    at: datetime
    limit: int = ITEMS_MAX


# What waits at those places: what can be seen to now, then the rest, the longest first.
Items = Callable[[Connection, Keys, Look], Sequence[QueueItem]]
# Does it in the order's transaction, and records its event under `order.key`: a repeat
# of the order finds that done. The item was looked for again just before.
Act = Callable[[Connection, Keys, Order, QueueItem], None]


@dataclass(frozen=True, slots=True)
class Queue:
    """What of one system waits at centres."""

    items: Items
    acts: Mapping[Deed, Act]
