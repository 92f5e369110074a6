from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select, text

from ledger import migrate, payments, people, pledges
from ledger.balances import balances, trial
from ledger.engine import Connection, connect, reading, writing
from ledger.money_rules import MONEY_RULES
from ledger.payments import Kind, Outcome, Paid, Payment
from ledger.pledges import Pledge, State
from ledger.schema import event, payment, person, transfer
from tests.ledger.books import CAMPAIGN, KEYS, NOON, Books

PHONE = "+989121234567"
OTHER_PHONE = "+989351234567"


def standing(engine: Engine, pledge_id: int) -> Pledge:
    with reading(engine) as db:
        found = pledges.pledge_by_id(db, pledge_id)
    assert found is not None
    return found


def posted(engine: Engine, *, test: bool = False) -> dict[str, int]:
    """What has happened on each account on which something has."""
    with reading(engine) as db:
        books = balances(db, test=test)
    assert {(one.pending, one.posted) for one in trial(books)} <= {(0, 0)}
    return {one.account: one.posted for one in books if one.posted}


def unsound(db: Connection) -> list[tuple[str, int]]:
    return [
        (rule.what, row[0]) for rule in MONEY_RULES for row in db.execute(rule.query)
    ]


def told(code: str | None, amount: int = 100, number: str = "1") -> Payment:
    return Payment("psp", number, Kind.PAYMENT, amount, NOON, code=code)


def pay(engine: Engine, payment: Payment, *, test: bool = False) -> Paid:
    with writing(engine) as db:
        return payments.pay(db, KEYS, payment, channel="psp", test=test, at=NOON)


def test_a_payment_with_a_code_pays_its_pledge(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge_id, code = books.pledge(amount=100)
    paid = books.pay(pledge_id, 100, "ref-1")
    assert (paid.outcome, paid.matched, paid.unmatched) == (Outcome.MATCHED, 100, 0)
    assert (paid.first, paid.code) == (True, code)
    found = standing(ledger_engine, pledge_id)
    assert (found.state, found.paid, found.outstanding) == (State.PAID, 100, 0)
    assert paid.pledge == found
    assert paid.person_id == found.person_id
    assert posted(ledger_engine) == {
        "A:Settle:psp": 100,
        f"N:Donation:{CAMPAIGN}:nowruz": -100,
    }
    with reading(ledger_engine) as db:
        row = db.execute(select(event).where(event.c.kind == "payment")).one()
        amounts = db.scalars(
            select(transfer.c.amount).where(transfer.c.event_id == row.id)
        ).all()
        assert unsound(db) == []
    assert (row.about_id, row.campaign, row.purpose) == (pledge_id, CAMPAIGN, "nowruz")
    assert amounts == [100, 100, 100]


def test_three_parts_pay_a_pledge(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge_id, _ = books.pledge(amount=100)
    states = []
    for amount in (20, 30, 50):
        assert books.pay(pledge_id, amount).outcome is Outcome.MATCHED
        states.append(standing(ledger_engine, pledge_id).state)
    assert states == [State.PART_PAID, State.PART_PAID, State.PAID]


def test_what_is_too_much_waits_in_suspense(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge_id, _ = books.pledge(amount=100)
    paid = books.pay(pledge_id, 130)
    assert (paid.outcome, paid.matched, paid.unmatched) == (Outcome.EXCESS, 100, 30)
    assert posted(ledger_engine) == {
        "A:Settle:psp": 130,
        "L:Suspense:psp": -30,
        f"N:Donation:{CAMPAIGN}:nowruz": -100,
    }
    again = books.pay(pledge_id, 5)
    assert (again.outcome, again.matched, again.pledge) == (Outcome.SUSPENSE, 0, None)
    with reading(ledger_engine) as db:
        kept = db.execute(select(payment.c.unmatched, payment.c.next_at)).all()
        # The code's pledge is paid and stays so: nothing but an operator can tell.
        assert kept == [(30, None), (5, None)]


def test_the_same_payment_twice_is_one_payment(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    _, code = books.pledge(amount=100)
    first = pay(ledger_engine, told(code, 130))
    books.pledge(amount=30)  # What may be matched by now changes no first answer.
    before = posted(ledger_engine)
    again = pay(ledger_engine, told(code, 130))
    assert again == replace(first, first=False)
    assert posted(ledger_engine) == before


def test_unknown_money_told_twice_is_told_the_same(ledger_engine: Engine) -> None:
    first = pay(ledger_engine, told("123456782"))
    assert first.outcome is Outcome.SUSPENSE
    assert pay(ledger_engine, told("123456782")) == replace(first, first=False)
    assert posted(ledger_engine) == {"A:Settle:psp": 100, "L:Suspense:psp": -100}


def test_another_body_under_a_known_id_names_the_fields(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    _, code = books.pledge(amount=100)
    _, other_code = books.pledge(amount=100)
    known = replace(told(code, 40), phone=PHONE, reference="r")
    first = pay(ledger_engine, known)
    before = posted(ledger_engine)
    for field, value in (
        ("amount", 41),
        ("code", other_code),
        ("code", None),
        ("phone", OTHER_PHONE),
        ("phone", None),
        ("reference", "s"),
        ("reference", None),
        ("paid_at", NOON + timedelta(seconds=1)),
    ):
        refused = pay(ledger_engine, replace(known, **{field: value}))
        assert refused.outcome is Outcome.DIFFERS
        assert refused.differs == (field,)
        assert refused.event_id == first.event_id
    both = replace(known, amount=1, phone=None)
    assert pay(ledger_engine, both).differs == ("amount", "phone")
    assert posted(ledger_engine) == before


def test_of_a_person_who_was_erased_the_phone_is_not_compared(
    ledger_engine: Engine,
) -> None:
    known = replace(told(None), phone=PHONE)
    first = pay(ledger_engine, known)
    with writing(ledger_engine) as db:
        db.execute(text("UPDATE payment SET look_up = NULL"))
    assert pay(ledger_engine, known) == replace(first, first=False)
    assert pay(ledger_engine, replace(known, phone=None)).differs == ("phone",)


def test_the_same_id_of_another_service_is_another_payment(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    pledge_id, code = books.pledge(amount=100)
    pay(ledger_engine, told(code, 40))
    pay(ledger_engine, replace(told(code, 40), source="bank"))
    assert standing(ledger_engine, pledge_id).paid == 80


def test_no_number_and_no_time_stands_in_the_event(ledger_engine: Engine) -> None:
    pay(ledger_engine, replace(told(None), phone=PHONE))
    with reading(ledger_engine) as db:
        body = db.scalar(select(event.c.body))
        assert db.scalar(select(func.count()).select_from(person)) == 0
    assert body == {"amount": 100, "phone": "given"}
    assert PHONE not in repr(replace(told(None), phone=PHONE))


@pytest.mark.parametrize("order", list(permutations([30, 80, 100])))
def test_payments_in_any_order_end_in_the_same_books(
    order: tuple[int, ...], sqlite_ledger_url: str
) -> None:
    engine = connect(sqlite_ledger_url)
    books = Books(engine)
    pledge_id, code = books.pledge(amount=100)
    for amount in order:
        pay(engine, told(code, amount, str(amount)))
    assert standing(engine, pledge_id).paid == 100
    assert posted(engine) == {
        "A:Settle:psp": 210,
        "L:Suspense:psp": -110,
        f"N:Donation:{CAMPAIGN}:nowruz": -100,
    }
    engine.dispose()


def test_the_code_decides_the_campaign_and_the_purpose(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    books.pledge(amount=100)
    other, _ = books.pledge(amount=100, campaign="winter", purpose="coats")
    books.pay(other, 60)
    assert posted(ledger_engine) == {
        "A:Settle:psp": 60,
        "N:Donation:winter:coats": -60,
    }


def test_money_pays_no_pledge_of_goods(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    goods, _ = books.pledge(amount=100, unit="parcel")
    assert books.pay(goods, 100).outcome is Outcome.SUSPENSE
    assert standing(ledger_engine, goods).paid == 0


def test_what_is_cancelled_or_expired_takes_no_money(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    cancelled, code = books.pledge(amount=100)
    expired, _ = books.pledge(amount=100)
    books.cancel(code)
    books.expire(expired, 100)
    assert books.pay(cancelled, 100).outcome is Outcome.SUSPENSE
    assert books.pay(expired, 100).outcome is Outcome.SUSPENSE
    assert posted(ledger_engine) == {"A:Settle:psp": 200, "L:Suspense:psp": -200}


def test_a_rehearsal_and_real_money_never_meet(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    real, code = books.pledge(amount=100)
    rehearsed, test_code = books.pledge(amount=100, test=True)
    assert pay(ledger_engine, told(code), test=True).outcome is Outcome.SUSPENSE
    real_money = replace(told(test_code), outside_id="2", phone=PHONE)
    assert pay(ledger_engine, real_money).outcome is Outcome.SUSPENSE
    # Nor by the phone alone: each finds its own kind.
    by_phone = replace(told(None), outside_id="3", phone=PHONE)
    paid = pay(ledger_engine, by_phone, test=True)
    assert paid.pledge is not None
    assert paid.pledge.event_id == rehearsed
    assert standing(ledger_engine, real).paid == 0
    assert posted(ledger_engine, test=True) == {
        "A:Settle:psp": 200,
        "L:Suspense:psp": -100,
        f"N:Donation:{CAMPAIGN}:nowruz": -100,
    }


def test_a_phone_and_the_amount_find_the_only_pledge(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    books.pledge(amount=50)
    wanted, code = books.pledge(amount=70)
    paid = pay(ledger_engine, replace(told(None, 70), phone=PHONE))
    assert (paid.outcome, paid.code) == (Outcome.MATCHED, code)
    assert standing(ledger_engine, wanted).paid == 70


def test_two_pledges_of_the_amount_are_none(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    books.pledge(amount=70)
    books.pledge(amount=70)
    paid = pay(ledger_engine, replace(told(None, 70), phone=PHONE))
    assert paid.outcome is Outcome.SUSPENSE
    other = replace(told(None, 70, "2"), phone=OTHER_PHONE)
    assert pay(ledger_engine, other).outcome is Outcome.SUSPENSE


def test_a_code_in_the_reference_finds_its_pledge(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge_id, code = books.pledge(amount=70)
    persian = code.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    wrong = replace(told(None, 69), reference=f"کد {persian}")
    assert pay(ledger_engine, wrong).outcome is Outcome.SUSPENSE
    longer = replace(told(None, 70, "2"), reference=f"{code}0")
    assert pay(ledger_engine, longer).outcome is Outcome.SUSPENSE
    right = replace(told(None, 70, "3"), reference=f"کد {persian}")
    assert pay(ledger_engine, right).outcome is Outcome.MATCHED
    assert standing(ledger_engine, pledge_id).state is State.PAID


def test_a_hundred_identical_payments_at_once_post_once(ledger_url: str) -> None:
    engine = connect(ledger_url, pool_size=24)
    books = Books(engine)
    pledge_id, code = books.pledge(amount=1_000)
    together = Barrier(20)

    def run(_: int) -> Paid:
        together.wait()
        return pay(engine, told(code, 70))

    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(run, range(100)))
    assert sum(paid.first for paid in results) == 1
    assert {paid.outcome for paid in results} == {Outcome.MATCHED}
    assert {paid.event_id for paid in results} == {results[0].event_id}
    assert standing(engine, pledge_id).paid == 70
    assert posted(engine)["A:Settle:psp"] == 70
    engine.dispose()


def test_payments_of_one_pledge_at_once_never_pay_too_much(ledger_url: str) -> None:
    engine = connect(ledger_url, pool_size=12)
    books = Books(engine)
    pledge_id, code = books.pledge(amount=100)
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(lambda number: pay(engine, told(code, 30, str(number))), range(8))
        )
    assert standing(engine, pledge_id).paid == 100
    assert posted(engine)["L:Suspense:psp"] == -140
    with reading(engine) as db:
        assert unsound(db) == []
    engine.dispose()


def test_a_payment_and_a_cancellation_at_once_share_the_pledge(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    made = [books.pledge(amount=100) for _ in range(6)]

    def run(number: int) -> None:
        code = made[number // 2][1]
        if number % 2:
            pay(ledger_engine, told(code, 60, str(number)))
        else:
            with writing(ledger_engine) as db:
                mine = people.find(db, KEYS, PHONE)
                assert mine is not None
                pledges.cancel_pledge(
                    db,
                    key=f"cancel:{number}",
                    person_id=mine.id,
                    code=code,
                    channel="at",
                    test=False,
                    at=NOON,
                )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(12)))
    paid = 0
    for pledge_id, _ in made:
        one = standing(ledger_engine, pledge_id)
        assert (one.paid, one.voided) in ((60, 40), (0, 100))
        paid += one.paid
    assert posted(ledger_engine)["A:Settle:psp"] == 360
    assert -posted(ledger_engine).get("L:Suspense:psp", 0) == 360 - paid


@contextmanager
def unfinished(engine: Engine, payment: Payment) -> Iterator[None]:
    """Have a payment recorded in a transaction that stays open meanwhile."""
    with writing(engine) as db:
        payments.pay(db, KEYS, payment, channel="psp", test=False, at=NOON)
        yield


def test_different_payments_to_one_campaign_wait_for_no_common_row(
    postgres_ledger_url: str,
) -> None:
    engine = connect(postgres_ledger_url, pool_size=12)
    books = Books(engine)
    codes = [books.pledge(amount=100)[1] for _ in range(100)]
    # The accounts stand: making one is the only thing that two could wait for.
    pay(engine, told(codes[0], 100, "0"))

    def run(number: int) -> Outcome:
        with writing(engine) as db:
            db.execute(text("SET LOCAL lock_timeout = '100ms'"))
            given = told(codes[number], 100, str(number))
            return payments.pay(
                db, KEYS, given, channel="psp", test=False, at=NOON
            ).outcome

    with unfinished(engine, told(codes[1], 100, "1")), ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(run, range(2, 100)))
    assert set(outcomes) == {Outcome.MATCHED}
    assert posted(engine)["A:Settle:psp"] == 10_000
    engine.dispose()


def test_a_payment_before_its_pledge_is_committed_waits_and_heals(
    postgres_ledger_url: str,
) -> None:
    engine = connect(postgres_ledger_url)
    with writing(engine) as db:
        someone = people.remember(db, KEYS, PHONE, at=NOON).id
    with writing(engine) as db:
        made = pledges.record_pledge(
            db,
            KEYS,
            key="at:1",
            person_id=someone,
            campaign=CAMPAIGN,
            purpose="nowruz",
            unit="rial",
            amount=100,
            channel="at",
            test=False,
            at=NOON,
        )
        early = pay(engine, told(made.code))
        assert early.outcome is Outcome.SUSPENSE
        assert early.event_id is not None
    later = NOON + timedelta(seconds=30)
    with writing(engine) as db:
        assert payments.due(db, at=NOON + timedelta(seconds=29)) == []
        assert payments.due(db, at=later) == [early.event_id]
        healed = payments.match_waiting(db, payment_id=early.event_id, at=later)
        assert payments.due(db, at=later + timedelta(days=9)) == []
    assert healed is not None
    assert (healed.outcome, healed.matched) == (Outcome.MATCHED, 100)
    assert standing(engine, made.event_id).state is State.PAID
    # The first answer stands, whatever became of the money.
    assert pay(engine, told(made.code)) == replace(early, first=False)
    engine.dispose()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["pledge", "pay", "phone", "cancel", "expire", "look", "refund", "reverse"]
        ),
        st.integers(0, 2),
        st.integers(1, 4),
    ),
    max_size=14,
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS)
def test_every_sum_holds_whatever_comes_in_whatever_order(
    steps: list[tuple[str, int, int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        migrate.upgrade(url)
        engine = connect(url)
        books = Books(engine)
        made: list[tuple[int, str]] = []
        for step, which, amount in steps:
            _act(books, made, step, which, amount)
            _assert_sound(engine, made)
        engine.dispose()


def _act(
    books: Books, made: list[tuple[int, str]], step: str, which: int, amount: int
) -> None:
    if step == "pledge":
        made.append(books.pledge(amount=amount))
        return
    pledge_id, code = made[which] if which < len(made) else (None, "123456782")
    if step == "pay":
        books.pay(None, amount, code=code, outside_id=f"{which}:{amount}", paid_at=NOON)
    elif step == "phone":
        books.pay(None, amount, phone=PHONE)
    elif step == "look":
        with writing(books.engine) as db:
            for number in payments.due(db, at=NOON + timedelta(hours=1)):
                payments.match_waiting(
                    db, payment_id=number, at=NOON + timedelta(minutes=20)
                )
    elif step in ("refund", "reverse"):
        kind = Kind.REFUND if step == "refund" else Kind.REVERSAL
        books.give_back(amount, kind, code=code)
    elif pledge_id is not None:
        rest = standing(books.engine, pledge_id).outstanding
        if rest and step == "cancel":
            books.cancel(code)
        elif rest:
            books.expire(pledge_id, min(amount, rest))


def _assert_sound(engine: Engine, made: list[tuple[int, str]]) -> None:
    for pledge_id, _ in made:
        one = standing(engine, pledge_id)
        resolved = one.paid + one.voided + one.expired + one.written_off
        assert one.outstanding + resolved == one.amount
        assert min(one.outstanding, one.paid, one.voided, one.expired) >= 0
        assert one.refunded <= one.paid
    with reading(engine) as db:
        unmatched = int(db.scalar(select(func.sum(payment.c.unmatched))) or 0)
        back = select(func.sum(transfer.c.amount)).join(
            event, event.c.id == transfer.c.event_id
        )
        unexplained = int(
            db.scalar(
                back.where(
                    event.c.kind.in_(("refund", "reversal")), event.c.about_id.is_(None)
                )
            )
            or 0
        ) - int(db.scalar(back.where(event.c.kind == "return.explained")) or 0)
        assert unsound(db) == []
    in_suspense = -posted(engine).get("L:Suspense:psp", 0)
    assert in_suspense == unmatched - unexplained
