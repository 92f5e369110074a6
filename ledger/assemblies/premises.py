"""Rooms and plots that are offered in a district, and those that are asked for.

What fits is suggested to the secretary, who brings both sides together at a meeting or
by the organiser's own telephone; nobody is told anybody's number.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from ledger import events, people, schema
from ledger.assemblies.districts import CAMPAIGN
from ledger.assemblies.limits import METRES_MAX, Wrong, check_count
from ledger.assemblies.noting import note
from ledger.events import Recorded

__all__ = [
    "Match",
    "Premises",
    "Side",
    "State",
    "close",
    "find",
    "listed",
    "match",
    "matches",
    "of_person",
    "register",
]

# Of one person at a time: more would be a list of somebody's property.
OPEN_MAX = 5
MADE, CLOSED = "premises", "premises.closed"


class Side(StrEnum):
    OFFER = "offer"
    NEED = "need"


class State(StrEnum):
    OPEN = "open"
    MET = "met"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Premises:
    """`kind` is one of the menus' own list."""

    event_id: int
    person_id: int
    district: str
    side: Side
    kind: str
    square_metres: int
    state: State
    test: bool


@dataclass(frozen=True, slots=True)
class Match:
    """An offer that is of the kind that is needed, and large enough."""

    offer: Premises
    need: Premises


_row = schema.premises.c
_columns = (
    *(_row.event_id, _row.person_id, _row.district, _row.side, _row.kind),
    *(_row.square_metres, _row.state, _row.test),
)
_premises = select(*_columns)
_lock = select(schema.person.c.id).with_for_update(key_share=True)
_need = schema.premises.alias("need")


def register(
    db: Connection,
    *,
    key: str,
    person_id: int,
    district: str,
    side: Side,
    kind: str,
    square_metres: int,
    channel: str,
    test: bool,
    at: datetime,
) -> Recorded | None:
    """Write an offer or a need down; None for somebody who has as many open as fit.

    Raises Wrong for a size that no building has.
    """
    check_count("square metres", square_metres, METRES_MAX, least=1)
    body: dict[str, str | int] = {
        "district": district,
        "side": str(side),
        "kind": kind,
        "square_metres": square_metres,
    }
    db.execute(_lock.where(schema.person.c.id == person_id)).one()
    again = events.repeated(db, key=key, kind=MADE, body=body)
    if again is not None:
        return again
    if len(of_person(db, person_id=person_id, test=test)) >= OPEN_MAX:
        return None
    recorded = events.record(
        db,
        key=key,
        kind=MADE,
        body=body,
        person_id=person_id,
        campaign=CAMPAIGN,
        district=district,
        channel=channel,
        test=test,
        at=at,
    )
    db.execute(
        insert(schema.premises),
        {
            "event_id": recorded.event_id,
            "person_id": person_id,
            "district": district,
            "side": side,
            "kind": kind,
            "square_metres": square_metres,
            "state": State.OPEN,
            "test": test,
            "at": at,
            "changed_at": at,
        },
    )
    return recorded


def close(
    db: Connection,
    *,
    key: str,
    premises_id: int,
    person_id: int,
    channel: str,
    test: bool,
    at: datetime,
) -> Recorded | None:
    """Take back what is one's own and open; None for anything else."""
    body = {"state": str(State.CLOSED)}
    again = events.repeated(db, key=key, kind=CLOSED, body=body)
    if again is not None:
        return again
    found = find(db, premises_id, lock=True)
    if (
        found is None
        or (found.person_id, found.test) != (person_id, test)
        or found.state is not State.OPEN
    ):
        return None
    return _end(db, key, found, State.CLOSED, body, channel=channel, at=at)


def match(
    db: Connection,
    *,
    key: str,
    offer_id: int,
    need_id: int,
    by: str,
    channel: str,
    at: datetime,
) -> Match:
    """Bring an offer and a need together, once; raises Wrong.

    Both leave the register. `key` is that of the need's event. Returns them as they
    were, for who tells the two people.
    """
    # The people first, as whoever erases one of them comes to the premises after that;
    # then in the order of ids, as two secretaries would wait for each other.
    sides = (find(db, one) for one in {offer_id, need_id})
    people.hold_all(db, person_ids={one.person_id for one in sides if one is not None})
    found = {one: find(db, one, lock=True) for one in sorted({offer_id, need_id})}
    offer, need = found.get(offer_id), found.get(need_id)
    if offer is None or offer.side is not Side.OFFER:
        raise Wrong(f"there is no offer {offer_id}")
    if need is None or need.side is not Side.NEED:
        raise Wrong(f"there is no need {need_id}")
    if offer.test is not need.test:
        raise Wrong("one of the two is a rehearsal")
    for one in (offer, need):
        if one.state is not State.OPEN:
            raise Wrong(f"{one.side} {one.event_id} is {one.state}")
    body = {"state": str(State.MET), "by": by}
    for one, of in ((offer, f"premises:{offer_id}:met"), (need, key)):
        _end(db, of, one, State.MET, body, channel=channel, at=at)
    return Match(offer, need)


def matches(
    db: Connection, *, districts: Collection[str], test: bool, limit: int
) -> Sequence[Match]:
    """What fits, need by need, the smallest offer that is large enough first."""
    offer = schema.premises.alias("offer")
    found = db.execute(
        select(offer.c.event_id, _need.c.event_id)
        .join_from(
            _need,
            offer,
            (offer.c.district == _need.c.district)
            & (offer.c.kind == _need.c.kind)
            & (offer.c.test == _need.c.test)
            & (offer.c.person_id != _need.c.person_id)
            & (offer.c.square_metres >= _need.c.square_metres),
        )
        .where(
            _need.c.district.in_(sorted(districts)),
            _need.c.test.is_(test),
            *(one.c.state == State.OPEN for one in (offer, _need)),
            offer.c.side == Side.OFFER,
            _need.c.side == Side.NEED,
        )
        .order_by(_need.c.event_id, offer.c.square_metres, offer.c.event_id)
        .limit(limit)
    ).all()
    ids = {one for pair in found for one in pair}
    rows = db.execute(_premises.where(_row.event_id.in_(sorted(ids))))
    known = {row.event_id: _read(row) for row in rows}
    return [Match(known[one], known[other]) for one, other in found]


def of_person(db: Connection, *, person_id: int, test: bool) -> Sequence[Premises]:
    """What somebody offers or asks for now, the newest first."""
    query = _premises.where(
        _row.person_id == person_id, _row.test.is_(test), _row.state == State.OPEN
    ).order_by(_row.event_id.desc())
    return [_read(row) for row in db.execute(query.limit(OPEN_MAX))]


def listed(
    db: Connection, *, district: str, test: bool, limit: int
) -> Sequence[Premises]:
    """What is open in a district, offers and needs, as they came."""
    query = _premises.where(
        _row.district == district, _row.test.is_(test), _row.state == State.OPEN
    ).order_by(_row.event_id)
    return [_read(row) for row in db.execute(query.limit(limit))]


def find(db: Connection, premises_id: int, *, lock: bool = False) -> Premises | None:
    """One of them by its id; with `lock` nobody else changes it meanwhile."""
    query = _premises.where(_row.event_id == premises_id)
    row = db.execute(query.with_for_update() if lock else query).first()
    return None if row is None else _read(row)


def _end(
    db: Connection,
    key: str,
    found: Premises,
    state: State,
    body: dict[str, str],
    *,
    channel: str,
    at: datetime,
) -> Recorded:
    recorded = note(
        db, key, CLOSED, body, found, person_id=found.person_id, channel=channel, at=at
    )
    db.execute(
        update(schema.premises)
        .where(_row.event_id == found.event_id)
        .values(state=state, changed_at=at)
    )
    return recorded


def _read(row: Row[*tuple[Any, ...]]) -> Premises:
    values = dict(row._mapping)
    values |= {"side": Side(row.side), "state": State(row.state)}
    return Premises(**values)
