from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from ledger import publications
from ledger.engine import LedgerError, reading, writing
from ledger.publications import Change, Published, changes
from ledger.report import figures
from ledger.reporting import digest
from ledger.requests import Refused
from ledger.sealing.notes import Signer
from ledger.sealing.sealer import seal
from tests.ledger.books import CAMPAIGN, Books
from tests.ledger.purchases import Shop

SIGNER = Signer(b"s" * 32, "give.example.org/yarigar")


@pytest.fixture
def shop(ledger_engine: Engine) -> Shop:
    shop = Shop(Books(ledger_engine))
    for last in range(6):
        shop.given(100, f"+98912123456{last}")
    return shop


def _seal(shop: Shop) -> None:
    seal(shop.books.engine, SIGNER, "Asia/Tehran", shop.books.at)


def _publish(shop: Shop) -> Published:
    _seal(shop)
    with reading(shop.books.engine, snapshot=True) as db:
        said = publications.proposed(db, CAMPAIGN)
    assert said.size is not None
    with writing(shop.books.engine) as db:
        return publications.publish(
            db,
            campaign=CAMPAIGN,
            size=said.size,
            digest_hex=digest(said).hex(),
            by="reza",
            at=shop.books.at,
        )


def test_nothing_is_published_without_a_seal(shop: Shop) -> None:
    with (
        pytest.raises(Refused, match="nothing is sealed"),
        reading(shop.books.engine) as db,
    ):
        publications.proposed(db, CAMPAIGN)


def test_a_campaign_that_the_books_do_not_know_has_no_report(shop: Shop) -> None:
    _seal(shop)
    with (
        pytest.raises(Refused, match="nothing of one-plus-on is sealed"),
        reading(shop.books.engine) as db,
    ):
        publications.proposed(db, "one-plus-on")


def test_what_was_seen_is_published_whatever_came_since(shop: Shop) -> None:
    _seal(shop)
    with reading(shop.books.engine, snapshot=True) as db:
        said = publications.proposed(db, CAMPAIGN)
    shop.given(5000)
    shop.buy(300)
    _seal(shop)
    assert said.size is not None
    with writing(shop.books.engine) as db:
        done = publications.publish(
            db,
            campaign=CAMPAIGN,
            size=said.size,
            digest_hex=digest(said).hex(),
            by="reza",
            at=shop.books.at,
        )
    assert (done.number, done.statement) == (1, said)
    assert done.statement.total.received == 600
    assert len(done.root) == 32
    assert done.day == "2026-11-22"


def test_a_report_that_the_books_do_not_give_is_refused(shop: Shop) -> None:
    _seal(shop)
    with (
        pytest.raises(Refused, match="do not give"),
        writing(shop.books.engine) as db,
    ):
        publications.publish(
            db,
            campaign=CAMPAIGN,
            size=3,
            digest_hex="00" * 32,
            by="reza",
            at=shop.books.at,
        )


def test_one_seal_has_one_report(shop: Shop) -> None:
    _publish(shop)
    with reading(shop.books.engine) as db:
        latest = publications.latest(db, CAMPAIGN)
    assert latest is not None
    with (
        pytest.raises(Refused, match="report 1 stands on this seal"),
        writing(shop.books.engine) as db,
    ):
        publications.publish(
            db,
            campaign=CAMPAIGN,
            size=latest.statement.size or 0,
            digest_hex=latest.digest.hex(),
            by="reza",
            at=shop.books.at,
        )


def test_two_who_publish_at_once_publish_one(shop: Shop) -> None:
    _seal(shop)
    with reading(shop.books.engine, snapshot=True) as db:
        said = publications.proposed(db, CAMPAIGN)

    def publish(_: int) -> bool:
        try:
            with writing(shop.books.engine) as db:
                publications.publish(
                    db,
                    campaign=CAMPAIGN,
                    size=said.size or 0,
                    digest_hex=digest(said).hex(),
                    by="reza",
                    at=shop.books.at,
                )
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(publish, range(4))).count(True) == 1


def test_a_later_report_shows_what_is_different(shop: Shop) -> None:
    first = _publish(shop)
    shop.buy(250, quantity=10)
    for _ in range(5):
        shop.gift(8)
    second = _publish(shop)
    found = changes(first.statement, second.statement)
    total = [change for change in found if change.table == "total"]
    assert total == [
        Change("total", "", "donors", "", 6, 11),
        Change("total", "", "received", "", 600, 640),
        Change("total", "", "spent", "", 0, 250),
        Change("total", "", "unspent", "", 600, 390),
        Change("total", "", "bought", "parcel", 0, 10),
    ]
    assert not any(change.is_correction for change in found)
    assert changes(second.statement, second.statement) == []


def test_what_few_people_gave_cannot_be_read_out_of_two_reports(shop: Shop) -> None:
    _publish(shop)
    for _ in range(4):
        shop.gift(8)
    with pytest.raises(Refused, match="fewer than 5 people gave since report 1"):
        _publish(shop)
    shop.gift(8)
    assert _publish(shop).number == 2
    shop.buy(100)
    assert _publish(shop).number == 3


def test_what_few_people_promised_or_took_back_cannot_be_read_out_either(
    shop: Shop,
) -> None:
    pledges = [
        shop.books.pledge(f"+98912123457{last}", 5000, purpose="nowruz")
        for last in range(5)
    ]
    _publish(shop)
    refused = pytest.raises(Refused, match="fewer than 5 people gave")
    for act in (
        lambda: shop.books.pledge("+989121234579", 1234, purpose="nowruz"),
        lambda: shop.books.cancel(pledges[0][1], "+989121234570"),
        lambda: shop.taken_back(shop.given(100, "+989121234561"), 30),
    ):
        act()
        with refused:
            _publish(shop)
    for pledge_id, _ in pledges[1:3]:
        shop.books.expire(pledge_id, 5000)
    assert _publish(shop).number == 2
    gift = shop.gift(100)
    for _ in range(4):
        shop.gift(100)
    assert _publish(shop).number == 3
    shop.taken_back(gift, 77)
    with refused:
        _publish(shop)


@pytest.mark.parametrize(
    ("change", "corrects"),
    [
        (Change("total", "", "received", "", 600, 500), True),
        (Change("total", "", "received", "", 600, 700), False),
        (Change("total", "", "unspent", "", 600, 500), False),
        (Change("purposes", "nowruz", "bought", "parcel", 24, 20), True),
        (Change("purposes", "*", "received", "", 600, 500), False),
        (Change("purposes", "nowruz", "received", "", 600, None), False),
    ],
)
def test_only_a_figure_that_cannot_fall_by_itself_was_corrected(
    change: Change, corrects: bool
) -> None:
    assert change.is_correction is corrects


def test_callers_hear_what_was_published(shop: Shop) -> None:
    with reading(shop.books.engine) as db:
        assert figures(db, campaign=CAMPAIGN).number == 0
    _publish(shop)
    shop.given(5000)
    with reading(shop.books.engine) as db:
        told = figures(db, campaign=CAMPAIGN)
    assert (told.number, told.paid_rial, told.unspent_rial) == (1, 600, 600)


def test_a_published_report_cannot_be_changed(shop: Shop) -> None:
    _publish(shop)
    for act in ("UPDATE report SET number = 7", "DELETE FROM report"):
        with pytest.raises(LedgerError), writing(shop.books.engine) as db:
            db.execute(text(act))
