"""A long text over Kannel: part by part, each with its own report."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

import httpx
import pytest

from phone.encoding import sms_parts
from sms.carrier import Outbound, Outcome, Result
from tests.carrier_server import CarrierServer, Reset, Say, carrier_server
from tests.sms.posts import build

LONG = "یک پیام بلند که در سه تکه می‌رود. " * 5
TAKEN = Say(202, b"0: Accepted for delivery")
BUSY = Say(503, b"Temporal failure, try again later.")


@pytest.fixture
def server() -> Iterator[CarrierServer]:
    with carrier_server() as server:
        yield server


def test_the_parts_make_the_text_and_share_a_reference(server: CarrierServer) -> None:
    result = send(server, TAKEN)
    assert (result.outcome, result.parts) == (Outcome.ACCEPTED, 3)
    words, headers = [], []
    for asked in server.of("sendsms"):
        fields = dict(part.split("=", 1) for part in asked.raw_query.split("&"))
        words.append(unquote_to_bytes(fields["text"]).decode("utf-16-be"))
        headers.append(unquote_to_bytes(fields["udh"]))
        assert len(headers[-1]) + len(unquote_to_bytes(fields["text"])) <= 140
    assert tuple(words) == sms_parts(LONG)
    assert [header[-1] for header in headers] == [1, 2, 3]
    assert {header[:5] for header in headers} == {bytes([5, 0, 3, 1000 & 0xFF, 3])}


def test_a_part_that_was_surely_not_taken_is_handed_over_again(
    server: CarrierServer,
) -> None:
    result = send(server, TAKEN, BUSY, BUSY, TAKEN)
    assert result.outcome is Outcome.ACCEPTED
    assert len(server.of("sendsms")) == 5


def test_a_text_of_which_no_part_was_taken_may_be_sent_again(
    server: CarrierServer,
) -> None:
    result = send(server, BUSY)
    assert (result.outcome, result.carrier_id) == (Outcome.RETRYABLE, None)
    assert len(server.of("sendsms")) == 1


@pytest.mark.parametrize("then", [BUSY, Say(403, b"Authorization failed"), Reset()])
def test_a_text_of_which_some_parts_were_taken_is_in_doubt(
    server: CarrierServer, then: object
) -> None:
    result = send(server, TAKEN, then)
    assert (result.outcome, result.carrier_id) == (Outcome.AMBIGUOUS, "1000")
    assert result.detail.startswith("part 2 of 3: ")


def send(server: CarrierServer, *answers: object) -> Result:
    server.script("sendsms", *answers)
    with httpx.Client() as http:
        carrier = build("kannel", server.url, http)
        return carrier.send(Outbound("1000", "+989121234567", LONG, "10001"))
