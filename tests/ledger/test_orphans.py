"""Receipts of ids that nobody told us; on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from ledger import orphans, parts
from ledger.engine import reading, writing
from ledger.receipts import Matched
from ledger.schema import part
from tests.ledger.journal import CHANNEL, hand_over, report
from tests.texts import Texts

TAKEN, LOST = "accepted", "ambiguous"
OTHER = "+989351112233"
RESPONSE_SECONDS = 10


@pytest.fixture
def texts(ledger_engine: Engine) -> Texts:
    return Texts(ledger_engine)


def test_a_receipt_heals_the_one_part_whose_answer_was_lost(texts: Texts) -> None:
    text = hand_over(texts, TAKEN, LOST, TAKEN, ids=["a", None, "c"], state="unclear")
    for carrier_id in ("a", "b", "c"):
        report(texts, carrier_id)
    assert texts.state(text) == "unclear"

    assert adopt(texts, wait=0) == []
    [matched] = adopt(texts)

    assert (matched.outbox_id, matched.status) == (text, "delivered")
    assert texts.state(text) == "delivered"
    with reading(texts.engine) as db:
        rows = db.execute(select(part.c.carrier_id, part.c.outcome)).all()
    assert sorted(rows) == [("a", TAKEN), ("b", TAKEN), ("c", TAKEN)]
    assert adopt(texts) == []


def test_a_text_of_one_part_is_healed_too(texts: Texts) -> None:
    text = hand_over(texts, LOST, state="unclear")
    report(texts, "a", "sent")
    adopt(texts)
    assert texts.state(text) == "sent"
    assert texts.outcomes(text) == [TAKEN]
    report(texts, "a", "failed")
    assert texts.state(text) == "failed"


def test_of_one_text_the_parts_in_doubt_take_any_of_its_ids(texts: Texts) -> None:
    text = hand_over(texts, LOST, LOST, LOST, state="unclear")
    report(texts, "x")
    adopt(texts)
    assert texts.state(text) == "unclear"
    report(texts, "y")
    report(texts, "z", "sent")
    adopt(texts)
    assert texts.state(text) == "sent"
    report(texts, "z")
    assert texts.state(text) == "delivered"


def test_of_a_text_that_came_in_part_nobody_knows_which_part_came(texts: Texts) -> None:
    """Else the part that did not come would pass for the one that did."""
    text = hand_over(texts, LOST, LOST, state="unclear")
    report(texts, "x")
    adopt(texts)
    with reading(texts.engine) as db:
        before = parts.parts_of(db, [text])[text]
    assert before.unclear == {1, 2}
    assert texts.state(text) == "unclear"


def test_two_texts_are_healed_when_all_their_receipts_say_the_same(
    texts: Texts,
) -> None:
    first = hand_over(texts, LOST, state="unclear")
    second = hand_over(texts, LOST, LOST, state="unclear")
    for carrier_id in ("x", "y"):
        report(texts, carrier_id)
    adopt(texts)
    assert (texts.state(first), texts.state(second)) == ("unclear", "unclear")
    report(texts, "z")
    adopt(texts)
    assert (texts.state(first), texts.state(second)) == ("delivered", "delivered")


@pytest.mark.parametrize(
    "said", [("delivered", "failed"), ("delivered", "sent"), ("sent", "sent")]
)
def test_two_texts_whose_receipts_may_differ_stay_in_doubt(
    texts: Texts, said: tuple[str, str]
) -> None:
    first = hand_over(texts, LOST, state="unclear")
    second = hand_over(texts, LOST, state="unclear")
    for carrier_id, status in zip("xy", said, strict=True):
        report(texts, carrier_id, status)
    assert adopt(texts) == []
    assert (texts.state(first), texts.state(second)) == ("unclear", "unclear")


def test_a_receipt_from_before_a_text_is_not_its(texts: Texts) -> None:
    early = hand_over(texts, LOST, state="unclear")
    texts.wait(1)
    report(texts, "x")
    texts.wait(1)
    late = hand_over(texts, LOST, state="unclear")
    adopt(texts)
    assert (texts.state(early), texts.state(late)) == ("delivered", "unclear")


def test_a_late_receipt_of_what_was_sent_again_is_no_other_texts(
    texts: Texts,
) -> None:
    again = hand_over(texts, LOST, state="unclear")
    hand_over(texts, TAKEN, ids=["b"], text=again, number=2, state="sent")
    other = hand_over(texts, LOST, state="unclear")
    # Of the first attempt, or of the other text: nobody knows.
    report(texts, "x")
    assert adopt(texts) == []
    assert texts.state(other) == "unclear"


def test_more_receipts_than_parts_in_doubt_are_somebody_elses(texts: Texts) -> None:
    text = hand_over(texts, LOST, state="unclear")
    report(texts, "x")
    report(texts, "y")
    assert adopt(texts) == []
    assert texts.state(text) == "unclear"


def test_what_may_still_be_answered_is_waited_for(texts: Texts) -> None:
    text = hand_over(texts, LOST, state="unclear")
    hand_over(texts, None, state="sending")
    report(texts, "x")
    assert adopt(texts) == []
    assert texts.state(text) == "unclear"


def test_receipts_belong_to_their_phone_and_channel(texts: Texts) -> None:
    text = hand_over(texts, LOST, state="unclear")
    report(texts, "x", phone=OTHER)
    report(texts, "y", phone=None)
    assert adopt(texts) == []
    assert adopt(texts, channel="other") == []
    assert texts.state(text) == "unclear"


def adopt(
    texts: Texts, *, wait: float = RESPONSE_SECONDS, channel: str = CHANNEL
) -> list[Matched]:
    texts.wait(wait)
    with writing(texts.engine) as db:
        return orphans.adopt_orphans(
            db,
            channel=channel,
            older_than=timedelta(seconds=RESPONSE_SECONDS),
            at=texts.at,
        )
