from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.encoding import GSM7_BASIC, GSM7_EXTENSION, gsm7_septets
from phone.smpp.codings import Codings, NotText
from phone.smpp.gsm7 import NotGsm7, pack, septets, text_of, unpack

GSM7 = st.text(sorted(GSM7_BASIC | GSM7_EXTENSION), max_size=182)
UNPACKED = Codings()
PACKED = Codings(gsm7=0x0F, ucs2=0x48, packed=True)


def test_every_character_of_the_alphabet_has_its_septets():
    for letter in GSM7_BASIC | GSM7_EXTENSION:
        assert text_of(septets(letter)) == letter
        assert len(septets(letter)) == gsm7_septets(letter)


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("*780#", "2A 37 38 30 23"),
        ("@£$", "00 01 02"),
        ("_\n\rÄà", "11 0A 0D 5B 7F"),
        ("a€[", "61 1B 65 1B 3C"),
    ],
)
def test_septets_are_those_of_the_table_in_23_038(text: str, octets: str):
    assert septets(text) == bytes.fromhex(octets)
    assert text_of(bytes.fromhex(octets)) == text


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        # Every other book on the subject packs this word.
        ("hellohello", "E8 32 9B FD 46 97 D9 EC 37"),
        ("*100#", "AA 18 0C 36 02"),
        # Seven septets leave seven bits: a carriage return, and no @.
        ("1234567", "31 D9 8C 56 B3 DD 1A"),
        # Eight fill seven octets.
        ("12345678", "31 D9 8C 56 B3 DD 70"),
        # A carriage return on the border gets another.
        ("1234567\r", "31 D9 8C 56 B3 DD 1A 0D"),
        ("", ""),
    ],
)
def test_septets_are_packed_as_23_038_has_it(text: str, octets: str):
    assert pack(septets(text)) == bytes.fromhex(octets)
    assert text_of(unpack(bytes.fromhex(octets))).rstrip("\r") == text.rstrip("\r")


def test_a_hundred_and_eighty_two_characters_are_a_hundred_and_sixty_octets():
    assert len(pack(septets("x" * 182))) == 160


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        # Of an escape that leads nowhere, the letter without it; at the end a space.
        ("1B 61", "a"),
        ("61 1B", "a "),
        ("1B 1B 61", " a"),
    ],
)
def test_an_escape_that_nobody_knows_is_passed_over(octets: str, text: str):
    assert text_of(bytes.fromhex(octets)) == text


@given(text=GSM7)
def test_a_text_comes_back_from_its_septets(text: str):
    assert text_of(septets(text)) == text
    # A carriage return at the end is where packing may add one or take one away.
    assert text_of(unpack(pack(septets(text)))).rstrip("\r") == text.rstrip("\r")


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
@pytest.mark.parametrize("codings", [UNPACKED, PACKED], ids=["unpacked", "packed"])
def test_a_text_comes_back_from_what_is_sent(codings: Codings, text: str):
    data_coding, octets = codings.write(text)
    assert codings.read(data_coding, octets).rstrip("\r") == text.rstrip("\r")
    is_gsm7 = gsm7_septets(text) is not None
    assert data_coding == (codings.gsm7 if is_gsm7 else codings.ucs2)


@given(data_coding=st.integers(0, 255), octets=st.binary(max_size=300))
@pytest.mark.parametrize("codings", [UNPACKED, PACKED], ids=["unpacked", "packed"])
def test_any_octets_are_a_text_or_are_refused(
    codings: Codings, data_coding: int, octets: bytes
):
    try:
        text = codings.read(data_coding, octets)
    except NotText:
        return
    # No half of a surrogate pair is in it.
    assert text.encode().decode() == text


@pytest.mark.parametrize(
    ("data_coding", "octets", "text"),
    [
        (0x08, "06 F1 06 F2", "۱۲"),
        (0x48, "06 F1", "۱"),
        (0x00, "31 32", "12"),
        (0x0F, "31 32", "12"),
        (0x01, "40 31", "@1"),
        (0x03, "E9", "é"),
    ],
)
def test_both_usual_codes_of_an_alphabet_are_known(
    data_coding: int, octets: str, text: str
):
    assert UNPACKED.read(data_coding, bytes.fromhex(octets)) == text


@pytest.mark.parametrize(
    ("data_coding", "octets"),
    [
        (0x08, "06 F1 06"),
        (0x08, "D8 00"),
        (0x00, "80"),
        (0x02, "31"),
        (0x04, "31"),
        (0xF5, "31"),
    ],
    ids=["half a unit", "half a pair", "no septet", "octets", "binary", "class"],
)
def test_what_is_no_text_is_refused(data_coding: int, octets: str):
    with pytest.raises(NotText):
        UNPACKED.read(data_coding, bytes.fromhex(octets))


def test_a_character_beyond_the_alphabet_has_no_septets():
    with pytest.raises(NotGsm7):
        septets("سلام")
