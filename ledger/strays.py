"""Receipts that found no text yet, for who knows other forms of their ids."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Integer, bindparam, func, select

from ledger.schema import Utc, receipt

__all__ = ["Stray", "latest_strays", "strays"]


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
    select(receipt.c.look_up, func.max(receipt.c.at).label("at"))
    .where(
        receipt.c.matched_at.is_(None),
        receipt.c.look_up.in_(bindparam("phones", expanding=True)),
        receipt.c.carrier == bindparam("of_channel"),
    )
    .group_by(receipt.c.look_up)
)


def latest_strays(
    db: Connection, *, channel: str, look_ups: Collection[bytes]
) -> dict[bytes, datetime]:
    """When the latest receipt without a text came about each of these phones."""
    asked = {"of_channel": channel, "phones": sorted(look_ups)}
    return {bytes(row.look_up): row.at for row in db.execute(_OF_PHONES, asked)}
