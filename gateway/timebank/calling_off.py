"""What the two of an introduction are told when it is undone: that we look on."""

from __future__ import annotations

from datetime import datetime

from gateway.receipts import promise_text
from ledger import events
from ledger.engine import Connection
from ledger.timebank.introductions import Introduction, Step
from ussd.menus import Menus

__all__ = ["tell_both", "tell_giver", "tell_receiver"]

# The event that the giver's own text hangs on, where both are told.
OFF = "introduction.off"


def tell_both(
    db: Connection, menus: Menus, step: Step, *, channel: str, at: datetime
) -> None:
    """Tell both of what neither of them undid: an operator did, or time."""
    one, undone = step.introduction, step.recorded
    if one is None or undone is None or not undone.first:
        return
    tell_receiver(db, menus, one, event_id=undone.event_id, at=at)
    # An event has one text of a template.
    giver = events.record(
        db,
        key=f"{OFF}:{undone.event_id}",
        kind=OFF,
        body={"introduction": one.id},
        person_id=one.giver_id,
        about_id=one.offer_id,
        campaign=one.campaign,
        district=one.district,
        centre=one.centre,
        channel=channel,
        test=one.test,
        at=at,
    )
    tell_giver(db, menus, one, event_id=giver.event_id, at=at)


def tell_receiver(
    db: Connection, menus: Menus, one: Introduction, *, event_id: int, at: datetime
) -> None:
    """Tell who needs the hour, by the code of their need."""
    _tell(db, menus, one, one.receiver_id, one.need_code, event_id=event_id, at=at)


def tell_giver(
    db: Connection, menus: Menus, one: Introduction, *, event_id: int, at: datetime
) -> None:
    """Tell who offers it, by the code of their offer."""
    _tell(db, menus, one, one.giver_id, one.offer_code, event_id=event_id, at=at)


def _tell(
    db: Connection,
    menus: Menus,
    one: Introduction,
    person_id: int,
    code: str,
    *,
    event_id: int,
    at: datetime,
) -> None:
    promise_text(
        db,
        menus,
        template="sms.tb.off",
        event_id=event_id,
        person_id=person_id,
        campaign=one.campaign,
        slots={"code": code},
        test=one.test,
        at=at,
    )
