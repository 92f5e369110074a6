"""What a caller typed at a question, read as the kind of answer it asks for."""

from __future__ import annotations

from collections.abc import Mapping

from phone.amounts import NotAnAmount, read_amount
from phone.digits import fold_digits
from phone.encoding import ucs2_units
from phone.private import long_digits
from ussd.menus import Ask, Campaign, Kind

__all__ = ["Refused", "read_answer"]

NAME_DIGITS_MAX = 7
# A lone figure this many times too small may have been meant in thousands.
THOUSAND = 1000
# Written between Persian letters, though Unicode does not count it as printable.
ZWNJ = "\u200c"


class Refused(Exception):
    """The answer does not do; `screen` says why, where the menus have one."""

    def __init__(
        self, screen: str = "", answers: Mapping[str, str] | None = None
    ) -> None:
        self.screen = screen
        self.answers = answers or {}


def read_answer(ask: Ask, answer: str, campaign: Campaign) -> str:
    """The answer in the form it is kept in; raises Refused."""
    if ask.kind is Kind.AMOUNT:
        return _amount(ask, answer, campaign)
    return _plain(ask, answer)


def _amount(ask: Ask, answer: str, campaign: Campaign) -> str:
    """An amount in the campaign's unit, within its bounds.

    A lone figure far below the smallest gift is asked about, never multiplied in
    silence.
    """
    try:
        amount = read_amount(answer)
    except NotAnAmount:
        raise Refused(ask.refused.get("bad", "")) from None
    if campaign.min <= amount.rial <= campaign.max:
        return str(amount.rial)
    meant = amount.rial * THOUSAND
    if amount.unit is None and campaign.min <= meant <= campaign.max:
        raise Refused(ask.refused.get("small", ""), {"meant": str(meant)})
    raise Refused(ask.refused.get("range", ""))


def _plain(ask: Ask, answer: str) -> str:
    """A number, digits, a postal code or a short text."""
    folded = fold_digits(answer)
    digits = folded.isascii() and folded.isdecimal()
    bad = Refused(ask.refused.get("bad", ""))
    if ask.kind is Kind.NUMBER:
        if not digits or len(folded) > len(str(ask.max)):
            raise bad
        if not ask.min <= int(folded) <= ask.max:
            raise Refused(ask.refused.get("range", ask.refused.get("bad", "")))
        return str(int(folded))
    if ask.kind is Kind.DIGITS:
        if not digits or not ask.min <= len(folded) <= ask.max:
            raise bad
        return folded
    if ask.kind is Kind.POSTCODE:
        # The first five digits name a place; the rest would name a house.
        if not digits or len(folded) != 10 or folded[0] == "0":
            raise bad
        return folded[:5]
    if (
        not ask.min <= ucs2_units(answer) <= ask.max
        or not answer.replace(ZWNJ, "").isprintable()
        or not any(letter.isalpha() for letter in answer)
        or long_digits(answer, at_least=NAME_DIGITS_MAX + 1)
    ):
        raise bad
    return answer
