"""A pledge that is paid in parts: how much each is, and when it is due.

It stays one pledge, and what is paid of it counts for its parts in their order. That
one falls due is said by `ledger.dues`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, insert, select

from ledger import events, schema
from ledger.months import day_of, falls_due, month_of

__all__ = ["INSTALMENTS_MAX", "Instalment", "instal", "instalments_of", "shares"]

INSTALMENTS_MAX = 12
# In minor units: nobody is asked for a part of a thousand toman, and for a part of a
# toman not even where the whole is small.
STEPS = (10_000, 10)


@dataclass(frozen=True, slots=True)
class Instalment:
    """A part of a pledge, in minor units, and when it is due."""

    number: int
    amount: int
    due_at: datetime
    reminded_at: datetime | None


_due = schema.due.c
_insert_due = insert(schema.due)
_dues = (
    select(_due.number, _due.amount, _due.due_at, _due.reminded_at)
    .where(_due.pledge_id == bindparam("of_pledge"))
    .order_by(_due.number)
)


def instal(
    db: Connection, *, pledge_id: int, number: int, zone: ZoneInfo, at: datetime
) -> list[Instalment]:
    """Let a pledge that was made now be paid in `number` monthly parts.

    The first is due at once: the text of the pledge says so itself. The same pledge
    again has the instalments that it has.
    """
    made = instalments_of(db, pledge_id=pledge_id)
    if made:
        return made
    pledge = db.execute(
        select(
            schema.transfer.c.amount,
            schema.event.c.person_id,
            schema.event.c.campaign,
            schema.event.c.purpose,
            schema.event.c.channel,
            schema.event.c.test,
        )
        .join(schema.event, schema.event.c.id == schema.transfer.c.event_id)
        .where(
            schema.event.c.id == pledge_id,
            schema.event.c.kind == "pledge",
            schema.transfer.c.phase == "pending",
        )
    ).one()
    events.record(
        db,
        key=f"instalments:{pledge_id}",
        kind="pledge.instalments",
        body={"number": number},
        person_id=pledge.person_id,
        about_id=pledge_id,
        campaign=pledge.campaign,
        purpose=pledge.purpose,
        channel=pledge.channel,
        test=pledge.test,
        at=at,
    )
    month, day = month_of(at, zone), day_of(at, zone)
    parts = [
        Instalment(
            place + 1,
            amount,
            falls_due(month + place, day, zone) if place else at,
            None if place else at,
        )
        for place, amount in enumerate(shares(int(pledge.amount), number))
    ]
    for part in parts:
        db.execute(
            _insert_due,
            {
                "pledge_id": pledge_id,
                "number": part.number,
                "amount": part.amount,
                "due_at": part.due_at,
                "reminded_at": part.reminded_at,
            },
        )
    return parts


def instalments_of(db: Connection, *, pledge_id: int) -> list[Instalment]:
    """The parts of a pledge in their order; none where it is due as a whole."""
    return [Instalment(*row) for row in db.execute(_dues, {"of_pledge": pledge_id})]


def shares(amount: int, number: int) -> list[int]:
    """Divide an amount into so many parts, even as far as they are round; the last one
    takes what is left over."""
    assert 1 <= number <= INSTALMENTS_MAX
    assert amount >= number
    part = amount // number
    part -= part % next((step for step in STEPS if part >= step), 1)
    return [part] * (number - 1) + [amount - part * (number - 1)]
