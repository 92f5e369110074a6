from __future__ import annotations

import httpx
import pytest

from sms import registry
from sms.carrier import Outbound, Outcome, Status, Tools
from sms.carriers.console import Console
from sms.registry import Unbuildable


def _tools(http: httpx.Client) -> Tools:
    return Tools(http=http, write=lambda line: None, feed=lambda to, id, text: None)


def test_our_own_carriers_are_installed_as_anybodys_would_be() -> None:
    assert {"africastalking", "console", "kavenegar"} <= set(registry.names())
    assert registry.adapter("console") is Console


def test_an_unknown_adapter_is_named_with_those_that_are_known() -> None:
    with pytest.raises(Unbuildable, match=r"'pigeon'.*console.*kavenegar"):
        registry.adapter("pigeon")


def test_all_missing_options_are_reported_at_once() -> None:
    with httpx.Client() as http, pytest.raises(Unbuildable) as error:
        registry.build("kavenegar", {"api_key": ""}, _tools(http))
    assert str(error.value).splitlines() == [
        "api_key is missing: kavenegar needs it",
        "sender is missing: kavenegar needs it",
    ]


def test_a_wrong_option_is_refused_without_showing_a_secret() -> None:
    options = {"api_key": "SECRET", "sender": "1", "base_url": "ftp://x"}
    with httpx.Client() as http, pytest.raises(Unbuildable) as error:
        registry.build("kavenegar", options, _tools(http))
    assert str(error.value).startswith("kavenegar refuses its settings: base_url")
    assert "SECRET" not in str(error.value)


def test_the_console_prints_a_text_and_feeds_the_simulator() -> None:
    lines: list[str] = []
    inbox: dict[tuple[str, str], str] = {}

    def feed(to: str, message_id: str, text: str) -> None:
        inbox[to, message_id] = text

    with httpx.Client() as http:
        tools = Tools(http=http, write=lines.append, feed=feed)
        console = registry.build("console", {}, tools)
        message = Outbound("41", "+989121234567", "سلام", "10001")
        result = console.send(message)
        console.send(message)

    assert (result.outcome, result.status) == (Outcome.ACCEPTED, Status.DELIVERED)
    assert lines[0] == "text to ***4567: سلام"
    assert inbox == {("+989121234567", "41"): "سلام"}


def test_a_simulator_that_is_away_is_tried_again() -> None:
    def feed(to: str, message_id: str, text: str) -> None:
        raise ConnectionError("no Redis at +989121234567")

    with httpx.Client() as http:
        tools = Tools(http=http, write=lambda line: None, feed=feed)
        message = Outbound("41", "+989121234567", "سلام", "10001")
        result = registry.build("console", {}, tools).send(message)

    assert result.outcome is Outcome.RETRYABLE
    assert result.detail == "ConnectionError"
