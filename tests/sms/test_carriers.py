"""Every installed adapter, against the bodies that its carrier really sends.

The cases are in tests/carriers/<adapter>.yaml; installing an adapter without a file
there fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from sms import registry
from sms.carrier import Carrier, Outbound, Reply, Result, Tools, Unreadable
from tests.carrier_server import CarrierServer, Say, carrier_server

CASES = Path(__file__).parent.parent / "carriers"


def _cases(part: str) -> list[Any]:
    return [
        pytest.param(path.stem, case, id=f"{path.stem}: {case['story']}")
        for path in sorted(CASES.glob("*.yaml"))
        for case in yaml.safe_load(path.read_text("utf-8"))[part]
    ]


@pytest.fixture
def server() -> Iterator[CarrierServer]:
    with carrier_server() as server:
        yield server


def _build(name: str, server: CarrierServer, http: httpx.Client) -> Carrier:
    options = yaml.safe_load((CASES / f"{name}.yaml").read_text("utf-8"))["options"]
    tools = Tools(http=http, write=lambda line: None, feed=lambda to, id, text: None)
    return registry.build(name, {**options, "base_url": server.url}, tools)


def test_every_installed_adapter_has_its_cases() -> None:
    with_cases = {path.stem for path in CASES.glob("*.yaml")}
    assert set(registry.names()) == with_cases
    assert {"console", "kavenegar", "africastalking"} <= with_cases


@pytest.mark.parametrize("name", sorted(path.stem for path in CASES.glob("*.yaml")))
def test_an_adapter_satisfies_the_contract(name: str, server: CarrierServer) -> None:
    with httpx.Client() as http:
        carrier = _build(name, server, http)
        assert isinstance(carrier, Carrier)
        assert carrier.name == name
        assert isinstance(carrier.reply, Reply)
        assert carrier.reply.status == 200


@pytest.mark.parametrize(("name", "case"), _cases("send"))
def test_an_answer_becomes_an_outcome(
    name: str, case: dict[str, Any], server: CarrierServer
) -> None:
    _answer_always(server, case)
    with httpx.Client() as http:
        result = _build(name, server, http).send(
            Outbound(id="41", to="+989121234567", text="سلام", sender="10001")
        )
    _assert_result(result, case)


@pytest.mark.parametrize(("name", "case"), _cases("look_up"))
def test_a_look_up_says_known_unknown_or_nothing(
    name: str, case: dict[str, Any], server: CarrierServer
) -> None:
    _answer_always(server, case)
    with httpx.Client() as http:
        result = _build(name, server, http).look_up("41")
    if case["outcome"] is None:
        assert result is None
    else:
        assert result is not None
        _assert_result(result, case)


@pytest.mark.parametrize(("name", "case"), _cases("receipts"))
def test_a_receipt_is_read(
    name: str, case: dict[str, Any], server: CarrierServer
) -> None:
    with httpx.Client() as http:
        carrier = _build(name, server, http)
        if "unreadable" in case:
            with pytest.raises(Unreadable, match=case["unreadable"]):
                carrier.read_receipts(case["form"])
            return
        [receipt] = carrier.read_receipts(case["form"])
    assert receipt.carrier_id == case["carrier_id"]
    assert receipt.status == case["status"]
    assert receipt.raw_status == case["form"]["status"]


@pytest.mark.parametrize(("name", "case"), _cases("inbound"))
def test_an_incoming_text_is_read(
    name: str, case: dict[str, Any], server: CarrierServer
) -> None:
    with httpx.Client() as http:
        carrier = _build(name, server, http)
        if "unreadable" in case:
            with pytest.raises(Unreadable, match=f"^{case['unreadable']} ") as error:
                carrier.read_inbound(case["form"])
            assert "9121234567" not in str(error.value)
            return
        inbound = carrier.read_inbound(case["form"])
    assert inbound.carrier_id == case["carrier_id"]
    assert inbound.sender_phone == case["phone"]
    assert (inbound.line, inbound.text) == (case["line"], case["text"])
    expected = case.get("at")
    assert inbound.at == (datetime.fromisoformat(expected) if expected else None)
    assert "9121234567" not in repr(inbound)


@pytest.mark.parametrize("field", ["messageid", "from", "to", "message"])
def test_a_field_that_is_too_long_is_named(field: str, server: CarrierServer) -> None:
    form = {"messageid": "1", "from": "09121234567", "to": "10001", "message": "11"}
    with httpx.Client() as http:
        carrier = _build("kavenegar", server, http)
        with pytest.raises(Unreadable, match=f"^{field} is longer than"):
            carrier.read_inbound({**form, field: "1" * 10_000})


def _answer_always(server: CarrierServer, case: dict[str, Any]) -> None:
    answer = Say(case.get("status", 200), case.get("body", "").encode())
    for path in ("send.json", "statuslocalmessageid.json", "messaging"):
        server.script(path, answer)


def _assert_result(result: Result, case: dict[str, Any]) -> None:
    assert result.outcome == case["outcome"], result
    assert result.carrier_id == case.get("carrier_id")
    assert result.status == case.get("text_status", "sent")
    assert len(result.detail) <= 200
    assert "9121234567" not in result.detail
    assert "711000000" not in result.detail
