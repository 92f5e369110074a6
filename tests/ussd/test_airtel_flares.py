from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from ussd.dialects.airtel_flares import AirtelFlares
from ussd.options import VALUES_MAX
from ussd.turn import Call, DialEnd, Ending, Request, Turn, Unreadable

CODES = {"codes": ["780*5588"]}
WHO = {"userid": "app1", "password": "رمز & 1"}
TOGETHER = "userid: should be set together with password"
CALL = Call("s1", "+254733000001", "*780*5588*1#")


def refused(request: Request, carrier: AirtelFlares) -> tuple[str, int]:
    try:
        carrier.read(request)
    except Unreadable as fault:
        return str(fault), fault.status
    return "", 200


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "codes: is missing"),
        ({"codes": []}, "codes: should be a list of 1 to 20 values"),
        ({"codes": 780}, "codes: 780 is not a dial code"),
        (
            {"codes": ["1"] * (VALUES_MAX + 1)},
            "codes: should be a list of 1 to 20 values",
        ),
        ({"codes": ["hello"]}, "codes: 'hello' is not a dial code"),
        ({"codes": [780]}, "codes: 780 is not a dial code"),
        ({**CODES, "userid": "u"}, TOGETHER),
        ({**CODES, "userid": "", "password": "p"}, TOGETHER),
        ({**CODES, "userid": "", "password": ""}, TOGETHER),
        ({**CODES, "userid": "u", "password": 1}, "password: should be a text"),
        ({**CODES, "charge": "Y"}, "charge: no such option"),
    ],
)
def test_an_option_that_is_wrong_is_named(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError) as fault:  # noqa: PT011 the lines are compared
        AirtelFlares(region="KE", options=options)
    assert says in str(fault.value).split("\n")


def test_all_faults_are_told_at_once() -> None:
    options = {"codes": ["a", "b"], "userid": "u", "colour": "blue"}
    with pytest.raises(ValueError, match="colour") as fault:
        AirtelFlares(region="KE", options=options)
    assert len(str(fault.value).split("\n")) == 4


@pytest.mark.parametrize("code", ["780*5588", "*780*5588#", "#۵۵۸۸*۷۸۰*"])
def test_a_code_may_be_written_as_it_is_dialled(code: str) -> None:
    """One alone needs no list."""
    turn = AirtelFlares(region="KE", options={"codes": code})
    said = turn.read(turn.send(CALL))
    assert isinstance(said, Turn)
    assert (said.starts, said.dialled) == (True, "*780*5588*1#")


def test_who_calls_with_another_userid_or_password_is_sent_away() -> None:
    carrier = AirtelFlares(region="KE", options={**CODES, **WHO})
    form = {"SessionID": "s", "MSISDN": "254733000001", "input": "1"}
    end = {"SessionID": "s", "msisdn": "254733000001", "clean": "c", "error": "1"}
    for said in (form, end):
        for who in (
            {},
            {"userid": "app1"},
            {"userid": "app1", "password": ""},
            {"userid": "app1", "password": "رمز"},
            {"userid": "app2", "password": WHO["password"]},
        ):
            request = Request(method="GET", query=urlencode({**said, **who}).encode())
            wrong = ("The userid or the password is wrong.", 403)
            assert refused(request, carrier) == wrong
        request = Request(method="GET", query=urlencode({**said, **WHO}).encode())
        assert refused(request, carrier) == ("", 200)


def test_the_carriers_side_says_who_it_is() -> None:
    carrier = AirtelFlares(region="KE", options={**CODES, **WHO})
    assert isinstance(carrier.read(carrier.send(CALL)), Turn)
    end = carrier.send_end(CALL, Ending.CUT)
    assert end is not None
    assert isinstance(carrier.read(end), DialEnd)
    stranger = AirtelFlares(region="KE", options=CODES)
    assert refused(stranger.send(CALL), carrier)[1] == 403


def test_a_userid_that_nobody_set_is_not_asked_for() -> None:
    carrier = AirtelFlares(region="KE", options=CODES)
    query = b"SessionID=s&MSISDN=254733000001&input=1&userid=u&password=p"
    assert refused(Request(method="GET", query=query), carrier) == ("", 200)
