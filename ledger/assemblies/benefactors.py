"""Who can help in a district: a person or an organisation, with what, and how much.

One row for each person in each district; what they said before stands in the events.
The name is optional, sealed under the person's own key, and in no event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Update, bindparam, insert, select, update

from ledger import events, schema
from ledger.assemblies.districts import CAMPAIGN
from ledger.assemblies.limits import (
    AMOUNT_MAX,
    COVERS_MAX,
    NAME_CHARS_MAX,
    check_count,
    check_words,
)
from ledger.events import Recorded
from ledger.vault import Keys, seal_answer, unseal_answer

__all__ = [
    "Benefactor",
    "Joined",
    "Kind",
    "Said",
    "State",
    "benefactors_of",
    "join",
    "leave",
    "listed",
    "name_of",
]

LISTED_MAX = 500
# Of one person: they may help in as many districts as there are.
MINE_MAX = 22
_USE = "benefactor.name"
JOIN, CHANGE = "benefactor", "benefactor.change"


class Kind(StrEnum):
    PERSON = "person"
    ORGANISATION = "organisation"


class State(StrEnum):
    ACTIVE = "active"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Said:
    """What a benefactor says of themselves.

    `capacity` is one of the menus' own list, `amount` a whole number of what that is
    counted in; `covers` how many people they look after.
    """

    kind: Kind
    capacity: str
    amount: int
    covers: int


@dataclass(frozen=True, slots=True)
class Benefactor:
    event_id: int
    person_id: int
    district: str
    said: Said
    state: State


@dataclass(frozen=True, slots=True)
class Joined:
    """What stands under a key; `already` if they had been in the register before."""

    recorded: Recorded
    already: bool


_row = schema.benefactor.c
_vault = schema.vault.c
_lock = (
    select(schema.person.c.id)
    .where(schema.person.c.id == bindparam("of_person"))
    .with_for_update(key_share=True)
)
_own_key = select(_vault.wrapped_key).where(_vault.person_id == bindparam("of_person"))
_rows = select(
    _row.event_id,
    _row.person_id,
    _row.district,
    _row.kind,
    _row.capacity,
    _row.amount,
    _row.covers,
    _row.state,
)
_mine = (
    _rows.where(
        _row.person_id == bindparam("of_person"), _row.test == bindparam("in_test")
    )
    .order_by(_row.changed_at.desc(), _row.event_id.desc())
    .limit(MINE_MAX)
)
_active = (
    _rows.where(
        _row.district == bindparam("of_district"),
        _row.test == bindparam("in_test"),
        _row.state == State.ACTIVE,
    )
    .order_by(_row.event_id)
    .limit(LISTED_MAX)
)
_named = (
    select(_vault.wrapped_key, _row.name, _row.person_id)
    .join_from(schema.benefactor, schema.vault, _vault.person_id == _row.person_id)
    .where(_row.event_id == bindparam("of_event"), _row.name.is_not(None))
)


def join(
    db: Connection,
    keys: Keys,
    *,
    key: str,
    person_id: int,
    district: str,
    said: Said,
    name: str | None,
    channel: str,
    test: bool,
    at: datetime,
) -> Joined:
    """Put a person into a district's register, or change what stands there of them.

    Who had left is back with what they say now. Without a `name` none is kept. Raises
    Wrong for what the register does not take.
    """
    check_count("an amount", said.amount, AMOUNT_MAX, least=1)
    check_count("a number of people", said.covers, COVERS_MAX)
    if name is not None:
        name = check_words("name", name, NAME_CHARS_MAX)
    db.execute(_lock, {"of_person": person_id}).one()
    first = _found(db, person_id, district, test)
    earlier = events.find(db, key=key)
    already = first is not None if earlier is None else earlier.kind == CHANGE
    recorded = events.record(
        db,
        key=key,
        kind=CHANGE if already else JOIN,
        body=_body(district, said),
        person_id=person_id,
        about_id=first.event_id if first is not None and already else None,
        campaign=CAMPAIGN,
        district=district,
        channel=channel,
        test=test,
        at=at,
    )
    if not recorded.first:
        return Joined(recorded, already)
    values = {
        "kind": said.kind,
        "capacity": said.capacity,
        "amount": said.amount,
        "covers": said.covers,
        "name": _sealed(db, keys, person_id, name),
        "state": State.ACTIVE,
        "changed_at": at,
    }
    if first is None:
        fresh = {
            "event_id": recorded.event_id,
            "person_id": person_id,
            "district": district,
            "test": test,
            "at": at,
        }
        db.execute(insert(schema.benefactor), {**fresh, **values})
    else:
        db.execute(_of(first.event_id).values(values))
    return Joined(recorded, already)


def leave(
    db: Connection,
    *,
    key: str,
    person_id: int,
    district: str,
    channel: str,
    test: bool,
    at: datetime,
) -> Recorded | None:
    """Take a person out of a district's register; None where they are not in it.

    Their name goes at once, and the figures leave every sum.
    """
    db.execute(_lock, {"of_person": person_id}).one()
    body = {"district": district, "state": str(State.LEFT)}
    if (again := events.repeated(db, key=key, kind=CHANGE, body=body)) is not None:
        return again
    first = _found(db, person_id, district, test)
    if first is None or first.state is State.LEFT:
        return None
    recorded = events.record(
        db,
        key=key,
        kind=CHANGE,
        body=body,
        person_id=person_id,
        about_id=first.event_id,
        campaign=CAMPAIGN,
        district=district,
        channel=channel,
        test=test,
        at=at,
    )
    db.execute(_of(first.event_id).values(state=State.LEFT, name=None, changed_at=at))
    return recorded


def benefactors_of(
    db: Connection, *, person_id: int, test: bool
) -> Sequence[Benefactor]:
    """What stands of a person in the registers they did not leave, the latest first."""
    rows = db.execute(_mine, {"of_person": person_id, "in_test": test})
    found = (_benefactor(row) for row in rows)
    return [one for one in found if one.state is State.ACTIVE]


def listed(db: Connection, *, district: str, test: bool) -> Sequence[Benefactor]:
    """The benefactors of a district, as they came; 500 at most."""
    rows = db.execute(_active, {"of_district": district, "in_test": test})
    return [_benefactor(row) for row in rows]


def name_of(db: Connection, keys: Keys, *, event_id: int) -> str:
    """What a benefactor wants to be called; empty without. Raises WrongKeys."""
    row = db.execute(_named, {"of_event": event_id}).first()
    if row is None:
        return ""
    return unseal_answer(keys, row.person_id, row.wrapped_key, row.name, use=_USE)


def _found(
    db: Connection, person_id: int, district: str, test: bool
) -> Benefactor | None:
    rows = db.execute(
        _mine.where(_row.district == district),
        {"of_person": person_id, "in_test": test},
    )
    row = rows.first()
    return None if row is None else _benefactor(row)


def _benefactor(row: Row[*tuple[Any, ...]]) -> Benefactor:
    said = Said(Kind(row.kind), row.capacity, row.amount, row.covers)
    return Benefactor(row.event_id, row.person_id, row.district, said, State(row.state))


def _body(district: str, said: Said) -> dict[str, str | int]:
    return {
        "district": district,
        "kind": str(said.kind),
        "capacity": said.capacity,
        "amount": said.amount,
        "covers": said.covers,
    }


def _of(event_id: int) -> Update:
    return update(schema.benefactor).where(_row.event_id == event_id)


def _sealed(
    db: Connection, keys: Keys, person_id: int, name: str | None
) -> bytes | None:
    if not name:
        return None
    wrapped_key = db.scalar(_own_key, {"of_person": person_id})
    if wrapped_key is None:
        return None
    return seal_answer(keys, person_id, wrapped_key, name, use=_USE)
