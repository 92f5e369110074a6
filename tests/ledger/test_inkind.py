from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine, select

from ledger import inkind
from ledger.engine import reading, writing
from ledger.inkind import Received, ReceivedOutcome
from ledger.schema import event
from tests.ledger.books import CAMPAIGN, NOON, Books
from tests.ledger.test_payments import posted, standing, unsound

STOCK = f"I:Stock:{CAMPAIGN}:nowruz"
GIVEN = f"N:Donation:{CAMPAIGN}:nowruz:parcel"


def receive(
    engine: Engine, code: str, quantity: int, key: str = "hand:1", *, test: bool = False
) -> Received:
    with writing(engine) as db:
        return inkind.receive(
            db,
            key=key,
            code=code,
            quantity=quantity,
            by="mina",
            centre="ray",
            district="20",
            channel="desk",
            test=test,
            at=NOON,
        )


def test_goods_that_are_handed_in_are_in_stock(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge_id, code = books.pledge(amount=10, unit="parcel")
    first = receive(ledger_engine, code, 4)
    assert first.outcome is ReceivedOutcome.RECEIVED
    assert first.pledge == standing(ledger_engine, pledge_id)
    assert (first.pledge.state, first.pledge.outstanding) == ("part_paid", 6)
    receive(ledger_engine, code, 6, "hand:2")
    assert standing(ledger_engine, pledge_id).state == "paid"
    assert posted(ledger_engine) == {STOCK: 10, GIVEN: -10}
    with reading(ledger_engine) as db:
        row = db.execute(select(event).where(event.c.key == "hand:1")).one()
        assert unsound(db) == []
    assert (row.kind, row.about_id, row.transfers) == ("received", pledge_id, 2)
    assert (row.centre, row.district) == ("ray", "20")


def test_the_same_hand_over_is_recorded_once(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge_id, code = books.pledge(amount=10, unit="parcel")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: receive(ledger_engine, code, 4), range(8)))
    firsts = [one.recorded.first for one in found if one.recorded]
    assert sorted(firsts) == [False] * 7 + [True]
    assert standing(ledger_engine, pledge_id).paid == 4
    other = receive(ledger_engine, code, 5)
    assert other.recorded is not None
    assert other.recorded.differs == ("quantity",)
    assert posted(ledger_engine)[STOCK] == 4


def test_more_than_was_promised_is_not_taken_for_it(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    _, code = books.pledge(amount=10, unit="parcel")
    refused = receive(ledger_engine, code, 11)
    assert refused.outcome is ReceivedOutcome.MORE_THAN_PLEDGED
    assert posted(ledger_engine) == {}


def test_two_hand_overs_at_once_never_exceed_the_pledge(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge_id, code = books.pledge(amount=10, unit="parcel")
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda number: receive(ledger_engine, code, 4, f"hand:{number}"),
                range(6),
            )
        )
    assert standing(ledger_engine, pledge_id).paid == 8


def test_money_is_never_paid_by_our_own_word(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    _, code = books.pledge(amount=10)
    _, goods = books.pledge(amount=10, unit="parcel")
    assert receive(ledger_engine, code, 10).outcome is ReceivedOutcome.IS_MONEY
    assert receive(ledger_engine, goods, 1, test=True).outcome == "unknown"
    assert receive(ledger_engine, "123456782", 1).outcome == "unknown"
    assert posted(ledger_engine) == {}
