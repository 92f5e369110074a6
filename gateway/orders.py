"""What a caller agreed to, as it is done; and what every deed leaves: an event, a text.

`gateway.effects` does it, once per key. A text is promised in the transaction of its
fact, so a repeat tells nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from gateway.figures import CampaignFigures
from ledger.engine import Connection
from ledger.events import Recorded, record
from ledger.outbox import Kind, promise
from ledger.places.tree import EMPTY, Tree
from ledger.timebank.standing import Limits
from ussd.machine import Effect
from ussd.menus import Campaign, Menus

__all__ = ["Order", "code_of", "note", "tell"]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Order:
    """An effect, for whom, and under which key."""

    effect: Effect
    key: str
    phone: str
    language: str
    menus: Menus
    channel: str
    test: bool
    at: datetime
    figures: CampaignFigures
    places: Tree = EMPTY
    hours: Limits = Limits()

    @property
    def campaign(self) -> Campaign:
        return self.menus.campaigns[self.effect.campaign]


def note(
    db: Connection, order: Order, person_id: int, body: Mapping[str, str]
) -> Recorded:
    """An event that moves nothing."""
    return record(
        db,
        key=order.key,
        kind=order.effect.name,
        body=body,
        person_id=person_id,
        campaign=order.effect.campaign,
        channel=order.channel,
        test=order.test,
        at=order.at,
    )


def tell(
    db: Connection,
    order: Order,
    recorded: Recorded,
    person_id: int,
    template: str,
    slots: Mapping[str, str | int],
) -> None:
    """Promise a text in the transaction of its fact; a repeat tells nothing."""
    if recorded.differs:
        log.error(
            "key_reused", effect=order.effect.name, differs=list(recorded.differs)
        )
    if not recorded.first:
        return
    text = order.menus.texts.get(template)
    if text is None:
        # Menus that were proved before there was such a text: the fact stands.
        log.warning("text_missing", template=template)
        return
    promise(
        db,
        event_id=recorded.event_id,
        person_id=person_id,
        template=template,
        slots=slots,
        language=order.language,
        menus=order.menus.hash,
        kind=Kind(text.kind),
        campaign=order.effect.campaign,
        test=order.test,
        at=order.at,
        expires_at=order.at + timedelta(hours=text.expires_hours),
    )


def code_of(recorded: Recorded) -> str:
    assert recorded.code is not None
    return recorded.code
