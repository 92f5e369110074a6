from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.private import (
    is_none_of_ours,
    long_digits,
    looks_like_card,
    looks_like_national_id,
    looks_like_purchase_code,
)

# A made-up number that passes Luhn, as test numbers of card schemes do.
CARD = "6037991111111112"


def test_our_example_card_would_not_pass_with_another_last_digit() -> None:
    assert looks_like_card(CARD)
    assert not any(
        looks_like_card(CARD[:-1] + d) for d in "0123456789" if d != CARD[-1]
    )


@pytest.mark.parametrize(
    "text",
    [
        CARD,
        "4111111111111111",
        "6037 9911 1111 1112",
        "6037-9911-1111-1112",
        "6037.9911.1111.1112",
        "6037_9911_1111_1112",
        "6037/9911/1111/1112",
        "6037 - 9911 - 1111 - 1112",
        "6037\u200c9911\u200c1111\u200c1112",
        "6037\n9911\n1111\n1112",
        "\u200e6037\u200e99111111\u200f1112",
        " ".join(CARD),
        "۶۰۳۷۹۹۱۱۱۱۱۱۱۱۱۲",
        "٦٠٣٧ ٩٩١١ ١١١١ ١١١٢",
        "شماره کارت من ۶۰۳۷۹۹۱۱۱۱۱۱۱۱۱۲ است",
        "card6037991111111112,thanks",
        f"3*{CARD}*1",
        f"50000 {CARD}",
        f"{CARD} 50000",
        f"6037 9911 1111 1112 50000 {10}",
        f"12{CARD}7",
    ],
)
def test_a_card_is_seen_however_it_is_typed(text: str) -> None:
    assert looks_like_card(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "50000",
        "6037991111111113",
        "603799111111111",
        "09121234567",
        "482915073",
        "یک میلیون و دویست هزار تومان",
        "۱٬۲۰۰٬۰۰۰",
        "09121234567 09351234567",
        "6037a9911b1111c1112",
        "²" * 16,
    ],
)
def test_what_is_no_card_is_let_through(text: str) -> None:
    assert not looks_like_card(text)


@given(st.from_regex(r"[1-9][0-9]{14}", fullmatch=True), st.text(alphabet="ab ؟\n"))
def test_exactly_one_last_digit_in_ten_makes_a_card(stem: str, around: str) -> None:
    found = [d for d in "0123456789" if looks_like_card(f"{around}x{stem}{d}")]
    assert len(found) == 1


def test_ten_thousand_digits_are_searched_at_once() -> None:
    assert looks_like_card("0" * 10_000)
    assert not looks_like_card("6 " * 7 + "x " * 5_000)


@pytest.mark.parametrize(
    "text",
    [
        "0499370899",
        "0790419904",
        "0084575948",
        "4993700131",
        "۰۴۹۹۳۷۰۸۹۹",
        "049-937089-9",
        "049 937 0899",
        "کد ملی 0499370899",
        "0499370899 50000",
    ],
)
def test_a_national_id_is_seen(text: str) -> None:
    assert looks_like_national_id(text)


@pytest.mark.parametrize(
    "text",
    [
        "0084575949",
        "4993700130",
        "1111111111",
        "049937089",
        "00499370899",
        "09121234567",
        "",
        "متن",
    ],
)
def test_what_is_no_national_id_is_let_through(text: str) -> None:
    assert not looks_like_national_id(text)


@pytest.mark.parametrize(
    ("text", "at_least", "found"),
    [
        ("12345678", 8, True),
        ("1234567", 8, False),
        ("1234 5678", 8, True),
        ("۰۹۱۲ ۱۲۳ ۴۵۶۷ زنگ بزنید", 8, True),
        ("1234 و 5678", 8, False),
        ("کلاس ۵", 8, False),
        ("1234", 4, True),
        ("", 1, False),
    ],
)
def test_a_long_run_of_digits_is_seen(text: str, at_least: int, found: bool) -> None:
    assert long_digits(text, at_least) is found


@pytest.mark.parametrize(
    "text",
    [
        "12345678",
        "۱۲۳۴۵۶۷۸",
        "1234 5678",
        "1234-5678",
        "کد خرید: ١٢٣٤٥٦٧٨.",
        "1*12345678",
    ],
)
def test_a_purchase_code_is_seen_however_it_is_typed(text: str) -> None:
    assert looks_like_purchase_code(text)
    assert is_none_of_ours(text)


@pytest.mark.parametrize("text", ["", "11023", "482915073", "482 915 073", "1", "یک"])
def test_what_home_delivery_asks_for_is_taken(text: str) -> None:
    assert not is_none_of_ours(text)


@given(st.from_regex(r"[0-9]{1,7}|[0-9]{9}", fullmatch=True))
def test_no_code_of_ours_is_none_of_ours(digits: str) -> None:
    assert not is_none_of_ours(digits)


@given(st.from_regex(r"[0-9]{8}|[0-9]{10,40}", fullmatch=True), st.text(max_size=9))
def test_no_longer_number_is_taken(digits: str, before: str) -> None:
    assert is_none_of_ours(f"{before}, {digits}" if before.isalpha() else digits)
