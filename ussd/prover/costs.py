"""What each text costs to send: its parts at the longest, and why they are so many.

One letter that GSM-7 does not have makes a part hold 70 units in the place of 160
septets (3GPP TS 23.038), so the first such letter is named, with its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from phone.encoding import (
    GSM7_BASIC,
    GSM7_EXTENSION,
    HEADER_OCTETS,
    SMS_GSM7_SEPTETS,
    SMS_OCTETS,
    SMS_UCS2_UNITS,
    Encoding,
    gsm7_septets,
    sms_cost,
    ucs2_units,
)
from ussd.menus import Menus
from ussd.prover.messages import slots_of, wordings
from ussd.prover.worst import Line

__all__ = ["TextCost", "text_costs"]

_GSM7 = GSM7_BASIC | GSM7_EXTENSION
# What one part of several holds.
_PART_SEPTETS = (SMS_OCTETS - HEADER_OCTETS) * 8 // 7
_PART_UNITS = (SMS_OCTETS - HEADER_OCTETS) // 2


@dataclass(frozen=True, slots=True)
class TextCost:
    """A text in one language, at its longest.

    `length` and `room` are septets or UTF-16 units, by the encoding: what it has, and
    what so many parts hold. `cut` are those to take away for one part fewer, 0 where it
    is one. `letter` is the first that GSM-7 lacks, at the character `at` of the text,
    and `others` how many more there are; `parts_without` is what it would take without
    them. `stop_line` are the words it ends with.
    """

    name: str
    kind: str
    language: str
    parts: int
    encoding: Encoding
    length: int
    room: int
    cut: int
    letter: str
    at: int
    others: int
    parts_without: int
    stop_line: str


def text_costs(menus: Menus, lines: Sequence[Line], units: int) -> list[TextCost]:
    """Every text of a file without a fault, in its order and in each language."""
    given = slots_of(menus)
    costs = []
    for name, message in menus.texts.items():
        for language in message.text:
            longest = max(
                wordings(menus, message, language, given[name], lines, units),
                key=lambda one: (sms_cost(one.whole)[0], _length(one.whole)),
            )
            cost = _cost(longest.whole)
            costs.append(
                TextCost(
                    name, message.kind, language, *cost, stop_line=longest.stop_line
                )
            )
    return costs


def _cost(
    text: str,
) -> tuple[int, Encoding, int, int, int, str, int, int, int]:
    """From `parts` to `parts_without`, in the order of TextCost."""
    parts, encoding = sms_cost(text)
    length = _length(text)
    foreign = [at for at, letter in enumerate(text) if letter not in _GSM7]
    latin = "".join("?" if letter not in _GSM7 else letter for letter in text)
    return (
        parts,
        encoding,
        length,
        _room(parts, encoding),
        length - _room(parts - 1, encoding) if parts > 1 else 0,
        text[foreign[0]] if foreign else "",
        foreign[0] + 1 if foreign else 0,
        max(0, len(foreign) - 1),
        sms_cost(latin)[0],
    )


def _length(text: str) -> int:
    septets = gsm7_septets(text)
    return ucs2_units(text) if septets is None else septets


def _room(parts: int, encoding: Encoding) -> int:
    """What so many parts hold, at the most: a letter is never cut in two."""
    if encoding is Encoding.GSM7:
        return SMS_GSM7_SEPTETS if parts == 1 else parts * _PART_SEPTETS
    return SMS_UCS2_UNITS if parts == 1 else parts * _PART_UNITS
