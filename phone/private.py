"""Find what must be refused and never stored: card numbers, national IDs, and the
codes that people pay with elsewhere.

All of it takes Persian and Arabic digits, and the marks people put between groups.
"""

from __future__ import annotations

import re

from phone.digits import fold_digits, visible

CARD_DIGITS = 16
NATIONAL_ID_DIGITS = 10
# What a household tells a shop that is to take the subsidy's credit.
PURCHASE_CODE_DIGITS = 8

_BETWEEN = r"[\s\-.,_/\u060c\u0640\u066b\u066c\u2010-\u2015\u2212]{1,3}"
_RUN = re.compile(rf"\d+(?:{_BETWEEN}\d+)*", re.ASCII)
_GROUP = re.compile(r"\d+", re.ASCII)


def looks_like_card(text: str) -> bool:
    """Say whether a text holds 16 digits that pass Luhn (ISO/IEC 7812-1 annex B).

    The digits may stand in groups. A number that only begins or ends inside a group
    counts where that group alone is longer than a card, because two phone numbers
    side by side would otherwise be a card as often as not.
    """
    return any(
        _passes_luhn(digits) for groups in _runs(text) for digits in _card_sized(groups)
    )


def looks_like_national_id(text: str) -> bool:
    """Say whether a text holds exactly ten digits that make an Iranian national ID.

    The check digit is 11 minus the weighted sum modulo 11; ten equal digits are not
    issued. One postal code in eleven passes too, so ask where none is expected.
    """
    return any(
        _is_national_id(digits)
        for groups in _runs(text)
        for digits in ("".join(groups), *groups)
    )


def looks_like_purchase_code(text: str) -> bool:
    """Say whether a text holds exactly eight digits, in one group or in several.

    A landline number without its area code does too, so ask where none is expected.
    """
    return any(
        len(digits) == PURCHASE_CODE_DIGITS
        for groups in _runs(text)
        for digits in ("".join(groups), *groups)
    )


def is_none_of_ours(text: str) -> bool:
    """Say whether a text holds a number that is private where we ask for none: an
    identity, a purchase code, or any that is longer than our nine-digit codes."""
    return (
        looks_like_purchase_code(text)
        or looks_like_national_id(text)
        or long_digits(text, NATIONAL_ID_DIGITS)
    )


def long_digits(text: str, at_least: int = 8) -> bool:
    """Say whether a text holds that many digits in one run, marks between allowed."""
    return any(sum(map(len, groups)) >= at_least for groups in _runs(text))


def _runs(text: str) -> list[list[str]]:
    folded = fold_digits(visible(text))
    return [_GROUP.findall(run) for run in _RUN.findall(folded)]


def _card_sized(groups: list[str]) -> list[str]:
    found = []
    for first, group in enumerate(groups):
        for start in range(len(group) - CARD_DIGITS + 1):
            found.append(group[start : start + CARD_DIGITS])
        digits = group
        for following in groups[first + 1 : first + CARD_DIGITS]:
            digits += following
            if len(digits) >= CARD_DIGITS:
                break
        if len(digits) == CARD_DIGITS > len(group):
            found.append(digits)
    return found


def _passes_luhn(digits: str) -> bool:
    total = sum(map(int, digits[1::2]))
    return (total + sum(sum(divmod(2 * int(d), 10)) for d in digits[0::2])) % 10 == 0


def _is_national_id(digits: str) -> bool:
    if len(digits) != NATIONAL_ID_DIGITS or len(set(digits)) == 1:
        return False
    weighed = sum(int(d) * (10 - place) for place, d in enumerate(digits[:9]))
    rest = weighed % 11
    return int(digits[9]) == (rest if rest < 2 else 11 - rest)
