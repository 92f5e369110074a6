"""Goods that donors handed in, given out at the centre that they were brought to.

No money bought them, so they are in no batch and no partner carries them: what was
handed in for a purpose stands in stock until it is given out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, func, select

from ledger import chart, events, funds
from ledger.batches import Wrong, check_amounts, check_parts
from ledger.events import Moved
from ledger.requests import CHANNEL
from ledger.schema import account, event, transfer
from ledger.tracing_gifts import Purpose

__all__ = ["HandedOut", "HandingOut", "hand_out"]

KIND = "in_kind.deliver"


@dataclass(frozen=True, slots=True)
class HandingOut:
    """So much of what was handed in for a purpose, given out in a district.

    `key` is the act's own for ever; `by` is the operator.
    """

    key: str
    campaign: str
    purpose: str
    unit: str
    quantity: int
    by: str
    test: bool
    at: datetime
    district: str | None = None
    centre: str | None = None


@dataclass(frozen=True, slots=True)
class HandedOut:
    """What is left at the centre; `first` is False where it had happened before."""

    event_id: int
    left: int
    first: bool


def hand_out(db: Connection, asked: HandingOut) -> HandedOut:
    """Note that goods which donors brought were given out.

    Raises Wrong for more than is left of them, and for a key of something else.
    """
    check_parts(campaign=asked.campaign, purpose=asked.purpose)
    check_parts(
        **{
            name: part
            for name, part in (("district", asked.district), ("centre", asked.centre))
            if part is not None
        }
    )
    check_amounts(quantity=asked.quantity)
    body: dict[str, str | int] = {
        "campaign": asked.campaign,
        "purpose": asked.purpose,
        "unit": asked.unit,
        "quantity": asked.quantity,
        "district": asked.district or "",
        "centre": asked.centre or "",
        "by": asked.by,
    }
    # Whoever gives out of the same purpose takes turns.
    funds.lock(db, Purpose(asked.campaign, asked.purpose, asked.test))
    again = events.repeated(db, key=asked.key, kind=KIND, body=body)
    left = _left(db, asked)
    if again is None and asked.quantity > left:
        raise Wrong(
            f"{asked.quantity} {asked.unit} are wanted and {left} of those handed in "
            f"for {asked.purpose} are left"
        )
    recorded = again or events.record(
        db,
        key=asked.key,
        kind=KIND,
        body=body,
        moved=[
            Moved(
                chart.delivered(asked.district, asked.unit),
                chart.stock(asked.campaign, asked.purpose, asked.unit),
                asked.unit,
                asked.quantity,
                "single",
            )
        ],
        campaign=asked.campaign,
        purpose=asked.purpose,
        district=asked.district,
        centre=asked.centre,
        channel=CHANNEL,
        test=asked.test,
        at=asked.at,
    )
    # Somebody else may ask whether it has happened.
    differs = [name for name in recorded.differs if name != "by"]
    if differs:
        raise Wrong(f"this id was used before with another {', '.join(differs)}")
    if recorded.first:
        left -= asked.quantity
    return HandedOut(recorded.event_id, left, recorded.first)


def _left(db: Connection, asked: HandingOut) -> int:
    """What was handed in for a purpose, less what was given out of it."""
    return int(
        db.scalar(
            _LEFT,
            {
                "of_campaign": asked.campaign,
                "of_purpose": asked.purpose,
                "in_test": asked.test,
                "stock": chart.stock(asked.campaign, asked.purpose, asked.unit),
            },
        )
        or 0
    )


_stock_id = (
    select(account.c.id).where(account.c.code == bindparam("stock")).scalar_subquery()
)
_LEFT = (
    select(
        func.sum(
            case((transfer.c.debit_id == _stock_id, transfer.c.amount), else_=0)
            - case((transfer.c.credit_id == _stock_id, transfer.c.amount), else_=0)
        )
    )
    .join(event, event.c.id == transfer.c.event_id)
    .where(
        event.c.kind.in_(("received", KIND)),
        event.c.campaign == bindparam("of_campaign"),
        event.c.purpose == bindparam("of_purpose"),
        event.c.test == bindparam("in_test"),
    )
)
