"""What XML can do to whoever reads it, done to `xml_root` and to both XML dialects."""

from __future__ import annotations

import encodings
import pkgutil
import socket
import time
from encodings.aliases import aliases
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussd.dialects.restcomm import Restcomm
from ussd.dialects.truroute import TruRoute
from ussd.fields import (
    FIELD_BYTES_MAX,
    XML_DEPTH_MAX,
    XML_ELEMENTS_MAX,
    xml_root,
)
from ussd.turn import DialEnd, Request, Turn, Unreadable

# The longest body that comes in at all.
BODY_BYTES = 128 * 1024
SECONDS_MAX = 0.25

NOT_XML = "The body is not XML."
UNKNOWN = "The body is in an encoding that is not read here."
HAS_DTD = "The body has a DTD or entities of its own."
TOO_DEEP = f"The body is nested more than {XML_DEPTH_MAX} deep."
TOO_MANY = f"The body has more than {XML_ELEMENTS_MAX} elements."

LAUGHS = "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "lol">'
    for n in range(10)
)


def refusal(body: bytes) -> str:
    """Why a body is refused; nothing for one that is read."""
    try:
        xml_root(body)
    except Unreadable as refused:
        return str(refused)
    return ""


def outcomes(body: bytes) -> list[str]:
    """What both dialects make of a body: a refusal's sentence, or what was typed."""
    found = []
    for carrier in (TruRoute(region="IR"), Restcomm(region="IR")):
        try:
            said = carrier.read(Request(body=body))
        except Unreadable as refused:
            found.append(str(refused))
        else:
            found.append(said.typed if isinstance(said, Turn) else said.how)
    return found


def answer(typed: str, head: str = "") -> str:
    return (
        f"{head}<ussd><msisdn>989121234567</msisdn><sessionid>s</sessionid>"
        f"<type>2</type><msg>{typed}</msg></ussd>"
    )


def dialog(typed: str, head: str = "") -> str:
    return (
        f'{head}<dialog localId="1" userObject="1.0.989121234567">'
        f'<unstructuredSSRequest_Response string="{typed}"/></dialog>'
    )


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE a>",
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">',
        '<!DOCTYPE a PUBLIC "-//A//B" "file:///etc/passwd">',
        '<!DOCTYPE a [<!ENTITY e "1">]>',
        '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]>',
        '<!DOCTYPE a [<!ENTITY e SYSTEM "p.gif" NDATA gif>]>',
        '<!DOCTYPE a [<!ATTLIST ussd type CDATA "1">]>',
        f"<!DOCTYPE a [{LAUGHS}]>",
        f'<!DOCTYPE a [<!ENTITY e "{"e" * 60_000}">]>',
    ],
)
def test_a_dtd_is_refused_whatever_is_in_it(doctype: str) -> None:
    for body in (answer("&e;&l9;", doctype), dialog("&e;&l9;", doctype)):
        started = time.process_time()
        assert refusal(body.encode()) == HAS_DTD
        assert outcomes(body.encode()) == [HAS_DTD, HAS_DTD]
        assert time.process_time() - started < SECONDS_MAX


def test_a_dtd_is_refused_in_letters_of_sixteen_bits_too() -> None:
    body = answer("&e;", '<!DOCTYPE a [<!ENTITY e "1">]>')
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        assert refusal(body.encode(encoding)) in (HAS_DTD, NOT_XML)


def test_nothing_outside_is_opened(tmp_path: Path) -> None:
    """Neither the address of a DTD or an entity, nor an inclusion, nor a style."""
    secret = tmp_path / "secret"
    secret.write_text("6037991234567893")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        for place in (url, secret.as_uri()):
            doctype = f'<!DOCTYPE a [<!ENTITY e SYSTEM "{place}">]>'
            assert refusal(answer("&e;", doctype).encode()) == HAS_DTD
            style = f'<?xml-stylesheet href="{place}"?>'
            assert outcomes(answer("1", style).encode())[0] == "1"
            include = (
                '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" parse="text"'
                f' href="{place}"/>'
            )
            assert outcomes(answer(include).encode())[0] == "Field msg is not a text."
        with pytest.raises(TimeoutError):
            listener.accept()


def test_an_entity_that_nobody_declared_is_refused() -> None:
    assert refusal(answer("&nbsp;").encode()) == NOT_XML
    assert refusal(dialog("&nbsp;").encode()) == NOT_XML


def test_elements_are_nested_as_deep_as_any_carrier_needs_and_no_deeper() -> None:
    assert refusal(b"<a>" * XML_DEPTH_MAX + b"</a>" * XML_DEPTH_MAX) == ""
    assert refusal(b"<a>" * (XML_DEPTH_MAX + 1)) == TOO_DEEP
    # Neighbours are not nested.
    assert refusal(b"<r>" + b"<a><b/></a>" * (XML_DEPTH_MAX * 2) + b"</r>") == ""


@pytest.mark.parametrize(
    ("says", "body"),
    [
        (TOO_DEEP, b"<a>" * (BODY_BYTES // 7) + b"</a>" * (BODY_BYTES // 7)),
        (TOO_DEEP, b"<a>" * (BODY_BYTES // 3)),
        (TOO_MANY, b"<r>" + b"<a/>" * (BODY_BYTES // 4 - 2) + b"</r>"),
        ("", b"<r>" + b" ".join(b"<!--%d-->" % n for n in range(9_000)) + b"</r>"),
        ("", b"<r " + b" ".join(b'a%d=""' % n for n in range(11_000)) + b"/>"),
        ("", b'<r a="' + b"x" * (BODY_BYTES - 9) + b'"/>'),
        ("", b"<r>" + b"&#1593;" * (BODY_BYTES // 7 - 2) + b"</r>"),
        ("", b"<r " + b" ".join(b'xmlns:n%d="u"' % n for n in range(7_000)) + b"/>"),
        (NOT_XML, b"<" * BODY_BYTES),
        (NOT_XML, b"<" + b"a" * (BODY_BYTES - 1)),
        (NOT_XML, b"<a>]]>" * (BODY_BYTES // 6)),
        (NOT_XML, b"&" * BODY_BYTES),
        (NOT_XML, b"\x00" * BODY_BYTES),
    ],
    ids=lambda part: part[:12] if isinstance(part, bytes) else "",
)
def test_the_longest_body_there_can_be_takes_no_time(says: str, body: bytes) -> None:
    assert len(body) <= BODY_BYTES
    started = time.process_time()
    assert refusal(body) == says
    assert "" not in outcomes(body)
    assert time.process_time() - started < SECONDS_MAX


@pytest.mark.parametrize("wrapped", [answer, dialog])
def test_a_text_is_bounded_wherever_it_stands(wrapped) -> None:
    long = "۷" * (FIELD_BYTES_MAX // 2)
    assert long in outcomes(wrapped(long).encode())
    said = outcomes(wrapped(long + "7").encode())
    assert any("is longer than 4,000 bytes" in one for one in said)


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("utf-8", "utf-8"),
        ("UTF-8", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("windows-1256", "cp1256"),
        ("ISO-8859-6", "iso8859-6"),
    ],
)
def test_an_encoding_that_is_declared_is_read(declared: str, encoding: str) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>'
    assert outcomes(answer("سلام", head).encode(encoding))[0] == "سلام"
    assert outcomes(dialog("سلام", head).encode(encoding))[1] == "سلام"


def test_an_encoding_declared_wrongly_is_refused() -> None:
    for head, encoding in (
        ('<?xml version="1.0" encoding="utf-8"?>', "cp1256"),
        ('<?xml version="1.0" encoding="utf-16"?>', "utf-8"),
        ('<?xml version="1.0" encoding="us-ascii"?>', "utf-8"),
        ("", "cp1256"),
        ("", "utf-32"),
    ):
        assert refusal(answer("سلام", head).encode(encoding)) == NOT_XML


def test_a_name_of_an_encoding_asks_nothing_of_python() -> None:
    """Every codec can be named, and names that are none; few of them are taken."""
    modules = {module.name for module in pkgutil.iter_modules(encodings.__path__)}
    strange = {"", "x" * 30_000, "../../etc/passwd", "utf-8\n", "سلام", "os"}
    read = set()
    for name in sorted({*aliases, *aliases.values(), *modules, *strange}):
        body = answer("1\\u0031", f'<?xml version="1.0" encoding="{name}"?>')
        said = refusal(body.encode())
        assert said in ("", NOT_XML, UNKNOWN), name
        if not said:
            read.add(name)
    assert read == set()
    assert refusal(b'<?xml version="1.0" encoding="unicode_escape"?><a/>') == UNKNOWN


def test_what_is_marked_as_text_is_text() -> None:
    assert outcomes(answer("<![CDATA[<b>&e;1]]>").encode())[0] == "<b>&e;1"
    assert outcomes(answer("1<!-- 2 -->3<?four 4?>5").encode())[0] == "135"


def test_a_name_in_a_namespace_is_another_name() -> None:
    body = answer("1").replace("<ussd>", '<ussd xmlns="urn:other">')
    assert outcomes(body.encode())[0] == "The body is not a ussd element."


def test_more_than_one_document_is_none() -> None:
    assert refusal(b"<a/><b/>") == NOT_XML
    assert refusal(b"<a/>\x00") == NOT_XML
    assert refusal(b"<a/>trailing") == NOT_XML


_PIECES = st.lists(
    st.sampled_from(
        [
            *("<", ">", "</", "/>", "<!", "]]>", "<![CDATA[", "<!--", "-->", "&", "'"),
            *("&#", "&#x", ";", "0", "1114112;", "<?xml", "?>", "encoding=", '"', "="),
            *("<!DOCTYPE ", "<!ENTITY ", "SYSTEM ", "[", "%", "ussd", "dialog", "msg"),
            *("string", "localId", "xmlns:", " ", "\n", "\ufeff", "\u2028", "۷", "]"),
        ]
    ),
    max_size=40,
).map("".join)


@given(pieces=_PIECES, encoding=st.sampled_from(["utf-8", "utf-16", "latin-1"]))
def test_no_heap_of_markup_is_anything_but_read_or_refused(
    pieces: str, encoding: str
) -> None:
    for body in (pieces, answer(pieces), dialog(pieces), f"<ussd>{pieces}</ussd>"):
        octets = body.encode(encoding, "ignore")
        assert refusal(octets).count("\n") == 0
        assert len(outcomes(octets)) == 2


@given(body=st.binary(max_size=300))
def test_no_bytes_are_anything_but_read_or_refused(body: bytes) -> None:
    assert len(outcomes(body)) == 2


def test_an_end_is_an_end_however_it_is_set_out() -> None:
    body = '<dialog localId="1" userObject="1.0.989121234567" invokeTimedOut=""/>'
    assert isinstance(Restcomm(region="IR").read(Request(body=body.encode())), DialEnd)
