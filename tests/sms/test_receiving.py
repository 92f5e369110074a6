"""What carriers post to us: stored once, believed, and its keywords obeyed."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, func, select, update

from ledger import schema, stops
from ledger.engine import reading, writing
from ledger.vault import look_up, unseal_raw
from sms.carrier import Inbound, Joint, Receipt, Spoilt, Status
from sms.delivery import Rendered, deliver
from sms.keywords import Keyword
from sms.owner import this_process
from sms.receiving import (
    Received,
    give_up_parts,
    take_inbound,
    take_receipts,
    take_texts,
)
from sms.routes import Channel, Routes
from tests.fake_carrier import FakeCarrier
from tests.sms.posts import build, cases, names, posted
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
    received = _receive(texts, "چه خبر؟")
    assert (received.first, received.keyword) == (True, None)
    assert not _is_stopped(texts, "10001")
    with reading(texts.engine) as db:
        row = db.execute(select(schema.inbound)).one()
    assert row.keyword is None
    assert row.look_up == look_up(KEYS, PHONE)
    assert unseal_raw(KEYS, row.raw) == b"the form"
    assert (row.id, row.handled_at) == (received.inbound_id, None)
    assert _receive(texts, "چه خبر؟") == Received(False)


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


def test_a_piece_that_cannot_be_read_is_kept_beside_those_that_can(
    texts: Texts,
) -> None:
    text = Inbound("1", PHONE, "10001", "سلام")
    with writing(texts.engine) as db:
        left = take_texts(
            db,
            KEYS,
            CHANNEL,
            [Spoilt("from is no phone number", b"an ad"), text],
            raw=b"all of it",
            at=texts.at,
        )
        spoilt = [Spoilt("status is missing", b"half")]
        take_receipts(
            db, KEYS, Routes([CHANNEL]), CHANNEL, spoilt, raw=b"", at=texts.at
        )
        kept = db.execute(select(schema.unreadable).order_by(schema.unreadable.c.id))
        shown = [(row.way, row.why, unseal_raw(KEYS, row.raw)) for row in kept]
    assert len(left) == 1
    assert shown == [
        ("inbound", "from is no phone number", b"an ad"),
        ("receipts", "status is missing", b"half"),
    ]


# -- texts without an id --------------------------------------------------------------


def test_the_same_words_again_at_once_are_the_carriers_repeat(texts: Texts) -> None:
    assert _said(texts, "سلام").first
    texts.wait(60)
    assert not _said(texts, "سلام").first
    texts.wait(86_400)
    assert _said(texts, "سلام").first


def test_a_stop_after_a_start_counts_however_soon_it_comes(texts: Texts) -> None:
    for text, stopped in (("11", True), ("12", False), ("11", True), ("11", True)):
        _said(texts, text)
        texts.wait(1)
        assert _is_stopped(texts, "10001") is stopped
    with reading(texts.engine) as db:
        count = select(func.count()).select_from(schema.inbound)
        assert db.scalar(count) == 3


# -- long texts ----------------------------------------------------------------------


def test_a_long_text_that_arrives_last_part_first_is_one_text(texts: Texts) -> None:
    assert _part(texts, 3, "ان") == Received(True)
    assert _part(texts, 1, "1+1 ۵۰ ") == Received(True)
    assert _part(texts, 1, "1+1 ۵۰ ") == Received(True)
    received = _part(texts, 2, "هزار توم")
    assert received.inbound_id is not None
    assert _words(texts) == ["1+1 ۵۰ هزار تومان"]
    assert _part(texts, 2, "هزار توم") == Received(True)
    assert len(_words(texts)) == 1


def test_two_senders_with_one_reference_are_two_texts(texts: Texts) -> None:
    other = "+989351112233"
    _part(texts, 1, "a", total=2)
    _part(texts, 2, "Z", total=2, phone=other)
    _part(texts, 1, "Y", total=2, phone=other)
    _part(texts, 2, "b", total=2)
    assert _words(texts) == ["YZ", "ab"]


def test_a_stop_in_parts_is_a_stop(texts: Texts) -> None:
    _part(texts, 2, "غو", total=2)
    assert _part(texts, 1, "ل", total=2) == Received(True, Keyword.STOP)
    assert _is_stopped(texts, "10001")


def test_a_text_that_never_came_whole_is_read_by_somebody(texts: Texts) -> None:
    _part(texts, 1, "11", total=3)
    _part(texts, 3, "end", total=3)
    assert _give_up(texts) == 0
    texts.wait(86_401)
    assert _give_up(texts) == 1
    assert _words(texts) == ["11 … end"]
    assert not _is_stopped(texts, "10001")
    assert _give_up(texts) == 0


# -- who blocks a line ---------------------------------------------------------------


def _blocking() -> list[Any]:
    return [
        pytest.param(name, case, id=f"{name}: {case['story']}")
        for name in names()
        for case in cases(name)["receipts"]
        if case.get("status") == "opted_out"
    ]


def test_most_carriers_say_that_a_line_is_blocked() -> None:
    said = {
        name
        for name in names()
        for part in ("send", "receipts", "ask_receipts")
        for case in cases(name).get(part, ())
        if "opted_out" in json.dumps(case)
    }
    assert said >= {
        "africastalking",
        "infobip",
        "kavenegar",
        "magfa",
        "melipayamak",
        "smsir",
        "twilio",
    }


@pytest.mark.parametrize(("name", "case"), _blocking())
def test_whoever_blocks_the_line_at_their_carrier_has_stopped_it(
    texts: Texts, name: str, case: dict[str, Any]
) -> None:
    with httpx.Client() as http:
        carrier = build(name, "https://carrier.example", http, case.get("options"))
        report = carrier.read_receipts(posted(case))
    text = _sent(texts)
    with writing(texts.engine) as db:
        db.execute(update(schema.attempt).values(carrier_id=case["carrier_id"]))
        take_receipts(
            db, KEYS, Routes([CHANNEL]), CHANNEL, report, raw=b"", at=texts.at
        )
    assert texts.state(text) == "failed"
    assert _is_stopped(texts, "10001")


def test_an_opt_out_at_africas_talking_is_a_stop_however_often_it_is_posted(
    texts: Texts,
) -> None:
    form = {"senderId": "10001", "phoneNumber": PHONE}
    with httpx.Client() as http:
        carrier = build("africastalking", "https://carrier.example", http)
        found = carrier.read_inbound(posted({"form": form}))
    for _ in range(2):
        with writing(texts.engine) as db:
            assert take_texts(db, KEYS, CHANNEL, found, raw=b"f", at=texts.at) == []
    assert _is_stopped(texts, "10001")


def _said(texts: Texts, said: str) -> Received:
    """A text from a carrier that gives it no id."""
    inbound = Inbound("", PHONE, "10001", said)
    with writing(texts.engine) as db:
        return take_inbound(db, KEYS, CHANNEL, inbound, raw=b"the form", at=texts.at)


def _part(
    texts: Texts, part: int, said: str, *, total: int = 3, phone: str = PHONE
) -> Received:
    inbound = Inbound(
        f"id-{phone}-{part}", phone, "10001", said, joint=Joint("16:513", part, total)
    )
    with writing(texts.engine) as db:
        return take_inbound(db, KEYS, CHANNEL, inbound, raw=b"the form", at=texts.at)


def _give_up(texts: Texts) -> int:
    with writing(texts.engine) as db:
        return give_up_parts(db, KEYS, at=texts.at)


def _words(texts: Texts) -> list[str]:
    """What is left to be handled, the first the first."""
    with reading(texts.engine) as db:
        rows = db.scalars(
            select(schema.inbound.c.words)
            .where(schema.inbound.c.handled_at.is_(None))
            .order_by(schema.inbound.c.id)
        )
        return [json.loads(unseal_raw(KEYS, words))["text"] for words in rows]


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
