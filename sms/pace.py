"""How fast one channel is sent texts: as fast as its carrier takes them, and no faster.

A token bucket of segments, whose rate rises slowly while the carrier takes all and is
cut when it refuses for now. What a refusal means differs: some carriers count by the
second of their clock and take nothing more until it is over, others let tokens trickle
in. So a cut looks at what was really taken in the second before, and where nothing is
taken after it either, the channel is shut and tried with one text at a time.
"""

from __future__ import annotations

from collections import deque

__all__ = ["Pace"]

# It begins below the setting and grows to it within five seconds: a thousand a second
# at once, to a carrier that takes two hundred, would be refused by the hundred. Nobody
# is asked to begin slower than this many.
BEGIN_SHARE = 1 / 8
BEGIN_SEGMENTS = 50.0
BEGIN_GROWTH = 0.5

# Tokens that may gather, in seconds: no more than a turn of a busy deliverer.
BURST_SECONDS = 0.1
# What was taken is measured over so long.
MEASURED_SECONDS = 1.0
MEASURED_SECONDS_MIN = 0.05

# The first refusal says little of the limit, later ones find it from just below.
FIRST_CUT = 0.7
CUT = 0.95
# Growth a second, times the clean seconds since the last cut: it feels for the limit
# gently and still finds a new one soon. Each cut halves it down to the least.
GROWTH = 0.05
GROWTH_MIN = 0.004

# A shut channel is tried after so long, and after twice that, up to the most.
HOLD_SECONDS = 0.1
HOLD_SECONDS_MAX = 0.25
# A trial text without an answer keeps the others back no longer than this.
TRIAL_SECONDS = 2.0
# Who waits for an answer rather than for tokens is told to ask again so soon.
ASK_AGAIN_SECONDS = 0.05
RATE_MIN = 1.0
# Refusals before anything could be taken, at the very beginning say, slow it to this.
RATE_UNKNOWN = 10.0
RETRY_AFTER_SECONDS_MAX = 3600.0

_LONG_AGO = float("-inf")


class Pace:
    """One to a channel and process. All times are seconds of one monotonic clock.

    Whoever delivers asks `take` before each call and tells how it ended: what was taken
    with `accepted`, what was refused for now with `throttled`. Any other end says
    nothing of the pace. The rate never passes `segments_per_second`.
    """

    def __init__(self, segments_per_second: float) -> None:
        self._most = max(float(segments_per_second), RATE_MIN)
        begin = max(self._most * BEGIN_SHARE, BEGIN_SEGMENTS)
        self._rate = min(begin, self._most)
        self._tokens = 1.0
        self._refilled_at: float | None = None
        # The limit was never met yet.
        self._is_new = True
        self._growth = GROWTH
        self._clean_seconds = 0.0
        self._pressed_at = _LONG_AGO
        # What the carrier took within the last second: when, and how many segments.
        self._taken: deque[tuple[float, int]] = deque()
        self._began_at: float | None = None
        # The last cut: when, and how much had been taken since when.
        self._cut_at = _LONG_AGO
        self._cut_taken = 0
        self._cut_since = 0.0
        self._taken_since_cut = True
        self._hold_seconds = HOLD_SECONDS
        self._held_until = _LONG_AGO
        # Of a channel that is shut: until when its trial text is waited for.
        self._trial_until: float | None = None

    @property
    def rate(self) -> float:
        """Segments a second that are let through now."""
        return self._rate

    def take(self, parts: int, now: float) -> float:
        """Take the tokens of one text: 0 to send it now, else the seconds to wait.

        Where there is to wait, nothing was taken, so it is asked again then, or when a
        call has ended before.
        """
        if self._began_at is None:
            self._began_at = now
        if now < self._held_until:
            self._pressed_at = now
            return self._held_until - now
        if self._trial_until is not None:
            if now < self._trial_until:
                return min(ASK_AGAIN_SECONDS, self._trial_until - now)
            self._trial_until = now + TRIAL_SECONDS
            self._refilled_at, self._tokens = now, -float(parts)
            return 0.0
        self._refill(now)
        if self._tokens < 1.0:
            self._pressed_at = now
            # A hair more, so that rounding never makes it ask for nothing.
            return (1.0 - self._tokens) / self._rate + 1e-6
        # A long text goes on credit, or it would never find tokens enough.
        self._tokens -= parts
        return 0.0

    def held(self, now: float) -> float:
        """For how many seconds the carrier, or our own patience, lets nothing go."""
        return max(self._held_until - now, 0.0)

    def accepted(self, parts: int, now: float, *, taken_at: float) -> None:
        """Hear that the carrier took a text; `taken_at` is the `now` of its `take`."""
        self._taken.append((now, parts))
        self._forget(now)
        if taken_at < self._cut_at:
            return
        if self._trial_until is not None:
            # Open again. The time it was shut belongs to the second it had counted.
            seconds = max(taken_at - self._cut_since, MEASURED_SECONDS_MIN)
            self._rate = self._measured(self._cut_taken, seconds)
            self._trial_until = None
        self._taken_since_cut = True
        self._hold_seconds = HOLD_SECONDS
        # Only a rate that holds something back is shown to be too low.
        if now - self._pressed_at < MEASURED_SECONDS:
            self._grow(parts / self._rate)

    def throttled(
        self, now: float, *, taken_at: float, retry_after: float | None = None
    ) -> None:
        """Hear that the carrier takes no more for now.

        What left before the last cut (`taken_at` is the `now` of its `take`) is old
        news: a burst of refusals is one cut. `retry_after` is the carrier's own wish.
        """
        if retry_after is not None:
            until = now + min(retry_after, RETRY_AFTER_SECONDS_MAX)
            self._held_until = max(self._held_until, until)
        if taken_at < self._cut_at:
            return
        self._cut_at = now
        self._clean_seconds = 0.0
        if self._taken_since_cut:
            self._cut(now)
        else:
            self._shut(now)

    def _cut(self, now: float) -> None:
        self._forget(now)
        began_at = now if self._began_at is None else self._began_at
        seconds = min(max(now - began_at, MEASURED_SECONDS_MIN), MEASURED_SECONDS)
        taken = sum(parts for _, parts in self._taken)
        cut = FIRST_CUT if self._is_new else CUT
        self._rate = max(cut * self._measured(taken, seconds), RATE_MIN)
        self._cut_taken, self._cut_since = taken, now - seconds
        self._is_new = self._taken_since_cut = False
        self._growth = max(self._growth / 2, GROWTH_MIN)
        self._tokens = min(self._tokens, 0.0)
        # At the new rate, what was taken would have lasted so much longer.
        owed = taken / self._rate - seconds
        self._hold(now, min(max(owed, 0.0), MEASURED_SECONDS))

    def _measured(self, taken: int, seconds: float) -> float:
        """The rate that so much shows; where nothing was taken, nothing is shown."""
        least = min(self._rate, RATE_UNKNOWN)
        shown = taken / seconds if taken else least
        return max(min(self._rate, shown), RATE_MIN)

    def _shut(self, now: float) -> None:
        self._hold(now, self._hold_seconds)
        self._hold_seconds = min(self._hold_seconds * 2, HOLD_SECONDS_MAX)
        self._trial_until = _LONG_AGO

    def _hold(self, now: float, seconds: float) -> None:
        self._held_until = max(self._held_until, now + seconds)

    def _grow(self, seconds: float) -> None:
        """Raise the rate for so many seconds' worth of segments that were all taken."""
        self._clean_seconds += seconds
        growth = BEGIN_GROWTH if self._is_new else self._growth * self._clean_seconds
        self._rate = min(self._rate * (1 + growth * seconds), self._most)

    def _refill(self, now: float) -> None:
        if self._refilled_at is not None:
            self._tokens += max(now - self._refilled_at, 0.0) * self._rate
            burst = max(self._rate * BURST_SECONDS, 1.0)
            self._tokens = min(self._tokens, burst)
        self._refilled_at = now

    def _forget(self, now: float) -> None:
        while self._taken and self._taken[0][0] <= now - MEASURED_SECONDS:
            self._taken.popleft()
