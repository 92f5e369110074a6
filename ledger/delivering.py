"""What becomes of a request for delivery: taken up, passed on, brought, closed.

Each is an event once, with the request held: of a centre and a citizen who say at the
same moment that it was brought, one says it and the other is told that it was. The
reason is deleted as soon as nobody needs it any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, update

from ledger import events, schema, sensitive
from ledger.deliveries import LIVE, QUEUE_CHARS_MAX, Delivery, State, held
from ledger.events import Recorded

__all__ = ["BY_CHARS_MAX", "Done", "Outcome", "close", "deliver", "pass_on", "take"]

TAKEN, DONE, CLOSED, PASSED = (
    *("delivery.taken", "delivery.done", "delivery.closed", "delivery.passed"),
)
BY_CHARS_MAX = 60

_delivery = schema.delivery.c


class Outcome(StrEnum):
    """What an act came to: done, done before, or too late for it."""

    DONE = "done"
    ALREADY = "already"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Done:
    """`recorded` is None where nothing was done; `before` is how the request stood."""

    outcome: Outcome
    before: Delivery
    recorded: Recorded | None = None


def take(
    db: Connection, *, key: str, delivery_id: int, by: str, channel: str, at: datetime
) -> Done | None:
    """Note that its queue sees to it; None if there is no such request."""
    return _act(
        db, key, delivery_id, TAKEN, {"by": by}, State.TAKEN, channel=channel, at=at
    )


def deliver(
    db: Connection, *, key: str, delivery_id: int, by: str, channel: str, at: datetime
) -> Done | None:
    """Note that it was brought, as whoever knows its code says. Twice is once."""
    return _act(
        db, key, delivery_id, DONE, {"by": by}, State.DELIVERED, channel=channel, at=at
    )


def close(
    db: Connection,
    *,
    key: str,
    delivery_id: int,
    by: str,
    why: str,
    state: State = State.CLOSED,
    channel: str,
    at: datetime,
) -> Done | None:
    """End a request that nobody will bring, or that its citizen takes back.

    `why` is a few words without a name or a number.
    """
    assert state in (State.CLOSED, State.WITHDRAWN)
    body = {"by": by, "why": why}
    return _act(db, key, delivery_id, CLOSED, body, state, channel=channel, at=at)


def pass_on(
    db: Connection,
    *,
    key: str,
    delivery_id: int,
    queue: str,
    due_at: datetime,
    by: str,
    channel: str,
    at: datetime,
) -> Done | None:
    """Put a request into another queue, open, with a clock of its own.

    What was said to one centre is not shown to another: the reason goes.
    """
    assert 0 < len(queue) <= QUEUE_CHARS_MAX
    body = {"by": by, "queue": queue}
    done = _act(db, key, delivery_id, PASSED, body, State.OPEN, channel=channel, at=at)
    if done is not None and done.recorded is not None and done.recorded.first:
        db.execute(
            update(schema.delivery)
            .where(_delivery.event_id == delivery_id)
            .values(queue=queue, due_at=due_at, taken_at=None)
        )
    return done


def _act(
    db: Connection,
    key: str,
    delivery_id: int,
    kind: str,
    body: dict[str, str],
    state: State,
    *,
    channel: str,
    at: datetime,
) -> Done | None:
    assert len(body["by"]) <= BY_CHARS_MAX
    stands = held(db, delivery_id=delivery_id)
    if stands is None:
        return None
    again = events.repeated(db, key=key, kind=kind, body=body)
    if again is not None:
        return Done(Outcome.DONE, stands, again)
    if stands.state is state and kind != PASSED:
        return Done(Outcome.ALREADY, stands)
    if stands.state not in LIVE:
        return Done(Outcome.OVER, stands)
    recorded = events.record(
        db,
        key=key,
        kind=kind,
        body=body,
        person_id=stands.person_id,
        about_id=stands.id,
        campaign=stands.campaign,
        district=stands.district,
        centre=stands.centre,
        channel=channel,
        test=stands.test,
        at=at,
    )
    changed = {"state": state, "changed_at": at}
    if state is State.TAKEN:
        changed["taken_at"] = at
    db.execute(
        update(schema.delivery).where(_delivery.event_id == delivery_id).values(changed)
    )
    if state is not State.TAKEN and not stands.test:
        sensitive.take_back(
            db, person_id=stands.person_id, what=sensitive.What.DELIVERY
        )
    return Done(Outcome.DONE, stands, recorded)
