"""PDUs of SMPP 3.4, to octets and back.

Those that USSD and texts need: binding, messages either way, the sign of life, parting.
Source: SMPP v3.4 issue 1.2, sections 3.2 (layout), 4.1 to 4.11 (each PDU), 5.1.2
(command ids).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum

from phone.smpp.faults import Malformed, Unwritable
from phone.smpp.status import Status
from phone.smpp.tlv import Tlvs, find, read_tlvs, write_tlvs

__all__ = [
    "HEADER_BYTES",
    "PDU_BYTES_MAX",
    "SHORT_MESSAGE_BYTES_MAX",
    "Bind",
    "Bound",
    "Command",
    "Message",
    "Pdu",
    "Taken",
    "decode",
    "encode",
    "read_length",
]

HEADER_BYTES = 16
# A message_payload may hold 64 KiB; nothing else comes near it.
PDU_BYTES_MAX = 66_000
SHORT_MESSAGE_BYTES_MAX = 254
INTERFACE_VERSION = 0x34
RESPONSE = 0x80000000

# The most octets of each text field, its ending NUL among them.
SYSTEM_ID, PASSWORD, SYSTEM_TYPE, ADDRESS_RANGE = 16, 9, 13, 41
SERVICE_TYPE, ADDRESS, TIME, MESSAGE_ID = 6, 21, 17, 65
DATA_ADDRESS = 65

_HEADER = struct.Struct(">IIII")


class Command(IntEnum):
    GENERIC_NACK = 0x80000000
    BIND_RECEIVER = 0x00000001
    BIND_RECEIVER_RESP = 0x80000001
    BIND_TRANSMITTER = 0x00000002
    BIND_TRANSMITTER_RESP = 0x80000002
    SUBMIT_SM = 0x00000004
    SUBMIT_SM_RESP = 0x80000004
    DELIVER_SM = 0x00000005
    DELIVER_SM_RESP = 0x80000005
    UNBIND = 0x00000006
    UNBIND_RESP = 0x80000006
    BIND_TRANSCEIVER = 0x00000009
    BIND_TRANSCEIVER_RESP = 0x80000009
    ENQUIRE_LINK = 0x00000015
    ENQUIRE_LINK_RESP = 0x80000015
    DATA_SM = 0x00000103
    DATA_SM_RESP = 0x80000103

    @property
    def is_response(self) -> bool:
        return bool(self & RESPONSE)

    @property
    def response(self) -> Command:
        """What answers this request."""
        return Command(self | RESPONSE)


@dataclass(frozen=True, slots=True)
class Bind:
    """Who asks to be let in, and for which addresses."""

    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    interface_version: int = INTERFACE_VERSION
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""


@dataclass(frozen=True, slots=True)
class Bound:
    """Who let us in."""

    system_id: str = ""
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True)
class Message:
    """A text or a screen, from us (submit_sm) or to us (deliver_sm, data_sm).

    A data_sm has fewer fields, and its text in message_payload. Nothing of it is shown
    by repr: it holds a caller's number and words.
    """

    service_type: str = field(default="", repr=False)
    source_ton: int = field(default=0, repr=False)
    source_npi: int = field(default=0, repr=False)
    source: str = field(default="", repr=False)
    dest_ton: int = field(default=0, repr=False)
    dest_npi: int = field(default=0, repr=False)
    dest: str = field(default="", repr=False)
    esm_class: int = field(default=0, repr=False)
    protocol_id: int = field(default=0, repr=False)
    priority: int = field(default=0, repr=False)
    schedule_time: str = field(default="", repr=False)
    validity_period: str = field(default="", repr=False)
    registered_delivery: int = field(default=0, repr=False)
    replace_if_present: int = field(default=0, repr=False)
    data_coding: int = field(default=0, repr=False)
    default_message_id: int = field(default=0, repr=False)
    short_message: bytes = field(default=b"", repr=False)
    tlvs: Tlvs = field(default=(), repr=False)

    def tlv(self, tag: int) -> bytes | None:
        """The optional parameter with that tag, or None."""
        return find(self.tlvs, tag)


@dataclass(frozen=True, slots=True)
class Taken:
    """The centre's id of a message it took; empty in the answer to a deliver_sm."""

    message_id: str = ""
    tlvs: Tlvs = ()


Body = Bind | Bound | Message | Taken | None


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU. Which body it has follows from the command."""

    command: Command
    sequence: int
    status: int = 0
    body: Body = None


_BINDS = {Command.BIND_RECEIVER, Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER}
_BODIES: dict[Command, type[Bind | Bound | Message | Taken]] = {
    **dict.fromkeys(_BINDS, Bind),
    **dict.fromkeys((bind.response for bind in _BINDS), Bound),
    Command.SUBMIT_SM: Message,
    Command.DELIVER_SM: Message,
    Command.DATA_SM: Message,
    Command.SUBMIT_SM_RESP: Taken,
    Command.DELIVER_SM_RESP: Taken,
    Command.DATA_SM_RESP: Taken,
}


def read_length(octets: bytes) -> int:
    """The length of the PDU that begins with these four octets.

    Raises Malformed where none can have it: then its end is not to be found either.
    """
    length = int.from_bytes(octets[:4])
    if not HEADER_BYTES <= length <= PDU_BYTES_MAX:
        raise Malformed(
            f"a length that is not {HEADER_BYTES} to {PDU_BYTES_MAX}", is_lost=True
        )
    return length


def decode(octets: bytes) -> Pdu:
    """Read one whole PDU; raises Malformed, with the sequence if it has one."""
    if len(octets) < HEADER_BYTES:
        raise Malformed("shorter than a header", is_lost=True)
    length, command_id, status, sequence = _HEADER.unpack_from(octets)
    if length != len(octets):
        raise Malformed("not as long as it says", sequence=sequence, is_lost=True)
    try:
        command = Command(command_id)
    except ValueError:
        raise Malformed(
            "an unknown command", Status.ESME_RINVCMDID, sequence=sequence
        ) from None
    try:
        body = _read_body(command, octets[HEADER_BYTES:])
    except Malformed as fault:
        fault.sequence = sequence
        raise
    return Pdu(command, sequence, status, body)


def encode(pdu: Pdu) -> bytes:
    """Write one PDU; raises Unwritable."""
    for number in (pdu.sequence, pdu.status):
        if not 0 <= number <= 0xFFFFFFFF:
            raise Unwritable("a number of the header has four octets")
    body = _write_body(pdu)
    length = HEADER_BYTES + len(body)
    if length > PDU_BYTES_MAX:
        raise Unwritable(f"a PDU has at most {PDU_BYTES_MAX} octets")
    return _HEADER.pack(length, pdu.command, pdu.status, pdu.sequence) + body


def _read_body(command: Command, octets: bytes) -> Body:
    kind = _BODIES.get(command)
    if kind is None:
        # Nothing follows the header of these. What does is let pass: there are
        # centres that add parameters to enquire_link.
        return None
    if not octets and kind is Bound:
        return Bound()
    if not octets and kind is Taken:
        # Section 4.4.2: a refusal has no body; some centres leave it out of an
        # acceptance too.
        return Taken()
    fields = _Fields(octets)
    if command is Command.DATA_SM:
        return _read_data(fields)
    if kind is Message:
        return _read_message(fields)
    if kind is Bind:
        return Bind(
            fields.text(SYSTEM_ID),
            fields.text(PASSWORD),
            fields.text(SYSTEM_TYPE),
            fields.number(),
            fields.number(),
            fields.number(),
            fields.text(ADDRESS_RANGE),
        )
    if kind is Bound:
        return Bound(fields.text(SYSTEM_ID), fields.tlvs())
    return Taken(fields.text(MESSAGE_ID), fields.tlvs())


def _read_message(fields: _Fields) -> Message:
    return Message(
        fields.text(SERVICE_TYPE),
        fields.number(),
        fields.number(),
        fields.text(ADDRESS),
        fields.number(),
        fields.number(),
        fields.text(ADDRESS),
        fields.number(),
        fields.number(),
        fields.number(),
        fields.text(TIME),
        fields.text(TIME),
        fields.number(),
        fields.number(),
        fields.number(),
        fields.number(),
        fields.octets(fields.number()),
        fields.tlvs(),
    )


def _read_data(fields: _Fields) -> Message:
    return Message(
        service_type=fields.text(SERVICE_TYPE),
        source_ton=fields.number(),
        source_npi=fields.number(),
        source=fields.text(DATA_ADDRESS),
        dest_ton=fields.number(),
        dest_npi=fields.number(),
        dest=fields.text(DATA_ADDRESS),
        esm_class=fields.number(),
        registered_delivery=fields.number(),
        data_coding=fields.number(),
        tlvs=fields.tlvs(),
    )


class _Fields:
    """The fields of a body, read one after another."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def number(self) -> int:
        return self.octets(1)[0]

    def octets(self, length: int) -> bytes:
        start, self._at = self._at, self._at + length
        if self._at > len(self._octets):
            raise Malformed("ends within a field")
        return self._octets[start : self._at]

    def text(self, size: int) -> str:
        """A text that ends with NUL within `size` octets.

        It is ASCII by the book; Latin-1 reads that and whatever else a centre writes.
        """
        end = self._octets.find(b"\0", self._at, self._at + size)
        if end < 0:
            raise Malformed("a text without its end", Status.ESME_RINVMSGLEN)
        start, self._at = self._at, end + 1
        return self._octets[start:end].decode("latin-1")

    def tlvs(self) -> Tlvs:
        return read_tlvs(self._octets[self._at :])


def _write_body(pdu: Pdu) -> bytes:
    kind = _BODIES.get(pdu.command, type(None))
    body = pdu.body
    if not isinstance(body, kind):
        raise Unwritable(f"{pdu.command.name.lower()} has another body")
    if body is None or (pdu.status and body in (Bound(), Taken())):
        return b""
    if isinstance(body, Message):
        if pdu.command is Command.DATA_SM:
            return _write_data(body)
        return _write_message(body)
    if isinstance(body, Bind):
        return b"".join(
            (
                _text(body.system_id, SYSTEM_ID),
                _text(body.password, PASSWORD),
                _text(body.system_type, SYSTEM_TYPE),
                _numbers(body.interface_version, body.addr_ton, body.addr_npi),
                _text(body.address_range, ADDRESS_RANGE),
            )
        )
    if isinstance(body, Bound):
        return _text(body.system_id, SYSTEM_ID) + write_tlvs(body.tlvs)
    return _text(body.message_id, MESSAGE_ID) + write_tlvs(body.tlvs)


def _write_message(message: Message) -> bytes:
    if len(message.short_message) > SHORT_MESSAGE_BYTES_MAX:
        raise Unwritable(f"a message has at most {SHORT_MESSAGE_BYTES_MAX} octets")
    return b"".join(
        (
            _text(message.service_type, SERVICE_TYPE),
            _numbers(message.source_ton, message.source_npi),
            _text(message.source, ADDRESS),
            _numbers(message.dest_ton, message.dest_npi),
            _text(message.dest, ADDRESS),
            _numbers(message.esm_class, message.protocol_id, message.priority),
            _text(message.schedule_time, TIME),
            _text(message.validity_period, TIME),
            _numbers(
                message.registered_delivery,
                message.replace_if_present,
                message.data_coding,
                message.default_message_id,
                len(message.short_message),
            ),
            message.short_message,
            write_tlvs(message.tlvs),
        )
    )


def _write_data(message: Message) -> bytes:
    if message.short_message:
        raise Unwritable("a data_sm has its text in message_payload")
    return b"".join(
        (
            _text(message.service_type, SERVICE_TYPE),
            _numbers(message.source_ton, message.source_npi),
            _text(message.source, DATA_ADDRESS),
            _numbers(message.dest_ton, message.dest_npi),
            _text(message.dest, DATA_ADDRESS),
            _numbers(
                message.esm_class, message.registered_delivery, message.data_coding
            ),
            write_tlvs(message.tlvs),
        )
    )


def _numbers(*numbers: int) -> bytes:
    try:
        return bytes(numbers)
    except ValueError:
        raise Unwritable("a number of a field has one octet") from None


def _text(text: str, size: int) -> bytes:
    if not text:
        return b"\0"
    try:
        written = text.encode("latin-1")
    except UnicodeEncodeError:
        raise Unwritable("a text field is ASCII") from None
    if len(written) >= size or b"\0" in written:
        raise Unwritable(f"a text field has at most {size - 1} octets and no NUL")
    return written + b"\0"
