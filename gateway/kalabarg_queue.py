"""What waits at a centre of the requests for delivery, and taking one up.

That it was brought is said with the citizen's own code and not here: the centre never
reads that code.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.kalabarg import TAKEN, tell_citizen
from gateway.orders import Order
from gateway.queues import Deed, Look, Queue, QueueItem
from ledger import deliveries, delivering
from ledger.deliveries import Delivery, State
from ledger.engine import Connection
from ledger.vault import Keys

__all__ = ["DELIVERY", "LATE", "QUEUE"]

# One that waits, and one that nobody took in time.
DELIVERY = "delivery"
LATE = "delivery-late"


def items(db: Connection, keys: Keys, look: Look) -> Sequence[QueueItem]:
    """Requests at these places, the first to fall due first."""
    found = deliveries.in_queues(
        db, queues=look.places, test=look.test, limit=look.limit
    )
    return [_item(one, look) for one in found]


def take(db: Connection, keys: Keys, order: Order, item: QueueItem) -> None:
    """Take a request up, and tell the citizen to say the code only at the door."""
    done = delivering.take(
        db,
        key=order.key,
        delivery_id=int(item.value),
        by="centre",
        channel=order.channel,
        at=order.at,
    )
    if done is not None:
        tell_citizen(db, order.menus, done, TAKEN, at=order.at)


def _item(one: Delivery, look: Look) -> QueueItem:
    return QueueItem(
        value=str(one.id),
        kind=LATE if one.is_late(look.at) else DELIVERY,
        place=one.queue,
        since=one.at,
        deeds=(Deed.CONFIRM,) if one.state is State.OPEN else (),
        title=str(one.id),
        when=one.due_at,
        person_id=one.person_id if one.call_back else None,
    )


QUEUE = Queue(items=items, acts={Deed.CONFIRM: take})
