"""Texts into an SMPP message centre: ours, raw smpplib's and Kannel's, in turns."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench import running, texts_kannel
from bench.installing import NotInstalled, install_centre, install_smpplib
from bench.texts_carrier import Counts
from bench.texts_centre import Centre, centre, send_by_smpplib
from bench.texts_house import house
from bench.texts_http import RESIDENT_MAX, THREADS, WORDS
from bench.texts_runs import Measured, deliver, rate, told

__all__ = ["beside_others"]

WINDOW = 50
RATIO_MIN = 0.9
ARRIVE_SECONDS_MAX = 120.0
DURABLE = {
    "yarigar": "promise, attempt and answer, on disk before and after each submit",
    "smpplib": "nothing",
    "kannel": texts_kannel.DURABLE,
}


def beside_others(
    database: str, *, texts: int, runs: int, backlog: int, receipts: bool = False
) -> float | None:
    """Deliver texts in turns with the others; print a line of each.

    Gives our median, or None where the message centre cannot be had.
    """
    with ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="yarigar-texts-smpp-")
        folder = Path(stack.enter_context(temporary))
        try:
            print(f"{database}; the centre: {install_centre(folder / 'centre')}")
            print(f"smpplib: {install_smpplib(folder / 'smpplib')}", flush=True)
        except NotInstalled as reason:
            print(f"not measured: {reason}", flush=True)
            return None
        taker = stack.enter_context(centre(folder / "centre", receipts=receipts))
        sides: dict[str, Callable[[], Counts]] = {}
        measured = {name: Measured() for name in DURABLE}
        channel = {
            "adapter": "smpp",
            "host": f"127.0.0.1:{taker.port}",
            "system_id": "bench",
            "password": "bench",
            "window": str(WINDOW),
            "segments_per_second": "10000",
        }
        made = stack.enter_context(house(database, channel))
        made.backlog(backlog)

        def ours() -> Counts:
            into = measured["yarigar"]
            return deliver(made, taker, ["smpp", "out"], texts, into)

        def smpplib() -> Counts:
            venv = folder / "smpplib"
            return _send(
                taker,
                lambda: send_by_smpplib(
                    venv, taker, window=WINDOW, texts=texts, words=WORDS
                ),
                measured["smpplib"],
            )

        sides |= {"yarigar": ours, "smpplib": smpplib}
        if (boxes := texts_kannel.find()) is None:
            print("kannel: left out: it is not on this machine", flush=True)
        else:
            port = stack.enter_context(
                texts_kannel.kannel(boxes, folder / "kannel", taker.port, WINDOW)
            )
            sides["kannel"] = lambda: _send(
                taker,
                lambda: texts_kannel.post(
                    port, threads=THREADS, texts=texts, words=WORDS
                ),
                measured["kannel"],
                texts,
            )
        windows = dict.fromkeys(sides, 0)
        for _ in range(runs):
            for name, run in sides.items():
                run()
                windows[name] = max(windows[name], taker.window)
    our = measured["yarigar"].per_second
    for name in sides:
        side = measured[name]
        ratios = [o / t for o, t in zip(our, side.per_second, strict=True)]
        ratio = "" if name == "yarigar" else told(ratios, ".2f")
        print(
            f"{name:12}{told(side.per_second, '.0f'):>22}{ratio:>24}"
            f"{windows[name]:>8}  {DURABLE[name]}"
        )
        if name == "smpplib" and statistics.median(ratios) < RATIO_MIN:
            print(f"{'':12}MISSED: below {RATIO_MIN} of smpplib")
        if side.doubled:
            print(f"{'':12}{side.doubled} parts were sent twice")
    cpu, resident = statistics.median(measured["yarigar"].cpu_ms), made.resident_max
    print(f"{'':12}ours: {cpu:.2f} ms of processor a text, {resident / 2**20:.0f} MB")
    if resident > RESIDENT_MAX:
        print(f"{'':12}MISSED: more than 200 MB")
    return statistics.median(our)


def _send(
    taker: Centre, send: Callable[[], None], into: Measured, texts: int = 0
) -> Counts:
    """Have another program send, wait until all arrived, and keep what it came to."""
    taker.anew()
    send()
    # Who queues them has taken them long before they are here.
    if not running.eventually(lambda: taker.taken() >= texts, ARRIVE_SECONDS_MAX):
        sys.exit(f"only {taker.taken()} of {texts} texts arrived")
    counts = taker.counts()
    into.per_second.append(rate(counts.at))
    into.doubled += counts.doubled
    return counts
