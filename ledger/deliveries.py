"""Requests that somebody brings a household what it bought elsewhere, to its door.

We keep who asks, at which place, whose turn it is and until when: no national id, no
balance, no price and no order. A request has one of our tracking codes, which only the
citizen has; whoever is told it at the door can say that it was brought.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Integer, Row, bindparam, func, insert, select

from ledger import codes, events, schema
from ledger.events import Recorded
from ledger.schema import Utc
from ledger.vault import Keys

__all__ = [
    "AGAIN",
    "LIVE",
    "OPERATOR",
    "PARTNER",
    "REQUESTS_A_DAY_MAX",
    "Delivery",
    "Requested",
    "State",
    "find",
    "held",
    "in_queues",
    "of_person",
    "request",
    "with_code",
]

KIND, AGAIN = "delivery", "delivery.again"
# The queue of what leads to no centre and no partner, and how a partner's is named.
OPERATOR, PARTNER = "operator", "partner:"
QUEUE_CHARS_MAX = 40
# Of one phone, those included that were taken back.
REQUESTS_A_DAY_MAX = 5
_DAY = timedelta(days=1)


class State(StrEnum):
    """Where a request stands; `closed` is by us, `withdrawn` by the citizen."""

    OPEN = "open"
    TAKEN = "taken"
    DELIVERED = "delivered"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


# Somebody still waits.
LIVE = (State.OPEN, State.TAKEN)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request as it stands. `queue` is a place's code, or partner:<name>."""

    id: int
    key: str
    code: str
    person_id: int
    campaign: str
    place: str | None
    district: str | None
    centre: str | None
    queue: str
    state: State
    call_back: bool
    due_at: datetime
    test: bool
    at: datetime
    taken_at: datetime | None
    changed_at: datetime

    def is_late(self, at: datetime) -> bool:
        """Whether nobody took it in time."""
        return self.state is State.OPEN and self.due_at <= at


@dataclass(frozen=True, slots=True)
class Requested:
    """What a request came to. `recorded` is None for one too many of a day; `already`
    says that an earlier one still waits, whose code it is."""

    recorded: Recorded | None
    code: str = ""
    already: bool = False


_delivery = schema.delivery.c
_event = schema.event.c
_person = schema.person.c
_COLUMNS = (
    _delivery.event_id.label("id"),
    _event.key,
    schema.code.c.code,
    _delivery.person_id,
    _delivery.campaign,
    _delivery.place,
    _event.district,
    _event.centre,
    *(_delivery.queue, _delivery.state, _delivery.call_back, _delivery.due_at),
    *(_delivery.test, _delivery.at, _delivery.taken_at, _delivery.changed_at),
)
_FIND = select(*_COLUMNS).select_from(
    schema.delivery.join(schema.event, _event.id == _delivery.event_id).join(
        schema.code, schema.code.c.event_id == _delivery.event_id
    )
)
_BY_ID = _FIND.where(_delivery.event_id == bindparam("of_id"))
_BY_CODE = _FIND.where(
    schema.code.c.code == bindparam("wanted"), _delivery.test == bindparam("in_test")
)
_OF_PERSON = (
    _FIND.where(
        _delivery.person_id == bindparam("of_person"),
        _delivery.test == bindparam("in_test"),
    )
    .order_by(_delivery.event_id.desc())
    .limit(bindparam("room", type_=Integer))
)
_LIVE_OF = _FIND.where(
    _delivery.person_id == bindparam("of_person"),
    _delivery.test == bindparam("in_test"),
    _delivery.state.in_(LIVE),
).order_by(_delivery.event_id)
_TODAY = select(func.count()).where(
    _delivery.person_id == bindparam("of_person"),
    _delivery.test == bindparam("in_test"),
    _delivery.at > bindparam("since", type_=Utc),
)
# Whoever erases somebody holds the person first, and so does this.
_LOCK_PERSON = (
    select(_person.id)
    .where(_person.id == bindparam("of_person"))
    .with_for_update(key_share=True)
)
_LOCK = select(_delivery.event_id).where(_delivery.event_id == bindparam("of_id"))
_INSERT = insert(schema.delivery)


def request(
    db: Connection,
    keys: Keys,
    *,
    key: str,
    person_id: int,
    campaign: str,
    place: str | None,
    district: str | None,
    centre: str | None,
    queue: str,
    call_back: bool,
    due_at: datetime,
    channel: str,
    test: bool,
    at: datetime,
) -> Requested:
    """Write down that a person asks for a delivery, and give the request its code.

    While one of theirs waits, another is noted as an event and has the code of the
    first; the same key again returns what it returned. `district` and `centre` are the
    places that `place` lies in; somebody is to have taken it by `due_at`.
    """
    assert 0 < len(queue) <= QUEUE_CHARS_MAX
    db.execute(_LOCK_PERSON, {"of_person": person_id}).one()
    body: dict[str, str | int] = {
        "place": place or "",
        "queue": queue,
        "call_back": int(call_back),
    }
    before = events.find(db, key=key)
    if before is not None:
        already = before.kind == AGAIN
        asked, kind = (before.body, AGAIN) if already else (body, KIND)
        again = events.repeated(db, key=key, kind=kind, body=asked)
        code = before.code or str(before.body.get("code", ""))
        return Requested(again, code, already)
    of = {"of_person": person_id, "in_test": test}
    waiting = db.execute(_LIVE_OF, of).first()
    if waiting is not None:
        recorded = events.record(
            db,
            key=key,
            kind=AGAIN,
            body={"code": waiting.code},
            person_id=person_id,
            about_id=waiting.id,
            campaign=campaign,
            channel=channel,
            test=test,
            at=at,
        )
        return Requested(recorded, waiting.code, already=True)
    if (db.scalar(_TODAY, {**of, "since": at - _DAY}) or 0) >= REQUESTS_A_DAY_MAX:
        return Requested(None)
    recorded = events.record(
        db,
        key=key,
        kind=KIND,
        body=body,
        person_id=person_id,
        campaign=campaign,
        district=district,
        centre=centre,
        channel=channel,
        test=test,
        at=at,
    )
    code = codes.allot(db, keys, event_id=recorded.event_id)
    db.execute(
        _INSERT,
        {
            "event_id": recorded.event_id,
            "person_id": person_id,
            "campaign": campaign,
            "place": place,
            "queue": queue,
            "state": State.OPEN,
            "call_back": call_back,
            "due_at": due_at,
            "test": test,
            "at": at,
            "changed_at": at,
        },
    )
    return Requested(recorded, code)


def find(db: Connection, *, delivery_id: int) -> Delivery | None:
    row = db.execute(_BY_ID, {"of_id": delivery_id}).first()
    return None if row is None else _as_delivery(row)


def with_code(db: Connection, *, code: str, test: bool) -> Delivery | None:
    """The request that has this code, whoever it is that asks."""
    row = db.execute(_BY_CODE, {"wanted": code, "in_test": test}).first()
    return None if row is None else _as_delivery(row)


def of_person(
    db: Connection, *, person_id: int, test: bool, limit: int
) -> Sequence[Delivery]:
    """A person's own requests, the latest first."""
    of = {"of_person": person_id, "in_test": test, "room": limit}
    return [_as_delivery(row) for row in db.execute(_OF_PERSON, of)]


def in_queues(
    db: Connection,
    *,
    queues: Collection[str] | None,
    test: bool,
    late_at: datetime | None = None,
    limit: int,
) -> Sequence[Delivery]:
    """What waits in these queues, or in all of them: what nobody took comes first, and
    of that the first to fall due.

    With `late_at`, only what nobody took by then.
    """
    wanted = _FIND.where(_delivery.test == test, _delivery.state.in_(LIVE))
    if queues is not None:
        wanted = wanted.where(_delivery.queue.in_(sorted(queues)))
    if late_at is not None:
        late = _delivery.due_at <= late_at
        wanted = wanted.where(_delivery.state == State.OPEN, late)
    is_taken = _delivery.state != State.OPEN
    wanted = wanted.order_by(is_taken, _delivery.due_at, _delivery.event_id)
    wanted = wanted.limit(limit)
    return [_as_delivery(row) for row in db.execute(wanted)]


def held(db: Connection, *, delivery_id: int) -> Delivery | None:
    """The request as it stands, with its person and itself locked."""
    found = find(db, delivery_id=delivery_id)
    if found is None:
        return None
    db.execute(_LOCK_PERSON, {"of_person": found.person_id}).one()
    db.execute(_LOCK.with_for_update(), {"of_id": delivery_id}).one()
    return find(db, delivery_id=delivery_id)


def _as_delivery(row: Row[*tuple[Any, ...]]) -> Delivery:
    values = row._asdict()
    return Delivery(**{**values, "state": State(values["state"])})
