"""What a call needs before it begins: its channel's pace, rules, a price, a number."""

from __future__ import annotations

import time
from datetime import time as hour
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, update

from ledger import consents
from ledger.engine import writing
from ledger.outbox import Kind
from ledger.schema import person
from sms.carrier import Outcome, Result
from sms.delivery import Drained, Rendered, deliver
from sms.owner import this_process
from sms.prices import Cost, Price
from sms.routes import Channel, Routes
from sms.rules import Rules
from tests.fake_carrier import FakeCarrier
from tests.texts import KEYS, Texts

RULES = Rules(time_zone=ZoneInfo("Asia/Tehran"))


@pytest.fixture
def texts(ledger_engine: Engine) -> Texts:
    return Texts(ledger_engine)


def _fake(name: str, *answers: Any, **more: Any) -> Channel:
    return Channel(name, FakeCarrier(*answers), sender="10001", **more)


def _sent(channel: Channel) -> list[str]:
    assert isinstance(channel.carrier, FakeCarrier)
    return [message.id for message in channel.carrier.sent]


def _deliver(
    texts: Texts, *channels: Channel, words: str = "سلام", **more: Any
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


def test_a_text_is_reckoned_before_and_what_the_carrier_says_is_kept(
    texts: Texts,
) -> None:
    price = Price(Cost(Decimal(1150), "rial"), {"+98912": Decimal("1.1")})
    said = Result(Outcome.ACCEPTED, carrier_id="1", cost="3600 rial")
    text = texts.promise(phone="+989121234567")
    _deliver(texts, _fake("a", said, price=price), words="سلام " * 30)
    [attempt] = texts.attempts(text)
    assert (attempt.parts, attempt.estimate, attempt.cost) == (
        3,
        "3795 rial",
        "3600 rial",
    )


def test_a_channel_is_chosen_by_the_number(texts: Texts) -> None:
    mci = _fake("mci", prefixes=("+98912",), weight=1)
    others = _fake("others", weight=10_000)
    ours = texts.promise(phone="+989121234567")
    theirs = texts.promise(phone="+989351234567")
    _deliver(texts, mci, others)
    assert _sent(mci) == [texts.reference(ours)]
    assert _sent(others) == [texts.reference(theirs)]


def test_texts_leave_no_faster_than_their_channel_takes_parts(texts: Texts) -> None:
    slow = _fake("slow", segments_per_second=30, kinds=frozenset({Kind.RECEIPT}))
    quick = _fake("quick", kinds=frozenset({Kind.SERVICE}))
    for _ in range(30):
        texts.promise(Kind.RECEIPT)
    for _ in range(10):
        texts.promise(Kind.SERVICE)
    began = time.monotonic()
    _deliver(texts, slow, quick, words="سلام " * 30)
    # 90 parts at 30 a second, less what may go at once.
    assert 1.5 < time.monotonic() - began < 10
    assert (len(_sent(slow)), len(_sent(quick))) == (30, 10)
    assert {len(texts.attempts(text)) for text in range(1, 41)} == {1}


def test_a_text_to_many_waits_for_the_morning(texts: Texts) -> None:
    text = texts.promise(Kind.CAMPAIGN, expires_in_seconds=86_400)
    night = Rules(ZoneInfo("Asia/Tehran"), quiet_from=hour(11), quiet_to=hour(15))
    channel = _fake("a")
    receipt = texts.promise(Kind.RECEIPT)
    # Only the hour stands in its way.
    with writing(texts.engine) as db:
        consents.give(
            db,
            person_id=texts.row(text).person_id,
            menus="m" * 64,
            test=False,
            at=texts.at,
        )
    _deliver(texts, channel, rules=night)
    assert _sent(channel) == [texts.reference(receipt)]
    row = texts.row(text)
    assert (row.state, row.attempts) == ("queued", 0)
    local = row.due_at.astimezone(ZoneInfo("Asia/Tehran"))
    assert hour(15) <= local.time() <= hour(15, 30)


def test_a_text_to_many_that_nobody_agreed_to_is_withdrawn_and_says_why(
    texts: Texts,
) -> None:
    text = texts.promise(Kind.CAMPAIGN)
    channel = _fake("a")
    _deliver(texts, channel, rules=RULES)
    assert _sent(channel) == []
    row = texts.row(text)
    assert row.state == "withdrawn"
    assert row.closed_why
    assert row.closed_at is None


def test_who_was_erased_gets_no_text(texts: Texts) -> None:
    text = texts.promise()
    channel = _fake("a")
    with writing(texts.engine) as db:
        db.execute(update(person).values(look_up=None))
    _deliver(texts, channel)
    assert _sent(channel) == []
    assert texts.state(text) == "withdrawn"
