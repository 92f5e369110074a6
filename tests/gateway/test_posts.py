"""What strangers and broken carriers post: refused or kept, and never believed."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from structlog.typing import EventDict
from werkzeug.test import TestResponse

from gateway.texting import Texting
from gateway.views.sms import BODY_BYTES_MAX
from ledger import schema, stops
from ledger.engine import reading, writing
from ledger.vault import look_up, unseal_raw
from sms.carrier import Posted
from sms.carriers.twilio import signature_of
from sms.fields import form_pairs
from tests.gateway.house import (
    KEY,
    PHONE,
    Gateway,
    close_gateway,
    open_gateway,
    settings,
)
from tests.sms.posts import cases, names, posted

PUBLIC = "https://give.example.org"
# SMPP is no webhook.
ADAPTERS = [name for name in names() if name != "smpp"]
OTHER = "+989351112233"


def channel_of(adapter: str) -> str:
    return adapter.replace("-", "_")


@pytest.fixture
def house(sqlite_ledger_url: str, redis_url: str, tmp_path: Path) -> Iterator[Gateway]:
    """A service with a channel of every adapter, as its cases set it up."""
    channels = {
        channel_of(name): {
            "adapter": name,
            "key": KEY,
            "base_url": "https://carrier.example",
            **cases(name)["options"],
        }
        for name in ADAPTERS
    }
    given_settings = settings(sqlite_ledger_url, redis_url, tmp_path)
    opened = open_gateway(
        type(given_settings)(
            **{**dict(given_settings), "public_url": PUBLIC, "sms": channels}
        )
    )
    yield opened
    close_gateway(opened)


# -- whatever is posted --------------------------------------------------------------


KINDS = st.sampled_from(["application/json", "application/x-www-form-urlencoded"])
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.text(max_size=30),
    st.integers(),
    st.sampled_from([PHONE, "11", "۱۲", "41", "\x00", "😀" * 40, "IRANCELL", "2000"]),
    st.sampled_from([None, True, 1.5, [], {}, "x" * 3_000, "9" * 200]),
)
CASES = [
    (name, what, case)
    for name in ADAPTERS
    for what in ("receipts", "inbound")
    for case in cases(name)[what]
]


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, str, Posted]:
    """What a carrier really posts, with some of it exchanged, lost or doubled."""
    name, what, case = draw(st.sampled_from(CASES))
    # It is signed when it is sent.
    case = {key: copy.deepcopy(case[key]) for key in case if key != "signed_with"}
    way = next(way for way in ("query", "json", "form") if way in case)
    body = case[way]
    for _ in range(draw(st.integers(0, 3))):
        inner = body
        while isinstance(inner, (dict, list)) and inner:
            keys = list(inner) if isinstance(inner, dict) else range(len(inner))
            key = draw(st.sampled_from(list(keys)))
            if draw(st.booleans()) or not isinstance(inner[key], (dict, list)):
                change = draw(st.sampled_from(["exchange", "lose", "add"]))
                if change == "exchange":
                    inner[key] = draw(VALUES)
                elif change == "lose":
                    del inner[key]
                elif isinstance(inner, dict):
                    inner[draw(st.text(max_size=8))] = draw(VALUES)
                else:
                    inner.append(draw(VALUES))
                break
            inner = inner[key]
    if isinstance(body, str) and body and draw(st.booleans()):
        at = draw(st.integers(0, len(body) - 1))
        case[way] = body[:at] + draw(st.sampled_from(["", "%", "%00", "&", "=", "+"]))
    made = posted(case)
    if draw(st.integers(0, 9)) == 0:
        half = made.body[: draw(st.integers(0, len(made.body)))]
        made = Posted(made.method, made.url, made.query, made.headers, half)
    return name, what, made


@hypothesis_settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(spoilt(), st.booleans())
def test_nothing_that_is_posted_gets_a_500_or_lowers_a_state(
    house: Gateway, post: tuple[str, str, Posted], signed: bool
) -> None:
    _deliver_one_each(house)
    name, what, made = post
    answer = send(house, name, what, made, signed=signed)
    assert answer.status_code in (200, 400, 403), answer.text
    if answer.status_code != 200:
        assert answer.text.count("\n") == 1
        assert len(answer.text) < 300
        assert PHONE[1:] not in answer.text
    assert {row.state for row in house.rows("outbox", template="sms.pledge")} == {
        "delivered"
    }


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("what", ["receipts", "inbound"])
@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"[]", b"[" * 50_000, b"{" + b'"a":' * 9_000, b"x" * 100_000],
    ids=["nothing", "no UTF-8", "a list", "deep", "deeper", "long"],
)
def test_what_is_nothing_is_refused_and_kept(
    house: Gateway, adapter: str, what: str, body: bytes
) -> None:
    kind = "application/json"
    if adapter == "twilio":
        kind = "application/x-www-form-urlencoded"
    made = Posted("POST", "", b"", {"content-type": kind}, body)
    answer = send(house, adapter, what, made, signed=True)
    assert (answer.status_code, answer.text.count("\n")) == (400, 1)
    [kept] = house.rows("unreadable")
    assert (kept.carrier, kept.way) == (channel_of(adapter), what)
    assert kept.why == answer.text.strip()
    assert body.startswith(unseal_raw(house.service.keys, kept.raw))


@pytest.mark.parametrize("sender", ["IRANCELL", "2000", "*780#", "", "0", "+"])
def test_a_sender_that_is_no_phone_is_kept_and_gets_no_answer(
    house: Gateway, sender: str
) -> None:
    answer = text(house, "11", id="1", sender=sender)
    assert answer.status_code in (200, 400)
    assert house.rows("outbox") == house.rows("person") == []
    assert len(house.rows("unreadable")) + len(house.rows("inbound")) == 1


@pytest.mark.parametrize("words", ["😀" * 900, "ـ" * 2_000, "a\u0301" * 900, " ", "\n"])
def test_odd_words_are_stored(house: Gateway, words: str) -> None:
    assert text(house, words, id="1").status_code == 200
    assert len(house.rows("inbound")) == 1


def test_a_text_of_100_kilobytes_is_refused_and_its_beginning_kept(
    house: Gateway,
) -> None:
    answer = text(house, "x" * 100_000, id="1")
    assert answer.status_code == 400
    assert house.rows("inbound") == []
    [kept] = house.rows("unreadable")
    assert len(unseal_raw(house.service.keys, kept.raw)) == 16 * 1024


def test_a_hundred_long_texts_fit_in_one_post_and_no_more(house: Gateway) -> None:
    post = {
        "results": [
            {"messageId": str(n), "from": PHONE, "to": "10001", "text": "ب" * 800}
            for n in range(100)
        ]
    }
    body = json.dumps(post).encode()
    assert 128 * 1024 < len(body) <= BODY_BYTES_MAX
    where = f"/sms/infobip/{KEY}/inbound"
    answer = house.client.post(where, data=body, content_type="application/json")
    assert answer.status_code == 200
    assert len(house.rows("inbound")) == 100
    long = b" " * BODY_BYTES_MAX + body
    answer = house.client.post(where, data=long, content_type="application/json")
    assert answer.status_code == 413


# -- who is not believed -------------------------------------------------------------


def test_an_id_of_another_carrier_changes_nothing(house: Gateway) -> None:
    _deliver_one_each(house, state="sent")
    form = {"messageid": "41", "status": "10"}
    assert house.client.post(f"/sms/kavenegar/{KEY}/receipts", data=form).text == ""
    states = {row.carrier: row.state for row in house.rows("outbox")}
    assert states.pop("kavenegar") == "delivered"
    assert set(states.values()) == {"sent"}


def test_a_replayed_post_does_nothing_again(house: Gateway) -> None:
    case = next(case for case in cases("twilio")["inbound"] if case.get("text"))
    for _ in range(3):
        answer = send(house, "twilio", "inbound", posted(case), signed=True)
        assert answer.status_code == 200
    assert len(house.rows("inbound")) == 1


def test_a_forged_post_is_counted_in_the_log_and_not_kept(
    house: Gateway, logs: list[EventDict]
) -> None:
    case = next(case for case in cases("twilio")["inbound"] if case.get("text"))
    answer = send(house, "twilio", "inbound", posted(case), signed=False)
    assert answer.status_code == 403
    assert [log["event"] for log in logs] == ["post_forged"]
    assert house.rows("inbound") == house.rows("unreadable") == []


def test_what_is_logged_of_a_bad_post_names_nobody(
    house: Gateway, logs: list[EventDict]
) -> None:
    text(house, "x" * 100_000, id="1")
    text(house, "سلام", id=PHONE * 20)
    assert [log["event"] for log in logs] == ["post_unreadable"] * 2
    assert PHONE[1:] not in json.dumps(logs, default=str)


# -- stored first --------------------------------------------------------------------


def test_a_fault_after_a_text_is_stored_does_not_lose_it(
    house: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(self: Texting, *args: object) -> tuple[str, str]:
        raise RuntimeError("a text that nobody foresaw")

    with monkeypatch.context() as patch:
        patch.setattr(Texting, "_handled", breaks)
        assert text(house, "چه خبر؟", id="1").status_code == 200
    [row] = house.rows("inbound")
    assert (row.handled_at, row.tries) == (None, 1)

    house.clock.wait(minutes=10)
    house.service.texting.sweep(house.clock())
    [row] = house.rows("inbound")
    assert row.handled_at is not None


def test_a_long_text_that_comes_in_parts_is_one(house: Gateway) -> None:
    for part, words in ((2, "غو"), (1, "ل")):
        form = {
            "msisdn": PHONE[1:],
            "to": "3000",
            "messageId": f"0B0{part}",
            "text": words,
            "concat": "true",
            "concat-ref": "108",
            "concat-total": "2",
            "concat-part": str(part),
        }
        for _ in range(2):
            answer = house.client.post(f"/sms/vonage/{KEY}/inbound", data=form)
            assert answer.status_code == 200
    [row] = house.rows("inbound")
    assert (row.keyword, row.carrier_id) == ("stop", "0B01")
    line = house.service.settings.sms["vonage"].sender
    with reading(house.service.engine) as db:
        hashed = look_up(house.service.keys, PHONE)
        assert stops.is_stopped(db, look_up=hashed, line=line)


def text(house: Gateway, words: str, *, id: str, sender: str = PHONE) -> TestResponse:
    form = {"messageid": id, "from": sender, "to": "10001", "message": words}
    return house.client.post(f"/sms/kavenegar/{KEY}/inbound", data=form)


def send(
    house: Gateway, adapter: str, what: str, made: Posted, *, signed: bool
) -> TestResponse:
    """Post it to the adapter's channel; `signed` as Twilio signs."""
    path = f"/sms/{channel_of(adapter)}/{KEY}/{what}"
    query = made.query or urlsplit(made.url).query.encode()
    url = f"{path}?{query.decode('latin-1')}" if query else path
    headers: Mapping[str, str] = made.headers
    if adapter == "twilio" and signed:
        headers = {"content-type": made.headers.get("content-type", "")}
        headers["x-twilio-signature"] = _signature(house, PUBLIC + url, made)
    return house.client.open(
        path,
        method=made.method,
        query_string=query.decode("latin-1"),
        data=made.body,
        headers=dict(headers),
    )


def _signature(house: Gateway, url: str, made: Posted) -> str:
    token = house.service.settings.sms["twilio"].api_key
    assert token is not None
    try:
        fields = form_pairs(made.body) if made.method == "POST" else ()
    except ValueError:
        fields = ()
    return signature_of(url, fields, token.get_secret_value())


def _deliver_one_each(house: Gateway, state: str = "delivered") -> None:
    """A text at each channel under the id that most cases are about."""
    if house.rows("outbox"):
        return
    for _ in ADAPTERS:
        house.pledge(phone=OTHER)
    with writing(house.service.engine) as db:
        ids = db.scalars(select(schema.outbox.c.id)).all()
        for id, adapter in zip(ids, ADAPTERS, strict=True):
            channel = channel_of(adapter)
            db.execute(
                update(schema.outbox)
                .where(schema.outbox.c.id == id)
                .values(state=state, carrier=channel, attempts=1)
            )
            db.execute(
                schema.attempt.insert().values(
                    outbox_id=id,
                    number=1,
                    carrier=channel,
                    began_at=house.clock(),
                    outcome="accepted",
                    carrier_id="41",
                    parts=1,
                )
            )
