"""The texts of a send to many, promised a few hundred at a time.

A transaction moves the send's cursor and promises everybody it passed, so a death
between two loses nobody and tells nobody twice; the key of each promise says so once
more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Integer, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ledger import bulks
from ledger.audience import window
from ledger.bulks import CHANNEL, Bulk, BulkState
from ledger.outbox import Kind, State
from ledger.schema import Utc, bulk, event, outbox

__all__ = ["BATCH_MAX", "LAST", "due_texts", "is_over", "promise_some"]

BATCH_MAX = 500
# The cursor of a send that has looked at everybody.
LAST = 2**63 - 1

Slots = Mapping[str, str | int]

_due = (
    select(outbox.c.id)
    .where(
        outbox.c.state == State.QUEUED,
        outbox.c.kind == Kind.CAMPAIGN,
        # Named for the index, which then leaves out what waits for another day.
        outbox.c.via.in_(bindparam("vias", expanding=True)),
        outbox.c.due_at <= bindparam("now", type_=Utc),
    )
    .limit(bindparam("most", type_=Integer))
    .subquery()
)
_DUE = select(func.count()).select_from(_due)
_EVENTS = {
    name: new(event).on_conflict_do_nothing(index_elements=[event.c.key])
    for name, new in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}
_LEFT = (
    select(outbox.c.id)
    .where(
        outbox.c.bulk_id == bindparam("of_bulk"),
        outbox.c.state.in_([State.QUEUED, State.SENDING]),
    )
    .limit(1)
)


def due_texts(db: Connection, *, at: datetime, vias: Collection[str], most: int) -> int:
    """How many campaign texts could leave now and have not; counted up to `most`.

    `vias` are the names of the channels with a process of their own.
    """
    given = {"vias": sorted({"", "*", *vias}), "now": at, "most": most}
    return int(db.scalar(_DUE, given) or 0)


def promise_some(
    db: Connection,
    name: str,
    *,
    slots: Callable[[str], Slots],
    languages: Sequence[str],
    limit: int,
    at: datetime,
) -> int | None:
    """Promise the next people of a running send their text; how many, None if over.

    At most `limit` people are looked at. `slots` is what the text says in a language of
    `languages`, whose first is for whoever never chose one of them. What was shown and
    approved is a limit: whoever agreed since is left out beyond it.
    """
    assert 0 < limit <= BATCH_MAX
    found = bulks.named(db, name, lock=True)
    if found.state is not BulkState.RUNNING or found.cursor == LAST:
        return None
    room = min(limit, found.size - found.promised)
    if room <= 0 or at >= found.expires_at:
        _move(db, found, LAST, 0)
        return None
    looked = window(db, found.audience, after=found.cursor, limit=room)
    if looked.cursor is None:
        _move(db, found, LAST, 0)
        return None
    first = languages[0]
    chosen = {
        person: language if language is not None and language in languages else first
        for person, language in looked.people
    }
    promised = _promise(db, found, chosen, slots, at) if chosen else 0
    _move(db, found, looked.cursor, promised)
    return promised


def is_over(db: Connection, found: Bulk) -> bool:
    """Whether everybody was looked at and no text waits or is on its way."""
    if found.cursor != LAST:
        return False
    return db.scalar(_LEFT, {"of_bulk": found.id}) is None


def _promise(
    db: Connection,
    found: Bulk,
    chosen: Mapping[int, str],
    slots: Callable[[str], Slots],
    at: datetime,
) -> int:
    """Promise each of these people the text in their language; how many are new."""
    keys = {f"bulk:{found.id}:{person}": person for person in chosen}
    events = [
        {
            "key": key,
            "kind": "send.text",
            "body": {"send": found.name},
            "about_id": found.event_id,
            "person_id": person,
            "campaign": found.campaign,
            "channel": CHANNEL,
            "test": found.test,
            "transfers": 0,
            "at": at,
        }
        for key, person in keys.items()
    ]
    new = _EVENTS[db.dialect.name].returning(event.c.id, event.c.key)
    worded = {language: dict(slots(language)) for language in set(chosen.values())}
    rows = [
        {
            "event_id": row.id,
            "person_id": keys[row.key],
            "template": found.template,
            "slots": worded[chosen[keys[row.key]]],
            "language": chosen[keys[row.key]],
            "menus": found.menus,
            "kind": Kind.CAMPAIGN,
            "campaign": found.campaign,
            "test": found.test,
            "state": State.QUEUED,
            "promised_at": at,
            "due_at": at,
            "expires_at": found.expires_at,
            "changed_at": at,
            "bulk_id": found.id,
        }
        for row in db.execute(new, events)
    ]
    if rows:
        db.execute(insert(outbox), rows)
    return len(rows)


def _move(db: Connection, found: Bulk, cursor: int, promised: int) -> None:
    db.execute(
        update(bulk)
        .where(bulk.c.id == found.id)
        .values(cursor=cursor, promised=bulk.c.promised + promised)
    )
