"""Long texts handed over part by part: what is known of each; on both databases."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlalchemy import Engine

from ledger import parts
from ledger.engine import reading, writing
from ledger.outbox import State
from ledger.parts import Before
from tests.texts import Texts

CENTRE = "smsc"


@pytest.fixture
def texts(ledger_engine: Engine) -> Texts:
    return Texts(ledger_engine)


def _begin(texts: Texts, text: int, *numbers: int, attempt: int = 1) -> None:
    assert texts.begin(text, carrier=CENTRE) == attempt
    begun = [
        parts.Begun(text, attempt, number, total=3, reference=7, carrier=CENTRE)
        for number in numbers
    ]
    with writing(texts.engine) as db:
        parts.begin_parts(db, begun, at=texts.at)


def _end(
    texts: Texts, text: int, outcomes: Mapping[int, str], *, attempt: int = 1
) -> None:
    ended = [
        parts.Ended(text, attempt, number, outcome, f"id{number}")
        for number, outcome in outcomes.items()
    ]
    with writing(texts.engine) as db:
        parts.end_parts(db, ended, at=texts.at)


def _known(texts: Texts, text: int) -> Before:
    with reading(texts.engine) as db:
        return parts.parts_of(db, [text])[text]


def _claimed(texts: Texts) -> int:
    text = texts.promise()
    texts.claim()
    return text


def test_a_part_that_left_is_in_doubt_until_its_answer(texts: Texts) -> None:
    text = _claimed(texts)
    _begin(texts, text, 1, 2, 3)
    assert _known(texts, text) == Before(
        CENTRE, 7, 3, frozenset(), frozenset({1, 2, 3})
    )
    _end(texts, text, {1: "accepted", 2: "throttled", 3: "ambiguous"})
    known = _known(texts, text)
    assert (known.taken, known.unclear, known.left) == ({1}, {3}, (2,))


def test_what_several_attempts_brought_adds_up(texts: Texts) -> None:
    text = _claimed(texts)
    _begin(texts, text, 1, 2, 3)
    _end(texts, text, {1: "accepted", 2: "ambiguous", 3: "retryable"})
    _begin(texts, text, 3, attempt=2)
    _end(texts, text, {3: "accepted"}, attempt=2)
    known = _known(texts, text)
    assert (known.taken, known.unclear, known.left) == ({1, 3}, {2}, ())


def test_a_sure_outcome_of_a_part_is_not_overwritten(texts: Texts) -> None:
    text = _claimed(texts)
    _begin(texts, text, 1, 2, 3)
    _end(texts, text, {1: "accepted"})
    _end(texts, text, {1: "ambiguous"})
    assert _known(texts, text).taken == {1}


def test_references_are_counted_for_each_phone(texts: Texts) -> None:
    people = [texts.row(texts.promise(phone=p)).person_id for p in ("+98912", "+98913")]
    with writing(texts.engine) as db:
        found = [
            parts.next_reference(db, person_id=person_id)
            for person_id in (people[0], people[0], people[1], people[0])
        ]
    assert found == [1, 2, 1, 3]


def test_a_text_without_parts_is_not_among_them(texts: Texts) -> None:
    text = texts.promise()
    with reading(texts.engine) as db:
        assert parts.parts_of(db, [text]) == {}
        assert parts.parts_of(db, []) == {}


@pytest.mark.parametrize(
    ("last", "state", "outcome"),
    [
        ("accepted", "sent", "accepted"),
        ("retryable", "queued", "retryable"),
        ("ambiguous", "unclear", "ambiguous"),
    ],
)
def test_a_text_leaves_doubt_when_its_last_part_does(
    last: str, state: str, outcome: str, texts: Texts
) -> None:
    text = _claimed(texts)
    _begin(texts, text, 1, 2, 3)
    _end(texts, text, {1: "accepted", 2: "accepted", 3: last})
    texts.end(text, "ambiguous", State.UNCLEAR)
    with writing(texts.engine) as db:
        parts.settle(db, outbox_ids=[text], at=texts.at)
    assert texts.state(text) == state
    assert texts.outcomes(text) == [outcome]


def test_a_text_that_is_delivered_is_not_taken_back(texts: Texts) -> None:
    text = _claimed(texts)
    _begin(texts, text, 1, 2, 3)
    _end(texts, text, {1: "accepted", 2: "accepted", 3: "retryable"})
    texts.end(text, "accepted", State.DELIVERED)
    with writing(texts.engine) as db:
        parts.settle(db, outbox_ids=[text], at=texts.at)
    assert texts.state(text) == "delivered"
