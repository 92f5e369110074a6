from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.encoding import (
    GSM7_BASIC,
    GSM7_EXTENSION,
    Encoding,
    Limits,
    TextTooLong,
    excess,
    gsm7_septets,
    sms_cost,
    sms_parts,
    ucs2_units,
)

GSM7 = st.text(alphabet=sorted(GSM7_BASIC | GSM7_EXTENSION), max_size=700)
UCS2 = st.text(alphabet="ابپ ۱\u200c\u200d\u064e\u0651😀👍🏽\ufe0fa[", max_size=400)


def test_the_default_alphabet_has_its_127_characters_and_10_escaped() -> None:
    assert len(GSM7_BASIC) == 127
    assert len(GSM7_EXTENSION) == 10
    assert not GSM7_BASIC & GSM7_EXTENSION


@pytest.mark.parametrize(
    ("text", "septets"),
    [
        ("", 0),
        ("Hello\r\n@£$", 10),
        ("[]{}~^|\\€\f", 20),
        ("a€", 3),
        ("ΔΦΓΛΩΠΨΣΘΞ", 10),
        ("Çé", 2),
        ("ç", None),
        ("`", None),
        ("\t", None),
        ("\x1b", None),
        ("سلام", None),
        ("a\u200e", None),
        ("😀", None),
    ],
)
def test_septets_are_counted_with_the_extension_table(
    text: str, septets: int | None
) -> None:
    assert gsm7_septets(text) == septets


@pytest.mark.parametrize(
    ("text", "units"), [("", 0), ("سلام", 4), ("😀", 2), ("a\u200e", 2), ("خ\u0651", 2)]
)
def test_units_are_those_of_utf_16(text: str, units: int) -> None:
    assert ucs2_units(text) == units


@given(st.text(max_size=200))
def test_units_agree_with_pythons_own_encoder(text: str) -> None:
    assert ucs2_units(text) * 2 == len(text.encode("utf-16-be"))


@pytest.mark.parametrize(
    ("text", "over"),
    [
        ("a" * 160, 0),
        ("a" * 161, 1),
        ("[" * 80, 0),
        ("[" * 81, 2),
        ("ا" * 70, 0),
        ("ا" * 71, 1),
        ("a" * 70 + "ا", 1),
        ("😀" * 36, 2),
        ("", 0),
    ],
)
def test_excess_is_measured_in_the_encoding_the_text_needs(
    text: str, over: int
) -> None:
    assert excess(text, Limits()) == over


def test_a_channel_may_hold_as_much_as_gsm_04_80_allows() -> None:
    wide = Limits(gsm7_septets=182, ucs2_units=80)
    assert excess("a" * 182, wide) == 0
    assert excess("ا" * 81, wide) == 1


@pytest.mark.parametrize(
    ("septets", "units"), [(183, 70), (160, 81), (0, 70), (160, 0)]
)
def test_a_limit_no_carrier_has_is_refused(septets: int, units: int) -> None:
    with pytest.raises(ValueError, match="is 1 to"):
        Limits(septets, units)


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("", (1, Encoding.GSM7)),
        ("a" * 160, (1, Encoding.GSM7)),
        ("a" * 161, (2, Encoding.GSM7)),
        ("a" * 306, (2, Encoding.GSM7)),
        ("a" * 307, (3, Encoding.GSM7)),
        ("€" * 80, (1, Encoding.GSM7)),
        ("€" * 153, (3, Encoding.GSM7)),
        ("ا" * 70, (1, Encoding.UCS2)),
        ("ا" * 71, (2, Encoding.UCS2)),
        ("ا" * 134, (2, Encoding.UCS2)),
        ("ا" * 135, (3, Encoding.UCS2)),
        ("a" * 80 + "ی", (2, Encoding.UCS2)),
        ("😀" * 35, (1, Encoding.UCS2)),
        ("😀" * 36, (2, Encoding.UCS2)),
    ],
)
def test_a_text_costs_the_parts_a_carrier_bills(
    text: str, cost: tuple[int, Encoding]
) -> None:
    assert sms_cost(text) == cost


def test_an_escape_pair_is_not_cut() -> None:
    assert sms_parts("a" * 152 + "€" + "a" * 20) == ("a" * 152, "€" + "a" * 20)


def test_a_surrogate_pair_is_not_cut() -> None:
    assert sms_parts("ا" * 66 + "😀" + "ا" * 9) == ("ا" * 66, "😀" + "ا" * 9)


@pytest.mark.parametrize(
    "mark", ["\u064e", "\u200c", "\u200d", "\u0651\u064e", "\u20dd"]
)
def test_a_letter_keeps_its_marks_and_joiners(mark: str) -> None:
    text = "ا" * 66 + "ب" + mark + "ت" * 9
    assert sms_parts(text) == ("ا" * 66, "ب" + mark + "ت" * 9)


def test_marks_that_fill_more_than_a_part_are_cut_all_the_same() -> None:
    text = "ا" + "\u064e" * 200
    assert "".join(sms_parts(text)) == text
    assert [ucs2_units(part) for part in sms_parts(text)] == [67, 67, 67]


@given(GSM7)
def test_septet_parts_join_and_fit(text: str) -> None:
    parts = sms_parts(text)
    assert "".join(parts) == text
    room = 160 if len(parts) == 1 else 153
    assert all((gsm7_septets(part) or 0) <= room for part in parts)
    if len(parts) > 1:
        assert all((gsm7_septets(part) or 0) >= room - 1 for part in parts[:-1])


@given(UCS2 | st.text(max_size=400))
def test_unit_parts_join_and_fit_and_cut_nothing_that_belongs_together(
    text: str,
) -> None:
    text += "ی"
    parts = sms_parts(text)
    assert "".join(parts) == text
    room = 70 if len(parts) == 1 else 67
    assert all(0 < ucs2_units(part) <= room for part in parts)
    for before, part in zip(parts, parts[1:], strict=False):
        torn = part[0] in "\u200c\u200d" or unicodedata.category(part[0]) in {
            "Mn",
            "Me",
        }
        assert not torn or ucs2_units(before) >= 66


def test_a_text_of_more_than_255_parts_is_refused() -> None:
    assert sms_cost("a" * 153 * 255) == (255, Encoding.GSM7)
    with pytest.raises(TextTooLong):
        sms_parts("a" * 153 * 255 + "a")
    with pytest.raises(TextTooLong):
        sms_parts("ا" * 1_000_000)
    with pytest.raises(TextTooLong):
        sms_parts("😀" * 67 * 127 + "😀" * 30)
