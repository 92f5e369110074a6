"""A rehearsal, from the outbox to carriers that must not hear of strangers."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from ledger.outbox import State
from sms import rehearsal
from sms.carrier import Carrier, Outbound, Outcome, Posted, Question
from sms.delivery import Rendered, deliver
from sms.owner import this_process
from sms.rehearsal import DELIVERED, REFUSED, SILENT
from sms.routes import Channel, Routes
from sms.rules import Rules
from tests.fake_carrier import FakeCarrier
from tests.texts import KEYS, PHONE, Texts

STRANGER = "+989351112233"


@pytest.fixture
def texts(ledger_engine: Engine) -> Texts:
    return Texts(ledger_engine)


def _rehearse(texts: Texts, *more: Channel, day_max: int = 100) -> list[str]:
    """Deliver what is due in a rehearsal; returns whom the real carrier wrote to."""
    carrier = FakeCarrier()
    real = Channel("kave", carrier, sender="10001", stop_line="لغو۱۱")
    rules = Rules(
        ZoneInfo("Asia/Tehran"),
        rehearsal=rehearsal.rehearse(
            KEYS, channels=["kave"], guests=[PHONE], day_max=day_max
        ),
    )
    deliver(
        texts.engine,
        KEYS,
        routes=Routes([real, rehearsal.channel([real]), *more]),
        render=lambda row: Rendered("سلام"),
        owner=this_process(),
        now=texts.now,
        rules=rules,
    )
    return [message.to for message in carrier.sent]


def test_a_guest_gets_the_text_and_a_stranger_does_not(texts: Texts):
    guest, stranger = texts.promise(), texts.promise(phone=STRANGER)
    assert _rehearse(texts) == [PHONE]
    assert texts.state(guest) == State.SENT
    assert texts.state(stranger) == State.WITHDRAWN
    assert texts.row(stranger).closed_why == "not a guest"
    assert texts.attempts(stranger) == []


def test_three_numbers_play_their_parts_and_no_carrier_hears_of_them(texts: Texts):
    delivered = texts.promise(phone=DELIVERED)
    refused = texts.promise(phone=REFUSED)
    silent = texts.promise(phone=SILENT)
    assert _rehearse(texts) == []
    assert texts.state(delivered) == State.DELIVERED
    assert texts.state(refused) == State.FAILED
    assert texts.state(silent) == State.UNCLEAR
    assert texts.outcomes(silent) == [Outcome.AMBIGUOUS]


def test_many_silent_texts_never_end_at_a_real_carrier(texts: Texts):
    sent = [texts.promise(phone=SILENT) for _ in range(8)]
    assert _rehearse(texts) == []
    for _ in range(3):
        texts.wait(120)
        assert _rehearse(texts) == []
    states = {texts.state(one) for one in sent}
    assert states <= {State.UNCLEAR, State.QUEUED}


def test_a_full_day_keeps_the_rest_for_tomorrow(texts: Texts):
    sent = [texts.promise(expires_in_seconds=48 * 3600) for _ in range(3)]
    assert len(_rehearse(texts, day_max=2)) == 2
    assert [texts.state(one) for one in sent].count("queued") == 1
    assert _rehearse(texts, day_max=2) == []
    texts.wait(24 * 3600)
    assert len(_rehearse(texts, day_max=2)) == 1


def test_a_test_channel_is_no_part_of_it(texts: Texts):
    console = FakeCarrier()
    sent = texts.promise(phone=STRANGER, test=True)
    assert _rehearse(texts, Channel("console", console, "1", test=True)) == []
    assert [message.to for message in console.sent] == [STRANGER]
    assert texts.state(sent) == State.SENT


def test_the_part_is_played_by_a_carrier_like_any_other():
    real = Channel("kave", FakeCarrier(), sender="10001", stop_line="لغو۱۱")
    channel = rehearsal.channel([real])
    carrier: Any = channel.carrier
    assert isinstance(carrier, Carrier)
    assert (channel.sender, channel.stop_line) == ("10001", "لغو۱۱")
    at = Texts.at
    answer = carrier.send(Outbound("1", SILENT, "سلام", "10001"))
    asked = carrier.look_up(Question("1", SILENT, "سلام", "10001", since=at, at=at))
    assert answer.outcome is asked.outcome is Outcome.AMBIGUOUS
    posted = Posted("POST", "http://x/", body=b"{}")
    assert carrier.read_receipts(posted) == carrier.read_inbound(posted) == ()
