"""Volunteers. A person signs up once for a campaign, however often they ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from ledger import codes, events, schema
from ledger.events import Recorded
from ledger.prepared import Prepared, Row
from ledger.vault import Keys, seal_answer, unseal_answer

__all__ = [
    "NAME_CHARS_MAX",
    "NOWHERE",
    "Mine",
    "Placed",
    "Said",
    "SignedUp",
    "State",
    "Where",
    "body_of",
    "locked",
    "name_of",
    "places_of",
    "put",
    "sign_up",
    "signup_of",
]

NAME_CHARS_MAX = 40
KIND, AGAIN, BACK = "signup", "signup.again", "signup.back"
_USE = "signup.name"

_signup = schema.signup.c
_person = schema.person.c
_vault = schema.vault.c


class State(StrEnum):
    """Whether a volunteer is one still."""

    ACTIVE = "active"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Placed:
    """The places of the tree that an answer leads to: codes, or nothing.

    `place_code` is the nearest of them all; `district` is the municipal one.
    """

    place_code: str | None = None
    district: str | None = None
    centre: str | None = None


NOWHERE = Placed()


@dataclass(frozen=True, slots=True)
class Said:
    """What a volunteer answered. `place_kind` is centre, postcode, town, booth or
    unknown; `consent` the menus whose words were accepted."""

    place_kind: str
    place: str | None
    province: str | None
    district: str | None
    skill: str
    time: str
    consent: str


@dataclass(frozen=True, slots=True)
class Where:
    """Beside what was answered: the nearest place, the round, the booth."""

    place_code: str | None
    round: str | None
    booth: str | None


@dataclass(frozen=True, slots=True)
class SignedUp:
    """The code a volunteer has, and whether they had it before this call asked."""

    recorded: Recorded
    code: str
    already: bool


@dataclass(frozen=True, slots=True)
class Mine:
    """A sign-up as it stands. `key` is that of the event which made it."""

    event_id: int
    key: str
    code: str
    person_id: int
    campaign: str
    state: State
    place_kind: str
    place: str | None
    province: str | None
    district: str | None
    skill: str
    time: str
    consent: str
    place_code: str | None
    round: str | None
    booth: str | None
    has_name: bool


# A dataclass's own asdict copies whatever is in it, and takes five times as long.
_SAID = tuple(one.name for one in fields(Said))
_WHERE = tuple(one.name for one in fields(Where))
_insert = Prepared(insert(schema.signup))
_lock = Prepared(
    select(_person.id)
    .where(_person.id == bindparam("of_person"))
    .with_for_update(key_share=True)
)
# In the order of Mine.
_existing = Prepared(
    select(
        _signup.event_id,
        schema.event.c.key,
        schema.code.c.code,
        _signup.person_id,
        _signup.campaign,
        _signup.state,
        _signup.place_kind,
        _signup.place,
        _signup.province,
        _signup.district,
        _signup.skill,
        _signup.time,
        _signup.consent,
        _signup.place_code,
        _signup.round,
        _signup.booth,
        _signup.name.is_not(None).label("has_name"),
    )
    .select_from(
        schema.signup.join(schema.event, schema.event.c.id == _signup.event_id).join(
            schema.code, schema.code.c.event_id == _signup.event_id
        )
    )
    .where(
        _signup.person_id == bindparam("of_person"),
        _signup.campaign == bindparam("for_campaign"),
        _signup.test == bindparam("in_test"),
    )
)
_standing = select(_signup.place_code).where(
    _signup.person_id == bindparam("of_person"),
    _signup.state == State.ACTIVE,
    _signup.test.is_(False),
    _signup.place_code.is_not(None),
)
_own_key = select(_vault.wrapped_key).where(_vault.person_id == bindparam("of_person"))
_named = (
    select(_vault.wrapped_key, _signup.name, _signup.person_id)
    .join_from(schema.signup, schema.vault, _vault.person_id == _signup.person_id)
    .where(_signup.event_id == bindparam("of_event"), _signup.name.is_not(None))
)


def sign_up(
    db: Connection,
    keys: Keys,
    *,
    key: str,
    person_id: int,
    is_new: bool = False,
    campaign: str,
    place_kind: str,
    place: str | None,
    province: str | None,
    district: str | None,
    skill: str,
    time: str,
    consent: str,
    placed: Placed = NOWHERE,
    round_id: str = "",
    booth: str | None = None,
    name: str | None = None,
    channel: str,
    test: bool,
    at: datetime,
) -> SignedUp:
    """Sign a person up for a campaign and give the sign-up its code.

    A second sign-up under another key is noted as an event and returns the code of the
    first; the same key again returns what it returned. Who had left is back, with what
    they answer now. Of a person who `is_new` in this transaction nothing is looked up:
    nobody else can have them yet. `round_id` is the campaign's round, empty between
    two; `booth` the code of the booth where it is made.
    """
    said = Said(place_kind, place, province, district, skill, time, consent)
    where = Where(placed.place_code, round_id or None, booth)
    first = None
    if not is_new:
        first = locked(db, person_id=person_id, campaign=campaign, test=test)
    kind = _kind(db, key, first)
    about = None if kind == KIND else first
    recorded = events.record(
        db,
        key=key,
        kind=kind,
        body=body_of(campaign, said, where, about.code if about is not None else None),
        person_id=person_id,
        about_id=about.event_id if about is not None else None,
        campaign=campaign,
        district=placed.district,
        centre=placed.centre,
        channel=channel,
        test=test,
        at=at,
    )
    if first is not None:
        if kind == BACK and recorded.first:
            put(db, keys, first, said, where, name=name, at=at)
        return SignedUp(recorded, first.code, already=kind == AGAIN)
    if not recorded.first:
        # The key belongs to something else: its own code answers, nothing is added.
        return SignedUp(recorded, recorded.code or "", already=True)
    code = codes.allot(db, keys, event_id=recorded.event_id)
    _insert.run(
        db,
        **_values(said, where),
        event_id=recorded.event_id,
        person_id=person_id,
        campaign=campaign,
        name=_sealed(db, keys, person_id, name),
        test=test,
    )
    return SignedUp(recorded, code, already=False)


def signup_of(
    db: Connection, *, person_id: int, campaign: str, test: bool
) -> Mine | None:
    """A person's sign-up for a campaign, also one that they left; None without one."""
    row = _existing.first(db, of_person=person_id, for_campaign=campaign, in_test=test)
    return None if row is None else _mine(row)


def places_of(db: Connection, *, person_id: int) -> Sequence[str]:
    """Where a person is a volunteer now, in all campaigns: codes of places."""
    return db.execute(_standing, {"of_person": person_id}).scalars().all()


def locked(db: Connection, *, person_id: int, campaign: str, test: bool) -> Mine | None:
    """The sign-up that stands, with the person locked: two at once take turns."""
    _lock.first(db, of_person=person_id)
    return signup_of(db, person_id=person_id, campaign=campaign, test=test)


def name_of(db: Connection, keys: Keys, *, event_id: int) -> str:
    """What a volunteer wants to be called; empty without a name. Raises WrongKeys."""
    row = db.execute(_named, {"of_event": event_id}).first()
    if row is None:
        return ""
    return unseal_answer(keys, row.person_id, row.wrapped_key, row.name, use=_USE)


def put(
    db: Connection,
    keys: Keys,
    mine: Mine,
    said: Said,
    where: Where,
    *,
    name: str | None,
    at: datetime,
) -> None:
    """Put other answers in the place of a sign-up's, active from now on.

    Without a `name` the one that was given stays; an empty one takes it away.
    """
    changed: dict[str, Any] = _values(said, where)
    if name is not None:
        changed["name"] = _sealed(db, keys, mine.person_id, name)
    changed |= {"state": State.ACTIVE, "changed_at": at}
    db.execute(
        update(schema.signup).where(_signup.event_id == mine.event_id).values(changed)
    )


def body_of(
    campaign: str, said: Said, where: Where, code: str | None
) -> dict[str, str]:
    """What was asked for, as an event says it; all but the first keep the code."""
    named = {"campaign": campaign, **_values(said, where), "code": code}
    return {name: value for name, value in named.items() if value is not None}


def _kind(db: Connection, key: str, first: Mine | None) -> str:
    """What this is: the sign-up, another one while it stands, or a coming back."""
    if first is None or first.key == key:
        return KIND
    before = events.find(db, key=key)
    if before is not None:
        # What brought somebody back stays what it was, also once they are.
        return BACK if before.kind == BACK else AGAIN
    return BACK if first.state is State.LEFT else AGAIN


def _mine(row: Row) -> Mine:
    mine = Mine(*row)
    return replace(mine, state=State(mine.state))


def _values(said: Said, where: Where) -> dict[str, Any]:
    values = {name: getattr(said, name) for name in _SAID}
    return values | {name: getattr(where, name) for name in _WHERE}


def _sealed(
    db: Connection, keys: Keys, person_id: int, name: str | None
) -> bytes | None:
    if not name:
        return None
    assert len(name) <= NAME_CHARS_MAX
    wrapped_key = db.scalar(_own_key, {"of_person": person_id})
    if wrapped_key is None:
        return None
    return seal_answer(keys, person_id, wrapped_key, name, use=_USE)
