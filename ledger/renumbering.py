"""A new number in the place of an old one: the person stays, with all that is theirs.

Two ways: both phones agree, or at a centre a second person agrees to it. The number
that is to come is sealed under the person's own key until it is theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from ledger import erasing, events, questions, schema, staff, stops
from ledger.engine import LedgerError
from ledger.entries_over import REPLIES
from ledger.vault import Keys, look_up, seal_answer, unseal_answer

__all__ = [
    "ACT",
    "ASKED",
    "CENTRE",
    "PHONES",
    "RENUMBER_TIME",
    "NotMoved",
    "OFFERED",
    "Renumbering",
    "State",
    "agree",
    "agreed",
    "ask",
    "find",
    "has_facts",
    "is_all",
    "move",
    "open_for",
    "over",
    "phone_of",
    "refuse",
    "waiting_for",
]

PHONES, CENTRE = "phones", "centre"
# The request by which people at a centre agree.
ACT = "renumber"
RENUMBER_TIME = timedelta(days=2)
KIND, ASKED = "number.changed", "number.asked"
# At the new phone, which asked for nothing itself.
OFFERED = "number.offered"
# What is recorded of somebody who was only asked, and answered.
_ABOUT_NUMBERS = (ASKED, OFFERED, "take_number", "refuse_number", *REPLIES)
# As the vault seals a phone: it becomes the person's own without a change.
_USE = "phone"

_row = schema.renumbering.c
_person = schema.person.c
_vault = schema.vault.c


class State(StrEnum):
    """Where a change is; `agreed` is one that the new phone said yes to."""

    WAITING = "waiting"
    AGREED = "agreed"
    DONE = "done"
    REFUSED = "refused"
    EXPIRED = "expired"


_OPEN = (State.WAITING, State.AGREED)


class NotMoved(LedgerError):
    """The number cannot be moved now; says why, without a number."""


@dataclass(frozen=True, slots=True)
class Renumbering:
    id: int
    person_id: int
    look_up: bytes | None = field(repr=False)
    phone: bytes = field(repr=False)
    way: str
    state: State
    test: bool
    at: datetime
    expires_at: datetime
    changed_at: datetime


_COLUMNS = (
    *(_row.id, _row.person_id, _row.look_up, _row.phone, _row.way, _row.state),
    *(_row.test, _row.at, _row.expires_at, _row.changed_at),
)
_ALL = select(*_COLUMNS)
_INSERT = insert(schema.renumbering).returning(_row.id)
_own_key = (
    select(_vault.wrapped_key)
    .where(_vault.person_id == bindparam("of_person"))
    .with_for_update(read=True)
)
_lock = (
    select(_person.id, _person.look_up)
    .where(_person.id.in_(bindparam("people", expanding=True)))
    .order_by(_person.id)
    .with_for_update()
)


def ask(
    db: Connection,
    keys: Keys,
    *,
    person_id: int,
    phone: str,
    way: str,
    by: str | None,
    test: bool,
    at: datetime,
) -> int:
    """Let a number (E.164) wait to become a person's; replaces what waited before.

    `by` is the operator, of the centre's way. Raises NotMoved for who was erased.
    """
    wrapped_key = db.scalar(_own_key, {"of_person": person_id})
    if wrapped_key is None:
        raise NotMoved("the person is erased")
    db.execute(
        update(schema.renumbering)
        .where(_row.person_id == person_id, _row.state.in_(_OPEN), _row.test == test)
        .values(_closed(State.REFUSED, at))
    )
    made = db.scalar(
        _INSERT,
        {
            "person_id": person_id,
            "look_up": look_up(keys, phone),
            "phone": seal_answer(keys, person_id, wrapped_key, phone, use=_USE),
            "way": way,
            "state": State.WAITING,
            "test": test,
            "made_by": by,
            "at": at,
            "expires_at": at + RENUMBER_TIME,
            "changed_at": at,
        },
    )
    assert isinstance(made, int)
    return made


def find(db: Connection, renumbering_id: int) -> Renumbering | None:
    return _first(db.execute(_ALL.where(_row.id == renumbering_id)).first())


def waiting_for(
    db: Connection, *, look_up: bytes, test: bool, at: datetime
) -> Renumbering | None:
    """The last change that waits for a phone to agree to it."""
    waits = (_row.state == State.WAITING, _row.expires_at > at)
    return _last(db, look_up, test, *waits)


def open_for(db: Connection, *, look_up: bytes, test: bool) -> Renumbering | None:
    """The last change to a phone's number that was not made yet, agreed to or not."""
    return _last(db, look_up, test, _row.state.in_(_OPEN))


def agree(db: Connection, *, renumbering_id: int, at: datetime) -> bool:
    """Note that the new phone agrees; False if the change waits no more."""
    return _moved_on(db, renumbering_id, (State.WAITING,), {"state": State.AGREED}, at)


def refuse(db: Connection, *, renumbering_id: int, state: State, at: datetime) -> bool:
    """Close a change as refused or expired; the number it held is gone."""
    assert state in (State.REFUSED, State.EXPIRED)
    return _moved_on(db, renumbering_id, _OPEN, _closed(state, at), at)


def agreed(db: Connection, *, before: datetime, limit: int) -> Sequence[Renumbering]:
    """The changes that the new phone agreed to by then, the oldest first."""
    found = _ALL.where(_row.state == State.AGREED, _row.changed_at <= before)
    return [_of(row) for row in db.execute(found.order_by(_row.id).limit(limit))]


def over(db: Connection, *, at: datetime, limit: int) -> Sequence[Renumbering]:
    """The changes that nobody agreed to in time; of a centre's, those whose request
    waits for nobody any more."""
    asked = schema.request.c
    waits = select(asked.body).where(asked.kind == ACT, asked.state == "waiting")
    waiting = {int(body["renumbering"]) for body in db.scalars(waits)}
    found = _ALL.where(
        _row.state == State.WAITING, _row.expires_at <= at, _row.id.not_in(waiting)
    )
    return [_of(row) for row in db.execute(found.order_by(_row.id).limit(limit))]


def has_facts(db: Connection, *, person_id: int) -> bool:
    """Whether the books know of a person more than that they were asked something."""
    event, staff = schema.event.c, schema.staff.c
    nothing = ("language", "texts.stop", "texts.start", *_ABOUT_NUMBERS)
    others = (
        select(event.id).where(
            event.person_id == person_id, event.kind.not_in(nothing)
        ),
        select(staff.id).where(staff.person_id == person_id),
        select(schema.entry.c.event_id).where(schema.entry.c.person_id == person_id),
    )
    return any(db.execute(one.limit(1)).first() for one in others)


def is_all(db: Connection, *, person_id: int) -> bool:
    """Whether what they were asked is all that the books know of a person, who is held
    by the caller: then nothing of them is to be kept once it came to nothing."""
    consent, enquiry = schema.consent.c, schema.enquiry.c
    more = (
        select(consent.person_id).where(consent.person_id == person_id),
        select(enquiry.id).where(enquiry.person_id == person_id),
    )
    return not has_facts(db, person_id=person_id) and not any(
        db.execute(one.limit(1)).first() for one in more
    )


def move(
    db: Connection,
    keys: Keys,
    *,
    key: str,
    change: Renumbering,
    by: str,
    channel: str,
    at: datetime,
) -> int:
    """Give a person their new number; returns the event. Raises NotMoved.

    Whoever the books know by the new number must have done nothing: they are erased,
    and are this person from now on. What either phone asked us to stop stays stopped.
    """
    there = None if change.look_up is None else _known_by(db, change.look_up)
    ids = [change.person_id, *([there] if there is not None else [])]
    held = {row.id: row.look_up for row in db.execute(_lock, {"people": sorted(ids)})}
    old = held.get(change.person_id)
    fresh = find(db, change.id)
    if old is None or change.look_up is None:
        raise NotMoved("the person is erased")
    if fresh is None or fresh.state not in _OPEN:
        raise NotMoved("the change does not wait any more")
    if there == change.person_id:
        raise NotMoved("that is the number they have")
    if change.test and erasing.is_real(db, change.person_id):
        raise NotMoved("a rehearsal moves nobody of the real books")
    if there is not None and held.get(there) is not None:
        if has_facts(db, person_id=there):
            raise NotMoved("the new number has records of its own")
        # What that phone asked a person goes along.
        enquiry = schema.enquiry.c
        db.execute(
            update(schema.enquiry)
            .where(enquiry.person_id == there)
            .values(person_id=change.person_id)
        )
        erasing.erase(
            db,
            keys,
            person_id=there,
            key=f"{key}:erased",
            channel=channel,
            by=by,
            test=change.test,
            at=at,
        )
        if _known_by(db, change.look_up) is not None:
            raise NotMoved("the new number has records of its own")
    recorded = events.record(
        db,
        key=key,
        kind=KIND,
        body={"way": change.way, "by": by},
        person_id=change.person_id,
        channel=channel,
        test=change.test,
        at=at,
    )
    if not recorded.first:
        return recorded.event_id
    try:
        with db.begin_nested():
            db.execute(
                update(schema.person)
                .where(_person.id == change.person_id)
                .values(look_up=change.look_up)
            )
    except IntegrityError:
        # Somebody else came to have the number in this moment.
        raise NotMoved("the new number has records of its own") from None
    db.execute(
        update(schema.vault)
        .where(_vault.person_id == change.person_id)
        .values(phone=change.phone)
    )
    stops.carry_over(db, was=old, now=change.look_up, at=at)
    _carry_posts(db, was=old, now=change.look_up)
    if change.way == PHONES:
        _end_roles(db, change.person_id, by, at)
    # What the old phone was asked is nobody's to answer any more.
    db.execute(
        update(schema.question)
        .where(
            schema.question.c.person_id == change.person_id,
            schema.question.c.state == questions.State.OPEN,
        )
        .values(state=questions.State.REPLACED, session=b"")
    )
    _moved_on(db, change.id, _OPEN, _closed(State.DONE, at), at)
    return recorded.event_id


def phone_of(db: Connection, keys: Keys, change: Renumbering) -> str | None:
    """The number that is to come, E.164; None once the person is erased."""
    wrapped_key = db.scalar(_own_key, {"of_person": change.person_id})
    if wrapped_key is None or not change.phone:
        return None
    return unseal_answer(keys, change.person_id, wrapped_key, change.phone, use=_USE)


def _carry_posts(db: Connection, *, was: bytes, now: bytes) -> None:
    """What came from the old phone is the person's still: it is matched, shown and
    erased with them."""
    for table in (schema.inbound, schema.receipt, schema.payment):
        db.execute(update(table).where(table.c.look_up == was).values(look_up=now))


def _end_roles(db: Connection, person_id: int, by: str, at: datetime) -> None:
    """An operator registered the old phone: who holds it for a minute must not take a
    centre's screens along."""
    for test in (False, True):
        for member in staff.roles_of(db, person_id=person_id, test=test):
            staff.end(db, staff_id=member.id, by=by, at=at)


def _last(
    db: Connection, look_up: bytes, test: bool, *how: ColumnElement[bool]
) -> Renumbering | None:
    found = _ALL.where(
        _row.look_up == look_up, _row.way == PHONES, _row.test == test, *how
    )
    return _first(db.execute(found.order_by(_row.id.desc()).limit(1)).first())


def _known_by(db: Connection, hashed: bytes) -> int | None:
    return db.scalar(select(_person.id).where(_person.look_up == hashed))


def _closed(state: State, at: datetime) -> dict[str, Any]:
    """A change that is over holds no number."""
    return {"state": state, "look_up": None, "phone": b"", "changed_at": at}


def _moved_on(
    db: Connection,
    renumbering_id: int,
    states: Sequence[State],
    values: dict[str, Any],
    at: datetime,
) -> bool:
    moved = (
        update(schema.renumbering)
        .where(_row.id == renumbering_id, _row.state.in_(states))
        .values({**values, "changed_at": at})
    )
    return db.execute(moved).rowcount == 1


def _first(row: Row[*tuple[Any, ...]] | None) -> Renumbering | None:
    return None if row is None else _of(row)


def _of(row: Row[*tuple[Any, ...]]) -> Renumbering:
    values = row._asdict()
    return Renumbering(**{**values, "state": State(values["state"])})
