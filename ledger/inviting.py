"""Invitations: chosen in waves, asked little by little, answered once.

An invitation is chosen with others and asked when its text is promised. Who says yes
comes, as long as there is room: the need is held while that is found out. Who says no
afterwards makes room again. Whoever holds several rows holds a person first, then a
need, then an invitation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Integer, bindparam, select, update

from ledger import events, needs, schema
from ledger.events import Recorded
from ledger.invitations import Invite, InviteState, find, lock, record
from ledger.needs import LIVE, Need, NeedState
from ledger.schema import Utc

__all__ = [
    "AGREED_BEFORE",
    "REMIND_AHEAD",
    "Answered",
    "Outcome",
    "answer",
    "arrive",
    "ask",
    "call_off",
    "put_off",
    "remind",
    "silence",
    "withdraw",
    "withdraw_all",
]


# Who comes is asked once more so long before, unless they agreed this lately.
REMIND_AHEAD = timedelta(hours=30)
AGREED_BEFORE = timedelta(hours=12)


class Outcome(StrEnum):
    """What an answer came to."""

    YES = "yes"
    NO = "no"
    FULL = "full"
    # The need is called off, or its time or that of the answer has passed.
    OVER = "over"
    NOT_YOURS = "not_yours"


# Under which kind each outcome is counted.
KINDS = {
    Outcome.YES: "invite.yes",
    Outcome.NO: "invite.no",
    Outcome.FULL: "invite.full",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer came to; `changed` where it is news, and is to be told."""

    outcome: Outcome
    changed: bool
    recorded: Recorded | None = None
    need: Need | None = None


# Somebody may be waiting for these.
UNDECIDED = (InviteState.CHOSEN, InviteState.ASKED, InviteState.YES)

_invite = schema.invite.c
_need = schema.need.c
_SILENT = (
    select(_invite.id)
    .where(
        _invite.state == InviteState.ASKED,
        _invite.expires_at <= bindparam("now", type_=Utc),
    )
    .order_by(_invite.expires_at)
    .limit(bindparam("room", type_=Integer))
)


def ask(
    db: Connection, invite: Invite, *, reply_time: timedelta, at: datetime
) -> tuple[Recorded, Need, datetime] | None:
    """Ask one who was chosen: its event, the need, and until when an answer counts.

    None where the need is over or full meanwhile: then it is withdrawn. The person is
    held by whoever calls.
    """
    need = needs.find(db, need_id=invite.need_id)
    assert need is not None
    if need.state is not NeedState.OPEN or need.meets_at <= at:
        withdraw(db, invite_id=invite.id, at=at)
        return None
    until = min(at + reply_time, need.meets_at)
    moved = db.execute(
        update(schema.invite)
        .where(_invite.id == invite.id, _invite.state == InviteState.CHOSEN)
        .values(state=InviteState.ASKED, asked_at=at, expires_at=until)
    )
    if moved.rowcount != 1:
        return None
    signup = schema.signup.c
    db.execute(
        update(schema.signup)
        .where(signup.event_id == invite.signup_id)
        .values(invited_at=at)
    )
    recorded = record(
        db, need, f"invite:{invite.id}", "invite", invite.person_id, {}, at=at
    )
    return recorded, need, until


def answer(
    db: Connection,
    *,
    key: str,
    invite_id: int,
    person_id: int,
    yes: bool,
    channel: str,
    test: bool,
    at: datetime,
) -> Answered:
    """Take the answer to an invitation, once per key; never more yes than vacancies.

    The same again under another key comes to the same and is no news. An event says
    what came of it; of somebody else's invitation there is none.
    """
    before = events.find(db, key=key)
    if before is not None:
        return Answered(Outcome(str(before.body["outcome"])), changed=False)
    invite = find(db, invite_id=invite_id)
    if invite is None or (invite.person_id, invite.test) != (person_id, test):
        return Answered(Outcome.NOT_YOURS, changed=False)
    need = needs.lock(db, need_id=invite.need_id)
    held = lock(db, invite_id=invite_id)
    assert held is not None
    invite = held
    outcome, state = _decide(db, need, invite, yes=yes, at=at)
    if state is invite.state:
        return Answered(outcome, changed=False, need=need)
    recorded = record(
        db,
        need,
        key,
        KINDS[outcome],
        person_id,
        {"invite": invite_id, "outcome": outcome},
        channel=channel,
        at=at,
    )
    again = _second_time(need, at) if state is InviteState.YES else None
    _put(db, invite.id, state=state, answered_at=at, next_at=again)
    _recount(db, need, at=at)
    return Answered(outcome, changed=True, recorded=recorded, need=need)


def silence(db: Connection, *, at: datetime, limit: int) -> int:
    """Let go whom we asked and who did not answer in time; how many."""
    ids = list(db.scalars(_SILENT, {"now": at, "room": limit}))
    if not ids:
        return 0
    return db.execute(
        update(schema.invite)
        .where(_invite.id.in_(ids), _invite.state == InviteState.ASKED)
        .values(state=InviteState.SILENT)
    ).rowcount


def withdraw(db: Connection, *, invite_id: int, at: datetime) -> bool:
    """Take an invitation back; False if it was over already."""
    taken = db.execute(
        update(schema.invite)
        .where(
            _invite.id == invite_id,
            _invite.state.in_(UNDECIDED),
        )
        .values(state=InviteState.WITHDRAWN, answered_at=at, next_at=None)
    )
    return taken.rowcount == 1


def remind(
    db: Connection, *, invite_id: int, at: datetime
) -> tuple[Recorded, Need] | None:
    """Note that somebody is asked a second time; None where that is not to be.

    Either way it is done with. The person is held by whoever calls.
    """
    found = _comes(db, invite_id)
    if found is None:
        return None
    invite, need = found
    _put(db, invite_id, next_at=None)
    if need.meets_at <= at:
        return None
    key = f"invite:{invite_id}:remind"
    recorded = record(db, need, key, "invite.remind", invite.person_id, {}, at=at)
    return (recorded, need) if recorded.first else None


def put_off(db: Connection, *, invite_id: int, until: datetime) -> None:
    """Ask somebody a second time at `until`, or not at all where that is too late:
    meanwhile it is the turn of others.
    """
    found = _comes(db, invite_id)
    if found is not None:
        in_time = until < found[1].meets_at
        _put(db, invite_id, next_at=until if in_time else None)


def call_off(
    db: Connection, *, invite_id: int, at: datetime
) -> tuple[Recorded, Need] | None:
    """Withdraw who comes to what was called off: the event, if they are to be told."""
    invite = lock(db, invite_id=invite_id)
    if invite is None:
        return None
    need = needs.find(db, need_id=invite.need_id)
    assert need is not None
    if not withdraw(db, invite_id=invite_id, at=at):
        return None
    if invite.state is InviteState.CHOSEN:
        return None
    key = f"invite:{invite_id}:off"
    body: dict[str, str | int] = {"invite": invite_id}
    return record(db, need, key, "invite.off", invite.person_id, body, at=at), need


def withdraw_all(
    db: Connection,
    *,
    person_id: int,
    at: datetime,
    campaign: str | None = None,
    test: bool | None = None,
) -> int:
    """Take back every invitation of somebody who leaves or is erased; how many.

    Where they were to come there is room again. The person is held by whoever calls.
    """
    mine = (
        select(_invite.id, _invite.need_id, _invite.state)
        .join(schema.need, _need.event_id == _invite.need_id)
        .where(
            _invite.person_id == person_id,
            _invite.state.in_(UNDECIDED),
        )
        .order_by(_invite.need_id)
    )
    if campaign is not None:
        mine = mine.where(_need.campaign == campaign)
    if test is not None:
        mine = mine.where(_invite.test == test)
    found = db.execute(mine).all()
    for row in found:
        need = needs.lock(db, need_id=row.need_id)
        withdraw(db, invite_id=row.id, at=at)
        if row.state == InviteState.YES and need.meets_at > at:
            _recount(db, need, at=at)
    return len(found)


def arrive(
    db: Connection, *, key: str, invite_id: int, channel: str, at: datetime
) -> bool:
    """Note that who said yes was there; False where that is not to be said."""
    if events.find(db, key=key) is not None:
        return True
    invite = find(db, invite_id=invite_id)
    if invite is None:
        return False
    need = needs.lock(db, need_id=invite.need_id)
    # Looked at under the lock: another phone may have said so, or they said no.
    held = lock(db, invite_id=invite_id)
    if held is None or held.state is not InviteState.YES:
        return False
    body = {"invite": invite_id}
    record(db, need, key, "invite.came", invite.person_id, body, channel=channel, at=at)
    _put(db, invite_id, state=InviteState.CAME, next_at=None)
    return True


def _comes(db: Connection, invite_id: int) -> tuple[Invite, Need] | None:
    """Who comes, to what was not called off, with the need held: whoever calls it off
    does that before or after, and its word is the last.
    """
    invite = find(db, invite_id=invite_id)
    if invite is None:
        return None
    need = needs.lock(db, need_id=invite.need_id)
    held = lock(db, invite_id=invite_id)
    if held is None or held.state is not InviteState.YES:
        return None
    return None if need.state is NeedState.CANCELLED else (held, need)


def _second_time(need: Need, agreed_at: datetime) -> datetime | None:
    """When who agreed is asked once more; None where nothing lies between the two."""
    then = max(need.meets_at - REMIND_AHEAD, agreed_at + AGREED_BEFORE)
    return then if then < need.meets_at else None


def _decide(
    db: Connection, need: Need, invite: Invite, *, yes: bool, at: datetime
) -> tuple[Outcome, InviteState]:
    """What an answer comes to, and the state of the invitation after it."""
    state = invite.state
    is_over = need.state not in LIVE or need.meets_at <= at
    if is_over or state in (InviteState.WITHDRAWN, InviteState.CAME):
        return Outcome.OVER, state
    if state in (InviteState.SILENT, InviteState.CHOSEN) or (
        state is InviteState.ASKED and invite.expires_at <= at
    ):
        return Outcome.OVER, state
    if not yes:
        return Outcome.NO, InviteState.NO
    if state is InviteState.YES:
        return Outcome.YES, state
    if needs.said_yes(db, need_id=need.id) >= need.vacancies:
        return Outcome.FULL, InviteState.FULL
    return Outcome.YES, InviteState.YES


def _recount(db: Connection, need: Need, *, at: datetime) -> None:
    """Fill a need that has all it wants, or open one that lacks somebody again."""
    has = needs.said_yes(db, need_id=need.id)
    if need.state is NeedState.OPEN and has >= need.vacancies:
        needs.put(db, need.id, at=at, state=NeedState.FILLED)
    elif need.state is NeedState.FILLED and has < need.vacancies:
        needs.put(db, need.id, at=at, state=NeedState.OPEN, next_at=at)


def _put(db: Connection, invite_id: int, **values: object) -> None:
    """Change what stands in an invitation whose need this transaction holds."""
    db.execute(update(schema.invite).where(_invite.id == invite_id).values(values))
