"""How a reply is promised, and how many replies one phone gets.

A reply is an event of its own, once per incoming text, with a text in the outbox. What
is counted is what a machine would make of us: two that answer each other would never
end. Whoever goes on in a conversation may do so as long as a person can type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ledger import hearing
from ledger.engine import Connection
from ledger.events import record
from ledger.outbox import Kind, promise
from ledger.vault import Keys, seal_slots
from ussd.menus import Menus

__all__ = ["SCREEN", "WAYS", "Addressee", "Way", "may_reply", "reply"]

SCREEN = "sms.screen"


class Way(StrEnum):
    """Why we reply, which is the kind of the event."""

    # To a text that came by itself, or was no answer to what it answers.
    REPLY = "text.reply"
    # To an answer that was asked for.
    ONWARD = "text.onward"
    # To what nobody understands.
    UNKNOWN = "text.unknown"


WAYS = frozenset(Way)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# How many replies of which ways a phone gets, in how long.
_LIMITS = {
    Way.REPLY: ({Way.REPLY, Way.UNKNOWN}, {HOUR: 5, DAY: 20}),
    Way.ONWARD: (WAYS, {HOUR: 30, DAY: 60}),
    Way.UNKNOWN: ({Way.UNKNOWN}, {timedelta(hours=12): 1}),
}


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who is replied to, and which incoming text is."""

    person_id: int
    channel: str
    carrier_id: str
    language: str
    test: bool


def may_reply(
    db: Connection, *, person_id: int, test: bool, way: Way, at: datetime
) -> bool:
    """Whether a phone may get one more reply now."""
    ways = {Way.UNKNOWN, Way.REPLY} if way is Way.UNKNOWN else {way}
    for limited in ways:
        kinds, most = _LIMITS[limited]
        for time, count in most.items():
            had = hearing.count_events(
                db, person_id=person_id, kinds=kinds, test=test, since=at - time
            )
            if had >= count:
                return False
    return True


def reply(
    db: Connection,
    keys: Keys,
    to: Addressee,
    *,
    menus: Menus,
    way: Way,
    template: str,
    slots: Mapping[str, str],
    asks: str,
    at: datetime,
) -> None:
    """Promise the one reply to a text; `asks` is the flow it is a question of, or "".

    The slots are kept sealed.
    """
    text = menus.texts[template]
    event = record(
        db,
        key=f"reply:{to.channel}:{to.carrier_id}",
        kind=way,
        body={"template": template, "asks": asks},
        person_id=to.person_id,
        channel=to.channel,
        test=to.test,
        at=at,
    )
    promise(
        db,
        event_id=event.event_id,
        person_id=to.person_id,
        template=template,
        slots=seal_slots(keys, slots),
        language=to.language,
        menus=menus.hash,
        kind=Kind(text.kind),
        campaign=None,
        test=to.test,
        at=at,
        expires_at=at + timedelta(hours=text.expires_hours),
        # What it asks is answered to the line it comes from.
        carrier=to.channel,
    )
