"""What a carrier tells us by itself, or when it is asked for news."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sms.result import Status

__all__ = [
    "Forged",
    "Inbound",
    "Joint",
    "Posted",
    "Receipt",
    "Reply",
    "Spoilt",
    "Unreadable",
]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A carrier's report on a text.

    `part` 0 is the whole text; any other number is one part, the same at each report on
    it. `raw` is its own piece of a post that brings several. `to` is the E.164 number
    that it names, from a carrier whose ids alone do not say which text is meant.
    """

    carrier_id: str
    status: Status
    raw_status: str
    part: int = 0
    raw: bytes = field(default=b"", repr=False)
    to: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Joint:
    """Where a part belongs in a long text: its sender gives all of them one reference.

    `reference` names the kind and the number, as `16:513`; `part` is from 1 to `total`.
    """

    reference: str
    part: int
    total: int


@dataclass(frozen=True, slots=True)
class Inbound:
    """A text that somebody sent to one of our lines, or with `joint` a part of one.

    An empty `carrier_id` says that the carrier gives none.
    """

    carrier_id: str
    sender_phone: str = field(repr=False)
    line: str
    text: str = field(repr=False)
    at: datetime | None = None
    raw: bytes = field(default=b"", repr=False)
    joint: Joint | None = None


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A piece that cannot be read, beside others of the same post that can."""

    why: str
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Posted:
    """A webhook's request as it came; the names of its headers are in small letters.

    `url` is the whole address as the carrier called it, which some of them sign.
    """

    method: str
    url: str = field(repr=False)
    query: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def raw(self) -> bytes:
        """What it says: the query of a GET, the body of anything else."""
        return self.query if self.method == "GET" else self.body


@dataclass(frozen=True, slots=True)
class Reply:
    """What the carrier's webhook wants to hear once its form is stored."""

    status: int = 200
    content_type: str = "text/plain; charset=utf-8"
    body: str = ""


class Unreadable(ValueError):
    """What was posted cannot be read; the message names the field, not its content."""


class Forged(Exception):
    """What was posted does not carry the signature of the carrier it claims to be."""
