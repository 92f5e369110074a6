"""The board of all districts, on every level, against what the exports say."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from ledger import erasing, schema, tallies
from ledger.board import ELSEWHERE, FIGURES, Row, board, total
from ledger.engine import reading, writing
from ledger.places.tree import Tree
from tests.ledger.board_sums import summed
from tests.ledger.boards import DISTRICTS, NAHIYEH, PLACES, TOWN, Year, settle
from tests.ledger.books import NOON
from tests.ledger.facts import KEYS

LATER = NOON + timedelta(days=1)
TREE = Tree(PLACES)


def shown(engine: Engine, level: str = "district", within: str = "ir") -> list[Row]:
    with reading(engine, snapshot=True) as db:
        return board(db, level=level, within=within, today=LATER.date(), at=LATER)


@pytest.mark.parametrize("runs", ["counted", "not counted"])
def test_every_figure_is_the_sum_of_the_exports_on_every_level(
    ledger_engine: Engine, runs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Year(ledger_engine).fill()
    if runs == "counted":
        monkeypatch.setattr(tallies, "RUN_EVENTS", 64)
        while tallies.count_run(ledger_engine, NOON + timedelta(days=30)):
            pass
    sums = []
    for level in ("province", "town", "district", "nahiyeh", "centre"):
        rows, expected = (
            shown(ledger_engine, level),
            summed(ledger_engine, TREE, level, LATER),
        )
        for row in rows:
            of = expected.pop(row.place, Counter())
            told = {name: number for name, number in row.figures.items() if number}
            assert told == dict(+of), (level, row.place)
        assert not expected
        sums.append(total(rows))
    assert all(one == sums[0] for one in sums)
    # What is nothing everywhere would be equal for nothing.
    assert [name for name in FIGURES if not sums[0][name]] == []


def test_the_districts_stand_in_the_order_of_their_numbers(
    ledger_engine: Engine,
) -> None:
    settle(ledger_engine)
    rows = shown(ledger_engine, within=TOWN)
    assert [row.place for row in rows] == [*DISTRICTS, ELSEWHERE]
    assert total(rows) == dict.fromkeys(FIGURES, 0)


def test_what_is_known_of_a_district_alone_is_elsewhere_on_a_lower_level(
    ledger_engine: Engine,
) -> None:
    Year(ledger_engine).fill(1)
    part, rest = shown(ledger_engine, "nahiyeh")
    assert part.place == NAHIYEH
    assert part.figures["volunteers"] > 0
    assert part.figures["benefactors"] == 0
    assert rest.figures["benefactors"] >= 22


def test_a_place_that_is_not_in_the_tree_is_elsewhere(ledger_engine: Engine) -> None:
    Year(ledger_engine).fill(1)
    rows = shown(ledger_engine, within="nowhere")
    assert [row.place for row in rows] == [ELSEWHERE]
    assert total(rows) == total(shown(ledger_engine))


def test_who_is_forgotten_is_on_no_board(ledger_engine: Engine) -> None:
    Year(ledger_engine).fill(1)
    before = total(shown(ledger_engine))
    signup = schema.signup.c
    real = select(signup.person_id).where(
        signup.state == "active", signup.test.is_(False)
    )
    with writing(ledger_engine) as db:
        erasing.erase(
            db,
            KEYS,
            person_id=db.scalars(real).first() or 0,
            key="erase",
            channel="at",
            by="self",
            test=False,
            at=NOON,
        )
    after = total(shown(ledger_engine))
    assert after == before | {"volunteers": before["volunteers"] - 1}
    assert after["volunteers"] == sum(
        of["volunteers"]
        for of in summed(ledger_engine, TREE, "district", LATER).values()
    )
