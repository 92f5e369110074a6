"""Texts into an HTTP carrier: beside a bare client, and into one that has a limit."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import running, texts_carrier
from bench.texts_carrier import Counts
from bench.texts_house import House, house
from bench.texts_runs import Measured, deliver, rate, told
from gateway.settings import Settings

__all__ = ["WORDS", "beside_bare", "within_a_limit"]

# What a receipt of a pledge says, with the words of its line.
WORDS = "۱+۱: ثبت کمک ۷۵٬۰۰۰ تومان\nکد 100000001\nپرداخت *780*0#\nلغو۱۱"
# As many as a worker has.
THREADS: int = Settings.model_fields["text_threads"].default
ONE_AT_A_TIME = 40
RATIO_MIN, TIMES_MIN = 0.7, 15.0
LIMIT, SETTING = 200, 1_000
OFF_MAX, REFUSED_MAX = 0.05, 0.02
ENOUGH = 0.95
# A limit shows only when it is met for a while.
LONGER = 2
RESIDENT_MAX = 200 * 1024 * 1024
RUN_SECONDS_MAX = 300.0


@dataclass(frozen=True, slots=True)
class _Carrier:
    port: int

    def anew(self) -> None:
        texts_carrier.anew(self.port)

    def taken(self) -> int:
        return texts_carrier.taken(self.port)

    def counts(self) -> Counts:
        return texts_carrier.counts(self.port)


def beside_bare(database: str, *, texts: int, runs: int, backlog: int) -> float:
    """Deliver texts in turns with a bare client; print a line and give our median."""
    ours, bare = Measured(), Measured()
    with _carrier() as carrier, _house(database, carrier) as made:
        alone = _bare(carrier, 1, ONE_AT_A_TIME)
        made.backlog(backlog)
        # What is loaded once is loaded before the first run.
        deliver(made, carrier, ["worker"], texts // 4, Measured())
        for _ in range(runs):
            deliver(made, carrier, ["worker"], texts, ours)
            bare.per_second.append(_bare(carrier, THREADS, texts))
    each = zip(ours.per_second, bare.per_second, strict=True)
    ratios = [our / their for our, their in each]
    times = [our / alone for our in ours.per_second]
    print(
        f"{database:12}{told(ours.per_second, '.0f'):>20}"
        f"{told(bare.per_second, '.0f'):>20}{told(ratios, '.2f'):>22}"
        f"{told(times, '.1f'):>22}{statistics.median(ours.cpu_ms):>8.2f}"
        f"{made.resident_max / 2**20:>7.0f}",
        flush=True,
    )
    _under(statistics.median(ratios) < RATIO_MIN, f"below {RATIO_MIN} of bare")
    _under(statistics.median(times) < TIMES_MIN, f"below {TIMES_MIN:.0f} times one")
    _under(made.resident_max > RESIDENT_MAX, "more than 200 MB")
    _under(ours.doubled > 0, f"{ours.doubled} texts were sent twice")
    return statistics.median(ours.per_second)


def within_a_limit(
    database: str, *, texts: int, runs: int, backlog: int, by: str
) -> float:
    """Deliver into a carrier that refuses what is too much; print a line."""
    ours, shares, refused = Measured(), list[float](), list[float]()
    with (
        _carrier("--limit", str(LIMIT), "--counts", by) as carrier,
        _house(database, carrier, segments_per_second=str(SETTING)) as made,
    ):
        made.backlog(backlog)
        for _ in range(runs):
            counts = deliver(made, carrier, ["worker"], LONGER * texts, ours)
            shares.append(_sustained(counts))
            refused.append(100 * counts.refused / counts.requests)
    print(
        f"{f'{database}, {by}':22}{told(shares, '.1f'):>24}{told(refused, '.2f'):>24}"
        f"{statistics.median(ours.cpu_ms):>8.2f}{made.resident_max / 2**20:>7.0f}",
        flush=True,
    )
    off = abs(statistics.median(shares) / LIMIT - 1)
    _under(off > OFF_MAX, f"more than {OFF_MAX:.0%} off {LIMIT} a second")
    too_many = statistics.median(refused) > 100 * REFUSED_MAX
    _under(too_many, f"more than {REFUSED_MAX:.0%} were refused")
    _under(ours.doubled > 0, f"{ours.doubled} texts were sent twice")
    return statistics.median(shares)


def _sustained(counts: Counts) -> float:
    """Segments taken in a second, in the whole seconds while there was enough to send.

    The first second is the carrier's to open in, and the last texts may be those that
    were refused once and wait for their turn.
    """
    last = sorted(counts.at)[int(ENOUGH * len(counts.at)) - 1]
    seconds = range(int(min(counts.at)) + 1, int(last))
    if not seconds:
        return rate(counts.at)
    return sum(counts.by_second.get(str(s), 0) for s in seconds) / len(seconds)


def _bare(carrier: _Carrier, threads: int, texts: int) -> float:
    carrier.anew()
    words = ["bench.texts_bare", str(carrier.port), str(threads), str(texts), WORDS]
    subprocess.run(
        [sys.executable, "-m", *words],
        cwd=running.ROOT,
        check=True,
        timeout=RUN_SECONDS_MAX,
    )
    return rate(carrier.counts().at)


@contextmanager
def _carrier(*options: str) -> Iterator[_Carrier]:
    port = running.free_port()
    words = ("bench.texts_carrier", str(port), *options)
    with running.running(*words, log=Path("/dev/null"), told={}):
        if not running.eventually(lambda: running.answers(port), 10):
            sys.exit("the carrier did not start")
        yield _Carrier(port)


@contextmanager
def _house(database: str, carrier: _Carrier, **more: str) -> Iterator[House]:
    channel = {
        "adapter": "kavenegar",
        "api_key": "bench",
        "base_url": f"http://127.0.0.1:{carrier.port}",
        # More than anybody takes, where the limit is not what is measured.
        "segments_per_second": "10000",
    }
    with house(database, channel | more) as made:
        yield made


def _under(missed: bool, what: str) -> None:
    if missed:
        print(f"{'':12}MISSED: {what}", flush=True)
