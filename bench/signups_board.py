"""The board over millions of facts, and places that are looked up in memory."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection, NullPool, create_engine, insert

from bench.ledger_books import BEGAN, MOMENT, SERIES, unguarded
from bench.sides import spread
from bench.signups_made import KEYS, fresh
from gateway.placing import shipped
from ledger import schema, tallies
from ledger.board import board, total
from ledger.engine import connect, reading
from ledger.places.kinds import Kind
from ledger.places.tree import Tree
from ledger.prepared import run
from ledger.vault import look_up

__all__ = ["look_places_up", "show"]

BOARD_MS_MAX = 300.0
BOARDS = 20
LOOK_UPS = 100_000
NOW = datetime(2027, 11, 22, 8, 30, tzinfo=UTC)
# As many as there were one winter; a fifth of the facts are theirs at the most.
SIGNED_UP = 300_000
KINDS = 5
SECONDS_BETWEEN = 10
# The first events are the places, which were brought in.
FIRST = 11
CHUNK_ROWS = 10_000

# Pledges, hours that were given, deliveries that came and sign-ups, in all districts.
_FACTS = (
    "INSERT INTO event (id, key, kind, body, person_id, campaign, district, channel,"
    " test, transfers, at) SELECT n, 'board:' || n, CASE n % 5 WHEN 1 THEN"
    " 'hours.confirmed' WHEN 2 THEN 'delivery.done' WHEN 3 THEN 'signup' ELSE 'pledge'"
    " END, '{{}}', 1 + n / 5 % {people}, 'spring', '23-t' || (1 + n % 22), 'at', false,"
    " CASE WHEN n % 5 IN (2, 3) THEN 0 ELSE 1 END, {at} FROM ({series}) AS s",
    "INSERT INTO transfer (id, event_id, number, debit_id, credit_id, unit, amount,"
    " phase) SELECT n, n, 1, 1, 2, CASE n % 5 WHEN 1 THEN 'minute' ELSE 'rial' END,"
    " 60 * (1 + n % 8), 'single' FROM ({series}) AS s WHERE n % 5 NOT IN (2, 3)",
    "INSERT INTO signup (event_id, person_id, campaign, place_kind, skill, time,"
    " consent, test, place_code) SELECT n, n / 5 - 1, 'spring', 'town', 'teaching',"
    " 'when-needed', 'm', false, '23-t' || (1 + n % 22) FROM ({series}) AS s"
    " WHERE n % 5 = 3 AND n / 5 <= {people} + 1",
)


def show(url: str, facts: int) -> None:
    """Fill fresh books with so many facts, count them, and show the board; lines."""
    began = time.perf_counter()
    people = min(SIGNED_UP, facts // KINDS)
    _fill(url, facts, people)
    print(f"({facts:,} facts made in {time.perf_counter() - began:.0f} s)", flush=True)
    engine = connect(url, pool_size=2)
    began, runs = time.perf_counter(), 0
    while tallies.count_run(engine, NOW):
        runs += 1
    spent = time.perf_counter() - began
    print(f"{'counted':12}{runs:>12,} runs in {spent:.1f} s, once")
    took = []
    for _ in range(BOARDS):
        began = time.perf_counter()
        with reading(engine, snapshot=True) as db:
            rows = board(db, within="23-tehran", today=NOW.date(), at=NOW)
        took.append((time.perf_counter() - began) * 1000)
    engine.dispose()
    sums = total(rows)
    print(f"{'board':12}{spread(took, '.0f'):>24} ms, {people:,} volunteers in it")
    hours = sum(1 + n % 8 for n in range(FIRST, FIRST + facts, KINDS))
    if sums["minutes_given"] != 60 * hours or sums["volunteers"] != people:
        print(f"{'':12}MISSED: the board is wrong: {sums}")
    if statistics.median(took) > BOARD_MS_MAX:
        print(f"{'':12}MISSED: more than {BOARD_MS_MAX:.0f} ms", flush=True)


def look_places_up() -> None:
    """Find places by what callers type, in the tree in memory; print a line of each."""
    places = shipped()
    began = time.perf_counter()
    tree = Tree(places)
    spent = (time.perf_counter() - began) * 1000
    print(f"{'tree':12}{len(places):>12,} places read into memory in {spent:.1f} ms")
    dials = [one.dial for one in places if one.kind == Kind.CENTRE and one.dial]
    towns = [one.titles["fa"] for one in places if one.kind == Kind.TOWN]
    ways: dict[str, tuple[Callable[[str], object], list[str]]] = {
        "by dial": (tree.by_dial, dials),
        "mistyped": (tree.by_dial, [dial[:-1] + _other(dial[-1]) for dial in dials]),
        "by name": (tree.by_name, towns),
        "chain": (tree.chain, [one.code for one in places]),
    }
    for name, (find, typed) in ways.items():
        began = time.perf_counter()
        for n in range(LOOK_UPS):
            find(typed[n % len(typed)])
        rate = LOOK_UPS / (time.perf_counter() - began)
        print(f"{name:12}{rate:>12,.0f} a second", flush=True)


def _other(digit: str) -> str:
    return str((int(digit) + 1) % 10)


def _fill(url: str, facts: int, people: int) -> None:
    fresh(url)
    address = url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(address, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as db:
        is_sqlite = db.dialect.name == "sqlite"
        with unguarded(db):
            _people(db, people)
            chosen = {
                "series": SERIES[db.dialect.name].format(
                    first=FIRST, last=FIRST + facts - 1
                ),
                "at": MOMENT[db.dialect.name].format(
                    began=int(BEGAN.timestamp()), step=SECONDS_BETWEEN
                ),
                "people": people,
            }
            for statement in _FACTS:
                said = statement.format(**chosen)
                # Only psycopg takes a percent sign for the place of a value.
                run(db, said if is_sqlite else said.replace("%", "%%"))
        run(db, "ANALYZE" if is_sqlite else "VACUUM (ANALYZE)")
    engine.dispose()


def _people(db: Connection, people: int) -> None:
    db.execute(
        insert(schema.account),
        [{"id": 1, "code": "T:bench:a", "unit": "minute"}]
        + [{"id": 2, "code": "T:bench:b", "unit": "minute"}],
    )
    for first in range(1, people + 1, CHUNK_ROWS):
        numbers = range(first, min(first + CHUNK_ROWS, people + 1))
        rows = [
            {"id": n, "look_up": look_up(KEYS, f"+98910{n:07}"), "since": BEGAN}
            for n in numbers
        ]
        db.execute(insert(schema.person), rows)
