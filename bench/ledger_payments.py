"""A hundred payments to one campaign, each recorded before any of them is committed.

Were there a row that two of them share, the second would wait for the first one's
commit, which comes only after all are recorded: the lock's time would run out.
"""

from __future__ import annotations

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier, BrokenBarrierError

from sqlalchemy import bindparam, select

from bench.ledger_books import KEYS, SOURCE
from ledger import schema
from ledger.engine import Engine, LedgerError, connect, reading, writing
from ledger.incoming import Kind, Outcome, Payment
from ledger.payments import pay
from ledger.prepared import run

__all__ = ["pay_at_once"]


AT_ONCE = 100
LOCK_MS = 2_000
WAIT_SECONDS = 30.0
AT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


def pay_at_once(url: str) -> None:
    """Pay a hundred pledges of one campaign, and print who waited for whom."""
    engine = connect(url, pool_size=AT_ONCE)
    try:
        with reading(engine) as db:
            found = db.execute(_OPEN, {"rows": AT_ONCE}).all()
        is_alone = engine.dialect.name == "sqlite"
        met = Barrier(1 if is_alone else AT_ONCE)
        began = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            paid = pool.map(lambda row: _pay(engine, row.code, row.amount, met), found)
            done = sum(paid)
        spent = time.perf_counter() - began
    finally:
        engine.dispose()
    if is_alone:
        print(
            f"{done} of {AT_ONCE} matched one by one, as SQLite has one writer;", end=""
        )
    else:
        print(f"{done} of {AT_ONCE} matched, none committed before all were", end="")
        print(" recorded: none waited for a row;", end="")
    print(f" {spent:.1f} s", flush=True)
    if done < AT_ONCE:
        print(f"{'':12}MISSED: {AT_ONCE - done} waited for a row or failed", flush=True)


def _pay(engine: Engine, code: str, amount: int, met: Barrier) -> bool:
    payment = Payment(
        SOURCE, secrets.token_hex(8), Kind.PAYMENT, amount, paid_at=AT, code=code
    )
    try:
        with writing(engine) as db:
            if db.dialect.name == "postgresql":
                run(db, f"SET LOCAL lock_timeout = {LOCK_MS}")
            paid = pay(db, KEYS, payment, channel=SOURCE, test=False, at=AT)
            met.wait(WAIT_SECONDS)
    except LedgerError:
        met.abort()
        return False
    except BrokenBarrierError:
        return False
    return paid.outcome is Outcome.MATCHED


_pending = schema.transfer.c
_OPEN = (
    select(schema.code.c.code, _pending.amount)
    .join(schema.transfer, _pending.event_id == schema.code.c.event_id)
    .where(~select(1).where(schema.resolution.c.pending_id == _pending.id).exists())
    .order_by(_pending.id)
    .limit(bindparam("rows"))
)
