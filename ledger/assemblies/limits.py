"""What the registers of assemblies take, and how they say no."""

from __future__ import annotations

from datetime import date, datetime

from ledger.requests import Refused
from phone.encoding import ucs2_units
from phone.private import long_digits

__all__ = [
    "AHEAD_DAYS_MAX",
    "AMOUNT_MAX",
    "COVERS_MAX",
    "METRES_MAX",
    "NAME_CHARS_MAX",
    "OFFICE_CHARS_MAX",
    "PLACE_CHARS_MAX",
    "TITLE_CHARS_MAX",
    "Wrong",
    "check_ahead",
    "check_count",
    "check_day",
    "check_words",
]

# A title stands on a screen of 70 beside its number and its state, a venue in a text
# beside the day and the two answers.
TITLE_CHARS_MAX = 17
PLACE_CHARS_MAX = 16
OFFICE_CHARS_MAX = 40
NAME_CHARS_MAX = 30
AMOUNT_MAX = 9_999
COVERS_MAX = 99_999
METRES_MAX = 10_000
# A day further off is a slip of the pen.
AHEAD_DAYS_MAX = 3 * 366
# From here on digits could be somebody's.
PERSONAL_DIGITS = 8


class Wrong(Refused):
    """The registers do not take this; says why."""


def check_words(name: str, words: str, chars_max: int) -> str:
    """The words, spaces tidied; raises Wrong for too many, or a number among them.

    Counted in UTF-16 units, as screens are.
    """
    tidy = " ".join(words.split())
    if not 0 < ucs2_units(tidy) <= chars_max:
        raise Wrong(f"a {name} has 1 to {chars_max} characters")
    if not tidy.replace("\u200c", "").isprintable():
        raise Wrong(f"a {name} is a line of words")
    if long_digits(tidy, PERSONAL_DIGITS):
        raise Wrong(f"a {name} stays in the books: no phone or card number in it")
    return tidy


def check_count(name: str, count: int, most: int, *, least: int = 0) -> None:
    """Raise Wrong for a number that is out of bounds."""
    if not least <= count <= most:
        raise Wrong(f"{name} is a number from {least} to {most}")


def check_day(day: date, today: date) -> None:
    """Raise Wrong for a day that is past, or years away."""
    if day < today:
        raise Wrong("that day is past")
    if (day - today).days > AHEAD_DAYS_MAX:
        raise Wrong("that day is more than three years away")


def check_ahead(moment: datetime, at: datetime) -> None:
    """Raise Wrong for a moment that is past, or years away."""
    if moment <= at:
        raise Wrong("that moment is past")
    if (moment - at).days > AHEAD_DAYS_MAX:
        raise Wrong("that moment is more than three years away")
