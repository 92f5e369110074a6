from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import Connection, Engine

from ledger import leases
from ledger.engine import writing
from tests.ledger.facts import AT


def take(db: Connection, holder: str, after_seconds: int = 0) -> bool:
    at = AT + timedelta(seconds=after_seconds)
    return leases.take(db, name="schedule", holder=holder, seconds=30, at=at)


def test_a_lease_has_one_holder_until_it_runs_out(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        assert take(db, "a")
        assert not take(db, "b", 29)
        assert take(db, "b", 30)
        assert not take(db, "a", 31)


def test_a_holder_renews_its_lease(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        assert take(db, "a")
        assert take(db, "a", 20)
        assert not take(db, "b", 40)
        assert take(db, "b", 50)


def test_a_lease_that_is_given_back_is_free_at_once(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        take(db, "a")
        leases.release(db, name="schedule", holder="b")
        assert not take(db, "b")
        leases.release(db, name="schedule", holder="a")
        assert take(db, "b")


def test_names_are_leased_apart(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        assert take(db, "a")
        assert leases.take(db, name="smpp", holder="b", seconds=30, at=AT)


def test_of_many_at_once_one_takes_it(ledger_engine: Engine) -> None:
    def run(holder: int) -> bool:
        with writing(ledger_engine) as db:
            return take(db, str(holder))

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(run, range(12))) == 1
