"""Texts handed over to a message centre, part by part, each part once.

What decides whether a handset reads a text twice is the difference between a part that
surely did not leave and one whose answer did not come: the first may go later, the
second is ambiguous, and here nothing ambiguous is ever handed over again.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from phone.encoding import TextTooLong
from phone.smpp.centre import Centre
from phone.smpp.codings import NotText
from phone.smpp.faults import LinkLost, NoAnswer, NotSent, Refused, Unwritable
from phone.smpp.pdu import Message
from phone.smpp.receipts import id_key
from sms.carrier import Outbound, Outcome, Piece, Result, of_pieces
from sms.pace import Pace
from sms.smpp.carrier import Smpp
from sms.smpp.meanings import meaning

__all__ = ["Sender"]

# How long a part waits for a bind with room in its window.
PLACE_SECONDS_MAX = 20.0
# How long one that the centre takes later is offered again here; then its text is
# given back, and others have their turn.
OFFER_SECONDS_MAX = 60.0

# Of the connection, and not of what the centre does with texts.
_OF_LINE = (LinkLost.__name__, NotSent.__name__)


class Sender:
    """Hands texts over to one centre, no faster than it takes their parts."""

    def __init__(self, carrier: Smpp, centre: Centre, pace: Pace) -> None:
        self._carrier = carrier
        self._centre = centre
        self._pace = pace
        # First come, first served.
        self._turn = asyncio.Lock()

    async def hand_over(self, text: Outbound) -> Result:
        """Hand over those parts of a text that are to go now; never raises SmppError.

        The parts leave together, as far as window and pace have room for them.
        """
        try:
            messages = self._carrier.messages(text)
        except (NotText, TextTooLong) as fault:
            return Result(Outcome.REFUSED, detail=type(fault).__name__)
        parts = [self._part(number, message) for number, message in messages.items()]
        # A task for each costs more than a submit_sm does, and most texts are of one.
        pieces = [await parts[0]] if len(parts) == 1 else await asyncio.gather(*parts)
        untold = [piece.detail for piece in pieces if _is_untold(piece)]
        return replace(
            of_pieces(pieces),
            # A bind that is lost takes a whole window with it.
            is_of_line=all(detail in _OF_LINE for detail in untold) and bool(untold),
        )

    async def _part(self, number: int, message: Message) -> Piece:
        loop = asyncio.get_running_loop()
        until = loop.time() + OFFER_SECONDS_MAX
        while True:
            taken_at = await self._may_go()
            try:
                taken = await self._centre.hand_over(
                    message, wait_seconds=PLACE_SECONDS_MAX
                )
            except NotSent as fault:
                # Nobody failed: it only has to wait, here or for another carrier.
                return Piece(number, Outcome.THROTTLED, detail=type(fault).__name__)
            except (LinkLost, NoAnswer) as fault:
                return Piece(number, Outcome.AMBIGUOUS, detail=type(fault).__name__)
            except Unwritable as fault:
                return Piece(number, Outcome.REFUSED, detail=str(fault))
            except Refused as refused:
                outcome = meaning(refused.status, self._carrier.options)
                now = loop.time()
                if outcome is Outcome.THROTTLED:
                    self._pace.throttled(now, taken_at=taken_at)
                    if now < until:
                        continue
                elif outcome in (Outcome.REFUSED, Outcome.OPTED_OUT):
                    self._pace.accepted(1, now, taken_at=taken_at)
                return Piece(number, outcome, detail=str(refused))
            self._pace.accepted(1, loop.time(), taken_at=taken_at)
            carrier_id = id_key(taken.message_id) or None
            return Piece(number, Outcome.ACCEPTED, carrier_id)

    async def _may_go(self) -> float:
        """Wait for a turn; when it came, for the pace to learn from."""
        loop = asyncio.get_running_loop()
        if not self._turn.locked() and self._pace.take(1, loop.time()) <= 0:
            return loop.time()
        async with self._turn:
            while (wait := self._pace.take(1, loop.time())) > 0:
                await asyncio.sleep(wait)
        return loop.time()


def _is_untold(piece: Piece) -> bool:
    """Whether the centre said nothing of a part."""
    return piece.outcome is Outcome.AMBIGUOUS or piece.detail in _OF_LINE
