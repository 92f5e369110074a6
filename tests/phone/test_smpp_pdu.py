"""Our codec, against octets worked out by hand from SMPP v3.4 issue 1.2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.smpp import (
    Bind,
    Bound,
    Command,
    Malformed,
    Message,
    Pdu,
    Tag,
    Taken,
    Unwritable,
    decode,
    encode,
    name_of,
)
from phone.smpp.pdu import PDU_BYTES_MAX, read_length
from phone.smpp.tlv import TLVS_MAX


def octets(written: str) -> bytes:
    """Hexadecimal with a field a line, and its name behind a #."""
    return bytes.fromhex("".join(line.split("#")[0] for line in written.splitlines()))


# Section 3.2.3 has this very example, octet by octet.
BIND_TRANSMITTER = octets("""
    00 00 00 2F              # command_length 47
    00 00 00 02              # command_id bind_transmitter
    00 00 00 00              # command_status
    00 00 00 01              # sequence_number
    53 4D 50 50 33 54 45 53 54 00   # system_id SMPP3TEST
    73 65 63 72 65 74 30 38 00      # password secret08
    53 55 42 4D 49 54 31 00         # system_type SUBMIT1
    00                       # interface_version
    01                       # addr_ton
    01                       # addr_npi
    00                       # address_range
""")

BIND_TRANSCEIVER = octets("""
    00 00 00 22              # command_length 34
    00 00 00 09              # command_id bind_transceiver
    00 00 00 00              # command_status
    00 00 00 02              # sequence_number
    79 61 72 00              # system_id yar
    73 65 63 72 65 74 00     # password secret
    00                       # system_type
    34                       # interface_version 3.4
    00                       # addr_ton
    00                       # addr_npi
    31 2A 00                 # address_range 1*
""")

BIND_TRANSCEIVER_RESP = octets("""
    00 00 00 1C              # command_length 28
    80 00 00 09              # command_id bind_transceiver_resp
    00 00 00 00              # command_status ESME_ROK
    00 00 00 02              # sequence_number
    75 73 73 64 63 31 00     # system_id ussdc1
    02 10 00 01 34           # sc_interface_version: tag, length, 3.4
""")

# A caller dials *780#.
DELIVER_SM = octets("""
    00 00 00 4B              # command_length 75
    00 00 00 05              # command_id deliver_sm
    00 00 00 00              # command_status
    00 00 01 00              # sequence_number 256
    55 53 53 44 00           # service_type USSD
    01                       # source_addr_ton international
    01                       # source_addr_npi ISDN
    39 38 39 31 32 31 32 33 34 35 36 37 00   # source_addr 989121234567
    00                       # dest_addr_ton
    01                       # dest_addr_npi
    37 38 30 00              # destination_addr 780
    00                       # esm_class
    00                       # protocol_id
    00                       # priority_flag
    00                       # schedule_delivery_time
    00                       # validity_period
    00                       # registered_delivery
    00                       # replace_if_present_flag
    0F                       # data_coding: GSM-7, as USSD has it
    00                       # sm_default_msg_id
    05                       # sm_length
    2A 37 38 30 23           # short_message *780#
    05 01 00 01 01           # ussd_service_op: PSSR indication
    13 83 00 02 07 00        # its_session_info: session 7, number 0, open
    12 34 00 03 61 62 63     # a tag nobody knows
""")

# The answer: a screen in Persian that asks.
SUBMIT_SM = octets("""
    00 00 00 45              # command_length 69
    00 00 00 04              # command_id submit_sm
    00 00 00 00              # command_status
    7F FF FF FF              # sequence_number, the greatest
    55 53 53 44 00           # service_type USSD
    00                       # source_addr_ton
    01                       # source_addr_npi
    37 38 30 00              # source_addr 780
    01                       # dest_addr_ton
    01                       # dest_addr_npi
    39 38 39 31 32 31 32 33 34 35 36 37 00   # destination_addr 989121234567
    00 00 00                 # esm_class, protocol_id, priority_flag
    00 00                    # schedule_delivery_time, validity_period
    00 00                    # registered_delivery, replace_if_present_flag
    08                       # data_coding UCS-2
    00                       # sm_default_msg_id
    06                       # sm_length, in octets
    06 A9 06 48 06 2F        # short_message
    05 01 00 01 02           # ussd_service_op: USSR request
    13 83 00 02 07 00        # its_session_info
""")

SUBMIT_SM_RESP = octets("""
    00 00 00 14  80 00 00 04  00 00 00 00  7F FF FF FF   # header, 20 octets
    31 41 37 00              # message_id 1A7
""")

WRITTEN = {
    "bind_transmitter": (
        BIND_TRANSMITTER,
        Pdu(
            Command.BIND_TRANSMITTER,
            1,
            body=Bind("SMPP3TEST", "secret08", "SUBMIT1", 0, 1, 1),
        ),
    ),
    "bind_transceiver": (
        BIND_TRANSCEIVER,
        Pdu(
            Command.BIND_TRANSCEIVER,
            2,
            body=Bind("yar", "secret", address_range="1*"),
        ),
    ),
    "bind_transceiver_resp": (
        BIND_TRANSCEIVER_RESP,
        Pdu(
            Command.BIND_TRANSCEIVER_RESP,
            2,
            body=Bound("ussdc1", ((0x0210, b"\x34"),)),
        ),
    ),
    "bind_transceiver_resp that refuses": (
        octets("00000010 80000009 0000000E 00000002"),
        Pdu(Command.BIND_TRANSCEIVER_RESP, 2, 0x0E, Bound()),
    ),
    "deliver_sm": (
        DELIVER_SM,
        Pdu(
            Command.DELIVER_SM,
            256,
            body=Message(
                service_type="USSD",
                source_ton=1,
                source_npi=1,
                source="989121234567",
                dest_npi=1,
                dest="780",
                data_coding=0x0F,
                short_message=b"*780#",
                tlvs=((0x0501, b"\x01"), (0x1383, b"\x07\x00"), (0x1234, b"abc")),
            ),
        ),
    ),
    "submit_sm": (
        SUBMIT_SM,
        Pdu(
            Command.SUBMIT_SM,
            0x7FFFFFFF,
            body=Message(
                service_type="USSD",
                source_npi=1,
                source="780",
                dest_ton=1,
                dest_npi=1,
                dest="989121234567",
                data_coding=8,
                short_message="کود".encode("utf-16-be"),
                tlvs=((0x0501, b"\x02"), (0x1383, b"\x07\x00")),
            ),
        ),
    ),
    "submit_sm_resp": (
        SUBMIT_SM_RESP,
        Pdu(Command.SUBMIT_SM_RESP, 0x7FFFFFFF, body=Taken("1A7")),
    ),
    "submit_sm_resp that throttles": (
        octets("00000010 80000004 00000058 00000009"),
        Pdu(Command.SUBMIT_SM_RESP, 9, 0x58, Taken()),
    ),
    "data_sm": (
        octets(
            "00000036 00000103 00000000 00000007"
            "00 01 01 393839313231323334353637 00 00 01 33303030 00 04 00 00"
            "001E 0003 316100 0427 0001 02"
        ),
        Pdu(
            Command.DATA_SM,
            7,
            body=Message(
                source_ton=1,
                source_npi=1,
                source="989121234567",
                dest_npi=1,
                dest="3000",
                esm_class=4,
                tlvs=((0x001E, b"1a\0"), (0x0427, b"\x02")),
            ),
        ),
    ),
    "data_sm_resp": (
        octets("00000011 80000103 00000000 00000007 00"),
        Pdu(Command.DATA_SM_RESP, 7, body=Taken()),
    ),
    "deliver_sm_resp": (
        # message_id is there, unused and empty.
        octets("00000011 80000005 00000000 00000100 00"),
        Pdu(Command.DELIVER_SM_RESP, 256, body=Taken()),
    ),
    "enquire_link": (
        octets("00000010 00000015 00000000 00000003"),
        Pdu(Command.ENQUIRE_LINK, 3),
    ),
    "unbind_resp": (
        octets("00000010 80000006 00000000 00000004"),
        Pdu(Command.UNBIND_RESP, 4),
    ),
    "generic_nack": (
        octets("00000010 80000000 00000003 00000005"),
        Pdu(Command.GENERIC_NACK, 5, 3),
    ),
}


@pytest.mark.parametrize(("wire", "pdu"), WRITTEN.values(), ids=WRITTEN)
def test_a_pdu_is_written_as_the_specification_has_it(wire: bytes, pdu: Pdu):
    assert encode(pdu).hex(" ") == wire.hex(" ")


@pytest.mark.parametrize(("wire", "pdu"), WRITTEN.values(), ids=WRITTEN)
def test_a_pdu_is_read_as_the_specification_has_it(wire: bytes, pdu: Pdu):
    assert decode(wire) == pdu


def test_a_parameter_is_found_by_its_tag():
    message = decode(DELIVER_SM).body
    assert isinstance(message, Message)
    assert message.tlv(Tag.USSD_SERVICE_OP) == b"\x01"
    assert message.tlv(Tag.MESSAGE_PAYLOAD) is None


def test_an_acceptance_without_its_body_is_one_all_the_same():
    pdu = decode(octets("00000010 80000004 00000000 00000009"))
    assert pdu == Pdu(Command.SUBMIT_SM_RESP, 9, body=Taken())


def test_no_secret_number_or_word_is_shown():
    shown = repr([pdu for _, pdu in WRITTEN.values()])
    assert "secret" not in shown
    assert "989121234567" not in shown
    assert "*780#" not in shown


def changed(wire: bytes, at: int, with_: str) -> bytes:
    new = bytes.fromhex(with_)
    return wire[:at] + new + wire[at + len(new) :]


def grown(wire: bytes, more: bytes) -> bytes:
    whole = wire + more
    return len(whole).to_bytes(4) + whole[4:]


UNREADABLE = {
    "nothing": (b"", 0x02, 0),
    "half a header": (DELIVER_SM[:10], 0x02, 0),
    "a length that is too long": (changed(DELIVER_SM, 0, "0000004C"), 0x02, 256),
    "a length that is too short": (changed(DELIVER_SM, 0, "00000020"), 0x02, 256),
    "an unknown command": (changed(DELIVER_SM, 4, "00000102"), 0x03, 256),
    "an unknown answer": (changed(DELIVER_SM, 4, "80000102"), 0x03, 256),
    "a body that ends within a field": (
        octets("00000012 00000005 00000000 00000100 00 01"),
        0x02,
        256,
    ),
    "a body that is not there": (
        octets("00000010 00000005 00000000 00000100"),
        0x01,
        256,
    ),
    "a text longer than its field": (
        grown(octets("00000010 00000005 00000000 00000100"), b"USSDUSSD\0" * 9),
        0x01,
        256,
    ),
    "a message shorter than it says": (changed(DELIVER_SM, 51, "FF"), 0x02, 256),
    "a parameter cut short": (grown(DELIVER_SM, b"\x05\x01\x00\x02\x01"), 0xC2, 256),
    "half the head of a parameter": (grown(DELIVER_SM, b"\x05\x01\x00"), 0xC2, 256),
    "parameters without end": (
        grown(DELIVER_SM, b"\x12\x34\x00\x00" * TLVS_MAX),
        0xC0,
        256,
    ),
}


@pytest.mark.parametrize(
    ("wire", "status", "sequence"), UNREADABLE.values(), ids=UNREADABLE
)
def test_what_cannot_be_read_says_how_it_is_refused(
    wire: bytes, status: int, sequence: int
):
    with pytest.raises(Malformed) as refused:
        decode(wire)
    assert (refused.value.status, refused.value.sequence) == (status, sequence)


@pytest.mark.parametrize("length", [0, 4, 15, PDU_BYTES_MAX + 1, 0xFFFFFFFF])
def test_a_length_that_no_pdu_has_ends_the_connection(length: int):
    with pytest.raises(Malformed) as refused:
        read_length(length.to_bytes(4))
    assert refused.value.is_lost
    assert read_length((16).to_bytes(4)) == 16
    assert read_length(PDU_BYTES_MAX.to_bytes(4)) == PDU_BYTES_MAX


UNWRITABLE = {
    "a phone too long": Message(dest="9" * 21),
    "a service type too long": Message(service_type="USSDXX"),
    "a NUL in a text": Message(dest="98\0912"),
    "a letter that is no octet": Message(source="یاریگر"),
    "a message too long": Message(short_message=b"x" * 255),
    "a number beyond an octet": Message(data_coding=256),
    "a number below nothing": Message(esm_class=-1),
    "a tag beyond two octets": Message(tlvs=((0x10000, b""),)),
    "too many parameters": Message(tlvs=((1, b""),) * (TLVS_MAX + 1)),
    "a PDU too long": Message(tlvs=((1, b"x" * 60_000), (1, b"x" * 60_000))),
    "another body": Bind("yar", "secret"),
}


@pytest.mark.parametrize("body", UNWRITABLE.values(), ids=UNWRITABLE)
def test_what_its_field_cannot_hold_is_not_written(body: Message | Bind):
    with pytest.raises(Unwritable):
        encode(Pdu(Command.SUBMIT_SM, 1, body=body))


def test_a_data_sm_has_no_short_message():
    with pytest.raises(Unwritable, match="message_payload"):
        encode(Pdu(Command.DATA_SM, 1, body=Message(short_message=b"x")))


def test_a_status_is_called_by_its_name_if_it_has_one():
    assert name_of(0x58) == "ESME_RTHROTTLED"
    assert name_of(0x0E) == "ESME_RINVPASWD"
    assert name_of(0x0400) == "0x00000400"


# -- properties ---------------------------------------------------------------------

octet = st.integers(0, 255)


def text(octets_max: int) -> st.SearchStrategy[str]:
    latin = st.characters(min_codepoint=1, max_codepoint=255)
    return st.text(latin, max_size=octets_max - 1)


tlvs = st.lists(
    st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=5
).map(tuple)
binds = st.builds(Bind, text(16), text(9), text(13), octet, octet, octet, text(41))
messages = st.builds(
    Message,
    service_type=text(6),
    source_ton=octet,
    source_npi=octet,
    source=text(21),
    dest_ton=octet,
    dest_npi=octet,
    dest=text(21),
    esm_class=octet,
    protocol_id=octet,
    priority=octet,
    schedule_time=text(17),
    validity_period=text(17),
    registered_delivery=octet,
    replace_if_present=octet,
    data_coding=octet,
    default_message_id=octet,
    short_message=st.binary(max_size=254),
    tlvs=tlvs,
)
data_messages = st.builds(
    Message,
    service_type=text(6),
    source_ton=octet,
    source_npi=octet,
    source=text(65),
    dest_ton=octet,
    dest_npi=octet,
    dest=text(65),
    esm_class=octet,
    registered_delivery=octet,
    data_coding=octet,
    tlvs=tlvs,
)
BODIES = {
    Command.BIND_RECEIVER: binds,
    Command.BIND_TRANSMITTER: binds,
    Command.BIND_TRANSCEIVER: binds,
    Command.BIND_RECEIVER_RESP: st.builds(Bound, text(16), tlvs),
    Command.BIND_TRANSMITTER_RESP: st.builds(Bound, text(16), tlvs),
    Command.BIND_TRANSCEIVER_RESP: st.builds(Bound, text(16), tlvs),
    Command.SUBMIT_SM: messages,
    Command.DELIVER_SM: messages,
    Command.DATA_SM: data_messages,
    Command.SUBMIT_SM_RESP: st.builds(Taken, text(65), tlvs),
    Command.DELIVER_SM_RESP: st.builds(Taken, text(65), tlvs),
    Command.DATA_SM_RESP: st.builds(Taken, text(65), tlvs),
}
pdus = st.sampled_from(Command).flatmap(
    lambda command: st.builds(
        Pdu,
        st.just(command),
        st.integers(0, 0xFFFFFFFF),
        st.integers(0, 0xFFFFFFFF),
        BODIES.get(command, st.none()),
    )
)


@given(pdu=pdus)
def test_what_is_written_is_read_as_it_was(pdu: Pdu):
    wire = encode(pdu)
    assert decode(wire) == pdu
    assert read_length(wire) == len(wire)


def framed(command: int, rest: bytes) -> bytes:
    return (len(rest) + 8).to_bytes(4) + command.to_bytes(4) + rest


junk = st.one_of(
    st.binary(max_size=300),
    # With a head that is right, so that the junk is where the fields are.
    st.builds(framed, st.sampled_from(Command), st.binary(min_size=8, max_size=300)),
)


@given(wire=junk)
def test_whatever_comes_is_read_or_is_malformed(wire: bytes):
    try:
        pdu = decode(wire)
    except Malformed:
        return
    # What was understood can be said again, and then says the same.
    assert decode(encode(pdu)) == pdu


@given(pdu=pdus, data=st.data())
def test_a_pdu_that_is_damaged_never_breaks_the_reader(pdu: Pdu, data: st.DataObject):
    wire = bytearray(encode(pdu))
    for _ in range(data.draw(st.integers(1, 4))):
        wire[data.draw(st.integers(4, len(wire) - 1))] = data.draw(octet)
    try:
        read = decode(bytes(wire))
    except Malformed:
        return
    assert read.sequence == int.from_bytes(wire[12:16])
