"""Texts of channels that have a process of their own: whose they are, part by part."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from ledger import channels
from ledger.engine import reading, writing
from ledger.outbox import WORKERS, Kind
from ledger.schema import part
from phone.encoding import sms_cost
from sms.calls import Call
from sms.carrier import Outcome, Piece, Result, of_pieces
from sms.delivery import Drained, Rendered, deliver, tidy
from sms.owner import this_process
from sms.routes import Channel, Routes
from tests.fake_carrier import FakeCarrier
from tests.texts import KEYS, Texts

# Three parts, in Persian.
LONG = "سلام " * 30

Answer = Callable[[int], Piece]


class Centre(FakeCarrier):
    """A carrier that is handed parts; `answers` say what it does with each."""

    can_look_up = False

    def __init__(self, *calls: Answer) -> None:
        super().__init__()
        self.calls = list(calls)
        # Which parts came under which reference, call by call.
        self.handed: list[tuple[int, tuple[int, ...]]] = []

    def count(self, text: str) -> int:
        return sms_cost(text)[0]

    def start(self, call: Call) -> Future[Result | None]:
        assert call.message is not None
        self.handed.append((call.message.reference, call.message.parts))
        answer = self.calls.pop(0) if self.calls else taken
        future: Future[Result | None] = Future()
        future.set_result(of_pieces([answer(n) for n in call.message.parts]))
        return future


def taken(number: int) -> Piece:
    return Piece(number, Outcome.ACCEPTED, carrier_id=f"id{number}")


def all_but(outcome: Outcome, *numbers: int) -> Answer:
    def answer(number: int) -> Piece:
        return Piece(number, outcome) if number in numbers else taken(number)

    return answer


@pytest.fixture
def texts(ledger_engine: Engine) -> Texts:
    return Texts(ledger_engine)


def _smpp(centre: Centre, **more: Any) -> Channel:
    return Channel("smsc", centre, sender="10001", smpp=True, **more)


def _web(**more: Any) -> Channel:
    return Channel("web", FakeCarrier(), sender="10001", **more)


def _sent(channel: Channel) -> list[str]:
    assert isinstance(channel.carrier, FakeCarrier)
    return [message.id for message in channel.carrier.sent]


def _deliver(
    texts: Texts, *channels: Channel, words: str = LONG, **more: Any
) -> Drained:
    return deliver(
        texts.engine,
        KEYS,
        routes=Routes(channels),
        render=lambda row: Rendered(words),
        owner=this_process(),
        now=texts.now,
        **more,
    )


def _by_process(texts: Texts, smsc: Channel, *others: Channel, **more: Any) -> Drained:
    assert isinstance(smsc.carrier, Centre)
    start = smsc.carrier.start
    return _deliver(texts, smsc, *others, via="smsc", start=start, **more)


def _wake(texts: Texts) -> None:
    """The channel's own process gives a sign of life."""
    with writing(texts.engine) as db:
        until = texts.at + timedelta(seconds=15)
        channels.sign_of_life(db, channel="smsc", until=until, at=texts.at)


# --- whose text it is ---


def test_a_worker_hands_over_what_belongs_to_another_process(texts: Texts) -> None:
    smsc, web = _smpp(Centre()), _web(weight=0)
    text = texts.promise()
    _wake(texts)

    drained = _deliver(texts, smsc, web)
    assert drained.handed == {"smsc"}
    assert (texts.state(text), texts.row(text).via) == ("queued", "smsc")
    assert texts.row(text).attempts == 0
    # It is no worker's business any more.
    assert drained.next_due is None
    assert _deliver(texts, smsc, web).states == {}

    _by_process(texts, smsc, web)
    assert texts.state(text) == "sent"


def test_a_process_hands_over_what_belongs_to_the_workers(texts: Texts) -> None:
    smsc = _smpp(Centre(), kinds=frozenset({Kind.CAMPAIGN}))
    web = _web(kinds=frozenset({Kind.RECEIPT}))
    text = texts.promise(Kind.RECEIPT)
    drained = _by_process(texts, smsc, web)
    assert drained.handed == {WORKERS}
    assert texts.row(text).via == WORKERS
    _deliver(texts, smsc, web)
    assert _sent(web) == [texts.reference(text)]


def test_what_was_handed_over_is_not_handed_back_for_a_matter_of_taste(
    texts: Texts,
) -> None:
    """A lot that falls elsewhere must not send a text to and fro."""
    centre, web = Centre(), _web(weight=100)
    text = texts.promise()
    _wake(texts)
    _deliver(texts, _smpp(centre, weight=100_000), web)
    assert texts.row(text).via == "smsc"
    # The process draws the lot with another weight.
    drained = _by_process(texts, _smpp(centre, weight=1), web)
    assert drained.handed == set()
    assert len(centre.handed) == 1


def test_a_channel_whose_process_is_away_is_used_only_where_nothing_else_fits(
    texts: Texts,
) -> None:
    smsc = _smpp(Centre(), weight=100_000)
    web = _web(weight=1, kinds=frozenset({Kind.RECEIPT}))
    fits, only = texts.promise(Kind.RECEIPT), texts.promise(Kind.SERVICE)
    _deliver(texts, smsc, web)
    assert texts.state(fits) == "sent"
    assert (texts.state(only), texts.row(only).via) == ("queued", "smsc")

    _wake(texts)
    awake = texts.promise(Kind.RECEIPT)
    _deliver(texts, smsc, web)
    assert texts.row(awake).via == "smsc"


def test_texts_of_a_process_that_stays_away_go_to_others(texts: Texts) -> None:
    smsc, web = _smpp(Centre(), weight=100_000), _web(weight=1)
    text = texts.promise()
    _wake(texts)
    _deliver(texts, smsc, web)
    assert texts.row(text).via == "smsc"

    texts.wait(60)
    tidy(texts.engine, Routes([smsc, web]), at=texts.at)
    assert texts.row(text).via == "smsc"
    texts.wait(30)
    tidy(texts.engine, Routes([smsc, web]), at=texts.at)
    assert texts.row(text).via == ""
    _deliver(texts, smsc, web)
    assert _sent(web) == [texts.reference(text)]


def test_without_anybody_else_a_text_waits_for_its_process(texts: Texts) -> None:
    smsc = _smpp(Centre())
    text = texts.promise()
    _deliver(texts, smsc)
    texts.wait(300)
    tidy(texts.engine, Routes([smsc]), at=texts.at)
    assert texts.row(text).via == "smsc"


# --- part by part ---


def _parts(texts: Texts, text: int) -> list[tuple[int, int, str, str | None]]:
    with reading(texts.engine) as db:
        rows = db.execute(
            select(part.c.number, part.c.part, part.c.outcome, part.c.carrier_id)
            .where(part.c.outbox_id == text)
            .order_by(part.c.number, part.c.part)
        )
        return [tuple(row) for row in rows]


def test_each_part_is_written_down_with_the_id_it_got(texts: Texts) -> None:
    centre = Centre()
    text = texts.promise()
    _by_process(texts, _smpp(centre))
    assert centre.handed == [(1, (1, 2, 3))]
    assert _parts(texts, text) == [
        (1, 1, "accepted", "id1"),
        (1, 2, "accepted", "id2"),
        (1, 3, "accepted", "id3"),
    ]
    [attempt] = texts.attempts(text)
    assert (attempt.outcome, attempt.parts, attempt.carrier_id) == ("accepted", 3, None)
    assert texts.state(text) == "sent"


def test_a_text_of_one_part_has_its_id_in_the_journal(texts: Texts) -> None:
    text = texts.promise()
    _by_process(texts, _smpp(Centre()), words="سلام")
    assert _parts(texts, text) == []
    [attempt] = texts.attempts(text)
    assert (attempt.outcome, attempt.carrier_id) == ("accepted", "id1")


def test_two_long_texts_to_one_phone_have_two_references(texts: Texts) -> None:
    centre = Centre()
    for _ in range(3):
        texts.promise()
    _by_process(texts, _smpp(centre))
    assert sorted(reference for reference, _ in centre.handed) == [1, 2, 3]


@pytest.mark.parametrize("refusal", [Outcome.RETRYABLE, Outcome.THROTTLED])
def test_only_the_parts_that_were_not_taken_are_sent_again(
    refusal: Outcome, texts: Texts
) -> None:
    centre = Centre(all_but(refusal, 2))
    text = texts.promise()
    smsc, web = _smpp(centre, weight=100_000), _web(weight=1)
    _wake(texts)
    _by_process(texts, smsc, web)
    # No other channel can send the rest of it.
    assert (texts.state(text), texts.row(text).via) == ("queued", "smsc")
    texts.wait(10)
    _deliver(texts, smsc, web)
    _by_process(texts, smsc, web)
    assert centre.handed == [(1, (1, 2, 3)), (1, (2,))]
    assert _sent(web) == []
    assert texts.state(text) == "sent"
    assert texts.attempts(text)[1].carrier_id is None


def test_a_process_that_is_away_keeps_what_it_began(texts: Texts) -> None:
    centre = Centre(all_but(Outcome.RETRYABLE, 2))
    text = texts.promise()
    smsc, web = _smpp(centre), _web()
    _by_process(texts, smsc)
    texts.wait(300)
    tidy(texts.engine, Routes([smsc, web]), at=texts.at)
    assert texts.row(text).via == "smsc"


def test_a_text_that_was_begun_waits_for_its_channel_while_that_rests(
    texts: Texts,
) -> None:
    centre = Centre(all_but(Outcome.NO_CREDIT, 2))
    text = texts.promise()
    smsc, web = _smpp(centre, weight=100_000), _web(weight=1)
    _wake(texts)
    _by_process(texts, smsc, web)
    texts.wait(400)
    with writing(texts.engine) as db:
        channels.change(
            db,
            channel="smsc",
            what="opened",
            why="no_credit",
            share=100,
            rests_until=texts.at + timedelta(seconds=300),
            rests=3,
            at=texts.at,
        )
    _by_process(texts, smsc, web)
    _deliver(texts, smsc, web)
    assert (texts.state(text), texts.row(text).via) == ("queued", "smsc")
    texts.wait(400)
    _by_process(texts, smsc, web)
    assert texts.state(text) == "sent"
    assert _sent(web) == []


def test_a_part_without_an_answer_leaves_the_text_in_doubt(texts: Texts) -> None:
    centre = Centre(all_but(Outcome.AMBIGUOUS, 2))
    text = texts.promise()
    _by_process(texts, _smpp(centre))
    assert texts.state(text) == "unclear"
    assert texts.outcomes(text) == ["ambiguous"]
    texts.wait(60)
    _by_process(texts, _smpp(centre))
    assert len(centre.handed) == 1


def test_parts_that_surely_did_not_leave_go_while_others_are_in_doubt(
    texts: Texts,
) -> None:
    def cut_off(number: int) -> Piece:
        return [
            taken(1),
            Piece(2, Outcome.AMBIGUOUS),
            Piece(3, Outcome.RETRYABLE, detail="NotSent"),
        ][number - 1]

    centre = Centre(cut_off)
    text = texts.promise()
    _by_process(texts, _smpp(centre))
    texts.wait(5)
    _by_process(texts, _smpp(centre))
    assert centre.handed == [(1, (1, 2, 3)), (1, (3,))]
    # One part is in doubt as before, so the text is.
    assert texts.state(text) == "unclear"
    assert texts.outcomes(text) == ["ambiguous", "ambiguous"]


def test_a_refused_part_is_the_end_of_its_text(texts: Texts) -> None:
    text = texts.promise()
    _by_process(texts, _smpp(Centre(all_but(Outcome.REFUSED, 3))))
    assert texts.state(text) == "failed"


def test_an_answer_that_is_cut_off_with_its_process_is_in_doubt(texts: Texts) -> None:
    def cancelled(call: Call) -> Future[Result | None]:
        future: Future[Result | None] = Future()
        future.cancel()
        future.set_running_or_notify_cancel()
        return future

    text = texts.promise()
    _deliver(texts, _smpp(Centre()), via="smsc", start=cancelled)
    assert texts.state(text) == "unclear"
    assert [outcome for _, _, outcome, _ in _parts(texts, text)] == ["ambiguous"] * 3
