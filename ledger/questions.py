"""Conversations by text that wait for an answer.

They stand here and not in Redis, so that a text, what it had done, the reply and the
next question are one transaction. A session is sealed while its question is open and
emptied with it. Most are asked by way of reply; some we begin, and the answer to those
may come by any line.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from ledger import schema
from ledger.schema import Utc
from ledger.vault import Keys, seal_raw, unseal_raw

__all__ = [
    "Question",
    "State",
    "ask",
    "asked",
    "close",
    "expire",
    "is_asked",
    "last_of_ours",
    "look_up_of",
    "open_to",
    "ours",
    "was_asked",
]

# More than a person keeps open; a machine's are not read through.
OPEN_MAX = 20
# The channel of what we begin; no carrier is named so.
_OURS = {False: "*", True: "~*"}


class State(StrEnum):
    OPEN = "open"
    ANSWERED = "answered"
    REPLACED = "replaced"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Question:
    """What a person was asked, and where the conversation stands."""

    id: int
    channel: str
    flow: str
    session: Mapping[str, Any] = field(repr=False)
    menus: str
    language: str
    # The incoming text that it answered; None where we began.
    began_by: int | None
    asked_at: datetime


_question = schema.question.c
_INSERT = insert(schema.question).returning(_question.id)
_OPEN = (
    select(
        _question.id,
        _question.channel,
        _question.flow,
        _question.session,
        _question.menus,
        _question.language,
        _question.began_by,
        _question.asked_at,
    )
    .where(_question.look_up == bindparam("of_phone"), _question.state == State.OPEN)
    .order_by(_question.id.desc())
    .limit(OPEN_MAX)
)
_CLOSE = (
    update(schema.question)
    .where(
        _question.id.in_(bindparam("ids", expanding=True)),
        _question.state == State.OPEN,
    )
    .values(state=bindparam("to_state"), session=b"")
)
_EXPIRE = (
    update(schema.question)
    .where(
        _question.state == State.OPEN,
        _question.expires_at <= bindparam("now", type_=Utc),
    )
    .values(state=State.EXPIRED, session=b"")
)
_EXPIRE_OF = _EXPIRE.where(_question.look_up == bindparam("of_phone"))

_WAS_ASKED = select(_question.id).where(
    _question.look_up == bindparam("of_phone"),
    _question.state == State.OPEN,
    _question.asked_at <= bindparam("before", type_=Utc),
    _question.began_by
    == select(schema.inbound.c.id)
    .where(
        schema.inbound.c.carrier == bindparam("by_carrier"),
        schema.inbound.c.carrier_id == bindparam("by_text"),
    )
    .scalar_subquery(),
)

_IS_ASKED = (
    select(_question.id)
    .where(
        _question.person_id == bindparam("of_person"),
        _question.flow == bindparam("of_flow"),
        _question.channel == bindparam("of_channel"),
        _question.state == State.OPEN,
    )
    .limit(1)
)
_LAST_OF_OURS = (
    select(_question.state, _question.asked_at)
    .where(
        _question.person_id == bindparam("of_person"),
        _question.channel == bindparam("of_channel"),
        _question.asked_at > bindparam("since", type_=Utc),
    )
    .order_by(_question.id.desc())
    .limit(1)
)
_LOOK_UP = select(schema.person.c.look_up).where(
    schema.person.c.id == bindparam("of_person")
)


def ours(*, test: bool) -> str:
    """The channel of a question that we begin; a rehearsal's are apart."""
    return _OURS[test]


def ask(
    db: Connection,
    keys: Keys,
    *,
    look_up: bytes,
    person_id: int,
    channel: str,
    line: str,
    flow: str,
    session: Mapping[str, Any],
    menus: str,
    language: str,
    began_by: int | None,
    at: datetime,
    expires_at: datetime,
) -> int:
    """Let a conversation wait for its answer; returns the question's id.

    `session` is all that is needed to go on, in what JSON can hold. `began_by` is the
    incoming text that is answered with the question, None where we begin.
    """
    assert expires_at > at
    values = {
        "look_up": look_up,
        "person_id": person_id,
        "channel": channel,
        "line": line,
        "flow": flow,
        "session": seal_raw(keys, json.dumps(session).encode()),
        "menus": menus,
        "language": language,
        "state": State.OPEN,
        "began_by": began_by,
        "asked_at": at,
        "expires_at": expires_at,
    }
    made = db.scalar(_INSERT, values)
    assert isinstance(made, int)
    return made


def open_to(
    db: Connection, keys: Keys, *, look_up: bytes, at: datetime
) -> list[Question]:
    """What a phone may answer now, the latest first; what is too old is closed."""
    db.execute(_EXPIRE_OF, {"of_phone": look_up, "now": at})
    return [
        Question(
            id=row.id,
            channel=row.channel,
            flow=row.flow,
            session=json.loads(unseal_raw(keys, row.session)),
            menus=row.menus,
            language=row.language,
            began_by=row.began_by,
            asked_at=row.asked_at,
        )
        for row in db.execute(_OPEN, {"of_phone": look_up})
    ]


def was_asked(
    db: Connection, *, look_up: bytes, carrier: str, carrier_id: str, before: datetime
) -> bool:
    """Whether that text was answered by then with a question that is still open.

    The same words may then be the answer to it, and no repeat of the carrier's.
    """
    found = {
        "of_phone": look_up,
        "by_carrier": carrier,
        "by_text": carrier_id,
        "before": before,
    }
    return db.execute(_WAS_ASKED, found).first() is not None


def is_asked(db: Connection, *, person_id: int, flow: str, test: bool) -> bool:
    """Whether a question that we began in this flow is open to a person."""
    found = {"of_person": person_id, "of_flow": flow, "of_channel": ours(test=test)}
    return db.execute(_IS_ASKED, found).first() is not None


def asked(db: Connection, *, flow: str, test: bool) -> set[int]:
    """To whom a question that we began in this flow is open."""
    wanted = select(_question.person_id).where(
        _question.flow == flow,
        _question.channel == ours(test=test),
        _question.state == State.OPEN,
    )
    return set(db.scalars(wanted))


def last_of_ours(
    db: Connection, *, person_id: int, test: bool, since: datetime
) -> tuple[State, datetime] | None:
    """What became of the last question that we began with a person, and when we did."""
    found = {"of_person": person_id, "of_channel": ours(test=test), "since": since}
    row = db.execute(_LAST_OF_OURS, found).first()
    return None if row is None else (State(row.state), row.asked_at)


def look_up_of(db: Connection, *, person_id: int) -> bytes | None:
    """The keyed hash of a person's phone; None once they are erased."""
    found: bytes | None = db.scalar(_LOOK_UP, {"of_person": person_id})
    return found


def close(db: Connection, ids: Collection[int], state: State) -> None:
    """Close questions, and empty what they held; those that are closed stay so."""
    if ids:
        db.execute(_CLOSE, {"ids": sorted(ids), "to_state": state})


def expire(db: Connection, *, at: datetime) -> int:
    """Close the questions that nobody answered in time; how many."""
    return db.execute(_EXPIRE, {"now": at}).rowcount
