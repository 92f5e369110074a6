from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from sqlalchemy import Engine, func, select

from ledger import gifts, people
from ledger.engine import reading, writing
from ledger.payments import Kind, Outcome, Paid, Payment
from ledger.schema import event, payment, person
from phone.codes import is_code
from tests.ledger.books import CAMPAIGN, KEYS, NOON
from tests.ledger.test_payments import OTHER_PHONE, PHONE, posted, unsound

TOLD = Payment("shop", "s1/t2/r3", Kind.PAYMENT, 100, NOON, phone=PHONE)


def give(engine: Engine, told: Payment = TOLD, purpose: str = "nowruz") -> Paid:
    with writing(engine) as db:
        return gifts.give_at_till(
            db,
            KEYS,
            told,
            campaign=CAMPAIGN,
            purpose=purpose,
            channel="shop",
            partner="corner-shop",
            test=False,
            at=NOON,
        )


def test_a_gift_at_a_till_has_a_code_and_a_giver(ledger_engine: Engine) -> None:
    given = give(ledger_engine)
    assert (given.outcome, given.matched, given.unmatched) == (Outcome.GIFT, 100, 0)
    assert is_code(given.code or "")
    assert posted(ledger_engine) == {
        "A:Settle:shop": 100,
        f"N:Donation:{CAMPAIGN}:nowruz": -100,
    }
    with reading(ledger_engine) as db:
        row = db.execute(select(event)).one()
        kept = db.execute(select(payment)).one()
        assert people.phones_of(db, KEYS, person_ids=[row.person_id]) == {
            given.person_id: PHONE
        }
        found = gifts.gift_by_code(db, given.code or "")
        assert unsound(db) == []
    assert (row.kind, row.partner, row.campaign) == ("gift", "corner-shop", CAMPAIGN)
    assert PHONE not in str(row.body)
    assert (kept.unmatched, kept.next_at, kept.amount) == (0, None, 100)
    assert found is not None
    assert (found.event_id, found.purpose) == (given.event_id, "nowruz")


def test_a_gift_without_a_phone_is_nobodys(ledger_engine: Engine) -> None:
    given = give(ledger_engine, replace(TOLD, phone=None))
    assert given.person_id is None
    assert given.code is not None
    with reading(ledger_engine) as db:
        assert db.scalar(select(func.count()).select_from(person)) == 0


def test_a_till_that_tries_again_is_told_the_same(ledger_engine: Engine) -> None:
    first = give(ledger_engine)
    assert give(ledger_engine) == replace(first, first=False)
    assert give(ledger_engine, replace(TOLD, amount=99)).differs == ("amount",)
    other = replace(TOLD, phone=OTHER_PHONE)
    assert give(ledger_engine, other).differs == ("phone",)
    assert give(ledger_engine, purpose="coats").differs == ("purpose",)
    assert posted(ledger_engine)["A:Settle:shop"] == 100
    with reading(ledger_engine) as db:
        assert db.scalar(select(func.count()).select_from(person)) == 1


def test_tills_at_once_record_a_gift_once(ledger_engine: Engine) -> None:
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: give(ledger_engine), range(18)))
    assert sum(one.first for one in found) == 1
    assert len({(one.event_id, one.code, one.person_id) for one in found}) == 1


def test_no_pledge_is_a_gift(ledger_engine: Engine) -> None:
    with reading(ledger_engine) as db:
        assert gifts.gift_by_code(db, "123456782") is None
