"""Pledges recorded by several clients at once, beside the least that a database can do.

    python -m bench.ledger_pledges SIDE URL    (one of the clients)

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
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
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
    with ExitStack() as stack:
        sides = {side: _Side(side, url, stack) for side in SIDES}
        for _ in range(runs):
            for side in sides.values():
                side.run(seconds)
    rates = {name: side.rates for name, side in sides.items()}
    for name, measured in rates.items():
        print(f"{name:12}{spread(measured, '.0f'):>24}{_beside(rates, name):>24}")
    _under(_ratio(rates, "plain") < PLAIN_MIN, f"below {PLAIN_MIN} of plain inserts")
    _under(_ratio(rates, "hot") < HOT_MIN, f"below {HOT_MIN:.0f} times a hot balance")


def by_size(urls: Mapping[int, str], *, seconds: float, runs: int) -> None:
    """Record pledges in books of two sizes in turns; print a line of each."""
    with ExitStack() as stack:
        sides = {size: _Side("ours", url, stack) for size, url in urls.items()}
        for _ in range(runs):
            for side in sides.values():
                side.run(seconds)
    for size, side in sides.items():
        print(f"{size:>12,}{spread(side.rates, '.0f'):>24}")
    small, large = (statistics.median(side.rates) for side in sides.values())
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


class _Side:
    """The clients of one side; its rates over the runs."""

    def __init__(self, side: str, url: str, stack: ExitStack) -> None:
        self.rates: list[float] = []
        self._deeds: list[Deed] = []
        self._processes: list[subprocess.Popen[str]] = []
        if url.startswith("sqlite"):
            deed = stack.enter_context(_Client(side, url))
            self._deeds = [deed] * CLIENTS
            return
        for _ in range(CLIENTS):
            self._processes.append(stack.enter_context(_process(side, url)))
        for process in self._processes:
            if _line(process) != "ready":
                sys.exit("a client did not start")

    def run(self, seconds: float) -> None:
        """Have all clients record for so long."""
        if self._deeds:
            until = time.monotonic() + seconds
            with ThreadPoolExecutor(CLIENTS) as pool:
                done = sum(pool.map(lambda deed: _until(deed, until), self._deeds))
        else:
            for process in self._processes:
                assert process.stdin is not None
                process.stdin.write(f"{seconds}\n")
                process.stdin.flush()
            done = sum(int(_line(process)) for process in self._processes)
        self.rates.append(done / seconds)


@contextmanager
def _process(side: str, url: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.ledger_pledges", side, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=running.ROOT,
    )
    try:
        yield process
    finally:
        process.communicate()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


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
    side, url = sys.argv[1:]
    with _Client(side, url) as deed:
        print("ready", flush=True)
        for seconds in sys.stdin:
            print(_until(deed, time.monotonic() + float(seconds)), flush=True)


if __name__ == "__main__":
    main()
