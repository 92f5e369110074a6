"""Who asked to be told when a campaign opens, and what each of them was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, or_, select, update

from ledger import events, schema
from ledger.events import Recorded
from ledger.once import Once

__all__ = ["Waiting", "What", "await_opening", "note_told", "waiting"]

CHANNEL = "schedule"

_awaiting = schema.awaiting.c
_person = schema.person.c
_keep = Once(
    schema.awaiting,
    *(_awaiting.person_id, _awaiting.campaign, _awaiting.test),
    returning=_awaiting.person_id,
)


class What(StrEnum):
    """What is told of a round; each is a column with the last round it was told of."""

    OPENING = "opening"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who waits. What is rehearsed waits for itself."""

    person_id: int
    campaign: str
    test: bool


def await_opening(
    db: Connection,
    *,
    key: str,
    person_id: int,
    campaign: str,
    channel: str,
    test: bool,
    at: datetime,
) -> Recorded:
    """Remember that a person wants to be told; a second time changes nothing."""
    recorded = events.record(
        db,
        key=key,
        kind="await",
        body={},
        person_id=person_id,
        campaign=campaign,
        channel=channel,
        test=test,
        at=at,
    )
    if recorded.first:
        _keep(db, person_id=person_id, campaign=campaign, test=test, since=at)
    return recorded


def waiting(
    db: Connection,
    what: What,
    *,
    campaign: str,
    round_id: str,
    before: datetime,
    limit: int,
) -> Sequence[Waiting]:
    """Who asked before that moment and was not told yet of this round: who was never
    told of any comes first.
    """
    told, found = _awaiting[what.value], list[Waiting]()
    # One after the other, each a stretch of an index: asked for at once they are none.
    for untold in (told.is_(None), told < round_id, told > round_id):
        rows = db.execute(
            select(_awaiting.person_id, _awaiting.campaign, _awaiting.test)
            .where(_awaiting.campaign == campaign, untold, _awaiting.since < before)
            .order_by(told, _awaiting.since)
            .limit(limit - len(found))
        )
        found += [Waiting(*row) for row in rows]
        if len(found) == limit:
            break
    return found


def note_told(
    db: Connection, what: What, one: Waiting, *, round_id: str, at: datetime
) -> Recorded | None:
    """Note that a person is told of a round, once; None if they were, or are gone.

    They are held until the transaction ends, so that nobody is told who was erased.
    """
    held = db.execute(
        select(_person.id)
        .where(_person.id == one.person_id, _person.look_up.is_not(None))
        .with_for_update(key_share=True)
    ).first()
    if held is None:
        return None
    changed: Any = db.execute(
        update(schema.awaiting)
        .where(
            _awaiting.person_id == one.person_id,
            _awaiting.campaign == one.campaign,
            _awaiting.test == one.test,
            _is_untold(what, round_id),
        )
        .values({what.value: bindparam("told_of")}),
        {"told_of": round_id},
    )
    if changed.rowcount != 1:
        return None
    books = "test" if one.test else "real"
    return events.record(
        db,
        key=f"{what}:{one.campaign}:{round_id}:{one.person_id}:{books}",
        kind=f"await.{what}",
        body={"round": round_id},
        person_id=one.person_id,
        campaign=one.campaign,
        channel=CHANNEL,
        test=one.test,
        at=at,
    )


def _is_untold(what: What, round_id: str) -> ColumnElement[bool]:
    told = _awaiting[what.value]
    return or_(told.is_(None), told != round_id)
