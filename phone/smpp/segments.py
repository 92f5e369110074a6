"""A text as the submit_sm that carry it: cut by us, and never left to the centre.

Source: 3GPP TS 23.040, sections 9.2.3.24.1 and 9.2.3.24.8 (the header's references of
one and two octets); SMPP 3.4, sections 5.3.2.22 to 24 (the `sar_` parameters), 5.2.5
and 5.2.6 (types of number), 7.1.1 (relative times).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from phone.encoding import HEADER_OCTETS, sms_parts
from phone.smpp.codings import Codings
from phone.smpp.faults import Unwritable
from phone.smpp.tlv import Tag, Tlvs

__all__ = ["Joint", "Party", "Segment", "cut", "party", "relative_time"]

USER_DATA_HEADER = 0x40
# A relative time counts in months beyond this, and months differ.
VALIDITY_SECONDS_MAX = 30 * 86_400
SENDER_LETTERS_MAX = 11


class Joint(StrEnum):
    """How the parts of one text say that they belong together.

    By a header before the text, with a reference of one octet or of two; or by
    parameters beside it, of which the centre makes a header.
    """

    UDH8 = "udh8"
    UDH16 = "udh16"
    SAR = "sar"

    @property
    def header_octets(self) -> int:
        """What it takes from each part on the air."""
        return HEADER_OCTETS + (self is Joint.UDH16)


@dataclass(frozen=True, slots=True)
class Segment:
    """What one submit_sm of a text holds; its octets are not shown by repr."""

    esm_class: int
    data_coding: int
    short_message: bytes = field(repr=False)
    tlvs: Tlvs = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Party:
    """An address and its type. Not shown by repr: it may be a caller's number."""

    ton: int
    npi: int
    address: str = field(repr=False)


def cut(
    text: str, *, codings: Codings, joint: Joint = Joint.UDH8, reference: int = 0
) -> tuple[Segment, ...]:
    """Cut a text into segments: 140 octets each, or 160 septets of one octet each.

    `reference` is 0 to 0xFFFF, of which UDH8 uses the lower half: the same for all
    parts of a text, and another for the next text to that phone. Raises TextTooLong
    beyond 255 parts, NotText for half of a surrogate pair, ValueError where GSM-7 is
    packed: a header would shift its bits.
    """
    if codings.packed:
        raise ValueError("a text goes one septet an octet")
    encoding = codings.encoding(text)
    parts = sms_parts(text, header_octets=joint.header_octets, encoding=encoding)
    return tuple(
        _segment(
            *codings.write(part, encoding),
            joint,
            reference & 0xFFFF,
            len(parts),
            number,
        )
        for number, part in enumerate(parts, 1)
    )


def party(address: str) -> Party:
    """The type of an address by its look: `+98912…`, `3000…`, or a name in letters.

    Whoever knows better what a centre wants may say so instead. Raises Unwritable.
    """
    digits = address.removeprefix("+")
    if digits.isascii() and digits.isdecimal():
        if len(digits) > 20:
            raise Unwritable("a number has at most 20 digits")
        # Unknown, of the telephone plan: what a line within a country goes as.
        return Party(1 if digits != address else 0, 1, digits)
    is_shown = address.isascii() and address.isprintable()
    has_letter = any(map(str.isalpha, address))
    if not (is_shown and has_letter and len(address) <= SENDER_LETTERS_MAX):
        raise Unwritable(f"a name has 1 to {SENDER_LETTERS_MAX} letters of ASCII")
    return Party(5, 0, address)


def relative_time(seconds: float) -> str:
    """A validity_period: from one second to thirty days from now."""
    left = int(min(max(seconds, 1), VALIDITY_SECONDS_MAX))
    minutes, second = divmod(left, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    return f"0000{day:02}{hour:02}{minute:02}{second:02}000R"


def _segment(
    data_coding: int,
    octets: bytes,
    joint: Joint,
    reference: int,
    total: int,
    number: int,
) -> Segment:
    if total == 1:
        return Segment(0, data_coding, octets)
    if joint is Joint.SAR:
        tlvs = (
            (int(Tag.SAR_MSG_REF_NUM), reference.to_bytes(2)),
            (int(Tag.SAR_TOTAL_SEGMENTS), bytes([total])),
            (int(Tag.SAR_SEGMENT_SEQNUM), bytes([number])),
        )
        return Segment(0, data_coding, octets, tlvs)
    if joint is Joint.UDH16:
        header = bytes([6, 8, 4, *reference.to_bytes(2), total, number])
    else:
        header = bytes([5, 0, 3, reference & 0xFF, total, number])
    return Segment(USER_DATA_HEADER, data_coding, header + octets)
