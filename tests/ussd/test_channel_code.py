"""The code of a channel, for carriers that may not say what was dialled."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ussd.dialects.beem import Beem
from ussd.dialects.infobip import Infobip
from ussd.turn import Request, Turn

WRONG = "^code: a dial code (looks like|has at most) "


def _infobip(options: dict[str, Any], asked: str, **fields: Any) -> Turn:
    body = {"msisdn": "989121234567", "text": "1", **fields}
    request = Request(path=f"session/s1/{asked}", body=json.dumps(body).encode())
    said = Infobip(region="IR", options=options).read(request)
    assert isinstance(said, Turn)
    return said


def _beem(options: dict[str, Any], command: str, response: Any) -> Turn:
    body = {
        "command": command,
        "msisdn": "989121234567",
        "session_id": "s1",
        "payload": {"request_id": "r1", "response": response},
    }
    request = Request(body=json.dumps(body).encode())
    said = Beem(region="IR", options=options).read(request)
    assert isinstance(said, Turn)
    return said


def test_infobips_own_word_goes_before_the_channels_code():
    options = {"code": "*780*5588#"}
    said = {"shortCode": "*123#"}
    assert _infobip(options, "start").dialled == "*780*5588#"
    assert _infobip(options, "start", **said).dialled == "*123#"
    assert _infobip(options, "start", **said, text="*123*1#").dialled == "*123*1#"
    # A star in an answer is no code.
    assert _infobip(options, "response", text="2*3").dialled == "*780*5588#"
    assert _infobip({}, "response", text="2*3").dialled == ""


def test_beem_says_its_code_only_if_it_has_a_star_in_it():
    options = {"code": "*780*5588#"}
    for first in ("", "0", 780, "hello"):
        assert _beem(options, "initiate", first).dialled == "*780*5588#"
        assert _beem({}, "initiate", first).dialled == ""
    assert _beem(options, "initiate", "*780*1#").dialled == "*780*1#"
    assert _beem({}, "initiate", "*780*1#").dialled == "*780*1#"
    # A star in an answer is no code.
    assert _beem(options, "continue", "2*3").dialled == "*780*5588#"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("*780*5588#", "*780*5588#"),
        ("780*5588", "*780*5588#"),
        ("#۵۵۸۸*۷۸۰*", "*780*5588#"),
        (780, "*780#"),
        ("", ""),
        (" ", ""),
    ],
)
def test_a_code_is_taken_as_an_operator_writes_it(written: Any, code: str):
    assert _beem({"code": written}, "initiate", "").dialled == code
    assert _infobip({"code": written}, "start").dialled == code


@pytest.mark.parametrize("carrier", [Beem, Infobip])
@pytest.mark.parametrize("wrong", ["hello", [], True, {"a": 1}, 7.5, "*" * 99])
def test_a_code_that_is_none_is_refused(carrier: Any, wrong: Any):
    with pytest.raises(ValueError, match=WRONG):
        carrier(region="IR", options={"code": wrong})


@pytest.mark.parametrize("carrier", [Beem, Infobip])
def test_each_wrong_option_has_its_line(carrier: Any):
    with pytest.raises(ValueError, match="code") as refused:
        carrier(region="IR", options={"pin": 1, "code": "x"})
    assert str(refused.value).splitlines() == [
        "code: a dial code looks like *780*5588*1#",
        "pin: no such option",
    ]
