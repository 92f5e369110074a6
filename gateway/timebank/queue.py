"""What of the time bank waits at a centre: two to be introduced, hours to be told."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.orders import Order
from gateway.queues import Deed, Look, Queue, QueueItem
from gateway.timebank.deeds import ask_to_confirm
from ledger.engine import Connection
from ledger.timebank import hours, introductions
from ledger.timebank.introductions import Introduction
from ledger.vault import Keys

__all__ = ["HELP", "INTRODUCTION", "QUEUE"]

# Two who agreed, and whom the centre brings together; and two whom it did.
INTRODUCTION = "introduction"
HELP = "help"
# After the number of who was introduced: what is said done of an introduction is never
# taken for help that was given, though another phone was quicker.
_INTRODUCED = "h"


def items(db: Connection, keys: Keys, look: Look) -> Sequence[QueueItem]:
    """Who said yes and is to be introduced, then who was and may have helped."""
    found: list[Introduction] = []
    # Not at once: many who were introduced would leave no room for who is to be.
    for state in ("accepted", "introduced"):
        found += introductions.at_place(
            db,
            state,
            places=look.places,
            test=look.test,
            limit=look.limit - len(found),
        )
    return [_item(one) for one in found]


def done(db: Connection, keys: Keys, order: Order, item: QueueItem) -> None:
    """The two were introduced; or what was arranged was given, as many hours."""
    number = int(item.value.removesuffix(_INTRODUCED))
    if item.kind == INTRODUCTION:
        introductions.make(
            db,
            key=order.key,
            introduction_id=number,
            by="centre",
            channel=order.channel,
            at=order.at,
        )
        return
    one = introductions.by_id(db, number)
    if one is None:
        return
    told = hours.tell(
        db,
        keys,
        key=order.key,
        introduction_id=one.id,
        person_id=None,
        minutes=one.minutes,
        by="centre",
        channel=order.channel,
        test=one.test,
        at=order.at,
    )
    if told.outcome is hours.Outcome.DONE:
        ask_to_confirm(db, keys, order, told)


def _item(one: Introduction) -> QueueItem:
    is_new = one.state == "accepted"
    return QueueItem(
        value=str(one.id) if is_new else f"{one.id}{_INTRODUCED}",
        kind=INTRODUCTION if is_new else HELP,
        place=one.place or "",
        since=one.changed_at,
        deeds=(Deed.DONE,),
        title=one.need_code,
        person_id=one.receiver_id,
        other_id=one.giver_id,
    )


QUEUE = Queue(items=items, acts={Deed.DONE: done})
