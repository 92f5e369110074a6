"""The public report: what everyone reads of a campaign, and nobody's gift in it."""

from __future__ import annotations

import csv
import io
from typing import Any

import openpyxl
import pytest
from sqlalchemy import event

from gateway import approvals
from gateway.reports import ask_to_publish
from ledger.requests import Request, RequestState
from ledger.sealing.notes import Signer
from ledger.sealing.sealer import seal
from tests.gateway.house import ROOT_CODE, Gateway
from tests.ledger.books import CAMPAIGN, Books
from tests.ledger.purchases import Shop

PAGE = f"/report/{CAMPAIGN}"
SIGNER = Signer(b"s" * 32, "give.example.org/yarigar")


@pytest.fixture(params=["sqlite", "postgresql"])
def gateway_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shop(gateway: Gateway) -> Shop:
    """Three purposes, one with few givers; a batch that was given out in part."""
    books = Books(gateway.service.engine)
    shop = Shop(books)
    for purpose, first, count in (("nowruz", 0, 7), ("needed", 20, 9), ("kids", 40, 2)):
        for number in range(first, first + count):
            Shop(books, purpose=purpose).given(1_000_000, f"+98912{number:07}")
    shop.buy(4_000_000, quantity=240)
    shop.send(238)
    shop.deliver(90, district="12")
    shop.deliver(108, district="<b>3</b>")
    shop.deliver(2, district="7")
    return shop


def _asked(gateway: Gateway) -> Request:
    service = gateway.service
    seal(service.engine, SIGNER, "Asia/Tehran", gateway.clock())
    made, _ = ask_to_publish(
        service, campaign=CAMPAIGN, why="month", by="sara", at=gateway.clock()
    )
    return made


def _publish(gateway: Gateway) -> Request:
    made = _asked(gateway)
    gateway.clock.wait(minutes=1)
    return approvals.approve(gateway.service, made.id, by="reza", at=gateway.clock())


def _page(gateway: Gateway, query: str = "") -> str:
    answer = gateway.client.get(PAGE + query)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_nothing_is_shown_before_two_people_agreed(
    gateway: Gateway, shop: Shop
) -> None:
    made = _asked(gateway)
    assert gateway.client.get(PAGE).status_code == 404
    with pytest.raises(approvals.Refused, match="somebody else"):
        approvals.approve(gateway.service, made.id, by="sara", at=gateway.clock())
    assert gateway.client.get(PAGE).status_code == 404
    done = approvals.approve(gateway.service, made.id, by="reza", at=gateway.clock())
    assert done.state is RequestState.DONE
    assert gateway.client.get(PAGE).status_code == 200
    kinds = [row.kind for row in gateway.rows("event")]
    assert kinds.count("report.published") == 1


def test_nobody_waits_for_a_pledge_while_a_report_is_counted(
    gateway: Gateway, shop: Shop
) -> None:
    """On SQLite whoever writes is alone; a large campaign is counted for seconds."""
    made = _asked(gateway)
    said: list[str] = []

    def hear(conn: object, cursor: object, statement: str, *rest: object) -> None:
        said.append(statement)

    listened = gateway.service.engine, "before_cursor_execute", hear
    event.listen(*listened)
    done = approvals.approve(gateway.service, made.id, by="reza", at=gateway.clock())
    event.remove(*listened)
    assert done.state is RequestState.DONE
    counts = [nth for nth, one in enumerate(said) if "count(DISTINCT" in one]
    # Looked up first, then again by who writes.
    looks = [nth for nth, one in enumerate(said) if one.startswith("SELECT request.id")]
    assert looks[0] < min(counts)
    assert max(counts) < looks[1]


def test_the_page_says_the_figures_in_persian_and_english(
    gateway: Gateway, shop: Shop
) -> None:
    _publish(gateway)
    page = _page(gateway)
    assert '<html lang="fa" dir="rtl">' in page
    for said in ("۱٬۸۰۰٬۰۰۰", "۱٬۴۰۰٬۰۰۰", "۲۰۰ بسته", "۲۴۰ بسته", "۱۴۰۵/۰۹/۰۱"):
        assert said in page, said
    english = _page(gateway, "?lang=en")
    assert '<html lang="en" dir="ltr">' in english
    for said in ("1,800,000", "1,400,000", "200 parcels", "Where most needed", "18"):
        assert said in english, said


def test_few_givers_are_nowhere_on_the_page(gateway: Gateway, shop: Shop) -> None:
    _publish(gateway)
    english = _page(gateway, "?lang=en")
    assert "Others together" in english
    assert "200,000" not in english.replace("1,200,000", "")
    assert "kids" not in english
    assert ">7<" not in english.split("By district")[1].split("</table>")[0]


def test_a_name_from_the_books_is_never_markup(gateway: Gateway, shop: Shop) -> None:
    _publish(gateway)
    page = _page(gateway)
    assert "<b>3" not in page
    assert "&lt;b&gt;۳&lt;/b&gt;" in page
    policy = gateway.client.get(PAGE).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "<script" not in page
    assert "style=" not in page


def test_the_files_hold_the_figures_of_the_page(gateway: Gateway, shop: Shop) -> None:
    _publish(gateway)
    answer = gateway.client.get(f"{PAGE}.csv?lang=en")
    text = answer.data.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    total = rows[0]
    assert (total["table"], total["received"], total["donors"]) == (
        "total",
        "18000000",
        "18",
    )
    assert (total["bought_parcel"], total["delivered_parcel"]) == ("240", "200")
    by_purpose = [row for row in rows if row["table"] == "purposes"]
    assert sum(int(row["received"]) for row in by_purpose) == 18_000_000
    assert {row["report"] for row in rows} == {"1"}
    book = openpyxl.load_workbook(
        io.BytesIO(gateway.client.get(f"{PAGE}.xlsx?lang=fa").data)
    )
    sheet: Any = book.active
    assert sheet.sheet_view.rightToLeft
    cells = list(sheet.iter_rows(values_only=True))
    assert cells[1][5] == 18_000_000
    assert [row[4:9] for row in cells[1:]] == [
        tuple(int(row[name]) for name in list(rows[0])[4:9]) for row in rows
    ]
    assert answer.headers["Content-Disposition"].endswith('report-1.csv"')


def test_a_caller_hears_the_figures_of_the_page(gateway: Gateway, shop: Shop) -> None:
    _publish(gateway)
    shop.given(990_000_000)
    screen = gateway.walk("9", "5", code=ROOT_CODE)
    assert "۱٬۸۰۰٬۰۰۰" in screen.text


def test_the_next_report_shows_what_changed(gateway: Gateway, shop: Shop) -> None:
    _publish(gateway)
    gift, *_ = [shop.gift(1_000_000) for _ in range(5)]
    shop.taken_back(gift, 1_000_000)
    shop.buy(1_000_000, quantity=20)
    _publish(gateway)
    page = _page(gateway, "?lang=en")
    assert "What is different from report" in page
    assert "240 parcels" in page
    assert "260 parcels" in page
    first = _page(gateway, "?lang=en&number=1")
    assert "What is different" not in first
    assert "260 parcels" not in first


def test_a_page_that_is_known_is_not_sent_again(gateway: Gateway, shop: Shop) -> None:
    _publish(gateway)
    first = gateway.client.get(PAGE)
    assert "max-age" in first.headers["Cache-Control"]
    again = gateway.client.get(PAGE, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/report/nowhere",
        "/report/%00",
        "/report/" + "a" * 41,
        "/report/One-Plus-One",
        f"{PAGE}?number=2",
        f"{PAGE}?number=0",
        f"{PAGE}?number=-1",
        f"{PAGE}?number=%DB%B1",
        f"{PAGE}?number=99999999999999999999",
        f"{PAGE}.pdf",
        "/report/static/../../settings.py",
        "/report/static/nothing.css",
    ],
)
def test_what_is_not_there_is_a_line(gateway: Gateway, shop: Shop, path: str) -> None:
    _publish(gateway)
    answer = gateway.client.get(path)
    assert answer.status_code == 404
    assert answer.text.count("\n") == 1


def test_an_unknown_language_is_the_first_one(gateway: Gateway, shop: Shop) -> None:
    _publish(gateway)
    assert 'lang="fa"' in _page(gateway, "?lang=%3Cscript%3E")


def test_an_older_seal_is_not_published_after_a_newer_one(
    gateway: Gateway, shop: Shop
) -> None:
    older = _asked(gateway)
    shop.given(1_000_000)
    gateway.clock.wait(minutes=1)
    _publish(gateway)
    late = approvals.approve(gateway.service, older.id, by="reza", at=gateway.clock())
    assert late.state is RequestState.REFUSED
    assert len(gateway.rows("report")) == 1
    assert "1,900,000" in _page(gateway, "?lang=en")
