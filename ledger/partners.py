"""What one partner's own part of the books comes to, and nobody else's.

A partner is a shop, a platform, a company whose channel brings callers. Its part is the
events that name it and those that came over its channels.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from ledger import schema

__all__ = ["KINDS", "PEOPLE_MIN", "Total", "totals"]

# What is counted: all else is nobody's part.
KINDS = (
    *("pledge", "payment", "gift", "refund", "refund.paid", "reversal"),
    *("received", "batch.send", "batch.deliver", "batch.return"),
    *("signup", "favour", "hours.confirmed"),
    *("delivery", "delivery.taken", "delivery.done"),
)
# Of goods, which are nobody's. Behind any other event is a person, known to the books
# or not.
_OF_GOODS = frozenset(("batch.send", "batch.deliver", "batch.return"))
# Fewer are not told: a sum of three could be read back to one of them.
PEOPLE_MIN = 5

_event = schema.event.c
_transfer = schema.transfer.c


@dataclass(frozen=True, slots=True)
class Total:
    """Events of one kind of one campaign; amounts are minor units of `unit`.

    `number` and `amount` are None where fewer than five people are behind them.
    """

    campaign: str
    kind: str
    unit: str
    number: int | None
    amount: int | None


def totals(
    db: Connection,
    *,
    partner: str,
    channels: Collection[str],
    since: datetime,
    until: datetime,
) -> list[Total]:
    """The real events of a partner from `since` on and before `until`, summed."""
    own = [_event.partner == partner]
    if channels:
        own.append(_event.channel.in_(sorted(channels)))
    campaign = func.coalesce(_event.campaign, "")
    unit = func.coalesce(_transfer.unit, "")
    query = (
        select(
            campaign,
            _event.kind,
            unit,
            func.count(),
            func.coalesce(func.sum(_transfer.amount), 0),
            func.count(_event.person_id.distinct())
            + func.count()
            - func.count(_event.person_id),
        )
        .select_from(
            schema.event.outerjoin(
                schema.transfer,
                (_transfer.event_id == _event.id) & (_transfer.number == 1),
            )
        )
        .where(
            _event.kind.in_(KINDS),
            _event.at >= since,
            _event.at < until,
            _event.test.is_(False),
            or_(*own),
        )
        .group_by(campaign, _event.kind, unit)
        .order_by(campaign, _event.kind, unit)
    )
    return [
        Total(of, kind, unit, None, None)
        if people < PEOPLE_MIN and kind not in _OF_GOODS
        else Total(of, kind, unit, number, int(amount))
        for of, kind, unit, number, amount, people in db.execute(query)
    ]
