"""Requests and answers that are spoilt in every way, through every dialect.

Only a turn, an end, an inquiry or a refusal in one line may come out, whatever goes in,
and each can be answered in the carrier's form.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ussd.recorded import (
    Subject,
    answer,
    assert_is_one_clear_line,
    each,
)
from ussd.fields import FIELD_BYTES_MAX, SESSION_CHARS_MAX
from ussd.turn import (
    Dialect,
    DialEnd,
    Informant,
    Inquiry,
    Request,
    Turn,
    Unreadable,
)


def _is_sound(carrier: Dialect, request: Request) -> None:
    """A request becomes one of four things, and each can be answered."""
    try:
        said = carrier.read(request)
    except Unreadable as refused:
        assert_is_one_clear_line(refused)
        _is_refused(carrier, str(refused), refused.status)
        return
    match said:
        case Turn():
            assert len(said.session) <= SESSION_CHARS_MAX
            assert said.phone.startswith("+")
            assert said.cumulative or not (said.starts and said.typed)
            assert said.dialled == "" or said.dialled[:: len(said.dialled) - 1] == "*#"
            for text in (said.session, said.typed, *said.echo.values()):
                assert len(text.encode()) <= FIELD_BYTES_MAX
                assert not set(text) & set("\x00\x1b\x7f")
            written = carrier.write(said, "a\nb", ends=False)
            assert carrier.heard(written) == ("a\nb", False)
        case DialEnd():
            assert said.phone or carrier.session_alone
            written = carrier.acknowledge(said)
        case Inquiry():
            assert isinstance(carrier, Informant)
            written = carrier.inform(said, active=False)
        case _:
            pytest.fail(f"{type(said).__name__} came out")
    written.body.encode()
    for name, value in written.headers.items():
        assert (name + value).isprintable()


def _is_refused(carrier: Dialect, reason: str, status: int) -> None:
    refusal = carrier.refuse(reason, status)
    assert refusal.status == status
    assert refusal.body.encode()


def _recorded(subject: Subject) -> Iterator[Request]:
    for part in ("turns", "ends", "inquiries", "unreadable"):
        for case in subject.part(part):
            yield subject.request(case)


_OCTETS = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=100).map(lambda text: text.encode(errors="surrogatepass")),
)
_HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "cookie", "x-session", "content-encoding"]),
    st.one_of(
        st.sampled_from(
            ["application/json", "text/xml; charset=utf-16", "JSESSIONID="]
        ),
        st.text(max_size=20),
    ),
    max_size=2,
)
_WHATEVER = st.builds(
    Request,
    method=st.sampled_from(["POST", "GET", "PUT", "DELETE", "HEAD", "", "post"]),
    path=st.one_of(
        st.sampled_from(["", "events", "session/s/start", "session//end", "/", "a/b"]),
        st.text(max_size=40),
    ),
    query=_OCTETS,
    headers=_HEADERS,
    body=_OCTETS,
)
# What to put into a good request: bytes that some format takes for more than they are.
_SPLINTERS = st.one_of(
    st.sampled_from(
        [
            *(b"\x00", b"\xff", b"&", b"=", b"%", b"%00", b"+", b"*", b"|", b"#"),
            *(b"{", b"}", b"[", b"]", b'"', b"\\", b"\\ud800", b"null", b"1e999"),
            *(b"true", b"-1", b"<", b">", b"</", b"<!DOCTYPE a>", b"&lt;", b"&#0;"),
            *(
                b"<!--",
                b"]]>",
                b"<?xml version='1.0' encoding='utf-7'?>",
                b"\xef\xbb\xbf",
            ),
            *("۷".encode(), "\u200e".encode(), b"9" * 5000, b"[" * 3000, b"\r\n", b" "),
        ]
    ),
    st.binary(max_size=8),
)


@st.composite
def _mutants(draw: st.DrawFn, subject: Subject) -> Request:
    request: Request = draw(st.sampled_from(list(_recorded(subject))))
    for _ in range(draw(st.integers(1, 3))):
        part = draw(st.sampled_from(["body", "query", "path", "method", "headers"]))
        match part:
            case "body" | "query":
                octets: bytes = getattr(request, part)
                cut = draw(st.integers(0, len(octets)))
                until = draw(st.integers(cut, min(len(octets), cut + 20)))
                splinter = draw(_SPLINTERS)
                twice = octets[cut:until] if draw(st.booleans()) else b""
                mutant = octets[:cut] + splinter + twice + twice + octets[until:]
                request = replace(request, **{part: mutant})
            case "path":
                request = replace(request, path=draw(st.text(max_size=10)))
            case "method":
                request = replace(
                    request, method=draw(st.sampled_from(["POST", "GET"]))
                )
            case _:
                request = replace(request, headers=draw(_HEADERS))
    return request


@each
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(request=_WHATEVER)
def test_whatever_comes_is_read_or_refused(subject: Subject, request: Request):
    _is_sound(subject.carrier, request)


@each
@settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_a_spoilt_request_is_read_or_refused(subject: Subject, data: st.DataObject):
    _is_sound(subject.carrier, data.draw(_mutants(subject)))


@each
@given(data=st.data())
def test_whatever_answer_we_give_the_carriers_side_hears_or_refuses(
    subject: Subject, data: st.DataObject
):
    replies = [answer(case["answer"]) for case in subject.cases["replies"]]
    good = data.draw(st.sampled_from(replies))
    cut = data.draw(st.integers(0, len(good.body)))
    splinter = data.draw(st.text(max_size=5))
    spoilt = replace(
        good,
        body=data.draw(st.sampled_from([splinter, good.body[:cut] + splinter])),
        content_type=data.draw(st.sampled_from([good.content_type, "image/png"])),
        headers=data.draw(st.sampled_from([good.headers, {}])),
    )
    try:
        text, ends = subject.carrier.heard(spoilt)
    except Unreadable as refused:
        assert_is_one_clear_line(refused)
        return
    assert isinstance(text, str)
    assert isinstance(ends, bool)


@each
def test_a_refusal_tells_nothing_that_was_sent(subject: Subject):
    secret = b"6037991234567893"
    for request in _recorded(subject):
        for octets in (request.body, request.query):
            spoilt = octets.replace(b"989", b"x" + secret).replace(b"780", secret)
            part = "body" if octets is request.body else "query"
            try:
                subject.carrier.read(replace(request, **{part: spoilt}))
            except Unreadable as refused:
                said = "".join(traceback.format_exception_only(refused))
                assert secret.decode() not in said
