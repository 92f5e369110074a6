"""A side of a comparison: a web service that answers, and what its runs came to."""

from __future__ import annotations

import itertools
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import running
from bench.client import Call, Played, play, request
from bench.conversation import BEGINS, CHANNEL_KEY, START_SECONDS_MAX, TYPED
from gateway.settings import DIAL_CODE

__all__ = ["Side", "answering", "calls", "measure", "ours", "spread", "theirs"]

OUR_PATH = f"/ussd/at/{CHANNEL_KEY}"

_numbers = itertools.count(1)


@dataclass(slots=True)
class Side:
    """One service at a port and, of each run, what was measured."""

    port: int
    process_id: int
    path: str = "/"
    per_second: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    wrong: int = 0


@contextmanager
def ours(folder: Path, told: Mapping[str, str]) -> Iterator[Side]:
    """The web service as production runs it, on a fresh ledger."""
    running.run("gateway", "migrate", told=told)
    running.run("gateway", "menus", "load", "menus.yaml", told=told)
    log = folder / "web.log"
    with running.running("gateway", "web", log=log, told=told) as web:
        yield answering(int(told["YARIGAR_PORT"]), web, log, OUR_PATH)


@contextmanager
def theirs(
    command: Sequence[str], port: int, log: Path, told: Mapping[str, str]
) -> Iterator[Side]:
    """The service that another program is at `port`, and nothing of it afterwards."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **told},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=log.parent,
        )
    try:
        yield answering(port, process, log)
    finally:
        process.terminate()
        try:
            process.wait(running.STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            # It leads a group of its own, which nobody else is in.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answering(
    port: int, process: subprocess.Popen[bytes], log: Path, path: str = "/"
) -> Side:
    """The side that a process is, once it listens; ends the bench if it does not."""

    def is_there() -> bool:
        return process.poll() is not None or running.answers(port)

    if (
        not running.eventually(is_there, START_SECONDS_MAX)
        or process.poll() is not None
    ):
        sys.exit(f"did not start:\n{log.read_text(errors='replace')[-2000:]}")
    return Side(port, process.pid, path)


def calls(path: str, count: int) -> list[Call]:
    """So many conversations that nobody had before, each with a phone of its own."""
    return [
        Call([_turn(path, number, typed) for typed in TYPED], BEGINS)
        for number in itertools.islice(_numbers, count)
    ]


def measure(side: Side, count: int, connections: int) -> Played:
    """Play conversations and keep what they came to.

    Answers that begin otherwise than they should are counted, not forgiven.
    """
    made = calls(side.path, count)
    before = running.cpu_seconds(side.process_id)
    played = play(side.port, made, connections)
    used = running.cpu_seconds(side.process_id) - before
    side.per_second.append(played.per_second)
    side.cpu_ms.append(1000 * used / played.requests)
    side.wrong += len(played.wrong)
    return played


def spread(values: Sequence[float], form: str) -> str:
    """The median and, in brackets, the least and the most."""
    middle = statistics.median(values)
    return f"{middle:{form}} ({min(values):{form}} to {max(values):{form}})"


def _turn(path: str, number: int, typed: str) -> bytes:
    form = {
        "sessionId": f"ATUid_{number:032x}",
        "serviceCode": DIAL_CODE,
        "phoneNumber": f"+98912{number:07}",
        "networkCode": "43235",
        "text": typed,
    }
    return request(path, form)
