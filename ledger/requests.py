"""Acts that need more than one person: asked for, approved, refused or withdrawn.

A request says what would be done and why. With whoever made it counted, it needs so
many people; nobody counts twice, and only who made it takes it back. Each step is an
event of its own. The act itself is done by `gateway.approvals`, in the transaction of
the last approval.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from ledger import events, schema
from ledger.engine import LedgerError
from ledger.once import Once
from phone.digits import fold

__all__ = [
    "CHANNEL",
    "Refused",
    "Request",
    "RequestState",
    "approve",
    "carried_out",
    "find",
    "given_up",
    "listed",
    "make",
    "named",
    "refuse",
    "story",
    "withdraw",
]

# What an operator's acts come over.
CHANNEL = "operator"
WHY_CHARS_MAX = 200
BY_CHARS_MAX = 40
LISTED_MAX = 500
# The words of the event itself: no request asks under these names.
RESERVED = frozenset({"request", "act", "by", "why", "needs", "alone", "number"})


class Refused(LedgerError):
    """The request, or what it asks for, is not possible; says why."""


class RequestState(StrEnum):
    """What became of a request."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for, by whom, and who agreed.

    `needs` counts people in all, who made it among them. `result_id` is the event that
    it led to.
    """

    id: int
    kind: str
    body: Mapping[str, str | int]
    about_id: int | None
    why: str
    made_by: str
    needs: int
    state: RequestState
    event_id: int
    result_id: int | None
    at: datetime
    changed_at: datetime
    approved_by: tuple[str, ...]

    @property
    def missing(self) -> int:
        """How many people have still to agree."""
        return max(0, self.needs - 1 - len(self.approved_by))

    @property
    def is_ready(self) -> bool:
        return self.state is RequestState.WAITING and not self.missing


_request = schema.request.c
_approval = schema.request_approval.c
_insert = insert(schema.request).returning(_request.id)
_approve = Once(
    schema.request_approval,
    _approval.request_id,
    _approval.who,
    returning=_approval.request_id,
)
_about = select(
    schema.event.c.campaign, schema.event.c.purpose, schema.event.c.test
).where(schema.event.c.id == bindparam("of_event"))


def make(
    db: Connection,
    *,
    kind: str,
    body: Mapping[str, str | int],
    about_id: int | None,
    why: str,
    by: str,
    needs: int,
    at: datetime,
) -> Request:
    """Ask for an act on the event `about_id`, or on none; raises Refused.

    `body` says what exactly, without a name or a number of a citizen. The same request
    by the same person at the same moment is the first one again; one that is waiting
    already is not asked for twice.
    """
    assert needs >= 1
    assert body.keys().isdisjoint(RESERVED)
    why = _line(why)
    told = _told(kind, body, why, by, needs)
    when = at.isoformat(timespec="microseconds")
    key = f"request:{kind}:{about_id or ''}:{_name(by)}:{when}"
    first = events.repeated(db, key=key, kind="request.made", body=told)
    if first is not None:
        if first.differs:
            named_now = ", ".join(first.differs)
            raise Refused(f"another request was made in this moment: {named_now}")
        row = db.execute(
            select(schema.request).where(_request.event_id == first.event_id)
        ).one()
        return _read(db, row)
    same = db.execute(
        select(_request.id, _request.body).where(
            _request.state == RequestState.WAITING,
            _request.kind == kind,
            _request.about_id == about_id,
        )
    )
    for row in same:
        if row.body == body:
            raise Refused(f"request {row.id} asks for this already, and waits")
    recorded = events.record(
        db,
        key=key,
        kind="request.made",
        body=told,
        about_id=about_id,
        channel=CHANNEL,
        at=at,
        **_place(db, about_id, body),
    )
    request_id = db.scalar(
        _insert,
        {
            "kind": kind,
            "body": dict(body),
            "about_id": about_id,
            "why": why,
            "made_by": _name(by),
            "needs": needs,
            "state": RequestState.WAITING,
            "event_id": recorded.event_id,
            "at": at,
            "changed_at": at,
        },
    )
    assert request_id is not None
    return named(db, request_id)


def approve(db: Connection, request_id: int, *, by: str, at: datetime) -> Request:
    """Agree to what somebody else asked for; raises Refused.

    Who has the last word sees `is_ready` and does the act in the same transaction.
    """
    found = _waiting(db, request_id)
    if not _is_as_made(db, found):
        raise Refused(
            f"request {request_id} is not what was asked for: somebody has "
            "changed it by hand"
        )
    who = _name(by)
    if fold(who) == fold(found.made_by):
        raise Refused(
            f"{by} made request {request_id}: somebody else has to approve it"
        )
    if fold(who) in {fold(other) for other in found.approved_by}:
        raise Refused(f"{by} has approved request {request_id} already")
    number = len(found.approved_by) + 1
    event_id = _note(db, found, "approved", by=by, at=at, number=number)
    approved = _approve(db, request_id=found.id, who=who, event_id=event_id, at=at)
    assert approved is not None
    return named(db, request_id)


def refuse(
    db: Connection, request_id: int, *, by: str, why: str, at: datetime
) -> Request:
    """Say no to what somebody else asked for; raises Refused."""
    found = _waiting(db, request_id)
    if fold(_name(by)) == fold(found.made_by):
        raise Refused(f"{by} made request {request_id}: withdraw it instead")
    _note(db, found, "refused", by=by, at=at, why=_line(why))
    return _end(db, found, RequestState.REFUSED, at=at)


def withdraw(db: Connection, request_id: int, *, by: str, at: datetime) -> Request:
    """Take back what one asked for oneself; raises Refused."""
    found = _waiting(db, request_id)
    if fold(_name(by)) != fold(found.made_by):
        raise Refused(f"{found.made_by} made request {request_id}: refuse it instead")
    _note(db, found, "withdrawn", by=by, at=at)
    return _end(db, found, RequestState.WITHDRAWN, at=at)


def carried_out(
    db: Connection, found: Request, *, result_id: int | None, at: datetime
) -> Request:
    """Note that the act is done, in its transaction; `result_id` is its event."""
    return _end(db, found, RequestState.DONE, at=at, result_id=result_id)


def given_up(db: Connection, found: Request, *, why: str, at: datetime) -> Request:
    """Note that the books do not allow any more what everybody agreed to."""
    _note(db, found, "refused", by="yarigar", at=at, why=why[:WHY_CHARS_MAX])
    return _end(db, found, RequestState.REFUSED, at=at)


def find(db: Connection, request_id: int, *, lock: bool = False) -> Request | None:
    """The request of that number; with `lock` nobody else acts on it meanwhile."""
    wanted = select(schema.request).where(_request.id == request_id)
    row = db.execute(wanted.with_for_update() if lock else wanted).first()
    return None if row is None else _read(db, row)


def named(db: Connection, request_id: int, *, lock: bool = False) -> Request:
    """The request of that number; raises Refused where there is none."""
    found = find(db, request_id, lock=lock)
    if found is None:
        raise Refused(f"there is no request {request_id}: see `yarigar requests list`")
    return found


def listed(
    db: Connection, *states: RequestState, before: int | None = None, limit: int = 50
) -> list[Request]:
    """Requests in these states, or in any: the latest first, below the id `before`."""
    assert 0 < limit <= LISTED_MAX
    wanted = select(schema.request).order_by(_request.id.desc()).limit(limit)
    if states:
        wanted = wanted.where(_request.state.in_(states))
    if before is not None:
        wanted = wanted.where(_request.id < before)
    return [_read(db, row) for row in db.execute(wanted).all()]


def story(db: Connection, found: Request) -> list[tuple[str, str, str, datetime]]:
    """What was said to a request, in its order: approved, refused or withdrawn, by
    whom, with what reason or "", and when."""
    rows = db.execute(
        select(schema.event.c.kind, schema.event.c.body, schema.event.c.at)
        .where(
            schema.event.c.about_id == found.event_id,
            schema.event.c.kind.like("request.%"),
        )
        .order_by(schema.event.c.id)
    )
    return [
        (
            row.kind.removeprefix("request."),
            str(row.body["by"]),
            str(row.body.get("why", "")),
            row.at,
        )
        for row in rows
    ]


def _told(
    kind: str, body: Mapping[str, str | int], why: str, by: str, needs: int
) -> dict[str, str | int]:
    """What the event of a request says, which is sealed."""
    told: dict[str, str | int] = {"act": kind, "by": by, "why": why, "needs": needs}
    if needs == 1:
        told["alone"] = True
    return told | dict(body)


def _is_as_made(db: Connection, found: Request) -> bool:
    """Whether the row, which no guard keeps from a change, is what its event says."""
    row = db.execute(
        select(schema.event.c.about_id, schema.event.c.body).where(
            schema.event.c.id == found.event_id, schema.event.c.kind == "request.made"
        )
    ).first()
    told = _told(found.kind, found.body, found.why, found.made_by, found.needs)
    return row is not None and tuple(row) == (found.about_id, told)


def _waiting(db: Connection, request_id: int) -> Request:
    found = named(db, request_id, lock=True)
    if found.state is not RequestState.WAITING:
        raise Refused(f"request {request_id} is {found.state}: nothing is left to say")
    return found


def _end(
    db: Connection,
    found: Request,
    state: RequestState,
    *,
    at: datetime,
    result_id: int | None = None,
) -> Request:
    moved = db.execute(
        update(schema.request)
        .where(_request.id == found.id, _request.state == RequestState.WAITING)
        .values(state=state, result_id=result_id, changed_at=at)
    )
    if moved.rowcount != 1:
        raise Refused(f"request {found.id} is decided already")
    return named(db, found.id)


def _note(
    db: Connection,
    found: Request,
    act: str,
    *,
    by: str,
    at: datetime,
    **told: str | int,
) -> int:
    """Record who said what to a request."""
    # Of the other acts a request has one at most.
    which = f":{_name(by)}" if act == "approved" else ""
    recorded = events.record(
        db,
        key=f"request:{found.id}:{act}{which}",
        kind=f"request.{act}",
        body={"request": found.id, "act": found.kind, "by": by, **told},
        about_id=found.event_id,
        channel=CHANNEL,
        at=at,
        **_place(db, found.event_id, {}),
    )
    return recorded.event_id


def _place(
    db: Connection, event_id: int | None, body: Mapping[str, str | int]
) -> dict[str, Any]:
    """Of which campaign it is, and whether of a rehearsal: as what it is about."""
    row = db.execute(_about, {"of_event": event_id}).first()
    if row is not None:
        return dict(row._mapping)
    campaign = body.get("campaign")
    return {
        "campaign": None if campaign is None else str(campaign),
        "test": bool(body.get("test", False)),
    }


def _name(by: str) -> str:
    if not 0 < len(by) <= BY_CHARS_MAX:
        raise Refused(f"a name has 1 to {BY_CHARS_MAX} letters")
    return by


def _line(why: str) -> str:
    if not 0 < len(why) <= WHY_CHARS_MAX or not why.isprintable():
        raise Refused(f"a reason is a line of 1 to {WHY_CHARS_MAX} letters")
    return why


def _read(db: Connection, row: Any) -> Request:
    others = db.scalars(
        select(_approval.who)
        .where(_approval.request_id == row.id)
        .order_by(_approval.at, _approval.who)
    ).all()
    values = dict(row._mapping) | {"state": RequestState(row.state)}
    return Request(**values, approved_by=tuple(others))
