"""What becomes of a person's hours when the person is erased: the sums stay."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, or_, select, update

from ledger import events
from ledger.schema import favour, introduction
from ledger.timebank import favours, hours, introductions
from ledger.timebank.introductions import Introduction, states

__all__ = ["leave"]

CHANNEL = "operator"
_row = introduction.c
_LIVE = ("asked", "accepted", "introduced", "told", "disputed")


def leave(db: Connection, *, person_id: int, at: datetime) -> None:
    """Close what somebody offers and needs, and undo what waits between two.

    The caller holds the person alone. Hours that were confirmed stay; those that wait
    are void, for nobody is left to say a word. The other one is looked for anew.
    """
    found = db.scalars(
        select(_row.event_id)
        .where(
            or_(_row.giver_id == person_id, _row.receiver_id == person_id),
            _row.state.in_(_LIVE),
        )
        .order_by(_row.event_id)
        .with_for_update(key_share=True)
    ).all()
    for introduction_id in found:
        one = introductions.by_id(db, introduction_id)
        if one is not None:
            _undo(db, one, person_id, at)
    db.execute(
        update(favour)
        .where(favour.c.person_id == person_id, favour.c.state.in_(("open", "matched")))
        .values(state="closed", changed_at=at, next_at=None)
    )


def _undo(db: Connection, one: Introduction, person_id: int, at: datetime) -> None:
    key = f"introduction.erased:{one.id}"
    if one.state in ("told", "disputed"):
        hours.withdrawn(db, one, key=key, by="erased", at=at)
        return
    events.record(
        db,
        key=key,
        kind="introduction.withdrawn",
        body={"introduction": one.id, "by": "erased"},
        # Of the one who leaves: the other may be leaving at this moment too.
        person_id=person_id,
        about_id=one.need_id,
        campaign=one.campaign,
        district=one.district,
        centre=one.centre,
        channel=CHANNEL,
        test=one.test,
        at=at,
    )
    states(db, one, "withdrawn", at=at)
    favours.reopen(db, offer_id=one.offer_id, need_id=one.need_id, at=at)
    if one.state == "asked":
        favours.move(db, one.need_id, state="open", was="open", at=at, next_at=at)
