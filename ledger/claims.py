"""Who is delivering which text now.

A row is claimed with a lease, and nothing is locked while it is delivered. A process
that dies leaves a lease that runs out and, if it died during a call, an attempt without
an outcome: that text is `unclear`, not `queued`, and the carrier is asked before it is
sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    bindparam,
    case,
    exists,
    literal,
    or_,
    select,
    update,
)

from ledger.outbox import Kind, State
from ledger.prepared import Prepared
from ledger.schema import Utc, attempt, outbox, person

__all__ = ["Claimed", "claim", "reclaim", "renew"]

# So much of a claim may be texts to ask about, however many they are.
UNCLEAR_SHARE = 4


@dataclass(frozen=True, slots=True)
class Claimed:
    """A text that is ours to deliver until the lease runs out."""

    id: int
    event_id: int
    person_id: int
    template: str
    slots: Mapping[str, str | int] = field(repr=False)
    language: str
    menus: str
    kind: Kind
    campaign: str | None
    test: bool
    promised_at: datetime
    expires_at: datetime
    attempts: int
    # The channel of the last attempt.
    carrier: str | None
    # The last attempt may have reached the carrier: ask before sending again.
    doubtful: bool
    # Every channel an attempt went to, in order, and when the last of them began.
    tried: tuple[str, ...]
    attempted_at: datetime | None
    # The person's keyed hash, for the stop list; None once erased.
    look_up: bytes | None = field(repr=False)


_candidate = outbox.alias("candidate")
# A common table expression, because PostgreSQL may run a subquery with a limit twice.
_due = (
    select(_candidate.c.id)
    .where(
        _candidate.c.state == bindparam("from_state"),
        _candidate.c.kind == bindparam("of_kind"),
        _candidate.c.due_at <= bindparam("now", type_=Utc),
    )
    .order_by(_candidate.c.due_at, _candidate.c.id)
    .limit(bindparam("room", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte("due")
)
_CLAIM = (
    update(outbox)
    .where(outbox.c.id.in_(select(_due.c.id)))
    .values(
        state=State.SENDING,
        lease_owner=bindparam("to_owner"),
        lease_until=bindparam("until", type_=Utc),
        changed_at=bindparam("now", type_=Utc),
    )
    .returning(*outbox.c)
)
# Which of the six claims would find anything: each is a look at one end of an index.
_WAITING = Prepared(
    select(
        *(
            exists()
            .where(
                outbox.c.state == state,
                outbox.c.kind == kind,
                outbox.c.due_at <= bindparam("now", type_=Utc),
            )
            .label(f"{kind}_{state}")
            for kind in Kind
            for state in (State.UNCLEAR, State.QUEUED)
        )
    )
)
_LOOK_UPS = select(person.c.id, person.c.look_up).where(
    person.c.id.in_(bindparam("people", expanding=True))
)
_TRIED = (
    select(attempt.c.outbox_id, attempt.c.carrier, attempt.c.began_at)
    .where(attempt.c.outbox_id.in_(bindparam("texts", expanding=True)))
    .order_by(attempt.c.outbox_id, attempt.c.number)
)


def claim(
    db: Connection, *, owner: str, at: datetime, lease_seconds: float, limit: int
) -> list[Claimed]:
    """Take up to `limit` due texts for `owner`: receipts first, then the oldest.

    Two that claim at the same time never get the same row.
    """
    assert limit > 0
    found: list[tuple[bool, Any]] = []
    waiting = iter(_WAITING.first(db, now=at) or ())
    for kind in Kind:
        share = max(1, limit // UNCLEAR_SHARE)
        for state, most in ((State.UNCLEAR, share), (State.QUEUED, limit)):
            room = min(limit - len(found), most)
            if not next(waiting) or room <= 0:
                continue
            rows = db.execute(
                _CLAIM,
                {
                    "from_state": state,
                    "of_kind": kind,
                    "now": at,
                    "room": room,
                    "to_owner": owner,
                    "until": at + timedelta(seconds=lease_seconds),
                },
            ).all()
            rows = sorted(rows, key=lambda row: (row.due_at, row.id))
            found += [(state is State.UNCLEAR, row) for row in rows]
    return _with_people(db, found)


def _with_people(db: Connection, found: Sequence[tuple[bool, Any]]) -> list[Claimed]:
    if not found:
        return []
    people = sorted({row.person_id for _, row in found})
    look_ups = {
        row.id: row.look_up for row in db.execute(_LOOK_UPS, {"people": people})
    }
    journal: dict[int, list[Any]] = {row.id: [] for _, row in found}
    if again := [row.id for _, row in found if row.attempts]:
        for entry in db.execute(_TRIED, {"texts": again}):
            journal[entry.outbox_id].append(entry)
    return [
        Claimed(
            id=row.id,
            event_id=row.event_id,
            person_id=row.person_id,
            template=row.template,
            slots=row.slots,
            language=row.language,
            menus=row.menus,
            kind=Kind(row.kind),
            campaign=row.campaign,
            test=row.test,
            promised_at=row.promised_at,
            expires_at=row.expires_at,
            attempts=row.attempts,
            carrier=row.carrier,
            doubtful=doubtful,
            tried=tuple(entry.carrier for entry in journal[row.id]),
            attempted_at=journal[row.id][-1].began_at if journal[row.id] else None,
            look_up=look_ups[row.person_id],
        )
        for doubtful, row in found
    ]


_RENEW = (
    update(outbox)
    .where(outbox.c.state == State.SENDING, outbox.c.lease_owner == bindparam("whose"))
    .values(lease_until=bindparam("until", type_=Utc))
)


def renew(db: Connection, *, owner: str, at: datetime, lease_seconds: float) -> None:
    """Keep everything `owner` has claimed for another while."""
    db.execute(_RENEW, {"whose": owner, "until": at + timedelta(seconds=lease_seconds)})


_OWNERS = select(outbox.c.lease_owner).where(outbox.c.state == State.SENDING).distinct()
_lapsed = (
    select(_candidate.c.id)
    .where(
        _candidate.c.state == State.SENDING,
        or_(
            _candidate.c.lease_until <= bindparam("now", type_=Utc),
            _candidate.c.lease_owner.in_(bindparam("gone", expanding=True)),
        ),
    )
    .with_for_update(skip_locked=True)
    .cte("lapsed")
)
_RECLAIM = (
    update(outbox)
    .where(outbox.c.id.in_(select(_lapsed.c.id)))
    .values(
        state=case(
            (
                exists().where(
                    attempt.c.outbox_id == outbox.c.id,
                    attempt.c.number == outbox.c.attempts,
                    or_(attempt.c.outcome.is_(None), attempt.c.outcome == "ambiguous"),
                ),
                literal(State.UNCLEAR.value),
            ),
            else_=literal(State.QUEUED.value),
        ),
        due_at=bindparam("now", type_=Utc),
        lease_owner=None,
        lease_until=None,
        changed_at=bindparam("now", type_=Utc),
    )
    .returning(outbox.c.id)
)
_ABANDON = (
    update(attempt)
    .where(
        attempt.c.outbox_id.in_(bindparam("texts", expanding=True)),
        attempt.c.outcome.is_(None),
    )
    .values(
        outcome="ambiguous",
        ended_at=bindparam("now", type_=Utc),
        detail="the process ended",
    )
)


def reclaim(
    db: Connection,
    *,
    at: datetime,
    is_gone: Callable[[str], bool] = lambda owner: False,
) -> int:
    """Free the texts whose lease ran out or whose owner is surely gone; how many.

    One whose last attempt has no clear outcome becomes unclear, the others queued; all
    are due at once.
    """
    owners = [owner for owner in db.scalars(_OWNERS) if owner is not None]
    if not owners:
        return 0
    gone = [owner for owner in owners if is_gone(owner)]
    texts = list(db.scalars(_RECLAIM, {"now": at, "gone": gone}))
    if texts:
        db.execute(_ABANDON, {"now": at, "texts": texts})
    return len(texts)
