"""Callers who keep their connections open and answer at once.

One thread and one epoll for all of them, requests made before the clock starts: what
the client costs is taken from the same processors as what it measures.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

__all__ = ["Call", "Played", "play", "request"]

ANSWER_BYTES_MAX = 65_536
SILENCE_SECONDS_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Call:
    """One conversation: a request a turn, and how each answer's body begins."""

    requests: Sequence[bytes]
    begins: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Played:
    requests: int
    seconds: float
    # The answers that were others than expected.
    wrong: list[bytes]

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def request(path: str, form: dict[str, str]) -> bytes:
    """A POST of a form, as a gateway with an open connection sends it."""
    body = urlencode(form).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def play(port: int, calls: Sequence[Call], connections: int) -> Played:
    """Play all calls over so many connections; raises OSError or RuntimeError."""
    waiting = iter(calls)
    wrong: list[bytes] = []
    with selectors.DefaultSelector() as selector:
        lines = [_Line(port, waiting, wrong) for _ in range(connections)]
        for line in lines:
            selector.register(line.socket, selectors.EVENT_READ, line)
        began = time.perf_counter()
        talking = sum(line.say_next() for line in lines)
        while talking:
            ready = selector.select(SILENCE_SECONDS_MAX)
            if not ready:
                raise RuntimeError(f"no answer in {SILENCE_SECONDS_MAX:.0f} seconds")
            for key, _ in ready:
                talking -= not key.data.hear()
        seconds = time.perf_counter() - began
        for line in lines:
            line.socket.close()
    return Played(sum(len(call.requests) for call in calls), seconds, wrong)


@dataclass(slots=True)
class _Line:
    """One connection and the call it is in."""

    port: int
    waiting: Iterator[Call]
    wrong: list[bytes]
    socket: socket.socket = field(init=False)
    _turns: Iterator[tuple[bytes, bytes]] = field(init=False)
    _begins: bytes = b""
    _heard: bytes = b""

    def __post_init__(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._turns = iter(())

    def say_next(self) -> bool:
        """Send the next turn, of the next call where this one ended; False if none."""
        turn = next(self._turns, None)
        if turn is None:
            call = next(self.waiting, None)
            if call is None:
                return False
            self._turns = iter(zip(call.requests, call.begins, strict=True))
            turn = next(self._turns)
        said, self._begins = turn
        self.socket.sendall(said)
        return True

    def hear(self) -> bool:
        """Take what came; when it is an answer, go on. False when there is no more."""
        came = self.socket.recv(ANSWER_BYTES_MAX)
        if not came:
            raise ConnectionError("the server closed the connection")
        self._heard += came
        head, found, body = self._heard.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return True
        if not (head.startswith(b"HTTP/1.1 200") and body.startswith(self._begins)):
            self.wrong.append(body)
        self._heard = b""
        return self.say_next()


def _length(head: bytes) -> int:
    for line in _lines(head):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise RuntimeError("an answer without a length")


def _lines(head: bytes) -> Iterable[bytes]:
    return head.split(b"\r\n")[1:]
