"""What happened to one pledge or gift, for whoever is asked about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from ledger import schema

__all__ = ["Happened", "history"]

SHOWN_MAX = 200


@dataclass(frozen=True, slots=True)
class Happened:
    """An event about a pledge; `amount` in minor units of `unit` is its principal, 0
    for one that moved nothing. `by` is the operator who did it, or ""."""

    event_id: int
    kind: str
    at: datetime
    by: str
    amount: int
    unit: str


_event = schema.event.c
_transfer = schema.transfer.c
_about = (
    select(
        _event.id,
        _event.kind,
        _event.at,
        _event.body,
        _transfer.amount,
        _transfer.unit,
    )
    .select_from(
        schema.event.outerjoin(
            schema.transfer,
            (_transfer.event_id == _event.id) & (_transfer.number == 1),
        )
    )
    .where(_event.about_id == bindparam("of_event"))
    .order_by(_event.id)
    .limit(SHOWN_MAX)
)


def history(db: Connection, event_id: int) -> list[Happened]:
    """The events about this one, in their order: 200 of them at most."""
    return [
        Happened(
            row.id,
            row.kind,
            row.at,
            str(row.body.get("by", "")),
            int(row.amount or 0),
            row.unit or "",
        )
        for row in db.execute(_about, {"of_event": event_id})
    ]
