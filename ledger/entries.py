"""What somebody else wrote down: nothing until the person's own phone confirms it.

A helper enters a phone at a booth, an operator brings a list on paper. The answers are
sealed under that person's key; the events say where and how, and never what or who.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from ledger import events, schema
from ledger.engine import LedgerError
from ledger.events import Recorded
from ledger.signups import Placed, Said, SignedUp, Where
from ledger.vault import Keys, WrongKeys, seal_answer, unseal_answer

__all__ = [
    "ASKED",
    "COLUMNS",
    "ENTRY_TIME",
    "Answers",
    "Entry",
    "EntryState",
    "Made",
    "NOTHING",
    "NotEntered",
    "OPEN",
    "REFUSED",
    "answers_of",
    "asked_since",
    "begin",
    "due",
    "end",
    "enter",
    "entry_of",
    "made_since",
    "of_line",
    "over",
    "waiting_for",
]

MADE, CONFIRMED, REFUSED = "entry.made", "entry.confirmed", "entry.refused"
# An entry that was asked for and is none: what the helper reads is the same.
NOTHING = "entry.nothing"
ASKED = "entry.asked"
# How long a phone may answer.
ENTRY_TIME = timedelta(days=14)
LIST_MAX = 500
_USE = "entry"

_entry = schema.entry.c
_vault = schema.vault.c


class EntryState(StrEnum):
    """Where an entry is; `new` is one that its phone was not asked about yet."""

    NEW = "new"
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    EXPIRED = "expired"


OPEN = (EntryState.NEW, EntryState.WAITING)


class NotEntered(LedgerError):
    """The person was erased in this moment: nothing is entered."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What was written down for somebody, as `ledger.signups.sign_up` takes it."""

    said: Said
    placed: Placed
    where: Where


@dataclass(frozen=True, slots=True)
class Entry:
    event_id: int
    person_id: int
    campaign: str
    source: str
    batch: str | None
    line: int | None
    place: str | None
    state: EntryState
    test: bool
    at: datetime
    expires_at: datetime
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Made:
    """An entry, whether this call made it, and whether it stood before.

    `differs` are the names of what is asked otherwise than it was under its key.
    """

    event_id: int
    first: bool
    differs: tuple[str, ...] = ()


COLUMNS = (
    *(_entry.event_id, _entry.person_id, _entry.campaign, _entry.source),
    *(_entry.batch, _entry.line, _entry.place, _entry.state, _entry.test),
    *(_entry.at, _entry.expires_at, _entry.answers),
)
_insert = insert(schema.entry)
_own_key = (
    select(_vault.wrapped_key)
    .where(_vault.person_id == bindparam("of_person"))
    .with_for_update(read=True)
)
_of_line = select(*COLUMNS).where(
    _entry.batch == bindparam("of_batch"), _entry.line == bindparam("of_line")
)
_waiting = (
    select(*COLUMNS)
    .where(
        _entry.person_id == bindparam("of_person"),
        _entry.campaign == bindparam("for_campaign"),
        _entry.test == bindparam("in_test"),
        _entry.state.in_(OPEN),
    )
    .order_by(_entry.event_id)
    .limit(1)
)
_due = (
    select(*COLUMNS)
    .where(
        _entry.state == EntryState.NEW,
        _entry.campaign.in_(bindparam("campaigns", expanding=True)),
    )
    # As they were written down; by their ids the whole table would be read for it.
    .order_by(_entry.expires_at, _entry.event_id)
    .limit(bindparam("most"))
)
_over = (
    select(*COLUMNS)
    .where(
        _entry.state.in_(OPEN),
        _entry.expires_at <= bindparam("now", type_=schema.Utc),
    )
    .order_by(_entry.expires_at, _entry.event_id)
    .limit(bindparam("most"))
)
_asked_since = select(func.count()).where(
    _entry.state == EntryState.WAITING,
    _entry.expires_at >= bindparam("since", type_=schema.Utc),
)
_made_since = select(func.count()).where(
    schema.event.c.person_id == bindparam("by_person"),
    schema.event.c.kind.in_((MADE, NOTHING)),
    schema.event.c.at >= bindparam("since", type_=schema.Utc),
)


def enter(
    db: Connection,
    keys: Keys,
    *,
    key: str,
    person_id: int,
    by_id: int | None,
    campaign: str,
    answers: Answers,
    source: str,
    batch: str | None = None,
    line: int | None = None,
    place: str | None,
    by: str | None = None,
    channel: str,
    test: bool,
    at: datetime,
) -> Made:
    """Write an entry down for a person, under a key that happens once.

    `by_id` is the helper, whose event it is; `place` the centre or the booth where it
    was made. `source` is helper or paper; a paper's `batch` and `line` are one entry
    for ever, and `by` is the operator. Raises NotEntered for who was erased meanwhile.
    """
    body: dict[str, str | int] = {"campaign": campaign, "source": source}
    told = {"place": place, "batch": batch, "line": line, "by": by}
    body |= {name: value for name, value in told.items() if value is not None}
    wrapped_key = db.scalar(_own_key, {"of_person": person_id})
    if wrapped_key is None:
        raise NotEntered("the person is erased")
    recorded = events.record(
        db,
        key=key,
        kind=MADE,
        body=body,
        person_id=by_id,
        campaign=campaign,
        channel=channel,
        test=test,
        at=at,
    )
    if not recorded.first:
        return Made(recorded.event_id, False, recorded.differs)
    db.execute(
        _insert,
        {
            "event_id": recorded.event_id,
            "person_id": person_id,
            "campaign": campaign,
            "source": source,
            "batch": batch,
            "line": line,
            "answers": seal_answer(
                keys, person_id, wrapped_key, json.dumps(_flat(answers)), use=_USE
            ),
            "place": place,
            "state": EntryState.NEW,
            "test": test,
            "at": at,
            "expires_at": at + ENTRY_TIME,
            "changed_at": at,
        },
    )
    return Made(recorded.event_id, True)


def answers_of(db: Connection, keys: Keys, entry: Entry) -> Answers:
    """What was written down. Raises WrongKeys, also once the person is erased."""
    wrapped_key = db.scalar(_own_key, {"of_person": entry.person_id})
    if wrapped_key is None:
        raise WrongKeys("the person is erased")
    flat = json.loads(
        unseal_answer(keys, entry.person_id, wrapped_key, entry.sealed, use=_USE)
    )
    return Answers(
        Said(**flat["said"]), Placed(**flat["placed"]), Where(**flat["where"])
    )


def waiting_for(
    db: Connection, *, person_id: int, campaign: str, test: bool
) -> Entry | None:
    """The first entry that waits for a person."""
    asked = {"of_person": person_id, "for_campaign": campaign, "in_test": test}
    return _first(db.execute(_waiting, asked).first())


def of_line(db: Connection, *, batch: str, line: int) -> Entry | None:
    """The entry of a line of a list on paper."""
    return _first(db.execute(_of_line, {"of_batch": batch, "of_line": line}).first())


def due(db: Connection, *, campaigns: Collection[str], limit: int) -> Sequence[Entry]:
    """The oldest entries of these campaigns whose phones were not asked yet.

    Those of one that is gone from the menus stand in nobody's way.
    """
    wanted = {"campaigns": sorted(campaigns), "most": limit}
    return [entry_of(row) for row in db.execute(_due, wanted)]


def over(db: Connection, *, at: datetime, limit: int) -> Sequence[Entry]:
    """The entries that were not answered in time."""
    return [entry_of(row) for row in db.execute(_over, {"now": at, "most": limit})]


def begin(db: Connection, *, entry: Entry, channel: str, at: datetime) -> int | None:
    """Begin to ask an entry's phone; the event that a text can hang on, the person's
    own. None if it was asked before, or is not to be any more.

    The time to answer begins here: a list of thousands takes days to ask.
    """
    is_ours = _moved(
        db,
        entry.event_id,
        (EntryState.NEW,),
        {
            "state": EntryState.WAITING,
            "expires_at": at + ENTRY_TIME,
            "changed_at": at,
        },
    )
    if not is_ours:
        return None
    return events.record(
        db,
        key=f"entry:{entry.event_id}:asked",
        kind=ASKED,
        body={"campaign": entry.campaign},
        person_id=entry.person_id,
        about_id=entry.event_id,
        campaign=entry.campaign,
        channel=channel,
        test=entry.test,
        at=at,
    ).event_id


def end(
    db: Connection,
    *,
    key: str,
    entry: Entry,
    state: EntryState,
    by_id: int | None,
    signed: SignedUp | None = None,
    channel: str,
    at: datetime,
) -> Recorded | None:
    """End an entry that is open: confirmed, refused or expired; None if it is not.

    `by_id` is the person themselves, or nobody for one that expires.
    """
    assert state not in OPEN
    result_id = None if signed is None else signed.recorded.event_id
    is_ours = _moved(
        db,
        entry.event_id,
        OPEN,
        {"state": state, "result_id": result_id, "changed_at": at},
    )
    if not is_ours:
        return None
    body: dict[str, str | int] = {"campaign": entry.campaign}
    if state is EntryState.EXPIRED:
        body["expired"] = 1
    if signed is not None:
        body["code"] = signed.code
    return events.record(
        db,
        key=key,
        kind=CONFIRMED if state is EntryState.CONFIRMED else REFUSED,
        body=body,
        person_id=by_id,
        about_id=entry.event_id,
        campaign=entry.campaign,
        channel=channel,
        test=entry.test,
        at=at,
    )


def asked_since(db: Connection, *, since: datetime) -> int:
    """How many phones were asked at `since` or later."""
    return db.scalar(_asked_since, {"since": since + ENTRY_TIME}) or 0


def made_since(db: Connection, *, by_id: int, since: datetime) -> int:
    """How many phones a helper wrote down at `since` or later."""
    return db.scalar(_made_since, {"by_person": by_id, "since": since}) or 0


def _moved(
    db: Connection,
    event_id: int,
    states: Sequence[EntryState],
    values: dict[str, object],
) -> bool:
    moved = (
        update(schema.entry)
        .where(_entry.event_id == event_id, _entry.state.in_(states))
        .values(values)
    )
    return db.execute(moved).rowcount == 1


def _flat(answers: Answers) -> dict[str, Any]:
    return {
        name: asdict(getattr(answers, name)) for name in ("said", "placed", "where")
    }


def _first(row: Row[*tuple[Any, ...]] | None) -> Entry | None:
    return None if row is None else entry_of(row)


def entry_of(row: Row[*tuple[Any, ...]]) -> Entry:
    """A row of COLUMNS."""
    values = row._asdict()
    sealed, state = values.pop("answers"), EntryState(values.pop("state"))
    return Entry(**values, state=state, sealed=sealed)
