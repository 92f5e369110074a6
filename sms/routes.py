"""The channels an operator has set up, and which of them takes a text."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from sms.carrier import Carrier

__all__ = ["Channel", "Routes"]


@dataclass(frozen=True, slots=True)
class Channel:
    """One carrier as set up under `[sms.<name>]`: its line, and how much it carries."""

    name: str
    carrier: Carrier
    sender: str
    stop_line: str = ""
    weight: int = 100
    test: bool = False


class Routes:
    """All channels for texts, and the choice among them."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self._channels = {channel.name: channel for channel in channels}
        assert len(self._channels) == len(channels), "two channels of one name"

    def __iter__(self) -> Iterator[Channel]:
        return iter(self._channels.values())

    def named(self, name: str | None) -> Channel | None:
        return self._channels.get(name or "")

    def choose(
        self,
        *,
        outbox_id: int,
        test: bool,
        tried: Collection[str] = (),
        paused: Collection[str] = (),
    ) -> Channel | None:
        """Choose who carries a text: the same answer for the same question.

        A rehearsal's text never reaches a real carrier. A real one goes through a test
        channel only where there is no other, as on a laptop. Channels share by weight,
        one that is tried already comes after those that are not, and one of weight 0
        carries nothing. None says that nobody can carry it now.
        """
        usable = [channel for channel in self if channel.weight > 0]
        fitting = [channel for channel in usable if channel.test == test]
        if not fitting and not test:
            fitting = usable
        open_now = [channel for channel in fitting if channel.name not in paused]
        fresh = [channel for channel in open_now if channel.name not in tried]
        return min(fresh or open_now, key=_lot(outbox_id), default=None)


def _lot(outbox_id: int) -> Callable[[Channel], float]:
    """Draw a lot per text and channel; a smaller one wins, in proportion to weight.

    Weighted rendezvous hashing: taking a channel away moves only that channel's texts.
    """

    def lot(channel: Channel) -> float:
        seed = f"{outbox_id}:{channel.name}".encode()
        number = int.from_bytes(hashlib.sha256(seed).digest()[:8])
        return -math.log((number + 1) / (2**64 + 1)) / channel.weight

    return lot
