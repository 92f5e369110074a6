"""A carrier described by settings: what is a mistake in them, what a template is."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest

from sms import registry
from sms.carrier import Tools
from sms.mapping import describe, fill

PAGE = Path("docs/add-a-carrier.md").read_text(encoding="utf-8")

SEND = {"path": "/send", "body": {"to": "{to}", "text": "{text}"}}


def _describe(**tables: Any) -> Any:
    return describe({name: json.dumps(table) for name, table in tables.items()})


def test_the_least_that_can_be_said_is_how_to_send() -> None:
    described = _describe(send=SEND)
    assert (described.send.method, described.send.format) == ("POST", "form")
    assert described.look_up is None
    assert described.receipts is None
    assert described.inbound is None


@pytest.mark.parametrize(
    ("tables", "why"),
    [
        ({"send": {"path": "send"}}, "send.path: should begin with /"),
        ({"send": {"method": "DELETE"}}, "send.method: should be one of POST, GET"),
        ({"send": {"method": "GET", "format": "json"}}, "send.format: a GET has no"),
        ({"send": {"body": {"a": "{key}"}}}, r"send: there is no slot \{key\}"),
        ({"send": {"body": {"a": ["x"]}}}, "send.body: should have texts only"),
        ({"send": {"headers": {"A b": "x"}}}, "send.headers: 'A b' is no header"),
        ({"send": {"pth": "/"}}, "send.pth: there is no such option"),
        ({"send": [1]}, "send: should be a table"),
        ({"answer": {"status": "s"}}, "answer: which of its words means what"),
        ({"answer": {"status": "s", "accepted": [1], "refused": ["1"]}}, "two things"),
        ({"answer": {"format": "text", "id": "a"}}, "answer.id: should be the number"),
        ({"answer": {"id": "a..b"}}, "answer.id: should be at most"),
        ({"answer": {"http": {"999": "retryable"}}}, "answer.http: should be like"),
        ({"answer": {"http": {"503": "maybe"}}}, "answer.http: should be like"),
        ({"answer": {"ids_are_ours": "yes"}}, "answer.ids_are_ours: should be true"),
        ({"look_up": {"path": "/x"}}, "found.status: is missing"),
        ({"receipts": {"id": "a"}}, "receipts.status: is missing"),
        ({"inbound": {"id": "a", "from": "b"}}, "inbound.to: is missing"),
        ({"receipts": {"id": "a", "status": "b", "sent": {}}}, "receipts.sent: should"),
    ],
)
def test_a_mistake_is_told_by_its_name(tables: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        _describe(**{"send": SEND, **tables})


def test_all_mistakes_are_told_at_once_and_no_secret_is_shown() -> None:
    secret = {"path": "/s", "body": {"key": "S3CRET {nothing}"}, "x": "S3CRET"}
    with pytest.raises(ValueError, match="send: .*; send.x: .*; inbound.text: ") as e:
        _describe(send=secret, inbound={"id": "a", "from": "b", "to": "c"})
    assert "S3CRET" not in str(e.value)


@pytest.mark.parametrize("written", ["{", "[]", "x" * 10_000, "[" * 5_000, "null"])
def test_what_is_no_table_is_told(written: str) -> None:
    with pytest.raises(ValueError, match="send: should be a table"):
        describe({"send": written})


def test_the_example_of_the_page_builds_a_carrier() -> None:
    [example] = re.findall(r"```toml\n(\[sms.local\]\n.*?)```", PAGE, re.DOTALL)
    channel = tomllib.loads(example)["sms"]["local"]
    options = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in channel.items()
        if name not in ("adapter", "key")
    }
    with httpx.Client() as http:
        tools = Tools(http, lambda line: None, lambda to, id, text: None)
        carrier = registry.build(channel["adapter"], options, tools)
    assert carrier.can_look_up


def test_the_page_names_every_carrier() -> None:
    named = re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE)
    assert set(registry.names()) <= set(named)


def test_a_slot_in_what_fills_a_slot_stays_as_it_is() -> None:
    slots = {"text": "{to} {id} {{", "to": "+989121234567"}
    template = {"a": ["{text}", 1, True, None], "b": "{to}"}
    assert fill(template, slots) == {
        "a": ["{to} {id} {{", 1, True, None],
        "b": "+989121234567",
    }
