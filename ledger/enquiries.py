"""The help desk: texts that no keyword understands, and what people answered them.

The words stand sealed. Every act of an operator is an event that names who did it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, func, select, update

from ledger import events, people, schema
from ledger.once import Once
from ledger.outbox import Kind, promise
from ledger.schema import Utc
from ledger.vault import Keys, seal_raw, seal_slots, unseal_raw
from phone.numbers import mask

__all__ = [
    "WORDS_CHARS_MAX",
    "Enquiry",
    "NotOpen",
    "State",
    "add",
    "answer",
    "close",
    "listed",
    "show",
    "state_counts",
]

# Nobody reads more of what came; the whole of it is in the raw form for 30 days.
WORDS_CHARS_MAX = 2000
WHY_CHARS_MAX = 200
BY_CHARS_MAX = 40
LISTED_MAX = 500


class State(StrEnum):
    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class NotOpen(LookupError):
    """No such enquiry, or somebody was done with it before."""


@dataclass(frozen=True, slots=True)
class Enquiry:
    """A text that waits for a person, or that a person was done with.

    `phone` is masked, "" once its owner was erased; `words` are "" once they were
    forgotten; `done_why` is why it was closed.
    """

    id: int
    person_id: int
    phone: str
    channel: str
    line: str
    words: str = field(repr=False)
    state: State
    done_by: str
    done_why: str
    at: datetime
    changed_at: datetime


_enquiry = schema.enquiry.c
_add = Once(schema.enquiry, _enquiry.inbound_id, returning=_enquiry.id)
_SELECT = select(
    _enquiry.id,
    _enquiry.person_id,
    _enquiry.channel,
    _enquiry.line,
    _enquiry.words,
    _enquiry.state,
    _enquiry.done_by,
    _enquiry.done_why,
    _enquiry.at,
    _enquiry.changed_at,
)
_LISTED = (
    _SELECT.where(
        _enquiry.state == bindparam("in_state"),
        _enquiry.id > bindparam("after", type_=Integer),
    )
    .order_by(_enquiry.id)
    .limit(bindparam("room", type_=Integer))
)
_SHOW = _SELECT.where(_enquiry.id == bindparam("of_id"))
_DONE = (
    update(schema.enquiry)
    .where(_enquiry.id == bindparam("of_id"), _enquiry.state == State.OPEN)
    .values(
        state=bindparam("to_state"),
        done_by=bindparam("by_whom"),
        done_why=bindparam("why"),
        changed_at=bindparam("now", type_=Utc),
    )
    .returning(_enquiry.person_id, _enquiry.channel)
)
_COUNTS = select(_enquiry.state, func.count()).group_by(_enquiry.state)


def add(
    db: Connection,
    keys: Keys,
    *,
    inbound_id: int,
    person_id: int,
    channel: str,
    line: str,
    words: str,
    at: datetime,
) -> bool:
    """Put an incoming text before a person, once; False if it was there already."""
    cut = words[:WORDS_CHARS_MAX]
    new = _add(
        db,
        inbound_id=inbound_id,
        person_id=person_id,
        channel=channel,
        line=line,
        words=seal_raw(keys, cut.encode("utf-8", "replace")),
        state=State.OPEN,
        at=at,
        changed_at=at,
    )
    return new is not None


def listed(
    db: Connection,
    keys: Keys,
    *,
    state: State = State.OPEN,
    after: int = 0,
    limit: int = 50,
) -> list[Enquiry]:
    """Enquiries in a state, the oldest first, from the one behind id `after` on."""
    assert 0 < limit <= LISTED_MAX
    found = {"in_state": state, "after": after, "room": limit}
    return _read(db, keys, db.execute(_LISTED, found).all())


def show(db: Connection, keys: Keys, *, enquiry_id: int) -> Enquiry | None:
    """One enquiry, None if there is none of that id."""
    found = _read(db, keys, db.execute(_SHOW, {"of_id": enquiry_id}).all())
    return found[0] if found else None


def answer(
    db: Connection,
    keys: Keys,
    *,
    enquiry_id: int,
    words: str,
    by: str,
    template: str,
    kind: Kind | str,
    language: str,
    menus: str,
    tests: Collection[str],
    at: datetime,
    expires_at: datetime,
) -> int:
    """Promise somebody's answer as a text, and be done; returns the outbox id.

    The text is `template` of the menus, with the sealed slot `words`; `tests` are the
    channels of rehearsals. Of two who answer at once one is told NotOpen.
    """
    person_id, channel = _done(db, enquiry_id, State.ANSWERED, by, None, at)
    event = events.record(
        db,
        key=f"enquiry:{enquiry_id}:answered",
        kind="enquiry.answered",
        body={"by": by},
        person_id=person_id,
        channel=channel,
        test=channel in tests,
        at=at,
    )
    return promise(
        db,
        event_id=event.event_id,
        person_id=person_id,
        template=template,
        slots=seal_slots(keys, {"words": words}),
        language=language,
        menus=menus,
        kind=kind,
        campaign=None,
        test=channel in tests,
        at=at,
        expires_at=expires_at,
    )


def close(
    db: Connection,
    *,
    enquiry_id: int,
    by: str,
    why: str,
    tests: Collection[str],
    at: datetime,
) -> None:
    """Be done with an enquiry without an answer; raises NotOpen."""
    why = why[:WHY_CHARS_MAX]
    person_id, channel = _done(db, enquiry_id, State.CLOSED, by, why, at)
    events.record(
        db,
        key=f"enquiry:{enquiry_id}:closed",
        kind="enquiry.closed",
        body={"by": by, "why": why},
        person_id=person_id,
        channel=channel,
        test=channel in tests,
        at=at,
    )


def state_counts(db: Connection) -> dict[State, int]:
    """How many enquiries are in each state; every state has a count."""
    counts = dict.fromkeys(State, 0)
    for state, count in db.execute(_COUNTS):
        counts[State(state)] = count
    return counts


def _done(
    db: Connection,
    enquiry_id: int,
    state: State,
    by: str,
    why: str | None,
    at: datetime,
) -> tuple[int, str]:
    assert 0 < len(by) <= BY_CHARS_MAX
    values = {
        "of_id": enquiry_id,
        "to_state": state,
        "by_whom": by,
        "why": why,
        "now": at,
    }
    row = db.execute(_DONE, values).first()
    if row is None:
        raise NotOpen(f"there is no open enquiry {enquiry_id}")
    return row.person_id, row.channel


def _read(db: Connection, keys: Keys, rows: Iterable[Any]) -> list[Enquiry]:
    rows = list(rows)
    phones = people.phones_of(
        db, keys, person_ids=sorted({row.person_id for row in rows})
    )
    return [
        Enquiry(
            id=row.id,
            person_id=row.person_id,
            phone=mask(phones[row.person_id]) if row.person_id in phones else "",
            channel=row.channel,
            line=row.line,
            words=unseal_raw(keys, row.words).decode() if row.words else "",
            state=State(row.state),
            done_by=row.done_by or "",
            done_why=row.done_why or "",
            at=row.at,
            changed_at=row.changed_at,
        )
        for row in rows
    ]
