"""The channels an operator has set up, and which of them takes a text."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ledger.outbox import Kind
from sms.carrier import Carrier
from sms.prices import Cost, Price

__all__ = ["Channel", "Routes"]


@dataclass(frozen=True, slots=True)
class Channel:
    """One carrier as set up under `[sms.<name>]`: its line, and what it carries.

    `prefixes` are beginnings of numbers in E.164; without any it takes every number,
    and without `kinds` every kind of text.
    """

    name: str
    carrier: Carrier
    sender: str
    stop_line: str = ""
    weight: int = 100
    test: bool = False
    prefixes: tuple[str, ...] = ()
    kinds: frozenset[Kind] = frozenset()
    price: Price | None = None
    segments_per_second: int = 10_000
    # A call that takes longer is a slow one.
    slow_seconds: float = 5.0
    # An unclear receipt or service text is sent again after so long; 0 is never.
    unclear_resend_seconds: int = 900
    # Its texts are carried by a process of its own, `yarigar smpp <name>`.
    smpp: bool = False

    def estimate(self, to: str, parts: int) -> Cost | None:
        """What a text will cost, where the operator has set a price."""
        return None if self.price is None else self.price.of(to, parts)


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
        to: str = "",
        kind: Kind | None = None,
        tried: Collection[str] = (),
        paused: Collection[str] = (),
        asleep: Collection[str] = (),
        shares: Mapping[str, float] | None = None,
        meant: str | None = None,
    ) -> Channel | None:
        """Choose who carries a text: the same answer for the same question.

        A rehearsal's text never reaches a real carrier. A real one goes through a test
        channel only where there is no other, as on a laptop. Channels whose prefixes or
        kinds do not fit are left out, and so is one that is paused, or whose weight or
        share (a factor of 0 to 1, by the channel's name) is nothing.

        Of those that are left, one that is asleep comes last, one that was tried before
        comes after those that were not, the channel that the text is `meant` for
        before all others, and a longer prefix before a shorter one or none; equals
        divide texts by weight and share. None says that nobody can carry it now.
        """
        usable = [channel for channel in self if channel.weight > 0]
        fitting = [channel for channel in usable if channel.test == test]
        if not fitting and not test:
            fitting = usable
        factors = shares or {}
        ranked: dict[tuple[bool, bool, bool, int], list[tuple[Channel, float]]] = {}
        for channel in fitting:
            match = _match(channel, to)
            weight = channel.weight * factors.get(channel.name, 1.0)
            if match is None or channel.name in paused or weight <= 0:
                continue
            if channel.kinds and kind is not None and kind not in channel.kinds:
                continue
            rank = (
                channel.name in asleep,
                channel.name in tried,
                channel.name != meant,
                -match,
            )
            ranked.setdefault(rank, []).append((channel, weight))
        if not ranked:
            return None
        best = ranked[min(ranked)]
        return min(best, key=lambda entry: _lot(outbox_id, *entry))[0]


def _match(channel: Channel, to: str) -> int | None:
    """How long a beginning of the number the channel is for; None if for others."""
    if not channel.prefixes:
        return 0
    return max((len(p) for p in channel.prefixes if to.startswith(p)), default=None)


def _lot(outbox_id: int, channel: Channel, weight: float) -> float:
    """Draw a lot per text and channel; a smaller one wins, in proportion to weight.

    Weighted rendezvous hashing: a smaller weight moves only that channel's own texts.
    """
    seed = f"{outbox_id}:{channel.name}".encode()
    number = int.from_bytes(hashlib.sha256(seed).digest()[:8])
    return -math.log((number + 1) / (2**64 + 1)) / weight
