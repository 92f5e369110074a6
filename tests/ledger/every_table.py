"""Something in every table that is exported, of one day."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, text

from ledger.assemblies.premises import Side
from ledger.engine import writing
from tests.ledger.assemblies.registers import Registers
from tests.ledger.books import CAMPAIGN, NOON, Books
from tests.ledger.helping import need
from tests.ledger.timebank.bank import Bank

__all__ = ["OTHER", "filled"]

OTHER = "+989351112233"


def filled(engine: Engine) -> Books:
    """Fill every table that is exported with at least one row."""
    books = Books(engine)
    pledge, _ = books.pledge(amount=100)
    books.promise(pledge, "delivered")
    with writing(engine) as db:
        db.execute(text("UPDATE outbox SET campaign = :name"), {"name": CAMPAIGN})
    books.pay(pledge, 40)
    books.pay(None, 30)
    books.give(70, OTHER)
    books.sign_up(OTHER)
    books.ask_delivery(OTHER)
    books.at = NOON + timedelta(hours=1)
    with writing(engine) as db:
        assembly = Registers(db)
        assembly.join(OTHER)
        assembly.decide()
        assembly.plan()
        assembly.room(Side.OFFER, OTHER)
        need(db, place="23-t11")
    Bank(engine).told()
    return books
