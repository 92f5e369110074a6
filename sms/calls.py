"""One text on its way: as a job that waits, a call under way, or a closing without one.

The functions on a connection belong to the one thread that owns the database; `make`
runs in a thread of the pool and touches none.
"""

from __future__ import annotations

import hmac
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import structlog

from ledger import attempts, people, stops
from ledger.claims import Claimed
from ledger.engine import Connection
from ledger.outbox import Kind, State
from ledger.vault import Keys
from phone.encoding import sms_cost
from sms.carrier import Outbound, Outcome, Question, Result
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
    "reference",
    "said",
    "tell",
]

# Some carriers keep it as a signed number of 64 bits.
REFERENCE_MAX = 2**63 - 1

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
    # None only of a text that is asked about, whose words cannot be made any more.
    rendered: Rendered | None
    # Who has to be asked, or has just said that it never had the text.
    channel: Channel | None = None
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A call under way. One without a message asks what became of an earlier one."""

    row: Claimed
    channel: Channel
    number: int
    message: Outbound | None
    # For a call that has no clear end.
    question: Question


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
    error = future.exception()
    if error is None:
        return future.result()
    # Only its kind: its words could hold anything. The text may have left.
    log.error("texts.adapter_failed", error=type(error).__name__)
    return Result(Outcome.AMBIGUOUS, detail=type(error).__name__)


def asking(db: Connection, keys: Keys, job: Job, *, at: datetime) -> Call:
    """The call that asks a carrier about a text; it is no attempt of its own.

    Of somebody who was erased since, it has no number.
    """
    row, channel = job.row, job.channel
    assert channel is not None
    question = Question(
        id=reference(keys, row),
        to=people.phone_of(db, keys, person_id=row.person_id) or "",
        text=_words(job.rendered, channel) if job.rendered is not None else "",
        sender=channel.sender,
        since=row.attempted_at or row.promised_at,
        at=at,
    )
    return Call(row, channel, row.attempts, None, question)


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
    text = _words(rendered, channel)
    message = Outbound(reference(keys, row), to, text, channel.sender)
    number = attempts.begin_attempt(
        db,
        outbox_id=row.id,
        owner=owner,
        carrier=channel.name,
        at=at,
        lease_seconds=lease_seconds,
        # What a death during the call must not lose.
        carrier_id=message.id if channel.carrier.ids_are_ours else None,
        parts=sms_cost(text)[0],
    )
    if number is None:
        return None
    question = Question(message.id, to, text, channel.sender, since=at, at=at)
    return Call(row, channel, number, message, question)


def _words(rendered: Rendered, channel: Channel) -> str:
    if rendered.stop_line and channel.stop_line:
        return f"{rendered.text}\n{channel.stop_line}"
    return rendered.text


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
        parts=result.parts,
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
