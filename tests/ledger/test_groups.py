"""How many said what to a centre: nothing that tells of fewer than five."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from ledger import groups, sensitive
from ledger.engine import reading, writing
from ledger.groups import Counts, Group
from ledger.sensitive import What
from ledger.small_cells import CELL_MIN
from tests.ledger.facts import AT, KEYS, caller


def say(engine: Engine, numbers: dict[Group, int], centre: str = "c1") -> None:
    with writing(engine) as db:
        for group, number in numbers.items():
            for n in range(number):
                place = list(Group).index(group)
                phone = f"+98912{place}{centre[1:]:0>3}{n:03}"
                sensitive.keep(
                    db,
                    KEYS,
                    person_id=caller(db, phone),
                    what=What.GROUP,
                    answer=group,
                    centre=centre,
                    menus="ab" * 32,
                    at=AT,
                )


def counted(engine: Engine, centre: str = "c1") -> Counts:
    with reading(engine) as db:
        return groups.counted(db, KEYS, centre=centre)


@pytest.mark.parametrize(
    ("said", "told", "rest"),
    [
        ({Group.AUTISM: 5}, {Group.AUTISM: 5}, 0),
        ({Group.AUTISM: 4}, {}, None),
        ({Group.AUTISM: 4, Group.OTHER: 3}, None, 7),
        ({Group.AUTISM: 4, Group.OTHER: 9}, None, 13),
    ],
)
def test_fewer_than_five_are_told_with_others_or_not_at_all(
    ledger_engine: Engine,
    said: dict[Group, int],
    told: dict[Group, int] | None,
    rest: int | None,
) -> None:
    say(ledger_engine, said)
    found = counted(ledger_engine)
    assert found.rest == rest
    shown = {group: number for group, number in found.told.items() if number}
    if told is not None:
        assert shown == told
    assert not any(0 < number < CELL_MIN for number in found.told.values())


def test_a_centre_counts_its_own(ledger_engine: Engine) -> None:
    say(ledger_engine, {Group.AUTISM: 6})
    say(ledger_engine, {Group.AUTISM: 7}, centre="c2")
    assert counted(ledger_engine).told[Group.AUTISM] == 6
    assert counted(ledger_engine, "c2").told[Group.AUTISM] == 7
