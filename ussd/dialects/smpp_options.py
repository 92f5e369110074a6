"""What an smpp channel sets: where the centre is, who we are there, and its numbers.

Centres agree on SMPP and on little beyond it, so every number that USSD adds is a
setting, with the value that most documents give as its default.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from phone.smpp.codings import Codings
from phone.smpp.link import Account, Role
from phone.smpp.pdu import PASSWORD, SERVICE_TYPE, SYSTEM_ID, SYSTEM_TYPE

__all__ = ["Operations", "Options", "SessionStyle", "read_options"]

HOSTS_MAX = 8
HOST_CHARS_MAX = 253
PATH_CHARS_MAX = 4_096
PORT, PORT_TLS = 2775, 3550

_T = TypeVar("_T")


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
    hosts: tuple[tuple[str, int], ...]
    account: Account
    roles: tuple[Role, ...] = (Role.TRANSCEIVER,)
    tls: bool = False
    tls_ca: str = ""
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


ROLES = {
    "transceiver": (Role.TRANSCEIVER,),
    "transmitter+receiver": (Role.TRANSMITTER, Role.RECEIVER),
}


def read_options(given: Mapping[str, Any]) -> Options:
    """Read a channel's options; raises ValueError with one line for each fault."""
    reading = _Reading(given)
    tls = reading.take("tls", _yes_or_no, False)
    port = reading.take("port", _whole(1, 65_535), PORT_TLS if tls else PORT)
    options = Options(
        hosts=reading.take("host", _hosts(port), ()),
        account=Account(
            system_id=reading.take("system_id", _text(SYSTEM_ID - 1), ""),
            password=reading.take("password", _text(PASSWORD - 1), ""),
            system_type=reading.take("system_type", _text(SYSTEM_TYPE - 1), ""),
            window=reading.take("window", _whole(1, 1_000), 10),
            response_seconds=reading.take("response_seconds", _seconds(1, 60), 10.0),
            enquire_link_seconds=reading.take(
                "enquire_link_seconds", _seconds(1, 600), 30.0
            ),
        ),
        roles=reading.take("bind", _one_of(ROLES), ROLES["transceiver"]),
        tls=tls,
        tls_ca=reading.take("tls_ca", _text(PATH_CHARS_MAX), ""),
        answer_seconds=reading.take("answer_seconds", _seconds(1, 180), 25.0),
        service_type=reading.take("service_type", _text(SERVICE_TYPE - 1), "USSD"),
        source=(
            reading.take("source_ton", _whole(0, 255), None),
            reading.take("source_npi", _whole(0, 255), None),
        ),
        dest=(
            reading.take("dest_ton", _whole(0, 255), None),
            reading.take("dest_npi", _whole(0, 255), None),
        ),
        operations=Operations(
            start=reading.take("op_start", _whole(0, 255), 1),
            answer=reading.take("op_answer", _whole(0, 255), 18),
            confirm=reading.take("op_confirm", _whole(0, 255), 19),
            abort=reading.take("op_abort", _octets, (129,)),
            ask=reading.take("op_ask", _whole(0, 255), 2),
            end=reading.take("op_end", _whole(0, 255), 17),
        ),
        session=reading.take(
            "session",
            _one_of({str(style): style for style in SessionStyle}),
            SessionStyle.STANDARD,
        ),
        is_counted=reading.take(
            "sequence", _one_of({"echoed": False, "counted": True}), False
        ),
        codings=Codings(
            gsm7=reading.take("gsm7_coding", _whole(0, 255), 0x00),
            ucs2=reading.take("ucs2_coding", _whole(0, 255), 0x08),
            packed=reading.take(
                "gsm7_octets", _one_of({"unpacked": False, "packed": True}), False
            ),
        ),
    )
    reading.finish(_disagreements(options))
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
    if options.codings.gsm7 == options.codings.ucs2:
        faults.append("gsm7_coding and ucs2_coding: should differ")
    if options.is_counted and options.session is not SessionStyle.STANDARD:
        faults.append('sequence: counted is for session = "standard"')
    if options.tls_ca and not options.tls:
        faults.append("tls_ca: is of no use without tls")
    return faults


class _Reading:
    """Takes options one by one, and remembers what was wrong with each.

    No fault repeats what was given: it may be a password in the wrong place.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given
        self._taken: set[str] = set()
        self._faults: list[str] = []

    def take(self, name: str, read: Callable[[Any], _T], default: _T) -> _T:
        self._taken.add(name)
        if name not in self._given:
            return default
        try:
            return read(self._given[name])
        except ValueError as fault:
            self._faults.append(f"{name}: {fault}")
            return default

    def finish(self, disagreements: list[str]) -> None:
        missing = {"host", "system_id", "password"} - self._given.keys()
        unknown = self._given.keys() - self._taken
        faults = [f"{name}: is missing" for name in sorted(missing)]
        faults += self._faults
        faults += disagreements if not self._faults else []
        faults += [
            f"{name[:40]}: an smpp channel has no such option"
            for name in sorted(unknown)
        ]
        if faults:
            raise ValueError("\n".join(faults))


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def read(given: Any) -> int:
        """A whole number; the environment has it as a text, 0x48 perhaps."""
        if isinstance(given, str) and len(given) <= 10:
            try:
                given = int(given, 0)
            except ValueError:
                given = None
        if isinstance(given, bool) or not isinstance(given, int):
            given = None
        if given is None or not least <= given <= most:
            raise ValueError(f"should be a whole number from {least} to {most}")
        return int(given)

    return read


def _seconds(least: int, most: int) -> Callable[[Any], float]:
    def read(given: Any) -> float:
        if isinstance(given, str | int) and not isinstance(given, bool):
            try:
                given = float(given)
            except (ValueError, OverflowError):
                given = math.nan
        if not isinstance(given, float) or not least <= given <= most:
            raise ValueError(f"should be {least} to {most} seconds")
        return given

    return read


def _text(most: int) -> Callable[[Any], str]:
    def read(given: Any) -> str:
        is_plain = isinstance(given, str) and given.isascii() and given.isprintable()
        if not is_plain or len(given) > most:
            raise ValueError(f"should be at most {most} characters of ASCII")
        return str(given)

    return read


def _yes_or_no(given: Any) -> bool:
    words = {"true": True, "1": True, "false": False, "0": False}
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.lower() in words:
        return words[given.lower()]
    raise ValueError("should be true or false")


def _one_of(choices: Mapping[str, _T]) -> Callable[[Any], _T]:
    def read(given: Any) -> _T:
        if not isinstance(given, str) or given not in choices:
            raise ValueError(f"should be one of {', '.join(choices)}")
        return choices[given]

    return read


def _words(given: Any) -> list[Any]:
    """A list, or what stands for one in the environment: `a, b`."""
    if isinstance(given, str):
        return given.replace(",", " ").split()
    return list(given) if isinstance(given, list | tuple) else [given]


def _octets(given: Any) -> tuple[int, ...]:
    return tuple(_whole(0, 255)(word) for word in _words(given)[:256])


def _hosts(port: int) -> Callable[[Any], tuple[tuple[str, int], ...]]:
    def read(given: Any) -> tuple[tuple[str, int], ...]:
        words = _words(given)
        if not 1 <= len(words) <= HOSTS_MAX:
            raise ValueError(f"should be 1 to {HOSTS_MAX} hosts")
        return tuple(_host(word, port) for word in words)

    return read


def _host(given: Any, port: int) -> tuple[str, int]:
    """`host`, `host:port` or `[2001:db8::1]:port`."""
    wrong = ValueError("should be a host, or host:port")
    if not isinstance(given, str) or not 0 < len(given) <= HOST_CHARS_MAX:
        raise wrong
    if not (given.isascii() and given.isprintable()):
        raise wrong
    name, colon, number = given.rpartition(":")
    if not colon or given.endswith("]"):
        name, number = given, str(port)
    name = name.removeprefix("[").removesuffix("]")
    is_numbered = number.isdecimal() and len(number) <= 5
    if not name or not is_numbered or not 0 < int(number) <= 65_535:
        raise wrong
    return name, int(number)
