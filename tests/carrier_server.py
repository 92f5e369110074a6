"""A carrier on loopback that answers by script and remembers what it was asked."""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it came; `form` has the fields of its query too."""

    method: str
    path: str
    form: dict[str, str]
    headers: dict[str, str]
    query: dict[str, str] = field(default_factory=dict)
    raw_query: str = ""
    body: bytes = b""


@dataclass(frozen=True)
class Say:
    """An answer; `before` runs first, on the carrier's thread."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    before: Callable[[], None] = lambda: None


class Silence:
    """Take the request and never answer it, until the server ends."""


class Reset:
    """Take the request and break the connection."""


@dataclass
class CarrierServer:
    """Answers each path's requests from its own script, then from the last of it."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    _scripts: dict[str, deque[Any]] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def script(self, path_end: str, *answers: Any) -> None:
        with self._lock:
            self._scripts[path_end] = deque(answers)

    def of(self, path_end: str) -> list[Asked]:
        with self._lock:
            return [asked for asked in self.asked if asked.path.endswith(path_end)]

    def answer(self, asked: Asked) -> Any:
        with self._lock:
            self.asked.append(asked)
            # `GET path` is before `path`, where one address is for both.
            for of, answers in sorted(
                self._scripts.items(), key=lambda script: " " not in script[0]
            ):
                method, _, path_end = of.rpartition(" ")
                if asked.path.endswith(path_end) and method in ("", asked.method):
                    answer = answers.popleft() if len(answers) > 1 else answers[0]
                    return answer(asked) if callable(answer) else answer
        return Say(404, {"return": {"status": 404}})


@contextmanager
def carrier_server() -> Iterator[CarrierServer]:
    """Run one on a free port of loopback."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    carrier = CarrierServer(f"http://127.0.0.1:{server.server_port}")
    server.carrier = carrier  # type: ignore[attr-defined]  # what the handler asks
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield carrier
    finally:
        carrier._over.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        # Who was answered too late has hung up.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._do()

    def do_POST(self) -> None:
        self._do()

    def _do(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = _first(url.query)
        is_form = "form" in headers.get("content-type", "")
        form = query | _first(body.decode()) if is_form else query
        asked = Asked(self.command, url.path, form, headers, query, url.query, body)
        carrier: CarrierServer = self.server.carrier  # type: ignore[attr-defined]  # set above
        answer = carrier.answer(asked)
        if isinstance(answer, Silence):
            carrier._over.wait(30)
            self.close_connection = True
        elif isinstance(answer, Reset):
            # Lingering for no time makes the close a reset.
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            self.close_connection = True
        else:
            self._say(answer)

    def _say(self, answer: Say) -> None:
        answer.before()
        body = (
            answer.body
            if isinstance(answer.body, bytes)
            else json.dumps(answer.body).encode()
        )
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _first(fields: str) -> dict[str, str]:
    found = parse_qs(fields, keep_blank_values=True)
    return {name: values[0] for name, values in found.items()}


def kavenegar_takes(message_id: int, status: int = 1) -> Say:
    """Kavenegar's answer to a text that it takes or knows."""
    return Say(
        200,
        {
            "return": {"status": 200, "message": "تایید شد"},
            "entries": [
                {
                    "messageid": message_id,
                    "message": "…",
                    "status": status,
                    "statustext": "در صف ارسال",
                    "sender": "10001",
                    "receptor": "09121234567",
                    "date": 1793000000,
                    "cost": 1200,
                }
            ],
        },
    )


def kavenegar_says(status: int) -> Say:
    """Kavenegar's answer to what it does not do; HTTP repeats the status."""
    return Say(status, {"return": {"status": status, "message": "…"}, "entries": None})


def kavenegar_never_had_it() -> Say:
    """Kavenegar's answer about a localid that it does not know."""
    return Say(
        200,
        {
            "return": {"status": 200, "message": "تایید شد"},
            "entries": [
                {
                    "messageid": 0,
                    "localid": "1",
                    "status": 100,
                    "statustext": "شناسه پیامک نامعتبر است",
                }
            ],
        },
    )


def africastalking_says(code: int, message_id: str = "ATXid_1") -> Say:
    """Africa's Talking's answer about one recipient."""
    return Say(
        201,
        {
            "SMSMessageData": {
                "Message": "Sent to 1/1 Total Cost: KES 0.8000",
                "Recipients": [
                    {
                        "statusCode": code,
                        "number": "+254711000000",
                        "status": "Success",
                        "cost": "KES 0.8000",
                        "messageId": message_id,
                    }
                ],
            }
        },
    )
