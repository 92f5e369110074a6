"""Measure the ledger: what it takes in, seals, proves, sums, exports and checks.

    python -m bench.ledger [PART ...] [--quick] [--database sqlite|postgresql]
        [--seconds S] [--runs N] [--large N] [--keep FOLDER]

pledges    recorded by four clients, in turns with plain single-row inserts and with a
           ledger that updates one hot balance
size       the same in small books and in large ones, in turns
payments   a hundred to one campaign, none of them committed before all are recorded
seal       a million leaves, and proofs of some
balances   by what is sealed and the tail behind it, in the large books
exports    each, in how much memory
verify     everything, over a million pledges

With --quick books are smaller and runs shorter. A commit waits for the disk on both
databases. With --keep the SQLite files stay in that folder and are found there again.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from bench import ledger_books, ledger_payments, ledger_pledges, ledger_reads
from bench.texts_house import DATABASES
from ledger.engine import Engine, connect
from tests import services

PARTS = ("pledges", "size", "payments", "seal", "balances", "exports", "verify")


@dataclass(frozen=True, slots=True)
class Scale:
    """How many pledges the books have, and how long is measured."""

    small: int
    middle: int
    large: int
    seconds: float
    size_runs: int
    # An export of so many days from the first; a day has 8,640 pledges.
    few_days: int
    days: int
    leaves: int


FULL = Scale(10_000, 1_000_000, 5_000_000, 5.0, 5, 2, 24, 1_000_000)
QUICK = Scale(10_000, 100_000, 200_000, 1.5, 3, 1, 4, 100_000)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--database", choices=DATABASES)
    parser.add_argument("--seconds", type=float, help="of each run of pledges")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--large", type=int, help="pledges in the large books")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    scale = QUICK if given.quick else FULL
    for name in [given.database] if given.database else DATABASES:
        print(f"\n== {name}", flush=True)
        began = time.monotonic()
        try:
            _measure(name, given.parts or list(PARTS), scale, given)
        except pytest.skip.Exception as missing:
            print(f"not measured: {missing}")
        print(f"({time.monotonic() - began:.0f} s)", flush=True)


def _measure(
    name: str, parts: list[str], scale: Scale, given: argparse.Namespace
) -> None:
    seconds = given.seconds or scale.seconds
    large = given.large or scale.large
    with _books(name, given.keep) as books:
        if "pledges" in parts:
            print(f"\n-- pledges a second, {ledger_pledges.CLIENTS} clients")
            print(f"{'':12}{'median (min to max)':>24}{'ours/theirs':>24}")
            ledger_pledges.beside_others(
                books(scale.small), seconds=seconds, runs=given.runs
            )
        if "payments" in parts:
            print("\n-- payments to one campaign at one moment")
            ledger_payments.pay_at_once(books(scale.small))
        if "seal" in parts:
            print(f"\n-- seals, of {scale.middle:,} pledges and their payments")
            with _engine(books(scale.middle)) as engine:
                ledger_reads.seal_leaves(engine, scale.leaves)
                ledger_reads.seal_all(engine)
                ledger_reads.prove_some(engine)
        if "verify" in parts:
            print(f"\n-- the check of {scale.middle:,} pledges")
            ledger_reads.verify_all(books(scale.middle))
        if "exports" in parts:
            print(f"\n-- exports out of {scale.middle:,} pledges")
            ledger_reads.export_all(books(scale.middle), scale.few_days, scale.days)
        if "size" in parts:
            print(f"\n-- pledges a second in books of {scale.small:,} and {large:,}")
            ledger_pledges.by_size(
                {size: books(size) for size in (scale.small, large)},
                seconds=seconds,
                runs=scale.size_runs,
            )
        if "balances" in parts:
            print(f"\n-- balances of {large:,} pledges")
            with _engine(books(large)) as engine:
                ledger_reads.seal_all(engine)
                ledger_reads.balance(engine)


@contextmanager
def _books(name: str, keep: Path | None) -> Iterator[Callable[[int], str]]:
    """A function from so many pledges to the URL of books that have them."""
    with ExitStack() as stack:
        folder = keep or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="yarigar-ledger-"))
        )
        folder.mkdir(exist_ok=True)
        server = None
        if name == "postgresql":
            server = stack.enter_context(services.postgres(durable=True))

        @cache
        def books(pledges: int) -> str:
            if server is not None:
                url = server.create(f"books_{pledges}")
            else:
                url = f"sqlite:///{folder.absolute()}/books-{pledges}.db"
                if ledger_books.pledges_in(url) >= pledges:
                    return url
            began = time.monotonic()
            ledger_books.fill(url, pledges)
            spent = time.monotonic() - began
            print(f"({pledges:,} pledges made in {spent:.0f} s)", flush=True)
            return url

        yield books


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    engine = connect(url, pool_size=2)
    try:
        yield engine
    finally:
        engine.dispose()


if __name__ == "__main__":
    main()
