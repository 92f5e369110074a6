"""Texts that wait for somebody who does not come.

A channel can be taken out of the settings, or be carried by others from one day to the
next, while texts are its own. Whose texts there are is read from the index, one at a
time, however many texts wait.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, Integer, bindparam, func, select, update

from ledger.claims import free
from ledger.outbox import NEVER, WORKERS, Kind, State
from ledger.prepared import Prepared
from ledger.schema import Utc, outbox

__all__ = ["bury", "hand_on", "owners"]

# A text in doubt that was due so long ago and expired so long ago is a dead letter.
BURIED_AFTER = timedelta(days=1)

_NEXT = Prepared(
    select(func.min(outbox.c.via)).where(
        outbox.c.state == bindparam("of_state"),
        outbox.c.kind == bindparam("of_kind"),
        outbox.c.via > bindparam("last"),
    )
)
_candidate = outbox.alias("candidate")
_doubted = (
    select(_candidate.c.id)
    .where(
        _candidate.c.state == State.UNCLEAR,
        _candidate.c.kind.in_(list(Kind)),
        _candidate.c.via == bindparam("of_via"),
    )
    .limit(bindparam("room", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte("doubted")
)
_HAND_ON = (
    update(outbox)
    .where(outbox.c.id.in_(select(_doubted.c.id)))
    .values(via=WORKERS)
    .returning(outbox.c.id)
)
_forgotten = (
    select(_candidate.c.id)
    .where(
        _candidate.c.state == State.UNCLEAR,
        _candidate.c.kind.in_(list(Kind)),
        _candidate.c.via == bindparam("of_via"),
        _candidate.c.due_at < bindparam("before", type_=Utc),
        _candidate.c.expires_at < bindparam("before", type_=Utc),
    )
    .limit(bindparam("room", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte("forgotten")
)
_BURY = (
    update(outbox)
    .where(outbox.c.id.in_(select(_forgotten.c.id)))
    .values(due_at=NEVER)
    .returning(outbox.c.id)
)


def owners(db: Connection) -> set[str]:
    """Whose texts are queued or in doubt, as `outbox.via` has it; never empty ones."""
    found: set[str] = set()
    for state in (State.QUEUED, State.UNCLEAR):
        for kind in Kind:
            last = ""
            while via := _NEXT.scalar(db, of_state=state, of_kind=kind, last=last):
                found.add(via)
                last = via
    return found


def hand_on(db: Connection, *, via: str, limit: int = 1000) -> int:
    """Give the texts of one who is not there any more to others; how many.

    What is queued is anybody's. Of what is in doubt the workers know what can be asked.
    """
    doubted = db.execute(_HAND_ON, {"of_via": via, "room": limit}).all()
    return free(db, via=via, limit=limit) + len(doubted)


def bury(
    db: Connection, *, vias: Collection[str], at: datetime, limit: int = 1000
) -> int:
    """Make dead letters of texts in doubt that nobody has asked about; how many."""
    before = at - BURIED_AFTER
    return sum(
        len(db.execute(_BURY, {"of_via": v, "before": before, "room": limit}).all())
        for v in sorted(vias)
    )
