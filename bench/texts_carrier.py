"""A carrier of texts in a process of its own: Kavenegar's form, and a slow line to it.

    python -m bench.texts_carrier PORT [--latency SECONDS] [--limit N]
        [--counts second|bucket]

It takes `sms/send.json` and answers after `latency`; with a limit it refuses, by HTTP
429, the segments that are too many for one second of the clock, or for a bucket that
holds a tenth of a second's. `GET /counts` tells what came since `GET /anew`.

One event loop and no framework: what it costs is taken from the same processors as
what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from urllib.parse import parse_qsl
from urllib.request import urlopen

from phone.encoding import sms_cost

__all__ = ["Counts", "anew", "counts", "taken"]

LATENCY_SECONDS = 0.05
BUCKET_SECONDS = 0.1
# As Kavenegar is told it.
BACKLOG_PHONE = "09139999999"
ANSWER_SECONDS_MAX = 5.0
REQUEST_BYTES_MAX = 65_536


@dataclass(slots=True)
class Counts:
    """What came: texts by our id, and segments by the second they were taken in."""

    requests: int = 0
    refused: int = 0
    distinct: int = 0
    doubled: int = 0
    # To the phone that has the backlog.
    others: int = 0
    segments: int = 0
    # Seconds of a clock of the carrier's own, of each text that was new.
    at: list[float] = field(default_factory=list)
    by_second: dict[str, int] = field(default_factory=dict)


def anew(port: int) -> None:
    """Have the carrier at `port` of this machine count from nothing."""
    _ask(port, "anew")


def counts(port: int) -> Counts:
    """What came since; raises OSError if nobody is there."""
    return Counts(**json.loads(_ask(port, "counts")))


def taken(port: int) -> int:
    """How many texts it has, which costs less to tell than `counts`."""
    return int(_ask(port, "taken"))


def _ask(port: int, what: str) -> bytes:
    with urlopen(
        f"http://127.0.0.1:{port}/{what}", timeout=ANSWER_SECONDS_MAX
    ) as answer:
        said: bytes = answer.read()
        return said


class _Carrier:
    def __init__(self, latency: float, limit: int, counts_by: str) -> None:
        self.latency = latency
        self._limit = limit
        self._counts_by = counts_by
        self._bucket, self._filled_at = BUCKET_SECONDS * limit, time.monotonic()
        self.counts = Counts()
        self._ids: set[str] = set()
        self._segments: Counter[str] = Counter()

    def ask(self, what: str) -> bytes:
        if what == "anew":
            self.counts = Counts()
            self._ids.clear()
            self._segments.clear()
        if what == "taken":
            return str(self.counts.distinct).encode()
        self.counts.by_second = dict(self._segments)
        return json.dumps(asdict(self.counts)).encode()

    def take(self, form: dict[str, str]) -> tuple[int, bytes]:
        """Book a text, or refuse it for now."""
        at = time.monotonic()
        self.counts.requests += 1
        parts = sms_cost(form["message"])[0]
        second = str(int(at))
        if self._limit and not self._has_room(parts, at, second):
            self.counts.refused += 1
            return 429, b'{"return":{"status":429,"message":""},"entries":null}'
        self._segments[second] += parts
        self.counts.segments += parts
        if form["receptor"] == BACKLOG_PHONE:
            self.counts.others += 1
        elif form["localid"] in self._ids:
            self.counts.doubled += 1
        else:
            self._ids.add(form["localid"])
            self.counts.distinct += 1
            self.counts.at.append(at)
        entry = {"messageid": self.counts.requests, "status": 1, "cost": 1200}
        return 200, json.dumps(
            {"return": {"status": 200, "message": ""}, "entries": [entry]}
        ).encode()

    def _has_room(self, parts: int, at: float, second: str) -> bool:
        if self._counts_by == "second":
            return self._segments[second] + parts <= self._limit
        room = BUCKET_SECONDS * self._limit
        gained = (at - self._filled_at) * self._limit
        self._bucket, self._filled_at = min(room, self._bucket + gained), at
        if self._bucket < parts:
            return False
        self._bucket -= parts
        return True


class _Line(asyncio.Protocol):
    """One connection, kept open; requests on it come one after the other."""

    def __init__(self, carrier: _Carrier) -> None:
        self._carrier = carrier
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head, found, body = self._heard.partition(b"\r\n\r\n")
        if not found or len(body) < (length := _length(head)):
            if len(self._heard) > REQUEST_BYTES_MAX:
                self._transport.close()
            return
        self._heard = body[length:]
        path = head.split(b" ", 2)[1].decode()
        if not path.endswith("/sms/send.json"):
            self._say(200, self._carrier.ask(path.strip("/")))
            return
        said = self._carrier.take(dict(parse_qsl(body[:length].decode())))
        loop = asyncio.get_running_loop()
        loop.call_later(self._carrier.latency, self._say, *said)

    def _say(self, status: int, body: bytes) -> None:
        if not self._transport.is_closing():
            head = f"HTTP/1.1 {status} -\r\nContent-Length: {len(body)}\r\n\r\n"
            self._transport.write(head.encode() + body)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def _serve(port: int, carrier: _Carrier) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Line(carrier), "127.0.0.1", port)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--latency", type=float, default=LATENCY_SECONDS)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--counts", choices=("second", "bucket"), default="second")
    options = parser.parse_args()
    carrier = _Carrier(options.latency, options.limit, options.counts)
    asyncio.run(_serve(options.port, carrier))


if __name__ == "__main__":
    main()
