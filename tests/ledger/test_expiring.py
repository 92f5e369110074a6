"""Pledges whose days are over: found in their order, closed once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine

from ledger import expiring, payments, pledges
from ledger.engine import reading, writing
from ledger.expiring import START, Place, expire, made_since
from ledger.payments import Kind, Outcome, Paid, Payment
from ledger.pledges import Pledge
from tests.ledger.books import KEYS, NOON, Books
from tests.ledger.races import at_once

PHONE = "+989121234567"
LATER = NOON + timedelta(days=30)


def _stands(engine: Engine, event_id: int) -> Pledge:
    with reading(engine) as db:
        found = pledges.pledge_by_id(db, event_id)
    assert found is not None
    return found


def test_what_is_open_of_a_pledge_expires_and_what_was_paid_stays(
    ledger_engine: Engine,
):
    books = Books(ledger_engine)
    event_id, _ = books.pledge(amount=750_000)
    books.pay(event_id, 250_000)
    with writing(ledger_engine) as db:
        closed = expire(db, pledge_id=event_id, at=LATER)
    assert closed is not None
    before, recorded = closed
    assert (before.outstanding, recorded.first) == (500_000, True)
    stands = _stands(ledger_engine, event_id)
    assert (stands.paid, stands.expired, stands.outstanding) == (250_000, 500_000, 0)
    with writing(ledger_engine) as db:
        assert expire(db, pledge_id=event_id, at=LATER) is None


@pytest.mark.parametrize("end", ["paid", "cancelled"])
def test_a_pledge_that_is_closed_does_not_expire(ledger_engine: Engine, end: str):
    books = Books(ledger_engine)
    event_id, code = books.pledge(amount=750_000)
    if end == "paid":
        books.pay(event_id, 750_000)
    else:
        books.cancel(code)
    with writing(ledger_engine) as db:
        assert expire(db, pledge_id=event_id, at=LATER) is None
    assert _stands(ledger_engine, event_id).state == end


def test_money_for_an_expired_pledge_waits_in_suspense(ledger_engine: Engine):
    books = Books(ledger_engine)
    event_id, code = books.pledge(amount=750_000)
    with writing(ledger_engine) as db:
        expire(db, pledge_id=event_id, at=LATER)
    paid = books.pay(None, 750_000, code=code)
    assert (paid.outcome, paid.unmatched) == (Outcome.SUSPENSE, 750_000)
    assert _stands(ledger_engine, event_id).state == "expired"


def test_an_expiry_and_a_payment_at_once_take_turns(
    ledger_engine: Engine, ledger_url: str
):
    books = Books(ledger_engine)
    for number in range(6):
        event_id, code = books.pledge(amount=750_000)

        def pay(db: Connection, code: str = code, number: int = number) -> Paid:
            told = Payment("psp", f"p{number}", Kind.PAYMENT, 750_000, NOON, code=code)
            return payments.pay(db, KEYS, told, channel="psp", test=False, at=LATER)

        def close(db: Connection, event_id: int = event_id) -> object:
            return expire(db, pledge_id=event_id, at=LATER)

        paid, closed = at_once(ledger_url, pay, close)
        stands = _stands(ledger_engine, event_id)
        assert stands.outstanding == 0
        assert isinstance(paid, Paid)
        if closed is None:
            assert (paid.matched, stands.paid, stands.expired) == (750_000, 750_000, 0)
        else:
            # Whoever paid too late is not out of pocket: an operator decides.
            assert (paid.unmatched, stands.paid, stands.expired) == (
                750_000,
                0,
                750_000,
            )


def test_an_expiry_and_a_cancellation_at_once_close_a_pledge_once(
    ledger_engine: Engine, ledger_url: str
):
    books = Books(ledger_engine)
    for number in range(6):
        event_id, code = books.pledge(amount=750_000)
        person_id = _stands(ledger_engine, event_id).person_id
        assert person_id is not None

        def cancel(
            db: Connection,
            code: str = code,
            number: int = number,
            person_id: int = person_id,
        ) -> pledges.Cancelled:
            return pledges.cancel_pledge(
                db,
                key=f"cancel:{number}",
                person_id=person_id,
                code=code,
                channel="at",
                test=False,
                at=LATER,
            )

        def close(db: Connection, event_id: int = event_id) -> object:
            return expire(db, pledge_id=event_id, at=LATER)

        cancelled, closed = at_once(ledger_url, cancel, close)
        stands = _stands(ledger_engine, event_id)
        assert isinstance(cancelled, pledges.Cancelled)
        assert (stands.voided, stands.expired) == (
            (750_000, 0) if closed is None else (0, 750_000)
        )
        assert (cancelled.released == 750_000) is (closed is None)


def test_a_look_goes_on_where_the_last_one_ended(ledger_engine: Engine):
    books = Books(ledger_engine)
    ids = [books.pledge()[0] for _ in range(5)]
    # Two of one moment, as two processes make them.
    books.at -= timedelta(seconds=1)
    ids.append(books.pledge()[0])
    seen: list[int] = []
    place = START
    with reading(ledger_engine) as db:
        while window := made_since(db, after=place, until=LATER, limit=2):
            seen += [made.pledge_id for made in window]
            place = window[-1].place
        assert seen == ids
        at = expiring.made_since(
            db, after=START, until=NOON + timedelta(seconds=3), limit=9
        )
    assert [made.pledge_id for made in at] == ids[:3]


def test_the_places_of_campaigns_are_kept_apart(ledger_engine: Engine):
    first, second = Place(NOON, 7), Place(LATER, 8)
    with writing(ledger_engine) as db:
        assert expiring.place_of(db, "expiry", "winter") == START
        expiring.move_place(db, "expiry", "winter", first)
        expiring.move_place(db, "expiry", "spring", second)
        expiring.move_place(db, "reminders", "winter", second)
    with reading(ledger_engine) as db:
        assert expiring.place_of(db, "expiry", "winter") == first
        assert expiring.place_of(db, "expiry", "spring") == second
        assert expiring.place_of(db, "reminders", "winter") == second


def test_only_what_can_still_be_paid_is_open(ledger_engine: Engine):
    books = Books(ledger_engine)
    whole, part, paid, gone = (books.pledge()[0] for _ in range(4))
    books.pay(part, 1)
    books.pay(paid, 750_000)
    books.expire(gone, 750_000)
    with reading(ledger_engine) as db:
        assert expiring.still_open(db, [whole, part, paid, gone]) == {whole, part}
