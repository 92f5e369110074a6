"""What was sent lately: to a person of what nobody asked for, and in all."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, literal_column, select

from ledger.outbox import State
from ledger.schema import Utc, attempt, outbox, person

__all__ = ["attempts_since", "campaign_texts", "reserve"]

_FREE = (
    select(person.c.id)
    .where(person.c.id.in_(bindparam("people", expanding=True)))
    .order_by(person.c.id)
    .with_for_update(key_share=True, skip_locked=True)
)
_TEXTS = select(outbox.c.id, outbox.c.person_id, outbox.c.changed_at).where(
    outbox.c.person_id.in_(bindparam("people", expanding=True)),
    outbox.c.changed_at >= bindparam("since", type_=Utc),
    # In words, because only so is the index seen to be one of these.
    outbox.c.kind == literal_column("'campaign'"),
    outbox.c.test == bindparam("of_test"),
    # Those that left or may have: a text that was only claimed has no attempt.
    outbox.c.attempts > 0,
    outbox.c.state.in_([State.SENDING, State.UNCLEAR, State.SENT, State.DELIVERED]),
)
_before = (
    select(attempt.c.id)
    .where(attempt.c.began_at < bindparam("since", type_=Utc))
    # From the newest on: as many rows are read as there were attempts since.
    .order_by(attempt.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_ATTEMPTS = select(func.count()).where(
    attempt.c.id > func.coalesce(_before, 0),
    attempt.c.carrier.in_(bindparam("carriers", expanding=True)),
)


def reserve(db: Connection, person_ids: Iterable[int]) -> set[int]:
    """Have these people to ourselves until the transaction ends; returns who are.

    Whoever is left out is being written to at this moment by somebody else. Nobody
    waits, so two that reserve the same people in another order do not lock up.
    """
    people = sorted(set(person_ids))
    return set(db.scalars(_FREE, {"people": people})) if people else set()


def campaign_texts(
    db: Connection, person_ids: Iterable[int], *, since: datetime, test: bool
) -> list[tuple[int, int, datetime]]:
    """The campaign texts that these people got or may have got: id, person and when.

    When is the last that was heard of a text: of one that waited for its handset, the
    day on which it was there.
    """
    people = sorted(set(person_ids))
    if not people:
        return []
    found = db.execute(_TEXTS, {"people": people, "since": since, "of_test": test})
    return [(row.id, row.person_id, row.changed_at) for row in found]


def attempts_since(db: Connection, carriers: Iterable[str], *, since: datetime) -> int:
    """How many attempts went to these channels since then."""
    found = db.scalar(_ATTEMPTS, {"since": since, "carriers": sorted(carriers)})
    return int(found or 0)
