"""One run of texts: begun, waited for, and what the taker says it came to."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bench import running
from bench.sides import spread
from bench.texts_carrier import Counts
from bench.texts_house import House

__all__ = ["Measured", "Taker", "deliver", "rate", "told"]

POLL_SECONDS = 0.25
RUN_SECONDS_MAX = 180.0


class Taker(Protocol):
    """Who takes texts and counts them: the carrier, or the message centre."""

    def anew(self) -> None: ...
    def taken(self) -> int: ...
    def counts(self) -> Counts: ...


@dataclass(slots=True)
class Measured:
    """The runs of one side."""

    per_second: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    doubled: int = 0


def deliver(
    house: House, taker: Taker, command: Sequence[str], texts: int, into: Measured
) -> Counts:
    """Promise texts and have one process of ours deliver them, of that `command`.

    The clock is the taker's and runs from the first text to the last one of these, so
    a start costs nothing; texts of a backlog that come after them do not count.
    """
    house.promise(texts)
    taker.anew()
    with house.delivering(*command) as process:
        used = _wait(taker, texts, process)
    counts = taker.counts()
    into.per_second.append(rate(counts.at[:texts]))
    into.cpu_ms.append(used)
    into.doubled += counts.doubled
    if left := house.receipts_left():
        print(f"   {left} receipts waited while other texts left")
    return counts


def rate(at: Sequence[float]) -> float:
    """Texts a second, by when each was taken."""
    return (len(at) - 1) / (max(at) - min(at))


def told(values: Sequence[float], form: str) -> str:
    return spread(values, form) if values else "-"


def _wait(taker: Taker, texts: int, process: subprocess.Popen[bytes]) -> float:
    """Wait until so many were taken; give the processor's ms that a text cost."""
    began, first, used = time.monotonic(), 0, 0.0
    while (taken := taker.taken()) < texts:
        if taken and not first:
            first, used = taken, running.cpu_seconds(process.pid)
        if process.poll() is not None or time.monotonic() - began > RUN_SECONDS_MAX:
            sys.exit(f"only {taken} of {texts} texts were taken")
        time.sleep(POLL_SECONDS)
    spent = running.cpu_seconds(process.pid) - used
    return 1000 * spent / max(taken - first, 1)
