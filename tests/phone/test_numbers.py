from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.numbers import (
    NotAPhone,
    from_network,
    from_person,
    is_mobile,
    mask,
    national,
)

IRANIAN = [
    "09121234567",
    "+989121234567",
    "00989121234567",
    "989121234567",
    "9121234567",
    "0989121234567",
    "+9809121234567",
    "۰۹۱۲۱۲۳۴۵۶۷",
    "٠٩١٢١٢٣٤٥٦٧",
    "+۹۸۹۱۲۱۲۳۴۵۶۷",
]


@pytest.mark.parametrize(
    "typed",
    [
        *IRANIAN,
        "0912 123 4567",
        "0912-123-4567",
        "0912.123.4567",
        "0912\u2013123\u20114567",
        "+98 (0)912 123 4567",
        "+98(0)9121234567",
        "(0912) 1234567",
        "\u200e۰۹۱۲\u200c۱۲۳۴۵۶۷\u200f",
        " 09121234567\n",
    ],
)
def test_a_person_may_write_an_iranian_mobile_in_any_form(typed: str) -> None:
    assert from_person(typed) == "+989121234567"


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("+254712345678", "+254712345678"),
        ("00254 712 345 678", "+254712345678"),
        ("+1 202-555-0123", "+12025550123"),
    ],
)
def test_a_person_may_write_a_foreign_mobile_with_its_country(
    typed: str, number: str
) -> None:
    assert from_person(typed) == number


@pytest.mark.parametrize(
    "typed",
    [
        "09400000000",
        "10008780",
        "02188888888",
        "+982188888888",
        "0912123456",
        "091212345678",
        "254712345678",
        "۱۱",
        "",
        "+",
        "++989121234567",
        "98+9121234567",
        "0912abc4567",
        "1-800-FLOWERS",
        "+989121234567;ext=5",
        "tel:+989121234567",
        "0912\x001234567",
        "⁰⁹¹²¹²³⁴⁵⁶⁷",
        "😀",
        "0" * 10_000,
    ],
)
def test_what_is_no_mobile_is_refused_from_a_person(typed: str) -> None:
    with pytest.raises(NotAPhone):
        from_person(typed)


@pytest.mark.parametrize("sent", [*IRANIAN, " 989121234567", " +989121234567 "])
def test_the_network_may_send_an_iranian_number_in_any_form(sent: str) -> None:
    assert from_network(sent) == "+989121234567"


@pytest.mark.parametrize(
    ("sent", "region", "number"),
    [
        ("254712345678", "IR", "+254712345678"),
        (" 254712345678", "IR", "+254712345678"),
        ("0712345678", "KE", "+254712345678"),
        ("00254712345678", "IR", "+254712345678"),
        ("233241234567", "GH", "+233241234567"),
        ("12025550123", "IR", "+12025550123"),
        ("919121234567", "IR", "+919121234567"),
        ("6634146822", "IR", "+6634146822"),
    ],
)
def test_the_network_may_leave_out_the_plus(
    sent: str, region: str, number: str
) -> None:
    assert from_network(sent, region) == number


@pytest.mark.parametrize("sent", ["+989451234567", "09871234567", "+254000000000"])
def test_a_prefix_the_metadata_does_not_know_is_believed(sent: str) -> None:
    assert from_network(sent)[-7:] == sent[-7:]


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "+",
        "Irancell",
        "11",
        "+98912",
        "+9999999999999999999",
        "+989121234567;ext=5",
        "0912 123 4567",
        "५५५५५५५५५५",
        "+49" + "1" * 14,
        "\x00",
        "9" * 33,
    ],
)
def test_what_cannot_be_a_number_is_refused_from_the_network(sent: str) -> None:
    with pytest.raises(NotAPhone):
        from_network(sent)


def test_a_region_that_does_not_exist_still_reads_international_numbers() -> None:
    assert from_network("+254712345678", "XX") == "+254712345678"
    with pytest.raises(NotAPhone):
        from_person("0712345678", "XX")


@given(st.integers(0, 9_999_999))
def test_every_form_of_a_mobile_gives_one_number(n: int) -> None:
    rest = f"912{n:07}"
    forms = [f"{prefix}{rest}" for prefix in ("0", "+98", "0098", "98", "", "098")]
    assert {from_person(form) for form in forms} == {"+98" + rest}
    assert {from_network(form) for form in forms} == {"+98" + rest}


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    for read in (from_network, from_person):
        try:
            number = read(text)
        except NotAPhone:
            continue
        assert number[0] == "+"
        assert number[1:].isascii()
        assert number[1:].isdecimal()
        assert len(number) <= 16


@pytest.mark.parametrize(
    ("read", "typed"),
    [
        (from_person, "09400000000"),
        (from_person, "+982188888888"),
        (from_network, "0912123456789012"),
        (from_network, "+98912123456789012345"),
    ],
)
def test_a_refusal_does_not_repeat_the_number(
    read: Callable[[str], str], typed: str
) -> None:
    with pytest.raises(NotAPhone) as refusal:
        read(typed)
    assert not any(char.isdigit() for char in str(refusal.value))
    assert refusal.value.__context__ is None


def test_a_mask_shows_four_digits_at_most() -> None:
    assert mask("+989121234567") == "***4567"
    assert mask("+98912") == "***"
    assert mask("") == "***"


@pytest.mark.parametrize(
    ("number", "is_one"),
    [
        ("+989121234567", True),
        # A prefix that phonenumbers does not know yet.
        ("+989971234567", True),
        ("+254712345678", True),
        ("+12025550123", True),
        ("+982188776655", False),
        ("+9810008780", False),
        ("+9898000", False),
        ("YARIGAR", False),
        ("", False),
    ],
)
def test_a_mobile_is_told_from_what_no_person_holds(number: str, is_one: bool) -> None:
    assert is_mobile(number) is is_one


def test_a_number_is_national_at_home_and_plain_abroad() -> None:
    assert national("+989121234567") == "09121234567"
    assert national("+254712345678") == "254712345678"
