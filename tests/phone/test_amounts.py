from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.amounts import Amount, NotAnAmount, Unit, read_amount
from phone.digits import persian_digits
from phone.figures import grouped, toman


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("50000", 50_000),
        ("۵۰۰۰۰", 50_000),
        ("٥٠٠٠٠", 50_000),
        (" 50000 ", 50_000),
        ("\u200e50000\u200e", 50_000),
        ("50,000", 50_000),
        ("۵۰٬۰۰۰", 50_000),
        ("۵۰،۰۰۰", 50_000),
        ("50.000", 50_000),
        ("50 000", 50_000),
        ("50\u00a0000", 50_000),
        ("۵۰\u200c۰۰۰", 50_000),
        ("1.200.000", 1_200_000),
        ("1 200 000", 1_200_000),
        ("۱٬۲۰۰٬۰۰۰", 1_200_000),
        ("۵۰ هزار", 50_000),
        ("50هزار", 50_000),
        ("۷۵ هزار", 75_000),
        ("پنجاه هزار", 50_000),
        ("پنجاه\u200cهزار", 50_000),
        ("پنجاههزار", 50_000),
        ("صد", 100),
        ("50", 50),
        ("0", 0),
        ("هزار", 1_000),
        ("هزار و پانصد", 1_500),
        ("یکصد هزار", 100_000),
        ("سی صد هزار", 300_000),
        ("پنج صد هزار", 500_000),
        ("سی و پنج هزار", 35_000),
        ("دوازده هزار", 12_000),
        ("نیم میلیون", 500_000),
        ("یک و نیم میلیون", 1_500_000),
        ("۲ و نیم میلیون", 2_500_000),
        ("یک میلیون و نیم", 1_500_000),
        ("1.5 میلیون", 1_500_000),
        ("۱٫۵ میلیون", 1_500_000),
        ("0.500 میلیون", 500_000),
        ("1.2500 میلیون", 1_250_000),
        ("1,250 هزار", 1_250_000),
        ("يك ميليون", 1_000_000),
        ("یه ملیون", 1_000_000),
        ("یک میلیون و دویست هزار", 1_200_000),
        ("یک میلیون دویست هزار", 1_200_000),
        ("یکمیلیونودویستهزار", 1_200_000),
        ("یک میلیون و هزار", 1_001_000),
        ("۲ میلیون و ۵۰۰ هزار", 2_500_000),
        ("۵۰ هزار و ۵۰۰", 50_500),
        ("هفتصد و بیست و پنج هزار و پانصد", 725_500),
        ("یک میلیون و دویست و پنجاه هزار", 1_250_000),
        ("۲ میلیارد", 2_000_000_000),
        ("75 thousand", 75_000),
        ("75Thousand", 75_000),
        ("1.5 million", 1_500_000),
        ("two hundred and fifty thousand", 250_000),
        ("One million two hundred thousand", 1_200_000),
    ],
)
def test_an_amount_without_a_unit_is_toman(typed: str, amount: int) -> None:
    assert read_amount(typed) == Amount(amount * 10, None)


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("یک میلیون و دویست هزار تومان", Amount(12_000_000, Unit.TOMAN)),
        ("یک میلیون و دویست و پنجاه هزار تومان", Amount(12_500_000, Unit.TOMAN)),
        ("۵۰ هزار تومن", Amount(500_000, Unit.TOMAN)),
        ("50هزارتومان", Amount(500_000, Unit.TOMAN)),
        ("تومان ۵۰۰۰۰", Amount(500_000, Unit.TOMAN)),
        ("1.5 million toman", Amount(15_000_000, Unit.TOMAN)),
        ("500000 ریال", Amount(500_000, Unit.RIAL)),
        ("۵۰۰٬۰۰۰ ريال", Amount(500_000, Unit.RIAL)),
        ("500000﷼", Amount(500_000, Unit.RIAL)),
        ("۵۰۵ ریال", Amount(505, Unit.RIAL)),
        ("1 million rials", Amount(1_000_000, Unit.RIAL)),
    ],
)
def test_a_unit_that_is_said_is_obeyed_and_told(typed: str, amount: Amount) -> None:
    assert read_amount(typed) == amount


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "50k",
        "50m",
        "-50",
        "+50",
        "۵۰−",
        "2*3",
        "50.5",
        "50.0",
        "۱۲٫۵",
        "۵۰٫۰۰۰",
        "1e9",
        "0x10",
        "۵۰ ۵۰",
        "50 0000",
        "1200 000",
        "1,0000",
        "1,00",
        "0,500",
        "1.000,000",
        "1,000 000",
        "1.250 میلیون",
        "1,5 میلیون",
        "۱/۵ میلیون",
        ".5 میلیون",
        "1.5.5 میلیون",
        "1.5",
        "1.2345678 میلیون",
        "نیم",
        "پنج و نیم",
        "هزار و نیم",
        "میلیون",
        "۵ هزار میلیارد",
        "۵۰ هزار ۵۰ هزار",
        "۵۰ هزار 1",
        "هزار و یک میلیون",
        "یک میلیون هزار",
        "صد هزار هزار",
        "صد صد",
        "بیست ده",
        "پنج بیست",
        "۵۰ و ۵۰",
        "دویست ۵۰",
        "و",
        "هزار و",
        "و هزار",
        "صد و و پنج",
        "تومان",
        "۵۰ تومان ریال",
        "تومان ۵۰ ریال",
        "۵۰ تومان هزار",
        "چند هزار",
        "بیستم",
        "50000#",
        "50\x00",
        "²",
        "５０",
        "५०",
        "😀",
        "50😀",
        "-",
        "9" * 40,
        "1" * 41,
        "1" * 10_000,
    ],
)
def test_what_could_be_misread_is_refused(typed: str) -> None:
    with pytest.raises(NotAnAmount):
        read_amount(typed)


def test_the_largest_amount_is_ten_to_the_fifteenth_rial() -> None:
    assert read_amount("1000000000000000 ریال").rial == 10**15
    assert read_amount("100000000000000").rial == 10**15
    for beyond in ("1000000000000001 ریال", "100000000000001"):
        with pytest.raises(NotAnAmount):
            read_amount(beyond)


@given(st.integers(0, 10**14), st.sampled_from([",", "\u066c", "\u060c", " ", ".", ""]))
def test_a_figure_reads_the_same_with_any_mark_between_thousands(
    n: int, mark: str
) -> None:
    written = f"{n:,}".replace(",", mark)
    assert read_amount(written) == Amount(n * 10, None)
    assert read_amount(persian_digits(written)) == Amount(n * 10, None)


@given(st.integers(0, 10**14), st.sampled_from(["fa", "en"]))
def test_what_we_show_can_be_typed_back(n: int, language: str) -> None:
    assert read_amount(toman(n * 10, language)).rial == n * 10
    assert read_amount(grouped(n, language)).rial == n * 10


ONES = ["یک", "دو", "سه", "چهار", "پنج", "شش", "هفت", "هشت", "نه"]
TEENS = [
    "ده",
    "یازده",
    "دوازده",
    "سیزده",
    "چهارده",
    "پانزده",
    "شانزده",
    "هفده",
    "هجده",
    "نوزده",
]
TENS = ["بیست", "سی", "چهل", "پنجاه", "شصت", "هفتاد", "هشتاد", "نود"]
HUNDREDS = ["صد", "دویست", "سیصد", "چهارصد", "پانصد", "ششصد", "هفتصد", "هشتصد", "نهصد"]


def _spelled(n: int) -> str:
    words = []
    if n >= 100:
        words.append(HUNDREDS[n // 100 - 1])
    if 10 <= n % 100 < 20:
        words.append(TEENS[n % 100 - 10])
    elif n % 100 >= 20:
        words.append(TENS[n % 100 // 10 - 2])
    if n % 10 and not 10 < n % 100 < 20:
        words.append(ONES[n % 10 - 1])
    return " و ".join(words)


@pytest.mark.parametrize("gap", [" ", "\u200c", ""])
def test_every_persian_number_below_a_thousand_is_read(gap: str) -> None:
    for n in range(1, 1000):
        spelled = (_spelled(n) + " هزار تومان").replace(" ", gap)
        assert read_amount(spelled).rial == n * 10_000, spelled


@given(st.text(alphabet="۱۲0 5.,٬٫-*eهزاریکمیلنودصتیrialmo\u200c", max_size=40))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        amount = read_amount(text)
    except NotAnAmount:
        return
    assert 0 <= amount.rial <= 10**15
    assert amount.unit is Unit.RIAL or amount.rial % 10 == 0
