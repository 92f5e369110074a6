from __future__ import annotations

import pytest
from sqlalchemy import Engine

from ledger.engine import reading
from ledger.events import Moved
from ledger.report import Figures, figures
from tests.ledger.books import CAMPAIGN, Books

PHONES = [f"+98912123456{last}" for last in range(6)]


def test_a_campaign_with_nothing_reports_nothing(ledger_engine: Engine) -> None:
    with reading(ledger_engine) as db:
        assert figures(db, campaign=CAMPAIGN) == Figures(0, 0, None, 0)


@pytest.mark.parametrize(("crowd", "told"), [(4, None), (5, 5)])
def test_fewer_than_five_people_are_not_counted_aloud(
    ledger_engine: Engine, crowd: int, told: int | None
) -> None:
    books = Books(ledger_engine)
    for phone in PHONES[:crowd]:
        books.pledge(phone, 100)
    with reading(ledger_engine) as db:
        assert figures(db, campaign=CAMPAIGN).donors == told


def test_what_was_taken_back_is_in_no_figure(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    made = [books.pledge(phone, 100) for phone in PHONES]
    books.pay(made[0][0], 70)
    books.cancel(made[5][1], PHONES[5])
    with reading(ledger_engine) as db:
        found = figures(db, campaign=CAMPAIGN)
    assert (found.pledged_rial, found.paid_rial, found.donors) == (500, 70, 5)


def test_a_report_is_rehearsed_with_rehearsals_only(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    books.pledge(amount=100)
    for phone in PHONES:
        books.pledge(phone, 7, test=True)
    with reading(ledger_engine) as db:
        assert figures(db, campaign=CAMPAIGN).pledged_rial == 100
        assert figures(db, campaign=CAMPAIGN, test=True) == Figures(42, 0, 6, 0)


def test_parcels_that_came_back_were_not_given_out(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    on_the_way, here = "I:Transit:tapsi", "I:Delivered:12"
    books.move(Moved(here, on_the_way, "parcel", 20, "single"))
    books.move(Moved("I:Delivered:3", on_the_way, "parcel", 4, "single"))
    books.move(Moved("I:Returned", here, "parcel", 2, "single"))
    books.move(Moved(here, on_the_way, "parcel", 90, "single"), campaign="another")
    books.move(Moved(here, on_the_way, "parcel", 70, "single"), test=True)
    with reading(ledger_engine) as db:
        assert figures(db, campaign=CAMPAIGN).parcels == 22
