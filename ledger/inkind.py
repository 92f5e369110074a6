"""Goods that were promised and are handed in: posted in their own unit, into stock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from ledger import chart, events
from ledger.events import Moved, Recorded
from ledger.pledges import Pledge, lock_pledge, pledge_by_code, resolving

__all__ = ["Received", "ReceivedOutcome", "receive"]


class ReceivedOutcome(StrEnum):
    RECEIVED = "received"
    UNKNOWN = "unknown"
    IS_MONEY = "is_money"
    MORE_THAN_PLEDGED = "more_than_pledged"


@dataclass(frozen=True, slots=True)
class Received:
    """How it ended; `pledge` stands as it does now."""

    outcome: ReceivedOutcome
    recorded: Recorded | None = None
    pledge: Pledge | None = None


def receive(
    db: Connection,
    *,
    key: str,
    code: str,
    quantity: int,
    by: str,
    centre: str | None = None,
    district: str | None = None,
    channel: str,
    test: bool,
    at: datetime,
) -> Received:
    """Post what a donor brought of an in-kind pledge, and put it into stock.

    `quantity` is in minor units of the pledge's own unit and not more than is open of
    it. The same key again returns the first.
    """
    assert quantity > 0
    found = pledge_by_code(db, code)
    if found is None or found.test != test:
        return Received(ReceivedOutcome.UNKNOWN)
    if found.unit == chart.RIAL:
        # Money is paid when a payment service says so, never by our own word.
        return Received(ReceivedOutcome.IS_MONEY, pledge=found)
    pledge = lock_pledge(db, found.event_id)
    body: dict[str, str | int] = {"code": code, "quantity": quantity, "by": by}
    if centre is not None:
        body["centre"] = centre
    if district is not None:
        body["district"] = district
    before = events.repeated(db, key=key, kind="received", body=body)
    if before is not None:
        return Received(ReceivedOutcome.RECEIVED, before, pledge)
    if quantity > pledge.outstanding:
        return Received(ReceivedOutcome.MORE_THAN_PLEDGED, pledge=pledge)
    unit = pledge.unit
    stocked = Moved(
        chart.stock(pledge.campaign, pledge.purpose, unit),
        chart.receivable(pledge.campaign, unit),
        unit,
        quantity,
        "single",
    )
    recorded = events.record(
        db,
        key=key,
        kind="received",
        body=body,
        moved=[resolving(pledge, quantity, "post"), stocked],
        person_id=pledge.person_id,
        about_id=pledge.event_id,
        campaign=pledge.campaign,
        purpose=pledge.purpose,
        district=district,
        centre=centre,
        channel=channel,
        test=test,
        at=at,
    )
    now = replace(pledge, paid=pledge.paid + quantity) if recorded.first else pledge
    return Received(ReceivedOutcome.RECEIVED, recorded, now)
