"""Receipts that found no text yet, for who knows other forms of their ids."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Integer, bindparam, func, select

from ledger.schema import Utc, receipt

__all__ = ["Stray", "strays", "strays_of"]


@dataclass(frozen=True, slots=True)
class Stray:
    """An id that receipts came under, and the phone they name, by its keyed hash."""

    carrier_id: str
    look_up: bytes | None = field(repr=False)


_STRAYS = (
    select(receipt.c.carrier_id, receipt.c.look_up)
    .where(
        receipt.c.matched_at.is_(None),
        receipt.c.at > bindparam("since", type_=Utc),
        receipt.c.carrier == bindparam("of_channel"),
    )
    .distinct()
    .limit(bindparam("room", type_=Integer))
)


def strays(
    db: Connection, *, channel: str, since: datetime, limit: int = 500
) -> list[Stray]:
    """The ids without a text that receipts of a channel came under since then."""
    asked = {"of_channel": channel, "since": since, "room": limit}
    return [Stray(*row) for row in db.execute(_STRAYS, asked)]


_OF_PHONES = (
    select(receipt.c.look_up, func.min(receipt.c.at).label("at"))
    .where(
        receipt.c.matched_at.is_(None),
        receipt.c.look_up.in_(bindparam("phones", expanding=True)),
        receipt.c.carrier == bindparam("of_channel"),
    )
    .group_by(receipt.c.look_up, receipt.c.carrier_id)
)


def strays_of(
    db: Connection, *, channel: str, look_ups: Collection[bytes]
) -> dict[bytes, list[datetime]]:
    """When each id without a text first came, by the phone that it came about."""
    asked = {"of_channel": channel, "phones": sorted(look_ups)}
    found: dict[bytes, list[datetime]] = {}
    for row in db.execute(_OF_PHONES, asked):
        found.setdefault(bytes(row.look_up), []).append(row.at)
    return found
