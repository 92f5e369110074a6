"""Fill an empty ledger with pledges, a quarter of them paid, as fast as it goes.

    python -m bench.ledger_books URL PLEDGES

The rows are those that the ledger itself would have written, in blocks of four pledges
and the payment of the last of them. The guards hold bulk out, so they are aside while
it runs; `verify` says afterwards that what came in is what they would have let in.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine, func, insert, select, text

from bench import running
from ledger import chart, migrate, schema
from ledger.engine import connect, reading
from ledger.prepared import pour, run
from ledger.vault import Keys, look_up, seal_phone
from phone import codes

__all__ = [
    "BEGAN",
    "CAMPAIGN",
    "KEYS",
    "MOMENT",
    "PURPOSES",
    "SERIES",
    "SOURCE",
    "fill",
    "pledges_in",
    "unguarded",
]

KEYS = Keys(vault=b"v" * 32, index=b"i" * 32, code=b"c" * 32)
BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
SECONDS_BETWEEN = 10
CAMPAIGN = "spring"
PURPOSES = ("parcels", "books", "water")
SOURCE = "psp"
BLOCK = 4
PLEDGES_A_PERSON = 10
CHUNK_ROWS = 5_000

SERIES = {
    "postgresql": "SELECT n FROM generate_series({first}, {last}) AS s(n)",
    "sqlite": "WITH RECURSIVE s(n) AS (SELECT {first} UNION ALL"
    " SELECT n + 1 FROM s WHERE n < {last}) SELECT n FROM s",
}
MOMENT = {
    "postgresql": "to_timestamp({began} + {step} * n)",
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S', {began} + {step} * n, 'unixepoch')"
    " || '.000000'",
}
_JSON = {"postgresql": "json", "sqlite": "TEXT"}
_NAMED = {
    "campaign": CAMPAIGN,
    "source": SOURCE,
    "amount": "(20000 * (1 + n % 500))",
    "purpose": "(CASE n % 3 WHEN 0 THEN 'parcels' WHEN 1 THEN 'books'"
    " ELSE 'water' END)",
    "event": "5 * ((n - 1) / 4) + (n - 1) % 4 + 1",
    "transfer": "7 * ((n - 1) / 4) + (n - 1) % 4 + 1",
    # The accounts in the order of their ids: see `_accounts`.
    "receivable": "1",
    "donation": "2 + n % 3",
    "settle": "5",
    "suspense": "6",
    "columns": "id, key, kind, body, about_id, person_id, campaign, purpose, channel,"
    " test, transfers, at",
    "moved": "id, event_id, number, debit_id, credit_id, unit, amount, phase,"
    " pending_id",
}
_PLEDGES = (
    "INSERT INTO event ({columns}) SELECT {event}, 'pledge:' || n, 'pledge',"
    ' CAST(\'{{"campaign": "{campaign}", "purpose": "\' || {purpose} ||'
    ' \'", "unit": "rial", "amount": \' || {amount} || \'}}\' AS {json}),'
    " NULL, 1 + n % {persons}, '{campaign}', {purpose}, 'at', false, 1, {at}"
    " FROM ({series}) AS s",
    "INSERT INTO transfer ({moved}) SELECT {transfer}, {event}, 1, {receivable},"
    " {donation}, 'rial', {amount}, 'pending', NULL FROM ({series}) AS s",
)
# Of every fourth pledge, whose number is n: its payment and what that moved.
_PAYMENTS = (
    "INSERT INTO event ({columns}) SELECT 1 + {event},"
    " 'pay:{source}:payment:R' || n, 'payment',"
    " CAST('{{\"amount\": ' || {amount} || '}}' AS {json}), {event},"
    " 1 + n % {persons}, '{campaign}', {purpose}, '{source}', false, 3, {at}"
    " FROM ({series}) AS s WHERE n % 4 = 0",
    "INSERT INTO transfer ({moved}) SELECT {transfer} + 1, {event} + 1, 1,"
    " {settle}, {suspense}, 'rial', {amount}, 'single', NULL"
    " FROM ({series}) AS s WHERE n % 4 = 0",
    "INSERT INTO transfer ({moved}) SELECT {transfer} + 2, {event} + 1, 2,"
    " {receivable}, {donation}, 'rial', {amount}, 'post', {transfer}"
    " FROM ({series}) AS s WHERE n % 4 = 0",
    "INSERT INTO transfer ({moved}) SELECT {transfer} + 3, {event} + 1, 3,"
    " {suspense}, {receivable}, 'rial', {amount}, 'single', NULL"
    " FROM ({series}) AS s WHERE n % 4 = 0",
    "INSERT INTO resolution (pending_id, number, transfer_id)"
    " SELECT {transfer}, 1, {transfer} + 2 FROM ({series}) AS s WHERE n % 4 = 0",
    "INSERT INTO payment (event_id, source, outside_id, amount, paid_at, unmatched)"
    " SELECT {event} + 1, '{source}', 'R' || n, {amount}, {at}, 0"
    " FROM ({series}) AS s WHERE n % 4 = 0",
)


def fill(url: str, pledges: int) -> None:
    """Have a process of its own fill the database at `url`, which may be new."""
    running.run("bench.ledger_books", url, str(pledges), told={})


def pledges_in(url: str) -> int:
    """How many pledges a ledger has; 0 if it was never made."""
    engine = connect(url, pool_size=1)
    try:
        if not migrate.is_current(engine):
            return 0
        with reading(engine) as db:
            query = select(func.count()).where(schema.event.c.kind == "pledge")
            return db.scalar(query) or 0
    finally:
        engine.dispose()


def main() -> None:
    url, pledges = sys.argv[1], int(sys.argv[2])
    assert pledges % BLOCK == 0, "pledges come in fours"
    migrate.upgrade(url)
    address = url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(address, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as db, unguarded(db):
        _fill(db, pledges)
    with engine.connect() as db:
        if db.dialect.name == "postgresql":
            for name in ("person", "account", "event", "transfer"):
                last = f"SELECT setval('{name}_id_seq', max(id)) FROM {name}"  # noqa: S608
                run(db, last)
            run(db, "VACUUM (ANALYZE)")
            run(db, "CHECKPOINT")
        else:
            run(db, "ANALYZE")
            run(db, "PRAGMA wal_checkpoint(TRUNCATE)")


def _fill(db: Connection, pledges: int) -> None:
    name = db.dialect.name
    persons = max(pledges // PLEDGES_A_PERSON, 1)
    _accounts(db)
    for first in range(1, persons + 1, CHUNK_ROWS):
        _people(db, range(first, min(first + CHUNK_ROWS, persons + 1)))
    chosen = {
        "series": SERIES[name].format(first=1, last=pledges),
        "at": MOMENT[name].format(began=int(BEGAN.timestamp()), step=SECONDS_BETWEEN),
        "json": _JSON[name],
        "persons": persons,
    }
    for statement in (*_PLEDGES, *_PAYMENTS):
        said = statement.format(**_NAMED, **chosen)
        # Only psycopg takes a percent sign for the place of a value.
        run(db, said.replace("%", "%%") if name == "postgresql" else said)
    types = {"code": "varchar", "event_id": "int8"}
    # In the order of the codes: an index is then written once, from end to end.
    pour(db, schema.code, types, sorted(_codes(pledges)))


def _accounts(db: Connection) -> None:
    named = [chart.receivable(CAMPAIGN)]
    named += [chart.donation(CAMPAIGN, purpose) for purpose in PURPOSES]
    named += [chart.settle(SOURCE), chart.suspense(SOURCE)]
    rows = [
        {"id": id, "code": code, "unit": "rial"}
        for id, code in enumerate(named, start=1)
    ]
    db.execute(insert(schema.account), rows)


def _people(db: Connection, numbers: range) -> None:
    people: list[dict[str, Any]] = []
    vaults: list[dict[str, Any]] = []
    for n in numbers:
        phone = f"+98912{n:07}"
        sealed = seal_phone(KEYS, n, phone)
        people.append({"id": n, "look_up": look_up(KEYS, phone), "since": BEGAN})
        vaults.append(
            {"person_id": n, "wrapped_key": sealed.wrapped_key, "phone": sealed.phone}
        )
    db.execute(insert(schema.person), people)
    db.execute(insert(schema.vault), vaults)


def _codes(pledges: int) -> Iterator[tuple[str, int]]:
    # The cipher's rounds have a hundred thousand inputs in all, and it asks for them
    # ten times for each code.
    vars(codes)["_scrambled"] = cache(codes._scrambled)
    for n in range(pledges):
        event_id = 5 * (n // BLOCK) + n % BLOCK + 1
        yield codes.code_of(event_id, KEYS.code), event_id


@contextmanager
def unguarded(db: Connection) -> Iterator[None]:
    """One transaction without triggers and foreign keys, which are there after it."""
    if db.dialect.name == "postgresql":
        run(db, "BEGIN")
        run(db, "SET LOCAL session_replication_role = replica")
        run(db, "SET LOCAL synchronous_commit = off")
        yield
        run(db, "COMMIT")
        return
    for pragma in ("journal_mode = WAL", "cache_size = -1000000", "foreign_keys = OFF"):
        run(db, f"PRAGMA {pragma}")
    run(db, "BEGIN IMMEDIATE")
    query = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    triggers = db.execute(query).all()
    for name, _ in triggers:
        run(db, f'DROP TRIGGER "{name}"')
    yield
    for _, statement in triggers:
        run(db, statement)
    run(db, "COMMIT")


if __name__ == "__main__":
    main()
