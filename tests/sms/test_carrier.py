"""How HTTP and its failures become outcomes, in the one place that decides it."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator

import httpx
import pytest

from sms.carrier import (
    ANSWER_OCTETS_MAX,
    Answer,
    Outcome,
    address,
    checked,
    keep_urls_out_of_logs,
    scrubbed,
)
from tests.carrier_server import CarrierServer, Reset, Say, Silence, carrier_server


@pytest.fixture
def server() -> Iterator[CarrierServer]:
    with carrier_server() as server:
        yield server


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=httpx.Timeout(5, read=0.3)) as http:
        yield http


def _ask(http: httpx.Client, url: str) -> Answer:
    return checked(http, http.build_request("POST", url, data={"a": "b"}))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (302, Outcome.MISCONFIGURED),
        (400, Outcome.REFUSED),
        (401, Outcome.MISCONFIGURED),
        (403, Outcome.MISCONFIGURED),
        (404, Outcome.REFUSED),
        (429, Outcome.THROTTLED),
        (500, Outcome.AMBIGUOUS),
        (503, Outcome.AMBIGUOUS),
    ],
)
def test_a_status_means_the_same_whoever_sent_it(
    status: int, outcome: Outcome, server: CarrierServer, http: httpx.Client
) -> None:
    server.script("/", Say(status))
    answer = _ask(http, server.url + "/")
    assert answer.result is not None
    assert answer.result.outcome is outcome
    assert answer.result.detail == f"HTTP {status}"


def test_a_good_answer_is_there_to_be_read(
    server: CarrierServer, http: httpx.Client
) -> None:
    server.script("/", Say(201, {"taken": 1}))
    answer = _ask(http, server.url + "/")
    assert answer.result is None
    assert answer.json() == {"taken": 1}


def test_a_carrier_may_document_a_status_otherwise(
    server: CarrierServer, http: httpx.Client
) -> None:
    server.script("/", Say(503))
    request = http.build_request("POST", server.url)
    answer = checked(http, request, meanings={503: Outcome.RETRYABLE})
    assert answer.result is not None
    assert answer.result.outcome is Outcome.RETRYABLE


def test_a_refused_connection_can_be_tried_again(http: httpx.Client) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    answer = _ask(http, f"http://127.0.0.1:{port}/")
    assert answer.result is not None
    assert answer.result.outcome is Outcome.RETRYABLE


@pytest.mark.parametrize("answer", [Silence(), Reset()], ids=["silence", "reset"])
def test_silence_after_the_request_left_is_ambiguous(
    answer: object, server: CarrierServer, http: httpx.Client
) -> None:
    server.script("/", answer)
    said = _ask(http, server.url + "/")
    assert said.result is not None
    assert said.result.outcome is Outcome.AMBIGUOUS
    assert server.url not in said.result.detail


def test_half_an_answer_is_ambiguous(server: CarrierServer, http: httpx.Client) -> None:
    server.script("/", Say(200, b"half", {"Content-Length": "4000"}))
    said = _ask(http, server.url + "/")
    assert said.result is not None
    assert said.result.outcome is Outcome.AMBIGUOUS


def test_an_endless_answer_is_cut_off(
    server: CarrierServer, http: httpx.Client
) -> None:
    server.script("/", Say(200, b"x" * (ANSWER_OCTETS_MAX + 1)))
    said = _ask(http, server.url + "/")
    assert said.result is not None
    assert said.result.outcome is Outcome.AMBIGUOUS
    assert said.body == b""


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("999999", 3600), ("soon", None), ("-1", None), ("", None)],
)
def test_a_carrier_may_say_how_long_to_wait(
    header: str, seconds: int | None, server: CarrierServer, http: httpx.Client
) -> None:
    server.script("/", Say(429, b"", {"Retry-After": header}))
    answer = _ask(http, server.url + "/")
    assert answer.result is not None
    assert answer.result.retry_after_seconds == seconds


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1", "nowhere", "http://", "http://a:port", ""]
)
def test_an_address_that_is_none_is_refused_when_the_adapter_is_built(url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        address(url, "v1")


def test_an_address_keeps_its_own_path() -> None:
    assert (
        str(address("https://x.example/api/", "v1/k/")) == "https://x.example/api/v1/k/"
    )


def test_what_is_no_json_reads_as_nothing() -> None:
    assert Answer(None, 200, b"<html>").json() is None
    assert Answer(None, 200, b"\xff").json() is None
    assert Answer(None, 200, b"[" * 100_000).json() is None


def test_a_carriers_words_are_scrubbed() -> None:
    said = scrubbed("no route\nto 09121234567 or ۰۹۱۲۱۲۳۴۵۶۷ with KEY\x07" * 50, "KEY")
    assert "KEY" not in said
    assert "12345" not in said
    assert "۱۲۳۴۵" not in said
    assert "\n" not in said
    assert "\x07" not in said
    assert len(said) == 200


def test_a_key_in_the_path_reaches_no_log(
    server: CarrierServer, http: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    keep_urls_out_of_logs()
    keep_urls_out_of_logs()
    server.script("/", Say(200))
    with caplog.at_level(logging.DEBUG):
        _ask(http, server.url + "/v1/SECRETKEY/")
    assert "SECRETKEY" not in caplog.text
    assert (
        logging.getLogger("httpx").filters.count(logging.getLogger("httpx").filters[-1])
        == 1
    )
