"""The rows of invitations: who was chosen, asked, and comes; `ledger.inviting` changes
them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    Row,
    bindparam,
    select,
)

from ledger import events, needs, schema
from ledger.events import Recorded
from ledger.needs import LIVE, Need, NeedState
from ledger.schema import Utc

__all__ = [
    "Invite",
    "InviteState",
    "chosen",
    "coming",
    "find",
    "lock",
    "of_person",
    "record",
    "to_remind",
    "to_tell",
]

# A person is shown so many at most.
OF_PERSON_MAX = 9


class InviteState(StrEnum):
    CHOSEN = "chosen"
    ASKED = "asked"
    YES = "yes"
    NO = "no"
    # Said yes when nobody more was needed.
    FULL = "full"
    SILENT = "silent"
    WITHDRAWN = "withdrawn"
    # Was there, as the centre says.
    CAME = "came"


@dataclass(frozen=True, slots=True)
class Invite:
    id: int
    need_id: int
    person_id: int
    signup_id: int
    wave: int
    state: InviteState
    test: bool
    asked_at: datetime
    expires_at: datetime


_invite = schema.invite.c
_need = schema.need.c
_event = schema.event.c
_COLUMNS = (
    *(_invite.id, _invite.need_id, _invite.person_id, _invite.signup_id),
    *(_invite.wave, _invite.state, _invite.test),
    *(_invite.asked_at, _invite.expires_at),
)
_FIND = select(*_COLUMNS).where(_invite.id == bindparam("of_id"))
_LOCK = _FIND.with_for_update()
_BY_STATE = (
    select(*_COLUMNS)
    .where(_invite.state == bindparam("in_state"))
    .order_by(_invite.expires_at, _invite.id)
    .limit(bindparam("room", type_=Integer))
)
_WITH_NEED = schema.invite.join(schema.need, _need.event_id == _invite.need_id)
# Who comes and is to be written to, whoever waits longest for that first.
_DUE = (
    select(*_COLUMNS)
    .select_from(_WITH_NEED)
    .where(
        _invite.state == InviteState.YES,
        _invite.next_at <= bindparam("now", type_=Utc),
    )
    .order_by(_invite.next_at, _invite.id)
    .limit(bindparam("room", type_=Integer))
)
_OFF = _DUE.where(_need.state == NeedState.CANCELLED)
_AGAIN = _DUE.where(_need.state != NeedState.CANCELLED)
_OF_PERSON = (
    select(*_COLUMNS)
    .select_from(_WITH_NEED)
    .where(
        _invite.person_id == bindparam("of_person"),
        _invite.test == bindparam("in_test"),
        _invite.state.in_([InviteState.ASKED, InviteState.YES]),
        _need.state.in_(LIVE),
        _need.meets_at > bindparam("now", type_=Utc),
    )
    .order_by(_need.meets_at, _invite.id)
    .limit(OF_PERSON_MAX)
)
_PLACE_OF = select(_event.district, _event.centre).where(
    _event.id == bindparam("of_need")
)


def find(db: Connection, *, invite_id: int) -> Invite | None:
    row = db.execute(_FIND, {"of_id": invite_id}).first()
    return None if row is None else _as_invite(row)


def of_person(
    db: Connection, *, person_id: int, test: bool, at: datetime
) -> Sequence[Invite]:
    """What somebody can answer now, or has said yes to; the nearest day first."""
    wanted = {"of_person": person_id, "in_test": test, "now": at}
    return [_as_invite(row) for row in db.execute(_OF_PERSON, wanted)]


def chosen(db: Connection, *, limit: int) -> Sequence[Invite]:
    """Who was chosen and is not asked yet, the first chosen first."""
    found = db.execute(_BY_STATE, {"in_state": InviteState.CHOSEN, "room": limit})
    return [_as_invite(row) for row in found]


def to_tell(db: Connection, *, at: datetime, limit: int) -> Sequence[Invite]:
    """Who comes to what was called off, and was not told so."""
    return [_as_invite(row) for row in db.execute(_OFF, {"now": at, "room": limit})]


def to_remind(db: Connection, *, at: datetime, limit: int) -> Sequence[Invite]:
    """Who comes and is to be asked a second time now."""
    return [_as_invite(row) for row in db.execute(_AGAIN, {"now": at, "room": limit})]


def coming(
    db: Connection, *, places: Collection[str], test: bool, since: datetime, limit: int
) -> Sequence[tuple[Invite, Need]]:
    """Who said yes and was not said to have come, of needs at these places that meet
    after `since`; the nearest day first.
    """
    found = db.execute(
        select(*_COLUMNS)
        .select_from(_WITH_NEED)
        .where(
            _need.place.in_(sorted(places)),
            _need.test == test,
            _need.state != NeedState.CANCELLED,
            _need.meets_at > since,
            _invite.state == InviteState.YES,
        )
        .order_by(_need.meets_at, _invite.id)
        .limit(limit)
    )
    invites = [_as_invite(row) for row in found]
    ids = {one.need_id for one in invites}
    of = {need_id: needs.find(db, need_id=need_id) for need_id in ids}
    return [(one, need) for one in invites if (need := of[one.need_id]) is not None]


def lock(db: Connection, *, invite_id: int) -> Invite | None:
    """The invitation, held until the transaction ends."""
    row = db.execute(_LOCK, {"of_id": invite_id}).first()
    return None if row is None else _as_invite(row)


def record(
    db: Connection,
    need: Need,
    key: str,
    kind: str,
    person_id: int,
    body: Mapping[str, str | int],
    *,
    channel: str = needs.OPERATOR,
    at: datetime,
) -> Recorded:
    """An event of one who was invited, about the need and where that is."""
    place = db.execute(_PLACE_OF, {"of_need": need.id}).one()
    return events.record(
        db,
        key=key,
        kind=kind,
        body=body,
        person_id=person_id,
        about_id=need.id,
        campaign=need.campaign,
        district=place.district,
        centre=place.centre,
        channel=channel,
        test=need.test,
        at=at,
    )


def _as_invite(row: Row[*tuple[Any, ...]]) -> Invite:
    return Invite(
        id=row.id,
        need_id=row.need_id,
        person_id=row.person_id,
        signup_id=row.signup_id,
        wave=row.wave,
        state=InviteState(row.state),
        test=row.test,
        asked_at=row.asked_at,
        expires_at=row.expires_at,
    )
