"""A rehearsal: real carriers get texts for guests alone, and three numbers play a part.

The three go to a channel of their own, which is no carrier's: what it answers stands
here. Texts of test channels are no part of it, for they never reach a real carrier.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from ledger.vault import Keys, look_up
from sms.carrier import (
    Inbound,
    Outbound,
    Outcome,
    Posted,
    Question,
    Receipt,
    Reply,
    Result,
    Status,
    Tools,
)
from sms.routes import Channel

__all__ = ["DELIVERED", "NAME", "REFUSED", "SILENT", "Rehearsal", "channel", "rehearse"]

DELIVERED = "+989000000001"
REFUSED = "+989000000002"
SILENT = "+989000000003"

# No channel of the settings can have this name.
NAME = "rehearsal-numbers"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Who may get texts from these real channels, by keyed hash, and how many a day."""

    channels: frozenset[str]
    guests: frozenset[bytes]
    day_max: int
    # The numbers that play a part, which nobody has.
    scripted: frozenset[bytes]


def rehearse(
    keys: Keys, *, channels: Iterable[str], guests: Iterable[str], day_max: int
) -> Rehearsal:
    """A rehearsal of these real channels; `guests` are numbers in E.164."""
    return Rehearsal(
        channels=frozenset(channels),
        guests=frozenset(look_up(keys, phone) for phone in guests),
        day_max=day_max,
        scripted=frozenset(look_up(keys, phone) for phone in _ANSWERS),
    )


def channel(real: Collection[Channel]) -> Channel:
    """The channel of the three numbers, with the line of one that is real."""
    like = max(real, key=lambda one: one.weight)
    return Channel(
        name=NAME,
        carrier=_Scripted(),
        sender=like.sender,
        stop_line=like.stop_line,
        prefixes=tuple(_ANSWERS),
        # What the silent number was sent is not sent again.
        unclear_resend_seconds=0,
    )


_ANSWERS: Mapping[str, Result] = {
    DELIVERED: Result(Outcome.ACCEPTED, status=Status.DELIVERED),
    REFUSED: Result(Outcome.REFUSED, detail="rehearsal"),
    SILENT: Result(Outcome.AMBIGUOUS, detail="rehearsal"),
}


class _Scripted:
    """A carrier of three numbers: it delivers to one, refuses one, keeps silent of one.

    No receipt ever comes from it, and it cannot be asked.
    """

    name: ClassVar[str] = "rehearsal"
    needs: ClassVar[tuple[str, ...]] = ()
    knows: ClassVar[tuple[str, ...]] = ()
    can_look_up = False
    ids_are_ours = True
    reply = Reply()

    @classmethod
    def build(cls, options: Mapping[str, str], tools: Tools) -> Self:
        return cls()

    def send(self, message: Outbound) -> Result:
        return _ANSWERS[message.to]

    def look_up(self, question: Question) -> Result | None:
        return _ANSWERS[SILENT]

    def read_receipts(self, posted: Posted) -> tuple[Receipt, ...]:
        return ()

    def read_inbound(self, posted: Posted) -> tuple[Inbound, ...]:
        return ()
