"""What a message centre delivers: receipts, and what people text, whole or in parts.

A text that comes over SMPP has no id of its own. Its name here is a keyed digest of who
sent what to which line, which `ledger.repeats` tells a centre's second try by.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass, field

from ledger.repeats import DIGEST_CHARS
from ledger.vault import Keys
from phone.numbers import NotAPhone, from_network
from phone.smpp.codings import Codings, NotText
from phone.smpp.faults import Unwritable
from phone.smpp.joining import NotAPiece, Piece, join, read_piece
from phone.smpp.pdu import Command, Message, Pdu, encode
from phone.smpp.receipts import (
    NotAReceipt,
    id_key,
    is_receipt,
    read_receipt,
)
from sms.carrier import TEXT_CHARS_MAX, Receipt, Unreadable
from sms.smpp.carrier import Smpp
from sms.smpp.meanings import REPORTED

__all__ = ["Came", "forms_of", "octets_of", "understand", "words_of"]

LINE_CHARS_MAX = 32

_INTERNATIONAL = 1
# No longer than a message_id is.
_DECIMAL = re.compile("[0-9]{1,64}")
_HEXADECIMAL = re.compile("[0-9a-f]{1,64}")


@dataclass(frozen=True, slots=True)
class Came:
    """A text that a person sent to one of our lines, or a part of it."""

    sender_phone: str = field(repr=False)
    line: str
    piece: Piece = field(repr=False)
    # The PDU as it came.
    raw: bytes = field(repr=False)

    @property
    def reference(self) -> str:
        """What its parts have in common, as `16:513`."""
        return f"{self.piece.width}:{self.piece.reference}"

    def digest(self, keys: Keys) -> str:
        """What names it: who sent which octets to which line."""
        piece = self.piece
        said = "\x1f".join((self.sender_phone, self.line, self.reference))
        named = bytes([piece.number, piece.data_coding]) + said.encode()
        digest = hmac.digest(
            keys.index,
            b"yarigar incoming text:" + named + b"\x1f" + piece.octets,
            "sha256",
        )
        return b32encode(digest).decode()[:DIGEST_CHARS]


def understand(message: Message, carrier: Smpp) -> Receipt | Came:
    """Read what a deliver_sm or a data_sm brings.

    Raises Unreadable, which names what is wrong and repeats nothing of it.
    """
    if is_receipt(message):
        return _receipt(message, carrier)
    try:
        piece = read_piece(message)
    except NotAPiece as fault:
        raise Unreadable(f"short_message: {fault}") from None
    sender = _phone(message.source, message.source_ton, carrier.region)
    if sender is None:
        raise Unreadable("source_addr is no phone number")
    line = message.dest.strip()[:LINE_CHARS_MAX]
    return Came(sender, line, piece, octets_of(message))


def words_of(pieces: Sequence[Piece], codings: Codings) -> str:
    """What the pieces of a text say, of which none is missing.

    Raises Unreadable for what is no text.
    """
    try:
        text = join(pieces, codings)
    except (NotText, NotAPiece) as fault:
        raise Unreadable(f"short_message: {fault}") from None
    # Some centres end a text as C does, some as a terminal does.
    return (text or "").rstrip("\r\0").replace("\0", "")[:TEXT_CHARS_MAX]


def forms_of(message_id: str, ways: tuple[str, ...]) -> tuple[str, ...]:
    """The ids by which an answer may have named what a report names so.

    `ways` are the channel's: spelt the `same`, or the answer in `hex` or in `dec` and
    the report in the other. The likeliest comes first.
    """
    key = id_key(message_id)
    forms = {way: form for way in ways if (form := _form(key, way))}
    return tuple(dict.fromkeys(forms.values())) or (key,)


def _form(key: str, way: str) -> str:
    if way == "hex":
        return f"{int(key):x}" if _DECIMAL.fullmatch(key) else ""
    if way == "dec":
        return str(int(key, 16)) if _HEXADECIMAL.fullmatch(key) else ""
    return key


def octets_of(message: Message) -> bytes:
    """A message as it came, to be kept: the whole PDU."""
    for command in (Command.DELIVER_SM, Command.DATA_SM):
        try:
            return encode(Pdu(command, 0, body=message))
        except Unwritable:
            continue
    return message.short_message


def _receipt(message: Message, carrier: Smpp) -> Receipt:
    try:
        report = read_receipt(message)
    except NotAReceipt as fault:
        raise Unreadable(f"a receipt: {fault}") from None
    return Receipt(
        carrier_id=forms_of(report.message_id, carrier.options.ids)[0],
        status=REPORTED[report.state],
        raw_status=f"{report.state} {report.network_error}".strip(),
        raw=octets_of(message),
        to=_reported_phone(message, carrier),
    )


def _reported_phone(message: Message, carrier: Smpp) -> str:
    """Whose phone a report is about; empty where it does not say.

    The addresses change sides by the book, so the phone is the source. Some centres
    leave them as they were.
    """
    ours = carrier.options.source
    for address, ton in (
        (message.source, message.source_ton),
        (message.dest, message.dest_ton),
    ):
        if ours is not None and address.removeprefix("+") == ours.address:
            continue
        found = _phone(address, ton, carrier.region)
        if found is not None:
            return found
    return ""


def _phone(address: str, ton: int, region: str) -> str | None:
    digits = address.strip()
    if ton == _INTERNATIONAL and digits.isdecimal():
        digits = "+" + digits.removeprefix("00")
    try:
        return from_network(digits, region)
    except NotAPhone:
        return None
