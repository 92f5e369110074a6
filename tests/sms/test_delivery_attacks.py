"""What a hostile carrier, centre, clock or database must not bring about."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, update
from sqlalchemy.exc import OperationalError

from ledger import channels, dead, stops
from ledger.engine import reading, writing
from ledger.orphans import adopt_orphans
from ledger.outbox import WORKERS, Kind, State
from ledger.schema import channel_state, outbox
from ledger.vault import look_up
from sms import calls
from sms.calls import Call
from sms.carrier import Outbound, Outcome, Receipt, Result, Status
from sms.condition import Conditions
from sms.delivery import Drained, Rendered, deliver, tidy
from sms.owner import this_process
from sms.receiving import take_receipts
from sms.routes import Channel, Routes
from tests.fake_carrier import FakeCarrier
from tests.texts import KEYS, PHONE, Texts


@pytest.fixture
def texts(ledger_engine: Engine) -> Texts:
    return Texts(ledger_engine)


class Deaf(FakeCarrier):
    """Nobody can ask it what became of a text."""

    can_look_up = False


class Slow(Deaf):
    """Takes its time over each text."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def send(self, message: Outbound) -> Result:
        time.sleep(self.seconds)
        return super().send(message)


def _channel(name: str, carrier: Any = None, **more: Any) -> Channel:
    return Channel(name, carrier or FakeCarrier(), sender="10001", **more)


def _sent(channel: Channel) -> int:
    assert isinstance(channel.carrier, FakeCarrier)
    return len(channel.carrier.sent)


def _deliver(texts: Texts, *given: Channel, **more: Any) -> Drained:
    options: dict[str, Any] = {"room": 4, "owner": this_process(), "now": texts.now}
    return deliver(
        texts.engine,
        KEYS,
        routes=Routes(given),
        render=lambda row: Rendered("سلام"),
        **(options | more),
    )


def _set(texts: Texts, text: int, **values: Any) -> None:
    with writing(texts.engine) as db:
        db.execute(update(outbox).where(outbox.c.id == text).values(**values))


# --- channels that are gone ---


def test_texts_of_a_channel_that_was_taken_out_of_the_settings_find_another(
    texts: Texts,
) -> None:
    text, late = texts.promise(), texts.promise(expires_in_seconds=10)
    for one in (text, late):
        _set(texts, one, via="gone")
    web = _channel("web")
    texts.wait(60)
    tidy(texts.engine, Routes([web]), at=texts.at)
    _deliver(texts, web)
    assert (texts.state(text), texts.state(late)) == ("sent", "expired")


def test_a_text_in_doubt_at_a_channel_that_is_gone_becomes_a_dead_letter(
    texts: Texts,
) -> None:
    text = texts.promise()
    _set(texts, text, via="gone", carrier="gone", state="unclear")
    web = _channel("web")
    tidy(texts.engine, Routes([web]), at=texts.at)
    _deliver(texts, web)
    with reading(texts.engine) as db:
        assert [one.id for one in dead.page(db)] == [text]
    assert _sent(web) == 0


def test_a_text_in_doubt_that_nobody_asks_about_becomes_a_dead_letter(
    texts: Texts,
) -> None:
    smsc = _channel("smsc", Deaf(), smpp=True)
    text = texts.promise(expires_in_seconds=3600)
    _set(texts, text, via="smsc", carrier="smsc", state="unclear")
    texts.wait(3601)
    tidy(texts.engine, Routes([smsc]), at=texts.at)
    with reading(texts.engine) as db:
        assert dead.page(db) == []
    texts.wait(3 * 86400)
    tidy(texts.engine, Routes([smsc]), at=texts.at)
    with reading(texts.engine) as db:
        assert [one.id for one in dead.page(db)] == [text]


# --- another channel ---


def test_a_throttled_text_goes_to_the_channel_that_another_process_carries(
    texts: Texts,
) -> None:
    web = _channel("web", FakeCarrier(*[Result(Outcome.THROTTLED)] * 50))
    smsc = _channel("smsc", Deaf(), smpp=True, weight=1)
    with writing(texts.engine) as db:
        channels.sign_of_life(
            db, channel="smsc", until=texts.at + timedelta(hours=1), at=texts.at
        )
    text = texts.promise()
    _set(texts, text, via=WORKERS)
    drained = _deliver(texts, web, smsc)
    assert _sent(web) == 1
    assert (texts.row(text).via, set(drained.handed)) == ("smsc", {"smsc"})
    texts.wait(3)
    _deliver(texts, web, smsc, via="smsc", start=_at_once)
    assert texts.state(text) == "sent"


def _at_once(call: Call) -> Future[Result | None]:
    future: Future[Result | None] = Future()
    future.set_result(calls.make(call))
    return future


def test_texts_do_not_wait_for_a_channel_that_asked_for_an_hour(texts: Texts) -> None:
    wish = Result(Outcome.THROTTLED, retry_after_seconds=3600)
    slow, web = _channel("slow", FakeCarrier(*[wish] * 50)), _channel("web")
    conditions = Conditions(Routes([slow, web]))
    promised = [texts.promise() for _ in range(40)]
    for _ in range(3):
        _deliver(texts, slow, web, conditions=conditions)
        texts.wait(10)
    assert {texts.state(text) for text in promised} == {"sent"}


def test_texts_wait_for_the_only_channel_that_asked_for_an_hour(texts: Texts) -> None:
    wish = Result(Outcome.THROTTLED, retry_after_seconds=3600)
    only = _channel("only", FakeCarrier(wish))
    conditions = Conditions(Routes([only]))
    promised = [texts.promise() for _ in range(20)]
    _deliver(texts, only, conditions=conditions, room=1)
    assert _sent(only) == 1
    assert {texts.state(text) for text in promised} == {"queued"}
    due = {texts.row(text).due_at - texts.at for text in promised}
    assert min(due) > timedelta(seconds=3500)
    assert max(due) < timedelta(seconds=3700)


# --- who is slow ---


def test_a_slow_carrier_keeps_no_receipt_of_another_waiting(texts: Texts) -> None:
    slow = _channel("slow", Slow(1.5), prefixes=("+98912",))
    fast = _channel("fast", prefixes=("+98935",))
    for _ in range(60):
        texts.promise()
    waits: list[float] = []
    done = threading.Event()

    def promise_some() -> None:
        time.sleep(2.0)
        for _ in range(5):
            began, text = time.monotonic(), texts.promise(phone="+989351234567")
            while texts.state(text) != "sent" and time.monotonic() - began < 5:
                time.sleep(0.02)
            waits.append(time.monotonic() - began)
            time.sleep(0.3)
        done.set()

    promising = threading.Thread(target=promise_some)
    promising.start()
    _deliver(texts, slow, fast, room=8, should_stop=done.is_set)
    promising.join()
    assert len(waits) == 5
    assert max(waits) < 1.0


def test_a_slow_carrier_keeps_no_campaign_of_another_waiting(texts: Texts) -> None:
    slow = _channel("slow", Slow(1.0), prefixes=("+98912",))
    fast = _channel("fast", Slow(0.01), prefixes=("+98935",))
    for number in range(120):
        prefix = ("+98912", "+98935")[number % 2]
        texts.promise(Kind.CAMPAIGN, phone=f"{prefix}{number:07}")
    until = time.monotonic() + 2.5
    _deliver(texts, slow, fast, room=8, should_stop=lambda: time.monotonic() > until)
    assert _sent(fast) == 60


# --- clocks ---


def test_a_clock_that_steps_back_shuts_no_channel_for_longer_than_a_rest(
    texts: Texts,
) -> None:
    web = _channel("web")
    with writing(texts.engine) as db:
        channels.change(
            db,
            channel="web",
            what="opened",
            why="no_credit",
            share=100,
            rests_until=texts.at + timedelta(hours=24),
            rests=1,
            at=texts.at + timedelta(hours=24),
        )
    text = texts.promise(expires_in_seconds=30 * 3600)
    _deliver(texts, web)
    assert texts.state(text) == "sent"


def test_a_clock_that_steps_back_leaves_the_breaker_at_work(texts: Texts) -> None:
    web = _channel("web", Deaf(*[Result(Outcome.RETRYABLE)] * 100))
    conditions = Conditions(Routes([web]))
    with writing(texts.engine) as db:
        later = texts.at + timedelta(hours=24)
        channels.change(
            db,
            channel="web",
            what="raised",
            why="",
            share=50,
            rests_until=None,
            rests=0,
            at=later,
        )
        db.execute(update(channel_state).values(changed_at=later))
    for _ in range(10):
        texts.promise()
    _deliver(texts, web, conditions=conditions)
    with reading(texts.engine) as db:
        assert channels.standings(db)["web"].rests_until is not None


def test_a_clock_that_steps_on_leaves_calls_under_way_with_their_owner(
    texts: Texts,
) -> None:
    """Its own lease has run out, and still nobody else has taken the texts."""

    class Stepping(Deaf):
        def send(self, message: Outbound) -> Result:
            texts.wait(3600)
            time.sleep(0.3)
            return Result(Outcome.RETRYABLE)

    web = _channel("web", Stepping())
    text = texts.promise(Kind.CAMPAIGN, expires_in_seconds=48 * 3600)
    _deliver(texts, web, should_stop=lambda: texts.attempts(text) != [])
    assert (texts.state(text), texts.outcomes(text)) == ("queued", ["retryable"])


def test_a_text_surely_not_taken_is_in_no_doubt_for_a_lost_lease(texts: Texts) -> None:
    texts.promise(Kind.CAMPAIGN)
    (row,) = texts.claim()
    texts.begin(row.id)
    texts.wait(60)
    tidy(texts.engine, Routes([_channel("kave", Deaf())]), at=texts.at)
    assert texts.state(row.id) == "unclear"
    due_at = texts.at + timedelta(seconds=2)
    texts.end(row.id, "retryable", State.QUEUED, due_at=due_at)
    assert texts.state(row.id) == "queued"
    assert texts.row(row.id).due_at == due_at


def test_a_lost_lease_takes_nothing_from_its_next_owner(texts: Texts) -> None:
    texts.promise()
    (row,) = texts.claim("a")
    texts.begin(row.id, "a")
    texts.wait(60)
    tidy(texts.engine, Routes([_channel("kave", Deaf())]), at=texts.at)
    assert [one.id for one in texts.claim("b")] == [row.id]
    texts.begin(row.id, "b")
    texts.end(row.id, "retryable", State.QUEUED, owner="a", due_at=texts.at)
    assert (texts.state(row.id), texts.row(row.id).lease_owner) == ("sending", "b")
    texts.wait(60)
    tidy(texts.engine, Routes([_channel("kave", Deaf())]), at=texts.at)
    texts.end(row.id, "failed", State.FAILED, owner="a", number=1)
    assert texts.state(row.id) == "unclear"


# --- the database goes away ---


@contextmanager
def _away(engine: Engine, gone: threading.Event) -> Iterator[None]:
    """While `gone` is set no connection is to be had, and those that were are cut."""

    def refuse(connection: Any, *_: Any) -> None:
        if gone.is_set():
            raise OperationalError("away", None, Exception("away"))

    event.listen(engine, "engine_connect", refuse)
    try:
        yield
    finally:
        event.remove(engine, "engine_connect", refuse)


def test_what_a_carrier_said_while_the_database_was_away_is_written_down(
    texts: Texts,
) -> None:
    web = _channel("web", Slow(0.5))
    promised = [texts.promise() for _ in range(4)]
    gone = threading.Event()

    def go_away() -> None:
        while not any(texts.attempts(text) for text in promised):
            time.sleep(0.01)
        gone.set()
        time.sleep(3)
        gone.clear()

    going = threading.Thread(target=go_away)
    with _away(texts.engine, gone):
        going.start()
        _deliver(texts, web)
        going.join()
    assert {texts.state(text) for text in promised} == {"sent"}
    assert _sent(web) == 4


def test_probes_that_rules_hold_back_leave_the_channel_to_the_next_text(
    texts: Texts,
) -> None:
    web = _channel("web")
    with writing(texts.engine) as db:
        channels.change(
            db,
            channel="web",
            what="opened",
            why="",
            share=100,
            rests_until=texts.at,
            rests=1,
            at=texts.at,
        )
        stops.stop(
            db,
            key="stop",
            look_up=look_up(KEYS, PHONE),
            line="10001",
            person_id=None,
            channel="web",
            test=False,
            at=texts.at,
        )
    held = [texts.promise(Kind.CAMPAIGN) for _ in range(5)]
    texts.wait(1)
    text = texts.promise(Kind.CAMPAIGN, phone="+989351234567")
    conditions = Conditions(Routes([web]))
    for _ in range(3):
        _deliver(texts, web, conditions=conditions)
        texts.wait(2)
    assert {texts.state(one) for one in held} == {"withdrawn"}
    assert texts.state(text) == "sent"


# --- busy loops ---


def test_a_channel_at_its_pace_costs_no_turn_for_each_text(texts: Texts) -> None:
    web = _channel("web", segments_per_second=2000)
    for _ in range(200):
        texts.promise()
    looked = []

    def now() -> Any:
        looked.append(1)
        return texts.at

    _deliver(texts, web, now=now, room=50)
    assert _sent(web) == 200
    assert len(looked) < 400


# --- ids of a centre that counts from 1 again, or says none ---

OTHER = "+989351112233"


class Counting(Deaf):
    """A message centre whose ids are what it is told to say."""

    def __init__(self, *ids: str | None) -> None:
        super().__init__(*(Result(Outcome.ACCEPTED, carrier_id=id) for id in ids))


def _report(
    texts: Texts, at: Channel, carrier_id: str, status: Status, to: str = ""
) -> None:
    with writing(texts.engine) as db:
        take_receipts(
            db,
            KEYS,
            Routes([at]),
            at,
            [Receipt(carrier_id, status, "", to=to)],
            raw=b"",
            at=texts.at,
        )


@pytest.mark.parametrize("phone", [PHONE, OTHER])
@pytest.mark.parametrize("names", [True, False])
def test_an_id_that_comes_again_is_the_newer_texts(
    texts: Texts, phone: str, names: bool
) -> None:
    smsc = _channel("smsc", Counting("1", "1"), smpp=True)
    reports: list[tuple[int, str]] = []
    for to, status in ((PHONE, Status.FAILED), (phone, Status.DELIVERED)):
        text = texts.promise(phone=to)
        _deliver(texts, smsc, via="smsc", start=_at_once)
        _report(texts, smsc, "1", status, to if names else "")
        reports.append((text, texts.state(text)))
        texts.wait(3600)
    assert [state for _, state in reports] == ["failed", "delivered"]
    assert texts.state(reports[0][0]) == "failed"


def test_an_id_that_comes_again_may_say_the_same_again(texts: Texts) -> None:
    smsc = _channel("smsc", Counting("1", "1"), smpp=True)
    for _ in range(2):
        text = texts.promise()
        _deliver(texts, smsc, via="smsc", start=_at_once)
        _report(texts, smsc, "1", Status.DELIVERED, PHONE)
        assert texts.state(text) == "delivered"


def test_an_early_receipt_of_an_id_that_comes_again_is_kept(texts: Texts) -> None:
    smsc = _channel("smsc", Counting("1", "1"), smpp=True)
    first = texts.promise()
    _deliver(texts, smsc, via="smsc", start=_at_once)
    _report(texts, smsc, "1", Status.DELIVERED, PHONE)
    second = texts.promise(phone=OTHER)
    _report(texts, smsc, "1", Status.DELIVERED, OTHER)
    _deliver(texts, smsc, via="smsc", start=_at_once)
    assert (texts.state(first), texts.state(second)) == ("delivered", "delivered")


def test_a_receipt_is_not_adopted_where_a_text_was_taken_without_an_id(
    texts: Texts,
) -> None:
    smsc = _channel("smsc", Counting(None), smpp=True)
    taken = texts.promise()
    _deliver(texts, smsc, via="smsc", start=_at_once)
    lost = _channel("smsc", Deaf(Result(Outcome.AMBIGUOUS)), smpp=True)
    doubted = texts.promise()
    _deliver(texts, lost, via="smsc", start=_at_once)
    assert (texts.state(taken), texts.state(doubted)) == ("sent", "unclear")
    texts.wait(5)
    _report(texts, smsc, "77", Status.DELIVERED, PHONE)
    texts.wait(60)
    with writing(texts.engine) as db:
        adopt_orphans(db, channel="smsc", older_than=timedelta(seconds=10), at=texts.at)
    assert texts.state(doubted) == "unclear"


def test_a_text_of_which_every_answer_is_lost_is_sent_three_times_at_most(
    texts: Texts,
) -> None:
    web = _channel("web", Deaf())
    text = texts.promise(expires_in_seconds=48 * 3600)
    for _ in range(8):
        assert isinstance(web.carrier, Deaf)
        web.carrier.answers.append(Result(Outcome.AMBIGUOUS))
        _deliver(texts, web, room=1)
        # Others arrive meanwhile, so that silence says something.
        texts.wait(1)
        web.carrier.answers.clear()
        later = texts.promise(phone=OTHER)
        _deliver(texts, web)
        taken = texts.attempts(later)[-1].carrier_id
        _report(texts, web, taken, Status.DELIVERED, OTHER)
        texts.wait(1000)
    assert len(texts.attempts(text)) == 3
    with reading(texts.engine) as db:
        assert text in [one.id for one in dead.page(db)]
