"""Texts as octets under a data_coding, as one centre understands it.

Sources: SMPP 3.4, section 5.2.19 (8 is UCS-2); 3GPP TS 23.038, sections 4 and 5 (the
coding schemes of texts and of USSD, which some centres pass on as they are: 0x0F and
0xF0 are GSM-7, 0x18 and 0x48 are UCS-2).
"""

from __future__ import annotations

from dataclasses import dataclass

from phone.encoding import Encoding, gsm7_septets
from phone.smpp.gsm7 import NotGsm7, pack, septets, text_of, unpack

__all__ = ["Codings", "NotText"]

DEFAULT = 0x00
IA5, LATIN_1 = 0x01, 0x03
# The four of a row differ in the class: for the screen, the phone, the card, a machine.
UCS2 = frozenset({0x08, 0x48, *range(0x18, 0x1C)})
GSM7 = frozenset({DEFAULT, 0x0F, *range(0x10, 0x14), *range(0xF0, 0xF4)})


class NotText(ValueError):
    """Octets that are no text under their data_coding."""


@dataclass(frozen=True, slots=True)
class Codings:
    """Which data_coding means GSM-7 and which UCS-2 (big endian), to one centre.

    GSM-7 goes one septet an octet, as SMPP has it, unless `packed`. To a centre that
    is `latin1` the default alphabet is Latin-1, and it makes GSM-7 of it.
    """

    gsm7: int = 0x00
    ucs2: int = 0x08
    packed: bool = False
    latin1: bool = False

    def encoding(self, text: str) -> Encoding:
        """The shorter alphabet that a text fits and this centre can be told."""
        if gsm7_septets(text) is None:
            return Encoding.UCS2
        if self.latin1 and not _is_latin_1(text):
            return Encoding.UCS2
        return Encoding.GSM7

    def write(self, text: str, encoding: Encoding | None = None) -> tuple[int, bytes]:
        """The data_coding and the octets of a text.

        A part of a text goes in the `encoding` of the whole. Raises NotText for half of
        a surrogate pair.
        """
        if (encoding or self.encoding(text)) is Encoding.UCS2:
            try:
                return self.ucs2, text.encode("utf-16-be")
            except UnicodeEncodeError:
                raise NotText("half of a surrogate pair") from None
        if self.latin1:
            return self.gsm7, text.encode("latin-1")
        written = septets(text)
        return self.gsm7, pack(written) if self.packed else written

    def read(self, data_coding: int, octets: bytes, *, lenient: bool = False) -> str:
        """The text of octets; raises NotText, also for what is meant as binary.

        Both usual codes of each alphabet are known, whichever the centre is sent. Where
        `lenient`, what is no letter becomes U+FFFD, and only binary is no text.
        """
        try:
            if data_coding == self.ucs2 or data_coding in UCS2 - {self.gsm7}:
                return octets.decode("utf-16-be", "replace" if lenient else "strict")
            if data_coding == self.gsm7 or data_coding in GSM7:
                return self._read_default(octets, lenient)
            if data_coding in (IA5, LATIN_1):
                return octets.decode("latin-1")
        except (UnicodeDecodeError, NotGsm7):
            raise NotText(f"no text under data_coding {data_coding}") from None
        raise NotText(f"data_coding {data_coding} is of no text that is known")

    def _read_default(self, octets: bytes, lenient: bool) -> str:
        if self.latin1:
            return octets.decode("latin-1")
        if self.packed:
            octets = unpack(octets)
        if not lenient or octets.isascii():
            return text_of(octets)
        # Each of them by itself: what came before is not lost for what is no septet.
        return "\ufffd".join(
            text_of(octets[start:end]) for start, end in _septet_runs(octets)
        )


def _is_latin_1(text: str) -> bool:
    return all(letter <= "\xff" for letter in text)


def _septet_runs(octets: bytes) -> list[tuple[int, int]]:
    """Where the runs between octets that are no septets begin and end."""
    breaks = [at for at, octet in enumerate(octets) if octet > 0x7F]
    return list(
        zip([0, *(at + 1 for at in breaks)], [*breaks, len(octets)], strict=True)
    )
