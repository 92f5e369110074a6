"""Rows beside facts that were changed, lost or spoilt by hand are named."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from ledger import requests
from ledger.engine import reading, writing
from ledger.verify import Verdict, verify
from tests.ledger.books import NOON, Books, unguarded


def kept(engine: Engine) -> Books:
    books = Books(engine)
    pledge, code = books.pledge(amount=100)
    books.pay(pledge, 60, "order-1")
    books.sign_up()
    with writing(engine) as db:
        for number in (1, 2):
            made = requests.make(
                db,
                kind="refund",
                body={"amount": number},
                about_id=pledge,
                why="paid twice",
                by="sara",
                needs=3,
                at=NOON + timedelta(seconds=number),
            )
            requests.approve(db, made.id, by="reza", at=NOON)
    return books


def audited(engine: Engine) -> Verdict:
    with reading(engine, snapshot=True) as db:
        return verify(db)


def named(verdict: Verdict) -> set[str]:
    return {fault.table for fault in verdict.faults}


CHANGES = [
    ("payment", "UPDATE payment SET source = 'pst'"),
    ("payment", "UPDATE payment SET outside_id = 'another'"),
    ("payment", "UPDATE payment SET reference = 'order-2'"),
    ("payment", "UPDATE payment SET code = NULL"),
    ("payment", "UPDATE payment SET amount = amount + 1"),
    ("request", "UPDATE request SET why = 'paid thrice' WHERE id = 1"),
    ("request", "UPDATE request SET made_by = 'mina' WHERE id = 1"),
    ("request", "UPDATE request SET kind = 'write_off' WHERE id = 1"),
    ("request", "UPDATE request SET needs = 2 WHERE id = 1"),
    ("request", "UPDATE request SET about_id = NULL WHERE id = 1"),
    ("request", "UPDATE request SET state = 'refused' WHERE id = 1"),
    ("request", """UPDATE request SET body = '{"amount": 900}' WHERE id = 1"""),
    ("request_approval", "UPDATE request_approval SET who = 'mina'"),
    ("event", "DELETE FROM request_approval WHERE request_id = 1"),
    ("event", "DELETE FROM request WHERE id = 2"),
    ("signup", "UPDATE signup SET skill = 'another'"),
    ("signup", "UPDATE signup SET place = NULL"),
    ("unit", "UPDATE unit SET scale = 1 WHERE code = 'rial'"),
    ("event", "UPDATE event SET body = '[]' WHERE kind = 'pledge'"),
    ("event", "UPDATE event SET body = '1' WHERE kind = 'payment'"),
    (
        "request",
        """UPDATE event SET body = '{"needs": "x"}' WHERE kind = 'request.made'""",
    ),
]


@pytest.mark.parametrize(("table", "change"), CHANGES)
def test_a_record_that_was_changed_is_named(
    ledger_engine: Engine, table: str, change: str
) -> None:
    kept(ledger_engine)
    assert audited(ledger_engine).is_sound
    with unguarded(ledger_engine) as db:
        assert db.execute(text(change)).rowcount
    assert table in named(audited(ledger_engine)), change


ILLEGIBLE = [
    ("event", "UPDATE event SET at = 'noon' WHERE kind = 'pledge'"),
    ("event", "UPDATE event SET body = '{' WHERE kind = 'pledge'"),
    ("event", "UPDATE event SET body = x'ff' WHERE kind = 'pledge'"),
    ("transfer", "UPDATE transfer SET amount = 'much' WHERE id = 1"),
    ("payment", "UPDATE payment SET paid_at = '2026-11-22'"),
    ("code", "UPDATE code SET code = x'c0ff' WHERE event_id = 1"),
    ("unit", "UPDATE unit SET scale = 'x' WHERE code = 'voucher'"),
]


@pytest.mark.parametrize(("table", "change"), ILLEGIBLE)
def test_what_cannot_be_read_is_named_and_stops_nothing(
    sqlite_ledger_url: str, table: str, change: str
) -> None:
    from ledger.engine import connect

    engine = connect(sqlite_ledger_url)
    kept(engine)
    with unguarded(engine) as db:
        assert db.execute(text(change)).rowcount
    assert table in named(audited(engine)), change
    engine.dispose()


def test_a_time_that_no_calendar_holds_is_named(postgres_ledger_url: str) -> None:
    from ledger.engine import connect

    engine = connect(postgres_ledger_url)
    kept(engine)
    with unguarded(engine) as db:
        db.execute(text("UPDATE event SET at = 'infinity' WHERE kind = 'pledge'"))
    assert "event" in named(audited(engine))
    engine.dispose()
