"""One text on its way: as a job that waits, a call under way, or a closing without one.

The functions on a connection belong to the one thread that owns the database; `make`
runs in a thread of the pool and touches none.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from ledger import attempts, people, stops
from ledger.claims import Claimed
from ledger.engine import Connection
from ledger.outbox import Kind, State
from ledger.vault import Keys
from phone.encoding import sms_cost
from sms.carrier import Outbound, Outcome, Result
from sms.endings import Ending
from sms.lines import line_of, stop
from sms.routes import Channel

__all__ = [
    "Call",
    "Closing",
    "Job",
    "Rendered",
    "asking",
    "begin",
    "close",
    "end",
    "make",
    "said",
]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text as it will be read; `stop_line` asks for the line's own words after it."""

    text: str = field(repr=False)
    stop_line: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed text that waits for its call."""

    row: Claimed
    # None: it is asked about, not sent.
    rendered: Rendered | None
    # Who has to be asked, or has just said that it never had the text.
    channel: Channel | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call under way. One without a message asks what became of an earlier one."""

    row: Claimed
    channel: Channel
    number: int
    message: Outbound | None


@dataclass(frozen=True, slots=True)
class Closing:
    """A claimed text that goes back without a call."""

    row: Claimed
    state: State
    due_at: datetime | None = None


def make(call: Call) -> Result | None:
    """Make the call: send the text, or ask about it."""
    carrier = call.channel.carrier
    if call.message is None:
        return carrier.look_up(str(call.row.id))
    result = carrier.send(call.message)
    if result.outcome is Outcome.AMBIGUOUS and carrier.can_look_up:
        # It may have been taken a moment ago; if not, it is asked about once more
        # after a while and only then sent again.
        found = carrier.look_up(call.message.id)
        if found is not None and found.outcome is Outcome.ACCEPTED:
            return found
    return result


def said(future: Future[Result | None]) -> Result | None:
    """What a call that has ended said; an adapter's own fault says nothing clear."""
    error = future.exception()
    if error is None:
        return future.result()
    # Only its kind: its words could hold anything. The text may have left.
    log.error("texts.adapter_failed", error=type(error).__name__)
    return Result(Outcome.AMBIGUOUS, detail=type(error).__name__)


def asking(job: Job) -> Call:
    """The call that asks a carrier about a text; it is no attempt of its own."""
    assert job.channel is not None
    return Call(job.row, job.channel, job.row.attempts, None)


def begin(
    db: Connection,
    keys: Keys,
    job: Job,
    channel: Channel,
    *,
    owner: str,
    at: datetime,
    lease_seconds: float,
) -> Call | Closing | None:
    """Begin an attempt, or say what becomes of the text instead.

    The number is decrypted here, just before its call. None if the text is not the
    owner's any more.
    """
    row, rendered = job.row, job.rendered
    assert rendered is not None
    to = people.phone_of(db, keys, person_id=row.person_id)
    if to is None or row.look_up is None:
        return Closing(row, State.WITHDRAWN)
    if row.kind is Kind.CAMPAIGN and stops.is_stopped(
        db, look_up=row.look_up, line=line_of(channel)
    ):
        return Closing(row, State.WITHDRAWN)
    number = attempts.begin_attempt(
        db,
        outbox_id=row.id,
        owner=owner,
        carrier=channel.name,
        at=at,
        lease_seconds=lease_seconds,
    )
    if number is None:
        return None
    text = rendered.text
    if rendered.stop_line and channel.stop_line:
        text = f"{text}\n{channel.stop_line}"
    message = Outbound(id=str(row.id), to=to, text=text, sender=channel.sender)
    return Call(row, channel, number, message)


def end(
    db: Connection,
    call: Call,
    result: Result | None,
    ending: Ending | None,
    *,
    owner: str,
    at: datetime,
) -> None:
    """Write down a call that has ended, and what follows from it."""
    if result is None or ending is None:
        attempts.note_outcome(
            db,
            outbox_id=call.row.id,
            number=call.number,
            outcome=Outcome.RETRYABLE,
            at=at,
            detail="the carrier never had it",
        )
        return
    parts = result.parts
    if parts is None and call.message is not None:
        parts = sms_cost(call.message.text)[0]
    attempts.finish(
        db,
        outbox_id=call.row.id,
        number=call.number,
        owner=owner,
        outcome=result.outcome,
        state=ending.state,
        at=at,
        due_at=ending.due_at,
        carrier_id=result.carrier_id,
        detail=result.detail,
        parts=parts,
    )
    if ending.stops_line and call.row.look_up is not None:
        stop(
            db,
            call.channel,
            look_up=call.row.look_up,
            person_id=call.row.person_id,
            key=f"texts:{call.row.id}:{call.number}:stop",
            at=at,
        )


def close(db: Connection, closing: Closing, *, owner: str, at: datetime) -> None:
    """Give a claimed text back."""
    attempts.close(
        db,
        outbox_id=closing.row.id,
        owner=owner,
        state=closing.state,
        at=at,
        due_at=closing.due_at,
    )
