"""Texts as octets under a data_coding, as one centre understands it.

Sources: SMPP 3.4, section 5.2.19 (8 is UCS-2); 3GPP TS 23.038, section 5 (the coding
scheme of USSD, which some centres pass on: 0x0F is GSM-7, 0x48 is UCS-2).
"""

from __future__ import annotations

from dataclasses import dataclass

from phone.encoding import gsm7_septets
from phone.smpp.gsm7 import NotGsm7, pack, septets, text_of, unpack

__all__ = ["Codings", "NotText"]

DEFAULT = 0x00
IA5, LATIN_1 = 0x01, 0x03
UCS2 = frozenset({0x08, 0x48})
GSM7 = frozenset({DEFAULT, 0x0F})


class NotText(ValueError):
    """Octets that are no text under their data_coding."""


@dataclass(frozen=True, slots=True)
class Codings:
    """Which data_coding means GSM-7 and which UCS-2 (big endian), to one centre.

    GSM-7 goes one septet an octet, as SMPP has it, unless `packed`.
    """

    gsm7: int = 0x00
    ucs2: int = 0x08
    packed: bool = False

    def write(self, text: str) -> tuple[int, bytes]:
        """The data_coding and the octets of a text, in the shorter alphabet it fits."""
        if gsm7_septets(text) is None:
            return self.ucs2, text.encode("utf-16-be")
        written = septets(text)
        return self.gsm7, pack(written) if self.packed else written

    def read(self, data_coding: int, octets: bytes) -> str:
        """The text of octets; raises NotText, also for what is meant as binary.

        Both usual codes of each alphabet are known, whichever the centre is sent.
        """
        try:
            if data_coding == self.ucs2 or data_coding in UCS2 - {self.gsm7}:
                return octets.decode("utf-16-be")
            if data_coding == self.gsm7 or data_coding in GSM7:
                return text_of(unpack(octets) if self.packed else octets)
            if data_coding in (IA5, LATIN_1):
                return octets.decode("latin-1")
        except (UnicodeDecodeError, NotGsm7):
            raise NotText(f"no text under data_coding {data_coding}") from None
        raise NotText(f"data_coding {data_coding} is of no text that is known")
