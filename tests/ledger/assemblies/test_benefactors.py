"""Who helps in a district: joined, changed, left, back; on both databases."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from ledger import schema
from ledger.assemblies import benefactors
from ledger.assemblies.limits import AMOUNT_MAX, COVERS_MAX, Wrong
from ledger.engine import writing
from tests.ledger.assemblies.registers import ELEVEN, TWELVE, Registers
from tests.ledger.facts import AT, KEYS, OTHER_PHONE, caller, count


def test_who_joins_is_in_the_register_of_their_district(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        assert not Registers(db).join(amount=20, covers=30).already
        (mine,) = benefactors.benefactors_of(db, person_id=caller(db), test=False)
        assert (mine.district, mine.said.amount, mine.said.covers) == (ELEVEN, 20, 30)
        assert benefactors.listed(db, district=TWELVE, test=False) == []
        assert benefactors.benefactors_of(db, person_id=caller(db), test=True) == []


def test_who_joins_again_changes_what_stands(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        of = Registers(db)
        first = of.join(amount=20)
        again = of.join(amount=50, capacity="jobs")
        assert again.already
        (mine,) = benefactors.listed(db, district=ELEVEN, test=False)
        assert (mine.event_id, mine.said.amount) == (first.recorded.event_id, 50)
        about = select(schema.event.c.kind, schema.event.c.about_id)
        assert db.execute(about.order_by(schema.event.c.id)).all() == [
            ("benefactor", None),
            ("benefactor.change", first.recorded.event_id),
        ]


def test_the_same_key_again_changes_nothing(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        of = Registers(db)
        of.join(key="at:1", amount=20)
        of.join(key="at:2", amount=50)
        again = of.join(key="at:1", amount=20)
        assert (again.already, again.recorded.first) == (False, False)
        (mine,) = benefactors.listed(db, district=ELEVEN, test=False)
        assert mine.said.amount == 50
        assert count(db, schema.event) == 2


def test_who_leaves_is_in_no_list_and_can_come_back(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        of, person_id = Registers(db), caller(db)
        of.join(name="بنیاد مهر")

        def leave(key: str) -> object:
            return benefactors.leave(
                db,
                key=key,
                person_id=person_id,
                district=ELEVEN,
                channel="at",
                test=False,
                at=AT,
            )

        assert leave("at:9") is not None
        assert benefactors.listed(db, district=ELEVEN, test=False) == []
        assert db.scalar(select(schema.benefactor.c.name)) is None
        assert leave("at:10") is None
        assert of.join(amount=7).already
        (mine,) = benefactors.listed(db, district=ELEVEN, test=False)
        assert mine.said.amount == 7
        # The word of the first time, repeated, takes nobody out again.
        assert leave("at:9") is not None
        assert len(benefactors.listed(db, district=ELEVEN, test=False)) == 1


def test_a_name_is_sealed_and_stands_in_no_event(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        joined = Registers(db).join(name="بنیاد مهر")
        sealed, body = (
            db.scalar(select(schema.benefactor.c.name)),
            db.scalar(select(schema.event.c.body)),
        )
        assert sealed is not None
        assert "بنیاد".encode() not in sealed
        assert "بنیاد" not in json.dumps(body, ensure_ascii=False)
        event_id = joined.recorded.event_id
        assert benefactors.name_of(db, KEYS, event_id=event_id) == "بنیاد مهر"


def test_the_latest_district_is_named_first(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        Registers(db, TWELVE).join()
        Registers(db, ELEVEN).join(at=AT + timedelta(minutes=1))
        mine = benefactors.benefactors_of(db, person_id=caller(db), test=False)
        assert [one.district for one in mine] == [ELEVEN, TWELVE]


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 0},
        {"amount": AMOUNT_MAX + 1},
        {"covers": -1},
        {"covers": COVERS_MAX + 1},
        {"name": "مهر 09121234567"},
        {"name": "م" * 31},
        {"name": "a\x00b"},
    ],
)
def test_what_no_register_takes_is_refused(
    ledger_engine: Engine, wrong: dict[str, object]
) -> None:
    with writing(ledger_engine) as db:
        with pytest.raises(Wrong):
            Registers(db).join(**wrong)  # type: ignore[arg-type]  # as parametrized
        assert count(db, schema.event) == 0


def test_many_at_once_are_one_benefactor(ledger_engine: Engine) -> None:
    def run(number: int) -> bool:
        with writing(ledger_engine) as db:
            return Registers(db, name=f"run{number}").join(amount=number + 1).already

    with ThreadPoolExecutor(6) as pool:
        already = list(pool.map(run, range(8)))
    assert already.count(False) == 1
    with writing(ledger_engine) as db:
        assert count(db, schema.benefactor) == 1
        Registers(db, name="other").join(OTHER_PHONE)
        assert count(db, schema.benefactor) == 2
