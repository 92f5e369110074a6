"""Ids that a centre writes in several forms; on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select

from ledger.engine import reading, writing
from ledger.forms import known_form, rename
from ledger.schema import receipt
from ledger.vault import look_up
from tests.ledger.journal import CHANNEL, hand_over, report
from tests.texts import KEYS, PHONE, Texts

TAKEN = "accepted"
OTHER = "+989351112233"


@pytest.fixture
def texts(ledger_engine: Engine) -> Texts:
    return Texts(ledger_engine)


def test_a_known_form_of_an_id_is_found_for_its_phone(texts: Texts) -> None:
    hand_over(texts, TAKEN, ids=["1f"])
    hand_over(texts, TAKEN, TAKEN, ids=["2a", "2b"], phone=OTHER)
    assert known(texts, "31", "1f") == "1f"
    assert known(texts, "43", "2b", phone=OTHER) == "2b"
    assert known(texts, "2b") is None
    assert known(texts, "2b", "1f", phone=None) == "2b"
    assert known(texts, "9") is None


def test_receipts_that_came_early_take_the_form_of_the_answer(texts: Texts) -> None:
    report(texts, "31", "sent", believe=False)
    report(texts, "31", believe=False)
    report(texts, "1f", "sent", believe=False)
    report(texts, "031", believe=False, phone=OTHER)
    with writing(texts.engine) as db:
        renamed = rename(
            db,
            channel=CHANNEL,
            forms=["1F", "31", "031", "1f"],
            canonical="1f",
            look_up=look_up(KEYS, PHONE),
        )
        kept = db.execute(select(receipt.c.carrier_id, receipt.c.status)).all()
    assert renamed == 1
    assert sorted(kept) == [("031", "delivered"), ("1f", "delivered"), ("1f", "sent")]


def known(texts: Texts, *forms: str, phone: str | None = PHONE) -> str | None:
    with reading(texts.engine) as db:
        return known_form(
            db,
            channel=CHANNEL,
            forms=forms,
            look_up=look_up(KEYS, phone) if phone else None,
        )
