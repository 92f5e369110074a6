from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from ledger import gifts, payments
from ledger.engine import reading, writing
from ledger.payments import Kind, Outcome, Paid, Payment
from ledger.pledges import State
from ledger.schema import event, payment
from tests.ledger.books import CAMPAIGN, KEYS, NOON, Books
from tests.ledger.test_payments import PHONE, posted, standing, unsound

GIVEN = f"N:Donation:{CAMPAIGN}:nowruz"
OWED = f"L:Refund:{CAMPAIGN}"


def kinds(engine: Engine) -> list[tuple[str, int | None]]:
    with reading(engine) as db:
        assert unsound(db) == []
        rows = db.execute(
            select(event.c.kind, event.c.about_id)
            .where(event.c.kind.in_(("refund", "refund.paid", "reversal")))
            .order_by(event.c.id)
        )
        return [(row.kind, row.about_id) for row in rows]


def test_a_charge_back_takes_a_gift_out_of_the_books(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge_id, code = books.pledge(amount=100)
    books.pay(pledge_id, 100)
    back = books.give_back(60, Kind.REVERSAL, code=code)
    assert (back.outcome, back.matched, back.code) == (Outcome.RETURNED, 60, code)
    assert back.pledge == standing(ledger_engine, pledge_id)
    assert (back.pledge.refunded, back.pledge.state) == (60, State.PAID)
    assert back.person_id == back.pledge.person_id
    books.give_back(40, Kind.REVERSAL, code=code)
    assert standing(ledger_engine, pledge_id).state is State.REFUNDED
    assert posted(ledger_engine) == {}
    assert kinds(ledger_engine) == [("reversal", pledge_id)] * 2


def test_what_was_agreed_is_paid_back_first(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge_id, code = books.pledge(amount=100)
    books.pay(pledge_id, 100)
    books.agree_refund(pledge_id, 30)
    assert posted(ledger_engine) == {"A:Settle:psp": 100, OWED: -30, GIVEN: -70}
    back = books.give_back(30, code=code)
    assert back.outcome is Outcome.RETURNED
    assert posted(ledger_engine) == {"A:Settle:psp": 70, GIVEN: -70}
    assert standing(ledger_engine, pledge_id).refunded == 30
    # More than was agreed: the rest was not asked of us, and is taken back as it is.
    books.agree_refund(pledge_id, 10)
    books.give_back(25, code=code)
    assert posted(ledger_engine) == {"A:Settle:psp": 45, GIVEN: -45}
    assert kinds(ledger_engine) == [
        ("refund", pledge_id),
        ("refund.paid", pledge_id),
        ("refund", pledge_id),
        ("refund.paid", pledge_id),
        ("refund", pledge_id),
    ]


def test_what_nobody_had_a_use_for_goes_back_before_a_gift(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    pledge_id, code = books.pledge(amount=100)
    paid = books.pay(pledge_id, 120, outside_id="a")
    books.give_back(20, outside_id="a")
    assert standing(ledger_engine, pledge_id).refunded == 0
    assert posted(ledger_engine) == {"A:Settle:psp": 100, GIVEN: -100}
    assert kinds(ledger_engine) == [("refund", paid.event_id)]
    with reading(ledger_engine) as db:
        assert db.scalar(select(payment.c.unmatched)) == 0
    # Once for its id and kind: a charge-back of the same id is another thing.
    books.give_back(100, Kind.REVERSAL, outside_id="a")
    assert standing(ledger_engine, pledge_id).state is State.REFUNDED
    assert posted(ledger_engine) == {}


def test_a_payment_in_parts_goes_back_from_all_that_it_reached(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    one, _ = books.pledge(amount=100)
    two, code = books.pledge(amount=30)
    paid = books.pay(one, 150, outside_id="a")
    assert paid.event_id is not None
    with writing(ledger_engine) as db:
        asked = {"by": "mina", "why": "the donor called", "at": books.at}
        payments.match(db, payment_id=paid.event_id, code=code, **asked)
        gift = gifts.accept(
            db,
            KEYS,
            payment_id=paid.event_id,
            campaign=CAMPAIGN,
            purpose="nowruz",
            amount=15,
            **asked,
        )
    back = books.give_back(160, Kind.REVERSAL, outside_id="a")
    assert (back.matched, back.unmatched) == (150, 10)
    assert kinds(ledger_engine) == [
        ("reversal", paid.event_id),
        ("reversal", one),
        ("reversal", two),
        ("reversal", gift.event_id),
        ("reversal", None),
    ]
    # Ten more went back than ever came: that is shown, not hidden.
    assert posted(ledger_engine) == {"A:Settle:psp": -10, "L:Suspense:psp": 10}


def test_a_gift_at_a_till_can_go_back(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    given = books.give(40, PHONE)
    back = books.give_back(40, source="shop", code=given.code)
    assert (back.outcome, back.code) == (Outcome.RETURNED, given.code)
    assert (back.pledge, back.person_id) == (None, given.person_id)
    assert posted(ledger_engine) == {}
    assert kinds(ledger_engine) == [("refund", given.event_id)]
    with reading(ledger_engine) as db:
        found = gifts.gift_by_code(db, given.code or "")
    assert found is not None
    assert found.refunded == 40


@pytest.mark.parametrize("names", ["outside_id", "reference"])
def test_a_sale_at_a_till_goes_back_by_its_receipt(
    names: str, ledger_engine: Engine
) -> None:
    books = Books(ledger_engine)
    given = books.give(40, PHONE)
    with reading(ledger_engine) as db:
        receipt = db.scalar(select(payment.c.outside_id))
    back = books.give_back(30, source="shop", **{names: receipt})
    assert (back.outcome, back.code) == (Outcome.RETURNED, given.code)
    assert posted(ledger_engine) == {"A:Settle:shop": 10, GIVEN: -10}
    assert kinds(ledger_engine) == [("refund", given.event_id)]


def test_what_nothing_explains_makes_suspense_smaller(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    back = books.give_back(40, code="123456782")
    assert (back.outcome, back.matched, back.unmatched) == (Outcome.SUSPENSE, 0, 40)
    assert posted(ledger_engine) == {"A:Settle:psp": -40, "L:Suspense:psp": 40}
    assert kinds(ledger_engine) == [("refund", None)]


def test_the_reference_or_the_phone_find_the_payment(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge_id, _ = books.pledge(amount=100)
    books.pay(pledge_id, 40, "ref-7", outside_id="a", phone=PHONE)
    books.pay(pledge_id, 30, outside_id="b", phone=PHONE)
    assert books.give_back(10, reference="ref-7").matched == 10
    assert books.give_back(10, reference="b").matched == 10
    assert books.give_back(30, phone=PHONE).matched == 30
    books.pay(pledge_id, 5, "online")
    books.pay(pledge_id, 5, "online")
    assert books.give_back(5, reference="online").matched == 0
    # No payment of theirs has this amount, so it could be any.
    assert books.give_back(11, phone=PHONE).matched == 0
    assert standing(ledger_engine, pledge_id).refunded == 50


def test_no_more_goes_back_from_a_pledge_than_was_paid(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge_id, code = books.pledge(amount=100)
    books.pay(pledge_id, 100)
    books.give_back(70, Kind.REVERSAL, code=code)
    back = books.give_back(70, Kind.REVERSAL, code=code)
    assert (back.outcome, back.matched, back.unmatched) == (Outcome.RETURNED, 30, 40)
    assert standing(ledger_engine, pledge_id).refunded == 100
    assert posted(ledger_engine) == {"A:Settle:psp": -40, "L:Suspense:psp": 40}


@pytest.mark.parametrize(
    ("paid", "back"),
    [
        ({"outside_id": "a"}, {"outside_id": "a"}),
        ({"outside_id": "a"}, {"outside_id": "b", "reference": "a"}),
        ({"reference": "rrn"}, {"reference": "rrn"}),
        ({}, {"code": True}),
    ],
)
@pytest.mark.parametrize("amounts", [(100, 100), (130, 120), (60, 60), (100, 40)])
def test_a_refund_that_is_told_before_its_payment_ends_the_same(
    paid: dict[str, Any],
    back: dict[str, Any],
    amounts: tuple[int, int],
    ledger_engine: Engine,
) -> None:
    came, went = amounts
    ends = []
    for order in ("payment first", "refund first"):
        books = Books(ledger_engine, name=order)
        pledge_id, code = books.pledge(amount=100, campaign=order[:6])
        asked = {key: order + str(value) for key, value in back.items()}
        asked |= {"code": code} if "code" in back else {}
        told = {key: order + str(value) for key, value in paid.items()}
        before = posted(ledger_engine)
        if order == "refund first":
            books.give_back(went, Kind.REVERSAL, **asked)
            books.pay(pledge_id, came, **told)
        else:
            books.pay(pledge_id, came, **told)
            books.give_back(went, Kind.REVERSAL, **asked)
        kinds(ledger_engine)
        after = posted(ledger_engine)
        one = standing(ledger_engine, pledge_id)
        moved = {
            name: after.get(name, 0) - before.get(name, 0)
            for name in ("A:Settle:psp", "L:Suspense:psp")
        }
        ends.append((one.state, one.paid, one.refunded, moved))
    assert ends[0] == ends[1]
    assert ends[0][3]["A:Settle:psp"] == came - went


def test_two_payments_at_once_explain_a_refund_once(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    _, code = books.pledge(amount=1_000)
    books.give_back(50, code=code)

    def run(number: int) -> None:
        told = Payment("psp", str(number), Kind.PAYMENT, 40, NOON, code=code)
        with writing(ledger_engine) as db:
            payments.pay(db, KEYS, told, channel="psp", test=False, at=NOON)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert posted(ledger_engine) == {"A:Settle:psp": 110, GIVEN: -110}
    kinds(ledger_engine)


def test_an_old_refund_is_not_of_a_new_payment(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge_id, code = books.pledge(amount=100)
    books.give_back(50, code=code)
    books.at += timedelta(days=4)
    books.pay(pledge_id, 100)
    assert standing(ledger_engine, pledge_id).refunded == 0
    assert posted(ledger_engine)["L:Suspense:psp"] == 50


def test_a_rehearsed_charge_back_takes_nothing_real(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge_id, code = books.pledge(amount=100)
    books.pay(pledge_id, 100, outside_id="a")
    with writing(ledger_engine) as db:
        told = Payment("psp", "a", Kind.REVERSAL, 100, NOON, code=code)
        back = payments.told_back(db, KEYS, told, channel="psp", test=True, at=NOON)
    assert back.outcome is Outcome.SUSPENSE
    assert standing(ledger_engine, pledge_id).refunded == 0


def test_money_goes_back_once_however_often_it_is_told(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge_id, code = books.pledge(amount=100)
    books.pay(pledge_id, 130)
    told = Payment("psp", "r", Kind.REVERSAL, 150, NOON, code=code)

    def run(told: Payment) -> Paid:
        with writing(ledger_engine) as db:
            return payments.told_back(
                db, KEYS, told, channel="psp", test=False, at=NOON
            )

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(run, [told] * 12))
    assert sum(one.first for one in results) == 1
    assert len({replace(one, first=True) for one in results}) == 1
    assert (results[0].matched, results[0].unmatched) == (130, 20)
    assert posted(ledger_engine) == {"A:Settle:psp": -20, "L:Suspense:psp": 20}
    assert run(replace(told, amount=1, paid_at=books.at)).differs == (
        "amount",
        "paid_at",
    )
    assert kinds(ledger_engine)[1:] == [("reversal", pledge_id), ("reversal", None)]
