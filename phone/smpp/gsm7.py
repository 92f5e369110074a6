"""The GSM 7 bit default alphabet as octets: one a septet, or packed.

Source: 3GPP TS 23.038, sections 6.2.1 (the alphabet), 6.2.1.1 (its extension) and
6.1.2.3 (packing for USSD, and what carriage returns do there).
"""

from __future__ import annotations

__all__ = ["NotGsm7", "pack", "septets", "text_of", "unpack"]

ESCAPE = 0x1B
CARRIAGE_RETURN = 0x0D

# Septet by septet; U+001B stands where the escape is.
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_SEPTETS = {letter: bytes([septet]) for septet, letter in enumerate(_BASIC)}
del _SEPTETS["\x1b"]
_SEPTETS |= {letter: bytes([ESCAPE, septet]) for septet, letter in _EXTENSION.items()}


class NotGsm7(ValueError):
    """A character, or an octet, that the alphabet does not have."""


def septets(text: str) -> bytes:
    """Write a text, one septet an octet; raises NotGsm7."""
    try:
        return b"".join([_SEPTETS[letter] for letter in text])
    except KeyError:
        raise NotGsm7("a character that GSM-7 does not have") from None


def text_of(octets: bytes) -> str:
    """Read septets, one an octet; raises NotGsm7 for an octet above 127.

    An escape before what the extension does not have is passed over, as section
    6.2.1.1 wants it; a space where nothing follows.
    """
    letters: list[str] = []
    is_escaped = False
    for octet in octets:
        if octet > 0x7F:
            raise NotGsm7("an octet that is no septet")
        if is_escaped:
            letters.append(_EXTENSION.get(octet, _BASIC[octet]))
            is_escaped = False
        elif octet == ESCAPE:
            is_escaped = True
        else:
            letters.append(_BASIC[octet])
    if is_escaped:
        letters.append(" ")
    return "".join(letters).replace("\x1b", " ")


def pack(unpacked: bytes) -> bytes:
    """Pack septets eight into seven octets.

    Seven bits that are left over would be read as an @: a carriage return fills them.
    One that ends the text on an octet's border would be taken for that filling, and
    gets another behind it.
    """
    spare = len(unpacked) % 8
    ends_in_return = unpacked.endswith(bytes([CARRIAGE_RETURN]))
    if spare == 7 or (spare == 0 and ends_in_return):
        unpacked += bytes([CARRIAGE_RETURN])
    bits = 0
    for at, septet in enumerate(unpacked):
        bits |= septet << (7 * at)
    return bits.to_bytes((len(unpacked) * 7 + 7) // 8, "little")


def unpack(packed: bytes) -> bytes:
    """Take septets apart, one an octet; a carriage return that only fills goes."""
    bits = int.from_bytes(packed, "little")
    count = len(packed) * 8 // 7
    unpacked = bytes(bits >> (7 * at) & 0x7F for at in range(count))
    if count % 8 == 0 and unpacked.endswith(bytes([CARRIAGE_RETURN])):
        return unpacked[:-1]
    return unpacked
