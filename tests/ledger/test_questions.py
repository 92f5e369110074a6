from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, select

from ledger import inbox, questions, schema
from ledger.engine import reading, writing
from ledger.questions import State
from ledger.vault import look_up
from tests.ledger.facts import AT, KEYS, OTHER_PHONE, PHONE, caller, count

WHO = look_up(KEYS, PHONE)
DAY = timedelta(days=1)


def ask(db: Connection, flow: str = "give", phone: str = PHONE, **more: Any) -> int:
    return questions.ask(
        db,
        KEYS,
        **{
            "look_up": look_up(KEYS, phone),
            "person_id": caller(db, phone),
            "channel": "kave",
            "line": "10001",
            "flow": flow,
            "session": {"at": "give.confirm", "answers": {"town": "میبد"}},
            "menus": "m" * 64,
            "language": "fa",
            "began_by": 7,
            "at": AT,
            "expires_at": AT + DAY,
            **more,
        },
    )


def states(db: Connection) -> list[str]:
    table = schema.question.c
    return list(db.scalars(select(table.state).order_by(table.id)))


def test_what_was_asked_is_there_to_be_answered(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        asked = ask(db)
        ask(db, phone=OTHER_PHONE)
    with writing(ledger_engine) as db:
        (found,) = questions.open_to(db, KEYS, look_up=WHO, at=AT)
    assert (found.id, found.flow, found.began_by) == (asked, "give", 7)
    assert found.session == {"at": "give.confirm", "answers": {"town": "میبد"}}


def test_the_latest_comes_first(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        first, second = ask(db), ask(db, "vol")
        found = questions.open_to(db, KEYS, look_up=WHO, at=AT)
    assert [one.id for one in found] == [second, first]


def test_a_session_stands_sealed_and_goes_with_its_question(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        asked = ask(db)
        (held,) = db.scalars(select(schema.question.c.session))
        questions.close(db, [asked], State.ANSWERED)
        (left,) = db.scalars(select(schema.question.c.session))
    assert "میبد".encode() not in held
    assert left == b""


def test_a_closed_question_stays_as_it_was_closed(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        asked = ask(db)
        questions.close(db, [asked], State.ANSWERED)
        questions.close(db, [asked], State.REPLACED)
        questions.close(db, [], State.REPLACED)
        assert states(db) == ["answered"]
        assert questions.open_to(db, KEYS, look_up=WHO, at=AT) == []


def test_a_question_is_open_until_its_time(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        ask(db)
        before = AT + DAY - timedelta(seconds=1)
        assert len(questions.open_to(db, KEYS, look_up=WHO, at=before)) == 1
        assert questions.open_to(db, KEYS, look_up=WHO, at=AT + DAY) == []
        assert states(db) == ["expired"]


def test_the_sweep_closes_everybodys(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        ask(db)
        ask(db, phone=OTHER_PHONE)
        ask(db, "vol", expires_at=AT + 2 * DAY)
        assert questions.expire(db, at=AT + DAY) == 2
        assert questions.expire(db, at=AT + DAY) == 0
        assert states(db) == ["expired", "expired", "open"]


def test_a_text_that_was_answered_with_a_question_is_known(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        began_by = inbox.store_inbound(
            db,
            KEYS,
            carrier="kave",
            carrier_id="a:1",
            look_up=WHO,
            line="10001",
            raw=b"1",
            keyword=None,
            at=AT,
        )
        asked = ask(db, began_by=began_by)

        def known(name: str = "a:1", seconds: int = 0) -> bool:
            return questions.was_asked(
                db,
                look_up=WHO,
                carrier="kave",
                carrier_id=name,
                before=AT + timedelta(seconds=seconds),
            )

        assert known()
        assert not known(seconds=-1)
        assert not known("a:2")
        questions.close(db, [asked], State.ANSWERED)
        assert not known()


def test_a_broken_transaction_asked_nothing(ledger_engine: Engine) -> None:
    class Broken(Exception):
        pass

    try:
        with writing(ledger_engine) as db:
            ask(db)
            raise Broken
    except Broken:
        pass
    with reading(ledger_engine) as db:
        assert count(db, schema.question) == 0
