"""The public folder: all leaves, the checkpoints, their sums, and how to check them.

Files are written whole beside their place and then renamed, so a reader never sees
half of one; full files of leaves are never written again. The folder holds nothing of a
person: a leaf opens only with the donor's code and nonce.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections import defaultdict
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from ledger.engine import Engine, LedgerError, reading
from ledger.sealing.notes import Signer
from ledger.sealing.public import Public, checkpoints, newest, shown

__all__ = ["FOLDER", "LEAVES_PER_FILE", "Rewritten", "publish"]

FOLDER = "public"
LEAVES_PER_FILE = 65_536
COLUMNS = (
    *("number", "day", "campaign", "kind", "unit", "amount"),
    *("commitment", "facts"),
)
SUMMED = ("campaign", "kind", "unit", "leaves", "amount")
COPIED = ("verify.py", "signature.sh", "README.txt")

Totals = defaultdict[tuple[str, str, str], list[int]]


class Rewritten(LedgerError):
    """The books have other leaves than were published: nothing is put over them."""


def publish(
    engine: Engine,
    signer: Signer,
    folder: Path,
    *,
    leaves_per_file: int = LEAVES_PER_FILE,
) -> int:
    """Bring the folder up to the newest checkpoint; how many leaves it holds.

    Raises Rewritten, another LedgerError, and OSError where it cannot be written.
    """
    for name in ("leaves", "checkpoints"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    with reading(engine) as db:
        last = newest(db)
    size = last.size if last else 0
    _refuse_fewer(folder / "leaves", -(-size // leaves_per_file))
    totals: Totals = defaultdict(lambda: [0, 0])
    for first in range(0, size, leaves_per_file):
        end = min(first + leaves_per_file, size)
        path = folder / "leaves" / f"{first // leaves_per_file:08}.csv"
        with reading(engine, snapshot=True) as db:
            text = _csv(shown(db, first, end), totals)
        if path.exists() and not text.startswith(path.read_text("utf-8")):
            raise Rewritten(f"{path} holds other leaves than the books: ledger verify")
        _write_if_new(path, text)
    names = []
    with reading(engine, snapshot=True) as db:
        for one in checkpoints(db, size):
            _write_if_new(folder / "checkpoints" / f"{one.name}.txt", one.text)
            names.append(f"{one.name}.txt")
    _write_if_new(folder / "totals.json", _json(last, names, totals))
    _write_if_new(folder / "key.pem", signer.pem)
    for name in COPIED:
        source = resources.files("gateway") / "public" / name
        _write_if_new(folder / name, source.read_text("utf-8"))
    return size


def _csv(rows: Iterable[Iterable[str | int]], totals: Totals) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        _, _, campaign, kind, unit, amount, *_ = row
        sum = totals[str(campaign), str(kind), str(unit)]
        sum[0], sum[1] = sum[0] + 1, sum[1] + int(amount)
        writer.writerow(row)
    return text.getvalue()


def _refuse_fewer(leaves: Path, files: int) -> None:
    """Let no shorter books, of a restore or another ledger, replace longer ones."""
    published = sorted(path.name for path in leaves.glob("*.csv"))
    if published and published[-1] >= f"{files:08}.csv":
        raise Rewritten(f"{leaves} holds other leaves than the books: ledger verify")


def _json(last: Public | None, names: list[str], totals: Totals) -> str:
    told = {
        "size": last.size if last else 0,
        "root": last.root.hex() if last else None,
        "day": last.day if last else None,
        "checkpoints": sorted(names),
        "totals": [
            dict(zip(SUMMED, (*place, *sum), strict=True))
            for place, sum in sorted(totals.items())
        ],
    }
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _write_if_new(path: Path, text: str) -> None:
    data = text.encode()
    if path.exists() and path.read_bytes() == data:
        return
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
