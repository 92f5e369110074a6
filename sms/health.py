"""Which channels are well: what each one's calls say of it.

A channel whose calls are slow loses half of its share of the texts, again and again,
and gains it back by tenths. One that fails carries nothing: its breaker opens, and
after a rest one text at a time is let through as a probe. A share is a factor on the
channel's weight, so where all are slow they divide the texts as before, and where all
rest the texts wait.

Nothing here reads a clock or a table. The state is a `Standing`, which all processes
share, and each change of it is a line of the channel's history.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sms.carrier import Outcome

__all__ = ["Change", "Health", "Standing", "What"]

WINDOW_SECONDS = 60.0
# The latest of them.
CALLS_MAX = 200

# Two slow calls may be chance, however few the others are.
SLOW_MIN = 3
SLOW_PART = 0.15
SHARE_MIN = 0.05
SHARE_GAIN = 0.1

FAILED_OF = 10
FAILED_PART = 0.5
FAILED_IN_A_ROW = 5
REST_SECONDS = 30.0
REST_SECONDS_MAX = 600.0
# One that fails again so soon after a rest goes on where the rests had come to.
RELAPSE_SECONDS = 600.0
# A probe that says nothing for so long was lost with its process.
PROBE_SECONDS = 60.0
# Who seems to rest for longer than any rest is has a clock that was set back.
LONGEST = timedelta(seconds=1.2 * REST_SECONDS_MAX)

# What the next text would hear too, until somebody pays or mends a setting.
_FATAL = frozenset({Outcome.NO_CREDIT, Outcome.MISCONFIGURED})
_FAILED = frozenset({Outcome.RETRYABLE, Outcome.AMBIGUOUS})

_random = secrets.SystemRandom().random


class What(StrEnum):
    """What changed for a channel."""

    OPENED = "opened"
    CLOSED = "closed"
    LOWERED = "lowered"
    RAISED = "raised"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a channel; a row of `channel_state`.

    `open_until` is when the next probe may go while its breaker is open, else None;
    `rests` counts those in a row, each twice as long.
    """

    share: float = 1.0
    open_until: datetime | None = None
    rests: int = 0
    why: str = ""
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A line of a channel's history; `standing` is to be stored with it."""

    channel: str
    at: datetime
    what: What
    why: str
    share: float
    standing: Standing


class _Tally:
    """The calls of a window, counted as they come and go."""

    def __init__(self, window: timedelta) -> None:
        self._window = window
        self._calls: deque[tuple[datetime, bool]] = deque()
        # How many of the calls are as they should not be.
        self.bad = 0

    def __len__(self) -> int:
        return len(self._calls)

    def note(self, at: datetime, *, is_bad: bool) -> None:
        self._calls.append((at, is_bad))
        self.bad += is_bad
        oldest = at - self._window
        while self._calls[0][0] < oldest or len(self._calls) > CALLS_MAX:
            self.bad -= self._calls.popleft()[1]

    def forget(self) -> None:
        self._calls.clear()
        self.bad = 0


class Health:
    """One channel's, as one process sees it."""

    def __init__(
        self,
        channel: str,
        *,
        slow_seconds: float = 5.0,
        standing: Standing | None = None,
        window_seconds: float = WINDOW_SECONDS,
        random: Callable[[], float] = _random,
    ) -> None:
        self.channel = channel
        self.standing = standing or Standing()
        self._slow_seconds = slow_seconds
        self._window = timedelta(seconds=window_seconds)
        self._random = random
        # A share that is lowered says nothing of failures, which count on: who is slow
        # as well as failing is still failing.
        self._slow, self._failed = _Tally(self._window), _Tally(self._window)
        self._failed_in_a_row = 0
        # Calls that began before say what is known already: of a share, of a breaker.
        self._shared_at: datetime | None = None
        self._shut_at: datetime | None = None
        self._good_since: datetime | None = None
        self._probe_at: datetime | None = None

    def restore(self, standing: Standing) -> None:
        """Believe what is stored: another process may have learned more."""
        ours, theirs = self.standing.open_until, standing.open_until
        if ours is not None and theirs is not None:
            if standing.changed_at == self.standing.changed_at:
                # One opening, of which each may have a probe out.
                standing = replace(standing, open_until=max(ours, theirs))
        elif ours != theirs:
            self._begin_anew(standing.changed_at)
        self.standing = standing

    def share(self, now: datetime) -> float:
        """How much of its weight it carries: 0 while it rests or its probe is out."""
        return self.standing.share if self.may_try(now) else 0.0

    def may_try(self, now: datetime) -> bool:
        """Whether a text may go to it now, if only as a probe."""
        open_until = self.standing.open_until
        return open_until is None or now >= open_until or open_until - now > LONGEST

    def begin(self, now: datetime) -> bool:
        """Hear that a call begins, for which `may_try`; True if it is the probe.

        After True `standing.open_until` has moved on, so that no second text follows
        the probe; stored at once, it keeps other processes from sending one.
        """
        if self.standing.open_until is None:
            return False
        self._probe_at = now
        until = now + timedelta(seconds=PROBE_SECONDS)
        self.standing = replace(self.standing, open_until=until)
        return True

    def give_back(self, now: datetime) -> None:
        """Hear that the probe has not begun after all."""
        if self._probe_at is not None and self.standing.open_until is not None:
            self._probe_at = None
            self.standing = replace(self.standing, open_until=now)

    def note(
        self, outcome: Outcome, seconds: float, *, at: datetime, another: bool
    ) -> Change | None:
        """Hear how a call ended at `at` after `seconds`, and say what that changes.

        `another` says that a slow channel's texts could go elsewhere. The change is to
        be stored in the transaction that stores the outcome.
        """
        if outcome is Outcome.THROTTLED and self.standing.open_until is None:
            # How fast texts are sent is the pace's business.
            return None
        began_at = at - timedelta(seconds=seconds)
        if self.standing.open_until is not None:
            return self._note_probe(outcome, began_at, at)
        if outcome in _FATAL:
            return self._open(at, outcome.value)
        # What lies ahead of now is of a clock that was set back.
        if self._shut_at is not None and began_at < self._shut_at <= at:
            return None
        failed = outcome in _FAILED
        self._failed.note(at, is_bad=failed)
        self._failed_in_a_row = self._failed_in_a_row + 1 if failed else 0
        if why := self._failing():
            return self._open(at, f"{why}: {outcome.value}")
        if self._shared_at is not None and began_at < self._shared_at <= at:
            return None
        self._slow.note(at, is_bad=seconds >= self._slow_seconds)
        return self._weigh(began_at, at, another)

    def _failing(self) -> str:
        if self._failed_in_a_row >= FAILED_IN_A_ROW:
            return f"{self._failed_in_a_row} failed in a row"
        calls, failed = len(self._failed), self._failed.bad
        if calls >= FAILED_OF and failed >= FAILED_PART * calls:
            return f"{failed} of {calls} failed"
        return ""

    def _note_probe(
        self, outcome: Outcome, began_at: datetime, at: datetime
    ) -> Change | None:
        # What began before the probe says what was known when the breaker opened. A
        # second's grace, for durations and the time of day are of two clocks.
        if self._probe_at is None or began_at < self._probe_at - timedelta(seconds=1):
            return None
        self._probe_at = None
        if outcome in _FAILED or outcome in _FATAL:
            return self._open(at, f"the probe failed: {outcome.value}")
        standing = replace(self.standing, open_until=None)
        return self._change(What.CLOSED, at, "a probe was answered", standing)

    def _open(self, at: datetime, why: str) -> Change:
        rests = self._rests(at) + 1
        # The exponent is bounded, for the rests are not.
        rest = min(REST_SECONDS * 2 ** min(rests - 1, 10), REST_SECONDS_MAX)
        until = at + timedelta(seconds=rest * (0.8 + 0.4 * self._random()))
        standing = replace(self.standing, open_until=until, rests=rests)
        return self._change(What.OPENED, at, why, standing)

    def _weigh(self, began_at: datetime, at: datetime, another: bool) -> Change | None:
        """Halve the share of a slow channel, or give a good one a tenth back."""
        if self._good_since is None:
            self._good_since = began_at
        share = self.standing.share
        calls, slow = len(self._slow), self._slow.bad
        is_slow = slow >= SLOW_PART * calls
        if is_slow and slow >= SLOW_MIN:
            if not another or share <= SHARE_MIN:
                self._good_since = at
                return None
            # A share is kept as whole hundredths.
            standing = self._sharing(max(round(share / 2, 2), SHARE_MIN), at)
            limit = f"{self._slow_seconds:g} seconds"
            why = f"{slow} of {calls} calls took {limit} or longer"
            return self._change(What.LOWERED, at, why, standing)
        if share < 1 and not is_slow and at - self._good_since >= self._window:
            standing = self._sharing(min(round(share + SHARE_GAIN, 2), 1.0), at)
            return self._change(What.RAISED, at, "its calls are fast again", standing)
        return None

    def _sharing(self, share: float, at: datetime) -> Standing:
        return replace(self.standing, share=share, rests=self._rests(at))

    def _rests(self, at: datetime) -> int:
        """The rests in a row, which a channel that was long well has none of."""
        before = self.standing
        if before.open_until is not None:
            return before.rests
        relapse = timedelta(seconds=RELAPSE_SECONDS)
        is_long_well = before.changed_at is None or at - before.changed_at >= relapse
        return 0 if is_long_well else before.rests

    def _change(self, what: What, at: datetime, why: str, standing: Standing) -> Change:
        if what in (What.OPENED, What.CLOSED):
            self._begin_anew(at)
        else:
            self._weigh_anew(at)
        self.standing = replace(standing, why=why, changed_at=at)
        share = 0.0 if what is What.OPENED else self.standing.share
        return Change(self.channel, at, what, why, share, self.standing)

    def _begin_anew(self, at: datetime | None) -> None:
        self._failed.forget()
        self._failed_in_a_row = 0
        self._shut_at = at
        self._probe_at = None
        self._weigh_anew(at)

    def _weigh_anew(self, at: datetime | None) -> None:
        self._slow.forget()
        self._shared_at = self._good_since = at
