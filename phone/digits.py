"""Fold what people type, so that two spellings of one word compare equal."""

from __future__ import annotations

import unicodedata

_PERSIAN = "۰۱۲۳۴۵۶۷۸۹"
_ARABIC = "٠١٢٣٤٥٦٧٨٩"
_ASCII = "0123456789"

# Named digit by digit: str.isdigit and int() would let in "²" or Devanagari.
_TO_ASCII = str.maketrans(_PERSIAN + _ARABIC, _ASCII * 2)
_TO_PERSIAN = str.maketrans(_ASCII, _PERSIAN)

# What canonical decomposition leaves apart. NFKC does not unify these either.
_TO_PERSIAN_LETTERS = str.maketrans(
    {
        "\u064a": "\u06cc",  # Arabic yeh
        "\u0649": "\u06cc",  # alef maksura
        "\u0643": "\u06a9",  # Arabic kaf
        "\u0629": "\u0647",  # teh marbuta
        "\u06c1": "\u0647",  # heh goal
        "\u06be": "\u0647",  # heh doachashmee
        "\u06d5": "\u0647",  # ae, which U+06C0 decomposes to
        "\u0671": "\u0627",  # alef wasla
        "\u0640": None,  # tatweel
    }
)


def fold_digits(text: str) -> str:
    """Turn Persian (U+06F0..) and Arabic (U+0660..) digits into ASCII, nothing else."""
    return text.translate(_TO_ASCII)


def persian_digits(text: str) -> str:
    """Turn ASCII digits into Persian ones, nothing else."""
    return text.translate(_TO_PERSIAN)


def fold(text: str) -> str:
    """Reduce a text to what a matcher compares: never to what is shown or stored.

    Digits become ASCII and letters Persian; case, diacritics, tatweel, bidi marks,
    ZWNJ and every space go, because a feature phone's owner has no ZWNJ key and
    cannot tell ي from ی. So do the signs above alef, vav and yeh (آ أ إ are ا, ؤ is
    و, ئ is ی): most keypads hide them, and no two of our words differ by them alone.
    Latin accents go by the same rule. Folding twice changes nothing more.
    """
    if text.isascii():
        return "".join(text.casefold().split())
    # Marks go before the decomposition as well: sorting a long run of them, which
    # only a hostile text has, takes quadratic time.
    bare = unicodedata.normalize("NFD", _without_marks(text)).casefold()
    bare = _without_marks(unicodedata.normalize("NFD", bare))
    return fold_digits(bare.translate(_TO_PERSIAN_LETTERS))


def visible(text: str) -> str:
    """Drop the characters nobody sees: bidi marks, ZWNJ, ZWJ, byte order marks."""
    if text.isascii():
        return text
    return "".join(char for char in text if unicodedata.category(char) != "Cf")


def _without_marks(text: str) -> str:
    return "".join(
        char
        for char in text
        if not char.isspace() and unicodedata.category(char) not in {"Mn", "Me", "Cf"}
    )
