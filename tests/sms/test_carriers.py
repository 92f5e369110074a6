"""Every installed adapter, against the bodies that its carrier really sends.

The cases are in tests/carriers/<adapter>.yaml; installing an adapter without a file
there fails.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx
import pytest

from sms import registry
from sms.carrier import (
    Asked,
    Carrier,
    Forged,
    Inbound,
    Joint,
    Outbound,
    Question,
    Receipt,
    Reply,
    Result,
    Spoilt,
    Unreadable,
)
from tests.carrier_server import CarrierServer, Say, carrier_server
from tests.sms.posts import build, cases, names, posted

Found = TypeVar("Found", Receipt, Inbound)

BEGAN = datetime.fromisoformat("2026-11-22T08:30:00+00:00")
MESSAGE = Outbound(id="41", to="+989121234567", text="سلام", sender="10001")
QUESTION = Question("41", "+989121234567", "سلام", "10001", since=BEGAN, at=BEGAN)


def _cases(part: str) -> list[Any]:
    return [
        pytest.param(name, case, id=f"{name}: {case['story']}")
        for name in names()
        for case in cases(name).get(part, ())
    ]


@pytest.fixture
def server() -> Iterator[CarrierServer]:
    with carrier_server() as server:
        yield server


def test_every_installed_adapter_has_its_cases() -> None:
    assert list(registry.names()) == names()
    parts = {"options", "send", "look_up", "receipts", "inbound", "conformance"}
    assert all(parts <= set(cases(name)) for name in names())
    assert {"console", "kavenegar", "africastalking"} <= set(names())


@pytest.mark.parametrize("name", names())
def test_an_adapter_satisfies_the_contract(name: str, server: CarrierServer) -> None:
    with httpx.Client() as http:
        carrier = build(name, server.url, http)
        assert isinstance(carrier, Carrier)
        assert carrier.name == name
        assert isinstance(carrier.reply, Reply)
        assert 200 <= carrier.reply.status < 300


@pytest.mark.parametrize(("name", "case"), _cases("send"))
def test_an_answer_becomes_an_outcome(
    name: str, case: dict[str, Any], server: CarrierServer
) -> None:
    _answer(server, case)
    with httpx.Client() as http:
        carrier = build(name, server.url, http, case.get("options"))
        result = carrier.send(replace(MESSAGE, text=case.get("text", MESSAGE.text)))
    _assert_result(result, case)
    _assert_asked(server, case)


@pytest.mark.parametrize(("name", "case"), _cases("look_up"))
def test_a_look_up_says_known_unknown_or_nothing(
    name: str, case: dict[str, Any], server: CarrierServer
) -> None:
    _answer(server, case)
    with httpx.Client() as http:
        carrier = build(name, server.url, http, case.get("options"))
        result = carrier.look_up(_question(case))
    if case["outcome"] is None:
        assert result is None
    else:
        assert result is not None
        _assert_result(result, case)
    _assert_asked(server, case)


@pytest.mark.parametrize(("name", "case"), _cases("receipts"))
def test_a_receipt_is_read(
    name: str, case: dict[str, Any], server: CarrierServer
) -> None:
    with httpx.Client() as http:
        carrier = build(name, server.url, http, case.get("options"))
        if _is_refused(case, carrier.read_receipts):
            return
        found = _readable(carrier.read_receipts(posted(case)), case)
    expected = case.get("all", [case])
    assert [_shown(receipt) for receipt in found] == [
        (of["carrier_id"], of["status"], of.get("part", 0)) for of in expected
    ]
    if "all" in case:
        assert all(receipt.raw for receipt in found)


@pytest.mark.parametrize(("name", "case"), _cases("inbound"))
def test_an_incoming_text_is_read(
    name: str, case: dict[str, Any], server: CarrierServer
) -> None:
    with httpx.Client() as http:
        carrier = build(name, server.url, http, case.get("options"))
        if _is_refused(case, carrier.read_inbound):
            return
        found = _readable(carrier.read_inbound(posted(case)), case)
    expected = case.get("all", [case])
    assert len(found) == len(expected)
    for inbound, of in zip(found, expected, strict=True):
        _assert_inbound(inbound, of)


@pytest.mark.parametrize(("name", "case"), _cases("ask_receipts"))
def test_receipts_are_asked_for(
    name: str, case: dict[str, Any], server: CarrierServer
) -> None:
    _answer(server, case)
    with httpx.Client() as http:
        carrier = build(name, server.url, http, case.get("options"))
        assert isinstance(carrier, Asked)
        found = carrier.ask_receipts(case["ids"])
    assert all(receipt.raw for receipt in found)
    assert [_shown(receipt) for receipt in found] == [
        (of["carrier_id"], of["status"], 0) for of in case["all"]
    ]
    _assert_asked(server, case)


@pytest.mark.parametrize(("name", "case"), _cases("ask_inbound"))
def test_incoming_texts_are_asked_for(
    name: str, case: dict[str, Any], server: CarrierServer
) -> None:
    _answer(server, case)
    with httpx.Client() as http:
        carrier = build(name, server.url, http, case.get("options"))
        assert isinstance(carrier, Asked)
        found = carrier.ask_inbound()
        again = carrier.ask_inbound()
    assert all(one.raw for one in found)
    texts = _readable(found, case)
    assert len(texts) == len(case["all"])
    for inbound, of in zip(texts, case["all"], strict=True):
        _assert_inbound(inbound, {"carrier_id": inbound.carrier_id, **of})
    later = [inbound.carrier_id for inbound in _readable(again, case)]
    assert later == [inbound.carrier_id for inbound in texts][: case.get("later")]
    _assert_asked(server, case)


def test_what_was_shown_and_not_stored_is_asked_for_again(
    server: CarrierServer,
) -> None:
    entry = {"messageid": 1, "message": "11", "sender": "09121234567"}
    entries = [{**entry, "receptor": "10001", "date": 1795336205}]
    body = json.dumps({"return": {"status": 200}, "entries": entries})
    shown = Say(200, body.encode())
    server.script("receive.json", shown)
    with httpx.Client() as http:
        carrier = build("kavenegar", server.url, http, {"asks": True})
        assert isinstance(carrier, Asked)
        carrier.ask_inbound()
        assert len(carrier.ask_inbound()) == 1
        assert len(carrier.ask_inbound(again=True)) == 2
        server.script("receive.json", Say(500), shown)
        assert carrier.ask_inbound() == ()
        # What that answer held was marked as read, so it is looked for there.
        assert len(carrier.ask_inbound()) == 2
        assert len(carrier.ask_inbound()) == 1


def test_a_kavenegar_that_calls_back_is_not_asked(server: CarrierServer) -> None:
    with httpx.Client() as http:
        carrier = build("kavenegar", server.url, http)
        assert isinstance(carrier, Asked)
        assert carrier.ids_at_once == 0
        with pytest.raises(ValueError, match="asks is neither"):
            build("kavenegar", server.url, http, {"asks": "often"})


@pytest.mark.parametrize("field", ["messageid", "from", "to", "message"])
def test_a_field_that_is_too_long_is_named(field: str, server: CarrierServer) -> None:
    form = {"messageid": "1", "from": "09121234567", "to": "10001", "message": "11"}
    with httpx.Client() as http:
        carrier = build("kavenegar", server.url, http)
        with pytest.raises(Unreadable, match=f"^{field} is longer than"):
            carrier.read_inbound(posted({"form": {**form, field: "1" * 10_000}}))


def _answer(server: CarrierServer, case: Mapping[str, Any]) -> None:
    """Answer every request the same, or each path as `answers` has it."""
    for path_end, answer in case.get("answers", {"": case}).items():
        body = answer.get("body", "")
        body = body if isinstance(body, str) else json.dumps(body)
        server.script(path_end, Say(answer.get("status", 200), body.encode()))


def _question(case: Mapping[str, Any]) -> Question:
    seconds = case.get("asked_after_seconds", 900)
    question = replace(QUESTION, text=case.get("text", QUESTION.text))
    return replace(question, at=BEGAN + timedelta(seconds=seconds))


def _is_refused(case: Mapping[str, Any], read: Any) -> bool:
    if "forged" in case:
        with pytest.raises(Forged, match=case["forged"]):
            read(posted(case))
        return True
    if "unreadable" in case:
        with pytest.raises(Unreadable, match=case["unreadable"]) as error:
            read(posted(case))
        assert "9121234567" not in str(error.value)
        assert "\n" not in str(error.value)
        return True
    return False


def _readable(found: Iterable[Found | Spoilt], case: Mapping[str, Any]) -> list[Found]:
    """What could be read; what could not is counted, and has its piece."""
    found = tuple(found)
    spoilt = [one for one in found if isinstance(one, Spoilt)]
    assert len(spoilt) == case.get("spoilt", 0)
    assert all(one.raw and one.why for one in spoilt)
    return [one for one in found if not isinstance(one, Spoilt)]


def _shown(receipt: Receipt) -> tuple[str, str, int]:
    assert receipt.raw_status
    return receipt.carrier_id, receipt.status.value, receipt.part


def _assert_inbound(inbound: Inbound, of: Mapping[str, Any]) -> None:
    assert inbound.carrier_id == of["carrier_id"]
    assert inbound.sender_phone == of["phone"]
    assert (inbound.line, inbound.text) == (of["line"], of["text"])
    expected = of.get("at")
    assert inbound.at == (datetime.fromisoformat(expected) if expected else None)
    assert inbound.joint == (Joint(*of["joint"]) if "joint" in of else None)
    assert "9121234567" not in repr(inbound)


def _assert_result(result: Result, case: Mapping[str, Any]) -> None:
    assert result.outcome == case["outcome"], result
    assert result.carrier_id == case.get("carrier_id")
    assert result.status == case.get("text_status", "sent")
    if "parts" in case:
        assert result.parts == case["parts"]
    assert result.cost == case.get("cost", "")
    if "retry_after_seconds" in case:
        assert result.retry_after_seconds == case["retry_after_seconds"]
    assert len(result.detail) <= 200
    assert "9121234567" not in result.detail
    assert "711000000" not in result.detail


def _assert_asked(server: CarrierServer, case: Mapping[str, Any]) -> None:
    """What was asked, as far as the case has it."""
    for asked, of in zip(server.asked, case.get("asked", []), strict=False):
        assert asked.method == of.get("method", "POST")
        assert asked.path == of["path"]
        for what in ("form", "query", "raw_query"):
            if what in of:
                assert getattr(asked, what) == of[what]
        for piece in of.get("has", ()):
            assert piece in asked.raw_query
        if "json" in of:
            assert json.loads(asked.body) == of["json"]
        for name, value in of.get("headers", {}).items():
            assert asked.headers[name] == value
    assert len(server.asked) >= len(case.get("asked", []))
