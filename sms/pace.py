"""How fast one channel is sent texts: as fast as its carrier takes them, and no faster.

STUB: signatures stand; behaviour follows.
"""

from __future__ import annotations

__all__ = ["Pace"]


class Pace:
    """A token bucket of segments, its rate found by additive raise and cut.

    One to a channel and process. Times are seconds of a monotonic clock. The rate
    begins at `segments_per_second` and never passes it.
    """

    def __init__(self, segments_per_second: float) -> None:
        self._most = float(segments_per_second)

    @property
    def rate(self) -> float:
        """Segments a second that are let through now."""
        return self._most

    def take(self, parts: int, now: float) -> float:
        """Take tokens for one text: 0 to go now, else the seconds to wait.

        Where there is to wait, nothing was taken, so it is asked again then.
        """
        return 0.0

    def accepted(self, parts: int, now: float, *, taken_at: float) -> None:
        """Hear that the carrier took (or refused for its own sake) what was taken."""

    def throttled(
        self,
        now: float,
        *,
        taken_at: float,
        retry_after: float | None = None,
    ) -> None:
        """Hear that the carrier takes no more for now.

        `taken_at` is the `now` of the `take`: refusals of what left before the last
        cut are old news, and cut nothing again. `retry_after` is the carrier's wish.
        """
