"""Measure how texts leave: beside bare clients, under a limit, over a backlog.

    python -m bench.texts [a] [b] [d] [e] [--texts N] [--runs N] [--backlog N]
        [--database sqlite|postgresql]

a   an HTTP carrier that answers after 50 ms: ours in turns with a bare httpx loop of
    as many threads
b   an SMPP message centre with 50 ms and a window of 50: ours in turns with raw
    smpplib, and (c) with Kannel's sendsms where this machine has Kannel
d   an HTTP carrier that refuses more than 200 segments a second, our setting at 1000
e   all of them over a million queued texts

Receipts of pledges, one part each, promised before a run and delivered by one process.
The clock is that of who takes them: from the first text to the last.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

import pytest

from bench.texts_house import DATABASES
from bench.texts_http import LIMIT, SETTING, THREADS, beside_bare, within_a_limit
from bench.texts_smpp import WINDOW, beside_others

TEXTS = 3_000
RUNS = 3
BACKLOG = 1_000_000
CHANGE_MAX = 0.1
PARTS = ("a", "b", "d", "e")
COUNTED_BY = ("second", "bucket")

Medians = dict[tuple[str, ...], float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="a|b|d|e")
    parser.add_argument("--texts", type=int, default=TEXTS)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--backlog", type=int, default=BACKLOG)
    parser.add_argument("--database", choices=DATABASES)
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    parts = options.parts or list(PARTS)
    databases = [options.database] if options.database else list(DATABASES)
    # Over a backlog all is measured that is measured without, to be compared.
    measured = [part for part in parts if part != "e"] or list(PARTS[:-1])
    print(
        f"{options.runs} runs of {options.texts} texts of one part, in turns.\n"
        "A second: median (least to most). CPU: of our process, ms a text. MB: the most"
        " that our\nprocess had resident."
    )
    without = _measure(measured, databases, options, backlog=0)
    if "e" in parts:
        print(f"\n== over a backlog of {options.backlog} queued texts")
        over = _measure(measured, databases, options, backlog=options.backlog)
        _compare(without, over)


def _measure(
    parts: list[str], databases: list[str], given: argparse.Namespace, *, backlog: int
) -> Medians:
    medians: Medians = {}
    more = {"texts": given.texts, "runs": given.runs, "backlog": backlog}

    def keep(name: tuple[str, ...], measure: Callable[[], float | None]) -> None:
        try:
            median = measure()
        except pytest.skip.Exception as missing:
            print(f"{' '.join(name)}: not measured: {missing}")
        else:
            if median is not None:
                medians[name] = median

    if "a" in parts:
        print(f"\n-- a: HTTP, {THREADS} threads")
        print(
            f"{'':12}{'ours':>20}{'bare':>20}{'ours/bare':>22}{'times one':>22}"
            f"{'CPU':>8}{'MB':>7}"
        )
        for name in databases:
            keep(("a", name), partial(beside_bare, name, **more))
    if "b" in parts:
        print(f"\n-- b, c: SMPP, window {WINDOW}")
        print(f"{'':12}{'a second':>22}{'ours/theirs':>24}{'window':>8}  made durable")
        for name in databases:
            keep(("b", name), partial(beside_others, name, **more))
    if "d" in parts:
        print(f"\n-- d: HTTP, {LIMIT} segments a second; our setting is {SETTING}")
        print(f"{'':22}{'taken a second':>24}{'% refused':>24}{'CPU':>8}{'MB':>7}")
        for by in COUNTED_BY:
            name = databases[0]
            keep(("d", name, by), partial(within_a_limit, name, by=by, **more))
    return medians


def _compare(without: Medians, over: Medians) -> None:
    print("\n-- e: over the backlog / without")
    for name in without.keys() & over.keys():
        ratio = over[name] / without[name]
        missed = abs(ratio - 1) > CHANGE_MAX
        print(
            f"{' '.join(name):22}{ratio:>6.2f}"
            + (f"  MISSED: changed by more than {CHANGE_MAX:.0%}" if missed else "")
        )


if __name__ == "__main__":
    main()
