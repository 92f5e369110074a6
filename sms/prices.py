"""What texts cost: reckoned before they are sent, read from what a carrier says after.

A carrier bills each part of a text, and some bill one operator's subscribers higher.
Amounts are exact decimals and never mix currencies; a currency is whatever word the
operator or the carrier uses for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

__all__ = ["Cost", "Price", "heard", "said", "total"]

CURRENCY_CHARS_MAX = 20
HEARD_CHARS_MAX = 40

# As in the setting `step_price`: `1150 rial`. Some carriers write the word first.
_COST = re.compile(
    r"(?P<amount>[0-9]{1,9}(\.[0-9]{1,9})?)( (?P<currency>[^\s0-9][^\s]{0,19}))?"
)
_WORD_FIRST = re.compile(r"([A-Za-z]{1,20}) ([0-9.]+)")


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount of one currency; `str` writes it as `1265 rial`."""

    amount: Decimal
    currency: str = ""

    @classmethod
    def read(cls, written: str) -> Cost:
        """Read `1150 rial`, or a figure alone; ValueError for anything else."""
        found = _COST.fullmatch(written)
        if found is None or not written.isprintable():
            raise ValueError("a cost is a figure and one word, as 1150 rial")
        return cls(Decimal(found["amount"]), found["currency"] or "")

    def __str__(self) -> str:
        # normalize() would write 1000 as 1E+3.
        figure = f"{self.amount.normalize():f}"
        return f"{figure} {self.currency}".rstrip()


@dataclass(frozen=True, slots=True)
class Price:
    """What a channel bills for one part.

    `factors` are by the beginning of a number in E.164; the longest that fits counts.
    """

    part: Cost
    factors: Mapping[str, Decimal] = field(default_factory=dict, hash=False)

    def of(self, to: str, parts: int) -> Cost:
        """What a text of so many parts to that number will cost."""
        fitting = [prefix for prefix in self.factors if to.startswith(prefix)]
        factor = self.factors[max(fitting, key=len)] if fitting else Decimal(1)
        return Cost(self.part.amount * parts * factor, self.part.currency)


def total(costs: Iterable[Cost]) -> tuple[Cost, ...]:
    """Add up, one sum for each currency, in the order of their names."""
    sums: dict[str, Decimal] = {}
    for cost in costs:
        sums[cost.currency] = sums.get(cost.currency, Decimal(0)) + cost.amount
    return tuple(Cost(sums[currency], currency) for currency in sorted(sums))


def heard(amount: object, currency: object = "") -> Cost | None:
    """Read what a carrier says that a text cost; None for what is no such thing.

    The currency may stand in `amount` itself, before or after the figure. A figure
    below zero is one taken from our credit.
    """
    if isinstance(amount, bool) or not isinstance(amount, (str, int, float)):
        return None
    words = str(amount)[: HEARD_CHARS_MAX + 1].strip().removeprefix("-")
    if first := _WORD_FIRST.fullmatch(words):
        words = f"{first[2]} {first[1]}"
    elif isinstance(currency, str) and currency:
        words = f"{words} {currency[: CURRENCY_CHARS_MAX + 1]}"
    try:
        return Cost.read(words)
    except ValueError:
        return None


def said(*costs: Cost | None) -> str:
    """Write what the parts of a text cost together; empty unless all of it is known."""
    known = [cost for cost in costs if cost is not None]
    sums = total(known)
    return str(sums[0]) if len(known) == len(costs) and len(sums) == 1 else ""
