"""The sender lines that people have told to be silent.

An opt-out belongs to the line it was said to. That is the channel's own sender, which
is what campaign texts leave from, however a carrier's form spells it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ledger import stops
from ledger.engine import Connection
from ledger.inbox import Matched
from sms.carrier import Status
from sms.routes import Channel, Routes

__all__ = ["LINE_CHARS_MAX", "line_of", "obey_receipts", "stop"]

LINE_CHARS_MAX = 32


def line_of(channel: Channel) -> str:
    """The line in the stop list; a channel that names no sender is a line itself."""
    return (channel.sender or channel.name)[:LINE_CHARS_MAX]


def stop(
    db: Connection,
    channel: Channel,
    *,
    look_up: bytes,
    person_id: int,
    key: str,
    at: datetime,
) -> None:
    """Send nothing more than receipts from this line, as its carrier demands."""
    stops.stop(
        db,
        key=key,
        look_up=look_up,
        line=line_of(channel),
        person_id=person_id,
        channel=channel.name,
        test=channel.test,
        at=at,
    )


def obey_receipts(
    db: Connection, routes: Routes, matched: Iterable[Matched], *, at: datetime
) -> None:
    """Stop the lines that receivers have blocked, as the matched receipts say."""
    for receipt in matched:
        channel = routes.named(receipt.carrier)
        if (
            receipt.status == Status.OPTED_OUT
            and receipt.look_up is not None
            and channel is not None
        ):
            stop(
                db,
                channel,
                look_up=receipt.look_up,
                person_id=receipt.person_id,
                key=f"texts:{receipt.outbox_id}:receipt:stop",
                at=at,
            )
