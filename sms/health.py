"""Which channels are well: what each one's calls say of it.

STUB: signatures stand; behaviour follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sms.carrier import Outcome

__all__ = ["Change", "Health", "Standing", "What"]


class What(StrEnum):
    """What changed for a channel."""

    OPENED = "opened"  # it carries nothing and rests
    CLOSED = "closed"  # it carries again
    LOWERED = "lowered"
    RAISED = "raised"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a channel, as all processes share it (`channel_state`)."""

    share: float = 1.0
    # The breaker is open; after this one text may try. None: it is closed.
    open_until: datetime | None = None
    # Rests in a row, each twice as long.
    rests: int = 0
    why: str = ""
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A line of a channel's history; `standing` is what to store with it."""

    channel: str
    at: datetime
    what: What
    why: str
    share: float
    standing: Standing


class Health:
    """One channel's, as this process sees it; every time is an argument."""

    def __init__(
        self,
        channel: str,
        *,
        slow_seconds: float = 5.0,
        standing: Standing | None = None,
        window_seconds: float = 60.0,
    ) -> None:
        self.channel = channel
        self.standing = standing or Standing()

    def restore(self, standing: Standing) -> None:
        """Believe what another process has stored."""
        self.standing = standing

    def share(self, now: datetime) -> float:
        """How much of its weight it carries: 0 while it rests or a probe is out."""
        return self.standing.share

    def may_try(self, now: datetime) -> bool:
        """Whether a text may go to it now, if only as a probe."""
        return True

    def begin(self, now: datetime) -> bool:
        """A call to it begins now; True if it is the probe of an open breaker.

        After True `standing.open_until` has moved on, so that no other text follows
        it: store it, and other processes send no second one.
        """
        return False

    def note(
        self, outcome: Outcome, seconds: float, *, at: datetime, another: bool
    ) -> Change | None:
        """Hear how a call ended after `seconds`, and say what that changes.

        `another` says that the operator has another channel for such texts. The change
        is to be stored in the transaction of the outcome.
        """
        return None
