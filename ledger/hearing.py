"""Texts that came in and wait to be understood, each understood exactly once.

A text is taken in the transaction that does what it asks for: who takes it marks it as
handled, and what a death leaves behind is unmarked and taken again. What is counted
here of a phone's last hour is what tells a person from a machine.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Integer, bindparam, func, select, update

from ledger import schema
from ledger.schema import Utc
from ledger.vault import Keys, seal_raw, unseal_raw

__all__ = [
    "Heard",
    "blank",
    "count_events",
    "did_since",
    "fail",
    "last_event",
    "said_since",
    "take",
    "told",
    "waiting",
    "words_of",
]

SAID_MAX = 40

_inbound = schema.inbound.c
_event = schema.event.c
_person = schema.person.c

# Before the text: whoever erases somebody holds the person first, and then all that
# they wrote. Not FOR UPDATE: who writes a row that refers to them need not wait.
_HOLD = (
    select(_person.id)
    .where(
        _person.look_up
        == select(_inbound.look_up)
        .where(_inbound.id == bindparam("of_id"))
        .scalar_subquery()
    )
    .with_for_update(key_share=True)
)
_TAKE = (
    update(schema.inbound)
    .where(_inbound.id == bindparam("of_id"), _inbound.handled_at.is_(None))
    .values(handled_at=bindparam("now", type_=Utc))
    .returning(
        _inbound.id,
        _inbound.carrier,
        _inbound.carrier_id,
        _inbound.look_up,
        _inbound.line,
        _inbound.words,
        _inbound.at,
    )
)
_FAIL = (
    update(schema.inbound)
    .where(_inbound.id == bindparam("of_id"), _inbound.handled_at.is_(None))
    .values(tries=_inbound.tries + 1)
)
_BLANK = (
    update(schema.inbound)
    .where(_inbound.id == bindparam("of_id"))
    .values(words=None, raw=bindparam("nothing"))
)
_WAITING = (
    select(_inbound.id, _inbound.tries, _inbound.at)
    .where(
        _inbound.handled_at.is_(None),
        _inbound.at <= bindparam("before", type_=Utc),
    )
    # What never goes right stands in nobody's way.
    .order_by(_inbound.tries, _inbound.at)
    .limit(bindparam("room", type_=Integer))
)
_WORDS = select(_inbound.words).where(_inbound.id == bindparam("of_id"))
_SAID = (
    select(_inbound.words)
    .where(
        _inbound.look_up == bindparam("of_phone"),
        _inbound.at > bindparam("since", type_=Utc),
        _inbound.words.is_not(None),
    )
    .order_by(_inbound.at.desc())
    .limit(SAID_MAX)
)
_COUNT = select(func.count()).where(
    _event.person_id == bindparam("of_person"),
    _event.test == bindparam("of_test"),
    _event.kind.in_(bindparam("kinds", expanding=True)),
    _event.at > bindparam("since", type_=Utc),
)
_LAST = (
    select(_event.body, _event.at)
    .where(
        _event.person_id == bindparam("of_person"),
        _event.test == bindparam("of_test"),
        _event.kind.in_(bindparam("kinds", expanding=True)),
        _event.at > bindparam("since", type_=Utc),
    )
    .order_by(_event.id.desc())
    .limit(1)
)
_DID = (
    select(_event.id)
    .where(
        _event.person_id == bindparam("of_person"),
        _event.test == bindparam("of_test"),
        _event.kind.not_in(bindparam("kinds", expanding=True)),
        _event.at >= bindparam("since", type_=Utc),
    )
    .limit(1)
)
_TOLD = (
    select(schema.outbox.c.id)
    .join(schema.event, _event.id == schema.outbox.c.event_id)
    .where(
        _event.key == bindparam("of_key"),
        # What another person is told is no answer to this one.
        schema.outbox.c.person_id == _event.person_id,
    )
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Heard:
    """An incoming text: whose it is, where it came in, and what it says."""

    id: int
    carrier: str
    carrier_id: str
    look_up: bytes = field(repr=False)
    line: str
    phone: str = field(repr=False)
    text: str = field(repr=False)
    at: datetime


def take(db: Connection, keys: Keys, *, inbound_id: int, at: datetime) -> Heard | None:
    """Take a text and mark it as handled; None where nothing is left to be done.

    Another transaction that has taken it is waited for, and one that has another of
    the same person's. Raises WrongKeys.
    """
    db.execute(_HOLD, {"of_id": inbound_id})
    row = db.execute(_TAKE, {"of_id": inbound_id, "now": at}).first()
    if row is None or row.words is None:
        return None
    phone, text = _opened(keys, row.words)
    return Heard(
        id=row.id,
        carrier=row.carrier,
        carrier_id=row.carrier_id,
        look_up=row.look_up,
        line=row.line,
        phone=phone,
        text=text,
        at=row.at,
    )


def fail(db: Connection, *, inbound_id: int) -> None:
    """Count that a text could not be handled this time."""
    db.execute(_FAIL, {"of_id": inbound_id})


def blank(db: Connection, keys: Keys, *, inbound_id: int) -> None:
    """Forget what a text said, its form too: there was a card number in it."""
    db.execute(_BLANK, {"of_id": inbound_id, "nothing": seal_raw(keys, b"")})


def waiting(
    db: Connection, *, before: datetime, limit: int
) -> list[tuple[int, int, datetime]]:
    """Texts that came before then and nobody handled: id, failures, and when."""
    found = {"before": before, "room": limit}
    return [(row.id, row.tries, row.at) for row in db.execute(_WAITING, found)]


def words_of(db: Connection, keys: Keys, *, inbound_id: int) -> str | None:
    """What a text said; None once that is forgotten."""
    words = db.scalar(_WORDS, {"of_id": inbound_id})
    return None if words is None else _opened(keys, words)[1]


def said_since(
    db: Connection, keys: Keys, *, look_up: bytes, since: datetime
) -> list[str]:
    """What a phone has texted since then, the latest 40, the newest first."""
    found = db.scalars(_SAID, {"of_phone": look_up, "since": since})
    return [_opened(keys, words)[1] for words in found]


def count_events(
    db: Connection,
    *,
    person_id: int,
    kinds: Collection[str],
    test: bool,
    since: datetime,
) -> int:
    """How many events of these kinds a person has had since, real or rehearsed."""
    found = _values(person_id, kinds, test, since)
    return int(db.scalar(_COUNT, found) or 0)


def last_event(
    db: Connection,
    *,
    person_id: int,
    kinds: Collection[str],
    test: bool,
    since: datetime,
) -> tuple[Mapping[str, str | int], datetime] | None:
    """The latest event of these kinds of a person since then: its body, and when."""
    row = db.execute(_LAST, _values(person_id, kinds, test, since)).first()
    return None if row is None else (row.body, row.at)


def did_since(
    db: Connection,
    *,
    person_id: int,
    but: Collection[str],
    test: bool,
    since: datetime,
) -> bool:
    """Whether anything but events of these kinds was recorded of a person since."""
    return db.execute(_DID, _values(person_id, but, test, since)).first() is not None


def _values(
    person_id: int, kinds: Collection[str], test: bool, since: datetime
) -> dict[str, object]:
    return {
        "of_person": person_id,
        "kinds": sorted(kinds),
        "of_test": test,
        "since": since,
    }


def told(db: Connection, *, key: str) -> bool:
    """Whether the event with this key promised a text to whose it is."""
    return db.execute(_TOLD, {"of_key": key}).first() is not None


def _opened(keys: Keys, words: bytes) -> tuple[str, str]:
    said = json.loads(unseal_raw(keys, words))
    return said["from"], said["text"]
