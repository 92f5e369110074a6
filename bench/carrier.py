"""A Kavenegar on this machine that books every text it is sent, twice if told twice.

It answers the look-up by localid truthfully. A text takes a while to arrive, and one
whose sender is gone before then never does; what arrived is written to a file before
it is answered, and the answer takes a while too.
"""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.carrier_server import kavenegar_never_had_it, kavenegar_takes

__all__ = ["Carrier", "carrier"]

ARRIVES_SECONDS = 0.05
ANSWERS_SECONDS = 0.05


class Carrier:
    """What was booked: texts by localid."""

    def __init__(self, url: str, log: Path) -> None:
        self.url = url
        self._log = log.open("a")
        self._booked: Counter[str] = Counter()
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._open = threading.Event()
        self._open.set()

    def hold(self) -> None:
        """Let no text arrive until `release`."""
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def booked(self) -> Counter[str]:
        with self._lock:
            return self._booked.copy()

    def asked(self) -> Counter[str]:
        """How many look-ups were for a text that is known, and for one unknown."""
        with self._lock:
            return self._asked.copy()

    def take(self, local_id: str, sender: socket.socket) -> dict[str, Any] | None:
        """Book a text; None if its sender is gone before it arrived."""
        time.sleep(ARRIVES_SECONDS)
        self._open.wait()
        if _is_gone(sender):
            return None
        with self._lock:
            self._booked[local_id] += 1
            number = self._booked.total()
            self._log.write(f"{time.time():.6f} {local_id}\n")
            self._log.flush()
        time.sleep(ANSWERS_SECONDS)
        body: dict[str, Any] = kavenegar_takes(number).body
        return body

    def tell(self, local_id: str) -> dict[str, Any]:
        """Say whether a text was booked."""
        with self._lock:
            is_known = local_id in self._booked
            self._asked["known" if is_known else "unknown"] += 1
        said = kavenegar_takes(1) if is_known else kavenegar_never_had_it()
        body: dict[str, Any] = said.body
        return body

    def close(self) -> None:
        self.release()
        self._log.close()


@contextmanager
def carrier(log: Path) -> Iterator[Carrier]:
    """Run one on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    running = Carrier(f"http://127.0.0.1:{server.server_port}", log)
    server.carrier = running  # type: ignore[attr-defined]  # what the handler asks
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield running
    finally:
        running.release()
        server.shutdown()
        thread.join()
        # Waits for the threads of requests under way.
        server.server_close()
        running.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Of a connection that is kept open.
    timeout = 5

    def log_message(self, *args: object) -> None:
        pass

    def handle(self) -> None:
        # Whoever calls may be killed at any moment.
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        self._do()

    def do_POST(self) -> None:
        self._do()

    def _do(self) -> None:
        carrier: Carrier = self.server.carrier  # type: ignore[attr-defined]  # see above
        url = urlsplit(self.path)
        size = int(self.headers.get("Content-Length", "0"))
        form = parse_qs(url.query + "&" + self.rfile.read(size).decode())
        local_id = form["localid"][0]
        said = (
            carrier.take(local_id, self.connection)
            if url.path.endswith("/sms/send.json")
            else carrier.tell(local_id)
        )
        if said is None:
            self.close_connection = True
            return
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _is_gone(sender: socket.socket) -> bool:
    readable = select.select([sender], [], [], 0)[0]
    return bool(readable) and sender.recv(1, socket.MSG_PEEK) == b""
