from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from ledger import chart, payments
from ledger.engine import reading, writing
from ledger.events import Moved
from ledger.verify import verify
from tests.ledger.books import CAMPAIGN, Books, unguarded
from tests.ledger.test_payments import PHONE


def kept(engine: Engine) -> dict[str, int]:
    """Books in which money came, was matched, given, handed back; some numbers."""
    books = Books(engine)
    paid, code = books.pledge(amount=100)
    rehearsed, _ = books.pledge(amount=100, test=True)
    books.pledge(amount=5, unit="parcel")
    first = books.pay(paid, 60)
    lost = books.pay(None, 70, phone=PHONE)
    gift = books.give(40)
    assert lost.event_id is not None
    with writing(engine) as db:
        match = payments.match(
            db,
            payment_id=lost.event_id,
            code=code,
            by="mina",
            why="the donor called",
            at=books.at,
        )
    books.agree_refund(paid, 10)
    agreed = books.give_back(10, code=code)
    books.give_back(1_000, code="123456782")
    numbers = {
        "paid": paid,
        "rehearsed": rehearsed,
        "payment": first.event_id,
        "lost": lost.event_id,
        "gift": gift.event_id,
        "match": match.event_id,
        "agreed": agreed.event_id,
    }
    return {name: number for name, number in numbers.items() if number}


def faults(engine: Engine) -> list[tuple[str, str, str]]:
    with reading(engine, snapshot=True) as db:
        found = verify(db).faults
    return [(fault.table, fault.id, fault.what) for fault in found]


def test_money_kept_by_the_service_is_sound(ledger_engine: Engine) -> None:
    kept(ledger_engine)
    assert faults(ledger_engine) == []


@pytest.mark.parametrize(
    ("change", "table", "named", "what"),
    [
        (
            "UPDATE payment SET unmatched = unmatched + 1 WHERE event_id = :lost",
            "payment",
            "lost",
            "has another amount in suspense than its transfers left there",
        ),
        (
            "UPDATE payment SET amount = amount + 1 WHERE event_id = :lost",
            "payment",
            "lost",
            "is of another amount than its transfers brought",
        ),
        (
            "UPDATE payment SET event_id = :paid WHERE event_id = :payment",
            "payment",
            "paid",
            "belongs to an event that is no payment",
        ),
        (
            "DELETE FROM payment WHERE event_id = :gift",
            "event",
            "gift",
            "is a payment without its row",
        ),
        (
            "UPDATE payment SET source = 'bank' WHERE event_id = :payment",
            "event",
            "payment",
            "is a payment that does not begin with all of it in suspense",
        ),
        (
            "UPDATE transfer SET amount = 59 WHERE event_id = :payment AND number = 2",
            "event",
            "payment",
            "pays another amount than was taken for it",
        ),
        (
            "UPDATE transfer SET amount = 101"
            " WHERE event_id = (SELECT max(id) FROM event WHERE kind = 'refund'"
            " AND about_id = :paid)",
            "event",
            "paid",
            "gave back more than was paid",
        ),
        (
            "UPDATE transfer SET amount = 11 WHERE event_id = :agreed",
            "event",
            "paid",
            "was paid back more than was agreed",
        ),
        (
            "UPDATE event SET about_id = :rehearsed WHERE id = :match",
            "event",
            "match",
            "moves something of a rehearsal for what is real, or the other way round",
        ),
        (
            'UPDATE event SET body = \'{"payment": "x"}\' WHERE id = :match',
            "payment",
            "lost",
            "has another amount in suspense than its transfers left there",
        ),
    ],
)
def test_a_row_that_was_changed_by_hand_is_named(
    ledger_engine: Engine, change: str, table: str, named: str, what: str
) -> None:
    numbers = kept(ledger_engine)
    with unguarded(ledger_engine) as db:
        assert db.execute(text(change), numbers).rowcount == 1
    assert (table, str(numbers[named]), what) in faults(ledger_engine)


def test_what_went_back_and_nobody_knows_why_is_no_fault(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    books.move(
        Moved(chart.suspense("psp"), chart.settle("psp"), "rial", 5, "single"),
        kind="reversal",
        campaign=CAMPAIGN,
    )
    assert faults(ledger_engine) == []
