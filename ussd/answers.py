"""What a caller typed at a question, read as the kind of answer it asks for."""

from __future__ import annotations

from collections.abc import Mapping

from phone.amounts import RIAL_PER_TOMAN, NotAnAmount, Unit, read_amount
from phone.codes import NotACode, damm, read_code
from phone.digits import fold, fold_digits, visible
from phone.encoding import ucs2_units
from phone.numbers import NotAPhone, from_person
from phone.private import long_digits
from ussd.menus import Ask, Campaign, Kind

__all__ = ["Refused", "read_answer"]

NAME_DIGITS_MAX = 7
# A lone figure this many times too small may have been meant in thousands.
THOUSAND = 1000
# Written between Persian letters, though Unicode does not count it as printable.
ZWNJ = "\u200c"

YES = "yes"
NO = "no"
# Whatever language the menus are read in.
_SAID = {
    **{fold(word): YES for word in ("yes", "y", "بله", "بلی", "آره")},
    **{fold(word): NO for word in ("no", "n", "خیر", "نه")},
}


class Refused(Exception):
    """The answer does not do; `screen` says why, where the menus have one."""

    def __init__(
        self, screen: str = "", answers: Mapping[str, str] | None = None
    ) -> None:
        self.screen = screen
        self.answers = answers or {}


def read_answer(ask: Ask, answer: str, campaign: Campaign) -> str:
    """The answer in the form it is kept in; raises Refused."""
    match ask.kind:
        case Kind.AMOUNT:
            return _amount(ask, answer, campaign)
        case Kind.TEXT:
            return _text(ask, answer)
        case Kind.YES_NO:
            if (said := _SAID.get(fold(answer))) is not None:
                return said
            raise _bad(ask)
        case Kind.COHORT:
            typed = fold_digits(visible(answer)).strip()
            if typed in campaign.cohorts:
                return typed
            raise _bad(ask)
        case Kind.PHONE:
            try:
                return from_person(answer)
            except NotAPhone:
                raise _bad(ask) from None
        case Kind.CODE:
            try:
                return read_code(answer)
            except NotACode:
                raise _bad(ask) from None
        case _:
            return _figures(ask, answer)


def _amount(ask: Ask, answer: str, campaign: Campaign) -> str:
    """An amount in the campaign's unit, within its bounds.

    A lone figure far below the smallest gift is asked about, never multiplied in
    silence.
    """
    try:
        amount = read_amount(answer)
    except NotAnAmount:
        raise _bad(ask) from None
    rial = amount.rial
    if amount.unit is None and ask.unit is Unit.RIAL:
        rial //= RIAL_PER_TOMAN
    if campaign.min <= rial <= campaign.max:
        return str(rial)
    meant, small = rial * THOUSAND, ask.refused.get("small", "")
    lone = amount.unit is None and campaign.min <= meant <= campaign.max
    if lone and small:
        raise Refused(small, {"meant": str(meant)})
    raise _out_of_range(ask)


def _figures(ask: Ask, answer: str) -> str:
    """A number, or digits that are kept as they were typed."""
    folded = fold_digits(answer)
    if ask.kind is Kind.PLACE_CODE:
        folded = "".join(fold_digits(visible(answer)).split())
    if not (folded.isascii() and folded.isdecimal()):
        raise _bad(ask)
    if ask.kind is Kind.POSTCODE:
        # The first five digits name a place; the rest would name a house.
        if len(folded) != 10 or folded[0] == "0":
            raise _bad(ask)
        return folded[:5]
    if ask.kind is Kind.NUMBER:
        if len(folded) > len(str(ask.max)):
            raise _bad(ask)
        if not ask.min <= int(folded) <= ask.max:
            raise _out_of_range(ask)
        return str(int(folded))
    if not ask.min <= len(folded) <= ask.max:
        raise _bad(ask)
    if ask.kind is Kind.PLACE_CODE and damm(folded) != "0":
        raise _bad(ask)
    return folded


def _text(ask: Ask, answer: str) -> str:
    """A short text with a letter in it, and no number that could be anybody's."""
    if (
        not ask.min <= ucs2_units(answer) <= ask.max
        or not answer.replace(ZWNJ, "").isprintable()
        or not any(letter.isalpha() for letter in answer)
        or long_digits(answer, at_least=NAME_DIGITS_MAX + 1)
    ):
        raise _bad(ask)
    return answer


def _bad(ask: Ask) -> Refused:
    return Refused(ask.refused.get("bad", ""))


def _out_of_range(ask: Ask) -> Refused:
    return Refused(ask.refused.get("range", ask.refused.get("bad", "")))
