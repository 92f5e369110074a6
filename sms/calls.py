"""One text on its way: a job that waits, a call under way, or a closing without one."""

from __future__ import annotations

import hmac
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import structlog

from ledger.claims import Claimed
from ledger.outbox import State
from ledger.vault import Keys
from sms.carrier import ByParts, Outbound, Outcome, Question, Result
from sms.endings import Ending
from sms.routes import Channel

__all__ = ["Call", "Closing", "Job", "Rendered", "make", "reference", "said", "tell"]

# Some carriers keep it as a signed number of 64 bits.
REFERENCE_MAX = 2**63 - 1

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text as it will be read; `stop_line` asks for the line's own words after it.

    `otherwise` are the words for a line that has none of its own.
    """

    text: str = field(repr=False)
    stop_line: bool = False
    otherwise: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed text that waits at its channel for its call."""

    row: Claimed
    channel: Channel
    # None only of a text that is asked about, whose words cannot be made any more.
    rendered: Rendered | None
    # Chooses the channel; the call takes the number as it is by then.
    to: str = field(default="", repr=False)
    # With the stop line where there has to be one.
    text: str = field(default="", repr=False)
    # How many parts it has, and which of them this call hands over.
    total: int = 1
    parts: tuple[int, ...] = (1,)
    # What the parts of an earlier call are joined by.
    reference: int | None = None
    asks: bool = False

    @property
    def in_parts(self) -> bool:
        """Whether its carrier is handed several parts one by one."""
        return self.total > 1 and isinstance(self.channel.carrier, ByParts)


@dataclass(frozen=True, slots=True)
class Call:
    """A call under way. One without a message asks what became of an earlier one.

    What a carrier that is handed texts part by part needs stands in the message.
    """

    row: Claimed
    channel: Channel
    number: int
    message: Outbound | None
    # For a call that has no clear end.
    question: Question


@dataclass(frozen=True, slots=True)
class Closing:
    """A claimed text that goes back without a call.

    `via` is who is to carry it, where that is somebody else.
    """

    row: Claimed
    state: State
    due_at: datetime | None = None
    via: str | None = None
    why: str | None = None

    @classmethod
    def back(
        cls, row: Claimed, due_at: datetime | None = None, *, via: str | None = None
    ) -> Closing:
        """Give a text back as it was: in doubt, where it was in doubt."""
        state = State.UNCLEAR if row.doubtful else State.QUEUED
        return cls(row, state, due_at, via)


def make(call: Call) -> Result | None:
    """Make the call: send the text, or ask about it."""
    carrier = call.channel.carrier
    if call.message is None:
        return carrier.look_up(call.question)
    result = carrier.send(call.message)
    if result.outcome is Outcome.AMBIGUOUS and carrier.can_look_up:
        # It may have been taken a moment ago; if not, it is asked about once more
        # after a while and only then sent again.
        found = carrier.look_up(call.question)
        if found is not None and found.outcome is Outcome.ACCEPTED:
            return found
    return result


def said(future: Future[Result | None]) -> Result | None:
    """What a call that has ended said; an adapter's own fault says nothing clear."""
    if future.cancelled():
        return Result(Outcome.AMBIGUOUS, detail="the process ended")
    error = future.exception()
    if error is None:
        return future.result()
    # Only its kind: its words could hold anything. The text may have left.
    log.error("texts.adapter_failed", error=type(error).__name__)
    return Result(Outcome.AMBIGUOUS, detail=type(error).__name__)


class Promised(Protocol):
    """As much of an outbox row as its reference is made of."""

    @property
    def id(self) -> int: ...
    @property
    def promised_at(self) -> datetime: ...


def reference(keys: Keys, row: Promised) -> str:
    """What carriers are told that a text is called: a number of 63 bits, never 0.

    One to a row, for ever: what is unclear is asked about by it. The row's id alone
    would be the name of another text where two installations share an account, or a
    database begins anew.
    """
    at = row.promised_at.astimezone(UTC).isoformat(timespec="microseconds")
    named = b"yarigar text reference:%d:%s" % (row.id, at.encode("ascii"))
    number = int.from_bytes(hmac.digest(keys.index, named, "sha256")[:8], "big")
    return str(number % REFERENCE_MAX + 1)


def tell(call: Call, result: Result, ending: Ending) -> None:
    """Log a text that was not taken."""
    broken = result.outcome in (Outcome.NO_CREDIT, Outcome.MISCONFIGURED)
    (log.error if broken else log.warning)(
        "texts.not_taken",
        text=call.row.id,
        channel=call.channel.name,
        attempt=call.number,
        outcome=result.outcome.value,
        detail=result.detail,
        state=ending.state.value,
    )
