"""`mapped` on wires that no other dialect speaks.

The wires that others speak too are in tests/ussd/mapped, run by test_dialects.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussd.dialects.mapped import Mapped
from ussd.turn import Answer, Call, DialEnd, Ending, Request, Turn, Unreadable

PHONE = "+989121234567"
CODE = "*780*5588*1#"

MAPPED = Path(__file__).parent / "mapped"
WIRES = tomllib.loads((MAPPED / "wires.toml").read_text("utf-8"))


def wire(name: str, **more: Any) -> Mapped:
    return Mapped(region="IR", options={**WIRES[name], **more})


def query(text: str, **more: Any) -> Request:
    return Request(method="GET", query=text.encode(), **more)


def form(text: str) -> Request:
    return Request(body=text.encode())


every = pytest.mark.parametrize("name", WIRES)

_LETTERS = st.characters(exclude_categories=("Cc", "Cs", "Cn"))
_LINE = st.text(_LETTERS, min_size=1, max_size=30).map(str.strip).filter(bool)


@every
@given(
    # A first request that is empty cannot be told from an empty answer on some wires.
    answers=st.lists(st.text(_LETTERS, min_size=1, max_size=20), max_size=3),
    code=st.sampled_from([CODE, "*780*5588*1*50000#"]),
)
def test_a_wire_reads_what_it_writes_as_the_carrier(
    name: str, answers: list[str], code: str
):
    carrier = wire(name)
    turn = carrier.read(carrier.send(Call("s1", PHONE, code, tuple(answers))))
    assert isinstance(turn, Turn)
    assert turn.phone == PHONE
    if turn.cumulative:
        keys = "*".join([code.strip("*#"), *answers])
        assert "*".join(filter(None, [turn.dialled.strip("*#"), turn.typed])) == keys
    else:
        assert (turn.starts, turn.typed) == (
            not answers,
            answers[-1] if answers else "",
        )
        if turn.starts and name != "bare":
            assert turn.dialled == code


@every
@given(
    screen=st.lists(_LINE, min_size=1, max_size=4).map("\n".join), ends=st.booleans()
)
def test_a_wire_shows_what_it_was_given(name: str, screen: str, ends: bool):
    carrier = wire(name)
    turn = carrier.read(carrier.send(Call("s1", PHONE, CODE, ("1",))))
    assert isinstance(turn, Turn)
    assert carrier.heard(carrier.write(turn, screen, ends=ends)) == (screen, ends)


# -- what a cumulative text holds ------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "dialled", "left"),
    [
        ("*780*5588#", "*780*5588#", ""),
        ("*780*5588*1#", "*780*5588#", "1"),
        ("*780*5588*1*۷۵ هزار#", "*780*5588#", "1*۷۵ هزار"),
        ("780*5588*1*2", "*780*5588#", "1*2"),
        ("*780*5588*1*##", "*780*5588#", "1*#"),
    ],
)
def test_the_code_is_taken_off_a_text_that_holds_it(
    typed: str, dialled: str, left: str
):
    turn = wire("advanta").read(
        query(f"SESSIONID=s&MSISDN=989121234567&INPUT={typed.replace('#', '%23')}")
    )
    assert isinstance(turn, Turn)
    assert (turn.dialled, turn.typed) == (dialled, left)


@pytest.mark.parametrize("typed", ["*780*55881#", "*781*5588*1#", "1", ""])
def test_a_text_of_another_code_is_refused(typed: str):
    asked = query(f"SESSIONID=s&MSISDN=989121234567&INPUT={typed.replace('#', '%23')}")
    with pytest.raises(
        Unreadable, match=r"^Field INPUT does not begin with the code\.$"
    ):
        wire("advanta").read(asked)


@pytest.mark.parametrize(
    ("service", "typed", "dialled", "left"),
    [
        ("780", "5588*1", CODE, ""),
        ("780", "5588*1*3*75000", CODE, "3*75000"),
        # Another code than the channel's is left as it is, to be told it is unknown.
        ("780", "5588*2*3", "*780#", "5588*2*3"),
        ("780", "", "*780#", ""),
        ("780*5588*1", "3", CODE, "3"),
    ],
)
def test_a_code_in_two_fields_is_put_together(
    service: str, typed: str, dialled: str, left: str
):
    turn = wire("safaricom").read(
        query(f"SESSION_ID=s&ORIG=989121234567&DEST={service}&USSD_PARAMS={typed}")
    )
    assert isinstance(turn, Turn)
    assert (turn.dialled, turn.typed) == (dialled, left)


# -- how a first request is told -------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "starts"),
    [
        ("*780*5588#", True),
        ("*780*5588*1*50000#", True),
        (" *۷۸۰*۵۵۸۸*۱# ", True),
        ("#۱*۵۵۸۸*۷۸۰*", True),
        ("*780*5588", True),
        # Bare digits are an answer even where they would be a code.
        ("780", False),
        ("*780*55881#", False),
        ("*100#", False),
        ("#", False),
        ("*", False),
        ("", False),
        ("۷۵ هزار", False),
    ],
)
def test_a_text_that_begins_with_the_code_starts_a_call(typed: str, starts: bool):
    asked = query(f"SessionID=s&MSISDN=989121234567&input={typed.replace('#', '%23')}")
    turn = wire("flares").read(asked)
    assert isinstance(turn, Turn)
    assert turn.starts is starts
    assert turn.typed == ("" if starts else typed)


def test_an_empty_text_starts_a_call_and_so_does_none():
    for text in ("&message=", ""):
        asked = form(f"session_id=s&mobile_number=09121234567&service_code=780{text}")
        turn = wire("olivetree").read(asked)
        assert isinstance(turn, Turn)
        assert (turn.starts, turn.dialled, turn.typed) == (True, "*780#", "")


def test_an_answer_may_come_without_the_code():
    turn = wire("olivetree").read(
        form("session_id=s&mobile_number=09121234567&message=1")
    )
    assert isinstance(turn, Turn)
    assert (turn.starts, turn.dialled, turn.typed) == (False, "", "1")


def test_a_field_that_is_there_at_all_may_end_a_call():
    end = wire("flares").read(
        query("SessionID=s&MSISDN=989121234567&clean=clean-session&error=510")
    )
    assert end == DialEnd("s", PHONE, Ending.CUT, echo={"MSISDN": "989121234567"})


def test_a_call_may_end_without_its_phone_where_the_session_is_enough():
    carrier = wire("bare")
    assert carrier.session_alone
    assert carrier.read(form("id=s&event=bye")) == DialEnd("s", "", Ending.LEFT)
    with pytest.raises(Unreadable, match=r"^Field msisdn is missing\.$"):
        carrier.read(form("id=s&text=1"))
    with pytest.raises(Unreadable, match=r"^Field msisdn is missing\.$"):
        wire("bare", session_alone=False).read(form("id=s&event=bye"))


def test_a_path_alone_may_end_a_call():
    carrier = wire("nested")
    body = b'{"from": {"number": "09121234567"}}'
    end = carrier.read(Request(method="PUT", path="bye", body=body))
    assert end == DialEnd("", PHONE, Ending.LEFT, echo={"from.number": "09121234567"})
    assert carrier.read(carrier.send_end(Call("s", PHONE, CODE), Ending.CUT)) == end


def test_a_carrier_that_says_nothing_of_ends_is_let_say_nothing():
    assert wire("olivetree").send_end(Call("s", PHONE, CODE), Ending.LEFT) is None


# -- how replies are written -----------------------------------------------------------


def turned(carrier: Mapped, session: str = "s1") -> Turn:
    turn = carrier.read(carrier.send(Call(session, PHONE, CODE, ("1",))))
    assert isinstance(turn, Turn)
    return turn


def test_a_reply_may_say_in_a_header_that_it_is_the_last():
    carrier = wire("flares")
    assert carrier.write(turned(carrier), "متن", ends=True) == Answer(
        "متن",
        content_type="text/plain",
        headers={"Freeflow": "FB", "charge": "N", "amount": "0"},
    )
    thanks = carrier.acknowledge(DialEnd("s", PHONE, Ending.CUT))
    assert thanks == Answer("", content_type="text/plain")


def test_xml_is_escaped_once_and_keeps_its_lines():
    carrier = wire("attributes")
    body = (
        '<request type="more"><call id="&lt;s&quot;1&gt;"><from>09121234567</from>'
        "</call><say>1</say></request>"
    )
    turn = carrier.read(Request(body=body.encode()))
    assert isinstance(turn, Turn)
    assert turn.session == '<s"1>'
    assert carrier.write(turn, 'A & <b>\n"2"', ends=True).body == (
        '<?xml version="1.0" encoding="UTF-8"?><response wait="false">'
        '<screen to="+989121234567">A &amp; &lt;b&gt;\n"2"</screen></response>'
    )


def test_numbers_and_truths_stay_what_they_are():
    carrier = wire("nested")
    written = carrier.write(turned(carrier), "a\nb", ends=False)
    assert written.body == '{"reply": "a\\\\nb", "more": true, "cost": 0.5, "tags": []}'


def test_a_form_is_written_as_forms_are():
    carrier = wire("olivetree")
    assert carrier.write(turned(carrier), "a&b ۱", ends=True) == Answer(
        "text=a%26b+%DB%B1&end=1", content_type="application/x-www-form-urlencoded"
    )


def test_what_was_sent_cannot_put_a_header_of_its_own_in():
    carrier = wire(
        "flares",
        reply={
            "format": "text",
            "go_on": "{text}",
            "end": "{text}",
            "go_on_headers": {"X-Session": "{session}"},
            "end_headers": {"X-Session": "{session}", "X-End": "1"},
        },
    )
    asked = query("SessionID=a%0D%0ASet-Cookie:%20b%DB%B1&MSISDN=989121234567&input=1")
    turn = carrier.read(asked)
    assert isinstance(turn, Turn)
    written = carrier.write(turn, "x", ends=False)
    assert written.headers == {"X-Session": "a??Set-Cookie: b?"}


@pytest.mark.parametrize(
    ("how", "shown"),
    [
        ("", "9121234567"),
        ("plus", "+989121234567"),
        ("digits", "989121234567"),
        ("national", "09121234567"),
    ],
)
def test_a_phone_is_repeated_as_it_came_unless_a_way_is_set(how: str, shown: str):
    written = {"format": "text", "go_on": "1 {phone} {text}", "end": "0 {phone} {text}"}
    carrier = wire("nested", phone_format=how, reply=written)
    body = b'{"from": {"number": "9121234567"}, "message": {"new": false, "body": "1"}}'
    turn = carrier.read(Request(method="PUT", body=body))
    assert isinstance(turn, Turn)
    assert carrier.write(turn, "x", ends=False).body == f"1 {shown} x"


def test_prefixes_of_a_carriers_xml_do_not_matter():
    carrier = wire("soap")
    body = (
        '<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="urn:a" xmlns:u="urn:b">'
        "<soapenv:Body><u:ussd><u:session>s</u:session><u:msisdn>09121234567</u:msisdn>"
        "<u:op>2</u:op><u:text>۷۵ هزار</u:text></u:ussd></soapenv:Body>"
        "</soapenv:Envelope>"
    )
    turn = carrier.read(Request(body=body.encode()))
    assert isinstance(turn, Turn)
    assert (turn.session, turn.typed) == ("s", "۷۵ هزار")
    said = carrier.write(turn, "a", ends=True).body
    assert said.startswith("<s:Envelope xmlns:s=")
