"""Texts from the outbox to a carrier on loopback, and what survives a death."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, delete, select, update
from structlog.testing import capture_logs

from ledger import schema, stops
from ledger.claims import Claimed
from ledger.engine import reading, writing
from ledger.outbox import Kind, State
from ledger.vault import look_up
from sms import registry
from sms.beginning import begin
from sms.calls import Job
from sms.carrier import Outcome, Receipt, Result, Status, Tools
from sms.delivery import WORKERS, Drained, Rendered, deliver, tidy
from sms.owner import this_process
from sms.receiving import take_receipts
from sms.routes import Channel, Routes
from tests.carrier_server import (
    CarrierServer,
    Reset,
    Say,
    Silence,
    africastalking_says,
    carrier_server,
    kavenegar_never_had_it,
    kavenegar_says,
    kavenegar_takes,
)
from tests.fake_carrier import FakeCarrier
from tests.texts import KEYS, NOON, PHONE, Texts

API_KEY = "4B6F756E2F2B3D"
ASK = "statuslocalmessageid.json"


@pytest.fixture
def texts(ledger_engine: Engine) -> Texts:
    return Texts(ledger_engine)


@pytest.fixture
def server() -> Iterator[CarrierServer]:
    with carrier_server() as server:
        yield server


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=httpx.Timeout(5, read=0.4)) as http:
        yield http


@pytest.fixture
def kave(server: CarrierServer, http: httpx.Client) -> Channel:
    server.script("send.json", kavenegar_takes(8792343))
    server.script(ASK, kavenegar_never_had_it())
    return _channel("kave", "kavenegar", server, http)


def _channel(
    name: str, adapter: str, server: CarrierServer, http: httpx.Client
) -> Channel:
    options = {
        "api_key": API_KEY,
        "username": "sandbox",
        "sender": "10001",
        "base_url": server.url,
    }
    tools = Tools(http=http, write=lambda line: None, feed=lambda to, id, text: None)
    carrier = registry.build(adapter, options, tools)
    return Channel(name, carrier, sender="10001", stop_line="لغو۱۱")


def _fake(name: str, *answers: Any, **more: Any) -> Channel:
    return Channel(name, FakeCarrier(*answers), sender="10001", **more)


def _of(channel: Channel) -> FakeCarrier:
    assert isinstance(channel.carrier, FakeCarrier)
    return channel.carrier


@dataclass
class Renderer:
    """Makes words of a row, and remembers the rows."""

    rows: list[Claimed] = field(default_factory=list)
    stop_line: bool = False

    def __call__(self, row: Claimed) -> Rendered:
        self.rows.append(row)
        return Rendered(f"۱+۱: {row.slots['amt']}", self.stop_line)


def _deliver(texts: Texts, *channels: Channel, **more: Any) -> Drained:
    options = {"render": Renderer(), "room": 4, **more}
    return deliver(
        texts.engine,
        KEYS,
        routes=Routes(channels),
        owner=this_process(),
        now=texts.now,
        **options,
    )


# --- what a carrier is asked ---


def test_a_question_has_all_that_a_text_can_be_known_by(texts: Texts) -> None:
    channel = _fake("kave", Result(Outcome.AMBIGUOUS), stop_line="لغو۱۱")
    text = texts.promise()
    _deliver(texts, channel, render=Renderer(stop_line=True))
    texts.wait(5)
    _deliver(texts, channel, render=Renderer(stop_line=True))

    at_once, later = _of(channel).questions
    for question in (at_once, later):
        assert (question.id, question.to) == (texts.reference(text), PHONE)
        assert (question.text, question.sender) == ("۱+۱: 75000\nلغو۱۱", "10001")
        assert question.since == NOON
        assert "9121234567" not in repr(question)
    assert (at_once.at - NOON).total_seconds() == 0
    assert (later.at - NOON).total_seconds() == 5


def test_a_text_whose_words_are_gone_is_asked_about_without_them(texts: Texts) -> None:
    channel = _fake("kave", Result(Outcome.AMBIGUOUS))
    text = texts.promise()
    _deliver(texts, channel)
    _of(channel).found[texts.reference(text)] = Result(Outcome.ACCEPTED, carrier_id="7")
    texts.wait(5)

    def gone(row: Claimed) -> Rendered:
        raise LookupError("no such menus")

    _deliver(texts, channel, render=gone)
    assert texts.state(text) == "sent"
    assert _of(channel).questions[-1].text == ""


def test_a_receipt_under_our_id_finds_a_call_that_is_under_way(texts: Texts) -> None:
    carrier = FakeCarrier()
    carrier.ids_are_ours = True
    channel = Channel("ours", carrier, sender="10001")
    long = "سلام " * 30
    text = texts.promise()
    [row] = texts.claim("dead")
    with writing(texts.engine) as db:
        job = Job(row, channel, Rendered(long), text=long, total=3, parts=(1, 2, 3))
        begun = begin(
            db,
            KEYS,
            [job],
            owner="dead",
            via=WORKERS,
            rules=None,
            at=texts.at,
            lease_seconds=30,
        )
    assert [call.number for call in begun.calls] == [1]
    [attempt] = texts.attempts(text)
    assert (attempt.carrier_id, attempt.parts) == (texts.reference(text), 3)

    # A part of it is not all of it, even where nobody lived to count them.
    for part, state in ((1, "sent"), (2, "sent"), (3, "delivered")):
        with writing(texts.engine) as db:
            take_receipts(
                db,
                KEYS,
                Routes([channel]),
                channel,
                [Receipt(texts.reference(text), Status.DELIVERED, "d", part)],
                raw=b"a post",
                at=texts.at,
            )
        assert texts.state(text) == state


# --- over the wire ---------------------------------------------------------------


def test_a_promised_text_reaches_the_carrier_under_our_id(
    texts: Texts, server: CarrierServer, kave: Channel
) -> None:
    text = texts.promise()

    drained = _deliver(texts, kave, render=Renderer(stop_line=True))

    [asked] = server.of("send.json")
    assert asked.form == {
        "receptor": "09121234567",
        "message": "۱+۱: 75000\nلغو۱۱",
        "sender": "10001",
        "localid": texts.reference(text),
    }
    assert asked.path == f"/v1/{API_KEY}/sms/send.json"
    assert texts.state(text) == "sent"
    [entry] = texts.attempts(text)
    assert (entry.carrier, entry.carrier_id, entry.parts) == ("kave", "8792343", 1)
    assert drained.states == {State.SENT: 1}
    assert drained.next_due is None


def test_a_foreign_number_is_written_as_the_carrier_wants_it(
    texts: Texts, server: CarrierServer, kave: Channel
) -> None:
    texts.promise(phone="+491711234567")
    _deliver(texts, kave)
    assert server.of("send.json")[0].form["receptor"] == "00491711234567"


def test_a_busy_carrier_is_tried_again(
    texts: Texts, server: CarrierServer, kave: Channel
) -> None:
    server.script("send.json", kavenegar_says(409), kavenegar_takes(1))
    text = texts.promise()

    first = _deliver(texts, kave)
    assert texts.state(text) == "queued"
    assert server.of(ASK) == []
    assert first.next_due is not None
    assert 1 <= (first.next_due - NOON).total_seconds() <= 3

    texts.wait(3)
    _deliver(texts, kave)
    assert texts.state(text) == "sent"
    assert texts.outcomes(text) == ["retryable", "accepted"]
    assert [asked.form["localid"] for asked in server.of("send.json")] == [
        texts.reference(text),
        texts.reference(text),
    ]


@pytest.mark.parametrize(
    "unclear", [Say(500), Silence(), Reset()], ids=["500", "silence", "reset"]
)
def test_an_unclear_answer_is_asked_about_and_a_known_text_not_sent_again(
    unclear: object, texts: Texts, server: CarrierServer, kave: Channel
) -> None:
    server.script("send.json", unclear)
    server.script(ASK, kavenegar_takes(77, status=5))
    text = texts.promise()

    _deliver(texts, kave)

    assert len(server.of("send.json")) == 1
    assert [asked.form["localid"] for asked in server.of(ASK)] == [
        texts.reference(text)
    ]
    assert texts.state(text) == "sent"
    assert texts.attempts(text)[0].carrier_id == "77"


@pytest.mark.parametrize(
    "unclear", [Say(500), Silence(), Reset()], ids=["500", "silence", "reset"]
)
def test_an_unclear_answer_is_asked_about_and_an_unknown_text_sent_again(
    unclear: object, texts: Texts, server: CarrierServer, kave: Channel
) -> None:
    server.script("send.json", unclear, kavenegar_takes(78))
    text = texts.promise()

    drained = _deliver(texts, kave)
    assert texts.state(text) == "unclear"
    assert len(server.of("send.json")) == 1
    assert len(server.of(ASK)) == 1
    assert drained.next_due is not None
    assert (drained.next_due - NOON).total_seconds() <= 3

    texts.wait(3)
    _deliver(texts, kave)
    assert texts.state(text) == "sent"
    assert {asked.form["localid"] for asked in server.of("send.json")} == {
        texts.reference(text)
    }
    assert len(server.of("send.json")) == 2
    assert texts.outcomes(text) == ["retryable", "accepted"]


def test_a_text_that_the_carrier_booked_late_is_found_before_it_is_sent_again(
    texts: Texts, server: CarrierServer, kave: Channel
) -> None:
    server.script("send.json", Silence())
    server.script(ASK, kavenegar_never_had_it(), kavenegar_takes(79, status=10))
    text = texts.promise()
    _deliver(texts, kave)
    texts.wait(3)
    _deliver(texts, kave)
    assert len(server.of("send.json")) == 1
    assert texts.state(text) == "delivered"
    assert texts.outcomes(text) == ["accepted"]


def test_while_nothing_can_be_learned_nothing_is_sent(
    texts: Texts, server: CarrierServer, kave: Channel
) -> None:
    server.script("send.json", Say(500))
    server.script(ASK, Say(500))
    text = texts.promise()
    waits = []
    # Jittered by a fifth: at the least each wait is a fifth of what passed before it,
    # so the sixteenth is over 3 s on every throw.
    for _ in range(16):
        drained = _deliver(texts, kave)
        assert texts.state(text) == "unclear"
        assert drained.next_due is not None
        waits.append((drained.next_due - texts.at).total_seconds())
        texts.at = drained.next_due
    assert len(server.of("send.json")) == 1
    assert len(server.of(ASK)) == 16
    assert waits[0] < 3 < waits[-1]


def test_a_text_is_asked_about_after_its_expiry_and_never_sent_after_it(
    texts: Texts, server: CarrierServer, kave: Channel
) -> None:
    server.script("send.json", Say(500), kavenegar_takes(1))
    text = texts.promise(expires_in_seconds=2)
    _deliver(texts, kave)
    texts.wait(3)
    _deliver(texts, kave)
    assert len(server.of(ASK)) == 2
    assert len(server.of("send.json")) == 1
    assert texts.state(text) == "expired"


def test_a_carrier_that_cannot_be_asked_waits_for_its_receipt(
    texts: Texts, server: CarrierServer, http: httpx.Client
) -> None:
    server.script("messaging", africastalking_says(501, "ATXid_9"))
    channel = _channel("at", "africastalking", server, http)
    text = texts.promise()

    drained = _deliver(texts, channel)
    assert texts.state(text) == "unclear"
    assert drained.next_due == NOON + timedelta(seconds=900)
    texts.wait(3600)
    _deliver(texts, channel)
    assert len(server.of("messaging")) == 1

    with writing(texts.engine) as db:
        take_receipts(
            db,
            KEYS,
            Routes([channel]),
            channel,
            [Receipt("ATXid_9", Status.DELIVERED, "Success")],
            raw=b"id=ATXid_9",
            at=texts.at,
        )
    assert texts.state(text) == "delivered"


def test_africas_talking_gets_its_own_form(
    texts: Texts, server: CarrierServer, http: httpx.Client
) -> None:
    server.script("messaging", africastalking_says(101))
    texts.promise(phone="+254711000000")
    _deliver(texts, _channel("at", "africastalking", server, http))
    [asked] = server.of("messaging")
    assert asked.headers["apikey"] == API_KEY
    assert asked.form == {
        "username": "sandbox",
        "to": "+254711000000",
        "message": "۱+۱: 75000",
        "bulkSMSMode": "1",
        "from": "10001",
    }


def test_a_receipt_that_overtakes_the_answer_is_believed(
    texts: Texts, server: CarrierServer, kave: Channel
) -> None:
    def overtake() -> None:
        with writing(texts.engine) as db:
            take_receipts(
                db,
                KEYS,
                Routes([kave]),
                kave,
                [Receipt("8792343", Status.DELIVERED, "10")] * 2,
                raw=b"messageid=8792343&status=10",
                at=texts.at,
            )

    taken = kavenegar_takes(8792343)
    server.script("send.json", Say(200, taken.body, before=overtake))
    text = texts.promise()
    drained = _deliver(texts, kave)
    assert texts.state(text) == "delivered"
    assert drained.states == {State.SENT: 1}


def test_no_secret_and_no_number_is_logged(
    texts: Texts,
    server: CarrierServer,
    kave: Channel,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.script("send.json", kavenegar_says(403), Silence())
    text = texts.promise()
    with capture_logs() as logs, caplog.at_level("DEBUG"):
        _deliver(texts, kave)
        texts.wait(600)
        _deliver(texts, kave)
    said = f"{logs} {caplog.text} {texts.attempts(text)}"
    assert [entry["log_level"] for entry in logs] == ["error", "warning"]
    assert API_KEY not in said
    assert PHONE[3:] not in said
    assert "75000" not in said


# --- rules -----------------------------------------------------------------------


def test_receipts_leave_before_campaign_texts(texts: Texts) -> None:
    campaign = texts.promise(Kind.CAMPAIGN)
    texts.wait(1)
    receipt = texts.promise()
    channel = _fake("a")
    _deliver(texts, channel, room=1)
    assert [message.id for message in _of(channel).sent] == [
        texts.reference(receipt),
        texts.reference(campaign),
    ]


def test_a_text_never_leaves_after_its_expiry(texts: Texts) -> None:
    text = texts.promise(expires_in_seconds=60)
    texts.wait(60)
    channel = _fake("a")
    _deliver(texts, channel)
    assert _of(channel).sent == []
    assert texts.state(text) == "expired"
    assert texts.attempts(text) == []


def test_campaign_texts_obey_the_stop_list_and_receipts_do_not(texts: Texts) -> None:
    receipt, campaign = texts.promise(), texts.promise(Kind.CAMPAIGN)
    with writing(texts.engine) as db:
        stops.stop(
            db,
            key="stop",
            look_up=look_up(KEYS, PHONE),
            line="10001",
            channel="kave",
            test=False,
            at=NOON,
        )
    channel = _fake("a")
    _deliver(texts, channel)
    assert [message.id for message in _of(channel).sent] == [texts.reference(receipt)]
    assert texts.state(campaign) == "withdrawn"


def test_an_erased_person_gets_no_text(texts: Texts) -> None:
    text = texts.promise()
    with writing(texts.engine) as db:
        db.execute(delete(schema.vault))
        db.execute(update(schema.person).values(look_up=None))
    channel = _fake("a")
    _deliver(texts, channel)
    assert _of(channel).sent == []
    assert texts.state(text) == "withdrawn"


def test_a_carriers_own_opt_out_stops_the_line(texts: Texts) -> None:
    text = texts.promise()
    channel = _fake("a", Result(Outcome.OPTED_OUT, detail="statusCode 406"))
    _deliver(texts, channel)
    assert texts.state(text) == "failed"
    with reading(texts.engine) as db:
        assert stops.is_stopped(db, look_up=look_up(KEYS, PHONE), line="10001")
        assert not stops.is_stopped(db, look_up=look_up(KEYS, PHONE), line="20002")


def test_a_text_that_cannot_be_made_fails_alone(texts: Texts) -> None:
    bad, good = texts.promise(template="sms.none"), texts.promise()

    def render(row: Claimed) -> Rendered:
        if row.id == bad:
            raise KeyError(row.template)
        return Rendered("سلام")

    channel = _fake("a")
    _deliver(texts, channel, render=render)
    assert texts.state(bad) == "failed"
    assert texts.state(good) == "sent"


def test_a_refused_text_is_not_tried_again(texts: Texts) -> None:
    text = texts.promise()
    channel = _fake("a", Result(Outcome.REFUSED, detail="return.status 411"))
    _deliver(texts, channel)
    texts.wait(3600)
    _deliver(texts, channel)
    assert texts.state(text) == "failed"
    assert len(_of(channel).sent) == 1


def test_a_throttled_channel_rests_as_long_as_it_asks(texts: Texts) -> None:
    for _ in range(6):
        texts.promise()
    channel = _fake("a", Result(Outcome.THROTTLED, retry_after_seconds=20))
    drained = _deliver(texts, channel, room=1)
    # The first was told to slow down; the others were not even tried.
    assert len(_of(channel).sent) == 1
    assert drained.states == {State.QUEUED: 6}
    assert drained.next_due is not None
    assert 20 <= (drained.next_due - NOON).total_seconds() <= 22
    texts.wait(22)
    assert _deliver(texts, channel).states == {State.SENT: 6}


@pytest.mark.parametrize("outcome", [Outcome.NO_CREDIT, Outcome.MISCONFIGURED])
def test_another_channel_takes_over_at_once_when_one_cannot(
    outcome: Outcome, texts: Texts
) -> None:
    waiting = [texts.promise() for _ in range(8)]
    broke = _fake("broke", *[Result(outcome)] * 50, weight=100_000)
    spare = _fake("spare", weight=1)
    _deliver(texts, broke, spare, room=1)
    assert len(_of(broke).sent) == 1
    assert {message.id for message in _of(spare).sent} == {
        texts.reference(text) for text in waiting
    }
    assert {texts.state(text) for text in waiting} == {"sent"}


def test_without_credit_a_text_stays_queued_until_it_expires(texts: Texts) -> None:
    text = texts.promise(expires_in_seconds=600)
    channel = _fake("a", *[Result(Outcome.NO_CREDIT)] * 50)
    with capture_logs() as logs:
        drained = _deliver(texts, channel)
    assert texts.state(text) == "queued"
    assert drained.next_due is not None
    assert 200 <= (texts.row(text).due_at - NOON).total_seconds() <= 400
    assert [entry["log_level"] for entry in logs] == ["error"]
    texts.wait(600)
    _deliver(texts, channel)
    assert texts.state(text) == "expired"


def test_a_carrier_that_always_fails_is_given_up_on(texts: Texts) -> None:
    text = texts.promise(Kind.CAMPAIGN, expires_in_seconds=10**6)
    channel = _fake("a", *[Result(Outcome.RETRYABLE)] * 50)
    while texts.state(text) == "queued":
        _deliver(texts, channel)
        texts.wait(400)
    assert texts.state(text) == "failed"
    assert len(_of(channel).sent) == 8


def test_without_any_channel_texts_wait(texts: Texts) -> None:
    text = texts.promise()
    with capture_logs() as logs:
        drained = _deliver(texts)
    assert texts.state(text) == "queued"
    assert drained.next_due is not None
    assert drained.next_due > NOON
    assert logs[0]["event"] == "texts.no_channel"


def test_a_rehearsal_goes_to_the_test_channel_only(texts: Texts) -> None:
    rehearsal, real = texts.promise(test=True), texts.promise()
    kave, console = _fake("kave"), _fake("console", test=True)
    _deliver(texts, kave, console)
    assert [message.id for message in _of(console).sent] == [texts.reference(rehearsal)]
    assert [message.id for message in _of(kave).sent] == [texts.reference(real)]


def test_an_adapter_that_breaks_is_asked_before_it_is_used_again(texts: Texts) -> None:
    text = texts.promise()
    channel = _fake("a", RuntimeError(PHONE))
    with capture_logs() as logs:
        _deliver(texts, channel)
    assert texts.state(text) == "unclear"
    assert PHONE not in str(logs)
    texts.wait(3)
    _deliver(texts, channel)
    assert _of(channel).asked == [texts.reference(text)]
    assert texts.state(text) == "sent"


# --- deaths and crowds -----------------------------------------------------------


def test_a_text_whose_worker_died_in_the_call_is_asked_about_first(
    texts: Texts,
) -> None:
    known, unknown, uncalled = (texts.promise() for _ in range(3))
    texts.claim("elsewhere:1:1")
    for text in (known, unknown):
        texts.begin(text, "elsewhere:1:1", carrier="a")
    channel = _fake("a")
    _of(channel).found[texts.reference(known)] = Result(
        Outcome.ACCEPTED, carrier_id="k"
    )

    assert _deliver(texts, channel).states == {}
    texts.wait(31)
    _deliver(texts, channel)

    assert {texts.state(text) for text in (known, unknown, uncalled)} == {"sent"}
    assert sorted(_of(channel).asked) == sorted(
        [texts.reference(known), texts.reference(unknown)]
    )
    assert sorted(message.id for message in _of(channel).sent) == sorted(
        [texts.reference(unknown), texts.reference(uncalled)]
    )
    assert texts.outcomes(known) == ["accepted"]
    assert texts.outcomes(unknown) == ["retryable", "accepted"]


def test_a_run_cut_short_writes_down_what_it_knows(texts: Texts) -> None:
    for _ in range(10):
        texts.promise()
    channel = _fake("a")
    renders = count(1)

    class Cut(BaseException):
        pass

    def render(row: Claimed) -> Rendered:
        if next(renders) == 6:
            raise Cut
        return Rendered("سلام")

    with pytest.raises(Cut):
        _deliver(texts, channel, render=render, room=1, batch_max=2)

    with reading(texts.engine) as db:
        states = Counter(db.execute(select(schema.outbox.c.state)).scalars())
    calls = len(_of(channel).sent)
    assert calls > 0
    assert states == {"sent": calls, "queued": 10 - calls}
    assert _deliver(texts, channel).states == {State.SENT: 10 - calls}


def test_a_fault_in_the_words_of_one_text_does_not_hold_up_the_others(
    texts: Texts,
) -> None:
    bad, good = texts.promise(), texts.promise()

    def render(row: Claimed) -> Rendered:
        if row.id == bad:
            raise ZeroDivisionError(PHONE)
        return Rendered("سلام")

    with capture_logs() as logs:
        _deliver(texts, _fake("a"), render=render)
    assert texts.state(bad) == "queued"
    assert texts.row(bad).due_at > NOON
    assert texts.state(good) == "sent"
    assert [entry["event"] for entry in logs] == ["texts.not_rendered"]
    assert PHONE not in str(logs)


def test_a_worker_told_to_stop_hands_the_rest_back(texts: Texts) -> None:
    for _ in range(10):
        texts.promise()
    channel = _fake("a")
    drained = _deliver(
        texts,
        channel,
        room=1,
        should_stop=lambda: len(_of(channel).sent) >= 3,
    )
    assert drained.states == {State.SENT: 3, State.QUEUED: 7}
    assert drained.next_due == NOON
    assert _deliver(texts, channel).states == {State.SENT: 7}


def test_workers_side_by_side_send_every_text_once(texts: Texts) -> None:
    promised = {texts.reference(texts.promise()) for _ in range(60)}
    channel = _fake("a")
    workers = [
        threading.Thread(
            target=_deliver, args=(texts, channel), kwargs={"batch_max": 7}
        )
        for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sent = [message.id for message in _of(channel).sent]
    assert sorted(sent) == sorted(promised)


def test_tidying_frees_expires_and_matches(texts: Texts) -> None:
    lost, late = texts.promise(), texts.promise(expires_in_seconds=5)
    texts.claim("elsewhere:1:1", limit=1)
    texts.wait(31)
    tidy(texts.engine, Routes([]), at=texts.at)
    assert texts.state(lost) == "queued"
    assert texts.state(late) == "expired"
