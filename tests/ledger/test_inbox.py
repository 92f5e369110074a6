"""Receipts and incoming texts: stored once, matched in any order; on both databases."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine, select, update

from ledger import inbox
from ledger.engine import reading, writing
from ledger.inbox import Matched
from ledger.outbox import State
from ledger.schema import attempt, inbound, outbox, person, receipt
from ledger.vault import look_up, unseal_raw
from tests.texts import KEYS, NOON, PHONE, Texts


@pytest.fixture
def texts(ledger_engine: Engine) -> Texts:
    return Texts(ledger_engine)


def test_a_receipt_is_stored_once_with_its_form_sealed(texts: Texts) -> None:
    assert _store(
        texts, "delivered", raw=b"messageid=1&status=10&phone=" + b"9121234567"
    )
    assert not _store(texts, "delivered", raw=b"the same again")
    assert _store(texts, "failed")

    with reading(texts.engine) as db:
        rows = db.execute(select(receipt).order_by(receipt.c.id)).all()
    assert [row.status for row in rows] == ["delivered", "failed"]
    assert b"9121234567" not in rows[0].raw
    assert unseal_raw(KEYS, rows[0].raw).startswith(b"messageid=1")


def test_a_receipt_that_follows_the_answer_raises_the_state(texts: Texts) -> None:
    text = _sent(texts)
    _store(texts, "delivered")

    [matched] = _match(texts)

    assert matched == Matched(
        outbox_id=text,
        person_id=texts.row(text).person_id,
        look_up=look_up(KEYS, PHONE),
        carrier="kave",
        status="delivered",
        raised=True,
    )
    assert texts.state(text) == "delivered"
    assert _match(texts) == []


def test_a_receipt_that_overtakes_the_answer_waits_for_it(texts: Texts) -> None:
    _store(texts, "delivered")
    assert _match(texts) == []

    text = _sent(texts)
    with writing(texts.engine) as db:
        [matched] = inbox.match_receipts(db, at=NOON, ids=[("kave", "1")])

    assert matched.outbox_id == text
    assert texts.state(text) == "delivered"


def test_only_the_receipts_asked_for_are_matched(texts: Texts) -> None:
    text = _sent(texts, carrier_id="1")
    _store(texts, "delivered")
    with writing(texts.engine) as db:
        assert inbox.match_receipts(db, at=NOON, ids=[]) == []
        assert inbox.match_receipts(db, at=NOON, ids=[("kave", "2")]) == []
        assert inbox.match_receipts(db, at=NOON, ids=[("at", "1")]) == []
    assert texts.state(text) == "sent"


def test_ids_belong_to_their_channel(texts: Texts) -> None:
    text = _sent(texts)
    _store(texts, "delivered", carrier="at")
    assert _match(texts) == []
    assert texts.state(text) == "sent"


def test_a_word_that_nobody_knows_changes_nothing_and_is_matched(texts: Texts) -> None:
    text = _sent(texts)
    _store(texts, "unknown")
    [matched] = _match(texts)
    assert not matched.raised
    assert texts.state(text) == "sent"


def test_a_late_sent_after_delivered_changes_nothing(texts: Texts) -> None:
    text = _sent(texts)
    _store(texts, "delivered")
    _match(texts)
    _store(texts, "sent")
    [matched] = _match(texts)
    assert not matched.raised
    assert texts.state(text) == "delivered"


def test_a_blocked_text_is_failed_and_says_whose_it_was(texts: Texts) -> None:
    text = _sent(texts)
    _store(texts, "opted_out")
    [matched] = _match(texts)
    assert texts.state(text) == "failed"
    assert matched.status == "opted_out"
    assert matched.look_up == look_up(KEYS, PHONE)


def test_an_erased_person_is_matched_without_a_hash(texts: Texts) -> None:
    _sent(texts)
    with writing(texts.engine) as db:
        db.execute(update(person).values(look_up=None))
    _store(texts, "delivered")
    [matched] = _match(texts)
    assert matched.look_up is None


def test_a_long_text_is_delivered_when_all_its_parts_are(texts: Texts) -> None:
    text = _sent(texts, parts=3)
    for part in (3, 1):
        _store(texts, "delivered", part=part)
        _match(texts)
        assert texts.state(text) == "sent"
    _store(texts, "delivered", part=1)
    _match(texts)
    assert texts.state(text) == "sent"
    _store(texts, "delivered", part=2)
    _match(texts)
    assert texts.state(text) == "delivered"


def test_the_failure_of_an_earlier_attempt_does_not_fail_a_later_one(
    texts: Texts,
) -> None:
    text = _sent(texts)
    with writing(texts.engine) as db:
        db.execute(
            attempt.insert().values(
                outbox_id=text, number=2, carrier="at", began_at=NOON
            )
        )
        db.execute(update(outbox).where(outbox.c.id == text).values(attempts=2))
    _store(texts, "failed")
    [matched] = _match(texts)
    assert not matched.raised
    assert texts.state(text) == "sent"


def test_receipts_of_somebody_else_are_left_alone_after_days(texts: Texts) -> None:
    _store(texts, "delivered")
    texts.wait(4 * 86_400)
    text = _sent(texts)
    assert _match(texts) == []
    assert texts.state(text) == "sent"


def test_an_incoming_text_is_stored_once_by_hash_and_sealed(texts: Texts) -> None:
    assert _receive(texts, raw=b"message=11&from=" + PHONE.encode())
    assert not _receive(texts)
    assert _receive(texts, carrier="other")

    with reading(texts.engine) as db:
        row = db.execute(select(inbound)).first()
    assert row is not None
    assert row.look_up == look_up(KEYS, PHONE)
    assert row.keyword == "stop"
    assert PHONE.encode() not in row.raw


def test_a_text_that_is_to_be_handled_waits_with_its_words_sealed(
    texts: Texts,
) -> None:
    words = {"from": PHONE, "text": "سلام"}
    with writing(texts.engine) as db:
        inbound_id = inbox.store_inbound(
            db,
            KEYS,
            carrier="kave",
            carrier_id="in-2",
            look_up=look_up(KEYS, PHONE),
            line="10001",
            raw=b"a form",
            keyword=None,
            at=texts.at,
            words=words,
        )
        row = db.execute(select(inbound).where(inbound.c.id == inbound_id)).one()
    assert row.handled_at is None
    assert PHONE.encode() not in row.words
    assert json.loads(unseal_raw(KEYS, row.words)) == words


def test_a_text_that_was_obeyed_waits_for_nobody(texts: Texts) -> None:
    _receive(texts)
    with reading(texts.engine) as db:
        row = db.execute(select(inbound)).one()
    assert (row.words, row.handled_at) == (None, NOON)


def _sent(texts: Texts, *, carrier_id: str = "1", parts: int = 1) -> int:
    text = texts.promise()
    texts.claim("a")
    assert texts.begin(text) == 1
    texts.end(text, "accepted", State.SENT, carrier_id=carrier_id, parts=parts)
    return text


def _store(
    texts: Texts,
    status: str,
    *,
    part: int = 0,
    carrier: str = "kave",
    raw: bytes = b"a form",
) -> bool:
    with writing(texts.engine) as db:
        return inbox.store_receipt(
            db,
            KEYS,
            carrier=carrier,
            carrier_id="1",
            status=status,
            part=part,
            raw=raw,
            at=texts.at,
        )


def _match(texts: Texts) -> list[Matched]:
    with writing(texts.engine) as db:
        return inbox.match_receipts(db, at=texts.at)


def _receive(
    texts: Texts, *, carrier: str = "kave", raw: bytes = b"a form"
) -> int | None:
    with writing(texts.engine) as db:
        return inbox.store_inbound(
            db,
            KEYS,
            carrier=carrier,
            carrier_id="in-1",
            look_up=look_up(KEYS, PHONE),
            line="10001",
            raw=raw,
            keyword="stop",
            at=texts.at,
        )
