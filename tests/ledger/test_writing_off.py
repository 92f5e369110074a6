"""Pledges that nobody waits for any longer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine

from ledger import pledges
from ledger.engine import reading, writing
from ledger.expiring import expire
from ledger.pledges import Pledge
from ledger.requests import Refused
from ledger.writing_off import WrittenOff, write_off
from tests.ledger.books import NOON, Books
from tests.ledger.races import at_once

LATER = NOON + timedelta(days=1)


def _write_off(engine: Engine, code: str, key: str = "write-off:1") -> WrittenOff:
    with writing(engine) as db:
        return write_off(db, key=key, code=code, by="sara", at=LATER)


def _stands(engine: Engine, event_id: int) -> Pledge:
    with reading(engine) as db:
        found = pledges.pledge_by_id(db, event_id)
    assert found is not None
    return found


def test_what_is_open_is_given_up_and_what_was_paid_stays(ledger_engine: Engine):
    books = Books(ledger_engine)
    event_id, code = books.pledge(amount=750_000)
    books.pay(event_id, 250_000)
    done = _write_off(ledger_engine, code)
    assert done.amount == 500_000
    stands = _stands(ledger_engine, event_id)
    assert (stands.paid, stands.written_off, stands.voided) == (250_000, 500_000, 0)
    assert stands.state == "paid"


def test_a_pledge_of_which_nothing_came_is_written_off(ledger_engine: Engine):
    books = Books(ledger_engine)
    event_id, code = books.pledge()
    _write_off(ledger_engine, code)
    assert _stands(ledger_engine, event_id).state == "written_off"
    again = _write_off(ledger_engine, code)
    assert again.amount == 750_000
    with pytest.raises(Refused, match="written_off"):
        _write_off(ledger_engine, code, "write-off:2")


def test_a_closed_pledge_and_an_unknown_one_are_refused(ledger_engine: Engine):
    books = Books(ledger_engine)
    _, code = books.pledge()
    books.cancel(code)
    with pytest.raises(Refused, match="cancelled"):
        _write_off(ledger_engine, code)
    with pytest.raises(Refused, match="no pledge"):
        _write_off(ledger_engine, "123456782")


def test_a_write_off_and_an_expiry_at_once_close_a_pledge_once(
    ledger_engine: Engine, ledger_url: str
):
    books = Books(ledger_engine)
    event_id, code = books.pledge(amount=750_000)

    def give_up(db: Connection) -> object:
        return write_off(db, key="write-off:1", code=code, by="sara", at=LATER)

    def close(db: Connection) -> object:
        return expire(db, pledge_id=event_id, at=LATER)

    gave_up, closed = at_once(ledger_url, give_up, close)
    assert isinstance(gave_up, Refused) is (closed is not None)
    stands = _stands(ledger_engine, event_id)
    assert stands.written_off + stands.expired == 750_000
