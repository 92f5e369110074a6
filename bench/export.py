"""Export a million pledges, and measure the time and the memory that it takes.

    python -m bench.export [--pledges N] [--database URL]

Without a database to fill, an SQLite file is made and thrown away. Each export runs in
a process of its own, so that its peak of resident memory is its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine, insert, text

from ledger import export, migrate
from ledger.engine import connect, reading
from ledger.schema import account, metadata
from ledger.vault import Keys, look_up, seal_phone
from ledger.verify import verify
from phone.codes import code_of

PLEDGES = 1_000_000
RESIDENT_MB_MAX = 150
CHUNK_ROWS = 5_000
PAID_ONE_IN = 4
KEYS = Keys(vault=b"v" * 32, index=b"i" * 32, code=b"c" * 32)
BEGAN = datetime(2026, 3, 1, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pledges", type=int, default=PLEDGES)
    parser.add_argument("--database", help="an empty database to fill")
    parser.add_argument("--measure", choices=("csv", "xlsx", "verify"))
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(options.measure, options.database)))
        return
    with tempfile.TemporaryDirectory(prefix="yarigar-bench-") as folder:
        url = options.database or f"sqlite:///{folder}/ledger.db"
        began = time.perf_counter()
        seed(url, options.pledges)
        print(f"{options.pledges:,} pledges made in {since(began):.0f} s")
        print(f"{'':8} {'rows':>10} {'MB':>7} {'s':>6} {'peak resident MB':>17}")
        for what in ("csv", "xlsx", "verify"):
            found = apart(what, url)
            print(
                f"{what:8} {found['rows']:>10,} {found['file_mb']:>7.0f}"
                f" {found['seconds']:>6.0f} {found['resident_mb']:>17.0f}"
            )
            if found["resident_mb"] > RESIDENT_MB_MAX:
                sys.exit(f"more than {RESIDENT_MB_MAX} MB resident")


def apart(what: str, url: str) -> dict[str, Any]:
    """Measure in another process."""
    printed = subprocess.run(
        [sys.executable, "-m", "bench.export", "--measure", what, "--database", url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found: dict[str, Any] = json.loads(printed)
    return found


def measured(what: str, url: str) -> dict[str, Any]:
    engine = connect(url)
    selection = export.Selection("Asia/Tehran")
    began = time.perf_counter()
    rows = 0

    def count(written: int) -> None:
        nonlocal rows
        rows += written

    with tempfile.TemporaryDirectory(prefix="yarigar-bench-") as folder:
        path = Path(folder) / f"pledges.{what}"
        path.touch()
        if what == "csv":
            with path.open("wb") as file:
                for piece in export.export_csv(
                    engine, export.PLEDGES, selection, keys=KEYS, progress=count
                ):
                    file.write(piece)
        elif what == "xlsx":
            export.export_xlsx(
                engine, export.PLEDGES, selection, path, keys=KEYS, progress=count
            )
        else:
            with reading(engine, snapshot=True) as db:
                verdict = verify(db)
            assert verdict.is_sound, verdict.faults[:5]
            rows = next(one.rows for one in verdict.counts if one.table == "event")
        size = path.stat().st_size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "rows": rows,
        "file_mb": size / 1e6,
        "seconds": since(began),
        "resident_mb": peak,
    }


def since(began: float) -> float:
    return time.perf_counter() - began


def seed(url: str, pledges: int) -> None:
    """Fill an empty database with pledges, each of its own person, a part of them paid.

    The guards hold bulk out, so they are dropped; the check at the end says that
    what came in is what they would have let in.
    """
    migrate.upgrade(url)
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as db:
        drop_guards(db)
        receivable, donation = 1, 2
        db.execute(
            insert(account),
            [
                {
                    "id": receivable,
                    "code": "A:Receivable:Pledge:spring",
                    "unit": "rial",
                },
                {"id": donation, "code": "N:Donation:spring:parcels", "unit": "rial"},
            ],
        )
        for first in range(1, pledges + 1, CHUNK_ROWS):
            numbers = range(first, min(first + CHUNK_ROWS, pledges + 1))
            for table, rows in chunk(numbers, receivable, donation).items():
                if rows:
                    db.execute(insert(metadata.tables[table]), rows)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(text("ANALYZE"))


def drop_guards(db: Connection) -> None:
    if db.dialect.name == "postgresql":
        for table in metadata.sorted_tables:
            db.execute(text(f'ALTER TABLE "{table.name}" DISABLE TRIGGER USER'))
        return
    names = db.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
    for name in names.scalars().all():
        db.execute(text(f'DROP TRIGGER "{name}"'))


def chunk(
    numbers: range, receivable: int, donation: int
) -> dict[str, list[dict[str, Any]]]:
    """Rows for the n-th people and pledges, by table, in the order to insert them."""
    rows: dict[str, list[dict[str, Any]]] = {
        name: []
        for name in ("person", "vault", "event", "transfer", "resolution")
        + ("code", "outbox")
    }
    for n in numbers:
        at = BEGAN + timedelta(seconds=n)
        phone = f"+98912{n:07}"
        hashed, sealed = look_up(KEYS, phone), seal_phone(KEYS, n, phone)
        rows["person"].append({"id": n, "look_up": hashed, "since": at})
        rows["vault"].append(
            {"person_id": n, "wrapped_key": sealed.wrapped_key, "phone": sealed.phone}
        )
        # A payment's ids are the pledge's next ones.
        pledge, payment = 2 * n, 2 * n + 1
        amount = 20_000 * (1 + n % 500)
        common = {
            "person_id": n,
            "campaign": "spring",
            "channel": "at",
            "test": False,
            "transfers": 1,
            "at": at,
        }
        purpose = {"campaign": "spring", "purpose": "parcels"}
        rows["event"].append(
            {
                "id": pledge,
                "key": f"pledge:{n}",
                "kind": "pledge",
                "body": {**purpose, "unit": "rial", "amount": amount},
                "about_id": None,
                "purpose": "parcels",
                **common,
            }
        )
        moved = {
            "number": 1,
            "debit_id": receivable,
            "credit_id": donation,
            "unit": "rial",
            "amount": amount,
        }
        rows["transfer"].append(
            {
                "id": pledge,
                "event_id": pledge,
                "phase": "pending",
                "pending_id": None,
                **moved,
            }
        )
        rows["code"].append({"code": code_of(pledge, KEYS.code), "event_id": pledge})
        rows["outbox"].append(
            {
                "event_id": pledge,
                "person_id": n,
                "template": "sms.pledge",
                "slots": {},
                "language": "fa",
                "menus": "ab" * 32,
                "kind": "receipt",
                "campaign": "spring",
                "test": False,
                "state": "delivered",
                "promised_at": at,
                "due_at": at,
                "expires_at": at + timedelta(days=1),
                "changed_at": at,
            }
        )
        if n % PAID_ONE_IN == 0:
            rows["event"].append(
                {
                    "id": payment,
                    "key": f"payment:{n}",
                    "kind": "payment",
                    "body": {"reference": f"RRN{n:012}"},
                    "about_id": pledge,
                    "purpose": None,
                    **common,
                }
            )
            rows["transfer"].append(
                {
                    "id": payment,
                    "event_id": payment,
                    "phase": "post",
                    "pending_id": pledge,
                    **moved,
                }
            )
            rows["resolution"].append(
                {"pending_id": pledge, "number": 1, "transfer_id": payment}
            )
    return rows


if __name__ == "__main__":
    main()
