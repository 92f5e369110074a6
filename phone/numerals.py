"""Whole numbers in figures, in Persian and English words, and in both at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from fractions import Fraction

from phone.digits import fold


class NotANumber(ValueError):
    """This cannot be read as one number."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Digits. A decimal needs a scale behind it; "1.250" must not have one."""

    value: Fraction
    is_decimal: bool = False
    may_be_decimal: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """A number word below 1000, and the highest and lowest place that it fills."""

    value: int
    top: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Scale:
    """Thousand and up. Persian says a bare «هزار» for one thousand."""

    value: int
    stands_alone: bool = False


class Joint(Enum):
    AND = "and"
    HALF = "half"


Token = Figure | Word | Scale | Joint | StrEnum

_HUNDRED = Word(100, 100, 100)
_HALF_AFTER_MIN = 10**6  # «یک میلیون و نیم» is said, «هزار و نیم» is not


def read_tokens(text: str, vocabulary: Mapping[str, Token]) -> list[Token]:
    """Cut a text into figures and words; the vocabulary's words are folded.

    ZWNJ, a space and nothing are the same between Persian letters, but between
    digits a space is kept: "50 000" is one figure and "50 50" is two. Raises
    NotANumber at the first thing that is none of these.
    """
    folded = " ".join(fold(chunk) for chunk in text.replace("\u200c", " ").split())
    folded = _GAP.sub("", folded)
    tokens: list[Token] = []
    at = 0
    while at < len(folded):
        if folded[at] == " ":
            at += 1
        elif figure := _FIGURE.match(folded, at):
            tokens.append(_figure(figure))
            at = figure.end()
        else:
            word = _first_word(folded, at, vocabulary)
            tokens.append(vocabulary[word])
            at += len(word)
    return tokens


def read_number(tokens: list[Token]) -> int:
    """Add up one number: scales fall, no figure follows another. Raises NotANumber."""
    reader = _Reader(tokens)
    total = Fraction(0)
    ceiling: int | None = None
    while True:
        joined = ceiling is not None and reader.takes(Joint.AND)
        if joined and ceiling is not None and reader.ends_with(Joint.HALF):
            if ceiling < _HALF_AFTER_MIN:
                raise NotANumber("half of what?")
            total += ceiling // 2
            break
        term, scale = _term(reader, after_and=joined, is_first=ceiling is None)
        if ceiling is not None and term >= ceiling:
            raise NotANumber("these are two numbers")
        total += term
        ceiling = scale
        if reader.is_done:
            break
        if scale == 1:
            raise NotANumber("something follows the number")
    if total.denominator != 1:
        raise NotANumber("this is not a whole number")
    return total.numerator


def _term(reader: _Reader, *, after_and: bool, is_first: bool) -> tuple[Fraction, int]:
    """Read one group with its scale: «دویست و پنجاه هزار», "1.5 million"."""
    first = reader.next
    if isinstance(first, Scale):
        if not first.stands_alone or not (is_first or after_and):
            raise NotANumber("how many of these?")
        reader.skip()
        return Fraction(first.value), first.value

    group = _group(reader)
    if reader.comes(Joint.AND, Joint.HALF, Scale):
        reader.skip(2)
        group += Fraction(1, 2)
    scale = reader.next
    if isinstance(scale, Scale):
        if isinstance(first, Figure) and first.may_be_decimal:
            raise NotANumber("thousands or a decimal?")
        reader.skip()
        return group * scale.value, scale.value
    if first is Joint.HALF or (isinstance(first, Figure) and first.is_decimal):
        raise NotANumber("this is not a whole number")
    if isinstance(first, Figure) and not (is_first or after_and):
        # «۵۰ هزار 1» is rather an amount and a key than 50,001.
        raise NotANumber("these are two numbers")
    return group, 1


def _group(reader: _Reader) -> Fraction:
    first = reader.next
    reader.skip()
    if isinstance(first, Figure):
        return first.value
    if first is Joint.HALF:
        return Fraction(1, 2)
    if not isinstance(first, Word):
        raise NotANumber("a number is missing")
    value, lowest = first.value, first.bottom
    while True:
        joined = reader.comes(Joint.AND, Word)
        if joined:
            reader.skip()
        word = reader.next
        if not isinstance(word, Word):
            return Fraction(value)
        if word is _HUNDRED and value < 10 and not joined:
            value, lowest = value * 100, 100
        elif word.top < lowest:
            value, lowest = value + word.value, word.bottom
        else:
            raise NotANumber("these are two numbers")
        reader.skip()


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def next(self) -> Token | None:
        return None if self.is_done else self._tokens[self._at]

    @property
    def is_done(self) -> bool:
        return self._at >= len(self._tokens)

    def skip(self, count: int = 1) -> None:
        self._at += count

    def takes(self, joint: Joint) -> bool:
        if self.next is not joint:
            return False
        self.skip()
        return True

    def ends_with(self, joint: Joint) -> bool:
        return self._tokens[self._at :] == [joint]

    def comes(self, *kinds: Joint | type[Word] | type[Scale]) -> bool:
        ahead = self._tokens[self._at : self._at + len(kinds)]
        return len(ahead) == len(kinds) and all(
            token is kind if isinstance(kind, Joint) else isinstance(token, kind)
            for token, kind in zip(ahead, kinds, strict=True)
        )


_LETTER = r"[^\W\d_a-z]"
_GAP = re.compile(rf"(?<={_LETTER}) (?={_LETTER})")
_LATIN = re.compile(r"[a-z]+")

# One kind of mark in one figure: "1.000,000" is two conventions and no number.
_FIGURE = re.compile(
    r"(?P<grouped>[1-9]\d{0,2}(?:(?P<mark>[ .,\u060c\u066c])\d{3}(?:(?P=mark)\d{3})*))"
    r"(?!\d)"
    r"|(?P<decimal>\d+[.\u066b]\d+)"
    r"|\d+",
    re.ASCII,
)


def _figure(found: re.Match[str]) -> Figure:
    if found["grouped"]:
        groups = re.findall(r"\d+", found["grouped"], re.ASCII)
        doubtful = found["mark"] == "." and len(groups) == 2
        return Figure(Fraction("".join(groups)), may_be_decimal=doubtful)
    if found["decimal"]:
        return Figure(Fraction(found[0].replace("\u066b", ".")), is_decimal=True)
    return Figure(Fraction(found[0]))


def _first_word(folded: str, at: int, vocabulary: Mapping[str, Token]) -> str:
    """Find the longest Persian word here, or the whole Latin one."""
    latin = _LATIN.match(folded, at)
    if latin and latin[0] in vocabulary:
        return latin[0]
    if not latin:
        for length in range(_WORD_CHARS_MAX, 0, -1):
            if folded[at : at + length] in vocabulary:
                return folded[at : at + length]
    raise NotANumber("there is a word or a sign that is no part of a number")


def _count(first: int, place: int, spelled: str, top: int = 0) -> dict[str, Token]:
    """Number the words of a line place by place; spellings of one stand with a /."""
    return {
        fold(word): Word(n * place, top or place, place)
        for n, spellings in enumerate(spelled.split(), first)
        for word in spellings.split("/")
    }


NUMBER_WORDS: dict[str, Token] = (
    _count(1, 1, "یک/یه دو سه چهار/چار پنج شش/شیش هفت هشت نه")
    | _count(10, 1, "ده یازده دوازده سیزده چهارده پانزده/پونزده شانزده/شونزده", top=10)
    | _count(17, 1, "هفده/هیفده هجده/هیجده نوزده", top=10)
    | _count(2, 10, "بیست سی چهل پنجاه شصت هفتاد هشتاد نود")
    | _count(2, 100, "دویست سیصد چهارصد/چارصد پانصد/پونصد ششصد/شیشصد")
    | _count(7, 100, "هفتصد هشتصد نهصد")
    | _count(1, 1, "one two three four five six seven eight nine")
    | _count(10, 1, "ten eleven twelve thirteen fourteen fifteen sixteen", top=10)
    | _count(17, 1, "seventeen eighteen nineteen", top=10)
    | _count(2, 10, "twenty thirty forty fifty sixty seventy eighty ninety")
    | {"صد": _HUNDRED, "hundred": _HUNDRED}
    | {"هزار": Scale(10**3, stands_alone=True), "thousand": Scale(10**3)}
    | dict.fromkeys(("میلیون", "ملیون", "million"), Scale(10**6))
    | dict.fromkeys(("میلیارد", "ملیارد", "billion"), Scale(10**9))
    | {"و": Joint.AND, "and": Joint.AND, "نیم": Joint.HALF}
)
_WORD_CHARS_MAX = max(map(len, NUMBER_WORDS))
