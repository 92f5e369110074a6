from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.encoding import TextTooLong, sms_parts
from phone.smpp import Command, Message, Pdu, Unwritable, encode
from phone.smpp.codings import Codings, NotText
from phone.smpp.joining import join, read_piece
from phone.smpp.segments import Joint, Segment, cut, party, relative_time

PLAIN = Codings()
PERSIAN = "سلام. کمک شما ثبت شد. " * 10
LATIN = "Thank you [for] your gift. " * 10

letters = st.builds(
    lambda text, times: text * times,
    st.text("سلام کمک\u200c\u064e😀👍🏽abc[]€@é _\n", max_size=60),
    st.integers(1, 12),
)


def message(segment: Segment) -> Message:
    return Message(
        esm_class=segment.esm_class,
        data_coding=segment.data_coding,
        short_message=segment.short_message,
        tlvs=segment.tlvs,
    )


def test_one_part_has_no_header():
    assert cut("کد ۵", codings=PLAIN) == (
        Segment(0, 8, bytes.fromhex("06A9 062F 0020 06F5")),
    )
    assert cut("a@", codings=PLAIN) == (Segment(0, 0, b"a\0"),)
    assert len(cut("ا" * 70, codings=PLAIN)[0].short_message) == 140
    assert len(cut("a" * 160, codings=PLAIN)[0].short_message) == 160


@pytest.mark.parametrize(
    ("joint", "headers", "room"),
    [
        (Joint.UDH8, ["050003 C8 0202", "050003 C8 0201"], 67),
        (Joint.UDH16, ["060804 01C8 0202", "060804 01C8 0201"], 66),
    ],
)
def test_parts_of_a_text_have_the_header_of_23_040(
    joint: Joint, headers: list[str], room: int
):
    last, first = (bytes.fromhex(header) for header in headers)
    segments = cut("ا" * 71, codings=PLAIN, joint=joint, reference=0x01C8)
    letter = "ا".encode("utf-16-be")
    assert segments == (
        Segment(0x40, 8, first + letter * room),
        Segment(0x40, 8, last + letter * (71 - room)),
    )


def test_parts_may_be_told_beside_the_text():
    segments = cut("a" * 161, codings=PLAIN, joint=Joint.SAR, reference=0x0102)
    assert segments == (
        Segment(
            0,
            0,
            b"a" * 153,
            ((0x020C, b"\x01\x02"), (0x020E, b"\x02"), (0x020F, b"\x01")),
        ),
        Segment(
            0,
            0,
            b"a" * 8,
            ((0x020C, b"\x01\x02"), (0x020E, b"\x02"), (0x020F, b"\x02")),
        ),
    )


def test_a_part_of_a_persian_text_that_is_latin_goes_as_the_others():
    segments = cut("ا" * 67 + "abc", codings=PLAIN)
    assert [segment.data_coding for segment in segments] == [8]
    segments = cut("ا" * 67 + "abcd", codings=PLAIN)
    assert [segment.data_coding for segment in segments] == [8, 8]
    assert segments[1].short_message[6:] == "abcd".encode("utf-16-be")


def test_to_a_centre_of_latin_1_what_that_lacks_goes_as_ucs_2():
    latin = Codings(latin1=True)
    assert cut("é@", codings=latin) == (Segment(0, 0, b"\xe9@"),)
    assert cut("€", codings=latin) == (Segment(0, 8, b"\x20\xac"),)
    assert len(cut("€" + "a" * 70, codings=latin)) == 2


@given(
    text=letters,
    joint=st.sampled_from(Joint),
    reference=st.integers(0, 0xFFFF),
    codings=st.sampled_from([PLAIN, Codings(latin1=True), Codings(gsm7=1, ucs2=0x18)]),
    data=st.data(),
)
def test_every_part_fits_the_air_and_the_phone_reads_what_was_written(
    text: str, joint: Joint, reference: int, codings: Codings, data: st.DataObject
):
    segments = cut(text, codings=codings, joint=joint, reference=reference)
    for segment in segments:
        header = segment.short_message[0] + 1 if segment.esm_class else 0
        if segment.data_coding == codings.ucs2:
            assert len(segment.short_message) <= 140
        else:
            # An octet holds a septet, and a header of h octets takes their bits.
            septets = len(segment.short_message) - header
            assert septets * 7 + header * 8 <= 140 * 8
        encode(Pdu(Command.SUBMIT_SM, 1, body=message(segment)))
    pieces = [read_piece(message(segment)) for segment in segments]
    assert join(data.draw(st.permutations(pieces)), codings) == text


@given(text=letters)
def test_a_longer_header_leaves_room_for_one_less(text: str):
    parts = sms_parts("😀" + text, header_octets=7)
    assert "".join(parts) == "😀" + text
    room = 70 if len(parts) == 1 else 66
    assert all(len(part.encode("utf-16-be")) // 2 <= room for part in parts)


def test_septets_with_a_longer_header_are_152():
    assert [len(part) for part in sms_parts("a" * 161, header_octets=7)] == [152, 9]
    assert len(sms_parts("a" * 304, header_octets=7)) == 2
    assert len(sms_parts("a" * 305, header_octets=7)) == 3


def test_what_cannot_be_cut_is_refused():
    with pytest.raises(TextTooLong):
        cut("ا" * 20_000, codings=PLAIN)
    with pytest.raises(NotText):
        cut("\ud800", codings=PLAIN)
    with pytest.raises(ValueError, match="septet"):
        cut("a", codings=Codings(packed=True))


def test_no_word_or_number_is_shown():
    shown = repr((cut(LATIN, codings=PLAIN), party("+989121234567")))
    assert "Thank" not in shown
    assert "98912" not in shown


@pytest.mark.parametrize(
    ("address", "ton", "npi", "written"),
    [
        ("+989121234567", 1, 1, "989121234567"),
        ("30004505", 0, 1, "30004505"),
        ("780", 0, 1, "780"),
        ("Yarigar", 5, 0, "Yarigar"),
        ("AID 24", 5, 0, "AID 24"),
    ],
)
def test_an_address_has_the_type_it_looks_like(
    address: str, ton: int, npi: int, written: str
):
    one = party(address)
    assert (one.ton, one.npi, one.address) == (ton, npi, written)


@pytest.mark.parametrize(
    "address", ["", "+", "+98 912", "YarigarCharity", "یاریگر", "Yari\0", "9" * 21]
)
def test_an_address_that_no_phone_shows_is_refused(address: str):
    with pytest.raises(Unwritable):
        party(address)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (3600, "000000010000000R"),
        (6 * 3600 + 61.9, "000000060101000R"),
        (86_400 * 2 + 5, "000002000005000R"),
        (0.2, "000000000001000R"),
        (-5, "000000000001000R"),
        (1e12, "000030000000000R"),
    ],
)
def test_a_validity_is_a_relative_time_of_sixteen_characters(
    seconds: float, written: str
):
    assert relative_time(seconds) == written
    encode(Pdu(Command.SUBMIT_SM, 1, body=Message(validity_period=written)))
