"""What a deliver_sm of a USSD centre means, and the submit_sm that answers it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.smpp import Account, Message, Role, Tag
from ussd.dialects.smpp import Smpp, call_of
from ussd.dialects.smpp_options import read_options
from ussd.turn import Answer, Call, DialEnd, Ending, Request, Turn, Unreadable, dialect

NEEDED = {"host": "192.0.2.1", "system_id": "yar", "password": "secret"}
PHONE = "+989121234567"


def smpp(**options: Any) -> Smpp:
    return Smpp(region="IR", options={**NEEDED, **options})


def its(octets: str) -> tuple[int, bytes]:
    return Tag.ITS_SESSION_INFO, bytes.fromhex(octets)


def op(value: int) -> tuple[int, bytes]:
    return Tag.USSD_SERVICE_OP, bytes([value])


START = Message(
    service_type="USSD",
    source_ton=1,
    source_npi=1,
    source="989121234567",
    dest_ton=3,
    dest_npi=9,
    dest="780",
    short_message=b"*780*5588*1#",
    tlvs=(op(1), its("0700")),
)
ANSWERED = replace(START, short_message=b"1", tlvs=(op(18), its("0700")))


def turn(message: Message, **options: Any) -> Turn:
    read = smpp(**options).read_pdu(message)
    assert isinstance(read, Turn)
    return read


def reply(
    message: Message, text: str = "1 Give", *, ends: bool = False, **options: Any
):
    return smpp(**options).write_pdu(turn(message, **options), text, ends=ends)


def test_the_dialect_is_found_by_its_name():
    assert dialect("smpp") is Smpp


# -- what is read -------------------------------------------------------------------


def test_a_dial_is_a_start_with_the_whole_code():
    read = turn(START)
    assert (read.phone, read.dialled, read.typed) == (PHONE, "*780*5588*1#", "")
    assert (read.starts, read.cumulative, read.sequence) == (True, False, None)
    # A phone has one dialogue; a number of one octet would come back too soon.
    assert read.session == ""


@pytest.mark.parametrize(
    ("changes", "dialled"),
    [
        ({"short_message": b"*780*5588*1*50000#"}, "*780*5588*1*50000#"),
        (
            {
                "short_message": "*۷۸۰*۵۵۸۸#".encode("utf-16-be"),
                "data_coding": 8,
            },
            "*780*5588#",
        ),
        ({"short_message": b""}, "*780#"),
        ({"short_message": b"", "dest": "*780*5588#"}, "*780*5588#"),
        (
            {
                "short_message": b"",
                "tlvs": (*START.tlvs, (Tag.MESSAGE_PAYLOAD, b"*780*55881#")),
            },
            "*780*55881#",
        ),
    ],
    ids=["suffix", "persian", "in the address", "with a suffix", "in the payload"],
)
def test_a_code_is_found_wherever_a_centre_puts_it(
    changes: dict[str, Any], dialled: str
):
    assert turn(replace(START, **changes)).dialled == dialled


@pytest.mark.parametrize(
    ("octets", "data_coding", "typed"),
    [
        (b"1", 0, "1"),
        ("۷۵٬۰۰۰".encode("utf-16-be"), 8, "۷۵٬۰۰۰"),
        ("هفتاد و پنج هزار".encode("utf-16-be"), 0x48, "هفتاد و پنج هزار"),
        (b"2*3#", 0x0F, "2*3#"),
        (b"1\r", 0, "1"),
        (b"1\0", 1, "1"),
        (b"", 0, ""),
        (b" 1 ", 0, " 1 "),
    ],
)
def test_an_answer_is_taken_as_it_was_typed(
    octets: bytes, data_coding: int, typed: str
):
    read = turn(replace(ANSWERED, short_message=octets, data_coding=data_coding))
    assert (read.typed, read.starts, read.dialled) == (typed, False, "")


@pytest.mark.parametrize("phone", ["989121234567", "+989121234567", "09121234567"])
def test_a_phone_is_read_in_every_form(phone: str):
    assert turn(replace(START, source=phone)).phone == PHONE


@pytest.mark.parametrize(
    ("tlvs", "how"),
    [
        ((op(129), its("0700")), Ending.LEFT),
        ((op(129), its("0701")), Ending.LEFT),
        ((op(19), its("0700")), Ending.REACHED),
        ((op(18), its("0701")), Ending.CUT),
        ((op(60), its("0701")), Ending.CUT),
        ((its("0701"),), Ending.CUT),
    ],
)
def test_the_end_of_a_dialogue_is_told_in_many_ways(tlvs: Any, how: Ending):
    read = smpp().read_pdu(replace(ANSWERED, tlvs=tlvs))
    assert isinstance(read, DialEnd)
    assert (read.session, read.phone, read.how) == ("", PHONE, how)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"source": ""}, "source_addr is not a phone number"),
        ({"source": "YARIGAR"}, "source_addr is not a phone number"),
        ({"tlvs": (its("0700"),)}, "ussd_service_op is missing"),
        ({"tlvs": (op(55), its("0700"))}, "ussd_service_op 55 has no meaning"),
        ({"tlvs": ((0x0501, b"\0\1"), its("0700"))}, "is not of one octet"),
        ({"tlvs": (op(18),)}, "its_session_info is missing"),
        ({"tlvs": (op(18), its("07"))}, "its_session_info is not of two octets"),
        ({"data_coding": 4}, "data_coding 4 is of no text"),
        ({"data_coding": 8, "short_message": b"123"}, "no text under data_coding 8"),
        ({"short_message": b"\xff"}, "no text under data_coding 0"),
        ({"esm_class": 0x40}, "user data header"),
        ({"data_coding": 1, "short_message": b"1\x07"}, "control character"),
    ],
)
def test_what_cannot_be_understood_is_told_without_what_it_was(
    changes: dict[str, Any], why: str
):
    with pytest.raises(Unreadable, match=why) as refused:
        smpp().read_pdu(replace(ANSWERED, **changes))
    assert "9121234567" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_start_that_is_no_code_is_told():
    with pytest.raises(Unreadable, match="short_message is not a dial code"):
        smpp().read_pdu(replace(START, short_message=b"hello"))


# -- what is written ----------------------------------------------------------------


def test_a_screen_goes_back_to_where_the_turn_came_from():
    screen = reply(START)
    assert screen == Message(
        service_type="USSD",
        source_ton=3,
        source_npi=9,
        source="780",
        dest_ton=1,
        dest_npi=1,
        dest="989121234567",
        short_message=b"1 Give",
        tlvs=(op(2), its("0700")),
    )


def test_a_last_screen_says_so_twice():
    assert reply(START, ends=True).tlvs == (op(17), its("0701"))


def test_persian_goes_as_ucs2_and_english_as_gsm7():
    persian = reply(START, "کمک شما برای؟")
    assert persian.data_coding == 8
    assert persian.short_message.decode("utf-16-be") == "کمک شما برای؟"
    assert (reply(START, "@\n").data_coding, reply(START, "@\n").short_message) == (
        0,
        b"\x00\x0a",
    )


def test_a_centre_that_speaks_ussd_coding_gets_packed_septets():
    how = {"gsm7_coding": "0x0F", "ucs2_coding": 72, "gsm7_octets": "packed"}
    screen = reply(replace(START, short_message=b"", dest="*780#"), "*100#", **how)
    assert screen.data_coding == 0x0F
    # As ModemManager and everybody else has it.
    assert screen.short_message.hex() == "aa180c3602"
    assert reply(replace(START, short_message=b""), "سلام", **how).data_coding == 0x48
    packed = bytes.fromhex("aa180c3602")
    typed = replace(ANSWERED, short_message=packed, data_coding=0x0F)
    assert turn(typed, **how).typed == "*100#"


@pytest.mark.parametrize(
    ("came", "goes", "last"), [("0700", "0700", "0701"), ("FF3C", "FF3C", "FF3D")]
)
@pytest.mark.parametrize("style", ["standard", "opaque", "dialog15"])
def test_the_two_octets_of_a_session_come_back_with_the_end_in_the_last_bit(
    style: str, came: str, goes: str, last: str
):
    asked = replace(ANSWERED, tlvs=(op(18), its(came)))
    assert reply(asked, session=style).tlvs[1] == its(goes)
    assert reply(asked, ends=True, session=style).tlvs[1] == its(last)


def test_a_start_with_the_last_bit_set_is_no_end():
    asked = replace(START, tlvs=(op(1), its("0701")))
    assert reply(asked).tlvs[1] == its("0700")


def test_a_centre_may_name_a_dialogue_by_a_reference():
    reference = (Tag.USER_MESSAGE_REFERENCE, b"\x12\x35")
    how = {"session": "user_message_reference", "op_end": 0x17}
    asked = replace(START, tlvs=(reference, op(1)))
    assert reply(asked, **how).tlvs == (op(2), reference)
    # An odd reference ends nothing.
    assert reply(asked, ends=True, **how).tlvs == (op(0x17), reference)
    assert turn(replace(ANSWERED, tlvs=(op(18), reference)), **how).typed == "1"


def test_turns_are_numbered_where_the_centre_repeats_our_numbers():
    how = {"sequence": "counted"}
    # Whatever it began with, our first screen is number 1.
    asked = replace(START, tlvs=(op(1), its("0754")))
    assert (turn(asked, **how).sequence, reply(asked, **how).tlvs[1]) == (
        0,
        its("0702"),
    )
    said = replace(ANSWERED, tlvs=(op(18), its("0702")))
    assert (turn(said, **how).sequence, reply(said, **how).tlvs[1]) == (1, its("0704"))
    assert reply(said, ends=True, **how).tlvs[1] == its("0705")


def test_addresses_and_operations_are_what_the_channel_sets():
    how = {
        "service_type": "",
        "source_ton": 0,
        "source_npi": 1,
        "dest_ton": 2,
        "dest_npi": 0,
        "op_start": 65,
        "op_ask": 32,
        "op_end": 33,
    }
    asked = replace(START, tlvs=(op(65), its("0700")))
    screen = reply(asked, **how)
    assert (screen.service_type, screen.tlvs[0]) == ("", op(32))
    assert (screen.source_ton, screen.source_npi) == (0, 1)
    assert (screen.dest_ton, screen.dest_npi) == (2, 0)
    assert reply(asked, ends=True, **how).tlvs[0] == op(33)


@pytest.mark.parametrize(
    ("style", "same", "other"),
    [
        ("standard", "0706", "0800"),
        ("opaque", "0701", "0702"),
        ("dialog15", "0701", "0706"),
    ],
)
def test_a_dialogue_is_known_again_by_its_number_and_its_phone(
    style: str, same: str, other: str
):
    spoken = smpp(session=style)

    def call(octets: str, phone: str = "989121234567") -> tuple[str, str]:
        asked = replace(START, source=phone, tlvs=(op(1), its(octets)))
        return call_of(spoken.read_pdu(asked), spoken.options.session)

    assert call("0700") == call(same)
    assert call("0700") != call(other)
    assert call("0700") != call("0700", "989351112233")


@given(
    octets=st.binary(max_size=254),
    data_coding=st.integers(0, 255),
    source=st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=20),
    tlvs=st.lists(
        st.tuples(
            st.sampled_from([0x0501, 0x1383, 0x0204, 0x0424, 7]),
            st.binary(max_size=5),
        ),
        max_size=4,
    ),
)
@pytest.mark.parametrize("style", ["standard", "user_message_reference"])
def test_whatever_comes_is_read_or_is_unreadable(
    style: str, octets: bytes, data_coding: int, source: str, tlvs: Any
):
    for phone in (source, "989121234567"):
        message = Message(
            source=phone,
            data_coding=data_coding,
            short_message=octets,
            tlvs=tuple(tlvs),
        )
        spoken = smpp(session=style)
        try:
            read = spoken.read_pdu(message)
        except Unreadable:
            continue
        if isinstance(read, Turn):
            assert spoken.write_pdu(read, "سلام", ends=True).dest == phone


# -- what a channel sets ------------------------------------------------------------


def test_what_is_not_set_is_what_most_documents_say():
    options = smpp().options
    assert options.access.hosts == (("192.0.2.1", 2775),)
    assert options.access.account == Account("yar", "secret")
    assert options.access.roles == (Role.TRANSCEIVER,)
    assert "secret" not in repr(options)


@pytest.mark.parametrize(
    ("host", "hosts"),
    [
        ("a.example", [("a.example", 3550)]),
        ("a.example, b.example:99", [("a.example", 3550), ("b.example", 99)]),
        (["a.example", "[2001:db8::1]:99"], [("a.example", 3550), ("2001:db8::1", 99)]),
        ("[2001:db8::1]", [("2001:db8::1", 3550)]),
    ],
)
def test_hosts_are_one_or_several_with_or_without_a_port(host: Any, hosts: Any):
    assert smpp(host=host, tls="true").options.access.hosts == tuple(hosts)


def faults(**options: Any) -> list[str]:
    with pytest.raises(ValueError, match=".") as refused:
        Smpp(region="IR", options=options)
    return str(refused.value).splitlines()


def test_every_missing_option_is_named():
    assert faults() == [
        "host: is missing",
        "password: is missing",
        "system_id: is missing",
    ]


WRONG = [
    ("host", "", "should be 1 to 8 hosts"),
    ("host", "a:0", "should be a host, or host:port"),
    ("host", ["a"] * 9, "should be 1 to 8 hosts"),
    ("host", 5, "should be a host, or host:port"),
    ("port", 65_536, "should be a whole number from 1 to 65535"),
    ("port", True, "should be a whole number from 1 to 65535"),
    ("system_id", "x" * 16, "should be at most 15 characters of ASCII"),
    ("password", "رمز", "should be at most 8 characters of ASCII"),
    ("password", 12345678, "should be at most 8 characters of ASCII"),
    ("service_type", "USSDXX", "should be at most 5 characters of ASCII"),
    ("tls", "perhaps", "should be true or false"),
    ("window", 0, "should be a whole number from 1 to 1000"),
    ("window", "1" * 5000, "should be a whole number from 1 to 1000"),
    ("response_seconds", "nan", "should be 1 to 60 seconds"),
    ("response_seconds", 10**400, "should be 1 to 60 seconds"),
    ("enquire_link_seconds", False, "should be 1 to 600 seconds"),
    ("bind", "both", "should be one of transceiver, transmitter+receiver"),
    (
        "session",
        "6d",
        "should be one of standard, opaque, dialog15, user_message_reference",
    ),
    ("sequence", 1, "should be one of echoed, counted"),
    ("gsm7_octets", "octets", "should be one of unpacked, packed"),
    ("op_abort", [129, 256], "should be a whole number from 0 to 255"),
    ("source_ton", -1, "should be a whole number from 0 to 255"),
    ("pasword", "secret", "an smpp channel has no such option"),
]


@pytest.mark.parametrize(("name", "value", "why"), WRONG)
def test_a_wrong_option_is_told_in_one_line_without_its_value(
    name: str, value: Any, why: str
):
    assert faults(**{**NEEDED, name: value}) == [f"{name}: {why}"]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            {"op_answer": 1},
            "op_start, op_answer, op_confirm and op_abort: should differ",
        ),
        ({"op_end": 2}, "op_ask and op_end: should differ"),
        ({"ucs2_coding": 0}, "gsm7_coding and ucs2_coding: should differ"),
        (
            {"sequence": "counted", "session": "opaque"},
            'sequence: counted is for session = "standard"',
        ),
        ({"tls_ca": "/ca.pem"}, "tls_ca: is of no use without tls"),
    ],
)
def test_options_that_contradict_each_other_are_told(options: Any, line: str):
    assert faults(**NEEDED, **options) == [line]


# -- over HTTP ----------------------------------------------------------------------


def test_over_http_there_is_nothing():
    spoken = smpp()
    with pytest.raises(Unreadable) as refused:
        spoken.read(Request(body=b"text=1"))
    assert refused.value.status == 404
    assert spoken.refuse("why", 404) == Answer("why", status=404)
    call = Call("s1", PHONE, "*780#")
    with pytest.raises(Unreadable):
        spoken.send(call)
    assert spoken.send_end(call, Ending.CUT) is None


# -- its page -------------------------------------------------------------------------

PAGE = (Path(__file__).parents[2] / "docs" / "smpp.md").read_text(encoding="utf-8")


class Asked(dict[str, Any]):
    """Options that remember which ones were looked for."""

    def __init__(self, given: dict[str, Any]) -> None:
        super().__init__(given)
        self.names: set[str] = set()

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return super().__contains__(name)


def test_the_page_tells_of_every_option():
    asked = Asked(NEEDED)
    read_options(asked)
    assert len(asked.names) > 25
    assert {name for name in asked.names if f"`{name}`" not in PAGE} == set()


def test_the_pages_example_is_a_channel():
    example, _ = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    channel = tomllib.loads(example)["ussd"]["centre"]
    of_every_channel = {"adapter", "key", "ucs2_units", "gsm7_septets"}
    options = {k: v for k, v in channel.items() if k not in of_every_channel}
    assert smpp(**options).options.access.hosts == (
        ("10.1.1.1", 2775),
        ("10.1.1.2", 2776),
    )
