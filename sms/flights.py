"""The calls that are under way, and those that have ended and are not written down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from ledger.outbox import Kind
from sms.calls import Call
from sms.carrier import Result

__all__ = ["Flight", "Flights"]


@dataclass(slots=True, eq=False)
class Flight:
    """A call under way; its times are of the clock that never goes back."""

    call: Call
    future: Future[Result | None]
    # Its tokens were taken before it was written down.
    taken: float
    began: float
    ended: float = 0.0

    @property
    def parts(self) -> int:
        """How many parts it hands over; none if it asks."""
        message = self.call.message
        return len(message.parts) if message is not None else 0


class Flights:
    """Calls from their beginning until what they said is written down."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._away: set[Flight] = set()
        self._landing: SimpleQueue[Flight] = SimpleQueue()
        self._landed: list[Flight] = []

    def __len__(self) -> int:
        """How many are under way, as far as is known."""
        return len(self._away)

    def depart(self, call: Call, future: Future[Result | None], taken: float) -> None:
        """Follow a call that has begun."""
        flight = Flight(call, future, taken, self._ticks())
        self._away.add(flight)

        def land(done: Future[Result | None]) -> None:
            flight.ended = self._ticks()
            self._landing.put(flight)

        future.add_done_callback(land)

    def landed(self) -> list[Flight]:
        """The calls that have ended, until `forget`."""
        with suppress(Empty):
            while True:
                self._land(self._landing.get_nowait())
        return list(self._landed)

    def forget(self, landed: list[Flight]) -> None:
        """These are written down."""
        self._landed = [flight for flight in self._landed if flight not in landed]

    def wait(self, seconds: float) -> None:
        """Wait until a call ends, for so long at most."""
        with suppress(Empty):
            self._land(self._landing.get(timeout=seconds))

    def parts(self) -> int:
        """How many parts are under way."""
        return sum(flight.parts for flight in self._away)

    def by_channel(self, kind: Kind | None = None) -> Counter[str]:
        """How many calls of each channel are under way, of one kind or of all."""
        return Counter(
            flight.call.channel.name
            for flight in self._away
            if kind is None or flight.call.row.kind is kind
        )

    def of_kind(self, kind: Kind) -> int:
        """How many calls of a kind are under way."""
        return sum(flight.call.row.kind is kind for flight in self._away)

    def _land(self, flight: Flight) -> None:
        self._away.discard(flight)
        self._landed.append(flight)
