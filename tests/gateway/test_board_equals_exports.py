"""The board of 22 districts, the page and the command, against the exports."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from gateway import boards
from gateway.board_words import public
from ledger import schema
from ledger.board import FIGURES, Row
from ledger.engine import reading, writing
from ledger.places.stored import read_tree
from ledger.verify import verify
from tests.gateway.house import Gateway
from tests.gateway.operator import Operator
from tests.ledger import boards as towns
from tests.ledger.board_sums import summed
from tests.ledger.boards import DISTRICTS, Year

VOLUNTEER, ASSEMBLY = "*780*5588*2#", "*780*5588*7#"


@pytest.fixture(params=["sqlite", "postgresql"])
def gateway_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def desk(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Operator:
    monkeypatch.setattr("gateway.cli.board.now", operator.gateway.clock)
    # So that what is dialled finds the keys of the books that are filled.
    monkeypatch.setattr(towns, "KEYS", operator.gateway.service.keys)
    return operator


def dialled(gateway: Gateway) -> None:
    """Two volunteers at a centre, one nowhere, and a benefactor, by their phones."""
    for number, place in enumerate((("1", "11023"), ("1", "11023"), ("4",))):
        ended = gateway.walk(
            *("1", *place, "1", "4", "1"),
            session=f"v{number}",
            phone=f"+98912111000{number}",
            code=VOLUNTEER,
        )
        assert ended.ends, ended
    joined = gateway.walk(
        *("2", "1", "11", "2", "20", "35", "شیرین", "1"),
        session="b",
        phone="+989121110009",
        code=ASSEMBLY,
    )
    assert joined.text.startswith("سپاس؛ آمادگی شما ثبت شد.")


@pytest.mark.parametrize("level", ["district", "centre"])
def test_what_operators_read_is_the_sum_of_the_exports(
    desk: Operator, gateway: Gateway, tmp_path: Path, level: str
) -> None:
    engine, path = gateway.service.engine, tmp_path / "board.csv"
    Year(engine).fill()
    dialled(gateway)
    gateway.clock.wait(days=1)
    done = desk.run("board", "--level", level, "--within", "ir", "--csv", str(path))
    assert done.exit_code == 0, done.output
    with reading(engine, snapshot=True) as db:
        tree = read_tree(db)
        assert verify(db).faults == ()
    expected = summed(engine, tree, level, gateway.clock())
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["place"] for row in rows} >= expected.keys()
    for row in rows:
        of = expected.get(row["place"], Counter())
        assert {name: int(row[name]) for name in FIGURES} == {
            name: of[name] for name in FIGURES
        }
    if level == "district":
        assert [row["place"] for row in rows] == [*DISTRICTS, ""]
        (eleven,) = [row for row in rows if row["place"] == "23-t11"]
        assert int(eleven["people_covered"]) >= 35


def test_the_command_tells_every_district_and_the_sum(desk: Operator) -> None:
    Year(desk.gateway.service.engine).fill(1)
    told = desk.run("board").output.splitlines()
    heads = [line.split()[0] for line in told if not line.startswith(" ")]
    assert heads == [*DISTRICTS, "elsewhere", "all"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--level", "street"), "there is no level 'street'"),
        (("--within", "23-t99"), "there is no place '23-t99'"),
        (("--csv", "/nowhere/board.csv"), "No such file"),
    ],
)
def test_a_board_that_there_is_not_is_refused_in_a_line(
    desk: Operator, arguments: tuple[str, ...], why: str
) -> None:
    towns.settle(desk.gateway.service.engine)
    refused = desk.run("board", *arguments)
    assert refused.exit_code == 2
    assert why in refused.output
    assert refused.output.count("\n") == 1


def test_everybody_reads_the_board_without_the_few(
    desk: Operator, gateway: Gateway
) -> None:
    Year(gateway.service.engine).fill(2)
    for language, few, name in (
        ("fa", "کمتر از پنج", "منطقه ۱۱"),
        ("en", "fewer than five", "District 11"),
    ):
        page = gateway.client.get(f"/board?lang={language}&within=ir")
        assert page.status_code == 200
        assert few in page.text
        assert name in page.text
        assert "<script" not in page.text
        assert page.headers["Cache-Control"] == "public, max-age=60"
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_no_sum_tells_what_a_line_does_not() -> None:
    nothing = dict.fromkeys(FIGURES, 0)
    rows = [
        Row("23-t1", nothing | {"volunteers": 3, "minutes_given": 240}),
        Row("23-t2", nothing | {"volunteers": 5, "minutes_given": 300}),
        Row("23-t3", nothing | {"benefactors": 1, "people_covered": 90}),
        Row("23-t4", nothing | {"decisions_open": 1, "people_needed": 2}),
    ]
    one, two, three, four, (place, sums) = (told for told in public(rows))
    assert (one[1]["volunteers"], one[1]["minutes_given"]) == (None, None)
    assert (two[1]["volunteers"], two[1]["minutes_given"]) == (5, 300)
    assert (three[1]["benefactors"], three[1]["people_covered"]) == (None, None)
    # What nobody did, and what an assembly decided, is not of few people.
    assert (four[1]["decisions_open"], four[1]["people_needed"]) == (1, 2)
    assert (place, sums["volunteers"], sums["people_covered"]) == ("total", 5, 0)


def test_the_books_are_read_once_a_minute(desk: Operator, gateway: Gateway) -> None:
    Year(gateway.service.engine).fill(1)

    def covered() -> str:
        return str(gateway.client.get("/board?lang=en").text)

    first = covered()
    with writing(gateway.service.engine) as db:
        db.execute(schema.benefactor.update().values(covers=400))
    gateway.clock.wait(seconds=59)
    assert covered() == first
    gateway.clock.wait(seconds=1)
    assert covered() != first


def test_no_more_boards_are_kept_than_a_few(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boards, "KEPT_MAX", 3)
    kept = boards.Boards(gateway.service.engine)
    at = gateway.clock()
    for number in range(5):
        kept.of(level="district", within=f"p{number}", today=at.date(), at=at)
    first = kept.of(level="district", within="p4", today=at.date(), at=at)
    again = at + timedelta(seconds=30)
    assert kept.of(level="district", within="p4", today=at.date(), at=again) is first
    gone = kept.of(level="district", within="p0", today=at.date(), at=again)
    assert gone.at == again


@pytest.mark.parametrize(
    "query",
    [
        {"level": "centre"},
        {"level": "booth"},
        {"level": "x" * 5000},
        {"within": "nowhere"},
        {"within": "\u06f1" * 17},
        {"within": "'; DROP TABLE place"},
    ],
)
def test_a_page_that_there_is_not_is_404(
    gateway: Gateway, query: dict[str, str]
) -> None:
    towns.settle(gateway.service.engine)
    answer = gateway.client.get("/board", query_string=query)
    assert answer.status_code == 404
    (asked,) = query
    missing = {"level": "level", "within": "place"}[asked]
    assert answer.text == f"there is no such {missing}\n"


def test_before_there_is_anything_the_page_says_so(gateway: Gateway) -> None:
    towns.settle(gateway.service.engine)
    assert "هنوز چیزی در اینجا ثبت نشده است." in gateway.client.get("/board/").text
