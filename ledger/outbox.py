"""Texts that are promised, and how far each has come.

A text is promised in the transaction of the fact it tells of. `claims` hands them out
to whoever delivers; here are their states, which news may only raise, and what time
and people do to those that have not left yet.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, case, func, select, update

from ledger.once import Once
from ledger.prepared import Prepared
from ledger.schema import Utc, outbox

__all__ = [
    "NEVER",
    "WORKERS",
    "Kind",
    "State",
    "due",
    "expire",
    "next_due",
    "promise",
    "raise_state",
    "state_counts",
    "withdraw",
]

# For a text that waits for its receipt and for nothing else.
NEVER = datetime(9000, 1, 1, tzinfo=UTC)

# In `via`: the workers' to carry. Else it is the name of the channel whose process
# carries the text, or empty as long as nobody has looked where it belongs.
WORKERS = "*"


class Kind(StrEnum):
    """Why a text is sent, in the order in which texts leave."""

    RECEIPT = "receipt"
    SERVICE = "service"
    CAMPAIGN = "campaign"


class State(StrEnum):
    """How far a text has come."""

    QUEUED = "queued"
    SENDING = "sending"
    UNCLEAR = "unclear"
    SENT = "sent"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    FAILED = "failed"
    DELIVERED = "delivered"


# News that comes late, doubled or in the wrong order may only raise a state. A handset
# that has the text outranks everything that was believed before.
RANKS: Mapping[State, int] = {
    State.QUEUED: 0,
    State.SENDING: 1,
    State.UNCLEAR: 2,
    State.SENT: 3,
    State.WITHDRAWN: 4,
    State.EXPIRED: 5,
    State.FAILED: 8,
    State.DELIVERED: 9,
}


_promise_once = Once(
    outbox, outbox.c.event_id, outbox.c.template, returning=outbox.c.id
)
_PROMISED = select(outbox.c.id).where(
    outbox.c.event_id == bindparam("of_event"),
    outbox.c.template == bindparam("of_template"),
)


def promise(
    db: Connection,
    *,
    event_id: int,
    person_id: int,
    template: str,
    slots: Mapping[str, str | int],
    language: str,
    menus: str,
    kind: Kind | str,
    campaign: str | None,
    test: bool,
    at: datetime,
    expires_at: datetime,
    due_at: datetime | None = None,
    carrier: str | None = None,
) -> int:
    """Promise a text, in the transaction of the event it tells of; returns its id.

    `carrier` is the channel to send it over if that can be: of a reply, the one whose
    line was written to. An event has one text of a template: promising it again
    returns the first.
    """
    assert expires_at > at
    new = _promise_once(
        db,
        event_id=event_id,
        person_id=person_id,
        template=template,
        slots=dict(slots),
        language=language,
        menus=menus,
        kind=Kind(kind),
        campaign=campaign,
        test=test,
        state=State.QUEUED,
        promised_at=at,
        due_at=due_at or at,
        expires_at=expires_at,
        changed_at=at,
        carrier=carrier,
    )
    if new is None:
        new = db.scalar(_PROMISED, {"of_event": event_id, "of_template": template})
    assert isinstance(new, int)
    return new


def _rank(column: Any) -> Any:
    return case(
        {state.value: rank for state, rank in RANKS.items()}, value=column, else_=0
    )


_RAISE = Prepared(
    update(outbox)
    .where(
        outbox.c.id == bindparam("of_id"),
        _rank(outbox.c.state) < bindparam("to_rank", type_=Integer),
    )
    .values(state=bindparam("to_state"), changed_at=bindparam("now", type_=Utc))
)


def raise_state(db: Connection, *, outbox_id: int, state: State, at: datetime) -> bool:
    """Raise a text's state; False if it is there already or beyond."""
    raised = _RAISE.run(
        db, of_id=outbox_id, to_rank=RANKS[state], to_state=state, now=at
    )
    return raised == 1


# As far as one look goes: who waits behind so many is found when they are gone.
OVERDUE_LOOK = 5000
_candidate = outbox.alias("candidate")
_waiting = (
    select(_candidate.c.id, _candidate.c.expires_at)
    .where(
        _candidate.c.state == State.QUEUED,
        _candidate.c.kind == bindparam("of_kind"),
        _candidate.c.via == bindparam("of_via"),
        _candidate.c.due_at <= bindparam("now", type_=Utc),
    )
    .order_by(_candidate.c.due_at)
    .limit(OVERDUE_LOOK)
    .cte("waiting")
)
_EXPIRE = Prepared(
    update(outbox)
    .where(
        outbox.c.id.in_(
            select(_waiting.c.id)
            .where(_waiting.c.expires_at <= bindparam("now", type_=Utc))
            .limit(bindparam("room", type_=Integer))
        ),
        # Somebody may have claimed it since it was looked at.
        outbox.c.state == State.QUEUED,
    )
    .values(state=State.EXPIRED, changed_at=bindparam("now", type_=Utc))
    # SQLite counts no rows of a statement that begins with WITH.
    .returning(outbox.c.id)
)


def expire(
    db: Connection,
    *,
    at: datetime,
    vias: Collection[str] = ("", WORKERS),
    limit: int = 1000,
) -> int:
    """Close texts that nobody sent in time; an old text is worse than none.

    Of `vias`, whoever is to carry them; `limit` at most of each, and of each kind.
    """
    return sum(
        len(_EXPIRE.all(db, of_kind=kind, of_via=via, now=at, room=limit))
        for kind in Kind
        for via in vias
    )


def withdraw(
    db: Connection,
    *,
    at: datetime,
    person_id: int | None = None,
    event_id: int | None = None,
) -> int:
    """Take back what is not sent yet, of an erased person or of an event; how many."""
    assert (person_id is None) != (event_id is None)
    of = (
        outbox.c.person_id == person_id
        if event_id is None
        else outbox.c.event_id == event_id
    )
    return db.execute(
        update(outbox)
        .where(of, outbox.c.state == State.QUEUED)
        .values(state=State.WITHDRAWN, changed_at=at)
    ).rowcount


_NEXT = Prepared(
    select(
        *(
            select(func.min(outbox.c.due_at))
            .where(
                outbox.c.state == state,
                outbox.c.kind == kind,
                outbox.c.via == bindparam(via),
            )
            .scalar_subquery()
            for state in (State.QUEUED, State.UNCLEAR)
            for kind in Kind
            for via in ("own", "anybodys")
        ),
        select(func.min(outbox.c.lease_until))
        .where(outbox.c.state == State.SENDING)
        .scalar_subquery(),
    )
)


def next_due(db: Connection, *, via: str = WORKERS) -> datetime | None:
    """When who carries `via` has something to do next, also as to leases; or None."""
    times = _NEXT.first(db, own=via, anybodys="") or ()
    return min((at for at in times if at is not None and at < NEVER), default=None)


def due(db: Connection, *, at: datetime, via: str = WORKERS) -> bool:
    """Say whether who carries `via` has something to do now."""
    when = next_due(db, via=via)
    return when is not None and when <= at


_COUNTS = select(outbox.c.state, func.count()).group_by(outbox.c.state)


def state_counts(db: Connection) -> dict[State, int]:
    """How many texts are in each state; every state has a count."""
    counts = dict.fromkeys(State, 0)
    for state, count in db.execute(_COUNTS):
        counts[State(state)] = count
    return counts
