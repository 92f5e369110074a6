"""Gifts that people agreed to pay back, out of money that is not spent yet.

Agreed is not paid: the money stands on L:Refund until the payment service says that
it went back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ledger import chart, events, funds
from ledger.events import Moved
from ledger.gift_queries import Gift, gift_by_code, lock_gift
from ledger.pledges import Pledge, lock_pledge, pledge_by_code
from ledger.requests import CHANNEL, Refused

__all__ = ["Refunded", "given", "left_of", "refund"]


@dataclass(frozen=True, slots=True)
class Refunded:
    """What was agreed to go back, in rial, and to whom."""

    event_id: int
    given: Pledge | Gift
    amount: int


def given(db: Connection, code: str) -> Pledge | Gift:
    """The pledge or gift with this code; raises Refused where there is none."""
    found = pledge_by_code(db, code) or gift_by_code(db, code)
    if found is None:
        raise Refused(f"no pledge and no gift has the code {code}")
    return found


def refund(
    db: Connection, *, key: str, code: str, amount: int, by: str, at: datetime
) -> Refunded:
    """Agree to pay `amount` rial of a pledge or gift back.

    Raises Refused for more than was paid and not refunded, and for money that is spent.
    Refunds, and the purchases of a purpose, take turns. The same key again returns the
    first.
    """
    assert amount > 0
    found = given(db, code)
    body: dict[str, str | int] = {"code": code, "amount": amount, "by": by}
    before = events.repeated(db, key=key, kind="refund", body=body)
    if before is not None:
        return Refunded(before.event_id, found, amount)
    if isinstance(found, Pledge):
        if found.unit != chart.RIAL:
            raise Refused(f"{code} was given in {found.unit}: nothing can be paid back")
        found = lock_pledge(db, found.event_id)
    else:
        found = lock_gift(db, found.event_id)
    _check(found, amount)
    funds.hold(
        db,
        campaign=found.campaign,
        purpose=found.purpose,
        test=found.test,
        amount=amount,
    )
    recorded = events.record(
        db,
        key=key,
        kind="refund",
        body=body,
        moved=[
            Moved(
                chart.donation(found.campaign, found.purpose),
                chart.refund(found.campaign),
                chart.RIAL,
                amount,
                "reversal",
            )
        ],
        person_id=found.person_id,
        about_id=found.event_id,
        campaign=found.campaign,
        purpose=found.purpose,
        channel=CHANNEL,
        test=found.test,
        at=at,
    )
    return Refunded(recorded.event_id, found, amount)


def left_of(found: Pledge | Gift) -> int:
    """How many rial of it are paid and not refunded; 0 where it was goods."""
    if isinstance(found, Gift):
        return found.amount - found.refunded
    return found.paid - found.refunded if found.unit == chart.RIAL else 0


def _check(found: Pledge | Gift, amount: int) -> None:
    left = left_of(found)
    if amount > left:
        raise Refused(f"of {found.code} only {left} rial are paid and not refunded")
