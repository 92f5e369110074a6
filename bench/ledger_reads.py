"""What reads the books: seals, proofs, balances, exports, and the check of everything.

    python -m bench.ledger_reads verify URL
    python -m bench.ledger_reads TABLE FORMAT URL DAYS

measures one of them in a process of its own, whose peak of resident memory is its own.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from bench import running
from bench.ledger_books import BEGAN, KEYS
from bench.ledger_pledges import record_some
from bench.sides import spread
from ledger import export, schema
from ledger.engine import Engine, connect, reading
from ledger.rollups import rolled_up
from ledger.sealing.notes import Signer
from ledger.sealing.proofs import prove
from ledger.sealing.sealer import BATCH_EVENTS, Run, seal
from ledger.verify import verify

__all__ = [
    "balance",
    "export_all",
    "prove_some",
    "seal_all",
    "seal_leaves",
    "verify_all",
]

SEAL_SECONDS_MAX = 10.0
SEAL_LEAVES = 1_000_000
PROOF_MS_MAX = 5.0
PROOFS = 200
BALANCES_MS_MAX = 50.0
BALANCES = 20
# What comes in between two seals on a busy day.
TAIL = 1_000
RESIDENT_MB_MAX = 150
GROWTH_MAX = 0.25
SIGNER = Signer(b"s" * 32, "give.example.org/yarigar")
ZONE = "Asia/Tehran"
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
FORMATS = ("csv", "jsonl", "xlsx", "parquet")
JOURNALS = ("hledger", "beancount")


def seal_leaves(engine: Engine, leaves: int) -> None:
    """Seal so many leaves of books that have none, and print a line."""
    began, spent = time.perf_counter(), sum(os.times()[:4])
    run = _seal(engine, batches_max=-(-leaves // BATCH_EVENTS))
    seconds, spent = _since(began), sum(os.times()[:4]) - spent
    a_million = seconds * SEAL_LEAVES / run.leaves
    print(f"{'seal':12}{run.leaves:>12,} leaves in {seconds:.1f} s,", end=" ")
    print(f"{a_million:.1f} s a million; our processes worked {spent:.1f} s")
    _under(a_million > SEAL_SECONDS_MAX, f"more than {SEAL_SECONDS_MAX:.0f} s")


def seal_all(engine: Engine) -> None:
    """Seal what is left."""
    began = time.perf_counter()
    run = _seal(engine)
    print(f"{'seal':12}{run.size:>12,} leaves; the last {run.leaves:,}", end=" ")
    print(f"in {_since(began):.0f} s", flush=True)


def prove_some(engine: Engine) -> None:
    """Prove pledges from all over the tree, and print a line."""
    with reading(engine) as db:
        last = db.scalar(select(func.max(schema.code.c.event_id))) or 0
        # Every fifth event is a payment, which has no code.
        chosen = [5 * (n * last // (5 * PROOFS)) + 1 for n in range(PROOFS)]
        spent = _timed(lambda: prove(db, chosen.pop()), PROOFS)
    print(f"{'proof':12}{spread(spent, '.2f'):>24} ms")
    _under(statistics.median(spent) > PROOF_MS_MAX, f"more than {PROOF_MS_MAX:.0f} ms")


def balance(engine: Engine) -> None:
    """Sum every account behind a tail that is not sealed, and print a line."""
    record_some(engine, TAIL)
    with reading(engine, snapshot=True) as db:
        spent = _timed(lambda: rolled_up(db), BALANCES)
    print(f"{'balances':12}{spread(spent, '.1f'):>24} ms, a tail of {TAIL:,} pledges")
    over = statistics.median(spent) > BALANCES_MS_MAX
    _under(over, f"more than {BALANCES_MS_MAX:.0f} ms")


def verify_all(url: str) -> None:
    """Check the books and their seals, and print a line."""
    found = _apart("verify", url)
    rows = found["rows"]
    print(f"{'verify':12}{rows:>12,.0f} events in {found['seconds']:.0f} s,", end=" ")
    print(f"{rows / found['seconds']:,.0f} a second, {found['mb']:.0f} MB", flush=True)


def export_all(url: str, few_days: int, days: int) -> None:
    """Write every export of a few days and of many; print a line of each.

    Memory is constant if the longer one takes no more than the shorter.
    """
    for table in export.TABLES:
        forms = FORMATS + (JOURNALS if table == export.JOURNAL.name else ())
        for form in forms if table in ("pledges", "journal") else forms[:1]:
            few, many = (
                _apart(table, form, url, str(count)) for count in (few_days, days)
            )
            print(
                f"{f'{table} {form}':20}{many['rows']:>12,.0f} rows"
                f"{many['rows'] / many['seconds']:>10,.0f} a second"
                f"{few['mb']:>8.0f} and {many['mb']:.0f} MB for"
                f" {few['rows']:,.0f} and {many['rows']:,.0f} rows",
                flush=True,
            )
            _under(many["mb"] > RESIDENT_MB_MAX, f"more than {RESIDENT_MB_MAX} MB")
            grown = many["mb"] > (1 + GROWTH_MAX) * few["mb"]
            _under(grown and many["rows"] > few["rows"], "it grows with the rows")


def _seal(engine: Engine, *, batches_max: int | None = None) -> Run:
    return seal(engine, SIGNER, ZONE, AT, batches_max=batches_max)


def _timed(deed: Callable[[], object], times: int) -> list[float]:
    """How many milliseconds each of so many took."""
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        deed()
        spent.append(1000 * _since(began))
    return spent


def _apart(*words: str) -> dict[str, float]:
    """Measure in another process."""
    printed = subprocess.run(
        [sys.executable, "-m", "bench.ledger_reads", *words],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=running.ROOT,
    ).stdout
    found: dict[str, float] = json.loads(printed)
    return found


def _verify(url: str) -> int:
    with reading(connect(url), snapshot=True) as db:
        verdict = verify(db, seal_key=SIGNER.public_key)
    assert verdict.is_sound, verdict.faults[:5]
    return next(one.rows for one in verdict.counts if one.table == "event")


def _export(table: str, form: str, url: str, days: int) -> int:
    until = (BEGAN + timedelta(days=days)).date()
    with tempfile.TemporaryDirectory(prefix="yarigar-bench-") as folder:
        manifest = export.export_file(
            connect(url),
            export.TABLES[table],
            export.Selection(ZONE, until=until),
            export.FORMATS[form],
            Path(folder) / f"{table}.{form}",
            keys=KEYS,
            at=AT,
        )
    return manifest.rows


def _since(began: float) -> float:
    return time.perf_counter() - began


def _under(missed: bool, what: str) -> None:
    if missed:
        print(f"{'':12}MISSED: {what}", flush=True)


def main() -> None:
    what, *more = sys.argv[1:]
    began = time.perf_counter()
    if what == "verify":
        rows = _verify(*more)
    else:
        form, url, days = more
        rows = _export(what, form, url, int(days))
    # Not getrusage, whose peak begins with that of the process that started this one.
    peak = running.resident_bytes_max(os.getpid()) / 2**20
    print(json.dumps({"rows": rows, "seconds": _since(began), "mb": peak}))


if __name__ == "__main__":
    main()
