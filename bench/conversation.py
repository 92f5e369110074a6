"""Measure whole conversations, beside a bare view of two Redis round trips a request.

    python -m bench.conversation [--calls N] [--runs N] [--database sqlite|postgresql]

A conversation is five turns in Africa's Talking's form and leaves one durable pledge;
phone and session are new each time. Both sides are served by granian with the same
settings and called by the same client, in turns.

Each database is measured twice: the conversations by themselves, whose texts a worker
delivers when all is measured; and with a worker beside them on the same processors. It
delivers the texts (to the console carrier, which costs nothing but our own work) while
ours is measured, and has finished before the bare view is.
"""

from __future__ import annotations

import argparse
import itertools
import secrets
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import pytest

from bench import running
from bench.client import Call, play, request
from gateway import redis_server
from gateway.kinds import KEY_BYTES
from gateway.settings import DIAL_CODE, KEYS
from ledger import outbox
from ledger.engine import Engine, connect, reading
from ledger.outbox import State
from tests import services

CALLS = 400
RUNS = 5
WARM_CALLS = 80
# As many as a web process answers at once by default.
CONNECTIONS = 8
TARGET = 0.5
START_SECONDS_MAX = 60.0
DRAIN_SECONDS_MAX = 120.0
TYPED = ("", "3", "3*75000", "3*75000*1", "3*75000*1*1")
BEGINS = (b"CON ",) * 4 + (b"END ",)
CHANNEL_KEY = "bench"
DATABASES = ("sqlite", "postgresql")

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class _Served:
    """A web service that answers."""

    port: int
    process_id: int


@dataclass(slots=True)
class Measured:
    """One side's runs: requests a second, and its processor time a request."""

    per_second: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--database", choices=DATABASES)
    options = parser.parse_args()
    print(
        f"{options.runs} runs of {options.calls} conversations, ours and bare in turns,"
        f" over {CONNECTIONS} connections.\n"
        "Requests a second: median (least to most). CPU: of the web process, a request."
        f"\n{'':20}{'ours':>19}{'bare':>21}{'ours/bare':>21}{'CPU ms':>14}"
        f"{'texts/s':>9}"
    )
    for name in [options.database] if options.database else DATABASES:
        try:
            for beside in (False, True):
                compare(name, calls=options.calls, runs=options.runs, beside=beside)
        except pytest.skip.Exception as missing:
            print(f"{name:20}not measured: {missing}")


def compare(database: str, *, calls: int, runs: int, beside: bool) -> None:
    """Measure both sides on one kind of database and print a line.

    `beside` has a worker deliver the texts meanwhile; else one does it afterwards.
    """
    ours, bare, delivered = Measured(), Measured(), list[float]()
    with ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="yarigar-bench-")
        folder = Path(stack.enter_context(temporary))
        url = f"sqlite:///{folder}/ledger.db"
        if database == "postgresql":
            server = stack.enter_context(services.postgres(durable=True))
            url = server.create("bench")
        redis = redis_server.start(folder)
        stack.callback(redis.stop)
        told = told_with(folder, url, redis.url)
        our_service = stack.enter_context(_ours(folder, told))
        if beside:
            stack.enter_context(_worker(folder, told))
        bare_service = stack.enter_context(_bare(folder, redis.url))
        engine = connect(url, pool_size=1)
        stack.callback(engine.dispose)
        # What is loaded once is loaded before the first run.
        _measure(our_service, None, _conversations(WARM_CALLS))
        _measure(bare_service, None, _alike(WARM_CALLS))
        for run in range(1, runs + 1):
            began = perf_counter()
            _measure(our_service, ours, _conversations(calls))
            if beside:
                _wait_for_texts(engine, WARM_CALLS + run * calls)
                delivered.append(calls / (perf_counter() - began))
            _measure(bare_service, bare, _alike(calls))
        if not beside:
            promised = WARM_CALLS + runs * calls
            began = perf_counter()
            with _worker(folder, told):
                _wait_for_texts(engine, promised)
            delivered.append(promised / (perf_counter() - began))
    ratios = [o / b for o, b in zip(ours.per_second, bare.per_second, strict=True)]
    cpu = f"{statistics.median(ours.cpu_ms):.2f} / {statistics.median(bare.cpu_ms):.2f}"
    side = f"{database} and worker" if beside else database
    print(
        f"{side:20}{_spread(ours.per_second, '.0f'):>19}"
        f"{_spread(bare.per_second, '.0f'):>21}{_spread(ratios, '.2f'):>21}"
        f"{cpu:>14}{statistics.median(delivered):>9.0f}",
        flush=True,
    )
    if statistics.median(ratios) < TARGET:
        print(f"{'':20}below the target of {TARGET}")


def _wait_for_texts(engine: Engine, promised: int) -> None:
    """Wait until every text is delivered; there is one for each conversation."""

    def is_done() -> bool:
        states = _texts(engine)
        return states[State.DELIVERED] == sum(states.values())

    if not running.eventually(is_done, DRAIN_SECONDS_MAX):
        sys.exit(f"texts were left over: {_texts(engine)}")
    if (found := _texts(engine)[State.DELIVERED]) != promised:
        sys.exit(f"{promised} conversations and {found} texts")


def told_with(folder: Path, database_url: str, redis_url: str) -> dict[str, str]:
    """The environment of our processes."""
    port = running.free_port()
    told = {
        "YARIGAR_DATA_DIR": str(folder),
        "YARIGAR_DATABASE_URL": database_url,
        "YARIGAR_REDIS_URL": redis_url,
        "YARIGAR_PORT": str(port),
        "YARIGAR_USSD__AT__ADAPTER": "africastalking",
        "YARIGAR_USSD__AT__KEY": CHANNEL_KEY,
        "YARIGAR_SMS__OUT__ADAPTER": "console",
        "YARIGAR_SMS__OUT__KEY": CHANNEL_KEY,
        "YARIGAR_SMS__OUT__SENDER": "10001",
        "YARIGAR_SMS__OUT__STOP_LINE": "لغو۱۱",
    }
    told |= {f"YARIGAR_{name.upper()}": secrets.token_hex(KEY_BYTES) for name in KEYS}
    return told


@contextmanager
def _ours(folder: Path, told: Mapping[str, str]) -> Iterator[_Served]:
    """The web service as production runs it, on a fresh ledger."""
    running.run("gateway", "migrate", told=told)
    running.run("gateway", "menus", "load", "menus.yaml", told=told)
    with running.running("gateway", "web", log=folder / "web.log", told=told) as web:
        yield _served(int(told["YARIGAR_PORT"]), web, folder / "web.log")


@contextmanager
def _worker(folder: Path, told: Mapping[str, str]) -> Iterator[None]:
    with running.running("gateway", "worker", log=folder / "worker.log", told=told):
        yield


@contextmanager
def _bare(folder: Path, redis_url: str) -> Iterator[_Served]:
    port, log = running.free_port(), folder / "bare.log"
    words = ("bench.bare", str(port), redis_url, str(CONNECTIONS))
    with running.running(*words, log=log, told={}) as web:
        yield _served(port, web, log)


def _served(port: int, process: subprocess.Popen[bytes], log: Path) -> _Served:
    if not running.eventually(lambda: running.answers(port), START_SECONDS_MAX):
        sys.exit(f"did not start:\n{log.read_text(errors='replace')[-2000:]}")
    return _Served(port, process.pid)


def _measure(at: _Served, into: Measured | None, calls: Sequence[Call]) -> None:
    before = running.cpu_seconds(at.process_id)
    played = play(at.port, calls, CONNECTIONS)
    used = running.cpu_seconds(at.process_id) - before
    if played.wrong:
        first = played.wrong[0].decode(errors="replace")
        sys.exit(f"{len(played.wrong)} wrong answers; the first: {first!r}")
    if into is not None:
        into.per_second.append(played.per_second)
        into.cpu_ms.append(1000 * used / played.requests)


def _conversations(count: int) -> list[Call]:
    return [
        Call([_turn(number, typed) for typed in TYPED], BEGINS)
        for number in itertools.islice(_numbers, count)
    ]


def _turn(number: int, typed: str) -> bytes:
    form = {
        "sessionId": f"ATUid_{number:032x}",
        "serviceCode": DIAL_CODE,
        "phoneNumber": f"+98912{number:07}",
        "networkCode": "43235",
        "text": typed,
    }
    return request(f"/ussd/at/{CHANNEL_KEY}", form)


def _alike(count: int) -> list[Call]:
    """As many requests of the same size, for the bare view."""
    begins = (b"CON ",) * len(TYPED)
    of_it = _turn(0, TYPED[-1]).partition(b"\r\n")[2]
    said = b"POST / HTTP/1.1\r\n" + of_it
    return [Call([said] * len(TYPED), begins)] * count


def _texts(engine: Engine) -> Mapping[State, int]:
    with reading(engine) as db:
        return outbox.state_counts(db)


def _spread(values: Sequence[float], form: str) -> str:
    middle = statistics.median(values)
    return f"{middle:{form}} ({min(values):{form}} to {max(values):{form}})"


if __name__ == "__main__":
    main()
