"""One request of a carrier, whoever sent it, and the answer it gets.

A dialect is one file: it reads a carrier's request into a `Turn` or a `DialEnd`, and
writes a reply in the same carrier's format. Dialects are found by entry point
(`yarigar.ussd`), ours and a stranger's alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import ClassVar, Protocol
from urllib.parse import unquote_to_bytes

__all__ = [
    "FIELD_BYTES_MAX",
    "Answer",
    "Dialect",
    "DialEnd",
    "Turn",
    "Unreadable",
    "dialect",
    "form_fields",
]

GROUP = "yarigar.ussd"
FIELDS_MAX = 40
FIELD_BYTES_MAX = 4_000
# Tabs and line ends apart.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


class Unreadable(ValueError):
    """A request that cannot be understood; the sentence names the field."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation.

    `typed` is everything typed since the dial, joined by `*` (cumulative).
    `phone` is E.164 and `dialled` the code in dial order, `*780*5588*1#`.
    """

    session: str
    phone: str
    dialled: str
    typed: str


@dataclass(frozen=True, slots=True)
class DialEnd:
    """How a dial ended, as the carrier says; `reached` if the last screen was shown."""

    session: str
    phone: str
    reached: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: a status, a content type and a body."""

    body: str
    status: int = 200
    content_type: str = "text/plain; charset=utf-8"


class Dialect(Protocol):
    """One carrier's format."""

    name: ClassVar[str]

    def __init__(self, *, region: str) -> None: ...

    def read(self, body: bytes) -> Turn:
        """Read a request; raises Unreadable."""

    def read_end(self, body: bytes) -> DialEnd:
        """Read an end-of-session event; raises Unreadable."""

    def write(self, text: str, *, ends: bool) -> Answer:
        """A screen, or a last one."""

    def refuse(self, reason: str, status: int) -> Answer:
        """A request that was not understood, in one line."""


def dialect(name: str) -> type[Dialect]:
    """The dialect of that name; raises LookupError naming those there are."""
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in found:
        known = ", ".join(sorted(found))
        raise LookupError(f"no USSD adapter {name!r}; there are: {known}")
    loaded: type[Dialect] = found[name].load()
    return loaded


def form_fields(
    body: bytes, *, needs: tuple[str, ...], takes: tuple[str, ...] = ()
) -> Mapping[str, str]:
    """The fields of an `application/x-www-form-urlencoded` body.

    Only those in `needs` and `takes` come back, the latter where they are sent.
    Raises Unreadable for one that is missing, doubled, too long, not UTF-8, or holds a
    control character; fields nobody asked for are let pass, for carriers add them.
    """
    pairs = body.split(b"&", FIELDS_MAX)
    if len(pairs) > FIELDS_MAX:
        raise Unreadable(f"The form has more than {FIELDS_MAX} fields.")
    fields: dict[str, str] = {}
    for pair in pairs:
        written, _, raw = pair.partition(b"=")
        # A carrier writes the names of its fields as they are, and may well leave
        # other letters than ASCII's as they are in what is typed.
        name = written.decode(errors="replace")
        if name not in needs and name not in takes:
            continue
        if name in fields:
            raise Unreadable(f"Field {name} is given twice.")
        octets = unquote_to_bytes(raw.replace(b"+", b" "))
        if len(octets) > FIELD_BYTES_MAX:
            limit = f"{FIELD_BYTES_MAX:,} bytes"
            raise Unreadable(f"Field {name} is longer than {limit}.")
        try:
            value = octets.decode()
        except UnicodeDecodeError:
            raise Unreadable(f"Field {name} is not UTF-8.") from None
        if _CONTROL.search(value):
            raise Unreadable(f"Field {name} holds a control character.")
        fields[name] = value
    for name in needs:
        if name not in fields:
            raise Unreadable(f"Field {name} is missing.")
    return fields
