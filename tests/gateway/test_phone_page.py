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
from structlog.typing import EventDict

from gateway.settings import Settings
from phone.encoding import GSM7_BASIC, GSM7_EXTENSION
from tests.gateway.house import (
    AMOUNT,
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


@pytest.fixture
def given(sqlite_ledger_url: str, redis_url: str, tmp_path: Path) -> dict[str, Any]:
    """Settings with two channels to rehearse on, beside real ones."""
    return {
        "database_url": sqlite_ledger_url,
        "redis_url": redis_url,
        "folder": tmp_path,
        "ussd": USSD,
        "sms": SMS,
    }


@pytest.fixture
def opened(given: dict[str, Any]) -> Iterator[Gateway]:
    gateway = open_gateway(settings(**given))
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


def config_of(client: FlaskClient) -> Any:
    return config_in(client.get("/phone").text)


def texts_of(client: FlaskClient, phone: str = PHONE) -> Any:
    return client.get("/phone/line", query_string={"phone": phone}).get_json()["texts"]


@pytest.mark.parametrize(
    "path", ["/phone", "/phone/", "/phone/line", "/phone/static/phone.js"]
)
def test_the_phone_is_there_only_where_the_simulator_is_on(
    given: dict[str, Any], path: str
):
    for on in (True, False):
        gateway = open_gateway(settings(**given, simulator=on))
        with gateway.client.get(path) as answer:
            assert (answer.status_code != 404) is on
        close_gateway(gateway)


def test_the_page_holds_the_keys_of_test_channels_and_no_others(opened: Gateway):
    page = opened.client.get("/phone").text
    config = config_in(page)
    assert [channel["name"] for channel in config["channels"]] == ["rehearsal", "wide"]
    assert config["channels"][0]["turn"] == "/ussd/rehearsal/test-call"
    assert config["console"]["inbound"] == "/sms/console/test-text/inbound"
    assert not re.search("real-call|real-text|atsk|10002", page)


def test_a_channel_is_told_with_the_limits_of_its_screen(opened: Gateway):
    narrow, wide = config_of(opened.client)["channels"]
    assert narrow["limits"] == {"gsm7": 160, "ucs2": 70}
    assert wide["limits"] == {"gsm7": 182, "ucs2": 80}


def test_the_page_counts_with_the_tables_of_the_service(opened: Gateway):
    tables = config_of(opened.client)["gsm7"]
    assert sorted(tables["basic"]) == sorted(GSM7_BASIC)
    assert sorted(tables["extension"]) == sorted(GSM7_EXTENSION)


def test_the_addresses_of_the_page_are_the_real_webhooks(opened: Gateway):
    config = config_of(opened.client)
    channel = config["channels"][0]
    call = {
        "sessionId": "ATUid_1",
        "serviceCode": "*780*5588*1#",
        "phoneNumber": PHONE,
        "networkCode": "99999",
        "text": "",
    }
    assert opened.client.post(channel["turn"], data=call).text.startswith(
        f"CON {AMOUNT}"
    )
    event = {**call, "status": "Incomplete", "input": "", "hopsCount": "1"}
    assert opened.client.post(channel["events"], data=event).status_code == 200
    text = {"id": "t1", "from": PHONE, "to": config["console"]["line"], "text": "11"}
    taken = opened.client.post(config["console"]["inbound"], data=text)
    assert taken.status_code == 200
    assert len(opened.rows("inbound")) == 1


def test_without_a_test_channel_the_screen_says_what_to_set(given: dict[str, Any]):
    page = page_of(
        settings(**given | {"ussd": {"at": USSD["at"]}, "sms": {"kave": SMS["kave"]}})
    )
    assert "No test channel: set test = true" in page
    assert config_in(page)["channels"] == []
    assert config_in(page)["console"] is None
    assert 'id="words"' not in page


def test_a_sender_cannot_write_into_the_page(given: dict[str, Any]):
    sender = "'\"><script>alert(1)</script>"
    console = CONSOLE | {"sender": sender}
    page = page_of(settings(**given | {"sms": {"console": console}}))
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
    given: dict[str, Any], tmp_path: Path, logs: list[EventDict]
):
    gateway = open_gateway(
        settings(**given | {"redis_url": f"unix://{tmp_path}/none.sock"})
    )
    answer = gateway.client.get("/phone/line", query_string={"phone": PHONE})
    close_gateway(gateway)
    assert answer.status_code == 503
    assert answer.json == {"error": "the inbox cannot be read now"}
    assert [entry["event"] for entry in logs] == ["inbox_away"]
    assert PHONE[1:] not in str(logs)
