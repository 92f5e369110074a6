"""Sends to many: prepared, approved by others, and carried out little by little.

Whoever prepares one sees its size first. Above a limit others have to agree before it
can start, and nobody counts twice. Each act is an event about the first, with who did
it; the send itself is `ledger.promising`'s.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from ledger import events
from ledger.audience import Audience, Reached
from ledger.engine import LedgerError
from ledger.once import Once
from ledger.outbox import NEVER, State
from ledger.schema import bulk, bulk_approval, event, outbox
from phone.digits import fold

__all__ = [
    "CHANNEL",
    "Bulk",
    "BulkState",
    "Refused",
    "approve",
    "approved_by",
    "cancel",
    "end",
    "find",
    "halted",
    "hold_back",
    "left_out",
    "listed",
    "named",
    "note",
    "pause",
    "prepare",
    "progress",
    "resume",
    "start",
]

# What an operator's acts come over.
CHANNEL = "operator"
COST_CHARS_MAX = 32


class Refused(LedgerError):
    """The act is not possible; says why."""


class BulkState(StrEnum):
    """How far a send has come."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Bulk:
    """A send to many. `size`, `parts` and `cost` are what was shown before it began."""

    id: int
    name: str
    event_id: int
    campaign: str
    template: str
    slots: Mapping[str, str | int]
    menus: str
    audience: Audience
    test: bool
    size: int
    parts: int
    cost: str
    state: BulkState
    # How many people it needs in all, whoever prepared it among them.
    approvals: int
    made_by: str
    cursor: int
    promised: int
    # Not before, and not after.
    at: datetime
    expires_at: datetime
    changed_at: datetime


_insert = Once(bulk, bulk.c.name, returning=bulk.c.id)
_approve = Once(
    bulk_approval,
    bulk_approval.c.bulk_id,
    bulk_approval.c.who,
    returning=bulk_approval.c.bulk_id,
)


def prepare(
    db: Connection,
    *,
    name: str,
    template: str,
    slots: Mapping[str, str | int],
    menus: str,
    audience: Audience,
    reached: Reached,
    parts: int,
    cost: str,
    approvals: int,
    by: str,
    begins_at: datetime,
    expires_at: datetime,
    at: datetime,
) -> Bulk:
    """Write down a send that waits to be approved and started; raises Refused."""
    if find(db, name) is not None:
        raise Refused(f"there is a send {name} already")
    if not reached.size:
        raise Refused("nobody would get it")
    told: dict[str, str | int] = {
        "name": name,
        "by": by,
        "template": template,
        "size": reached.size,
        "no_consent": reached.no_consent,
        "stopped": reached.stopped,
        "erased": reached.erased,
        "approvals": approvals,
    }
    recorded = events.record(
        db,
        key=f"send:{name}:prepared",
        kind="send.prepared",
        body=told,
        campaign=audience.campaign,
        channel=CHANNEL,
        test=audience.test,
        at=at,
    )
    made = _insert(
        db,
        name=name,
        event_id=recorded.event_id,
        campaign=audience.campaign,
        template=template,
        slots=dict(slots),
        menus=menus,
        audience=audience.as_json(),
        test=audience.test,
        size=reached.size,
        parts=parts,
        # A cut figure would be another one.
        cost=cost if len(cost) <= COST_CHARS_MAX else "",
        state=BulkState.WAITING,
        approvals=approvals,
        made_by=by,
        at=begins_at,
        expires_at=expires_at,
        changed_at=at,
    )
    assert made is not None
    return named(db, name)


def approve(db: Connection, name: str, *, by: str, at: datetime) -> Bulk:
    """Agree to a send that somebody else prepared; raises Refused."""
    found = named(db, name, lock=True)
    if found.state is not BulkState.WAITING:
        raise Refused(f"{name} is {found.state}: there is nothing to approve")
    if fold(by) == fold(found.made_by):
        raise Refused(f"{by} prepared {name}: somebody else has to approve it")
    others = {fold(who) for who in approved_by(db, found)}
    if fold(by) in others or _approve(db, bulk_id=found.id, who=by, at=at) is None:
        raise Refused(f"{by} has approved {name} already")
    note(db, found, "approved", by=by, at=at, number=len(approved_by(db, found)))
    return found


def start(db: Connection, name: str, *, by: str, at: datetime) -> Bulk:
    """Let a send begin; raises Refused while people are missing."""
    found = named(db, name, lock=True)
    if at >= found.expires_at:
        raise Refused(f"{name} has expired: prepare another")
    others = approved_by(db, found)
    missing = found.approvals - 1 - len(others)
    if found.state is BulkState.WAITING and missing > 0:
        raise Refused(f"{name} is for {found.size} people: {missing} more must approve")
    _move(db, found, (BulkState.WAITING,), BulkState.RUNNING, at=at)
    # With one that says it is enough, the books tell so.
    people = {"people": 1 + len(others), "needed": found.approvals}
    note(db, found, "started", by=by, at=at, **people)
    return named(db, name)


def pause(db: Connection, name: str, *, by: str, at: datetime) -> Bulk:
    """Promise nothing more, and hold what has not left; raises Refused."""
    found = named(db, name, lock=True)
    _move(db, found, (BulkState.RUNNING,), BulkState.PAUSED, at=at)
    hold_back(db, found)
    note(db, found, "paused", by=by, at=at)
    return named(db, name)


def resume(db: Connection, name: str, *, by: str, at: datetime) -> Bulk:
    """Go on where a pause began; raises Refused."""
    found = named(db, name, lock=True)
    _move(db, found, (BulkState.PAUSED,), BulkState.RUNNING, at=at)
    _release(db, found, at)
    note(db, found, "resumed", by=by, at=at)
    return named(db, name)


def cancel(db: Connection, name: str, *, by: str, at: datetime) -> Bulk:
    """Give a send up; what has not left is withdrawn. Raises Refused."""
    found = named(db, name, lock=True)
    unfinished = (BulkState.WAITING, BulkState.RUNNING, BulkState.PAUSED)
    _move(db, found, unfinished, BulkState.CANCELLED, at=at)
    withdrawn = db.execute(
        update(outbox)
        .where(outbox.c.bulk_id == found.id, outbox.c.state == State.QUEUED)
        .values(state=State.WITHDRAWN, changed_at=at)
    ).rowcount
    note(db, found, "cancelled", by=by, at=at, withdrawn=withdrawn)
    return named(db, name)


def end(db: Connection, found: Bulk, *, at: datetime) -> None:
    """Write down that a send is over; what was held back expires by itself."""
    _move(db, found, (BulkState.RUNNING, BulkState.PAUSED), BulkState.DONE, at=at)
    _release(db, found, at)
    note(db, found, "done", by="yarigar", at=at, promised=found.promised)


def find(db: Connection, name: str, *, lock: bool = False) -> Bulk | None:
    """The send of that name; with `lock` nobody else acts on it meanwhile."""
    wanted = select(bulk).where(bulk.c.name == name)
    row = db.execute(wanted.with_for_update() if lock else wanted).first()
    return None if row is None else _bulk(row)


def named(db: Connection, name: str, *, lock: bool = False) -> Bulk:
    """The send of that name; raises Refused where there is none."""
    found = find(db, name, lock=lock)
    if found is None:
        raise Refused(f"there is no send {name}: see `yarigar send list`")
    return found


def listed(db: Connection, *states: BulkState, limit: int = 100) -> list[Bulk]:
    """Sends in these states, or in any: the latest first."""
    wanted = select(bulk).order_by(bulk.c.id.desc()).limit(limit)
    if states:
        wanted = wanted.where(bulk.c.state.in_(states))
    return [_bulk(row) for row in db.execute(wanted)]


def approved_by(db: Connection, found: Bulk) -> Sequence[str]:
    """Who approved a send, in the order in which they did."""
    return db.scalars(
        select(bulk_approval.c.who)
        .where(bulk_approval.c.bulk_id == found.id)
        .order_by(bulk_approval.c.at, bulk_approval.c.who)
    ).all()


def left_out(db: Connection, found: Bulk) -> Mapping[str, int]:
    """Who fitted and was left out when it was prepared, by the reason."""
    body = db.scalar(select(event.c.body).where(event.c.id == found.event_id))
    assert body is not None
    return {why: int(body[why]) for why in ("no_consent", "stopped", "erased")}


def progress(db: Connection, found: Bulk) -> dict[State, int]:
    """How many of its texts are in each state; every state has a count."""
    counts = dict.fromkeys(State, 0)
    for state, count in db.execute(
        select(outbox.c.state, func.count())
        .where(outbox.c.bulk_id == found.id)
        .group_by(outbox.c.state)
    ):
        counts[State(state)] = count
    return counts


_HALTED = (
    select(outbox.c.id, bulk.c.state)
    .join(bulk, bulk.c.id == outbox.c.bulk_id)
    .where(
        outbox.c.id.in_(bindparam("texts", expanding=True)),
        bulk.c.state.in_([BulkState.PAUSED, BulkState.CANCELLED]),
    )
)


def halted(db: Connection, outbox_ids: Collection[int]) -> dict[int, BulkState]:
    """Those of these texts whose send is paused or cancelled, and which it is.

    Somebody had claimed them when that was said, or they came back from a carrier.
    """
    if not outbox_ids:
        return {}
    found = db.execute(_HALTED, {"texts": sorted(outbox_ids)})
    return {row.id: BulkState(row.state) for row in found}


def hold_back(db: Connection, found: Bulk) -> int:
    """Keep what has not left from leaving; how many texts that are."""
    return db.execute(
        update(outbox)
        .where(
            outbox.c.bulk_id == found.id,
            outbox.c.state == State.QUEUED,
            outbox.c.due_at < NEVER,
        )
        .values(due_at=NEVER)
    ).rowcount


def _release(db: Connection, found: Bulk, at: datetime) -> None:
    db.execute(
        update(outbox)
        .where(
            outbox.c.bulk_id == found.id,
            outbox.c.state == State.QUEUED,
            outbox.c.due_at == NEVER,
        )
        .values(due_at=at)
    )


def _move(
    db: Connection,
    found: Bulk,
    before: Sequence[BulkState],
    state: BulkState,
    *,
    at: datetime,
) -> None:
    moved = db.execute(
        update(bulk)
        .where(bulk.c.id == found.id, bulk.c.state.in_(before))
        .values(state=state, changed_at=at)
    )
    if moved.rowcount != 1:
        raise Refused(f"{found.name} is {found.state}: it cannot become {state}")


def note(
    db: Connection, found: Bulk, act: str, *, by: str, at: datetime, **told: str | int
) -> None:
    """Record who did what to a send."""
    when = at.isoformat(timespec="microseconds")
    events.record(
        db,
        key=f"send:{found.name}:{act}:{when}",
        kind=f"send.{act}",
        body={"name": found.name, "by": by, **told},
        about_id=found.event_id,
        campaign=found.campaign,
        channel=CHANNEL,
        test=found.test,
        at=at,
    )


def _bulk(row: Any) -> Bulk:
    values = {one.name: getattr(row, one.name) for one in fields(Bulk)}
    values["state"] = BulkState(row.state)
    values["audience"] = Audience(**row.audience)
    return Bulk(**values)
