"""Receipts of texts that were handed over part by part; on both databases."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from ledger.engine import connect, writing
from ledger.schema import person
from tests.ledger.journal import hand_over, report
from tests.texts import Texts

TAKEN = "accepted"
OTHER = "+989351112233"


@pytest.fixture
def texts(ledger_engine: Engine) -> Texts:
    return Texts(ledger_engine)


def test_a_text_is_delivered_when_each_of_its_parts_is(texts: Texts) -> None:
    text = hand_over(texts, TAKEN, TAKEN, TAKEN, ids=["a", "b", "c"])
    for carrier_id in ("c", "a", "c"):
        report(texts, carrier_id)
        assert texts.state(text) == "sent"
    [matched] = report(texts, "b")
    assert (matched.outbox_id, matched.raised) == (text, True)
    assert texts.state(text) == "delivered"


def test_one_part_that_failed_for_good_fails_the_text(texts: Texts) -> None:
    text = hand_over(texts, TAKEN, TAKEN, ids=["a", "b"])
    report(texts, "a")
    report(texts, "b", "failed")
    assert texts.state(text) == "failed"


def test_the_failure_of_a_part_that_was_sent_again_is_old_news(texts: Texts) -> None:
    text = hand_over(texts, TAKEN, TAKEN, ids=["a", "b"])
    hand_over(texts, TAKEN, ids=["b2"], text=text, number=2, places=[2], total=2)
    report(texts, "b", "failed")
    assert texts.state(text) == "sent"
    report(texts, "a", "failed")
    assert texts.state(text) == "failed"


def test_parts_of_several_attempts_add_up_under_one_reference(texts: Texts) -> None:
    text = hand_over(texts, TAKEN, "retryable", ids=["a", None])
    hand_over(texts, TAKEN, ids=["b"], text=text, number=2, places=[2], total=2)
    report(texts, "a")
    assert texts.state(text) == "sent"
    report(texts, "b")
    assert texts.state(text) == "delivered"


def test_parts_under_two_references_are_not_one_text(texts: Texts) -> None:
    text = hand_over(texts, TAKEN, TAKEN, ids=["a", "b"])
    hand_over(texts, TAKEN, TAKEN, ids=["c", "d"], text=text, number=2, reference=8)
    for carrier_id in ("a", "d"):
        report(texts, carrier_id)
    assert texts.state(text) == "sent"
    report(texts, "c")
    assert texts.state(text) == "delivered"


def test_a_part_in_doubt_keeps_its_text_in_doubt(texts: Texts) -> None:
    text = hand_over(texts, TAKEN, "ambiguous", ids=["a", None], state="unclear")
    report(texts, "a", "sent")
    report(texts, "a")
    assert texts.state(text) == "unclear"


def test_an_id_of_another_phone_is_not_believed(texts: Texts) -> None:
    long = hand_over(texts, TAKEN, TAKEN, ids=["a", "b"])
    short = hand_over(texts, TAKEN, ids=["c"])
    for carrier_id in ("a", "b", "c"):
        assert report(texts, carrier_id, phone=OTHER) == []
    assert (texts.state(long), texts.state(short)) == ("sent", "sent")
    report(texts, "c", "failed", phone=None)
    assert texts.state(short) == "failed"


def test_the_parts_of_an_erased_person_still_arrive(texts: Texts) -> None:
    text = hand_over(texts, TAKEN, TAKEN, ids=["a", "b"])
    report(texts, "a")
    with writing(texts.engine) as db:
        db.execute(update(person).values(look_up=None))
    [matched] = report(texts, "b")
    assert matched.look_up is None
    assert texts.state(text) == "delivered"


def test_two_last_parts_at_the_same_moment_deliver_the_text(ledger_url: str) -> None:
    engine = connect(ledger_url)
    texts = Texts(engine)
    rounds = [
        (hand_over(texts, TAKEN, TAKEN, ids=[f"a{n}", f"b{n}"]), (f"a{n}", f"b{n}"))
        for n in range(12)
    ]
    with ThreadPoolExecutor(2) as pool:
        for _, ids in rounds:
            list(pool.map(lambda id: report(texts, id), ids))
    assert {texts.state(text) for text, _ in rounds} == {"delivered"}
    engine.dispose()


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_in_whatever_order_receipts_come_a_state_only_rises(
    texts: Texts, data: st.DataObject
) -> None:
    ranks = {"sent": 3, "failed": 8, "delivered": 9}
    run = next(_RUNS)
    ids = [f"{run}-{place}" for place in range(data.draw(st.integers(1, 3)))]
    text = hand_over(texts, *[TAKEN] * len(ids), ids=ids)
    news = st.tuples(
        st.sampled_from(ids),
        st.sampled_from(["sent", "delivered", "failed", "unknown"]),
    )
    seen: set[tuple[str, str]] = set()
    before = texts.state(text)
    for carrier_id, status in data.draw(st.lists(news, max_size=10)):
        report(texts, carrier_id, status)
        seen.add((carrier_id, status))
        after = texts.state(text)
        assert ranks[after] >= ranks[before]
        before = after
    arrived = {carrier_id for carrier_id, status in seen if status == "delivered"}
    assert (before == "delivered") == (arrived == set(ids))


_RUNS = itertools.count()
