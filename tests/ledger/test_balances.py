from __future__ import annotations

from sqlalchemy import Engine

from ledger.balances import (
    Balance,
    CampaignTotal,
    Trial,
    balances,
    campaign_totals,
    trial,
)
from ledger.engine import reading
from ledger.payments import Kind
from tests.ledger.books import CAMPAIGN, Books

RECEIVABLE = f"A:Receivable:Pledge:{CAMPAIGN}"
DONATION = f"N:Donation:{CAMPAIGN}:nowruz"


def test_a_pledge_is_pending_until_it_is_paid(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge, _ = books.pledge(amount=100)
    with reading(ledger_engine) as db:
        assert balances(db) == [
            Balance(RECEIVABLE, "rial", pending=100, posted=0),
            Balance(DONATION, "rial", pending=-100, posted=0),
        ]

    books.pay(pledge, 30)
    with reading(ledger_engine) as db:
        assert balances(db) == [
            Balance(RECEIVABLE, "rial", pending=70, posted=0),
            Balance("A:Settle:psp", "rial", pending=0, posted=30),
            Balance("L:Suspense:psp", "rial", pending=0, posted=0),
            Balance(DONATION, "rial", pending=-70, posted=-30),
        ]


def test_what_is_taken_back_or_runs_out_was_never_posted(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    _, code = books.pledge(amount=100)
    late, _ = books.pledge(amount=50)
    books.cancel(code)
    books.expire(late, 20)
    with reading(ledger_engine) as db:
        assert balances(db) == [
            Balance(RECEIVABLE, "rial", pending=30, posted=0),
            Balance(DONATION, "rial", pending=-30, posted=0),
        ]


def test_the_books_of_each_unit_sum_to_zero(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge, _ = books.pledge(amount=100)
    books.pledge(amount=3, unit="parcel", campaign="parcels")
    books.pay(pledge, 60)
    with reading(ledger_engine) as db:
        assert trial(balances(db)) == [Trial("parcel", 0, 0), Trial("rial", 0, 0)]


def test_a_rehearsal_stands_apart(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    books.pledge(amount=100, test=True)
    with reading(ledger_engine) as db:
        assert balances(db) == []
        assert [one.pending for one in balances(db, test=True)] == [100, -100]
        assert campaign_totals(db, campaign=CAMPAIGN) == []
        assert len(campaign_totals(db, campaign=CAMPAIGN, test=True)) == 1


def test_a_campaign_totals_what_became_of_its_pledges(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    paid, _ = books.pledge("+989121234561", 100)
    _, cancelled = books.pledge("+989121234562", 200)
    expired, _ = books.pledge("+989121234563", 400)
    books.pledge("+989121234561", 800, purpose="school")
    books.pledge("+989121234565", 1_000, campaign="another")
    books.pay(paid, 60)
    books.pay(paid, 40)
    books.cancel(cancelled, "+989121234562")
    books.expire(expired, 150)

    with reading(ledger_engine) as db:
        (rial,) = campaign_totals(db, campaign=CAMPAIGN)
    assert (rial.unit, rial.pledges, rial.pledged) == ("rial", 4, 1_500)
    assert (rial.voided, rial.expired, rial.paid) == (200, 150, 100)
    assert (rial.standing, rial.outstanding) == (1_150, 1_050)
    # One gave twice and one took it all back.
    assert rial.donors == 2


def test_gifts_refunds_and_what_was_given_up_are_told_apart(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    paid, code = books.pledge(amount=100)
    given_up, _ = books.pledge(amount=200)
    books.pledge(amount=3, unit="parcel")
    books.pay(paid, 100)
    books.write_off(given_up, 150)
    books.give(40)
    books.give(9, campaign="another")
    books.give_back(25, Kind.REVERSAL, code=code)
    books.agree_refund(paid, 10)

    with reading(ledger_engine) as db:
        goods, rial = campaign_totals(db, campaign=CAMPAIGN)
        (other,) = campaign_totals(db, campaign="another")
    assert (rial.pledged, rial.written_off, rial.voided) == (300, 150, 0)
    assert (rial.standing, rial.outstanding) == (150, 50)
    assert (rial.paid, rial.gifts, rial.refunded) == (100, 40, 35)
    assert rial.received == 105
    assert (goods.unit, goods.pledged, goods.received) == ("parcel", 3, 0)
    # A campaign of gifts alone has its row.
    assert other == CampaignTotal("another", "rial", gifts=9)


def test_a_rehearsed_gift_is_not_counted(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    books.pledge(amount=100, test=True)
    books.give(40, test=True)
    with reading(ledger_engine) as db:
        assert campaign_totals(db, campaign=CAMPAIGN) == []
        (rial,) = campaign_totals(db, campaign=CAMPAIGN, test=True)
    assert (rial.pledged, rial.gifts) == (100, 40)
