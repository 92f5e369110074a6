"""One request of a carrier, whoever sent it, and the answer it gets.

A dialect is one file: it reads a carrier's request into a `Turn` or a `DialEnd`, and
writes a reply in the same carrier's format. It speaks the carrier's side too, for the
simulator and the tests. Dialects are found by entry point (`yarigar.ussd`), ours and a
stranger's alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar, Protocol, runtime_checkable

__all__ = [
    "Answer",
    "Call",
    "DialEnd",
    "Dialect",
    "Ending",
    "Informant",
    "Inquiry",
    "Request",
    "Turn",
    "Unreadable",
    "dialect",
]

GROUP = "yarigar.ussd"


class Unreadable(ValueError):
    """A request that cannot be understood; the sentence names the field.

    `status` is the HTTP status of the refusal: 404 for an address, 405 for a method
    that the carrier does not use, 400 for all else. `allow` is the methods that it does
    use, for a 405.
    """

    def __init__(
        self, reason: str, status: int = 400, *, allow: tuple[str, ...] = ()
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.allow = allow


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `path` is what follows the channel's key, `events` say.

    Names in `headers` are in lower case.
    """

    method: str = "POST"
    path: str = ""
    query: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation.

    `session` is the carrier's id of the call, empty where it has none; `phone` is
    E.164; `dialled` is the code in dial order, `*780*5588*1#`, empty where the carrier
    says it only at the start.

    `typed` is everything typed since the dial, joined by `*`, where `cumulative`; else
    the latest answer alone, empty where the carrier says that the call `starts`. Then
    `sequence` counts the requests of a call, for carriers that number them.
    """

    session: str
    phone: str
    dialled: str
    typed: str
    cumulative: bool = True
    starts: bool = False
    sequence: int | None = None
    # What the reply repeats of the request, by the carrier's own names.
    echo: Mapping[str, str] = field(default_factory=dict)


class Ending(StrEnum):
    """How a call ended, as the carrier says."""

    # The last screen was shown.
    REACHED = "reached"
    # The caller hung up.
    LEFT = "left"
    # A timer, the network, or nobody says what.
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class DialEnd:
    """That a call is over. `phone` is empty where the carrier does not repeat it."""

    session: str
    phone: str
    how: Ending
    echo: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """The carrier asks whether a call is still going on here."""

    session: str
    phone: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: a status, a content type, a body and further headers."""

    body: str
    status: int = 200
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """A call as the carrier knows it: what it needs to write its next request.

    `dialled` is the whole code as it was dialled, `answers` what was typed since.
    """

    session: str
    phone: str
    dialled: str
    answers: tuple[str, ...] = ()


class Dialect(Protocol):
    """One carrier's format."""

    name: ClassVar[str]

    @property
    def session_alone(self) -> bool:
        """Whether a session id names a call without the phone beside it."""

    def __init__(self, *, region: str, options: Mapping[str, Any]) -> None:
        """`options` is what the channel sets beyond the fields every channel has.

        Raises ValueError with one line for each that is wrong.
        """

    def read(self, request: Request) -> Turn | DialEnd | Inquiry:
        """Read a request; raises Unreadable."""

    def write(self, turn: Turn, text: str, *, ends: bool) -> Answer:
        """A screen, or a last one."""

    def acknowledge(self, end: DialEnd) -> Answer:
        """Thanks for the word that a call is over."""

    def refuse(self, reason: str, status: int) -> Answer:
        """A request that was not understood, in one line."""

    # -- the carrier's side ---------------------------------------------------------

    def send(self, call: Call) -> Request:
        """The carrier's request for the turn that `call` has come to."""

    def send_end(self, call: Call, how: Ending) -> Request | None:
        """The carrier's word that the call is over; None where it says nothing."""

    def heard(self, answer: Answer) -> tuple[str, bool]:
        """The screen a phone shows for an answer, and whether the call ends.

        Raises Unreadable for what the carrier would not take.
        """


@runtime_checkable
class Informant(Protocol):
    """A dialect whose carrier asks whether calls are going on."""

    def inform(self, inquiry: Inquiry, *, active: bool) -> Answer:
        """Whether the call is going on here."""


def dialect(name: str) -> type[Dialect]:
    """The dialect of that name; raises LookupError naming those there are."""
    found = _installed()
    if name not in found:
        known = ", ".join(sorted(found))
        raise LookupError(f"no USSD adapter {name!r}; there are: {known}")
    loaded: type[Dialect] = found[name].load()
    return loaded


@cache
def _installed() -> Mapping[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
