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
from types import MappingProxyType
from typing import Any, NamedTuple

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

from ledger.outbox import WORKERS, Kind, State
from ledger.parts import Before, parts_of
from ledger.prepared import Prepared
from ledger.schema import Utc, attempt, outbox, part, person

__all__ = ["Claimed", "claim", "free", "reclaim", "renew"]

# So much of a claim may be texts to ask about, however many they are.
UNCLEAR_SHARE = 4
# So much may be texts that are known to be ours while others wait for anybody.
OURS_SHARE = 2


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
    # Whose it was to carry before it was claimed.
    via: str
    attempts: int
    # The channel of the last attempt; before the first, the one it is meant for.
    carrier: str | None
    # The last attempt may have reached the carrier: ask before sending again.
    doubtful: bool
    # Every channel an attempt went to, in order, and when the last of them began.
    tried: tuple[str, ...]
    attempted_at: datetime | None
    # How many attempts a carrier failed at for reasons of its own.
    failures: int
    # What became of its parts, where they were handed over one by one.
    before: Before | None
    # The person's keyed hash, for the stop list; None once erased.
    look_up: bytes | None = field(repr=False)
    # How many attempts nobody knows the end of.
    doubts: int = 0


class _Row(NamedTuple):
    """As much of an outbox row as a claim is made of."""

    id: int
    event_id: int
    person_id: int
    template: str
    slots: Mapping[str, str | int]
    language: str
    menus: str
    kind: str
    campaign: str | None
    test: bool
    promised_at: datetime
    due_at: datetime
    expires_at: datetime
    via: str
    attempts: int
    carrier: str | None


_candidate = outbox.alias("candidate")
# A common table expression, because PostgreSQL may run a subquery with a limit twice.
_due = (
    select(_candidate.c.id)
    .where(
        _candidate.c.state == bindparam("from_state"),
        _candidate.c.kind == bindparam("of_kind"),
        _candidate.c.via == bindparam("of_via"),
        _candidate.c.due_at <= bindparam("now", type_=Utc),
    )
    .order_by(_candidate.c.due_at, _candidate.c.id)
    .limit(bindparam("room", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte("due")
)
# RETURNING gives the row as it is now, `via` as it was: nothing here changes it.
_CLAIM = Prepared(
    update(outbox)
    .where(outbox.c.id.in_(select(_due.c.id)))
    .values(
        state=State.SENDING,
        lease_owner=bindparam("to_owner"),
        lease_until=bindparam("until", type_=Utc),
        changed_at=bindparam("now", type_=Utc),
    )
    .returning(*(outbox.c[name] for name in _Row._fields))
)
# Which of the twelve claims would find anything: each looks at one end of an index.
_WAITING = Prepared(
    select(
        *(
            exists().where(
                outbox.c.state == state,
                outbox.c.kind == kind,
                outbox.c.via == bindparam(via),
                outbox.c.due_at <= bindparam("now", type_=Utc),
            )
            for kind in Kind
            for state in (State.UNCLEAR, State.QUEUED)
            for via in ("own", "anybodys")
        )
    )
)
_LOOK_UPS = select(person.c.id, person.c.look_up).where(
    person.c.id.in_(bindparam("people", expanding=True))
)
_TRIED = (
    select(
        attempt.c.outbox_id, attempt.c.carrier, attempt.c.began_at, attempt.c.outcome
    )
    .where(attempt.c.outbox_id.in_(bindparam("texts", expanding=True)))
    .order_by(attempt.c.outbox_id, attempt.c.number)
)


def claim(
    db: Connection,
    *,
    owner: str,
    at: datetime,
    lease_seconds: float,
    limit: int,
    via: str = WORKERS,
    held: Mapping[Kind, int] = MappingProxyType({}),
) -> list[Claimed]:
    """Take due texts for `owner`: receipts first, then the oldest.

    Texts that are `via`'s to carry, and those of which nobody has said whose they are.
    So many are taken that the owner has `limit` at most with those it has `held` until
    now; texts of a later kind never stand in the way of an earlier one's. Two that
    claim at the same time never get the same row.
    """
    assert limit > 0
    found: list[tuple[bool, _Row]] = []
    waiting = iter(_WAITING.first(db, now=at, own=via, anybodys="") or ())
    holds = 0
    for kind in Kind:
        holds += held.get(kind, 0)
        share = max(1, limit // UNCLEAR_SHARE)
        for state, most in ((State.UNCLEAR, share), (State.QUEUED, limit)):
            own, anybodys = next(waiting), next(waiting)
            own_most = max(1, most // OURS_SHARE) if anybodys else most
            for of_via, is_any, at_most in (
                (via, own, own_most),
                ("", anybodys, most),
            ):
                room = min(limit - holds - len(found), at_most)
                if not is_any or room <= 0:
                    continue
                taken = _CLAIM.all(
                    db,
                    from_state=state,
                    of_kind=kind,
                    of_via=of_via,
                    now=at,
                    room=room,
                    to_owner=owner,
                    until=at + timedelta(seconds=lease_seconds),
                )
                rows = sorted(map(_Row._make, taken), key=lambda r: (r.due_at, r.id))
                found += [(state is State.UNCLEAR, row) for row in rows]
    return _with_people(db, found)


def _with_people(db: Connection, found: Sequence[tuple[bool, _Row]]) -> list[Claimed]:
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
    before = parts_of(db, again)
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
            via=row.via,
            attempts=row.attempts,
            carrier=row.carrier,
            doubtful=doubtful,
            tried=tuple(entry.carrier for entry in journal[row.id]),
            attempted_at=journal[row.id][-1].began_at if journal[row.id] else None,
            failures=sum(entry.outcome == "retryable" for entry in journal[row.id]),
            before=before.get(row.id),
            look_up=look_ups[row.person_id],
            doubts=sum(entry.outcome == "ambiguous" for entry in journal[row.id]),
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


_ABANDON_PARTS = (
    update(part)
    .where(
        part.c.outbox_id.in_(bindparam("texts", expanding=True)),
        part.c.outcome.is_(None),
    )
    .values(outcome="ambiguous", ended_at=bindparam("now", type_=Utc))
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
        db.execute(_ABANDON_PARTS, {"now": at, "texts": texts})
    return len(texts)


_left_alone = (
    select(_candidate.c.id)
    .where(
        _candidate.c.state == State.QUEUED,
        _candidate.c.kind.in_(list(Kind)),
        _candidate.c.via == bindparam("of_via"),
        ~exists().where(
            part.c.outbox_id == _candidate.c.id, part.c.outcome == "accepted"
        ),
    )
    .limit(bindparam("room", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte("left_alone")
)
_FREE = (
    update(outbox)
    .where(outbox.c.id.in_(select(_left_alone.c.id)))
    .values(via="")
    .returning(outbox.c.id)
)


def free(db: Connection, *, via: str, limit: int = 1000) -> int:
    """Give the queued texts of one who is not there to anybody; how many.

    A text of which a part was taken stays: nobody else could send the rest of it.
    """
    return len(db.execute(_FREE, {"of_via": via, "room": limit}).all())
