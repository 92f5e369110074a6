"""What of a sign-up, an entry and a change of number goes when a person is erased."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, update

from ledger import schema

__all__ = ["forget"]

_entry = schema.entry.c
_number = schema.renumbering.c


def forget(db: Connection, *, person_id: int, at: datetime) -> None:
    """Empty the name and what others wrote down; close what waits for an answer."""
    signup = schema.signup.c
    db.execute(
        update(schema.signup).where(signup.person_id == person_id).values(name=None)
    )
    db.execute(
        update(schema.entry).where(_entry.person_id == person_id).values(answers=b"")
    )
    db.execute(
        update(schema.entry)
        .where(_entry.person_id == person_id, _entry.state.in_(("new", "waiting")))
        .values(state="refused", changed_at=at)
    )
    db.execute(
        update(schema.renumbering)
        .where(_number.person_id == person_id, _number.state.in_(("waiting", "agreed")))
        .values(state="refused", changed_at=at)
    )
    db.execute(
        update(schema.renumbering)
        .where(_number.person_id == person_id)
        .values(look_up=None, phone=b"")
    )
