"""What carriers post to us: stored once, believed, and its keywords obeyed."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, func, select

from ledger import schema, stops
from ledger.engine import reading, writing
from ledger.vault import look_up, unseal_raw
from sms.carrier import Inbound, Receipt, Status
from sms.delivery import Rendered, deliver
from sms.keywords import Keyword
from sms.owner import this_process
from sms.receiving import Received, take_inbound, take_receipts
from sms.routes import Channel, Routes
from tests.fake_carrier import FakeCarrier
from tests.texts import KEYS, PHONE, Texts

CHANNEL = Channel("kave", FakeCarrier(), sender="10001")


@pytest.fixture
def texts(ledger_engine: Engine) -> Texts:
    return Texts(ledger_engine)


def test_stop_and_start_are_obeyed_for_the_line_they_were_said_to(texts: Texts) -> None:
    assert _receive(texts, "۱۱") == Received(True, Keyword.STOP)
    assert _is_stopped(texts, "10001")
    assert not _is_stopped(texts, "20002")

    assert _receive(texts, "12") == Received(True, Keyword.START)
    assert not _is_stopped(texts, "10001")


def test_a_line_is_the_channels_own_however_the_form_spells_it(texts: Texts) -> None:
    _receive(texts, "11", line="+9810001")
    assert _is_stopped(texts, "10001")


def test_a_doubled_stop_does_not_undo_the_start_between(texts: Texts) -> None:
    _receive(texts, "11", carrier_id="1")
    _receive(texts, "12", carrier_id="2")
    assert _receive(texts, "11", carrier_id="1") == Received(False, Keyword.STOP)
    assert not _is_stopped(texts, "10001")


def test_who_never_called_can_say_stop(texts: Texts) -> None:
    _receive(texts, "11")
    with reading(texts.engine) as db:
        assert db.scalar(select(func.count()).select_from(schema.person)) == 0
    assert _is_stopped(texts, "10001")


def test_any_other_text_is_stored_and_changes_nothing(texts: Texts) -> None:
    assert _receive(texts, "چه خبر؟") == Received(True, None)
    assert not _is_stopped(texts, "10001")
    with reading(texts.engine) as db:
        row = db.execute(select(schema.inbound)).one()
    assert row.keyword is None
    assert row.look_up == look_up(KEYS, PHONE)
    assert unseal_raw(KEYS, row.raw) == b"the form"


def test_a_receipt_raises_the_state_of_its_text_once(texts: Texts) -> None:
    text = _sent(texts)
    for status in (Status.DELIVERED, Status.DELIVERED, Status.SENT, Status.UNKNOWN):
        _report(texts, f"fake-{texts.reference(text)}", status)
        assert texts.state(text) == "delivered"


def test_a_receipt_for_nobody_is_kept_and_does_no_harm(texts: Texts) -> None:
    text = _sent(texts)
    _report(texts, "somebody-elses", Status.FAILED)
    assert texts.state(text) == "sent"
    with reading(texts.engine) as db:
        assert db.scalar(select(schema.receipt.c.matched_at)) is None


def test_a_receiver_who_blocks_the_line_stops_it(texts: Texts) -> None:
    text = _sent(texts)
    _report(texts, f"fake-{texts.reference(text)}", Status.OPTED_OUT)
    assert texts.state(text) == "failed"
    assert _is_stopped(texts, "10001")


def test_of_a_post_that_brings_several_each_is_kept_with_its_own_piece(
    texts: Texts,
) -> None:
    report = [
        Receipt("a", Status.SENT, "1", raw=b"piece a"),
        Receipt("b", Status.SENT, "1"),
    ]
    with writing(texts.engine) as db:
        take_receipts(
            db, KEYS, Routes([CHANNEL]), CHANNEL, report, raw=b"whole", at=texts.at
        )
        inbound = Inbound("1", PHONE, "10001", "hi", raw=b"piece c")
        take_inbound(db, KEYS, CHANNEL, inbound, raw=b"whole", at=texts.at)
    with reading(texts.engine) as db:
        kept = [
            unseal_raw(KEYS, raw) for raw in db.scalars(select(schema.receipt.c.raw))
        ]
        kept += [
            unseal_raw(KEYS, raw) for raw in db.scalars(select(schema.inbound.c.raw))
        ]
    assert kept == [b"piece a", b"whole", b"piece c"]


def _receive(
    texts: Texts, said: str, *, carrier_id: str | None = None, line: str = "10001"
) -> Received:
    inbound = Inbound(carrier_id or said, PHONE, line, said)
    with writing(texts.engine) as db:
        return take_inbound(db, KEYS, CHANNEL, inbound, raw=b"the form", at=texts.at)


def _report(texts: Texts, carrier_id: str, status: Status) -> None:
    with writing(texts.engine) as db:
        take_receipts(
            db,
            KEYS,
            Routes([CHANNEL]),
            CHANNEL,
            [Receipt(carrier_id, status, "raw")],
            raw=b"a form",
            at=texts.at,
        )


def _sent(texts: Texts) -> int:
    text = texts.promise()
    deliver(
        texts.engine,
        KEYS,
        routes=Routes([CHANNEL]),
        render=lambda row: Rendered("سلام"),
        owner=this_process(),
        now=texts.now,
    )
    assert texts.state(text) == "sent"
    return text


def _is_stopped(texts: Texts, line: str) -> bool:
    with reading(texts.engine) as db:
        return stops.is_stopped(db, look_up=look_up(KEYS, PHONE), line=line)
