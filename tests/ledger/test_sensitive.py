"""A sensitive answer stands apart, under the person's own key; on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select, update

from ledger import schema, sensitive
from ledger.engine import reading, writing
from ledger.vault import WrongKeys
from tests.ledger.facts import AT, KEYS, OTHER_PHONE, PHONE, caller

GROUP = sensitive.What.GROUP

ANSWER = "کم‌بینا"


def test_only_the_one_centre_reads_an_answer(ledger_engine: Engine) -> None:
    person_id = _keep(ledger_engine)
    with reading(ledger_engine) as db:
        assert _read(db, person_id, "rey") == ANSWER
        assert _read(db, person_id, "tajrish") is None
        row = db.execute(select(schema.sensitive)).one()
    assert ANSWER.encode() not in row.answer
    assert row.menus == "ab" * 32


def test_a_later_answer_takes_the_place_of_the_first(ledger_engine: Engine) -> None:
    person_id = _keep(ledger_engine)
    _keep(ledger_engine, answer="کم‌شنوا", centre="tajrish")
    with reading(ledger_engine) as db:
        assert _read(db, person_id, "rey") is None
        assert _read(db, person_id, "tajrish") == "کم‌شنوا"


def test_an_answer_of_no_centre_is_read_by_none(ledger_engine: Engine) -> None:
    person_id = _keep(ledger_engine, centre=None)
    with reading(ledger_engine) as db:
        assert _read(db, person_id, "rey") is None
        assert _read(db, person_id, "") is None


def test_an_answer_is_no_other_persons(ledger_engine: Engine) -> None:
    _keep(ledger_engine)
    other = _keep(ledger_engine, phone=OTHER_PHONE, answer="x")
    mine = select(schema.sensitive.c.answer).where(schema.sensitive.c.person_id == 1)
    with writing(ledger_engine) as db:
        moved = update(schema.sensitive).where(schema.sensitive.c.person_id == other)
        db.execute(moved.values(answer=db.scalar(mine)))
    with reading(ledger_engine) as db, pytest.raises(WrongKeys):
        _read(db, other, "rey")


def test_consent_that_is_taken_back_takes_the_answer_with_it(
    ledger_engine: Engine,
) -> None:
    person_id = _keep(ledger_engine)
    with writing(ledger_engine) as db:
        assert sensitive.take_back(db, person_id=person_id, what=GROUP)
        assert not sensitive.take_back(db, person_id=person_id, what=GROUP)
        assert _read(db, person_id, "rey") is None


def _keep(
    engine: Engine,
    phone: str = PHONE,
    answer: str = ANSWER,
    centre: str | None = "rey",
) -> int:
    with writing(engine) as db:
        person_id = caller(db, phone)
        assert sensitive.keep(
            db,
            KEYS,
            what=GROUP,
            person_id=person_id,
            answer=answer,
            centre=centre,
            menus="ab" * 32,
            at=AT,
        )
        return person_id


def _read(db, person_id: int, centre: str) -> str | None:
    return sensitive.answer_of(db, KEYS, person_id=person_id, what=GROUP, centre=centre)
