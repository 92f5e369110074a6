"""What is near: a dial with one slip of the finger in it, and a place in the tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ledger.places.kinds import LEVELS

__all__ = ["DIAL_DIGITS_MAX", "DIAL_DIGITS_MIN", "FAR", "Nearness", "one_slip_away"]

DIAL_DIGITS_MIN = 4
DIAL_DIGITS_MAX = 6
_DIGITS = "0123456789"
# No place is shared, or one of the two is unknown.
FAR = len(LEVELS)

# The codes of a place and of all that it lies in, each with its kind.
Chain = Callable[[str | None], list[tuple[str, str]]]


def one_slip_away(digits: str) -> Iterator[str]:
    """The numbers with one other digit, or with two neighbours swapped.

    The check digit shows each such slip (see phone.codes.damm), so a whole dial has no
    other one among them.
    """
    is_one = digits.isascii() and digits.isdecimal()
    if not is_one or not DIAL_DIGITS_MIN <= len(digits) <= DIAL_DIGITS_MAX:
        return
    for at, typed in enumerate(digits):
        for other in _DIGITS:
            if other != typed:
                yield digits[:at] + other + digits[at + 1 :]
        following = digits[at + 1 : at + 2]
        if following and following != typed:
            yield digits[:at] + following + typed + digits[at + 2 :]


class Nearness:
    """How near places are to one of them; what was worked out once is kept.

    `rank` is 0 for the same place, and grows as the lowest place both lie in gets
    higher: neighbourhood, nahiyeh, district, town, county, province, country.
    """

    __slots__ = ("_chain", "_levels", "_ranks")

    def __init__(self, chain: Chain, code: str | None) -> None:
        self._chain = chain
        self._levels = {one: LEVELS.get(kind, 0) for one, kind in chain(code)}
        self._ranks: dict[str | None, int] = {None: FAR}
        if code in self._levels:
            self._ranks[code] = 0

    def rank(self, other: str | None) -> int:
        """0 for the same place up to FAR for one that shares none."""
        known = self._ranks.get(other)
        if known is None:
            known = self._ranks[other] = self._worked_out(other)
        return known

    def _worked_out(self, other: str | None) -> int:
        lowest = max(LEVELS.values())
        for code, _ in self._chain(other):
            if code in self._levels:
                return 1 + lowest - self._levels[code]
        return FAR
