"""A carrier's door, and one request that came through it.

A call is named in Redis and in the ledger by a keyed hash of the carrier's id and the
phone, so that neither holds a number.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime

from ledger.vault import Keys
from phone.encoding import Limits
from ussd.menus import Menus
from ussd.turn import Turn

__all__ = ["Channel", "Dial", "Reply", "caller_hash", "dial_hash"]

HASH_BYTES = 16


@dataclass(frozen=True, slots=True)
class Channel:
    """One carrier's door: its name, its screen, and whether it is a rehearsal."""

    name: str
    limits: Limits
    test: bool
    # The line campaign texts come from, for those who want to rejoin by text.
    line: str
    # Its handsets show no other letters than those of GSM-7.
    gsm7_only: bool = False
    # Its session ids name a call without the phone.
    session_alone: bool = False

    def spoken(self, menus: Menus) -> Menus:
        """The menus in letters that its handsets show."""
        return menus.latin or menus if self.gsm7_only else menus


@dataclass(frozen=True, slots=True)
class Reply:
    text: str
    ends: bool


@dataclass(frozen=True, slots=True)
class Dial:
    """One request of one call: `name` and `caller` are keyed hashes.

    `announced` is what Redis says of the current menus.
    """

    channel: Channel
    turn: Turn
    name: str
    caller: str
    announced: str | None
    now: datetime


def dial_hash(keys: Keys, channel: Channel, session: str, phone: str) -> str:
    """What stands for one carrier's session of one phone."""
    of = "" if channel.session_alone else phone
    return _hashed(keys, f"{channel.name}\n{session}\n{of}")


def caller_hash(keys: Keys, channel: Channel, phone: str) -> str:
    """What stands for one phone on one channel."""
    return _hashed(keys, f"{channel.name}\n{phone}")


def _hashed(keys: Keys, named: str) -> str:
    return hmac.digest(keys.index, named.encode(), "sha256")[:HASH_BYTES].hex()
