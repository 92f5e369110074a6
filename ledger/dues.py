"""Instalments that fall due: each is said once, and not where it is paid already."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Integer, bindparam, func, select, update

from ledger import events, schema
from ledger.expiring import CHANNEL
from ledger.pledges import Pledge, pledge_by_id

__all__ = ["Due", "Falling", "fall_due", "falling"]

# An instalment that was due so long ago is not brought up any more.
LATE_MAX = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Due:
    """An instalment that nobody was reminded of."""

    pledge_id: int
    number: int
    amount: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Falling:
    """An instalment to remind of: `left` of it is not paid, in minor units.

    `event_id` is the event that it falls due.
    """

    event_id: int
    pledge: Pledge
    number: int
    left: int
    due_at: datetime


_event = schema.event.c
_due = schema.due.c
_falling = (
    select(_due.pledge_id, _due.number, _due.amount, _due.due_at)
    .join(schema.event, _event.id == _due.pledge_id)
    .where(
        _due.reminded_at.is_(None),
        _due.due_at.between(
            bindparam("since", type_=schema.Utc), bindparam("until", type_=schema.Utc)
        ),
        _event.campaign.in_(bindparam("campaigns", expanding=True)),
    )
    .order_by(_due.due_at, _due.pledge_id)
    .limit(bindparam("room", type_=Integer))
)
_mark = (
    update(schema.due)
    .where(
        _due.pledge_id == bindparam("of_pledge"),
        _due.number == bindparam("of_number"),
        _due.reminded_at.is_(None),
    )
    .values(reminded_at=bindparam("now", type_=schema.Utc))
)
_up_to = select(func.sum(_due.amount)).where(
    _due.pledge_id == bindparam("of_pledge"), _due.number <= bindparam("of_number")
)


def falling(
    db: Connection,
    *,
    campaigns: Collection[str],
    at: datetime,
    ahead: timedelta = timedelta(),
    limit: int,
) -> list[Due]:
    """The next instalments of these campaigns that are due in the time `ahead`, or were
    due not long ago: those of a campaign that is over are not gone through for ever."""
    values = {
        "since": at - LATE_MAX,
        "until": at + ahead,
        "campaigns": list(campaigns),
        "room": limit,
    }
    return [Due(*row) for row in db.execute(_falling, values)]


def fall_due(db: Connection, due: Due, *, at: datetime) -> Falling | None:
    """Take an instalment as said; None where there is nothing to say.

    That is one that somebody else takes at this moment, that is paid, closed with its
    pledge, or a week late. What was paid counts for the instalments in their order.
    """
    which = {"of_pledge": due.pledge_id, "of_number": due.number}
    if db.execute(_mark, which | {"now": at}).rowcount != 1:
        return None
    pledge = pledge_by_id(db, due.pledge_id)
    assert pledge is not None
    up_to = int(db.scalar(_up_to, which) or 0)
    left = min(due.amount, up_to - pledge.paid, pledge.outstanding)
    if left <= 0 or at - due.due_at > LATE_MAX:
        return None
    recorded = events.record(
        db,
        key=f"due:{due.pledge_id}:{due.number}",
        kind="pledge.due",
        body={"code": pledge.code, "number": due.number, "left": left},
        person_id=pledge.person_id,
        about_id=pledge.event_id,
        campaign=pledge.campaign,
        purpose=pledge.purpose,
        channel=CHANNEL,
        test=pledge.test,
        at=at,
    )
    return Falling(recorded.event_id, pledge, due.number, left, due.due_at)
