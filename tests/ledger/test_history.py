"""What happened to a pledge, in its order."""

from __future__ import annotations

from sqlalchemy import Engine

from ledger.engine import reading
from ledger.history import history
from tests.ledger.books import Books


def test_all_that_happened_to_a_pledge_is_told_with_its_amounts(ledger_engine: Engine):
    books = Books(ledger_engine)
    event_id, code = books.pledge(amount=750_000)
    other_id, _ = books.pledge(phone="+989351112233")
    books.pay(event_id, 250_000)
    books.pay(other_id, 750_000)
    books.agree_refund(event_id, 100_000)
    books.cancel(code)
    with reading(ledger_engine) as db:
        told = history(db, event_id)
    assert [(one.kind, one.amount, one.unit) for one in told] == [
        ("payment", 250_000, "rial"),
        ("refund", 100_000, "rial"),
        ("pledge.void", 500_000, "rial"),
    ]
    assert [one.at for one in told] == sorted(one.at for one in told)
