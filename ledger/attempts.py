"""The journal of every attempt to send a text.

An attempt is written down before its call and finished after it, so that a process that
dies during the call leaves a trace: an attempt without an outcome, which says that the
carrier may have the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from sqlalchemy import Connection, bindparam, func, insert, or_, update

from ledger.outbox import WORKERS, State, raise_state
from ledger.prepared import Prepared
from ledger.schema import Utc, attempt, outbox

__all__ = ["Begun", "Closed", "Ended", "begin", "close", "end"]

DETAIL_CHARS_MAX = 200


@dataclass(frozen=True, slots=True)
class Begun:
    """A call that is about to be made.

    `carrier_id` is what the carrier will call the text, where that is known before.
    """

    outbox_id: int
    carrier: str
    carrier_id: str | None = None
    parts: int | None = None
    # As "1150 rial".
    estimate: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of an attempt, and the text's state after it.

    Without a state the text stays with its owner, who goes on with it.
    """

    outbox_id: int
    number: int
    outcome: str
    state: State | None = None
    due_at: datetime | None = None
    carrier_id: str | None = None
    detail: str = ""
    parts: int | None = None
    cost: str | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """A claimed text that goes back without a call.

    Without `due_at` it is due as before, without `via` it stays with who carried it;
    `why` is kept where it went nowhere.
    """

    outbox_id: int
    state: State
    due_at: datetime | None = None
    via: str | None = None
    why: str | None = None


_OURS = (
    outbox.c.lease_owner == bindparam("whose"),
    outbox.c.state == State.SENDING,
)
_BEGIN = (
    update(outbox)
    .where(outbox.c.id.in_(bindparam("texts", expanding=True)), *_OURS)
    .values(
        attempts=outbox.c.attempts + 1,
        carrier=bindparam("to_carrier"),
        via=bindparam("to_via"),
        lease_until=bindparam("until", type_=Utc),
    )
    .returning(outbox.c.id, outbox.c.attempts)
)
_ATTEMPT = Prepared(insert(attempt))


def begin(
    db: Connection,
    begun: Sequence[Begun],
    *,
    owner: str,
    at: datetime,
    lease_seconds: float,
    via: str = WORKERS,
) -> dict[int, int]:
    """Write down that calls are about to be made: each attempt's number, by its text.

    `via` is who makes them, and can be asked about them later. A text that is not in
    the answer is no longer the owner's and must not be sent. Commit before the calls,
    or a death during one leaves no trace.
    """
    numbers: dict[int, int] = {}
    by_carrier: dict[str, list[int]] = {}
    for one in begun:
        by_carrier.setdefault(one.carrier, []).append(one.outbox_id)
    for carrier, texts in by_carrier.items():
        given = {
            "texts": texts,
            "whose": owner,
            "to_carrier": carrier,
            "to_via": via,
            "until": at + timedelta(seconds=lease_seconds),
        }
        numbers.update((row.id, row.attempts) for row in db.execute(_BEGIN, given))
    _ATTEMPT.many(
        db,
        [
            {
                "outbox_id": one.outbox_id,
                "number": numbers[one.outbox_id],
                "carrier": one.carrier,
                "began_at": at,
                "carrier_id": one.carrier_id,
                "parts": one.parts,
                "estimate": one.estimate,
            }
            for one in begun
            if one.outbox_id in numbers
        ],
    )
    return numbers


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
        cost=func.coalesce(bindparam("with_cost"), attempt.c.cost),
    )
)


def end(db: Connection, ended: Sequence[Ended], *, owner: str, at: datetime) -> None:
    """Write down what became of attempts, and give their texts back.

    An outcome that is surely known already is kept. Where the lease was lost meanwhile,
    what the carrier took is believed, because that is a fact whoever learned it; and
    what it surely did not take, as long as nobody has gone on with the text.
    """
    _NOTE.many(
        db,
        [
            {
                "of_id": one.outbox_id,
                "of_number": one.number,
                "now": at,
                "with_outcome": one.outcome,
                "with_id": one.carrier_id,
                "with_detail": one.detail[:DETAIL_CHARS_MAX],
                "with_parts": one.parts,
                "with_cost": one.cost,
            }
            for one in ended
        ],
    )
    back = [
        Closed(one.outbox_id, one.state, one.due_at)
        for one in ended
        if one.state is not None
    ]
    if close(db, back, owner=owner, at=at) == len(back):
        return
    for one in ended:
        if one.state in (State.SENT, State.DELIVERED):
            raise_state(db, outbox_id=one.outbox_id, state=one.state, at=at)
        elif one.state in (State.QUEUED, State.FAILED):
            _SETTLE.run(
                db,
                of_id=one.outbox_id,
                of_number=one.number,
                to_state=one.state,
                new_due=one.due_at,
                now=at,
            )


# In doubt only because its call was thought to be lost.
_SETTLE = Prepared(
    update(outbox)
    .where(
        outbox.c.id == bindparam("of_id"),
        outbox.c.state == State.UNCLEAR,
        outbox.c.attempts == bindparam("of_number"),
    )
    .values(
        state=bindparam("to_state"),
        due_at=func.coalesce(bindparam("new_due", type_=Utc), outbox.c.due_at),
        changed_at=bindparam("now", type_=Utc),
    )
)
_CLOSE = Prepared(
    update(outbox)
    .where(outbox.c.id == bindparam("of_id"), *_OURS)
    .values(
        state=bindparam("to_state"),
        due_at=func.coalesce(bindparam("new_due", type_=Utc), outbox.c.due_at),
        via=func.coalesce(bindparam("new_via"), outbox.c.via),
        closed_why=func.coalesce(bindparam("new_why"), outbox.c.closed_why),
        lease_owner=None,
        lease_until=None,
        changed_at=bindparam("now", type_=Utc),
    )
)


def close(db: Connection, closed: Iterable[Closed], *, owner: str, at: datetime) -> int:
    """Give claimed texts back in new states; how many were still the owner's."""
    return _CLOSE.many(
        db,
        [
            {
                "of_id": one.outbox_id,
                "whose": owner,
                "to_state": one.state,
                "new_due": one.due_at,
                "new_via": one.via,
                "new_why": one.why,
                "now": at,
            }
            # In one order everywhere, so that two who meet do not wait for each other.
            for one in sorted(closed, key=attrgetter("outbox_id"))
        ],
    )
