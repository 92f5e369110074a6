"""What other gateways were found to do with texts, and ours must not.

Each defect was measured, or read, in software that many use; the docstring names whose
it is. `make guards` takes each guard out of our code and wants its test to fail: see
tests/guards/patches, a patch for each number.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx
import pytest

from ledger.engine import writing
from ledger.parts import next_reference
from ledger.vault import unseal_raw
from phone.encoding import (
    GSM7_BASIC,
    GSM7_EXTENSION,
    SMS_GSM7_SEPTETS,
    SMS_OCTETS,
)
from phone.smpp.codings import Codings
from phone.smpp.segments import Joint, cut
from sms.carrier import Outbound, Outcome, Receipt, Result, Status
from sms.delivery import Drained, Rendered, deliver, tidy
from sms.owner import this_process
from sms.receiving import take_receipts
from sms.routes import Channel, Routes
from tests.fake_carrier import FakeCarrier
from tests.gateway.house import NOON
from tests.gateway.test_smpp_texts import (
    SHORT,
    WORDS,
    House,
    now,
    running,
    until,
    yarigar,
)
from tests.peers.centre import Centre
from tests.sms.posts import build, posted
from tests.texts import KEYS, PHONE, Texts

bound = pytest.mark.usefixtures("bound")


def submits(centre: Centre) -> list[dict[str, Any]]:
    return [told for told in centre.told if told["event"] == "submit"]


def words(house: House) -> Counter[str]:
    """What people texted us, as it was understood."""
    keys = house.gateway.service.keys
    rows = house.gateway.rows("inbound")
    return Counter(json.loads(unseal_raw(keys, row.words))["text"] for row in rows)


def deliver_by(texts: Texts, carrier: FakeCarrier) -> Drained:
    return deliver(
        texts.engine,
        KEYS,
        routes=Routes([by(carrier)]),
        render=lambda row: Rendered("سلام"),
        owner=this_process(),
        now=texts.now,
        room=4,
    )


def by(carrier: FakeCarrier) -> Channel:
    return Channel("fake", carrier, sender="10001")


def report(texts: Texts, carrier_id: str, status: Status) -> None:
    """Post a receipt, as a webhook would."""
    channel = by(FakeCarrier())
    receipt = Receipt(carrier_id, status, status)
    with writing(texts.engine) as db:
        take_receipts(
            db, KEYS, Routes([channel]), channel, [receipt], raw=b"r", at=texts.at
        )


# --- 1 to 4: a gateway of many parts ----------------------------------------------


@bound
def test_01_a_text_of_one_part_has_its_receipt_believed(house: House, centre: Centre):
    """Jasmin 0.11.1 passes on no receipt at all of a text of a single part."""
    house.promise(SHORT)
    house.come_to(delivered=1)
    assert [row.parts for row in house.gateway.rows("attempt")] == [1]


@bound
@pytest.mark.parametrize("wide", [False, True])
def test_02_a_long_text_is_joined_in_any_order_and_never_with_a_strangers(
    house: House, centre: Centre, wide: bool
):
    """Jasmin loses one whose last part comes first, mixes two senders that count alike,
    and knows references of one octet only."""
    said = {PHONE[1:]: "الف " * 40, "989351112233": "ب " * 80}
    for parts in ([3], [1, 2]):
        for phone, text in said.items():
            centre.do(
                "text",
                **{"from": phone, "to": "10001", "text": text},
                parts=parts,
                wide=wide,
                reference=700 if wide else 7,
                copies=2,
            )
    until(lambda: len(house.gateway.rows("inbound")) == 2, lambda: centre.told)
    assert words(house) == Counter(said.values())


@bound
def test_03_one_connection_has_many_texts_under_way(house: House, centre: Centre):
    """Jasmin waits for each answer before the next text: 21 a second at 20 ms."""
    texts, latency_seconds = 40, 0.2
    centre.do("set", latency=1000 * latency_seconds)
    for number in range(texts):
        house.promise(SHORT, phone=f"+9891212345{number:02}")
    began = time.monotonic()
    house.come_to(delivered=texts)
    assert time.monotonic() - began < texts * latency_seconds / 2


def test_04_a_text_is_as_old_as_it_is_and_an_old_one_is_not_dropped_in_silence(
    texts: Texts,
):
    """Jasmin's age test forgets whole days; what is too old is gone without a word."""
    carrier = FakeCarrier(Result(Outcome.RETRYABLE), Result(Outcome.RETRYABLE))
    ours, late = (texts.promise(expires_in_seconds=26 * 3600) for _ in range(2))
    deliver_by(texts, carrier)
    texts.wait(5 * 3600)
    carrier.answers.extend([Result(Outcome.ACCEPTED, "a"), Result(Outcome.RETRYABLE)])
    deliver_by(texts, carrier)
    states = {texts.state(ours), texts.state(late)}
    assert states == {"sent", "queued"}

    texts.wait(44 * 3600)
    deliver_by(texts, carrier)
    tidy(texts.engine, Routes([by(carrier)]), at=texts.at)
    assert {texts.state(ours), texts.state(late)} == {"sent", "expired"}
    assert len(carrier.sent) == 4


# --- 5 to 9: between a gateway and its message centre ---------------------------------


@bound
def test_05_a_receipt_that_overtakes_its_answer_is_believed(
    house: House, centre: Centre
):
    """Kannel lost 200 of 200 receipts that came before the submit's answer."""
    centre.do("set", delay=-1)
    house.promise(SHORT)
    house.promise(WORDS, phone="+989351112233")
    house.come_to(delivered=2)
    assert all(row.matched_at is not None for row in house.gateway.rows("receipt"))


@bound
def test_06_a_text_whose_answer_is_lost_is_not_sent_again(house: House, centre: Centre):
    """Kannel and Jasmin send every one of these again, and the phone reads it twice."""
    centre.do("set", receipt="none")
    centre.do("lose", times=2)
    for number in range(2):
        house.promise(SHORT, phone=f"+98912123456{number}")
    house.come_to(unclear=2)
    # Long enough for any retry that there might be.
    house.clock.ahead += timedelta(minutes=5)
    time.sleep(1.5)
    assert len(submits(centre)) == 2
    assert house.states() == {"unclear": 2}


def test_07_a_death_with_a_window_under_way_loses_none_and_doubles_none(
    house: House, centre: Centre
):
    """Kannel, killed with a window of 50, sent exactly those 50 a second time."""
    house.clock.ahead = now() - NOON
    centre.do("set", latency=150, quiet=True)
    for number in range(60):
        house.promise(SHORT, phone=f"+9891212345{number:02}")
    # Killed where the block ends.
    with yarigar(house, centre):
        until(lambda: centre.count("text") >= 20, lambda: centre.told)
    assert house.states()["delivered"] < 60
    house.clock.ahead += timedelta(minutes=20)
    with running(house):
        # Whatever the centre has is known to be there, answered or not; what it never
        # had goes again when receipts of later texts have come for long.
        for last in range(2):
            house.promise(SHORT, phone=f"+98935111223{last}")
            until(lambda: _is_settled(house, centre), house.states)
            house.clock.ahead += timedelta(minutes=20)
        house.come_to(delivered=62)
    came = [told for told in centre.told if told["event"] == "text"]
    assert Counter(text["times"] for text in came) == {1: 62}


@bound
def test_08_a_line_that_throttles_is_used_to_the_full(house: House, centre: Centre):
    """Kannel, throttled at 200 a second, sent 40 a second."""
    texts, limit = 240, 80
    centre.do("set", tps=limit, quiet=True)
    for number in range(texts):
        house.promise(SHORT, phone=f"+989121234{number:03}")
    began = time.monotonic()
    house.come_to(delivered=texts)
    assert time.monotonic() - began < 2.2 * texts / limit
    assert centre.count("refused") < texts / 4


@bound
def test_09_every_part_is_asked_about_and_some_parts_are_no_text(
    house: House, centre: Centre
):
    """Kannel asks for the first part's receipt, Jasmin for the last one's: a donor who
    got one of three parts counts as told."""
    centre.do("set", hold=True)
    text = house.promise(WORDS)
    house.come_to(sent=1)
    assert [submit["registered"] for submit in submits(centre)] == [1, 1, 1]

    service = house.service
    channel = service.routes.named("centre")
    assert channel is not None
    parts = house.gateway.rows("part", outbox_id=text)
    for place, state in ((2, "sent"), (0, "sent"), (1, "delivered")):
        receipt = Receipt(parts[place].carrier_id, Status.DELIVERED, "DELIVRD")
        with writing(service.engine) as db:
            take_receipts(
                db,
                service.keys,
                service.routes,
                channel,
                [receipt],
                raw=b"",
                at=house.clock(),
            )
        assert house.states() == {state: 1}


# --- 10 to 12: what is believed ---------------------------------------------------


def test_10_a_receipt_that_comes_between_is_not_written_over(texts: Texts):
    """GOV.UK Notify reads a status, decides in Python and writes: a receipt in between
    is lost; an unknown status ends a text; nobody claims what is sent."""

    class Quick(FakeCarrier):
        ids_are_ours = True

        def send(self, message: Outbound) -> Result:
            super().send(message)
            # Delivered before the answer, and seen by another process.
            report(texts, message.id, Status.DELIVERED)
            return Result(Outcome.ACCEPTED, message.id)

    carrier = Quick()
    text = texts.promise()
    deliver_by(texts, carrier)
    assert texts.state(text) == "delivered"

    strange = texts.promise(phone="+989351112233")
    deliver_by(texts, FakeCarrier(Result(Outcome.ACCEPTED, "odd")))
    report(texts, "odd", Status.UNKNOWN)
    assert texts.state(strange) == "sent"

    several = {texts.promise(phone=f"+98912000000{n}") for n in range(6)}
    mine, theirs = texts.claim("a", limit=3), texts.claim("b", limit=6)
    claimed = [row.id for row in mine + theirs]
    assert len(claimed) == 6
    assert set(claimed) == several


def test_11_late_news_lowers_nothing_and_a_stray_receipt_waits_for_its_text(
    texts: Texts,
):
    """courier lets a late `wired` overwrite `delivered`, drops receipts that match
    nothing, and a text is out of the queue before its call is made."""
    text = texts.promise()
    deliver_by(texts, FakeCarrier(Result(Outcome.ACCEPTED, "one")))
    for status in (Status.DELIVERED, Status.SENT, Status.FAILED, Status.SENT):
        report(texts, "one", status)
        assert texts.state(text) == "delivered"

    report(texts, "two", Status.DELIVERED)
    early = texts.promise(phone="+989351112233")
    under_way: list[str | None] = []

    class Watching(FakeCarrier):
        def send(self, message: Outbound) -> Result:
            under_way.extend(texts.outcomes(early))
            return Result(Outcome.ACCEPTED, "two")

    deliver_by(texts, Watching())
    # It stood in the journal before its call, without an outcome.
    assert under_way == [None]
    assert texts.state(early) == "delivered"


@pytest.mark.parametrize(
    ("adapter", "form", "status"),
    [
        ("africastalking", {"id": "7", "status": "Submitted"}, Status.SENT),
        ("infobip", (3, "DELIVERED_TO_OPERATOR", 2), Status.SENT),
        ("infobip", (3, "DELIVERED_TO_HANDSET", 5), Status.DELIVERED),
        ("infobip", (4, "EXPIRED_EXPIRED", 15), Status.FAILED),
    ],
    ids=str,
)
def test_12_a_status_means_what_its_carrier_documents(
    adapter: str, form: Any, status: Status
):
    """courier answers 400 to Africa's Talking's `Submitted`, takes Infobip's `delivered
    to operator` for delivered and its `expired` for sent."""
    given: dict[str, Any] = {"form": form}
    if adapter == "infobip":
        said = dict(zip(("groupId", "name", "id"), form, strict=True))
        given = {"json": {"results": [{"messageId": "7", "status": said}]}}
    with httpx.Client() as http:
        carrier = build(adapter, "https://carrier.example", http)
        (receipt,) = carrier.read_receipts(posted(given))
    assert isinstance(receipt, Receipt)
    assert (receipt.carrier_id, receipt.status) == ("7", status)


# --- 13 to 15: letters ------------------------------------------------------------


def test_13_no_letter_is_cut_and_no_reference_comes_twice(texts: Texts):
    """smpplib cuts emoji and GSM-7 escapes in two, and draws references by lot."""
    codings = Codings()
    for joint in Joint:
        for before in range(60, 70):
            text = "س" * before + "🌱" * 80
            parts = cut(text, codings=codings, joint=joint)
            assert "".join(_read(codings, part) for part in parts) == text
            assert all(len(part.short_message) <= SMS_OCTETS for part in parts)
        for before in range(145, 160):
            text = "s" * before + "€" * 80
            parts = cut(text, codings=codings, joint=joint)
            assert not any(part.short_message.endswith(b"\x1b") for part in parts)
            assert "".join(_read(codings, part) for part in parts) == text
            assert all(len(part.short_message) <= SMS_GSM7_SEPTETS for part in parts)

    person_id = texts.row(texts.promise()).person_id
    with writing(texts.engine) as db:
        used = [next_reference(db, person_id=person_id) % 256 for _ in range(256)]
    assert len(set(used)) == 256


@pytest.mark.parametrize("joint", list(Joint))
def test_14_what_is_handed_over_fits_a_part_and_nothing_is_left_to_the_centre(
    joint: Joint,
):
    """aiosmpplib cuts above 254 octets only: 71 to 127 Persian letters go as one."""
    for letters in range(1, 300):
        parts = cut("س" * letters, codings=Codings(), joint=joint)
        assert all(len(part.short_message) <= SMS_OCTETS for part in parts)
        assert (len(parts) == 1) == (letters <= 70)
        assert all((part.esm_class != 0 or part.tlvs != ()) for part in parts[1:])


def test_15_a_comma_is_a_comma_in_every_alphabet():
    """gsmcodecs' Urdu table has no comma. Ours are whole, and no text of ours needs a
    national one."""
    codings = Codings()
    for letter in sorted(GSM7_BASIC | GSM7_EXTENSION):
        coding, octets = codings.write(letter)
        assert (coding, codings.read(coding, octets)) == (0, letter)
    for text in ("سلام، یاریگر, بله", "اردو، ٹیکسٹ, ہاں", "à, è, ñ"):
        coding, octets = codings.write(text)
        assert codings.read(coding, octets) == text
    assert codings.write("سلام،")[0] == 8


def _read(codings: Codings, part: Any) -> str:
    """What a handset shows of one part by itself."""
    octets = part.short_message
    if part.esm_class:
        octets = octets[octets[0] + 1 :]
    return codings.read(part.data_coding, octets)


def _is_settled(house: House, centre: Centre) -> bool:
    states = house.states()
    told = states["delivered"] == centre.count("text")
    return told and states["queued"] == states["sending"] == 0
