"""Read an amount of money as people write it: figures, words, toman, rial.

Nothing is guessed: a text with two readings is refused, to be asked for again. So
"1.250 million" is refused (a quarter over a million, or over a thousand million?),
and so are "50k", "2*3", "12.5" and two figures side by side. Whether an amount is
too small or too large for a campaign is for the caller to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from phone.digits import fold
from phone.numerals import NUMBER_WORDS, NotANumber, Token, read_number, read_tokens

CHARS_MAX = 40
RIAL_MAX = 10**15
RIAL_PER_TOMAN = 10


class NotAnAmount(ValueError):
    """This cannot be read as one amount."""


class Unit(StrEnum):
    TOMAN = "toman"
    RIAL = "rial"


_SAID = {
    "تومان": Unit.TOMAN,
    "تومن": Unit.TOMAN,
    "toman": Unit.TOMAN,
    "tomans": Unit.TOMAN,
    "ریال": Unit.RIAL,
    "﷼": Unit.RIAL,
    "rial": Unit.RIAL,
    "rials": Unit.RIAL,
    "irr": Unit.RIAL,
}
_VOCABULARY = NUMBER_WORDS | {fold(word): unit for word, unit in _SAID.items()}


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount in rial, and the unit that was said, None if none was."""

    rial: int
    unit: Unit | None


def read_amount(text: str) -> Amount:
    """Read 50000, ۵۰٬۰۰۰, «۵۰ هزار», «یک میلیون و دویست هزار تومان», 500000 rial.

    Toman is meant where no unit is said. Raises NotAnAmount, also above 10**15 rial
    or 40 characters.
    """
    if len(text) > CHARS_MAX:
        raise NotAnAmount(f"an amount has at most {CHARS_MAX} characters")
    try:
        tokens = read_tokens(text, _VOCABULARY)
        unit, rest = _unit(tokens)
        number = read_number(rest)
    except NotANumber as reason:
        raise NotAnAmount(str(reason)) from None
    rial = number if unit is Unit.RIAL else number * RIAL_PER_TOMAN
    if rial > RIAL_MAX:
        raise NotAnAmount(f"an amount is at most {RIAL_MAX} rial")
    return Amount(rial, unit)


def _unit(tokens: list[Token]) -> tuple[Unit | None, list[Token]]:
    """Take the unit off either end; one left in the middle is no number's part."""
    if tokens and isinstance(tokens[-1], Unit):
        return tokens[-1], tokens[:-1]
    if tokens and isinstance(tokens[0], Unit):
        return tokens[0], tokens[1:]
    return None, tokens
