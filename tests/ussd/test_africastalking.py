"""What the cases of Africa's Talking do not say: bounds, and strange bodies."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussd.dialects.africastalking import EVENTS, AfricasTalking
from ussd.fields import FIELD_BYTES_MAX
from ussd.turn import DialEnd, Ending, Request, Turn, Unreadable, dialect

NAMES = ("sessionId", "serviceCode", "phoneNumber", "text")
FORM = {
    "sessionId": "ATUid_1",
    "serviceCode": "*780*5588*1#",
    "phoneNumber": "+989121234567",
    "networkCode": "43211",
    "text": "",
}

each = pytest.mark.parametrize("field", NAMES)


@pytest.fixture
def carrier() -> AfricasTalking:
    return AfricasTalking(region="IR")


def posted(form: Any, path: str = "") -> Request:
    written = form if isinstance(form, str) else urlencode(form)
    return Request(path=path, body=written.encode())


def refusal(carrier: AfricasTalking, body: bytes) -> str:
    with pytest.raises(Unreadable) as refused:
        carrier.read(Request(body=body))
    return str(refused.value)


def test_the_dialect_is_found_by_its_name_as_a_strangers_would_be():
    assert dialect("africastalking") is AfricasTalking


@each
def test_each_field_is_needed_once(carrier: AfricasTalking, field: str):
    without = {name: value for name, value in FORM.items() if name != field}
    assert refusal(carrier, urlencode(without).encode()) == f"Field {field} is missing."
    twice = urlencode([*FORM.items(), (field, FORM[field])])
    assert refusal(carrier, twice.encode()) == f"Field {field} is given twice."


@each
@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ("%FF%FE", "is not UTF-8."),
        ("1%002", "holds a control character."),
        ("%1B", "holds a control character."),
        ("1" * (FIELD_BYTES_MAX + 1), "is longer than 4,000 bytes."),
    ],
)
def test_each_field_is_bounded_text(
    carrier: AfricasTalking, field: str, raw: str, says: str
):
    others = {name: value for name, value in FORM.items() if name != field}
    body = f"{urlencode(others)}&{field}={raw}".encode()
    assert refusal(carrier, body) == f"Field {field} {says}"


def test_a_field_nobody_asked_for_is_let_pass(carrier: AfricasTalking):
    turn = carrier.read(posted([*FORM.items(), ("new", "1"), ("new", "2")]))
    assert isinstance(turn, Turn)
    assert turn.typed == ""


def test_letters_that_are_not_percent_encoded_are_read_too(carrier: AfricasTalking):
    """As `curl -d` sends what was typed on a Persian keyboard."""
    body = "sessionId=s&serviceCode=*780%23&phoneNumber=%2B989121234567&text=3*۷۵ هزار"
    turn = carrier.read(posted(body))
    assert isinstance(turn, Turn)
    assert turn.typed == "3*۷۵ هزار"
    assert refusal(carrier, body.encode() + b"\xff") == "Field text is not UTF-8."


def test_the_word_of_an_end_is_read_in_any_case(carrier: AfricasTalking):
    end = carrier.read(posted({**FORM, "status": "success"}, EVENTS))
    assert end == DialEnd("ATUid_1", "+989121234567", Ending.REACHED)


@given(values=st.tuples(*[st.text(max_size=30)] * 4))
def test_a_form_that_is_read_says_what_was_sent(values: tuple[str, ...]):
    fields = dict(zip(NAMES, values, strict=True))
    body = urlencode(fields, errors="surrogatepass").encode()
    try:
        turn = AfricasTalking(region="IR").read(Request(body=body))
    except Unreadable:
        return
    assert isinstance(turn, Turn)
    assert (turn.session, turn.typed) == (fields["sessionId"], fields["text"])
