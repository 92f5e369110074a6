"""The journal of every attempt to send a text.

An attempt is written down before its call and finished after it, so that a process that
dies during the call leaves a trace: an attempt without an outcome, which says that the
carrier may have the text.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, insert, or_, update

from ledger.outbox import State, raise_state
from ledger.prepared import Prepared
from ledger.schema import Utc, attempt, outbox

__all__ = ["begin_attempt", "close", "finish", "note_outcome"]

DETAIL_CHARS_MAX = 200

_OURS = (
    outbox.c.id == bindparam("of_id"),
    outbox.c.lease_owner == bindparam("whose"),
    outbox.c.state == State.SENDING,
)
_BEGIN = Prepared(
    update(outbox)
    .where(*_OURS)
    .values(
        attempts=outbox.c.attempts + 1,
        carrier=bindparam("to_carrier"),
        lease_until=bindparam("until", type_=Utc),
    )
    .returning(outbox.c.attempts)
)
_ATTEMPT = Prepared(insert(attempt))


def begin_attempt(
    db: Connection,
    *,
    outbox_id: int,
    owner: str,
    carrier: str,
    at: datetime,
    lease_seconds: float,
    carrier_id: str | None = None,
    parts: int | None = None,
) -> int | None:
    """Write down that a call is about to be made; returns the attempt's number.

    `carrier_id` is what the carrier will call the text, where that is known before.
    None if the text is no longer the owner's: it must not be sent then. Commit before
    the call, or a death during it leaves no trace.
    """
    number = _BEGIN.scalar(
        db,
        of_id=outbox_id,
        whose=owner,
        to_carrier=carrier,
        until=at + timedelta(seconds=lease_seconds),
    )
    if number is None:
        return None
    assert isinstance(number, int)
    _ATTEMPT.run(
        db,
        outbox_id=outbox_id,
        number=number,
        carrier=carrier,
        began_at=at,
        carrier_id=carrier_id,
        parts=parts,
    )
    return number


_NOTE = Prepared(
    update(attempt)
    .where(
        attempt.c.outbox_id == bindparam("of_id"),
        attempt.c.number == bindparam("of_number"),
        # An outcome that is sure stands; doubt and silence give way to it.
        or_(attempt.c.outcome.is_(None), attempt.c.outcome == "ambiguous"),
    )
    .values(
        ended_at=bindparam("now", type_=Utc),
        outcome=bindparam("with_outcome"),
        carrier_id=func.coalesce(bindparam("with_id"), attempt.c.carrier_id),
        detail=bindparam("with_detail"),
        parts=func.coalesce(bindparam("with_parts"), attempt.c.parts),
    )
)


def note_outcome(
    db: Connection,
    *,
    outbox_id: int,
    number: int,
    outcome: str,
    at: datetime,
    carrier_id: str | None = None,
    detail: str = "",
    parts: int | None = None,
) -> None:
    """Write down what became of an attempt; one that is surely known is kept."""
    _NOTE.run(
        db,
        of_id=outbox_id,
        of_number=number,
        now=at,
        with_outcome=outcome,
        with_id=carrier_id,
        with_detail=detail[:DETAIL_CHARS_MAX],
        with_parts=parts,
    )


_CLOSE = Prepared(
    update(outbox)
    .where(*_OURS)
    .values(
        state=bindparam("to_state"),
        due_at=func.coalesce(bindparam("new_due", type_=Utc), outbox.c.due_at),
        lease_owner=None,
        lease_until=None,
        changed_at=bindparam("now", type_=Utc),
    )
)


def close(
    db: Connection,
    *,
    outbox_id: int,
    owner: str,
    state: State,
    at: datetime,
    due_at: datetime | None = None,
) -> bool:
    """Give a claimed text back in a new state; False if it is no longer the owner's."""
    closed = _CLOSE.run(
        db,
        of_id=outbox_id,
        whose=owner,
        to_state=state,
        new_due=due_at,
        now=at,
    )
    return closed == 1


def finish(
    db: Connection,
    *,
    outbox_id: int,
    number: int,
    owner: str,
    outcome: str,
    state: State,
    at: datetime,
    due_at: datetime | None = None,
    carrier_id: str | None = None,
    detail: str = "",
    parts: int | None = None,
) -> bool:
    """Write down an attempt's outcome and give the text back in its new state.

    False if the lease was lost meanwhile: then only what the carrier took is believed,
    because that is a fact whoever learned it.
    """
    note_outcome(
        db,
        outbox_id=outbox_id,
        number=number,
        outcome=outcome,
        at=at,
        carrier_id=carrier_id,
        detail=detail,
        parts=parts,
    )
    if close(db, outbox_id=outbox_id, owner=owner, state=state, at=at, due_at=due_at):
        return True
    if state in (State.SENT, State.DELIVERED):
        raise_state(db, outbox_id=outbox_id, state=state, at=at)
    return False
