"""A person who is forgotten leaves every register of every assembly.

What was counted of meetings that were held stays, of nobody; a decision stays with its
office, which is no person, and with no phone.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from ledger import schema
from ledger.assemblies import benefactors, meetings, premises

__all__ = ["leave"]


def leave(db: Connection, *, person_id: int, at: datetime) -> None:
    """Empty the name, close what is offered and asked for, end what is to come."""
    benefactor, present = schema.benefactor.c, schema.attendance.c
    decision, room = schema.decision.c, schema.premises.c
    db.execute(
        update(schema.benefactor)
        .where(benefactor.person_id == person_id)
        .values(state=benefactors.State.LEFT, name=None, changed_at=at)
    )
    db.execute(
        update(schema.premises)
        .where(room.person_id == person_id, room.state == premises.State.OPEN)
        .values(state=premises.State.CLOSED, changed_at=at)
    )
    db.execute(
        update(schema.decision)
        .where(decision.owner_id == person_id)
        .values(owner_id=None)
    )
    ahead = select(schema.meeting.c.event_id).where(
        schema.meeting.c.state == meetings.State.PLANNED
    )
    db.execute(
        delete(schema.attendance).where(
            present.person_id == person_id, present.meeting_id.in_(ahead)
        )
    )
