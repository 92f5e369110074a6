"""What an smpp channel of USSD sets: the centre, and the numbers that it uses.

Centres agree on SMPP and on little beyond it, so every number that USSD adds is a
setting, with the value that most documents give as its default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from phone.smpp.codings import Codings
from phone.smpp.options import (
    Access,
    Reading,
    one_of,
    seconds,
    take_access,
    take_codings,
    text,
    whole,
    words,
)
from phone.smpp.pdu import SERVICE_TYPE

__all__ = ["Operations", "Options", "SessionStyle", "read_options"]


class SessionStyle(StrEnum):
    """Where a centre says which dialogue a message belongs to."""

    # its_session_info: an octet of session number, seven bits of sequence, the end.
    STANDARD = "standard"
    # The same two octets as one number of which only the last bit is to be known.
    OPAQUE = "opaque"
    # The same two octets: fifteen bits of dialogue, and the end.
    DIALOG15 = "dialog15"
    # user_message_reference; nothing in it says that the dialogue ends.
    USER_MESSAGE_REFERENCE = "user_message_reference"


@dataclass(frozen=True, slots=True)
class Operations:
    """The values of ussd_service_op: four that the centre sends, two that we send."""

    start: int = 1
    answer: int = 18
    confirm: int = 19
    abort: tuple[int, ...] = (129,)
    ask: int = 2
    end: int = 17


@dataclass(frozen=True, slots=True)
class Options:
    access: Access
    answer_seconds: float = 25.0
    service_type: str = "USSD"
    # None: as the centre wrote them.
    source: tuple[int | None, int | None] = (None, None)
    dest: tuple[int | None, int | None] = (None, None)
    operations: Operations = field(default_factory=Operations)
    session: SessionStyle = SessionStyle.STANDARD
    # Whether we number the turns of a dialogue and the centre repeats the number.
    is_counted: bool = False
    codings: Codings = field(default_factory=Codings)


def read_options(given: Mapping[str, Any]) -> Options:
    """Read a channel's options; raises ValueError with one line for each fault."""
    reading = Reading(given)
    number = whole(0, 255)
    options = Options(
        access=take_access(reading),
        answer_seconds=reading.take("answer_seconds", seconds(1, 180), 25.0),
        service_type=reading.take("service_type", text(SERVICE_TYPE - 1), "USSD"),
        source=(
            reading.take("source_ton", number, None),
            reading.take("source_npi", number, None),
        ),
        dest=(
            reading.take("dest_ton", number, None),
            reading.take("dest_npi", number, None),
        ),
        operations=Operations(
            start=reading.take("op_start", number, 1),
            answer=reading.take("op_answer", number, 18),
            confirm=reading.take("op_confirm", number, 19),
            abort=reading.take("op_abort", _octets, (129,)),
            ask=reading.take("op_ask", number, 2),
            end=reading.take("op_end", number, 17),
        ),
        session=reading.take(
            "session",
            one_of({str(style): style for style in SessionStyle}),
            SessionStyle.STANDARD,
        ),
        is_counted=reading.take(
            "sequence", one_of({"echoed": False, "counted": True}), False
        ),
        codings=replace(
            take_codings(reading),
            packed=reading.take(
                "gsm7_octets", one_of({"unpacked": False, "packed": True}), False
            ),
        ),
    )
    for fault in _disagreements(options):
        reading.disagree(fault)
    reading.finish()
    return options


def _disagreements(options: Options) -> list[str]:
    """Options that are right alone and wrong together."""
    faults = []
    ops = options.operations
    heard = [ops.start, ops.answer, ops.confirm, *ops.abort]
    if len(set(heard)) < len(heard):
        faults.append("op_start, op_answer, op_confirm and op_abort: should differ")
    if ops.ask == ops.end:
        faults.append("op_ask and op_end: should differ")
    if options.is_counted and options.session is not SessionStyle.STANDARD:
        faults.append('sequence: counted is for session = "standard"')
    return faults


def _octets(given: Any) -> tuple[int, ...]:
    return tuple(whole(0, 255)(word) for word in words(given)[:256])
