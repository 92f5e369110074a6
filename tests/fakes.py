"""Things between us and a real server that fail at the moment a test chooses."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto

READ_BYTES = 65_536


class Cut(Enum):
    """When the connection breaks, seen from a word that the client sends."""

    BEFORE = auto()  # the server never hears it
    BEFORE_ANSWER = auto()  # the server does it, and its answer is lost
    AFTER_ANSWER = auto()  # the answer arrives, and nothing after it


@dataclass
class Proxy:
    """A TCP port that forwards to a server's unix socket until it is told not to."""

    target: str
    port: int
    cuts: int = 0
    _word: bytes = b""
    _cut: Cut = Cut.BEFORE
    _then_closed: bool = False
    _closed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _open: set[socket.socket] = field(default_factory=set)

    def cut(self, when: Cut, word: bytes, *, then_closed: bool = False) -> None:
        """Break the next connection that sends `word`, once; perhaps for good."""
        with self._lock:
            self._word, self._cut, self._then_closed = word, when, then_closed

    def close(self) -> None:
        """Break every connection and let no new one through."""
        with self._lock:
            self._closed = True
            standing = list(self._open)
        for connection in standing:
            _reset(connection)

    def reopen(self) -> None:
        with self._lock:
            self._closed = False

    def serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError):
            with self._lock:
                if self._closed:
                    return
                self._open.add(client)
            server.connect(self.target)
            answered = threading.Event()
            back = threading.Thread(target=self._back, args=(server, client, answered))
            back.start()
            self._forth(client, server, answered)
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            back.join()
            with self._lock:
                self._open.discard(client)

    def _forth(
        self, client: socket.socket, server: socket.socket, answered: threading.Event
    ) -> None:
        while data := client.recv(READ_BYTES):
            cut = self._takes(data)
            if cut is Cut.BEFORE:
                _reset(client)
                return
            answered.clear()
            if cut is Cut.BEFORE_ANSWER:
                # What the server answers goes nowhere from here on.
                _reset(client)
            server.sendall(data)
            if cut is not None:
                answered.wait(5)
                if self._then_closed:
                    self.close()
                _reset(client)
                return

    def _back(
        self, server: socket.socket, client: socket.socket, answered: threading.Event
    ) -> None:
        with suppress(OSError):
            while data := server.recv(READ_BYTES):
                with suppress(OSError):
                    client.sendall(data)
                answered.set()
        _reset(client)

    def _takes(self, data: bytes) -> Cut | None:
        with self._lock:
            if not self._word or self._word not in data:
                return None
            self._word = b""
            self.cuts += 1
            return self._cut


@contextmanager
def proxy(target: str) -> Iterator[Proxy]:
    """Run one on a free port of loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = Proxy(target, listener.getsockname()[1])

        serving: list[threading.Thread] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    serving.append(
                        threading.Thread(target=running.serve, args=(client,))
                    )
                    serving[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield running
        finally:
            running.close()
            listener.shutdown(socket.SHUT_RDWR)
            for thread in (accepting, *serving):
                thread.join()


def _reset(connection: socket.socket) -> None:
    """Close so that the other side hears of it at once, even while we read."""
    with suppress(OSError):
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        connection.shutdown(socket.SHUT_RDWR)
