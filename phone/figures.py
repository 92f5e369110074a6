"""Sums of money in the reader's digits.

Babel writes fa_IR numbers with ASCII digits or ASCII commas, hence our own two lines.
"""

from __future__ import annotations

from phone.digits import persian_digits

_PERSIAN_MARKS = str.maketrans(",.", "\u066c\u066b")


def grouped(n: int, language: str) -> str:
    """Write a whole number in groups of three: ۷۵٬۰۰۰ in "fa", 75,000 in others."""
    return _in(language, f"{n:,}")


def toman(rial: int, language: str) -> str:
    """Write an amount of rial in toman, without the unit.

    Ten rial are a toman; a remainder shows as one decimal, so nothing is rounded.
    """
    whole, rest = divmod(abs(rial), 10)
    sign = "-" if rial < 0 else ""
    decimal = f".{rest}" if rest else ""
    return _in(language, f"{sign}{whole:,}{decimal}")


def _in(language: str, figure: str) -> str:
    if language == "fa":
        return persian_digits(figure).translate(_PERSIAN_MARKS)
    return figure
