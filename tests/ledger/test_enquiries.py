from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, delete, select

from ledger import enquiries, schema
from ledger.engine import reading, writing
from ledger.enquiries import NotOpen, State
from ledger.vault import unseal_slots
from tests.ledger.facts import AT, KEYS, caller, count

HOUR = timedelta(hours=1)


def add(db: Connection, words: str = "کی می‌رسد؟", inbound_id: int = 1) -> bool:
    return enquiries.add(
        db,
        KEYS,
        inbound_id=inbound_id,
        person_id=caller(db),
        channel="kave",
        line="10001",
        words=words,
        at=AT,
    )


def answer(db: Connection, words: str = "فردا", enquiry_id: int = 1) -> int:
    return enquiries.answer(
        db,
        KEYS,
        enquiry_id=enquiry_id,
        words=words,
        by="mina",
        template="sms.answer",
        kind="service",
        language="fa",
        menus="m" * 64,
        tests=["trial"],
        at=AT + HOUR,
        expires_at=AT + 2 * HOUR,
    )


def close(db: Connection, enquiry_id: int = 1) -> None:
    enquiries.close(
        db, enquiry_id=enquiry_id, by="mina", why="spam", tests=[], at=AT + HOUR
    )


def test_an_enquiry_is_read_with_its_phone_masked(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        assert add(db)
    with reading(ledger_engine) as db:
        (found,) = enquiries.listed(db, KEYS)
        (held,) = db.scalars(select(schema.enquiry.c.words))
    assert (found.phone, found.words, found.state) == (
        "***4567",
        "کی می‌رسد؟",
        State.OPEN,
    )
    assert "می‌رسد" not in repr(found)
    assert "می‌رسد".encode() not in held


def test_a_text_is_put_before_a_person_once(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        assert add(db)
        assert not add(db, "another")
        assert count(db, schema.enquiry) == 1


def test_a_very_long_text_is_cut(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        add(db, "😀" * 50_000 + "\ud800")
        found = enquiries.show(db, KEYS, enquiry_id=1)
    assert found is not None
    assert found.words == "😀" * enquiries.WORDS_CHARS_MAX


def test_a_lone_surrogate_breaks_nothing(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        add(db, "a\ud800b\x00")
        found = enquiries.show(db, KEYS, enquiry_id=1)
    assert found is not None
    assert found.words == "a?b\x00"


def test_an_answer_is_promised_and_names_who_gave_it(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        add(db)
        answer(db)
        promised = db.execute(select(schema.outbox)).one()
        event = db.execute(select(schema.event)).one()
        found = enquiries.show(db, KEYS, enquiry_id=1)
    assert unseal_slots(KEYS, promised.slots) == {"words": "فردا"}
    assert "فردا" not in str(promised)
    assert (event.kind, event.body, event.test) == (
        "enquiry.answered",
        {"by": "mina"},
        False,
    )
    assert found is not None
    assert (found.state, found.done_by, found.done_why) == ("answered", "mina", "")
    assert found.changed_at == AT + HOUR


def test_a_closed_one_says_why(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        add(db)
        close(db)
        (found,) = enquiries.listed(db, KEYS, state=State.CLOSED)
        (event,) = db.execute(select(schema.event)).all()
        assert enquiries.listed(db, KEYS) == []
        assert count(db, schema.outbox) == 0
    assert (found.done_by, found.done_why) == ("mina", "spam")
    assert event.body == {"by": "mina", "why": "spam"}


def test_nobody_is_answered_twice(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        add(db)

    def try_to(words: str) -> bool:
        try:
            with writing(ledger_engine) as db:
                answer(db, words)
        except NotOpen:
            return False
        return True

    with ThreadPoolExecutor(3) as threads:
        assert sorted(threads.map(try_to, "abc")) == [False, False, True]
    with reading(ledger_engine) as db:
        assert count(db, schema.outbox) == 1


def test_what_is_not_there_is_not_open(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        assert enquiries.show(db, KEYS, enquiry_id=5) is None
        with pytest.raises(NotOpen):
            close(db, 5)
        with pytest.raises(NotOpen):
            answer(db, enquiry_id=5)


def test_the_answer_to_a_rehearsal_is_one(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        enquiries.add(
            db,
            KEYS,
            inbound_id=1,
            person_id=caller(db),
            channel="trial",
            line="10001",
            words="x",
            at=AT,
        )
        answer(db)
        assert db.scalars(select(schema.outbox.c.test)).all() == [True]


def test_the_list_goes_on_behind_an_id(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        for number in range(1, 6):
            add(db, str(number), number)
        first = enquiries.listed(db, KEYS, limit=2)
        rest = enquiries.listed(db, KEYS, after=first[-1].id)
        assert [one.words for one in first + rest] == ["1", "2", "3", "4", "5"]
        assert enquiries.state_counts(db) == {"open": 5, "answered": 0, "closed": 0}


def test_an_erased_persons_has_no_phone(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        add(db)
        db.execute(delete(schema.vault))
        (found,) = enquiries.listed(db, KEYS)
    assert found.phone == ""
