"""Carriers that fail, slowly or at once: texts move to others, and move back."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from ledger import channels
from ledger.channels import Changed
from ledger.engine import reading, writing
from ledger.outbox import Kind, State
from sms import registry
from sms.carrier import Outcome, Receipt, Result, Status, Tools
from sms.condition import Conditions
from sms.delivery import Drained, Rendered, deliver
from sms.owner import this_process
from sms.receiving import take_receipts
from sms.routes import Channel, Routes
from tests.carrier_server import CarrierServer, Say, carrier_server, kavenegar_takes
from tests.fake_carrier import FakeCarrier
from tests.texts import KEYS, PHONE, Texts


@pytest.fixture
def texts(ledger_engine: Engine) -> Texts:
    return Texts(ledger_engine)


@pytest.fixture
def servers() -> Iterator[tuple[CarrierServer, CarrierServer]]:
    with carrier_server() as one, carrier_server() as other:
        yield one, other


def _kave(name: str, server: CarrierServer, http: httpx.Client) -> Channel:
    options = {"api_key": "4B6F75", "sender": "10001", "base_url": server.url}
    tools = Tools(http=http, write=lambda line: None, feed=lambda to, id, text: None)
    carrier = registry.build("kavenegar", options, tools)
    return Channel(name, carrier, sender="10001")


def _fake(name: str, *answers: Any, **more: Any) -> Channel:
    return Channel(name, FakeCarrier(*answers), sender="10001", **more)


def _sent(channel: Channel) -> int:
    assert isinstance(channel.carrier, FakeCarrier)
    return len(channel.carrier.sent)


def _deliver(texts: Texts, *channels: Channel, **more: Any) -> Drained:
    return deliver(
        texts.engine,
        KEYS,
        routes=Routes(channels),
        render=lambda row: Rendered("سلام"),
        owner=this_process(),
        **{"now": texts.now, **more},
    )


def _history(texts: Texts, channel: str) -> list[Changed]:
    with reading(texts.engine) as db:
        return channels.history(db, channel=channel)[::-1]


def _came(server: CarrierServer) -> int:
    return len(server.of("send.json"))


def test_texts_leave_a_carrier_that_fails_slowly_and_come_back(
    texts: Texts, servers: tuple[CarrierServer, CarrierServer]
) -> None:
    failing, good = servers
    good.script("send.json", kavenegar_takes(1))
    slowly = Say(
        409,
        {"return": {"status": 409, "message": "…"}, "entries": None},
        before=lambda: time.sleep(0.15),
    )
    failing.script("send.json", slowly)
    began = time.monotonic()

    def now() -> datetime:
        return texts.at + timedelta(seconds=time.monotonic() - began)

    with httpx.Client(timeout=5) as http:
        both = [_kave("failing", failing, http), _kave("good", good, http)]
        conditions = Conditions(Routes(both))

        def deliver_some(count: int) -> Counter[str]:
            some = [texts.promise() for _ in range(count)]
            _deliver(texts, *both, conditions=conditions, now=now)
            texts.wait(5)
            _deliver(texts, *both, conditions=conditions, now=now)
            return Counter(texts.state(text) for text in some)

        assert deliver_some(40) == {"sent": 40}
        opened = _history(texts, "failing")[-1]
        assert (opened.what, opened.share) == ("opened", 0)
        assert "failed" in opened.why
        before = _came(failing)
        assert deliver_some(20) == {"sent": 20}
        assert _came(failing) == before

        # It is well again, which nobody knows before a text has tried.
        failing.script("send.json", kavenegar_takes(2))
        texts.wait(60)
        assert deliver_some(40) == {"sent": 40}
        assert _history(texts, "failing")[-1].what == "closed"
        assert deliver_some(40) == {"sent": 40}
        assert _came(failing) > before + 10
        assert _history(texts, "good") == []


def test_a_slow_carrier_keeps_ever_fewer_texts_until_it_is_fast(texts: Texts) -> None:
    seconds = 0.02

    class Slow(FakeCarrier):
        def send(self, message: Any) -> Result:
            time.sleep(seconds)
            return super().send(message)

    slow = Channel("slow", Slow(), sender="10001", slow_seconds=0.01)
    other = _fake("other")
    began = time.monotonic()

    def now() -> datetime:
        return texts.at + timedelta(seconds=time.monotonic() - began)

    for _ in range(80):
        texts.promise()
    conditions = Conditions(Routes([slow, other]))
    _deliver(texts, slow, other, conditions=conditions, room=4, now=now)
    lowered = _history(texts, "slow")[0]
    assert (lowered.what, lowered.share) == ("lowered", 50)
    assert "took" in lowered.why
    assert _sent(other) > 50

    seconds = 0.0
    for _ in range(4):
        texts.wait(61)
        for _ in range(40):
            texts.promise()
        _deliver(texts, slow, other, conditions=conditions, now=now)
    raised = _history(texts, "slow")[-1]
    assert (raised.what, raised.why) == ("raised", "its calls are fast again")


def test_one_text_probes_a_channel_that_rested(texts: Texts) -> None:
    channel = _fake("only", *[Result(Outcome.NO_CREDIT)] * 2)
    for _ in range(5):
        texts.promise()
    _deliver(texts, channel, room=1)
    assert _sent(channel) == 1
    texts.wait(40)
    _deliver(texts, channel, room=4)
    # The probe failed, and no other text followed it.
    assert _sent(channel) == 2
    assert [line.what for line in _history(texts, "only")] == ["opened", "opened"]
    for _ in range(8):
        texts.wait(120)
        _deliver(texts, channel)
    assert _history(texts, "only")[-1].what == "closed"
    assert _sent(channel) == 7


def test_what_one_process_learned_another_knows(texts: Texts) -> None:
    broke, spare = _fake("broke", Result(Outcome.NO_CREDIT), weight=100_000), _fake("s")
    texts.promise()
    _deliver(texts, broke, spare)
    elsewhere = _fake("broke", weight=100_000)
    for _ in range(5):
        texts.promise()
    _deliver(texts, elsewhere, spare)
    assert _sent(elsewhere) == 0
    assert _sent(spare) == 6


def test_two_processes_send_one_probe_between_them(texts: Texts) -> None:
    _deliver_one = _fake("a", Result(Outcome.MISCONFIGURED))
    for _ in range(6):
        texts.promise()
    _deliver(texts, _deliver_one, room=1)
    texts.wait(400)
    at_once = threading.Barrier(2)

    class Waits(FakeCarrier):
        def send(self, message: Any) -> Result:
            # Longer than the other needs to look.
            time.sleep(0.3)
            return super().send(message)

    carriers = [Waits(Result(Outcome.MISCONFIGURED)) for _ in range(2)]

    def work(carrier: FakeCarrier) -> None:
        at_once.wait()
        _deliver(texts, Channel("a", carrier, sender="1"), batch_max=3)

    threads = [threading.Thread(target=work, args=(one,)) for one in carriers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(len(carrier.sent) for carrier in carriers) == 1


def test_a_throttled_text_goes_where_it_is_welcome(texts: Texts) -> None:
    small = _fake("small", Result(Outcome.THROTTLED), weight=100_000)
    large = _fake("large", weight=1)
    text = texts.promise()
    _deliver(texts, small, large)
    assert texts.state(text) == "sent"
    assert texts.outcomes(text) == ["throttled", "accepted"]
    # How fast it takes texts is no matter of its health.
    assert _history(texts, "small") == []


def test_a_receipt_does_not_wait_behind_texts_to_many(texts: Texts) -> None:
    """Nor for a thread that they have all taken."""
    began = threading.Event()
    release = threading.Event()

    class Slow(FakeCarrier):
        def send(self, message: Any) -> Result:
            if not message.text.startswith("رسید"):
                began.set()
                assert release.wait(20)
            return super().send(message)

    channel = Channel("slow", Slow(), sender="10001")
    for _ in range(60):
        texts.promise(Kind.CAMPAIGN)
    receipts: list[int] = []

    def render(row: Any) -> Rendered:
        return Rendered("رسید" if row.kind is Kind.RECEIPT else "خبر")

    run = threading.Thread(
        target=deliver,
        args=(texts.engine, KEYS),
        kwargs={
            "routes": Routes([channel]),
            "render": render,
            "owner": this_process(),
            "now": texts.now,
            "room": 4,
            "batch_max": 20,
        },
    )
    run.start()
    try:
        assert began.wait(20)
        receipts += [texts.promise(Kind.RECEIPT) for _ in range(3)]
        until = time.monotonic() + 20
        while {texts.state(text) for text in receipts} != {"sent"}:
            assert time.monotonic() < until, "receipts wait behind texts to many"
            time.sleep(0.05)
    finally:
        release.set()
        run.join()


def test_a_carrier_that_never_answers_does_not_keep_the_others_waiting(
    texts: Texts,
) -> None:
    release = threading.Event()

    class Deaf(FakeCarrier):
        def send(self, message: Any) -> Result:
            assert release.wait(20)
            return super().send(message)

    deaf, quick = Channel("deaf", Deaf(), sender="1"), _fake("quick")
    for _ in range(60):
        texts.promise()
    run = threading.Thread(target=_deliver, args=(texts, deaf, quick))
    run.start()
    try:
        until = time.monotonic() + 20
        while _sent(quick) < 20:
            assert time.monotonic() < until, "all threads wait for one carrier"
            time.sleep(0.02)
    finally:
        release.set()
        run.join()
    assert _sent(deaf) + _sent(quick) == 60


def test_a_queue_full_of_texts_for_a_slow_carrier_lets_others_in(texts: Texts) -> None:
    slow = _fake("slow", segments_per_second=1)
    quick = _fake("quick")
    for _ in range(100):
        texts.promise()
    until = time.monotonic() + 20

    def should_stop() -> bool:
        return _sent(quick) >= 35 or time.monotonic() > until

    _deliver(texts, slow, quick, batch_max=10, should_stop=should_stop)
    assert _sent(quick) >= 35
    assert _sent(slow) < 25
    assert time.monotonic() < until


# --- silence ---


def _silent(texts: Texts, kind: Kind, channel: Channel) -> int:
    assert isinstance(channel.carrier, FakeCarrier)
    channel.carrier.answers.append(Result(Outcome.AMBIGUOUS))
    text = texts.promise(kind, expires_in_seconds=86_400)
    _deliver(texts, channel)
    assert texts.state(text) == "unclear"
    return text


def _receipted(texts: Texts, channel: Channel, phone: str = PHONE) -> None:
    """A later text over the same channel, and its receipt."""
    later = texts.promise(phone=phone)
    _deliver(texts, channel)
    [attempt] = texts.attempts(later)
    assert attempt.carrier_id is not None
    with writing(texts.engine) as db:
        take_receipts(
            db,
            KEYS,
            Routes([channel]),
            channel,
            [Receipt(attempt.carrier_id, Status.DELIVERED, "d")],
            raw=b"a post",
            at=texts.at,
        )


def _deaf(**more: Any) -> Channel:
    """A channel that cannot be asked about a text."""
    carrier = FakeCarrier()
    carrier.can_look_up = False
    return Channel("deaf", carrier, sender="10001", **more)


@pytest.mark.parametrize("kind", [Kind.RECEIPT, Kind.SERVICE])
def test_silence_where_receipts_come_is_broken_after_a_while(
    kind: Kind, texts: Texts
) -> None:
    channel = _deaf()
    text = _silent(texts, kind, channel)
    texts.wait(890)
    _receipted(texts, channel)
    _deliver(texts, channel)
    assert texts.state(text) == "unclear"
    texts.wait(15)
    _deliver(texts, channel)
    assert texts.state(text) == "sent"
    assert texts.outcomes(text) == ["ambiguous", "accepted"]


def test_silence_where_no_receipts_come_says_nothing(texts: Texts) -> None:
    channel = _deaf()
    text = _silent(texts, Kind.RECEIPT, channel)
    for _ in range(10):
        texts.wait(2000)
        _deliver(texts, channel)
    assert texts.state(text) == "unclear"
    assert _sent(channel) == 1
    # Once they come again it does.
    _receipted(texts, channel)
    texts.wait(300)
    _deliver(texts, channel)
    assert texts.state(text) == "sent"


def test_a_receipt_for_an_earlier_text_breaks_no_silence(texts: Texts) -> None:
    channel = _deaf()
    _receipted(texts, channel)
    texts.wait(1)
    text = _silent(texts, Kind.RECEIPT, channel)
    texts.wait(1000)
    _deliver(texts, channel)
    assert texts.state(text) == "unclear"


@pytest.mark.parametrize(("kind", "seconds"), [(Kind.CAMPAIGN, 900), (Kind.RECEIPT, 0)])
def test_some_silence_is_never_broken(kind: Kind, seconds: int, texts: Texts) -> None:
    channel = _deaf(unclear_resend_seconds=seconds)
    text = _silent(texts, kind, channel)
    for _ in range(5):
        _receipted(texts, channel)
        texts.wait(3000)
        _deliver(texts, channel)
    assert texts.state(text) == "unclear"
    assert texts.outcomes(text) == ["ambiguous"]


def test_a_receipt_without_a_text_keeps_its_phone_from_a_second_one(
    texts: Texts,
) -> None:
    """It may be this text's, and nobody has found that out yet."""
    channel = _deaf()
    text = _silent(texts, Kind.RECEIPT, channel)
    texts.wait(890)
    stray = Receipt("77", Status.DELIVERED, "d", to=PHONE)
    with writing(texts.engine) as db:
        take_receipts(
            db, KEYS, Routes([channel]), channel, [stray], raw=b"a post", at=texts.at
        )
    # The later text and its receipt are another phone's.
    _receipted(texts, channel, phone="+989350000000")
    texts.wait(15)
    _deliver(texts, channel)
    assert texts.state(text) == "unclear"
    assert texts.outcomes(text) == ["ambiguous"]


def test_a_text_in_doubt_never_expires_as_if_nobody_had_sent_it(texts: Texts) -> None:
    channel = _deaf()
    text = _silent(texts, Kind.RECEIPT, channel)
    texts.wait(86_300)
    _receipted(texts, channel)
    texts.wait(200)
    drained = _deliver(texts, channel)
    assert texts.state(text) == "unclear"
    assert drained.states in ({}, {State.UNCLEAR: 1})
    assert texts.row(text).due_at > texts.at + timedelta(days=1)
