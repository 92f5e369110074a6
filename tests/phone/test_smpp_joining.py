from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.smpp import Message
from phone.smpp.codings import Codings, NotText
from phone.smpp.joining import NotAPiece, Piece, Width, join, read_piece

PLAIN = Codings()


def headed(header: str, octets: bytes = b"", data_coding: int = 0) -> Message:
    udh = bytes.fromhex(header)
    return Message(
        esm_class=0x40,
        data_coding=data_coding,
        short_message=bytes([len(udh)]) + udh + octets,
    )


def beside(reference: str, total: int, number: int) -> Message:
    return Message(
        short_message=b"abc",
        tlvs=(
            (0x020C, bytes.fromhex(reference)),
            (0x020E, bytes([total])),
            (0x020F, bytes([number])),
        ),
    )


READ = {
    "no header": (Message(short_message=b"abc"), (Width.NONE, 0, 1, 1)),
    "one octet": (headed("0003 C8 0302", b"abc"), (Width.OCTET, 200, 3, 2)),
    "two octets": (headed("0804 01C8 0302", b"abc"), (Width.TWO_OCTETS, 456, 3, 2)),
    "between others": (
        headed("0504 1582 0000 0003 C8 0302 2401 0D", b"abc"),
        (Width.OCTET, 200, 3, 2),
    ),
    "the second of two": (
        headed("0003 C7 0301 0003 C8 0302", b"abc"),
        (Width.OCTET, 200, 3, 2),
    ),
    "a header about something else": (headed("2401 0D", b"abc"), (Width.NONE, 0, 1, 1)),
    "an element of another length": (
        headed("0002 C803", b"abc"),
        (Width.NONE, 0, 1, 1),
    ),
    "beside": (beside("01C8", 3, 2), (Width.SAR, 456, 3, 2)),
    "beside, of one octet": (beside("C8", 3, 2), (Width.SAR, 200, 3, 2)),
    "beside, but not all": (
        Message(short_message=b"abc", tlvs=((0x020C, b"\0\1"),)),
        (Width.NONE, 0, 1, 1),
    ),
}


@pytest.mark.parametrize(("message", "place"), READ.values(), ids=READ)
def test_where_a_piece_belongs_is_read(
    message: Message, place: tuple[Width, int, int, int]
):
    piece = read_piece(message)
    assert (piece.width, piece.reference, piece.total, piece.number) == place
    assert piece.octets == b"abc"


def test_a_long_payload_is_read_too_with_its_header():
    text = "سلام " * 300
    message = Message(
        esm_class=0x40,
        data_coding=8,
        tlvs=((0x0424, bytes.fromhex("05 0003 01 0101") + text.encode("utf-16-be")),),
    )
    piece = read_piece(message)
    assert piece.is_whole
    assert join([piece], PLAIN) == text


REFUSED = {
    "no parts": headed("0003 01 0000"),
    "the part before the first": headed("0003 01 0300"),
    "a part after the last": headed("0003 01 0304"),
    "a header and nothing": Message(esm_class=0x40),
    "a header longer than its message": Message(
        esm_class=0x40, short_message=b"\x05\0"
    ),
    "half an element": headed("0003 01"),
    "half the head of an element": headed("0003 01 0202 00"),
    "no parts, beside": beside("0001", 0, 0),
    "a part after the last, beside": beside("0001", 2, 3),
    "a reference of four octets": beside("00000001", 2, 1),
}


@pytest.mark.parametrize("message", REFUSED.values(), ids=REFUSED)
def test_a_place_that_cannot_be_is_refused(message: Message):
    with pytest.raises(NotAPiece):
        read_piece(message)


def piece(number: int, octets: bytes, *, total: int = 2, coding: int = 8) -> Piece:
    return Piece(Width.OCTET, 7, total, number, coding, octets)


def test_a_letter_cut_in_two_is_one_again():
    octets = "ا😀ب".encode("utf-16-be")
    assert join([piece(2, octets[4:]), piece(1, octets[:4])], PLAIN) == "ا😀ب"
    # And an escape of GSM-7.
    pair = [piece(1, b"a\x1b", coding=0), piece(2, b"eb", coding=0)]
    assert join(pair, PLAIN) == "a€b"


def test_nothing_is_joined_before_all_is_there():
    assert join([], PLAIN) is None
    assert join([piece(2, b"")], PLAIN) is None
    assert join([piece(2, b""), piece(2, b"")], PLAIN) is None


def test_what_came_twice_counts_once():
    first, last = piece(1, b"\0a"), piece(2, b"\0b")
    assert join([last, first, piece(2, b"\0c"), first], PLAIN) == "ab"


def test_each_part_may_have_its_alphabet():
    assert join([piece(1, b"a\0", coding=0), piece(2, b"\x06\x27")], PLAIN) == "a@ا"


def test_pieces_of_two_texts_make_none():
    with pytest.raises(NotAPiece):
        join([piece(1, b""), Piece(Width.TWO_OCTETS, 7, 2, 2, 8, b"")], PLAIN)


def test_one_bad_letter_does_not_lose_a_text():
    assert join([piece(1, b"\x06\x27\xd8\x3d", total=1)], PLAIN) == "ا\ufffd"
    assert join([piece(1, b"\x06\x27\x06", total=1)], PLAIN) == "ا\ufffd"
    assert join([piece(1, b"a\xe9b\xff", total=1, coding=0)], PLAIN) == "a\ufffdb\ufffd"
    latin = Codings(latin1=True)
    assert join([piece(1, b"a\xe9@", total=1, coding=0)], latin) == "aé@"


def test_binary_is_no_text():
    with pytest.raises(NotText):
        join([piece(1, b"\1", total=1, coding=4)], PLAIN)


octet = st.integers(0, 255)
tags = st.sampled_from([0x020C, 0x020E, 0x020F, 0x0424, 0x0001])
anything = st.builds(
    Message,
    esm_class=octet,
    data_coding=octet,
    short_message=st.one_of(
        st.binary(max_size=254),
        st.lists(octet, max_size=12).map(lambda head: bytes([len(head), *head])),
    ),
    tlvs=st.lists(st.tuples(tags, st.binary(max_size=5)), max_size=6).map(tuple),
)


@given(messages=st.lists(anything, max_size=4))
def test_whatever_comes_is_a_text_or_pieces_or_refused(messages: list[Message]):
    pieces = []
    for message in messages:
        try:
            pieces.append(read_piece(message))
        except NotAPiece:
            continue
        assert 1 <= pieces[-1].number <= pieces[-1].total <= 255
    try:
        text = join(pieces, PLAIN)
    except (NotAPiece, NotText):
        return
    if text is not None:
        # It can be stored.
        text.encode("utf-8")
