"""What becomes of a text after a call: the rules, and nothing that acts on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.claims import Claimed
from ledger.outbox import NEVER, State
from sms.carrier import Outcome, Result, Status
from sms.waits import ATTEMPTS_MAX, before_asking, before_retry

__all__ = ["Ending", "of_asking", "of_sending"]

# So long after its expiry a text is still asked about, to know what became of it.
ASK_AFTER_EXPIRY = timedelta(days=1)

# What a channel rests after, because it would answer the next text the same.
_RESTING = (Outcome.THROTTLED, Outcome.NO_CREDIT, Outcome.MISCONFIGURED)

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
    # The channel carries nothing until then.
    rests_until: datetime | None = None
    # The person wants nothing more from this line.
    stops_line: bool = False


def of_sending(
    row: Claimed,
    result: Result,
    *,
    attempts: int,
    can_look_up: bool,
    another: bool,
    now: datetime,
) -> Ending:
    """Judge a call that sent a text.

    `attempts` counts this one; `another` says that a channel which has not tried this
    text yet can take it now.
    """
    outcome = result.outcome
    if outcome is Outcome.ACCEPTED:
        return _accepted(result)
    if outcome is Outcome.AMBIGUOUS:
        return _unclear(row, since=now, can_look_up=can_look_up, now=now)
    if outcome is Outcome.OPTED_OUT:
        return Ending(State.FAILED, stops_line=True)
    if outcome is Outcome.REFUSED or (
        outcome is Outcome.RETRYABLE and attempts >= ATTEMPTS_MAX[row.kind]
    ):
        return Ending(State.FAILED)

    until = now + before_retry(
        outcome, attempts=attempts, retry_after_seconds=result.retry_after_seconds
    )
    rests = outcome in _RESTING
    return Ending(
        State.QUEUED,
        due_at=now if rests and another else min(until, row.expires_at),
        rests_until=until if rests else None,
    )


def of_asking(row: Claimed, result: Result | None, *, now: datetime) -> Ending | None:
    """Judge a look-up; None says that the text was surely not taken, so it may be sent.

    What could not be learned is asked again later, ever less often.
    """
    if result is None:
        return None
    if result.outcome is Outcome.ACCEPTED:
        return _accepted(result)
    since = row.attempted_at or row.promised_at
    return _unclear(row, since=since, can_look_up=True, now=now)


def _accepted(result: Result) -> Ending:
    return Ending(_STATES[result.status], stops_line=result.status is Status.OPTED_OUT)


def _unclear(
    row: Claimed, *, since: datetime, can_look_up: bool, now: datetime
) -> Ending:
    due_at = now + before_asking(now - since)
    if not can_look_up or due_at > row.expires_at + ASK_AFTER_EXPIRY:
        # Only its receipt can say more.
        due_at = NEVER
    return Ending(State.UNCLEAR, due_at=due_at)
