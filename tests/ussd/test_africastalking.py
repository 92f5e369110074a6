from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ussd.dialects.africastalking import AfricasTalking
from ussd.turn import FIELD_BYTES_MAX, Answer, DialEnd, Turn, Unreadable, dialect

CASES = yaml.safe_load(
    (Path(__file__).parent / "africastalking.yaml").read_text(encoding="utf-8")
)
FORM = {
    "sessionId": "ATUid_1",
    "serviceCode": "*780*5588*1#",
    "phoneNumber": "+989121234567",
    "networkCode": "43211",
    "text": "",
}


@pytest.fixture
def carrier() -> AfricasTalking:
    return AfricasTalking(region="IR")


def _story(case: dict[str, Any]) -> str:
    return str(case["story"])


def _refusal(reads: Callable[[bytes], object], body: bytes) -> str:
    """Why a body is refused; nothing for one that is read."""
    try:
        reads(body)
    except Unreadable as refused:
        return "".join(traceback.format_exception_only(refused)).strip()
    return ""


def test_the_dialect_is_found_by_its_name_as_a_strangers_would_be() -> None:
    assert dialect("africastalking") is AfricasTalking
    with pytest.raises(LookupError, match="no USSD adapter 'pigeon'.*africastalking"):
        dialect("pigeon")


@pytest.mark.parametrize("case", CASES["turns"], ids=_story)
def test_a_turn_is_read_as_the_carrier_sends_it(
    carrier: AfricasTalking, case: dict[str, Any]
) -> None:
    turn = carrier.read(case["body"].encode("latin-1"))
    assert turn == Turn(**case["turn"])


@pytest.mark.parametrize("case", CASES["ends"], ids=_story)
def test_an_end_is_read_as_the_carrier_sends_it(
    carrier: AfricasTalking, case: dict[str, Any]
) -> None:
    assert carrier.read_end(case["body"].encode()) == DialEnd(**case["end"])


@pytest.mark.parametrize("case", CASES["unreadable"], ids=_story)
def test_a_body_that_cannot_be_understood_is_refused_in_one_line(
    carrier: AfricasTalking, case: dict[str, Any]
) -> None:
    with pytest.raises(Unreadable) as refused:
        carrier.read(case["body"].encode("latin-1"))
    assert str(refused.value) == case["says"]


@pytest.mark.parametrize("case", CASES["unreadable_ends"], ids=_story)
def test_an_end_that_cannot_be_understood_is_refused_in_one_line(
    carrier: AfricasTalking, case: dict[str, Any]
) -> None:
    with pytest.raises(Unreadable) as refused:
        carrier.read_end(case["body"].encode())
    assert str(refused.value) == case["says"]


@pytest.mark.parametrize("field", ["sessionId", "serviceCode", "phoneNumber", "text"])
def test_each_field_is_needed_once(carrier: AfricasTalking, field: str) -> None:
    without = {name: value for name, value in FORM.items() if name != field}
    with pytest.raises(Unreadable, match=f"^Field {field} is missing.$"):
        carrier.read(urlencode(without).encode())
    twice = urlencode([*FORM.items(), (field, FORM[field])]).encode()
    with pytest.raises(Unreadable, match=f"^Field {field} is given twice.$"):
        carrier.read(twice)


@pytest.mark.parametrize("field", ["sessionId", "serviceCode", "phoneNumber", "text"])
@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ("%FF%FE", "is not UTF-8"),
        ("1%002", "holds a control character"),
        ("%1B", "holds a control character"),
        ("1" * (FIELD_BYTES_MAX + 1), "is longer than 4,000 bytes"),
    ],
)
def test_each_field_is_bounded_text(
    carrier: AfricasTalking, field: str, raw: str, says: str
) -> None:
    others = {name: value for name, value in FORM.items() if name != field}
    body = f"{urlencode(others)}&{field}={raw}".encode()
    with pytest.raises(Unreadable, match=f"^Field {field} {says}"):
        carrier.read(body)


def test_a_session_id_is_bounded_too(carrier: AfricasTalking) -> None:
    assert carrier.read(urlencode({**FORM, "sessionId": "s" * 120}).encode())
    for bad in ("", "s" * 121):
        with pytest.raises(Unreadable, match="^Field sessionId is not 1 to 120"):
            carrier.read(urlencode({**FORM, "sessionId": bad}).encode())


def test_a_field_nobody_asked_for_is_let_pass(carrier: AfricasTalking) -> None:
    body = urlencode([*FORM.items(), ("new", "1"), ("new", "2")]).encode()
    assert carrier.read(body).typed == ""


def test_a_refusal_tells_nothing_that_was_sent(carrier: AfricasTalking) -> None:
    for field in FORM:
        body = urlencode({**FORM, field: "secret-6037991234567893"}).encode()
        said = _refusal(carrier.read, body)
        assert "6037" not in said


def test_a_screen_goes_on_and_a_last_one_ends(carrier: AfricasTalking) -> None:
    text = "مبلغ؟\n1 بله"
    assert carrier.write(text, ends=False) == Answer(f"CON {text}")
    assert carrier.write(text, ends=True) == Answer(f"END {text}")
    assert carrier.write(text, ends=True).content_type == "text/plain; charset=utf-8"


def test_a_refusal_ends_the_session_with_its_status(carrier: AfricasTalking) -> None:
    assert carrier.refuse("Field text is missing.", 400) == Answer(
        "END Field text is missing.", 400
    )


@given(body=st.binary(max_size=300))
def test_no_body_is_anything_but_read_or_refused(body: bytes) -> None:
    carrier = AfricasTalking(region="IR")
    for reads in (carrier.read, carrier.read_end):
        assert "\n" not in _refusal(reads, body)


@given(
    values=st.tuples(*[st.text(max_size=30)] * 4),
)
def test_no_form_is_anything_but_read_or_refused(values: tuple[str, ...]) -> None:
    names = ("sessionId", "serviceCode", "phoneNumber", "text")
    fields = dict(zip(names, values, strict=True))
    body = urlencode(fields, errors="surrogatepass").encode()
    try:
        turn = AfricasTalking(region="IR").read(body)
    except Unreadable:
        return
    assert turn.typed == fields["text"]
    assert turn.phone.startswith("+")
    assert turn.dialled.startswith("*")


def test_letters_that_are_not_percent_encoded_are_read_too(
    carrier: AfricasTalking,
) -> None:
    """As `curl -d` sends what was typed on a Persian keyboard."""
    body = "sessionId=s&serviceCode=*780%23&phoneNumber=%2B989121234567&text=3*۷۵ هزار"
    assert carrier.read(body.encode()).typed == "3*۷۵ هزار"
    assert "text is not UTF-8" in _refusal(carrier.read, body.encode() + b"\xff")
