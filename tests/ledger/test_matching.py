from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from ledger import gifts, payments
from ledger.engine import reading, writing
from ledger.payments import Kind, Outcome, Paid
from ledger.schema import event, payment
from tests.ledger.books import CAMPAIGN, KEYS, Books
from tests.ledger.test_payments import (
    OTHER_PHONE,
    PHONE,
    posted,
    standing,
    unsound,
)

NOBODYS = "123456782"


def by_hand(
    engine: Engine, payment_id: int | None, code: str, amount: int | None = None
) -> Paid:
    assert payment_id is not None
    with writing(engine) as db:
        return payments.match(
            db,
            payment_id=payment_id,
            code=code,
            amount=amount,
            by="mina",
            why="the donor called",
            at=Books(engine).at,
        )


def look(engine: Engine, paid: Paid, at: datetime) -> Paid | None:
    assert paid.event_id is not None
    with writing(engine) as db:
        return payments.match_waiting(db, payment_id=paid.event_id, at=at)


def next_look(engine: Engine, paid: Paid) -> datetime | None:
    with reading(engine) as db:
        found: datetime | None = db.scalar(
            select(payment.c.next_at).where(payment.c.event_id == paid.event_id)
        )
        assert unsound(db) == []
    return found


def test_an_operator_matches_what_a_code_did_not(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge_id, code = books.pledge(amount=100)
    lost = books.pay(None, 130, code=NOBODYS, reference="r-9")
    first = by_hand(ledger_engine, lost.event_id, code, 40)
    assert (first.outcome, first.matched, first.unmatched) == (Outcome.EXCESS, 40, 90)
    second = by_hand(ledger_engine, lost.event_id, code)
    assert (second.matched, second.unmatched) == (60, 30)
    assert second.pledge == standing(ledger_engine, pledge_id)
    assert second.pledge.state == "paid"
    assert posted(ledger_engine) == {
        "A:Settle:psp": 130,
        "L:Suspense:psp": -30,
        f"N:Donation:{CAMPAIGN}:nowruz": -100,
    }
    with reading(ledger_engine) as db:
        rows = db.execute(
            select(event).where(event.c.kind == "payment.match").order_by(event.c.id)
        ).all()
    assert [row.key for row in rows] == [
        f"match:{lost.event_id}:1",
        f"match:{lost.event_id}:2",
    ]
    assert rows[0].about_id == pledge_id
    assert rows[0].body == {
        "payment": lost.event_id,
        "amount": 40,
        "how": "operator",
        "by": "mina",
        "why": "the donor called",
        "reference": "r-9",
    }


def test_what_cannot_be_matched_says_why(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    _, code = books.pledge(amount=100)
    closed, closed_code = books.pledge(amount=100)
    books.expire(closed, 100)
    _, goods = books.pledge(amount=100, unit="parcel")
    _, rehearsed = books.pledge(amount=100, test=True)
    lost = books.pay(None, 50, code=NOBODYS)
    outcomes = [
        by_hand(ledger_engine, lost.event_id, wanted).outcome
        for wanted in (NOBODYS, closed_code, goods, rehearsed)
    ]
    assert outcomes == [Outcome.UNKNOWN, *[Outcome.NOT_OPEN] * 3]
    assert by_hand(ledger_engine, closed, code).outcome is Outcome.UNKNOWN
    assert by_hand(ledger_engine, lost.event_id, code).outcome is Outcome.MATCHED
    again = by_hand(ledger_engine, lost.event_id, code)
    assert again.outcome is Outcome.NOTHING_LEFT
    assert posted(ledger_engine)[f"N:Donation:{CAMPAIGN}:nowruz"] == -50


def test_two_operators_at_once_match_it_once(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledges = [books.pledge(amount=50) for _ in range(6)]
    lost = books.pay(None, 50, code=NOBODYS)
    with ThreadPoolExecutor(6) as pool:
        found = list(
            pool.map(
                lambda made: by_hand(ledger_engine, lost.event_id, made[1]).outcome,
                pledges,
            )
        )
    assert found.count(Outcome.MATCHED) == 1
    assert found.count(Outcome.NOTHING_LEFT) == 5


def test_looks_come_later_and_later_until_only_an_operator_can_tell(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    lost = books.pay(None, 50, code=NOBODYS)
    came = books.at
    looks = []
    while (at := next_look(ledger_engine, lost)) is not None:
        looks.append((at - came).total_seconds())
        assert look(ledger_engine, lost, at) is None
    assert looks[:4] == [30, 60, 120, 240]
    assert timedelta(hours=36).total_seconds() <= looks[-1] < 3 * 24 * 3600
    assert len(looks) < 20


@pytest.mark.parametrize("told", [{"phone": OTHER_PHONE}, {"reference": "r"}, {}])
def test_only_what_may_still_appear_is_looked_for(
    told: dict[str, Any], ledger_engine: Engine
) -> None:
    books = Books(ledger_engine)
    pledge_id, _ = books.pledge(amount=100)
    books.pay(pledge_id, 100)
    too_much = books.pay(pledge_id, 50, **told)
    assert (next_look(ledger_engine, too_much) is None) == (not told)


def test_an_unknown_code_is_given_time_before_the_phone_is_believed(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    pledge_id, _ = books.pledge(amount=50)
    lost = books.pay(None, 50, code=NOBODYS, phone=PHONE)
    came = books.at
    assert lost.outcome is Outcome.SUSPENSE
    assert look(ledger_engine, lost, came + timedelta(minutes=9)) is None
    healed = look(ledger_engine, lost, came + timedelta(minutes=10))
    assert healed is not None
    assert healed.pledge == standing(ledger_engine, pledge_id)
    assert next_look(ledger_engine, lost) is None
    assert look(ledger_engine, lost, came + timedelta(minutes=11)) is None


def test_a_phone_that_called_only_later_is_matched(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    early = books.pay(None, 50, phone=PHONE)
    assert early.person_id is None
    pledge_id, code = books.pledge(amount=50)
    healed = look(ledger_engine, early, books.at)
    assert healed is not None
    assert (healed.code, healed.matched) == (code, 50)
    assert standing(ledger_engine, pledge_id).state == "paid"


def test_the_excess_of_one_pledge_pays_the_other_of_just_that_much(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    pledge_id, _ = books.pledge(amount=100)
    other, _ = books.pledge(amount=30)
    both = books.pay(pledge_id, 130, phone=PHONE)
    assert both.unmatched == 30
    assert look(ledger_engine, both, books.at + timedelta(hours=1)) is not None
    assert standing(ledger_engine, other).state == "paid"
    assert posted(ledger_engine) == {
        "A:Settle:psp": 130,
        f"N:Donation:{CAMPAIGN}:nowruz": -130,
    }


def test_looking_and_an_operator_at_once_move_the_money_once(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    lost = books.pay(None, 50, phone=PHONE)
    pledge_id, code = books.pledge(amount=50)

    def run(number: int) -> int:
        if number % 2:
            return by_hand(ledger_engine, lost.event_id, code).matched
        seen = look(ledger_engine, lost, books.at)
        return seen.matched if seen else 0

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(run, range(8))) == 50
    assert standing(ledger_engine, pledge_id).paid == 50


def test_money_in_suspense_becomes_a_gift(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    lost = books.pay(None, 50, code=NOBODYS, phone=PHONE)
    assert lost.event_id is not None
    with writing(ledger_engine) as db:
        asked: dict[str, Any] = {
            "payment_id": lost.event_id,
            "campaign": CAMPAIGN,
            "purpose": "nowruz",
            "by": "mina",
            "why": "the pledge had expired",
            "at": books.at,
        }
        part = gifts.accept(db, KEYS, amount=20, **asked)
        rest = gifts.accept(db, KEYS, **asked)
        nothing = gifts.accept(db, KEYS, **asked)
        unknown = gifts.accept(db, KEYS, **asked | {"payment_id": 999})
        gift = gifts.gift_by_code(db, part.code or "")
    assert (part.outcome, part.matched, part.unmatched) == (Outcome.GIFT, 20, 30)
    assert (rest.matched, rest.unmatched) == (30, 0)
    assert part.code != rest.code
    assert nothing.outcome is Outcome.NOTHING_LEFT
    assert unknown.outcome is Outcome.UNKNOWN
    assert gift is not None
    assert (gift.amount, gift.refunded, gift.campaign) == (20, 0, CAMPAIGN)
    assert posted(ledger_engine) == {
        "A:Settle:psp": 50,
        f"N:Donation:{CAMPAIGN}:nowruz": -50,
    }
    assert next_look(ledger_engine, lost) is None


def test_what_went_back_is_not_matched_any_more(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    _, code = books.pledge(amount=50)
    lost = books.pay(None, 50, code=NOBODYS, outside_id="a")
    books.give_back(50, Kind.REVERSAL, outside_id="a")
    assert by_hand(ledger_engine, lost.event_id, code).outcome is Outcome.NOTHING_LEFT
    assert posted(ledger_engine) == {}
