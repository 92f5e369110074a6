"""Measure what the menus cost: a step beside its HTTP turn, and the prover.

    python -m bench.menus [--calls N] [--runs N] [--screens N]

A step is the machine's own part of a turn, all of its calls with the facts and deeds
it lacked; the turn is of one caller to `yarigar web` on SQLite, who waits for nobody
else. Both play the five turns of bench.conversation, in turns. The target is 5 % of
the turn's time. Then a check as `yarigar menus check` does it, of the shipped file
(target: 2 seconds) and of a generated file of many screens.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from bench import running, sides
from bench.conversation import TYPED, told_with
from bench.many_screens import many_screens
from bench.sides import spread
from gateway import redis_server
from gateway.publishing import check
from gateway.settings import DIAL_CODE, Settings, load
from phone.encoding import Limits
from ussd.machine import Effect, Need, Session, begin, step
from ussd.menus import Menus
from ussd.transcripts.stage import Stage

CALLS = 100
RUNS = 9
WARM_CALLS = 40
SCREENS = 10_000
SHARE_MAX = 0.05
SHIPPED_SECONDS_MAX = 2.0
MENUS = running.ROOT / "menus.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--screens", type=int, default=SCREENS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="yarigar-menus-") as name:
        folder = Path(name)
        redis = redis_server.start(folder)
        try:
            told = told_with(folder, f"sqlite:///{folder}/ledger.db", redis.url)
            settings = load(told)
            compare_steps(folder, settings, told, options.calls, options.runs)
        finally:
            redis.stop()
        time_checks(folder, settings, told, options.runs, options.screens)


def compare_steps(
    folder: Path, settings: Settings, told: Mapping[str, str], calls: int, runs: int
) -> None:
    """Measure steps and the turns around them, and print a line."""
    menus, _ = check(settings, MENUS)
    walks: list[float] = []
    turns: list[float] = []
    shares: list[float] = []
    with sides.ours(folder, told) as side:
        sides.measure(side, WARM_CALLS, 1)
        step_seconds(menus, WARM_CALLS)
        side.cpu_ms.clear()
        for _ in range(runs):
            walked = step_seconds(menus, calls)
            played = sides.measure(side, calls, 1)
            turn = played.seconds / played.requests
            walks.append(1e6 * walked)
            turns.append(1e6 * turn)
            shares.append(walked / turn)
        if side.wrong:
            sys.exit(f"{side.wrong} answers were wrong")
    cpu = 1000 * statistics.median(side.cpu_ms)
    share_of_cpu = statistics.median(walks) / cpu
    print(
        f"{runs} runs of {calls} conversations, one caller; microseconds a turn:"
        " median (least to most).\n"
        f"step {spread(walks, '.0f')}, HTTP turn {spread(turns, '.0f')},"
        f" share {spread(shares, '.1%')}; of the web process's CPU {share_of_cpu:.1%}",
        flush=True,
    )
    if statistics.median(shares) > SHARE_MAX:
        print(f"above the target of {SHARE_MAX:.0%}")


def step_seconds(menus: Menus, calls: int) -> float:
    """What the machine takes of a turn, over so many conversations."""
    limits, now = Limits(), datetime.now(UTC)
    typed = [[], *([text.rpartition("*")[2]] for text in TYPED[1:])]
    spent = 0.0
    for _ in range(calls):
        begun = begin(menus, DIAL_CODE, menus.languages[0])
        assert begun is not None
        session, stage = begun[0], Stage(menus, limits, now)
        for number, answers in enumerate(typed):
            session, seconds = _turn(stage, session, answers, shown=number > 0)
            spent += seconds
        assert stage.pledges, "the five turns do not end in a pledge any more"
    return spent / (calls * len(TYPED))


def _turn(
    stage: Stage, session: Session, answers: Sequence[str], *, shown: bool
) -> tuple[Session, float]:
    """One turn, and the seconds of its calls to `step`; the rest is not counted."""
    facts: dict[Need, Mapping[str, Any]] = {}
    results: dict[tuple[str, int], Mapping[str, str]] = {}
    spent = 0.0
    while True:
        began = perf_counter()
        stepped = step(
            stage.menus,
            session,
            answers,
            now=stage.now,
            limits=stage.limits,
            facts=facts,
            results=results,
            shown=shown,
        )
        spent += perf_counter() - began
        lacks = stepped.lacks
        if lacks is None:
            return stepped.session, spent
        if isinstance(lacks, Effect):
            done = stage.carry_out(lacks, session.language)
            results[lacks.name, lacks.number] = done
            facts.clear()
        else:
            facts[lacks] = stage.fetch(lacks)


def time_checks(
    folder: Path, settings: Settings, told: Mapping[str, str], runs: int, screens: int
) -> None:
    """Measure checks of the shipped file and of a large one, and print a line each."""
    shipped = [_seconds(settings, MENUS)[1] for _ in range(runs)]
    command = [sys.executable, "-m", "gateway", "menus", "check", str(MENUS)]
    began = perf_counter()
    subprocess.run(
        command,
        env={**os.environ, "YARIGAR_CONFIG": os.devnull, **told},
        stdout=subprocess.DEVNULL,
        check=True,
        cwd=running.ROOT,
    )
    whole = perf_counter() - began
    print(
        f"check of the shipped file: {spread(shipped, '.3f')} s;"
        f" the whole command, once: {whole:.2f} s",
        flush=True,
    )
    if statistics.median(shipped) > SHIPPED_SECONDS_MAX:
        print(f"above the target of {SHIPPED_SECONDS_MAX} s")
    large = folder / "large.yaml"
    source = MENUS.read_text(encoding="utf-8")
    large.write_text(many_screens(source, screens), encoding="utf-8")
    found, seconds = _seconds(settings, large)
    size = large.stat().st_size / 1e6
    print(
        f"check of {len(found.screens):,} screens ({size:.1f} MB): {seconds:.1f} s,"
        " without a fault"
    )


def _seconds(settings: Settings, path: Path) -> tuple[Menus, float]:
    """Check a file: read it and prove it. Faults end the bench, as a traceback."""
    began = perf_counter()
    menus, _ = check(settings, path)
    return menus, perf_counter() - began


if __name__ == "__main__":
    main()
