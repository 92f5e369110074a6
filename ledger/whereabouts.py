"""Where the goods of a purchase are: in stock, carried, delivered, back for good.

Only counts are kept, by partner and district; never who got something.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, bindparam, func, select

from ledger.schema import batch, event, transfer

__all__ = ["Act", "Whereabouts", "whereabouts"]


class Act(StrEnum):
    """What happens to goods, as its events are called."""

    BUY = "batch.buy"
    SEND = "batch.send"
    DELIVER = "batch.deliver"
    # A partner gives back what was not delivered: it can be sent again.
    RETURN = "batch.return"
    # What was delivered came back, for good.
    COME_BACK = "batch.come_back"


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Counts in the unit of the batch.

    `carried` is by partner, `delivered` by district, with "" for an unknown one.
    """

    stock: int
    carried: Mapping[str, int]
    delivered: Mapping[str, int]
    returned: int

    @property
    def carried_in_all(self) -> int:
        return sum(self.carried.values())

    @property
    def delivered_in_all(self) -> int:
        return sum(self.delivered.values())


def whereabouts(db: Connection, batch_event_id: int) -> Whereabouts:
    """Add up what happened to the goods of a purchase."""
    stock = int(db.scalar(_BOUGHT, {"of_batch": batch_event_id}) or 0)
    carried: Counter[str] = Counter()
    delivered: Counter[str] = Counter()
    returned = 0
    for row in db.execute(_MOVEMENTS, {"of_batch": batch_event_id}):
        quantity = int(row.quantity)
        partner, district = row.partner or "", row.district or ""
        if row.kind == Act.SEND:
            stock -= quantity
            carried[partner] += quantity
        elif row.kind == Act.DELIVER:
            carried[partner] -= quantity
            delivered[district] += quantity
        elif row.kind == Act.RETURN:
            carried[partner] -= quantity
            stock += quantity
        elif row.kind == Act.COME_BACK:
            delivered[district] -= quantity
            returned += quantity
    return Whereabouts(stock, dict(carried), dict(delivered), returned)


_BOUGHT = select(batch.c.quantity).where(batch.c.event_id == bindparam("of_batch"))
_MOVEMENTS = (
    select(
        event.c.kind,
        event.c.partner,
        event.c.district,
        func.sum(transfer.c.amount).label("quantity"),
    )
    .join(transfer, transfer.c.event_id == event.c.id)
    .where(event.c.about_id == bindparam("of_batch"), event.c.kind.in_(tuple(Act)))
    .group_by(event.c.kind, event.c.partner, event.c.district)
)
