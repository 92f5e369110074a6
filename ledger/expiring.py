"""Pledges that nobody paid in time: found without reading all of them, then expired.

A look goes along the pledges in the order in which they were made, from where the last
one ended. That place is kept in the ledger, by campaign, and moves in the transaction
of what was done up to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Integer, bindparam, func, or_, select

from ledger import events, schema
from ledger.events import Recorded
from ledger.once import Upsert
from ledger.pledges import Pledge, lock_pledge, resolving

__all__ = [
    "CHANNEL",
    "START",
    "Made",
    "Place",
    "expire",
    "last_dues",
    "made_since",
    "move_place",
    "place_of",
    "still_open",
]

# Nobody asked for it: the days of the campaign are over.
CHANNEL = "schedule"


@dataclass(frozen=True, slots=True)
class Place:
    """Up to which event of a kind a look has come."""

    at: datetime
    id: int


START = Place(datetime(2000, 1, 1, tzinfo=UTC), 0)


@dataclass(frozen=True, slots=True)
class Made:
    """A pledge, or its plan, as a look meets it; `pledge_id` is the pledge's event."""

    place: Place
    pledge_id: int
    campaign: str


_event = schema.event.c
_pending = schema.transfer.alias("pending")
_part = schema.transfer.alias("part")
_meta = schema.meta.c
_keep = Upsert(schema.meta, _meta.name, change=lambda new: {"value": new.value})
_find = select(_meta.value).where(_meta.name == bindparam("wanted"))
_since = bindparam("since", type_=schema.Utc)
_made = (
    select(_event.id, _event.at, _event.about_id, _event.campaign)
    .where(
        _event.kind == bindparam("of_kind"),
        _event.at >= _since,
        _event.at <= bindparam("until", type_=schema.Utc),
        or_(_event.at > _since, _event.id > bindparam("after", type_=_event.id.type)),
    )
    .order_by(_event.at, _event.id)
    .limit(bindparam("room", type_=Integer))
)
_made_in_parts = _made.where(
    _event.body["number"].as_integer() == bindparam("parts", type_=Integer)
)
_resolved = (
    select(func.coalesce(func.sum(_part.c.amount), 0))
    .where(_part.c.pending_id == _pending.c.id)
    .scalar_subquery()
)
_open = select(_pending.c.event_id).where(
    _pending.c.event_id.in_(bindparam("pledges", expanding=True)),
    _pending.c.phase == "pending",
    _pending.c.amount > _resolved,
)
_last_dues = (
    select(schema.due.c.pledge_id, func.max(schema.due.c.due_at))
    .where(schema.due.c.pledge_id.in_(bindparam("pledges", expanding=True)))
    .group_by(schema.due.c.pledge_id)
)


def made_since(
    db: Connection, *, parts: int = 0, after: Place, until: datetime, limit: int
) -> list[Made]:
    """The next pledges of all campaigns after a place, made at `until` or before.

    With `parts` only the plans of those that are paid in so many.
    """
    values = {
        "of_kind": "pledge.instalments" if parts else "pledge",
        "parts": parts,
        "since": after.at,
        "after": after.id,
        "until": until,
        "room": limit,
    }
    return [
        Made(Place(row.at, row.id), row.about_id or row.id, row.campaign)
        for row in db.execute(_made_in_parts if parts else _made, values)
    ]


def still_open(db: Connection, pledge_ids: Iterable[int]) -> set[int]:
    """Those of these pledges of which something can still be paid."""
    return set(db.scalars(_open, {"pledges": list(pledge_ids)}))


def last_dues(db: Connection, pledge_ids: Iterable[int]) -> dict[int, datetime]:
    """When the last instalment is due of those pledges that have any."""
    rows = db.execute(_last_dues, {"pledges": list(pledge_ids)})
    return {row[0]: row[1] for row in rows}


def expire(
    db: Connection, *, pledge_id: int, at: datetime
) -> tuple[Pledge, Recorded] | None:
    """Close what is open of a pledge; None where nothing is, or not any more.

    It takes turns with payments and cancellations. Returns the pledge as it stood
    before. What was paid of it stays paid.
    """
    pledge = lock_pledge(db, pledge_id)
    if not pledge.outstanding:
        return None
    recorded = events.record(
        db,
        key=f"expire:{pledge_id}",
        kind="pledge.expire",
        body={"code": pledge.code},
        moved=[resolving(pledge, pledge.outstanding, "expire")],
        person_id=pledge.person_id,
        about_id=pledge_id,
        campaign=pledge.campaign,
        purpose=pledge.purpose,
        channel=CHANNEL,
        test=pledge.test,
        at=at,
    )
    assert recorded.first
    return pledge, recorded


def place_of(db: Connection, name: str, campaign: str) -> Place:
    """How far the look of this name has come in a campaign."""
    return _places(db, name).get(campaign, START)


def move_place(db: Connection, name: str, campaign: str, place: Place) -> None:
    """Keep how far it has come. A place that gets lost is only walked to again."""
    told = {
        one: (reached.at.isoformat(timespec="microseconds"), reached.id)
        for one, reached in (_places(db, name) | {campaign: place}).items()
    }
    _keep(db, name=name, value=json.dumps(told, sort_keys=True))


def _places(db: Connection, name: str) -> dict[str, Place]:
    kept = db.scalar(_find, {"wanted": name})
    return {
        campaign: Place(datetime.fromisoformat(at), int(number))
        for campaign, (at, number) in json.loads(kept or "{}").items()
    }
