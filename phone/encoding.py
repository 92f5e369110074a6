"""Count what a text costs on the air, and cut it into SMS parts.

Sources: 3GPP TS 23.038 sections 6.2.1 and 6.2.1.1 (the GSM 7 bit default alphabet
and its extension table), TS 23.040 section 9.2.3.24.1 (concatenated messages), GSM
04.80 annex A (a USSD string is at most 160 octets: 182 septets or 80 units).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

USSD_GSM7_SEPTETS_MAX = 182
USSD_UCS2_UNITS_MAX = 80

SMS_OCTETS = 140
SMS_GSM7_SEPTETS = 160
SMS_UCS2_UNITS = 70
# What a part of several gives to its user data header, whose reference has one octet:
# 153 septets or 67 units are left. With a reference of two octets it is one more.
HEADER_OCTETS = 6
SMS_PARTS_MAX = 255  # the header counts parts in one octet

GSM7_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENSION = frozenset("\f^{}\\[~]|€")

_JOINERS = "\u200c\u200d"


class TextTooLong(ValueError):
    """The text would need more parts than one SMS can have."""


class Encoding(StrEnum):
    GSM7 = "gsm7"
    UCS2 = "ucs2"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one screen of a channel holds, in the unit of either encoding.

    The default is what aggregators that tunnel USSD through SMS-sized buffers let
    through. Raises ValueError beyond what GSM 04.80 allows.
    """

    gsm7_septets: int = SMS_GSM7_SEPTETS
    ucs2_units: int = SMS_UCS2_UNITS

    def __post_init__(self) -> None:
        if not 1 <= self.gsm7_septets <= USSD_GSM7_SEPTETS_MAX:
            raise ValueError(f"gsm7_septets is 1 to {USSD_GSM7_SEPTETS_MAX}")
        if not 1 <= self.ucs2_units <= USSD_UCS2_UNITS_MAX:
            raise ValueError(f"ucs2_units is 1 to {USSD_UCS2_UNITS_MAX}")


def excess(text: str, limits: Limits) -> int:
    """Say by how many units a text passes the limit of the encoding it needs."""
    septets = gsm7_septets(text)
    if septets is not None:
        return max(0, septets - limits.gsm7_septets)
    return max(0, ucs2_units(text) - limits.ucs2_units)


def gsm7_septets(text: str) -> int | None:
    """Count septets, two for an extension character; None if GSM-7 cannot hold it."""
    escaped = set(text) - GSM7_BASIC
    if not escaped <= GSM7_EXTENSION:
        return None
    return len(text) + sum(map(text.count, escaped))


def ucs2_units(text: str) -> int:
    """Count UTF-16 code units: an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def sms_parts(
    text: str,
    *,
    header_octets: int = HEADER_OCTETS,
    encoding: Encoding | None = None,
) -> tuple[str, ...]:
    """Cut a text into the parts it is sent as; joined, they are the text again.

    No part ends inside a surrogate pair or an escape pair, nor between a letter and
    a mark or joiner that belongs to it, unless one letter's marks fill a whole part.
    A part of several leaves room for its header. `encoding` is UCS2 where a text goes
    so though GSM-7 could hold it. Raises TextTooLong beyond 255 parts.
    """
    septets = None if encoding is Encoding.UCS2 else gsm7_septets(text)
    octets = SMS_OCTETS - header_octets
    if septets is not None:
        whole, room, wide = SMS_GSM7_SEPTETS, octets * 8 // 7, GSM7_EXTENSION
        size = septets
    else:
        whole, room, wide = SMS_UCS2_UNITS, octets // 2, None
        size = ucs2_units(text)
    if size <= whole:
        return (text,)
    if size > room * SMS_PARTS_MAX:
        raise TextTooLong(f"a text has at most {SMS_PARTS_MAX} parts")

    parts = []
    start = 0
    while start < len(text):
        end = _cut(text, start, room, wide)
        parts.append(text[start:end])
        start = end
    if len(parts) > SMS_PARTS_MAX:
        raise TextTooLong(f"a text has at most {SMS_PARTS_MAX} parts")
    return tuple(parts)


def sms_cost(text: str) -> tuple[int, Encoding]:
    """Say how many parts a carrier will bill, and in which encoding they go."""
    encoding = Encoding.UCS2 if gsm7_septets(text) is None else Encoding.GSM7
    return len(sms_parts(text)), encoding


def _cut(text: str, start: int, room: int, wide: frozenset[str] | None) -> int:
    """Find where the part that begins at start ends. wide: None counts UTF-16."""
    end = start
    while end < len(text):
        double = text[end] > "\uffff" if wide is None else text[end] in wide
        room -= 2 if double else 1
        if room < 0:
            break
        end += 1
    if end == len(text):
        return end
    kept = end
    while kept > start and _clings(text[kept]):
        kept -= 1
    return kept if kept > start else end


def _clings(char: str) -> bool:
    return char in _JOINERS or unicodedata.category(char) in {"Mn", "Me"}
