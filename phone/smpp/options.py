"""What a channel over SMPP is set to, whether it carries screens or texts.

Options come from a TOML file or from the environment, where every value is a text.
What is wrong with them is told all at once, without repeating what was given: it may be
a password in the wrong place.
"""

from __future__ import annotations

import math
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from phone.smpp.codings import Codings
from phone.smpp.link import Account, Address, Role
from phone.smpp.pdu import PASSWORD, SYSTEM_ID, SYSTEM_TYPE

__all__ = [
    "Access",
    "Reading",
    "one_of",
    "seconds",
    "take_access",
    "take_codings",
    "text",
    "whole",
    "words",
    "yes_or_no",
]

HOSTS_MAX = 8
HOST_CHARS_MAX = 253
PATH_CHARS_MAX = 4_096
PORT, PORT_TLS = 2775, 3550

ROLES = {
    "transceiver": (Role.TRANSCEIVER,),
    "transmitter+receiver": (Role.TRANSMITTER, Role.RECEIVER),
}
# Without these nobody lets us in anywhere.
NEEDS = ("host", "password", "system_id")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Access:
    """Where a centre listens, and as whom we bind to it."""

    hosts: tuple[tuple[str, int], ...]
    account: Account
    roles: tuple[Role, ...] = (Role.TRANSCEIVER,)
    tls: bool = False
    tls_ca: str = ""

    def addresses(self) -> list[Address]:
        """Where to connect to; raises OSError if `tls_ca` cannot be read."""
        checked = None
        if self.tls:
            checked = ssl.create_default_context(cafile=self.tls_ca or None)
        return [Address(host, port, checked) for host, port in self.hosts]


def take_access(reading: Reading) -> Access:
    """Read the options that say where the centre is and who we are there."""
    tls = reading.take("tls", yes_or_no, False)
    port = reading.take("port", whole(1, 65_535), PORT_TLS if tls else PORT)
    access = Access(
        hosts=reading.take("host", _hosts(port), ()),
        account=Account(
            system_id=reading.take("system_id", text(SYSTEM_ID - 1), ""),
            password=reading.take("password", text(PASSWORD - 1), ""),
            system_type=reading.take("system_type", text(SYSTEM_TYPE - 1), ""),
            window=reading.take("window", whole(1, 1_000), 10),
            response_seconds=reading.take("response_seconds", seconds(1, 60), 10.0),
            enquire_link_seconds=reading.take(
                "enquire_link_seconds", seconds(1, 600), 30.0
            ),
        ),
        roles=reading.take("bind", one_of(ROLES), ROLES["transceiver"]),
        tls=tls,
        tls_ca=reading.take("tls_ca", text(PATH_CHARS_MAX), ""),
    )
    reading.needs(*NEEDS)
    if access.tls_ca and not access.tls:
        reading.disagree("tls_ca: is of no use without tls")
    return access


def take_codings(reading: Reading) -> Codings:
    """Read the options that say which data_coding is which alphabet."""
    codings = Codings(
        gsm7=reading.take("gsm7_coding", whole(0, 255), 0x00),
        ucs2=reading.take("ucs2_coding", whole(0, 255), 0x08),
    )
    if codings.gsm7 == codings.ucs2:
        reading.disagree("gsm7_coding and ucs2_coding: should differ")
    return codings


class Reading:
    """Takes options one by one, and remembers what was wrong with each."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given
        self._taken: set[str] = set()
        self._needed: set[str] = set()
        self._faults: list[str] = []
        self._disagreements: list[str] = []

    def take(self, name: str, read: Callable[[Any], _T], default: _T) -> _T:
        """What `read` makes of an option; the default where it is not set."""
        self._taken.add(name)
        if name not in self._given:
            return default
        try:
            return read(self._given[name])
        except ValueError as fault:
            self._faults.append(f"{name}: {fault}")
            return default

    def needs(self, *names: str) -> None:
        """Say which options have no default."""
        self._needed.update(names)

    def disagree(self, fault: str) -> None:
        """Note options that are right alone and wrong together."""
        self._disagreements.append(fault)

    def finish(self) -> None:
        """Raise ValueError with a line for each fault, if there was any."""
        missing = self._needed - self._given.keys()
        unknown = self._given.keys() - self._taken
        faults = [f"{name}: is missing" for name in sorted(missing)]
        faults += self._faults
        faults += self._disagreements if not self._faults else []
        faults += [
            f"{name[:40]}: an smpp channel has no such option"
            for name in sorted(unknown)
        ]
        if faults:
            raise ValueError("\n".join(faults))


def whole(least: int, most: int) -> Callable[[Any], int]:
    """Reads a whole number within bounds."""

    def read(given: Any) -> int:
        # The environment has it as a text, 0x48 perhaps.
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


def seconds(least: int, most: int) -> Callable[[Any], float]:
    """Reads a time within bounds, a part of a second too."""

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


def text(most: int) -> Callable[[Any], str]:
    """Reads a text of ASCII of at most so many characters."""

    def read(given: Any) -> str:
        is_plain = isinstance(given, str) and given.isascii() and given.isprintable()
        if not is_plain or len(given) > most:
            raise ValueError(f"should be at most {most} characters of ASCII")
        return str(given)

    return read


def yes_or_no(given: Any) -> bool:
    """Reads true or false, as TOML or the environment has it."""
    known = {"true": True, "1": True, "false": False, "0": False}
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.lower() in known:
        return known[given.lower()]
    raise ValueError("should be true or false")


def one_of(choices: Mapping[str, _T]) -> Callable[[Any], _T]:
    """Reads a word that stands for something."""

    def read(given: Any) -> _T:
        if not isinstance(given, str) or given not in choices:
            raise ValueError(f"should be one of {', '.join(choices)}")
        return choices[given]

    return read


def words(given: Any) -> list[Any]:
    """A list, or what stands for one in the environment: `a, b`."""
    if isinstance(given, str):
        return given.replace(",", " ").split()
    return list(given) if isinstance(given, list | tuple) else [given]


def _hosts(port: int) -> Callable[[Any], tuple[tuple[str, int], ...]]:
    def read(given: Any) -> tuple[tuple[str, int], ...]:
        found = words(given)
        if not 1 <= len(found) <= HOSTS_MAX:
            raise ValueError(f"should be 1 to {HOSTS_MAX} hosts")
        return tuple(_host(word, port) for word in found)

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
