"""How each channel does, as one process sees it: its pace, its health, who is there.

What `sms.pace` and `sms.health` make of single calls is put together here for the
choice among channels; what the processes share of it is in `ledger.channels`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime

from ledger import channels
from ledger.engine import Connection
from sms.carrier import Outcome, Result
from sms.health import Change, Health, Standing
from sms.pace import Pace
from sms.routes import Channel, Routes
from sms.waits import after_rest

__all__ = ["Conditions", "write"]


# A carrier that wants nothing for longer than that has its texts go elsewhere.
HOLD_SECONDS = 3.0
# One whose calls took so long lately keeps no more than its share of the room busy.
DRAGS_SECONDS = 1.0
LATELY_SECONDS = 60.0

# A call that failed, or that nobody answered, says nothing of a carrier's pace.
_TAKEN_NOTICE_OF = (Outcome.ACCEPTED, Outcome.REFUSED, Outcome.OPTED_OUT)


class Conditions:
    """The channels' pace and health. One to a process, whatever runs come and go.

    `ticks` are seconds of a clock that never goes back.
    """

    def __init__(
        self, routes: Routes, *, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._routes = routes
        self._health = {
            channel.name: Health(channel.name, slow_seconds=channel.slow_seconds)
            for channel in routes
        }
        # A process of its own keeps the pace of its parts itself.
        self._paces = {
            channel.name: Pace(channel.segments_per_second)
            for channel in routes
            if not channel.smpp
        }
        self._alive: Mapping[str, datetime | None] = {}
        # When a call of the channel was last one that drags.
        self._dragged: dict[str, float] = {}
        self.ticks = ticks

    def learn(self, known: Mapping[str, channels.Standing]) -> None:
        """Believe what all processes together have found out."""
        for name, health in self._health.items():
            stored = known.get(name, channels.Standing())
            health.restore(
                Standing(
                    share=stored.share / 100,
                    open_until=stored.rests_until,
                    rests=stored.rests,
                    why=stored.why,
                    changed_at=stored.changed_at,
                )
            )
        self._alive = {name: stored.alive_until for name, stored in known.items()}

    def shut(self, at: datetime) -> set[str]:
        """The channels that carry nothing now."""
        return {
            name
            for name, health in self._health.items()
            if not health.may_try(at) or self._held(name) > HOLD_SECONDS
        }

    def _held(self, name: str) -> float:
        pace = self._paces.get(name)
        return 0.0 if pace is None else pace.held(self.ticks())

    def drags(self, channel: Channel) -> bool:
        """Whether its calls took long lately, so that others would wait for them."""
        dragged = self._dragged.get(channel.name)
        return dragged is not None and self.ticks() - dragged < LATELY_SECONDS

    def may_try(self, channel: Channel, at: datetime) -> bool:
        """Whether a text may go over the channel now, if only as a probe."""
        return self._health[channel.name].may_try(at)

    def shares(self, at: datetime) -> dict[str, float]:
        """How much of its weight each channel carries."""
        # One whose rest is over lets a probe through, and has no share of its own yet.
        return {
            name: health.share(at) or 1.0
            for name, health in self._health.items()
            if health.may_try(at)
        }

    def asleep(self, at: datetime, *, but: str = "") -> set[str]:
        """The channels whose own process is not there, except for our own."""
        return {
            channel.name
            for channel in self._routes
            if channel.smpp
            and channel.name != but
            and not _is_later(self._alive.get(channel.name), at)
        }

    def opens_at(self, at: datetime) -> datetime | None:
        """When the first of the channels that are shut may be tried again."""
        opening = [
            health.standing.open_until
            for health in self._health.values()
            if not health.may_try(at) and health.standing.open_until is not None
        ]
        opening += [
            at + after_rest(held)
            for name in self._paces
            if (held := self._held(name)) > HOLD_SECONDS
        ]
        return min(opening, default=None)

    def wait(self, channel: Channel, parts: int) -> float:
        """Take the tokens of a text: 0 to go now, else the seconds to wait."""
        pace = self._paces.get(channel.name)
        return 0.0 if pace is None else pace.take(parts, self.ticks())

    def probe(self, channel: Channel, at: datetime) -> datetime | None:
        """If the next call is the probe of a channel that rested: when another may be.

        `ledger.channels.probe` says whether no other process was faster.
        """
        health = self._health[channel.name]
        return health.standing.open_until if health.begin(at) else None

    def give_back(self, channel: Channel, at: datetime) -> None:
        """Hear that the probe was not sent after all: the next text may be it."""
        self._health[channel.name].give_back(at)

    def hear(
        self,
        channel: Channel,
        result: Result,
        *,
        parts: int,
        taken: float,
        now: float,
        seconds: float,
        another: bool,
        at: datetime,
    ) -> Change | None:
        """Hear how a call of so many `seconds` ended at the tick `now`.

        Its tokens were `taken` at a tick before. `another` says that another channel
        could have had the text. What changes is to be written in the transaction of
        the outcome: see `write`.
        """
        if seconds >= DRAGS_SECONDS:
            self._dragged[channel.name] = now
        pace = self._paces.get(channel.name)
        if pace is not None:
            if result.outcome is Outcome.THROTTLED:
                wish = result.retry_after_seconds
                pace.throttled(now, taken_at=taken, retry_after=wish)
            elif result.outcome in _TAKEN_NOTICE_OF:
                pace.accepted(parts, now, taken_at=taken)
        if result.is_of_line:
            return None
        return self._health[channel.name].note(
            result.outcome, seconds, at=at, another=another
        )


def write(db: Connection, change: Change) -> None:
    """Store what changed for a channel, and a line of its history."""
    channels.change(
        db,
        channel=change.channel,
        what=change.what,
        why=change.why,
        share=round(100 * change.standing.share),
        rests_until=change.standing.open_until,
        rests=change.standing.rests,
        at=change.at,
    )


def _is_later(until: datetime | None, at: datetime) -> bool:
    return until is not None and until > at
