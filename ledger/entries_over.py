"""Entries that came to nothing: what they held goes, and who only ever was entered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, text, update

from ledger import schema
from ledger.entries import ASKED, COLUMNS, OPEN, REFUSED, Entry, EntryState, entry_of
from ledger.schema.volunteers import HELD

__all__ = ["REPLIES", "empty", "is_all", "old"]

_entry = schema.entry.c
# What we said to a text, and what is recorded of who only ever was entered.
REPLIES = ("text.reply", "text.onward", "text.unknown")
_ABOUT_ENTRIES = (ASKED, REFUSED, "refuse_entry", "texts.stop", "language", *REPLIES)
_LOCK = (
    select(schema.person.c.id)
    .where(schema.person.c.id == bindparam("of_person"))
    .with_for_update()
)
_old = (
    select(*COLUMNS)
    .where(
        _entry.state.in_((EntryState.REFUSED, EntryState.EXPIRED)),
        _entry.changed_at <= bindparam("before", type_=schema.Utc),
        text(HELD),
    )
    .order_by(_entry.changed_at)
    .limit(bindparam("most"))
)


def old(db: Connection, *, before: datetime, limit: int) -> Sequence[Entry]:
    """Entries that came to nothing before then, and still hold what was written; the
    first to come to nothing first.
    """
    found = db.execute(_old, {"before": before, "most": limit})
    return [entry_of(row) for row in found]


def empty(db: Connection, *, event_id: int) -> None:
    """Let an entry that is over hold nothing any more."""
    db.execute(
        update(schema.entry).where(_entry.event_id == event_id).values(answers=b"")
    )


def is_all(db: Connection, *, person_id: int) -> bool:
    """Whether entries, and the answers to them, are all that the books know of a
    person: then nothing of them is to be kept when the entries came to nothing.

    The person is locked first: who signs up in this moment is waited for.
    """
    db.execute(_LOCK, {"of_person": person_id}).close()
    event, staff, enquiry = schema.event.c, schema.staff.c, schema.enquiry.c
    others = (
        select(event.id).where(
            event.person_id == person_id, event.kind.not_in(_ABOUT_ENTRIES)
        ),
        select(_entry.event_id).where(
            _entry.person_id == person_id, _entry.state.in_(OPEN)
        ),
        select(staff.id).where(staff.person_id == person_id),
        select(enquiry.id).where(enquiry.person_id == person_id),
        select(schema.consent.c.person_id).where(
            schema.consent.c.person_id == person_id
        ),
    )
    return not any(db.execute(one.limit(1)).first() for one in others)
