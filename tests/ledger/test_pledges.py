from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, func, select

from ledger import chart, events, migrate, payments, pledges, schema
from ledger.engine import connect, reading, writing
from ledger.events import Moved
from ledger.payments import Kind, Payment
from ledger.pledges import Cancelled, CancelOutcome, DonorKind, Pledge, State
from phone.codes import is_code
from tests.ledger.facts import AT, KEYS, OTHER_PHONE, caller, count, pledge


def cancel(
    db: Connection,
    code: str | None,
    key: str = "cancel:1",
    *,
    person_id: int | None = None,
    test: bool = False,
) -> Cancelled:
    assert code is not None
    return pledges.cancel_pledge(
        db,
        key=key,
        person_id=caller(db) if person_id is None else person_id,
        code=code,
        channel="at",
        test=test,
        at=AT,
    )


def pay(db: Connection, code: str | None, amount: int, key: str = "pay:1") -> None:
    assert code is not None
    told = Payment("psp", key, Kind.PAYMENT, amount, AT, code=code)
    paid = payments.pay(db, KEYS, told, channel="psp", test=False, at=AT)
    assert paid.unmatched == 0


def resolve(db: Connection, pledge_id: int, amount: int, kind: str, phase: str) -> None:
    found = pledges.lock_pledge(db, pledge_id)
    events.record(
        db,
        key=f"{kind}:{pledge_id}",
        kind=kind,
        body={},
        moved=[pledges.resolving(found, amount, phase)],
        about_id=pledge_id,
        channel="at",
        test=False,
        at=AT,
    )


def only(db: Connection) -> Pledge:
    (found,) = pledges.pledges_of(db, person_id=caller(db))
    return found


def test_a_pledge_is_pending_and_has_a_code(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        recorded = pledge(db)
        assert recorded.first
        assert is_code(recorded.code or "")
        move = db.execute(select(schema.transfer)).one()
        (found,) = pledges.pledges_of(db, person_id=caller(db))
    assert (move.phase, move.amount, move.unit) == ("pending", 500_000, "rial")
    assert (found.state, found.outstanding, found.code) == (
        State.OPEN,
        500_000,
        recorded.code,
    )
    assert (found.campaign, found.purpose, found.at) == ("winter", "meals", AT)


def test_a_pledge_confirmed_twice_is_one_pledge(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        first = pledge(db)
    with writing(ledger_engine) as db:
        assert pledge(db) == replace(first, first=False)
        assert count(db, schema.transfer) == 1
        assert count(db, schema.code) == 1


def test_the_same_key_with_another_amount_keeps_the_first(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        first = pledge(db)
        again = pledge(db, amount=900_000)
        assert again == replace(first, first=False, differs=("amount",))
        assert pledges.pledges_of(db, person_id=caller(db))[0].amount == 500_000


def test_an_empty_pledge_is_a_mistake_of_ours(ledger_engine: Engine) -> None:
    with pytest.raises(AssertionError), writing(ledger_engine) as db:
        pledge(db, amount=0)


def test_a_donor_cancels_all_that_is_open(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        code = pledge(db).code
        cancelled = cancel(db, code)
        assert cancelled.outcome is CancelOutcome.CANCELLED
        assert cancelled.released == 500_000
        (found,) = pledges.pledges_of(db, person_id=caller(db))
        assert (found.state, found.outstanding, found.voided) == (
            State.CANCELLED,
            0,
            500_000,
        )
        event = db.execute(
            select(schema.event).where(schema.event.c.kind == "pledge.void")
        ).one()
        assert event.about_id == found.event_id


def test_a_cancellation_repeated_is_the_same_cancellation(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        code = pledge(db).code
        first = cancel(db, code)
        again = cancel(db, code)
        assert first.recorded is not None
        assert again == replace(first, recorded=replace(first.recorded, first=False))
        assert cancel(db, code, "cancel:2") == Cancelled(
            CancelOutcome.ALREADY_CANCELLED
        )
        assert count(db, schema.resolution) == 1


def test_nobody_else_cancels_and_no_rehearsal_does(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        code = pledge(db).code
        stranger = caller(db, OTHER_PHONE)
        not_yours = Cancelled(CancelOutcome.NOT_YOURS)
        assert cancel(db, code, person_id=stranger) == not_yours
        assert cancel(db, "100000000") == not_yours
        assert cancel(db, code, test=True) == not_yours
        assert pledges.pledge_of(db, person_id=stranger, code=code or "") is None
        assert count(db, schema.resolution) == 0


def test_what_is_paid_cannot_be_cancelled(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        code = pledge(db).code
        pay(db, code, 500_000)
        assert cancel(db, code) == Cancelled(CancelOutcome.PAID)
        (found,) = pledges.pledges_of(db, person_id=caller(db))
        assert (found.state, found.paid) == (State.PAID, 500_000)


def test_the_rest_of_a_part_paid_pledge_can_be_cancelled(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        code = pledge(db).code
        pay(db, code, 200_000)
        (found,) = pledges.pledges_of(db, person_id=caller(db))
        assert (found.state, found.outstanding) == (State.PART_PAID, 300_000)
        assert cancel(db, code).released == 300_000
        (found,) = pledges.pledges_of(db, person_id=caller(db))
        assert (found.state, found.paid, found.voided) == (
            State.PAID,
            200_000,
            300_000,
        )


def test_what_we_give_up_is_not_what_the_donor_took_back(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        made = pledge(db)
        resolve(db, made.event_id, 500_000, "pledge.write_off", "void")
        found = only(db)
        assert (found.state, found.outstanding) == (State.WRITTEN_OFF, 0)
        assert (found.written_off, found.voided) == (500_000, 0)
        assert cancel(db, made.code) == Cancelled(CancelOutcome.ALREADY_CANCELLED)


def test_an_expired_rest_leaves_what_was_paid_paid(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        made = pledge(db)
        pay(db, made.code, 200_000)
        resolve(db, made.event_id, 300_000, "pledge.expire", "expire")
        found = only(db)
    assert (found.state, found.paid, found.expired) == (State.PAID, 200_000, 300_000)


def test_a_pledge_is_refunded_once_all_that_was_paid_went_back(
    ledger_engine: Engine,
) -> None:
    states = []
    with writing(ledger_engine) as db:
        made = pledge(db)
        pay(db, made.code, 500_000)
        for part in (200_000, 300_000):
            events.record(
                db,
                key=f"refund:{part}",
                kind="refund",
                body={},
                moved=[
                    Moved(
                        chart.donation("winter", "meals"),
                        chart.refund("winter"),
                        "rial",
                        part,
                        "reversal",
                    )
                ],
                about_id=made.event_id,
                channel="psp",
                test=False,
                at=AT,
            )
            found = only(db)
            states.append((found.state, found.refunded, found.paid))
    assert states == [
        (State.PAID, 200_000, 500_000),
        (State.REFUNDED, 500_000, 500_000),
    ]


def test_goods_are_pledged_on_accounts_of_their_own_unit(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        made = pledge(db, unit="parcel", amount=3)
        pledge(db, "at:2", amount=3)
        names = select(schema.account.c.code).order_by(schema.account.c.code)
        assert db.scalars(names).all() == [
            "A:Receivable:Pledge:winter",
            "A:Receivable:Pledge:winter:parcel",
            "N:Donation:winter:meals",
            "N:Donation:winter:meals:parcel",
        ]
        assert cancel(db, made.code).released == 3


def test_a_staff_gives_under_its_cohorts_code(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        made = pledge(db, donor_kind=DonorKind.COHORT, cohort="nurses")
        again = pledge(db, donor_kind=DonorKind.COHORT, cohort="drivers")
        assert again == replace(made, first=False, differs=("cohort",))
        assert pledge(db).differs == ("cohort", "donor_kind")
        row = db.execute(select(schema.event)).one()
    assert (row.donor_kind, row.cohort, row.partner) == ("cohort", "nurses", None)


def test_a_cohort_without_its_code_is_a_mistake_of_ours(ledger_engine: Engine) -> None:
    with pytest.raises(AssertionError), writing(ledger_engine) as db:
        pledge(db, donor_kind=DonorKind.COHORT)
    with pytest.raises(AssertionError), writing(ledger_engine) as db:
        pledge(db, donor_kind=DonorKind.ORGANISATION, cohort="nurses")


def test_an_operator_finds_anybodys_pledge_by_its_code(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        made = pledge(db)
        found = pledges.pledge_by_code(db, made.code or "")
        assert found == pledges.pledge_by_id(db, made.event_id) == only(db)
        assert found.person_id == caller(db)
        assert pledges.pledge_by_code(db, "100000000") is None
        assert pledges.pledge_by_id(db, made.event_id + 1) is None


def test_of_many_cancellations_at_once_one_moves_the_money(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        code = pledge(db).code

    def run(number: int) -> CancelOutcome:
        with writing(ledger_engine) as db:
            return cancel(db, code, f"cancel:{number}").outcome

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(run, range(12)))
    assert outcomes.count(CancelOutcome.CANCELLED) == 1
    assert outcomes.count(CancelOutcome.ALREADY_CANCELLED) == 11


def test_a_retry_that_races_its_first_request_is_told_the_same(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        code = pledge(db).code

    def run(_: int) -> CancelOutcome:
        with writing(ledger_engine) as db:
            return cancel(db, code).outcome

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(run, range(12))) == {CancelOutcome.CANCELLED}
    with reading(ledger_engine) as db:
        assert count(db, schema.resolution) == 1


def test_pledges_come_newest_first_and_only_so_many(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        for number in range(5):
            pledge(db, f"at:{number}", amount=number + 1, test=number == 4)
        pledge(db, "other", person_id=caller(db, OTHER_PHONE))
        person = caller(db)
        amounts = [
            [
                found.amount
                for found in pledges.pledges_of(db, person_id=person, **asked)
            ]
            for asked in ({}, {"limit": 2}, {"test": False}, {"test": True})
        ]
    assert amounts == [[5, 4, 3, 2, 1], [5, 4], [4, 3, 2, 1], [5]]


def test_the_latest_pledge_is_found_for_a_redial(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        pledge(db, "at:1")
        newest = pledge(db, "at:2", at=AT + timedelta(minutes=5))
        person = caller(db)
        found = pledges.latest_since(db, person_id=person, since=AT, test=False)
        assert found is not None
        assert (found.key, found.code) == ("at:2", newest.code)
        later = AT + timedelta(minutes=6)
        assert (
            pledges.latest_since(db, person_id=person, since=later, test=False) is None
        )
        # A rehearsal and a real pledge do not stand for each other.
        assert pledges.latest_since(db, person_id=person, since=AT, test=True) is None


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["pledge", "cancel", "pay"]),
        st.integers(0, 2),  # which key
        st.integers(1, 3),  # how much, in thousands
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(ACTS, st.integers(1, 3))
def test_replays_never_move_money_and_every_sum_holds(
    acts: list[tuple[str, int, int]], times: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        migrate.upgrade(url)
        engine = connect(url)
        for act, number, thousands in acts:
            after = []
            for _ in range(times):
                with writing(engine) as db:
                    _act(db, act, number, thousands * 1000)
                    after.append(_totals(db))
            assert after == after[:1] * times
        engine.dispose()


def _act(db: Connection, act: str, number: int, amount: int) -> None:
    if act == "pledge":
        pledge(db, f"p:{number}", amount=amount)
        return
    mine = events.find(db, key=f"p:{number}")
    if mine is None:
        return
    if act == "cancel":
        cancel(db, mine.code, f"c:{number}")
        return
    found = pledges.pledge_of(db, person_id=caller(db), code=mine.code or "")
    assert found is not None
    known = events.find(db, key=f"pay:psp:payment:m:{number}:{amount}")
    if found.outstanding >= amount or known:
        pay(db, mine.code, amount, f"m:{number}:{amount}")


def _totals(db: Connection) -> list[object]:
    found = pledges.pledges_of(db, person_id=caller(db))
    for one in found:
        assert one.paid + one.voided + one.outstanding == one.amount
        assert min(one.paid, one.voided, one.outstanding) >= 0
    debits, credits = (
        dict(
            db.execute(
                select(column, func.sum(schema.transfer.c.amount)).group_by(column)
            ).all()
        )
        for column in (schema.transfer.c.debit_id, schema.transfer.c.credit_id)
    )
    assert sum(debits.values()) == sum(credits.values())
    return [found, debits, credits]


def test_a_code_key_decides_the_codes(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        first = pledge(db).code
    other = replace(KEYS, code=b"x" * 32)
    with writing(ledger_engine) as db:
        second = pledges.record_pledge(
            db,
            other,
            key="at:2",
            person_id=caller(db),
            campaign="winter",
            purpose="meals",
            unit="rial",
            amount=1,
            channel="at",
            test=False,
            at=AT,
        ).code
    assert is_code(second or "")
    assert first != second
