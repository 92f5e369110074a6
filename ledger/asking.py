"""Whose turn it is to ask a carrier that posts nothing: for receipts, and for texts.

A text that is sent has its `due_at` at the time it is asked about next. Whoever asks
moves it on first, so that two do not ask at once; who dies meanwhile leaves it due
again a little later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Integer, bindparam, exists, or_, select, update

from ledger.once import Upsert
from ledger.outbox import Kind, State
from ledger.prepared import Prepared
from ledger.schema import Utc, attempt, channel_state, outbox

__all__ = ["Unreported", "claim", "is_due", "may_ask", "put_off", "take_turn"]


@dataclass(frozen=True, slots=True)
class Unreported:
    """A text that its carrier has, of which nothing final is known.

    `carrier_id` is what the carrier calls it, None where it never said.
    """

    outbox_id: int
    carrier: str
    carrier_id: str | None
    taken_at: datetime


_is_waiting = (
    outbox.c.state == State.SENT,
    # Named for the index; what a process of its own carries is none of these.
    outbox.c.kind.in_(list(Kind)),
    outbox.c.via.in_(["", "*"]),
    outbox.c.due_at <= bindparam("now", type_=Utc),
)
_IS_DUE = select(exists().where(*_is_waiting))


def is_due(db: Connection, *, at: datetime) -> bool:
    """Whether any text is due to be asked about."""
    return bool(db.scalar(_IS_DUE, {"now": at}))


_due = (
    select(outbox.c.id)
    .where(*_is_waiting)
    .order_by(outbox.c.due_at, outbox.c.id)
    .limit(bindparam("room", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte("due")
)
_CLAIM = (
    update(outbox)
    .where(outbox.c.id.in_(select(_due.c.id)))
    .values(due_at=bindparam("until", type_=Utc))
    .returning(outbox.c.id, outbox.c.carrier)
)
_TAKEN = (
    select(
        attempt.c.outbox_id, attempt.c.carrier, attempt.c.carrier_id, attempt.c.began_at
    )
    .where(attempt.c.outbox_id.in_(bindparam("texts", expanding=True)))
    .order_by(attempt.c.outbox_id, attempt.c.number)
)


def claim(
    db: Connection, *, at: datetime, lease_seconds: float, limit: int
) -> list[Unreported]:
    """Take up to `limit` texts that are due to be asked about, for `lease_seconds`."""
    until = at + timedelta(seconds=lease_seconds)
    rows = db.execute(_CLAIM, {"now": at, "room": limit, "until": until}).all()
    if not rows:
        return []
    found = {
        row.id: Unreported(row.id, row.carrier or "", None, at)
        for row in sorted(rows, key=lambda row: row.id)
    }
    # The last attempt at its carrier that has an id is the one to ask about.
    for row in db.execute(_TAKEN, {"texts": list(found)}):
        known = found[row.outbox_id]
        if row.carrier == known.carrier and row.carrier_id is not None:
            found[row.outbox_id] = Unreported(
                known.outbox_id, known.carrier, row.carrier_id, row.began_at
            )
    return list(found.values())


_PUT_OFF = Prepared(
    update(outbox)
    .where(outbox.c.id == bindparam("of_id"), outbox.c.state == State.SENT)
    .values(due_at=bindparam("new_due", type_=Utc))
)


def put_off(db: Connection, times: Iterable[tuple[int, datetime]]) -> None:
    """Say when texts, by id, are asked about next, unless something final is known."""
    _PUT_OFF.many(db, [{"of_id": id, "new_due": due_at} for id, due_at in times])


_turn = Upsert(
    channel_state,
    channel_state.c.name,
    change=lambda new: {"asked_at": new.asked_at},
    where=lambda new: or_(
        channel_state.c.asked_at.is_(None),
        channel_state.c.asked_at <= bindparam("asked_before", type_=Utc),
    ),
)


def take_turn(
    db: Connection, *, channel: str, every_seconds: float, at: datetime
) -> bool:
    """Take the turn to ask a channel for incoming texts; False if it is not yet time.

    Of two that try at once one gets it.
    """
    return _turn(
        db,
        name=channel,
        asked_at=at,
        changed_at=at,
        asked_before=at - timedelta(seconds=every_seconds),
    )


_ASKED = select(channel_state.c.name, channel_state.c.asked_at).where(
    channel_state.c.name.in_(bindparam("channels", expanding=True))
)


def may_ask(
    db: Connection, channels: Sequence[tuple[str, float]], *, at: datetime
) -> bool:
    """Whether it is time to ask any of these channels, given with their seconds."""
    names = [name for name, _ in channels]
    asked = {row.name: row.asked_at for row in db.execute(_ASKED, {"channels": names})}
    return any(
        (when := asked.get(name)) is None or when <= at - timedelta(seconds=seconds)
        for name, seconds in channels
    )
