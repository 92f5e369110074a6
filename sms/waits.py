"""How long after each outcome a text is tried again.

Every wait is jittered by a fifth, so that what failed together does not come back
together.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta

from ledger.outbox import Kind
from sms.carrier import Outcome

__all__ = [
    "ATTEMPTS_MAX",
    "before_asking",
    "before_looking",
    "before_retry",
    "after_rest",
]

# How often a carrier may fail to take one text; its expiry ends it sooner or later.
ATTEMPTS_MAX: Mapping[Kind, int] = {
    Kind.RECEIPT: 30,
    Kind.SERVICE: 15,
    Kind.CAMPAIGN: 8,
}

RETRY_SECONDS = 2.0
RETRY_SECONDS_MAX = 300.0
THROTTLED_SECONDS = 5.0
# Somebody has to top up, or mend a setting.
OPERATOR_SECONDS = 300.0

# A carrier that is slow rather than deaf may book the text while it is being asked.
ASK_SECONDS = 2.0
ASK_SECONDS_MAX = 3600.0

# Whether receipts come again is a question of minutes.
LOOK_SECONDS = 60.0

_random = secrets.SystemRandom()


def before_retry(
    outcome: Outcome, *, attempts: int, retry_after_seconds: int | None = None
) -> timedelta:
    """How long a text rests."""
    if outcome in (Outcome.NO_CREDIT, Outcome.MISCONFIGURED):
        return _jittered(OPERATOR_SECONDS)
    if retry_after_seconds is not None:
        # Never earlier than the carrier asked for.
        return timedelta(seconds=retry_after_seconds) + _jittered(1.0)
    if outcome is Outcome.THROTTLED:
        return _jittered(THROTTLED_SECONDS)
    doubled = RETRY_SECONDS * 2 ** min(max(attempts, 1) - 1, 16)
    return _jittered(min(doubled, RETRY_SECONDS_MAX))


def after_rest(seconds: float) -> timedelta:
    """How long a text waits for a channel that takes none for so many seconds."""
    return timedelta(seconds=seconds) + _jittered(1.0)


def before_asking(since: timedelta) -> timedelta:
    """How long to wait before asking again about a text promised `since` ago."""
    quarter = since.total_seconds() / 4
    return _jittered(min(max(quarter, ASK_SECONDS), ASK_SECONDS_MAX))


def before_looking(resend_seconds: float) -> timedelta:
    """How long until it is looked again whether a silence means something now."""
    return _jittered(max(resend_seconds / 4, LOOK_SECONDS))


def _jittered(seconds: float) -> timedelta:
    return timedelta(seconds=seconds * _random.uniform(0.8, 1.2))
