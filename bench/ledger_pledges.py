"""Pledges recorded by several clients at once, beside the least that a database can do.

    python -m bench.ledger_pledges SIDE URL SECONDS CLIENTS    (one of the clients)

On PostgreSQL every client is a process. On SQLite they are threads of one process that
take turns by a lock, ours and the others alike: separate processes would sleep in
SQLite's own queue, and the queue would be measured.
"""

from __future__ import annotations

import json
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from datetime import UTC, datetime
from itertools import count
from threading import Lock
from typing import Any

from bench import running
from bench.ledger_books import CAMPAIGN, KEYS, PURPOSES
from bench.sides import spread
from ledger.engine import Engine, connect, writing
from ledger.pledges import record_pledge
from ledger.prepared import run

__all__ = ["CLIENTS", "beside_others", "by_size", "record_some"]

CLIENTS = 4
PLAIN_MIN = 0.5
HOT_MIN = 2.0
CHANGE_MAX = 0.15
WARM_UP = 20
PEOPLE = 1_000
AT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
AMOUNT = 500_000

# What a plain insert writes, and the ledger that keeps a balance beside its entries.
TABLES = {
    "postgresql": (
        "CREATE TABLE IF NOT EXISTS bench_plain (id bigserial PRIMARY KEY, key text NOT"
        " NULL UNIQUE, body json NOT NULL, person_id bigint NOT NULL, amount bigint NOT"
        " NULL, at timestamptz NOT NULL)",
        "CREATE TABLE IF NOT EXISTS bench_balance (id bigint PRIMARY KEY, amount bigint"
        " NOT NULL)",
    ),
    "sqlite": (
        "CREATE TABLE IF NOT EXISTS bench_plain (id INTEGER PRIMARY KEY, key TEXT NOT"
        " NULL UNIQUE, body TEXT NOT NULL, person_id INTEGER NOT NULL, amount INTEGER"
        " NOT NULL, at TEXT NOT NULL)",
        "CREATE TABLE IF NOT EXISTS bench_balance (id INTEGER PRIMARY KEY, amount"
        " INTEGER NOT NULL)",
    ),
}
FIRST_BALANCE = "INSERT INTO bench_balance VALUES (1, 0) ON CONFLICT DO NOTHING"
INSERT = "INSERT INTO bench_plain (key, body, person_id, amount, at) VALUES (%s)"
UPDATE = "UPDATE bench_balance SET amount = amount + %s WHERE id = 1"
BODY = json.dumps({"campaign": CAMPAIGN, "purpose": PURPOSES[0], "amount": AMOUNT})

Deed = Callable[[], object]


def beside_others(url: str, *, seconds: float, runs: int) -> None:
    """Record pledges in turns with plain inserts and a hot balance; print lines."""
    engine = connect(url, pool_size=1)
    with writing(engine) as db:
        for statement in (*TABLES[db.dialect.name], FIRST_BALANCE):
            run(db, statement)
    engine.dispose()
    rates: dict[str, list[float]] = {"ours": [], "plain": [], "hot": [], "our hot": []}
    for _ in range(runs):
        for side, measured in rates.items():
            measured.append(_rate(side, url, seconds))
    for side, measured in rates.items():
        print(f"{side:12}{spread(measured, '.0f'):>24}{_beside(rates, side):>24}")
    _under(_ratio(rates, "plain") < PLAIN_MIN, f"below {PLAIN_MIN} of plain inserts")
    _under(_ratio(rates, "hot") < HOT_MIN, f"below {HOT_MIN:.0f} times a hot balance")


def by_size(urls: Mapping[int, str], *, seconds: float, runs: int) -> None:
    """Record pledges in books of two sizes in turns; print a line of each."""
    rates: dict[int, list[float]] = {size: [] for size in urls}
    for _ in range(runs):
        for size, url in urls.items():
            rates[size].append(_rate("ours", url, seconds))
    for size, measured in rates.items():
        print(f"{size:>12,}{spread(measured, '.0f'):>24}")
    small, large = (statistics.median(measured) for measured in rates.values())
    print(f"{'':12}{large / small:>24.2f} of the small books' rate", flush=True)
    _under(large / small < 1 - CHANGE_MAX, f"more than {CHANGE_MAX:.0%} slower")


def record_some(engine: Engine, pledges: int) -> None:
    """Record so many pledges one by one, as a tail behind the last seal."""
    record = _recorder(engine, None, 1)
    for _ in range(pledges):
        record()


def _ratio(rates: Mapping[str, list[float]], side: str) -> float:
    ours = statistics.median(rates["ours"])
    return ours / statistics.median(rates[side])


def _beside(rates: Mapping[str, list[float]], side: str) -> str:
    if side == "ours":
        return ""
    pairs = zip(rates["ours"], rates[side], strict=True)
    return spread([ours / theirs for ours, theirs in pairs], ".2f")


def _rate(side: str, url: str, seconds: float) -> float:
    """How many a second all clients record together."""
    if url.startswith("sqlite"):
        with ExitStack() as stack:
            deeds = [stack.enter_context(_Client(side, url)) for _ in range(CLIENTS)]
            until = time.monotonic() + seconds
            with ThreadPoolExecutor(CLIENTS) as pool:
                done = sum(pool.map(lambda deed: _until(deed, until), deeds))
        return done / seconds
    # Each waits for a line before it begins, so that all have started by then.
    command = [sys.executable, "-m", "bench.ledger_pledges", side, url, str(seconds)]
    clients = [
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=running.ROOT,
        )
        for _ in range(CLIENTS)
    ]
    for client in clients:
        assert client.stdout is not None
        if client.stdout.readline() != "ready\n":
            sys.exit("a client did not start")
    for client in clients:
        assert client.stdin is not None
        client.stdin.write("go\n")
        client.stdin.flush()
    done = sum(int(client.communicate()[0]) for client in clients)
    return done / seconds


class _Client:
    """One client with a connection of its own, warmed up, from `with` on."""

    def __init__(self, side: str, url: str) -> None:
        self._side = side
        self._engine = connect(url, pool_size=2)
        self._held = self._engine.raw_connection()

    def __enter__(self) -> Deed:
        person_id = 1 + secrets.randbelow(PEOPLE)
        driver = self._held.driver_connection
        deed = SIDES[self._side](self._engine, driver, person_id)
        for _ in range(WARM_UP):
            deed()
        return deed

    def __exit__(self, *raised: object) -> None:
        self._held.close()
        self._engine.dispose()


def _recorder(engine: Engine, driver: Any, person_id: int) -> Deed:
    numbers = count()
    turn = _turn(engine)

    def record() -> None:
        with turn, writing(engine) as db:
            record_pledge(db, KEYS, **_asked(next(numbers), person_id))

    return record


def _our_hot(engine: Engine, driver: Any, person_id: int) -> Deed:
    """The same pledge with a balance beside it."""
    numbers = count()
    turn, update = _turn(engine), _with_marks(engine, UPDATE, 1)

    def record() -> None:
        with turn, writing(engine) as db:
            record_pledge(db, KEYS, **_asked(next(numbers), person_id))
            run(db, update, (AMOUNT,))

    return record


def _plain(engine: Engine, driver: Any, person_id: int) -> Deed:
    """One row, committed by itself."""
    turn = _turn(engine)
    insert = _with_marks(engine, INSERT, 5)

    def record() -> None:
        with turn:
            driver.execute(insert, _row(person_id))

    return record


def _hot(engine: Engine, driver: Any, person_id: int) -> Deed:
    """The least of a ledger that keeps a balance: an entry, and the row of all."""
    turn = _turn(engine)
    insert, update = _with_marks(engine, INSERT, 5), _with_marks(engine, UPDATE, 1)
    begin = "BEGIN IMMEDIATE" if engine.dialect.name == "sqlite" else "BEGIN"

    def record() -> None:
        with turn:
            driver.execute(begin)
            driver.execute(insert, _row(person_id))
            driver.execute(update, (AMOUNT,))
            driver.execute("COMMIT")

    return record


SIDES: Mapping[str, Callable[[Engine, Any, int], Deed]] = {
    "ours": _recorder,
    "plain": _plain,
    "hot": _hot,
    "our hot": _our_hot,
}


def _asked(number: int, person_id: int) -> dict[str, Any]:
    return {
        "key": f"at:ATUid_{secrets.token_hex(16)}:pledge",
        "person_id": person_id,
        "campaign": CAMPAIGN,
        "purpose": PURPOSES[number % len(PURPOSES)],
        "unit": "rial",
        "amount": AMOUNT,
        "channel": "at",
        "test": False,
        "at": AT,
    }


def _row(person_id: int) -> tuple[str | int, ...]:
    return secrets.token_hex(24), BODY, person_id, AMOUNT, AT.isoformat()


def _with_marks(engine: Engine, statement: str, values: int) -> str:
    mark = "?" if engine.dialect.name == "sqlite" else "%s"
    return statement % ", ".join([mark] * values)


_TURN = Lock()


def _turn(engine: Engine) -> Any:
    """Whose turn it is on SQLite; nobody waits for one on PostgreSQL."""
    return _TURN if engine.dialect.name == "sqlite" else nullcontext()


def _until(deed: Deed, until: float) -> int:
    done = 0
    while time.monotonic() < until:
        deed()
        done += 1
    return done


def _under(missed: bool, what: str) -> None:
    if missed:
        print(f"{'':12}MISSED: {what}", flush=True)


def main() -> None:
    side, url, seconds = sys.argv[1:]
    with _Client(side, url) as deed:
        print("ready", flush=True)
        sys.stdin.readline()
        print(_until(deed, time.monotonic() + float(seconds)))


if __name__ == "__main__":
    main()
