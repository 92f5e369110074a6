"""When a carrier that posts nothing is asked what became of a text.

The waits grow: most texts arrive in seconds, and what has not come for hours may still
come when a phone is switched on again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ledger.outbox import NEVER
from sms.carrier import Asked
from sms.routes import Channel

__all__ = ["asked_for", "first_due", "next_due"]

# After it was taken; then daily, until it is given up.
WAITS = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
DAILY = timedelta(days=1)
GIVEN_UP_AFTER = timedelta(days=3)


def asked_for(channel: Channel | None) -> Asked | None:
    """The channel's carrier, if its receipts have to be asked for."""
    carrier = channel.carrier if channel is not None else None
    return carrier if isinstance(carrier, Asked) and carrier.ids_at_once else None


def first_due(channel: Channel, at: datetime) -> datetime:
    """When a text that the channel took at `at` is asked about first.

    NEVER where receipts are posted. It is the `due_at` of a text that is sent.
    """
    return at + WAITS[0] if asked_for(channel) is not None else NEVER


def next_due(taken_at: datetime, at: datetime) -> datetime:
    """When a text taken at `taken_at` is asked about after `at`; NEVER: no more."""
    for wait in WAITS:
        if taken_at + wait > at:
            return taken_at + wait
    days = (at - taken_at) // DAILY + 1
    due_at = taken_at + days * DAILY
    return due_at if due_at <= taken_at + GIVEN_UP_AFTER else NEVER
