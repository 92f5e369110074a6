"""The simulator's page, as a browser is given it; tests/test_browser.py plays on it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from structlog.typing import EventDict
from werkzeug.test import TestResponse

from gateway.settings import Settings
from phone.encoding import GSM7_BASIC, GSM7_EXTENSION
from tests.gateway.house import (
    AMOUNT,
    DONE,
    PHONE,
    Gateway,
    close_gateway,
    open_gateway,
    settings,
)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
USSD: dict[str, Any] = {
    "at": {"adapter": "africastalking", "key": "real-call"},
    "rehearsal": {"adapter": "africastalking", "key": "test-call", "test": True},
    "wide": {
        "adapter": "africastalking",
        "key": "wide-call",
        "test": True,
        "ucs2_units": 80,
        "gsm7_septets": 182,
    },
    "flares": {
        "adapter": "airtel-flares",
        "key": "flares-call",
        "test": True,
        "codes": ["780*5588"],
    },
    "gone": {"adapter": "infobip", "key": "gone-call", "test": True},
    "mute": {"adapter": "nalo", "key": "mute-call", "test": True},
    "centre": {
        "adapter": "smpp",
        "key": "bound",
        "test": True,
        "host": "127.0.0.1",
        "system_id": "yarigar",
        "password": "secret",
    },
}
TEST_CHANNELS = ["rehearsal", "wide", "flares", "gone", "mute"]
NO_CHANNEL = "channel: there is no test channel of that name"
CALL = {
    "session": "c0ffee",
    "phone": "09121234567",
    "dialled": "*780*5588*1#",
    "answers": [],
}
CONSOLE: dict[str, Any] = {
    "adapter": "console",
    "key": "test-text",
    "sender": "10001",
    "test": True,
}
SMS: dict[str, Any] = {
    "kave": {
        "adapter": "kavenegar",
        "key": "real-text",
        "api_key": "atsk",
        "sender": "10002",
    },
    "console": CONSOLE,
}


def json_bodies() -> st.SearchStrategy[bytes]:
    """Bodies whose parts have the right names, and anything in them."""
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inside: (
            st.lists(inside, max_size=3)
            | st.dictionaries(st.text(max_size=8), inside, max_size=3)
        ),
        max_leaves=5,
    )
    call = st.fixed_dictionaries(
        {},
        optional={
            "session": st.just("c1") | anything,
            "phone": st.just("09121234567") | anything,
            "dialled": st.just("*780#") | anything,
            "answers": st.lists(st.text(max_size=20), max_size=3) | anything,
        },
    )
    told = st.fixed_dictionaries(
        {"channel": st.sampled_from(TEST_CHANNELS) | anything},
        optional={
            "call": call | anything,
            "kind": st.sampled_from(["turn", "start", "cut", "left", "reached"]),
            "status": st.just(200) | anything,
            "headers": st.dictionaries(st.text(max_size=8), st.text(max_size=8)),
            "body": st.text(max_size=80) | anything,
            "phone": anything,
            "language": anything,
        },
    )
    return told.map(lambda value: json.dumps(value).encode())


@pytest.fixture
def set_up(sqlite_ledger_url: str, redis_url: str, tmp_path: Path) -> dict[str, Any]:
    """Settings with two channels to rehearse on, beside real ones."""
    return {
        "database_url": sqlite_ledger_url,
        "redis_url": redis_url,
        "folder": tmp_path,
        "ussd": USSD,
        "sms": SMS,
    }


@pytest.fixture
def opened(set_up: dict[str, Any]) -> Iterator[Gateway]:
    gateway = open_gateway(settings(**set_up))
    yield gateway
    close_gateway(gateway)


def page_of(given: Settings) -> str:
    gateway = open_gateway(given)
    try:
        return gateway.client.get("/phone").text
    finally:
        close_gateway(gateway)


def config_in(page: str) -> Any:
    """What the page tells its script."""
    found = re.search(r"data-config='([^']*)'", page)
    assert found
    return json.loads(html.unescape(found[1]))


def ask(opened: Gateway, channel: str, kind: str = "turn", **call: Any) -> TestResponse:
    told = {"channel": channel, "kind": kind, "call": CALL | call}
    return opened.client.post("/phone/request", json=told)


def carry(opened: Gateway, channel: str, written: Any) -> Any:
    """Send what was written to the real webhook, and have the reply read."""
    reply = opened.client.open(
        written["url"],
        method=written["method"],
        headers=written["headers"],
        data=written["body"],
    )
    told = {
        "channel": channel,
        "status": reply.status_code,
        "headers": dict(reply.headers),
        "body": reply.text,
    }
    return opened.client.post("/phone/heard", json=told).json


def config_of(client: FlaskClient) -> Any:
    return config_in(client.get("/phone").text)


def texts_of(client: FlaskClient, phone: str = PHONE) -> Any:
    return client.get("/phone/line", query_string={"phone": phone}).get_json()["texts"]


@pytest.mark.parametrize(
    "path", ["/phone", "/phone/", "/phone/line", "/phone/static/phone.js"]
)
def test_the_phone_is_there_only_where_the_simulator_is_on(
    set_up: dict[str, Any], path: str
):
    for on in (True, False):
        gateway = open_gateway(settings(**set_up, simulator=on))
        with gateway.client.get(path) as answer:
            assert (answer.status_code != 404) is on
        close_gateway(gateway)


def test_the_page_holds_the_keys_of_test_channels_and_no_others(opened: Gateway):
    page = opened.client.get("/phone").text
    config = config_in(page)
    assert [channel["name"] for channel in config["channels"]] == TEST_CHANNELS
    assert config["console"]["inbound"] == "/sms/console/test-text/inbound"
    assert not re.search("real-call|real-text|atsk|10002", page)
    assert ask(opened, "rehearsal").json["url"] == "/ussd/rehearsal/test-call"
    for name in ("at", "centre", "none"):
        refused = ask(opened, name)
        assert refused.status_code == 400
        assert refused.json == {"error": NO_CHANNEL}


def test_a_channel_is_told_with_the_limits_of_its_screen(opened: Gateway):
    narrow, wide, *_ = config_of(opened.client)["channels"]
    assert narrow["limits"] == {"gsm7": 160, "ucs2": 70}
    assert wide["limits"] == {"gsm7": 182, "ucs2": 80}


def test_the_page_counts_with_the_tables_of_the_service(opened: Gateway):
    tables = config_of(opened.client)["gsm7"]
    assert sorted(tables["basic"]) == sorted(GSM7_BASIC)
    assert sorted(tables["extension"]) == sorted(GSM7_EXTENSION)


@pytest.mark.parametrize("channel", TEST_CHANNELS)
def test_a_call_in_any_dialect_goes_through_the_real_webhook(
    opened: Gateway, channel: str
):
    answers: list[str] = []
    heard = carry(opened, channel, ask(opened, channel).json)
    assert heard["text"].startswith(AMOUNT)
    for typed in ("۳", "75000", "2", "1"):
        answers.append(typed)
        written = ask(opened, channel, answers=answers).json
        heard = carry(opened, channel, written)
        assert carry(opened, channel, written) == heard
    assert heard["text"].startswith(DONE)
    assert heard["ends"]
    assert opened.pledged == [750_000]


def test_the_start_again_is_written_without_the_answers(opened: Gateway):
    first = ask(opened, "flares").json
    assert ask(opened, "flares", "start", answers=["3"]).json == first
    assert first["method"] == "GET"
    assert "input=780%2A5588%2A1" in first["url"]


@pytest.mark.parametrize(("kind", "reached"), [("reached", True), ("cut", False)])
def test_the_word_of_an_end_goes_where_turns_go(
    opened: Gateway, kind: str, reached: bool
):
    carry(opened, "gone", ask(opened, "gone").json)
    written = ask(opened, "gone", kind).json
    assert written["method"] == "PUT"
    assert written["url"] == "/ussd/gone/gone-call/session/c0ffee/end"
    carry(opened, "gone", written)
    assert [row.reached for row in opened.rows("dial_end")] == [reached]


def test_a_carrier_that_says_nothing_of_an_end_has_no_request_for_it(opened: Gateway):
    answer = ask(opened, "mute", "left")
    assert (answer.status_code, answer.data) == (204, b"")


def test_the_same_answer_again_waits_where_it_would_be_a_retry(opened: Gateway):
    assert ask(opened, "flares", answers=["1", "1"]).json["pause_ms"] > 2_000
    assert ask(opened, "flares", answers=["1", "2"]).json["pause_ms"] == 0
    assert ask(opened, "rehearsal", answers=["1", "1"]).json["pause_ms"] == 0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"phone": "02188887777"}, "My number: this is not a mobile number"),
        ({"phone": "9" * 41}, "call.phone: "),
        ({"dialled": "hello"}, "that is no dial code"),
        ({"session": "../../phone"}, "call.session: "),
        ({"session": ""}, "call.session: "),
        ({"answers": ["1" * 201]}, "call.answers: "),
        ({"answers": ["1"] * 101}, "call.answers: "),
        ({"answers": [None]}, "call.answers: "),
        ({"answers": "1"}, "call.answers: "),
        ({"answers": ["\ud800"]}, "the body: "),
    ],
)
def test_a_call_that_cannot_be_is_refused_in_a_line(
    opened: Gateway, call: dict[str, Any], said: str
):
    answer = ask(opened, "rehearsal", **call)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"].startswith(said)
    assert "\n" not in answer.json["error"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"body": "OK"}, "The reply begins with neither CON nor END."),
        ({"status": 404}, "a carrier shows no screen that came with 404"),
        ({"status": "high"}, "status: "),
        ({"body": "CON " + "1" * 20_000}, "body: "),
        ({"headers": {str(n): "" for n in range(51)}}, "headers: "),
        ({"headers": {"x" * 41: ""}}, "headers: "),
        ({"headers": {"x": "y" * 2_001}}, "headers: "),
        ({"channel": "at"}, NO_CHANNEL),
    ],
)
def test_a_reply_that_no_carrier_would_show_is_refused_in_a_line(
    opened: Gateway, changed: dict[str, Any], said: str
):
    told = {"channel": "rehearsal", "status": 200, "headers": {}, "body": "CON 1"}
    assert opened.client.post("/phone/heard", json=told).json == {
        "text": "1",
        "ends": False,
    }
    answer = opened.client.post("/phone/heard", json=told | changed)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"].startswith(said)
    assert "\n" not in answer.json["error"]


@pytest.mark.parametrize("path", ["request", "heard", "language"])
@given(body=st.binary(max_size=200) | json_bodies())
@hypothesis_settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_anything_may_be_posted_and_is_answered_in_a_line(
    opened: Gateway, path: str, body: bytes
):
    answer = opened.client.post(
        f"/phone/{path}", data=body, content_type="application/json"
    )
    assert answer.status_code in (200, 204, 400)
    if answer.status_code == 400:
        assert answer.json is not None
        assert len(answer.json["error"]) < 300


def test_a_form_of_another_site_is_refused(opened: Gateway):
    told = {"channel": "rehearsal", "phone": CALL["phone"], "language": "en"}
    answer = opened.client.post(
        "/phone/language", data=json.dumps(told), content_type="text/plain"
    )
    assert answer.status_code == 400
    assert answer.json == {"error": "the body: should be application/json"}


def test_a_language_is_remembered_for_the_next_call(opened: Gateway):
    told = {"channel": "rehearsal", "phone": CALL["phone"], "language": "en"}
    assert opened.client.post("/phone/language", json=told).status_code == 204
    heard = carry(opened, "rehearsal", ask(opened, "rehearsal").json)
    assert heard["text"].startswith("How many toman")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"language": "de"}, "the menus speak fa, en only"),
        ({"phone": "12"}, "My number: "),
        ({"channel": "at"}, NO_CHANNEL),
    ],
)
def test_a_language_that_cannot_be_remembered_is_told_in_a_line(
    opened: Gateway, changed: dict[str, str], said: str
):
    told = {"channel": "rehearsal", "phone": CALL["phone"], "language": "en"}
    answer = opened.client.post("/phone/language", json=told | changed)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"].startswith(said)
    assert opened.rows("person") == []


def test_a_text_from_the_page_is_taken_by_the_console(opened: Gateway):
    console = config_of(opened.client)["console"]
    text = {"id": "t1", "from": PHONE, "to": console["line"], "text": "11"}
    assert opened.client.post(console["inbound"], data=text).status_code == 200
    assert len(opened.rows("inbound")) == 1


def test_without_a_test_channel_the_screen_says_what_to_set(set_up: dict[str, Any]):
    page = page_of(
        settings(**set_up | {"ussd": {"at": USSD["at"]}, "sms": {"kave": SMS["kave"]}})
    )
    assert "No test channel: set test = true" in page
    assert config_in(page)["channels"] == []
    assert config_in(page)["console"] is None
    assert 'id="words"' not in page


def test_a_sender_cannot_write_into_the_page(set_up: dict[str, Any]):
    sender = "'\"><script>alert(1)</script>"
    console = CONSOLE | {"sender": sender}
    page = page_of(settings(**set_up | {"sms": {"console": console}}))
    assert config_in(page)["console"]["line"] == sender
    assert "<script>" not in page


def test_nothing_on_the_page_is_inline_or_from_elsewhere(opened: Gateway):
    page = opened.client.get("/phone").text
    assert re.findall(r"<script[^>]*>", page) == [
        '<script type="module" src="/phone/static/phone.js">'
    ]
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|https?:|//", page)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/phone", 200),
        ("/phone/static/phone.css", 200),
        ("/phone/static/phone.js", 200),
        ("/phone/static/none.js", 404),
        ("/phone/static/..%2fviews/phone.py", 404),
        ("/phone/line?phone=%2B989121234567", 200),
        ("/phone/line", 400),
    ],
)
def test_every_answer_is_guarded(opened: Gateway, path: str, status: int):
    with opened.client.get(path) as answer:
        assert answer.status_code == status
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"


def test_what_the_carrier_is_asked_is_guarded_too(opened: Gateway):
    for answer in (ask(opened, "rehearsal"), ask(opened, "none"), ask(opened, "mute")):
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("typed", ["09121234567", "۰۹۱۲ ۱۲۳ ۴۵۶۷", "+98 912 123-4567"])
def test_a_typed_number_is_told_as_the_carrier_would_send_it(
    opened: Gateway, typed: str
):
    answer = opened.client.get("/phone/line", query_string={"phone": typed})
    assert answer.json == {"phone": PHONE, "texts": []}


def test_texts_come_newest_first_with_what_they_cost(opened: Gateway):
    opened.service.handsets.feed(PHONE, "1", "Price: {5}€")
    opened.service.handsets.feed(PHONE, "2", "سلام\n" + "🙂" * 40)
    opened.service.handsets.feed("+989351112233", "3", "somebody else's")
    assert texts_of(opened.client) == [
        {
            "id": "2",
            "text": "سلام\n" + "🙂" * 40,
            "parts": 2,
            "encoding": "ucs2",
            "units": 85,
        },
        {
            "id": "1",
            "text": "Price: {5}€",
            "parts": 1,
            "encoding": "gsm7",
            "units": 14,
        },
    ]


@pytest.mark.parametrize(
    "typed",
    ["", "02188887777", "10001", "12", "call me", "0912123456\x00", "9" * 10_000],
)
def test_a_number_that_is_no_mobile_is_told_in_a_line(
    opened: Gateway, logs: list[EventDict], typed: str
):
    answer = opened.client.get("/phone/line", query_string={"phone": typed})
    assert answer.status_code == 400
    assert answer.json is not None
    assert re.fullmatch(r"(a phone number|this) [a-z0-9 ,+]+", answer.json["error"])
    assert logs == []


def test_an_inbox_that_is_away_is_told_in_a_line(
    set_up: dict[str, Any], tmp_path: Path, logs: list[EventDict]
):
    gateway = open_gateway(
        settings(**set_up | {"redis_url": f"unix://{tmp_path}/none.sock"})
    )
    answer = gateway.client.get("/phone/line", query_string={"phone": PHONE})
    close_gateway(gateway)
    assert answer.status_code == 503
    assert answer.json == {"error": "the inbox cannot be read now"}
    assert [entry["event"] for entry in logs] == ["inbox_away"]
    assert PHONE[1:] not in str(logs)
