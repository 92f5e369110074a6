from __future__ import annotations

import pytest

from phone.figures import grouped, toman


@pytest.mark.parametrize(
    ("n", "language", "shown"),
    [
        (75_000, "fa", "۷۵٬۰۰۰"),
        (75_000, "en", "75,000"),
        (1_250_000, "fa", "۱٬۲۵۰٬۰۰۰"),
        (999, "fa", "۹۹۹"),
        (0, "en", "0"),
        (-75_000, "en", "-75,000"),
    ],
)
def test_a_number_is_grouped_in_the_readers_digits(
    n: int, language: str, shown: str
) -> None:
    assert grouped(n, language) == shown


@pytest.mark.parametrize(
    ("rial", "language", "shown"),
    [
        (750_000, "fa", "۷۵٬۰۰۰"),
        (750_000, "en", "75,000"),
        (505, "en", "50.5"),
        (505, "fa", "۵۰٫۵"),
        (12_345_678, "fa", "۱٬۲۳۴٬۵۶۷٫۸"),
        (5, "en", "0.5"),
        (0, "fa", "۰"),
        (-505, "en", "-50.5"),
    ],
)
def test_rial_are_shown_in_toman_and_never_rounded(
    rial: int, language: str, shown: str
) -> None:
    assert toman(rial, language) == shown
