"""Attacks on the facts with a bare driver, as a mistake or a bad afternoon would."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, select

from ledger import pledges, schema
from ledger.engine import connect, reading, writing
from tests.ledger.facts import AT, caller, pledge

FACTS = ("unit", "account", "event", "transfer", "resolution", "code")
TABLES = [getattr(schema, name) for name in FACTS]
EVENT = (
    "INSERT{} INTO event (key, kind, body, channel, test, transfers, at)"
    " VALUES ('{}', 'pledge', '{{}}', 'at', {}, {}, '2026-11-22 00:00:00'){}"
)
TRANSFER = (
    "INSERT INTO transfer (event_id, number, debit_id, credit_id, unit, amount,"
    " phase, pending_id) VALUES ({}, {}, {}, {}, '{}', {}, '{}', {})"
)
CHANGED = {
    "unit": "title",
    "account": "unit",
    "event": "kind",
    "transfer": "amount",
    "resolution": "number",
    "code": "code",
}
CHANGES = ("UPDATE {table} SET {column} = {column}", "DELETE FROM {table}")
RESOLUTION = "INSERT INTO resolution (pending_id, number, transfer_id) VALUES {}"
CODE = "INSERT OR REPLACE INTO code VALUES ('{}', {})"
Refused = (sqlite3.Error, psycopg.Error)
Raw = Callable[[str], Any]


@pytest.fixture
def books(ledger_url: str) -> Iterator[Engine]:
    """A cancelled pledge (event 1, voided by event 2) and an open one (event 3)."""
    engine = connect(ledger_url)
    with writing(engine) as db:
        first = pledge(db, "at:1", person_id=caller(db))
        assert first.code is not None
        pledges.cancel_pledge(
            db,
            key="at:2",
            person_id=caller(db),
            code=first.code,
            channel="at",
            test=False,
            at=AT,
        )
        pledge(db, "at:3", person_id=caller(db))
    yield engine
    engine.dispose()


@contextmanager
def bare(engine: Engine) -> Iterator[Raw]:
    """A driver with its own defaults: no recursive triggers, no foreign keys."""
    if engine.dialect.name == "sqlite":
        lite = sqlite3.connect(str(engine.url.database), isolation_level=None)
        yield lambda statement: lite.execute(statement).fetchall()
        lite.close()
        return
    url = engine.url.set(drivername="postgresql")
    with psycopg.connect(
        url.render_as_string(hide_password=False), autocommit=True
    ) as full:
        yield lambda statement: full.execute(statement)


def contents(engine: Engine) -> list[object]:
    with reading(engine, snapshot=True) as db:
        return [db.execute(select(table)).all() for table in TABLES]


def false(engine: Engine) -> str:
    return "0" if engine.dialect.name == "sqlite" else "false"


@pytest.mark.parametrize("table", FACTS)
def test_a_fact_is_not_changed_or_deleted(books: Engine, table: str) -> None:
    before = contents(books)
    with bare(books) as run:
        for attack in CHANGES:
            with pytest.raises(Refused, match="fact"):
                run(attack.format(table=table, column=CHANGED[table]))
    assert contents(books) == before


@pytest.mark.parametrize("table", FACTS)
def test_facts_are_not_truncated(books: Engine, table: str) -> None:
    if books.dialect.name == "sqlite":
        assert contents(books)  # SQLite has no TRUNCATE: a DELETE, tried above, is it
        return
    before = contents(books)
    with bare(books) as run:
        for cascade in ("", " CASCADE"):
            with pytest.raises(psycopg.Error):
                run(f"TRUNCATE {table}{cascade}")
        run("SET session_replication_role = replica")
        with pytest.raises(psycopg.Error, match="fact"):
            run(CHANGES[1].format(table=table))
    assert contents(books) == before


REPLACEMENTS = (
    "unit (code, scale, title) SELECT code, 2, title FROM unit",
    "account (id, code, unit) SELECT id, code, 'minute' FROM account",
    "account (code, unit) SELECT code, 'minute' FROM account",
    "account (id, code, unit) SELECT id, 'A:Thief', unit FROM account",
    "event (id, key, kind, body, channel, test, transfers, at)"
    " SELECT id, key, 'gift', body, channel, test, transfers, at FROM event",
    "event (key, kind, body, channel, test, transfers, at)"
    " SELECT key, 'gift', body, channel, test, transfers, at FROM event",
    "transfer (id, event_id, number, debit_id, credit_id, unit, amount, phase)"
    " SELECT id, event_id, number, debit_id, credit_id, unit, 9, 'single'"
    " FROM transfer ORDER BY id DESC",
    "transfer (event_id, number, debit_id, credit_id, unit, amount, phase)"
    " SELECT event_id, number, debit_id, credit_id, unit, 9, 'single'"
    " FROM transfer ORDER BY id DESC",
    "resolution (pending_id, number, transfer_id)"
    " SELECT pending_id, number, 1 FROM resolution",
    "resolution (pending_id, number, transfer_id)"
    " SELECT pending_id, number + 1, transfer_id FROM resolution",
    "code (code, event_id) SELECT code, 2 FROM code",
    "code (code, event_id) SELECT '100000000', event_id FROM code",
)


@pytest.mark.parametrize("attack", REPLACEMENTS)
def test_facts_are_not_replaced(sqlite_ledger_url: str, attack: str) -> None:
    engine = connect(sqlite_ledger_url)
    with writing(engine) as db:
        person = caller(db)
        code = pledge(db, "at:1", person_id=person).code
        assert code is not None
        pledges.cancel_pledge(
            db,
            key="at:2",
            person_id=person,
            code=code,
            channel="at",
            test=False,
            at=AT,
        )
    before = contents(engine)
    # Some attacks are refused and some change nothing: only the books count.
    with bare(engine) as run, suppress(sqlite3.Error):
        run(f"INSERT OR REPLACE INTO {attack}")
    assert contents(engine) == before
    engine.dispose()


def test_a_row_with_another_key_does_not_take_the_place_of_an_id(
    sqlite_ledger_url: str,
) -> None:
    engine = connect(sqlite_ledger_url)
    with writing(engine) as db:
        code = pledge(db, "at:1").code
    before = contents(engine)
    with bare(engine) as run:
        for attack in (
            EVENT.format(" OR REPLACE", "new", 0, 1, "")
            .replace("(key", "(id, key")
            .replace("('new'", "(1, 'new'"),
            "INSERT OR REPLACE INTO account VALUES (1, 'A:Thief', 'rial')",
            CODE.format("100000000", 1),
            TRANSFER.format(1, 1, 1, 2, "rial", 9, "single", "NULL").replace(
                "INSERT", "INSERT OR REPLACE"
            ),
        ):
            with pytest.raises(sqlite3.Error, match="exists|has its code"):
                run(attack)
        run(CODE.format(code, 7))
    assert contents(engine) == before
    engine.dispose()


def test_a_known_key_leaves_the_first_event_and_returns_no_row(books: Engine) -> None:
    before = contents(books)
    with bare(books) as run:
        if books.dialect.name == "sqlite":
            for policy in (" OR REPLACE", " OR IGNORE", " OR ABORT"):
                assert run(EVENT.format(policy, "at:1", 0, 0, " RETURNING id")) == []
        else:
            with pytest.raises(psycopg.errors.UniqueViolation):
                run(EVENT.format("", "at:1", "false", 0, ""))
    assert contents(books) == before


def test_no_transfer_is_slipped_into_an_event_of_before(books: Engine) -> None:
    before = contents(books)
    with bare(books) as run:
        for event, number in ((1, 1), (1, 2), (3, 1), (3, 2), (3, 0), (99, 1)):
            with pytest.raises(Refused):
                run(TRANSFER.format(event, number, 1, 2, "rial", 5, "single", "NULL"))
    assert contents(books) == before


def test_an_event_gets_no_transfer_in_a_later_transaction(
    postgres_ledger_url: str,
) -> None:
    engine = connect(postgres_ledger_url)
    with writing(engine) as db:
        pledge(db)
    with bare(engine) as run:
        run(EVENT.format("", "empty", "false", 1, ""))
        with pytest.raises(psycopg.Error, match="enters only with the event"):
            run(TRANSFER.format(2, 1, 1, 2, "rial", 5, "single", "NULL"))
        run("BEGIN")
        run(EVENT.format("", "whole", "false", 1, ""))
        run(TRANSFER.format(3, 1, 1, 2, "rial", 5, "single", "NULL"))
        run("COMMIT")
    engine.dispose()


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ((1, 2, "rial", 0, "single", "NULL"), "amount"),
        ((1, 2, "rial", -5, "single", "NULL"), "amount"),
        ((1, 1, "rial", 5, "single", "NULL"), "accounts_differ"),
        ((1, 2, "minute", 5, "single", "NULL"), "unit of both"),
        ((1, 99, "rial", 5, "single", "NULL"), "unit of both"),
        ((99, 2, "rial", 5, "single", "NULL"), "unit of both"),
        ((1, 2, "gold", 5, "single", "NULL"), "unit of both"),
        ((1, 2, "rial", 5, "gift", "NULL"), "phase"),
        ((1, 2, "rial", 5, "post", "NULL"), "names_its_pending"),
        ((1, 2, "rial", 5, "single", "3"), "names_its_pending"),
        ((1, 2, "rial", 5, "post", "99"), "follows its pending"),
        ((1, 2, "rial", 5, "post", "2"), "follows its pending"),
        ((2, 1, "rial", 5, "post", "3"), "follows its pending"),
        ((1, 2, "rial", 1, "post", "1"), "more is resolved"),
        ((1, 2, "rial", 500_001, "void", "3"), "more is resolved"),
    ],
)
def test_a_transfer_that_makes_no_sense_is_refused(
    books: Engine, values: tuple[object, ...], why: str
) -> None:
    before = contents(books)
    with bare(books) as run:
        run("BEGIN")
        run(EVENT.format("", "new", false(books), 1, ""))
        event = _last_event(books, run)
        with pytest.raises(Refused, match=why):
            run(TRANSFER.format(event, 1, *values))
        run("ROLLBACK")
    assert contents(books) == before


def test_a_resolution_belongs_to_its_transfer_and_comes_in_order(
    books: Engine,
) -> None:
    before = contents(books)
    with bare(books) as run:
        for row in ("(1, 2, 2)", "(3, 1, 2)", "(1, 2, 1)", "(1, 1, 2)"):
            with pytest.raises(Refused):
                run(RESOLUTION.format(row))
    assert contents(books) == before


@pytest.mark.parametrize(("number", "fits"), [(1, True), (0, False), (2, False)])
def test_the_first_resolution_has_the_number_one(
    books: Engine, number: int, fits: bool
) -> None:
    with bare(books) as run:
        run("BEGIN")
        run(EVENT.format("", "new", false(books), 1, ""))
        event = _last_event(books, run)
        run(TRANSFER.format(event, 1, 1, 2, "rial", 5, "post", "3"))
        attack = RESOLUTION.format(f"(3, {number}, 4)")
        with nullcontext() if fits else pytest.raises(Refused, match="in order"):
            run(attack)
        run("ROLLBACK")


def _last_event(books: Engine, run: Raw) -> int:
    rows = run("SELECT max(id) FROM event")
    row = rows[0] if books.dialect.name == "sqlite" else rows.fetchone()
    last: int = row[0]
    return last
