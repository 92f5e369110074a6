"""PDUs over one connection: cut from what comes, gathered into few writes.

A protocol of asyncio and no pair of streams: at window 50 an answer and the request
that follows it cost one turn of the loop less each, and a thread that works beside the
loop gets in between at every turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from phone.smpp.faults import Malformed
from phone.smpp.pdu import read_length

__all__ = ["Stream"]


class Stream(asyncio.Protocol):
    """One connection. `hear` gets each PDU's octets, `lost` why it ended, once.

    `unframed` is told where the next PDU is not to be found: nothing more is read.
    What is written goes out when the loop comes round, and replies go first.
    """

    def __init__(
        self,
        hear: Callable[[bytes], None],
        unframed: Callable[[Malformed], None],
        lost: Callable[[str], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._hear = hear
        self._unframed = unframed
        self._lost = lost
        self._rest = b""
        self._replies: list[bytes] = []
        self._requests: dict[int, bytes] = {}
        self._is_flushing = False
        self._is_held = False
        self._is_over = False
        # Since when half a PDU waits for its rest, and the centre for nothing of ours.
        self.half_since: float | None = None
        self.stuck_since: float | None = None
        self.transport: asyncio.Transport | None = None
        self.closed = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether a request that is written now would leave."""
        return (
            not self._is_over
            and self.transport is not None
            and not self.transport.is_closing()
        )

    def request(self, sequence: int, octets: bytes) -> None:
        self._requests[sequence] = octets
        self._flush_soon()

    def reply(self, octets: bytes) -> None:
        if not self._is_over:
            self._replies.append(octets)
            self._flush_soon()

    def hold(self, is_held: bool) -> None:
        """Read no more, or again: what the centre sends meanwhile waits with it."""
        if is_held != self._is_held:
            self._is_held = is_held
            self._read_or_not()

    def end(self) -> frozenset[int]:
        """Say what was to be replied and hang up.

        Gives the sequences of the requests that have surely not left.
        """
        self._is_over = True
        unsent = frozenset(self._requests)
        self._requests.clear()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(b"".join(self._replies))
            self.transport.close()
        return unsent

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    # -- what asyncio calls ---------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._rest = self._rest + data if self._rest else data
        self._cut()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()
        self._lost(type(exc).__name__ if exc else "the centre closed the connection")

    def pause_writing(self) -> None:
        self.stuck_since = self._loop.time()
        # Or its questions would pile up as answers.
        self._read_or_not()

    def resume_writing(self) -> None:
        self.stuck_since = None
        self._read_or_not()

    # -- in and out -----------------------------------------------------------------

    @property
    def _may_read(self) -> bool:
        return not (self._is_held or self._is_over or self.stuck_since is not None)

    def _read_or_not(self) -> None:
        if self.transport is None or self._is_over:
            return
        if self._may_read:
            self.transport.resume_reading()
            # Not from here: whoever lets go may be in the middle of something.
            self._loop.call_soon(self._cut)
        else:
            self.transport.pause_reading()

    def _cut(self) -> None:
        octets, at = self._rest, 0
        try:
            while len(octets) - at >= 4 and self._may_read:
                end = at + read_length(octets[at : at + 4])
                if end > len(octets):
                    break
                at, start = end, at
                self._hear(octets[start:end])
        except Malformed as fault:
            self._unframed(fault)
        if at:
            self._rest = octets = octets[at:]
            self.half_since = None
        if not octets or not self._may_read:
            self.half_since = None
        elif self.half_since is None:
            self.half_since = self._loop.time()

    def _flush_soon(self) -> None:
        if not self._is_flushing:
            self._is_flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._is_flushing = False
        if self.is_open:
            assert self.transport is not None
            octets = b"".join((*self._replies, *self._requests.values()))
            self._replies.clear()
            self._requests.clear()
            self.transport.write(octets)
