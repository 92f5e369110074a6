"""USSD over SMPP 3.4, as Huawei's, Comverse's and many other USSD centres speak it.

Not HTTP: `yarigar smpp NAME` binds to the centre. A deliver_sm brings what the caller
sent, a submit_sm takes the next screen back; `ussd_service_op` (0x0501) says which of
a dialogue's steps it is, `its_session_info` (0x1383) which dialogue.

    deliver_sm op 1  *780*5588*1#  ->  submit_sm op 2   a screen that asks
    deliver_sm op 18 what was typed -> submit_sm op 17  the last screen, end bit set
    deliver_sm op 129, or the end bit: the dialogue is over

Status: second-hand; confirm with the carrier before going live. SMPP 3.4 (section
5.3.2.43 and 5.3.2.44) defines the two parameters; the numbers of their values come from
public documents and other people's adapters, and every one is an option. A retry is
known as one only while the first is in flight, within two seconds of its reply, or
after the end; a later one cannot be told from an answer, unless `sequence = "counted"`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn

from phone.smpp.codings import NotText
from phone.smpp.pdu import Message
from phone.smpp.tlv import Tag
from ussd import fields
from ussd.dialects.smpp_options import SessionStyle, read_options
from ussd.turn import Answer, Call, DialEnd, Ending, Request, Turn, Unreadable

__all__ = ["Smpp", "call_of"]

USER_DATA_HEADER = 0x40
END_BIT = 0x0001
SEQUENCE_MAX = 0x7F

_HERE = "Nothing is posted here: this channel is spoken over SMPP."


class Smpp:
    """Reads a deliver_sm and writes the submit_sm that answers it."""

    name: ClassVar[str] = "smpp"
    session_alone: ClassVar[bool] = False

    def __init__(
        self, *, region: str, options: Mapping[str, Any] | None = None
    ) -> None:
        self._region = region
        self.options = read_options(options or {})

    def read_pdu(self, message: Message) -> Turn | DialEnd:
        """Read a deliver_sm; raises Unreadable, without what it held."""
        operations = self.options.operations
        operation = _operation(message)
        echo = self._echo(message)
        phone = fields.phone("source_addr", message.source, self._region)
        is_start = operation == operations.start
        if operation in operations.abort:
            return DialEnd("", phone, Ending.LEFT, echo)
        if operation == operations.confirm:
            return DialEnd("", phone, Ending.REACHED, echo)
        if not is_start and self._is_over(message):
            return DialEnd("", phone, Ending.CUT, echo)
        if operation is None:
            raise Unreadable("ussd_service_op is missing.")
        if operation not in (operations.start, operations.answer):
            raise Unreadable(f"ussd_service_op {operation} has no meaning here.")
        text = self._text(message)
        return Turn(
            # A phone has one dialogue at a time, and a centre counts dialogues in one
            # octet, or in two, or not at all: an id that comes back within minutes
            # would make a new call the retry of an old one.
            session="",
            phone=phone,
            dialled=self._dialled(message, text) if is_start else "",
            typed="" if is_start else text,
            cumulative=False,
            starts=is_start,
            sequence=self._sequence(message, is_start),
            echo=echo,
        )

    def write_pdu(self, turn: Turn, text: str, *, ends: bool) -> Message:
        """The submit_sm that shows a screen, or a last one, to who took this turn."""
        options, echo = self.options, turn.echo
        data_coding, octets = options.codings.write(text)
        operations = options.operations
        operation = operations.end if ends else operations.ask
        # What the caller dialled speaks to the caller: the addresses change sides.
        return Message(
            service_type=options.service_type,
            source_ton=_chosen(options.source[0], echo["dest_addr_ton"]),
            source_npi=_chosen(options.source[1], echo["dest_addr_npi"]),
            source=echo["destination_addr"],
            dest_ton=_chosen(options.dest[0], echo["source_addr_ton"]),
            dest_npi=_chosen(options.dest[1], echo["source_addr_npi"]),
            dest=echo["source_addr"],
            data_coding=data_coding,
            short_message=octets,
            tlvs=(
                (Tag.USSD_SERVICE_OP, bytes([operation])),
                self._session(turn, ends=ends),
            ),
        )

    # -- what a deliver_sm says -----------------------------------------------------

    def _echo(self, message: Message) -> dict[str, str]:
        return {
            "source_addr": message.source,
            "source_addr_ton": str(message.source_ton),
            "source_addr_npi": str(message.source_npi),
            "destination_addr": message.dest,
            "dest_addr_ton": str(message.dest_ton),
            "dest_addr_npi": str(message.dest_npi),
            "session": f"{self._number(message):04x}",
        }

    def _number(self, message: Message) -> int:
        tag = Tag.ITS_SESSION_INFO
        if self.options.session is SessionStyle.USER_MESSAGE_REFERENCE:
            tag = Tag.USER_MESSAGE_REFERENCE
        value = message.tlv(tag)
        if value is None:
            raise Unreadable(f"{tag.name.lower()} is missing.")
        if len(value) != 2:
            raise Unreadable(f"{tag.name.lower()} is not of two octets.")
        return int.from_bytes(value)

    def _is_over(self, message: Message) -> bool:
        if self.options.session is SessionStyle.USER_MESSAGE_REFERENCE:
            return False
        return bool(self._number(message) & END_BIT)

    def _sequence(self, message: Message, is_start: bool) -> int | None:
        if not self.options.is_counted:
            return None
        # Ours to count: whatever the centre begins with, the first screen is 1.
        return 0 if is_start else self._number(message) >> 1 & SEQUENCE_MAX

    def _text(self, message: Message) -> str:
        if message.esm_class & USER_DATA_HEADER:
            raise Unreadable("short_message has a user data header.")
        octets = message.short_message or message.tlv(Tag.MESSAGE_PAYLOAD) or b""
        try:
            text = self.options.codings.read(message.data_coding, octets)
        except NotText as fault:
            raise Unreadable(f"short_message: {fault}.") from None
        # Some centres end a text as C does, some as a terminal does.
        return fields.text("short_message", text.rstrip("\r\0"))

    def _dialled(self, message: Message, text: str) -> str:
        if text.strip():
            return fields.dialled("short_message", text)
        return fields.dialled("destination_addr", message.dest)

    # -- what a submit_sm says ------------------------------------------------------

    def _session(self, turn: Turn, *, ends: bool) -> tuple[int, bytes]:
        number = int(turn.echo["session"], 16)
        if self.options.session is SessionStyle.USER_MESSAGE_REFERENCE:
            return Tag.USER_MESSAGE_REFERENCE, number.to_bytes(2)
        if turn.sequence is not None:
            following = (turn.sequence + 1) & SEQUENCE_MAX
            number = number & 0xFF00 | following << 1
        number = number & ~END_BIT | (END_BIT if ends else 0)
        return Tag.ITS_SESSION_INFO, number.to_bytes(2)

    # -- over HTTP there is nothing -------------------------------------------------

    def read(self, request: Request) -> NoReturn:
        raise Unreadable(_HERE, 404)

    def write(self, turn: Turn, text: str, *, ends: bool) -> Answer:
        return self.refuse(_HERE, 404)

    def acknowledge(self, end: DialEnd) -> Answer:
        return self.refuse(_HERE, 404)

    def refuse(self, reason: str, status: int) -> Answer:
        return Answer(reason, status=status)

    def send(self, call: Call) -> NoReturn:
        raise Unreadable(_HERE, 404)

    def send_end(self, call: Call, how: Ending) -> None:
        return None

    def heard(self, answer: Answer) -> NoReturn:
        raise Unreadable(_HERE, 404)


def call_of(heard: Turn | DialEnd, style: SessionStyle) -> tuple[str, str]:
    """What names a dialogue while it lasts: its number, and the phone."""
    number = int(heard.echo["session"], 16)
    if style is SessionStyle.STANDARD:
        number &= 0xFF00
    elif style is not SessionStyle.USER_MESSAGE_REFERENCE:
        number &= ~END_BIT
    return f"{number:04x}", heard.phone


def _operation(message: Message) -> int | None:
    value = message.tlv(Tag.USSD_SERVICE_OP)
    if value is None:
        return None
    if len(value) != 1:
        raise Unreadable("ussd_service_op is not of one octet.")
    return value[0]


def _chosen(option: int | None, echoed: str) -> int:
    return int(echoed) if option is None else option
