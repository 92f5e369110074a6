"""What becomes of a text after a call: the rules, and nothing that acts on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ledger.claims import Claimed
from ledger.outbox import NEVER, Kind, State
from sms.carrier import Outcome, Result, Status
from sms.waits import ATTEMPTS_MAX, before_asking, before_looking, before_retry

__all__ = ["Ending", "of_asking", "of_sending", "of_silence"]

# So long after its expiry a text is still asked about, to know what became of it.
ASK_AFTER_EXPIRY = timedelta(days=1)

# A text of which so many answers were lost, and one more, is not sent yet again.
RESENDS_MAX = 2

# What is not the text's fault: another channel may have it at once.
_CHANNELS_OWN = (Outcome.THROTTLED, Outcome.NO_CREDIT, Outcome.MISCONFIGURED)

_STATES: Mapping[Status, State] = {
    Status.SENT: State.SENT,
    Status.UNKNOWN: State.SENT,
    Status.DELIVERED: State.DELIVERED,
    Status.FAILED: State.FAILED,
    Status.OPTED_OUT: State.FAILED,
}


@dataclass(frozen=True, slots=True)
class Ending:
    """A text's new state, when it is due in it, and what else follows."""

    state: State
    due_at: datetime | None = None
    # The person wants nothing more from this line.
    stops_line: bool = False


def of_sending(
    row: Claimed,
    result: Result,
    *,
    can_look_up: bool,
    resend_seconds: int,
    another: bool,
    in_doubt: bool = False,
    now: datetime,
) -> Ending:
    """Judge a call that sent a text, or the parts of it that were left to send.

    `another` says that a channel which has not tried this text yet can take it now,
    `resend_seconds` when silence about it may be broken, 0 for never, and `in_doubt`
    that some other part may have been taken by an earlier call.
    """
    ending = _of_outcome(
        row,
        result,
        can_look_up=can_look_up,
        resend_seconds=resend_seconds,
        another=another,
        now=now,
    )
    if not in_doubt:
        return ending
    if ending.state is State.QUEUED:
        # What is left is sent, and what was in doubt stays so.
        return replace(ending, state=State.UNCLEAR)
    if ending.state is State.SENT:
        return _silent(row, since=now, resend_seconds=resend_seconds, now=now)
    return ending


def _of_outcome(
    row: Claimed,
    result: Result,
    *,
    can_look_up: bool,
    resend_seconds: int,
    another: bool,
    now: datetime,
) -> Ending:
    outcome = result.outcome
    if outcome is Outcome.ACCEPTED:
        return _accepted(result)
    if outcome is Outcome.AMBIGUOUS:
        if any(_surely_not_taken(piece.outcome) for piece in result.pieces):
            # Those parts can go without a doubt.
            tries = row.failures + row.doubts + 1
            wait = before_retry(Outcome.RETRYABLE, attempts=tries)
            return Ending(State.UNCLEAR, due_at=now + wait)
        if can_look_up:
            return _asked_again(row, since=now, now=now)
        return _silent(row, since=now, resend_seconds=resend_seconds, now=now)
    if outcome is Outcome.OPTED_OUT:
        return Ending(State.FAILED, stops_line=True)
    failures = row.failures + (outcome is Outcome.RETRYABLE)
    if outcome is Outcome.REFUSED or failures >= ATTEMPTS_MAX[row.kind]:
        return Ending(State.FAILED)

    if outcome in _CHANNELS_OWN and another:
        return Ending(State.QUEUED, due_at=now)
    until = now + before_retry(
        outcome, attempts=failures, retry_after_seconds=result.retry_after_seconds
    )
    return Ending(State.QUEUED, due_at=min(until, row.expires_at))


def _surely_not_taken(outcome: Outcome) -> bool:
    return outcome in (Outcome.RETRYABLE, *_CHANNELS_OWN)


def of_asking(row: Claimed, result: Result | None, *, now: datetime) -> Ending | None:
    """Judge a look-up; None says that the text was surely not taken, so it may be sent.

    What could not be learned is asked again later, ever less often.
    """
    if result is None:
        return None
    if result.outcome is Outcome.ACCEPTED:
        return _accepted(result)
    since = row.attempted_at or row.promised_at
    return _asked_again(row, since=since, now=now)


def of_silence(
    row: Claimed, *, heard: datetime | None, resend_seconds: int, now: datetime
) -> Ending | None:
    """Judge a text in doubt that nobody can be asked about; None says: send it again.

    `heard` is when the latest text began whose receipt came over the same channel. Only
    silence where later texts got receipts says something, and only after a while.
    """
    since = row.attempted_at or row.promised_at
    waited = now >= since + timedelta(seconds=resend_seconds)
    if _may_be_sent_again(row, resend_seconds) and waited:
        if heard is not None and heard > since and now < row.expires_at:
            return None
        due_at = now + before_looking(resend_seconds)
        return Ending(State.UNCLEAR, due_at if due_at < row.expires_at else NEVER)
    return _silent(row, since=since, resend_seconds=resend_seconds, now=now)


def _accepted(result: Result) -> Ending:
    return Ending(_STATES[result.status], stops_line=result.status is Status.OPTED_OUT)


def _asked_again(row: Claimed, *, since: datetime, now: datetime) -> Ending:
    due_at = now + before_asking(now - since)
    if due_at > row.expires_at + ASK_AFTER_EXPIRY:
        # Only its receipt can say more.
        due_at = NEVER
    return Ending(State.UNCLEAR, due_at=due_at)


def _silent(
    row: Claimed, *, since: datetime, resend_seconds: int, now: datetime
) -> Ending:
    """Wait for the receipt, and look once more when the silence has lasted."""
    due_at = max(since + timedelta(seconds=resend_seconds), now)
    if not _may_be_sent_again(row, resend_seconds) or due_at >= row.expires_at:
        due_at = NEVER
    return Ending(State.UNCLEAR, due_at=due_at)


def _may_be_sent_again(row: Claimed, resend_seconds: int) -> bool:
    """Whether a receipt missed is worse than one that comes twice.

    It is for what somebody waits for, and never for what nobody asked for.
    """
    is_wanted = resend_seconds > 0 and row.kind is not Kind.CAMPAIGN
    return is_wanted and row.doubts <= RESENDS_MAX
