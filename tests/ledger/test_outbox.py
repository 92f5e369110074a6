"""Promises, states that only rise, and what time does to texts; on both databases."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import Engine, select, update

from ledger import outbox
from ledger.engine import reading, writing
from ledger.outbox import NEVER, RANKS, Kind, State
from ledger.schema import outbox as outbox_table
from tests.texts import KEYS, NOON, PHONE, Texts


@pytest.fixture
def texts(ledger_engine: Engine) -> Texts:
    return Texts(ledger_engine)


def test_a_promised_text_is_queued_and_due_at_once(texts: Texts) -> None:
    row = texts.row(texts.promise(slots={"amt": 75_000, "code": "123456789"}))

    assert row.state == "queued"
    assert row.due_at == row.promised_at == NOON
    assert row.slots == {"amt": 75_000, "code": "123456789"}
    assert row.kind == "receipt"
    assert row.attempts == 0


def test_a_text_may_be_promised_for_later(texts: Texts) -> None:
    first = texts.row(texts.promise())
    later = NOON + timedelta(hours=1)
    with writing(texts.engine) as db:
        other = outbox.promise(
            db,
            event_id=first.event_id,
            person_id=first.person_id,
            template="sms.reminder",
            slots={},
            language="fa",
            menus="m" * 64,
            kind="campaign",
            campaign=None,
            test=False,
            at=NOON,
            due_at=later,
            expires_at=later + timedelta(hours=1),
        )
    assert texts.row(other).due_at == later
    assert [row.id for row in texts.claim()] == [first.id]


def test_promising_twice_for_one_event_is_one_text(texts: Texts) -> None:
    first = texts.row(texts.promise())
    with writing(texts.engine) as db:
        again = outbox.promise(
            db,
            event_id=first.event_id,
            person_id=first.person_id,
            template=first.template,
            slots={"amt": 1},
            language="en",
            menus="m" * 64,
            kind=Kind.RECEIPT,
            campaign=None,
            test=False,
            at=NOON,
            expires_at=NOON + timedelta(hours=1),
        )
    assert again == first.id
    assert texts.row(again).slots == {"amt": 75_000}


def test_a_kind_that_does_not_exist_is_refused(texts: Texts) -> None:
    with pytest.raises(ValueError, match="bulk"):
        texts.promise("bulk")  # type: ignore[arg-type]  # what the test is about


def test_a_state_only_rises(texts: Texts) -> None:
    text = texts.promise()
    for old in State:
        for new in State:
            with writing(texts.engine) as db:
                db.execute(update(outbox_table).values(state=old))
                raised = outbox.raise_state(db, outbox_id=text, state=new, at=NOON)
            rises = RANKS[new] > RANKS[old]
            assert raised == rises, (old, new)
            assert texts.state(text) == (new if rises else old)


def test_whatever_order_news_comes_in_the_highest_stands(texts: Texts) -> None:
    news = (State.SENT, State.DELIVERED, State.FAILED, State.SENT)
    for order in permutations(news):
        text = texts.promise()
        with writing(texts.engine) as db:
            for state in order:
                outbox.raise_state(db, outbox_id=text, state=state, at=NOON)
        assert texts.state(text) == "delivered", order


def test_a_text_that_nobody_sent_in_time_expires(texts: Texts) -> None:
    old = texts.promise(expires_in_seconds=60)
    young = texts.promise(expires_in_seconds=3600)
    texts.wait(61)

    with writing(texts.engine) as db:
        assert outbox.expire(db, at=texts.at) == 1
        assert outbox.expire(db, at=texts.at) == 0

    assert texts.state(old) == "expired"
    assert texts.state(young) == "queued"


def test_expiry_goes_in_bounded_steps(texts: Texts) -> None:
    for _ in range(3):
        texts.promise(expires_in_seconds=60)
    texts.wait(61)
    with writing(texts.engine) as db:
        assert outbox.expire(db, at=texts.at, limit=2) == 2
        assert outbox.expire(db, at=texts.at, limit=2) == 1


def test_unsent_texts_of_a_person_can_be_withdrawn(texts: Texts) -> None:
    mine, other = texts.promise(), texts.promise(phone="+989351234567")
    going = texts.promise()
    with writing(texts.engine) as db:
        outbox.raise_state(db, outbox_id=going, state=State.SENT, at=NOON)
        person = texts.row(mine).person_id
        assert outbox.withdraw(db, person_id=person, at=NOON) == 1

    assert [texts.state(text) for text in (mine, other, going)] == [
        "withdrawn",
        "queued",
        "sent",
    ]


def test_the_texts_of_an_event_can_be_withdrawn(texts: Texts) -> None:
    mine, other = texts.promise(), texts.promise()
    with writing(texts.engine) as db:
        assert outbox.withdraw(db, event_id=texts.row(mine).event_id, at=NOON) == 1
    assert texts.state(mine) == "withdrawn"
    assert texts.state(other) == "queued"


def test_an_empty_outbox_is_never_due(texts: Texts) -> None:
    with reading(texts.engine) as db:
        assert outbox.next_due(db) is None
        assert not outbox.due(db, at=NOON)


def test_what_is_due_next_counts_leases_but_not_what_waits_for_a_receipt(
    texts: Texts,
) -> None:
    text = texts.promise()
    with reading(texts.engine) as db:
        assert outbox.due(db, at=NOON)
        assert outbox.next_due(db) == NOON

    texts.claim(lease_seconds=30)
    with reading(texts.engine) as db:
        assert not outbox.due(db, at=NOON)
        assert outbox.next_due(db) == NOON + timedelta(seconds=30)
        assert outbox.due(db, at=NOON + timedelta(seconds=30))

    with writing(texts.engine) as db:
        db.execute(
            update(outbox_table)
            .where(outbox_table.c.id == text)
            .values(state=State.UNCLEAR, due_at=NEVER, lease_until=None)
        )
        assert outbox.next_due(db) is None


def test_every_state_is_counted(texts: Texts) -> None:
    texts.promise()
    texts.promise()
    with reading(texts.engine) as db:
        counts = outbox.state_counts(db)
    assert counts[State.QUEUED] == 2
    assert set(counts) == set(State)
    assert sum(counts.values()) == 2


def test_no_phone_number_stands_in_the_outbox(texts: Texts) -> None:
    texts.promise()
    with reading(texts.engine) as db:
        said = str(db.execute(select(outbox_table)).all())
    assert PHONE[3:] not in said
    assert KEYS.vault not in said.encode()
