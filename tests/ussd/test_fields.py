"""The readers that every dialect shares, against what the careless and hostile send."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_from_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussd.fields import (
    FIELD_BYTES_MAX,
    SESSION_CHARS_MAX,
    chosen,
    complete,
    dialled,
    dialled_in,
    form_fields,
    json_fields,
    json_object,
    optional_dialled,
    phone,
    sequence,
    session,
    text,
    xml_root,
)
from ussd.turn import Unreadable

LONG = "1" * (FIELD_BYTES_MAX + 1)
# Two bytes each: the limit is one of bytes.
LONG_PERSIAN = "ی" * (FIELD_BYTES_MAX // 2 + 1)


def refusal(reads: Callable[..., object], *given: object, **named: object) -> str:
    """Why something is refused: with 400, in one line."""
    with pytest.raises(Unreadable) as refused:
        reads(*given, **named)
    assert refused.value.status == 400
    assert str(refused.value).isprintable()
    return str(refused.value)


def form(body: bytes, *takes: str) -> dict[str, str]:
    return dict(form_fields(body, needs=("a",), takes=takes))


# -- forms -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"a=1", {"a": "1"}),
        (b"a=", {"a": ""}),
        (b"a", {"a": ""}),
        (b"a=1&b=2&c=3", {"a": "1", "b": "2"}),
        (b"a=1=2", {"a": "1=2"}),
        (b"a=1+2%2B3", {"a": "1 2+3"}),
        (b"a=%DB%B1", {"a": "۱"}),
        ("a=۱".encode(), {"a": "۱"}),
        (b"a=%zz%", {"a": "%zz%"}),
        (b"&&a=1&&", {"a": "1"}),
        (b"a=1;b=2", {"a": "1;b=2"}),
        (b"a=1%0A2%092%0D", {"a": "1\n2\t2\r"}),
        (b"\xff=1&a=2&\xff=3", {"a": "2"}),
        # The name stands as it is: an encoded one is another.
        (b"%61=1&a=2", {"a": "2"}),
    ],
)
def test_a_form_is_read_as_it_is_written(body: bytes, found: dict[str, str]):
    assert form(body, "b") == found


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "Field a is missing."),
        (b"A=1", "Field a is missing."),
        (b"a=1&a=1", "Field a is given twice."),
        (b"a=1&b=&b", "Field b is given twice."),
        (b"a=%FF", "Field a is not UTF-8."),
        (b"a=%ED%A0%80", "Field a is not UTF-8."),
        (b"a=%00", "Field a holds a control character."),
        (b"a=%7F", "Field a holds a control character."),
        (b"a=" + LONG.encode(), "Field a is longer than 4,000 bytes."),
        (b"a=" + quote(LONG_PERSIAN).encode(), "Field a is longer than 4,000 bytes."),
        (b"a=1" + b"&c" * 60, "The form has more than 60 fields."),
    ],
)
def test_a_form_that_is_none_is_refused(body: bytes, says: str):
    assert refusal(form, body, "b") == says


def test_a_field_at_its_limit_is_read():
    most = "ی" * (FIELD_BYTES_MAX // 2)
    assert form(b"a=" + quote(most).encode()) == {"a": most}
    assert form(b"a=1" + b"&c" * 59) == {"a": "1"}


@given(octets=st.binary(max_size=40))
def test_a_form_carries_every_text(octets: bytes):
    body = b"a=" + quote_from_bytes(octets).encode()
    try:
        said = octets.decode()
    except UnicodeDecodeError:
        assert refusal(form, body) == "Field a is not UTF-8."
        return
    if (
        any(letter < " " and letter not in "\t\n\r" for letter in said)
        or "\x7f" in said
    ):
        assert refusal(form, body) == "Field a holds a control character."
    else:
        assert form(body) == {"a": said}


# -- JSON ------------------------------------------------------------------------------


def fields(body: Any, *takes: str) -> dict[str, str]:
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    return dict(json_fields(json_object(written), needs=("a",), takes=takes))


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"a": "۱"}, {"a": "۱"}),
        ({"a": 1}, {"a": "1"}),
        ({"a": -(10**18)}, {"a": "-1000000000000000000"}),
        ({"a": True, "b": False}, {"a": "true", "b": "false"}),
        ({"a": "", "b": None}, {"a": ""}),
        ({"a": "1", "c": [{"a": 2}], "d": 1.5}, {"a": "1"}),
        ('{"a": "۱"}'.encode(), {"a": "۱"}),
        (b' {"a": "\\u06f1\\n"}\r\n', {"a": "۱\n"}),
        # RFC 8259, section 8.1: a parser may let a mark of byte order pass.
        ('{"a": "1"}'.encode("utf-8-sig"), {"a": "1"}),
    ],
)
def test_an_object_is_read_as_texts(body: Any, found: dict[str, str]):
    assert fields(body, "b") == found


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "The body is not JSON."),
        (b"{", "The body is not JSON."),
        (b"a=1", "The body is not JSON."),
        (b"{'a': 1}", "The body is not JSON."),
        (b'{"a": 1}{', "The body is not JSON."),
        (b'{"a": 1,}', "The body is not JSON."),
        (b'{"a": NaN}', "The body is not JSON."),
        (b'{"a": -Infinity}', "The body is not JSON."),
        (b'{"a": ' + b"[" * 100_000, "The body is not JSON."),
        (b'{"a":' * 50_000, "The body is not JSON."),
        (b'{"a": ' + b"9" * 5_000 + b"}", "The body is not JSON."),
        (b'{"a": "\xff"}', "The body is not UTF-8."),
        (b"[1]", "The body is not a JSON object."),
        (b'"a"', "The body is not a JSON object."),
        (b"null", "The body is not a JSON object."),
        (b'{"a": 1, "a": 1}', "Field a is given twice."),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "Field c is given twice."),
        ({}, "Field a is missing."),
        ({"a": None}, "Field a is missing."),
        ({"a": []}, "Field a is not a text."),
        ({"a": {}}, "Field a is not a text."),
        ({"a": 1.0}, "Field a is not a text."),
        (b'{"a": 1e999}', "Field a is not a text."),
        ({"a": "1", "b": [1]}, "Field b is not a text."),
        ({"a": "\x00"}, "Field a holds a control character."),
        (b'{"a": "\\ud83d"}', "Field a is not UTF-8."),
        ({"a": LONG}, "Field a is longer than 4,000 bytes."),
        ({"a": LONG_PERSIAN}, "Field a is longer than 4,000 bytes."),
    ],
)
def test_an_object_that_is_none_is_refused(body: Any, says: str):
    assert refusal(fields, body, "b") == says


def test_a_name_given_twice_is_shown_as_what_can_be_shown():
    twice = b'{"%s": 1, "%s": 2}' % ((b"\\u06cc" * 50,) * 2)
    assert refusal(json_object, twice) == f"Field {'?' * 40} is given twice."
    controls = b'{"a\\u0000\\n": 1, "a\\u0000\\n": 2}'
    assert refusal(json_object, controls) == "Field a?? is given twice."


@given(body=st.binary(max_size=60))
def test_no_body_is_anything_but_an_object_or_refused(body: bytes):
    try:
        assert isinstance(json_object(body), dict)
    except Unreadable as refused:
        assert str(refused).isprintable()  # noqa: PT017


@given(
    found=st.dictionaries(
        st.sampled_from("ab"), st.recursive(st.none() | st.booleans(), st.lists)
    )
)
def test_an_object_gives_texts_or_is_refused(found: dict[str, Any]):
    try:
        read = json_fields(found, needs=(), takes=("a", "b"))
    except Unreadable:
        assert any(isinstance(value, list) for value in found.values())
    else:
        assert set(read.values()) <= {"true", "false"}


# -- XML -------------------------------------------------------------------------------

UTF_7 = b"<?xml version='1.0' encoding='utf-7'?><a/>"
NOWHERE = b"<?xml version='1.0' encoding='nowhere'?><a/>"
BOMB = (
    b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">'
    + b"".join(
        f'<!ENTITY {chr(n + 1)} "{f"&{chr(n)};" * 10}">'.encode()
        for n in range(98, 107)
    )
    + b"]><a>&k;</a>"
)


def test_xml_is_read_in_the_encoding_that_it_names():
    for encoding in ("utf-8", "utf-16", "windows-1256"):
        body = f'<?xml version="1.0" encoding="{encoding}"?><a>سلام</a>'
        root = xml_root(body.encode(encoding))
        assert root.text == "سلام"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "The body is not XML."),
        (b"<a>", "The body is not XML."),
        (b"<a></a><b/>", "The body is not XML."),
        (b"<a>\x00</a>", "The body is not XML."),
        (b"<a>&#0;</a>", "The body is not XML."),
        (b"<a>&k;</a>", "The body is not XML."),
        (b"<a>\xff</a>", "The body is not XML."),
        (b"<a b='1' b='2'/>", "The body is not XML."),
        (UTF_7, "The body is in an encoding that is not read here."),
        (NOWHERE, "The body is in an encoding that is not read here."),
        (b"<a>" + b"<b/>" * 500 + b"</a>", "The body has more than 500 elements."),
        (b"<a>" * 21 + b"</a>" * 21, "The body is nested more than 20 deep."),
        (b"<a>" * 30_000, "The body is nested more than 20 deep."),
        (BOMB, "The body has a DTD or entities of its own."),
        (b"<!DOCTYPE a><a/>", "The body has a DTD or entities of its own."),
        (
            b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
            "The body has a DTD or entities of its own.",
        ),
        (
            b'<!DOCTYPE a [<!ENTITY k SYSTEM "file:///etc/passwd">]><a>&k;</a>',
            "The body has a DTD or entities of its own.",
        ),
    ],
)
def test_xml_that_is_none_or_would_reach_out_is_refused(body: bytes, says: str):
    assert refusal(xml_root, body) == says


def test_xml_at_its_limits_is_read():
    assert xml_root(b"<a>" * 20 + b"</a>" * 20).tag == "a"
    assert len(xml_root(b"<a>" + b"<b/>" * 499 + b"</a>")) == 499


@given(body=st.binary(max_size=60).map(lambda inside: b"<a" + inside + b"</a>"))
def test_no_xml_is_anything_but_a_root_or_refused(body: bytes):
    try:
        assert xml_root(body).tag
    except Unreadable as refused:
        assert str(refused).startswith("The body ")  # noqa: PT017


# -- what all carriers say -------------------------------------------------------------


def test_a_session_is_bounded():
    assert session("s", "1") == "1"
    assert session("s", "ی" * SESSION_CHARS_MAX) == "ی" * SESSION_CHARS_MAX
    for bad in ("", "1" * (SESSION_CHARS_MAX + 1)):
        assert refusal(session, "s", bad) == "Field s is not 1 to 120 characters."


@pytest.mark.parametrize(
    ("written", "region", "e164"),
    [
        ("+989121234567", "IR", "+989121234567"),
        ("989121234567", "IR", "+989121234567"),
        ("09121234567", "IR", "+989121234567"),
        (" 989121234567", "IR", "+989121234567"),
        ("۹۸۹۱۲۱۲۳۴۵۶۷", "IR", "+989121234567"),
        ("233244123456", "IR", "+233244123456"),
        ("0244123456", "GH", "+233244123456"),
    ],
)
def test_a_phone_is_read_as_networks_write_it(written: str, region: str, e164: str):
    assert phone("p", written, region) == e164


@pytest.mark.parametrize("bad", ["", "hello", "+", "12", "9" * 40, "0912123456x"])
def test_a_phone_that_is_none_is_refused_without_being_repeated(bad: str):
    assert refusal(phone, "p", bad, "IR") == "Field p is not a phone number."


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("*780*5588*1#", "*780*5588*1#"),
        ("780*5588", "*780*5588#"),
        ("780", "*780#"),
        ("*780", "*780#"),
        ("#۱*۵۵۸۸*۷۸۰*", "*780*5588*1#"),
        (" *780# ", "*780#"),
    ],
)
def test_a_dial_code_comes_in_dial_order(written: str, code: str):
    assert dialled("d", written) == code
    assert optional_dialled("d", written) == code


def test_a_dial_code_that_is_none_is_refused():
    for bad in ("", "hello", "*", "780*5588*", "*1" * 40 + "#"):
        assert refusal(dialled, "d", bad) == "Field d is not a dial code."
    assert optional_dialled("d", " ") == ""
    assert refusal(optional_dialled, "d", "*") == "Field d is not a dial code."


def test_a_code_is_where_the_carrier_says_it():
    found = {"said": "*780*1#", "answer": "2", "code": "*780#"}
    assert dialled_in(found, "said", "code", starts=True) == "*780*1#"
    assert dialled_in(found, "answer", "code", starts=True) == "*780#"
    # A star in an answer is no code.
    assert dialled_in(found, "said", "code", starts=False) == "*780#"
    says = "Field none is not a dial code."
    assert refusal(dialled_in, found, "answer", "none", starts=True) == says


def test_the_first_field_that_is_missing_is_named():
    found = {"a": "", "c": "1"}
    assert complete(found, "a", "c") == found
    assert refusal(complete, found, "a", "b", "d") == "Field b is missing."


def test_a_word_is_known_in_any_case_and_comes_back_in_ours():
    words = ("Initiation", "Response")
    assert chosen("t", " INITIATION\n", words) == "Initiation"
    assert chosen("t", "response", dict.fromkeys(words)) == "Response"
    for bad in ("", "Respons", "Initiation Response", "initıation"):
        said = refusal(chosen, "t", bad, words)
        assert said == "Field t is none of Initiation, Response."


def test_a_sequence_is_a_small_whole_number():
    assert sequence("n", "1") == 1
    assert sequence("n", " 007 ") == 7
    assert sequence("n", "999999999") == 999_999_999
    for bad in ("", "-1", "1.0", "1e3", "²", "1_0", "1234567890", "one"):
        assert refusal(sequence, "n", bad) == "Field n is not a number."


def test_a_text_from_anywhere_is_held_to_what_fields_may_be():
    assert text("t", "سلام\n") == "سلام\n"
    assert refusal(text, "t", "\x1b") == "Field t holds a control character."
    assert refusal(text, "t", "\ud83d") == "Field t is not UTF-8."
    assert refusal(text, "t", LONG) == "Field t is longer than 4,000 bytes."


@given(found=st.dictionaries(st.sampled_from("ac"), st.text(max_size=20)))
def test_a_form_and_an_object_of_the_same_fields_say_the_same(found: dict[str, str]):
    def said(reads: Callable[[], object]) -> object:
        try:
            return reads()
        except Unreadable as refused:
            return str(refused)

    body = urlencode(found, errors="surrogatepass").encode()
    assert said(lambda: form(body, "b")) == said(lambda: fields(found, "b"))
