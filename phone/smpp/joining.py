"""What a phone sent, out of the pieces it comes in.

Source: 3GPP TS 23.040, section 9.2.3.24 (the header: a length, then elements of an
identifier, a length and a value; one that comes twice counts the second time); SMPP
3.4, sections 5.3.2.22 to 24. Pieces come in any order and again, so whoever calls
stores them, by the sender, the line, `Piece.whose` and the number, and joins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby

from phone.smpp.codings import Codings
from phone.smpp.pdu import Message
from phone.smpp.tlv import Tag

__all__ = ["NotAPiece", "Piece", "Width", "join", "payload", "read_piece"]

USER_DATA_HEADER = 0x40
_CONCAT_8, _CONCAT_16 = 0x00, 0x08


class NotAPiece(ValueError):
    """A header, or parameters, that contradict themselves."""


class Width(StrEnum):
    """Where a reference stood: those of one kind are never those of another."""

    NONE = ""
    OCTET = "8"
    TWO_OCTETS = "16"
    SAR = "sar"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, or all of it. Octets, for a letter may be cut in two."""

    width: Width
    reference: int
    total: int
    number: int
    data_coding: int
    octets: bytes = field(repr=False)

    @property
    def is_whole(self) -> bool:
        return self.total == 1

    @property
    def whose(self) -> tuple[Width, int, int]:
        """What the pieces of one text of one sender to one line have in common."""
        return self.width, self.reference, self.total


def read_piece(message: Message) -> Piece:
    """Read what a deliver_sm or data_sm brings; raises NotAPiece."""
    header, octets = payload(message)
    place = _of_header(header) or _of_parameters(message)
    if place is None:
        return Piece(Width.NONE, 0, 1, 1, message.data_coding, octets)
    width, reference, total, number = place
    if not 1 <= number <= total:
        raise NotAPiece(f"part {number} of {total}")
    return Piece(width, reference, total, number, message.data_coding, octets)


def join(pieces: Iterable[Piece], codings: Codings) -> str | None:
    """The text of the pieces, in any order; None as long as one is missing.

    Of a number that came twice the first counts. What is no letter becomes U+FFFD.
    Raises NotText where it is binary, NotAPiece where they are not of one text.
    """
    found: dict[int, Piece] = {}
    for piece in pieces:
        found.setdefault(piece.number, piece)
    if not found:
        return None
    if len({piece.whose for piece in found.values()}) > 1:
        raise NotAPiece("pieces of several texts")
    total = next(iter(found.values())).total
    if len(found) < total:
        return None
    ordered = [found[number] for number in sorted(found)]
    # Some centres choose the alphabet for each part.
    return "".join(
        codings.read(coding, b"".join(one.octets for one in run), lenient=True)
        for coding, run in groupby(ordered, lambda piece: piece.data_coding)
    )


def payload(message: Message) -> tuple[bytes, bytes]:
    """The user data header without its length, and what follows; raises NotAPiece."""
    octets = message.short_message or message.tlv(Tag.MESSAGE_PAYLOAD) or b""
    if not message.esm_class & USER_DATA_HEADER:
        return b"", octets
    if not octets or octets[0] >= len(octets):
        raise NotAPiece("a user data header longer than its message")
    end = octets[0] + 1
    return octets[1:end], octets[end:]


def _of_header(header: bytes) -> tuple[Width, int, int, int] | None:
    found = None
    at = 0
    while at < len(header):
        value = header[at + 2 :][: header[at + 1]] if at + 1 < len(header) else b""
        if at + 1 >= len(header) or len(value) < header[at + 1]:
            raise NotAPiece("an element of the user data header is cut short")
        if header[at] == _CONCAT_8 and len(value) == 3:
            found = Width.OCTET, value[0], value[1], value[2]
        elif header[at] == _CONCAT_16 and len(value) == 4:
            found = Width.TWO_OCTETS, int.from_bytes(value[:2]), value[2], value[3]
        at += 2 + len(value)
    return found


def _of_parameters(message: Message) -> tuple[Width, int, int, int] | None:
    reference = message.tlv(Tag.SAR_MSG_REF_NUM)
    total = message.tlv(Tag.SAR_TOTAL_SEGMENTS)
    number = message.tlv(Tag.SAR_SEGMENT_SEQNUM)
    if reference is None or total is None or number is None:
        return None
    if not 1 <= len(reference) <= 2 or len(total) != 1 or len(number) != 1:
        raise NotAPiece("sar_ parameters of other lengths than theirs")
    return Width.SAR, int.from_bytes(reference), total[0], number[0]
