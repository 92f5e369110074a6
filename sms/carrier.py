"""What a carrier is asked to do, and the ways it can answer.

An adapter is one class that satisfies `Carrier`. It hands a request to `checked` and
reads the answer in the carrier's own words. Whether a text is tried again hangs on the
outcome alone, so HTTP and its failures become outcomes here and nowhere else. What a
carrier posts comes as `Posted`, and `sms.fields` reads it.

A text is never blindly sent twice: if the request left and no clear answer came, the
outcome is `ambiguous`, and the carrier is asked before anything else happens.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import httpx

__all__ = [
    "Answer",
    "Asked",
    "Carrier",
    "Forged",
    "Inbound",
    "Outbound",
    "Outcome",
    "Posted",
    "Question",
    "Receipt",
    "Reply",
    "Result",
    "Status",
    "Tools",
    "Unreadable",
    "address",
    "checked",
    "keep_urls_out_of_logs",
    "scrubbed",
]

ANSWER_OCTETS_MAX = 256 * 1024
ANSWER_SECONDS_MAX = 20.0
CARRIER_ID_CHARS_MAX = 120
DETAIL_CHARS_MAX = 200
RETRY_AFTER_SECONDS_MAX = 3600
TEXT_CHARS_MAX = 2000  # ten parts of 67 are more than any handset joins in practice


class Outcome(StrEnum):
    """What became of one call; the only thing that decides about another."""

    ACCEPTED = "accepted"
    THROTTLED = "throttled"
    # Surely not taken, and may well be taken later.
    RETRYABLE = "retryable"
    # Surely not taken, and never will be.
    REFUSED = "refused"
    MISCONFIGURED = "misconfigured"
    NO_CREDIT = "no_credit"
    OPTED_OUT = "opted_out"
    # The request left and no clear answer came: it may have been taken.
    AMBIGUOUS = "ambiguous"


class Status(StrEnum):
    """How far a text has come that the carrier has taken."""

    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    OPTED_OUT = "opted_out"
    # A word we do not know is kept, and believed to say nothing.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outbound:
    """One text to send; `id` is our reference: 63 bits in decimal, always the same."""

    id: str
    to: str = field(repr=False)
    text: str = field(repr=False)
    sender: str


@dataclass(frozen=True, slots=True)
class Question:
    """A text that a carrier is asked about, because a call about it had no clear end.

    `text` is empty where its words cannot be made any more. `since` is when the call
    began and `at` when we ask: what a carrier books late is not there yet.
    """

    id: str
    to: str = field(repr=False)
    text: str = field(repr=False)
    sender: str
    since: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """What the carrier answered; `detail` holds codes only, no number and no text."""

    outcome: Outcome
    carrier_id: str | None = None
    detail: str = ""
    parts: int | None = None
    retry_after_seconds: int | None = None
    # Some carriers know at once, or by the time they are asked.
    status: Status = Status.SENT
    # What it bills for the whole text, as `0.8 KES`: `sms.prices.said` writes it.
    cost: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A carrier's report on a text.

    `part` 0 is the whole text; any other number is one part, the same at each report on
    it. `raw` is its own piece of a post that brings several.
    """

    carrier_id: str
    status: Status
    raw_status: str
    part: int = 0
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Inbound:
    """A text that somebody sent to one of our lines."""

    carrier_id: str
    sender_phone: str = field(repr=False)
    line: str
    text: str = field(repr=False)
    at: datetime | None = None
    raw: bytes = field(default=b"", repr=False)


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


@dataclass(frozen=True, slots=True)
class Tools:
    """What an adapter may use of the world; everything else is in its options.

    `write` prints one line on the terminal. `feed` puts a text into the simulator's
    inbox: (to E.164, our id, text); the same id again must be one entry, and OSError
    says that the inbox is away. `receipts_url` is where the channel's receipts are to
    come, for a carrier that is told with each text; it holds the channel's key.
    """

    http: httpx.Client
    write: Callable[[str], None]
    feed: Callable[[str, str, str], None]
    region: str = "IR"
    receipts_url: str = field(default="", repr=False)


class Unreadable(ValueError):
    """What was posted cannot be read; the message names the field, not its content."""


class Forged(Exception):
    """What was posted does not carry the signature of the carrier it claims to be."""


@runtime_checkable
class Carrier(Protocol):
    """A way to get texts to handsets; built from a channel's settings."""

    name: ClassVar[str]
    # Settings of the channel without which it cannot be built, and those it also knows.
    needs: ClassVar[tuple[str, ...]]
    knows: ClassVar[tuple[str, ...]]

    @property
    def can_look_up(self) -> bool:
        """Whether `look_up` can tell if a text was taken."""
        ...

    @property
    def ids_are_ours(self) -> bool:
        """Whether receipts come under our own id, which is then the carrier's id too.

        It is known before the call: no receipt is early, and no lost answer loses one.
        """
        ...

    @property
    def reply(self) -> Reply:
        """What its webhooks want to hear once what they brought is stored."""
        ...

    @classmethod
    def build(cls, options: Mapping[str, str], tools: Tools) -> Self:
        """Make one from options that hold all of `needs`; ValueError for a bad one."""
        ...

    def send(self, message: Outbound) -> Result:
        """Hand over one text; never raises for anything the carrier or the net does."""
        ...

    def look_up(self, question: Question) -> Result | None:
        """Ask whether a text was taken.

        None says that the carrier surely never had it; an ambiguous result says that
        nothing could be learned.
        """
        ...

    def read_receipts(self, posted: Posted) -> tuple[Receipt, ...]:
        """Read delivery reports; raises Unreadable or Forged."""
        ...

    def read_inbound(self, posted: Posted) -> tuple[Inbound, ...]:
        """Read incoming texts; raises Unreadable or Forged."""
        ...


@runtime_checkable
class Asked(Protocol):
    """A carrier that posts nothing by itself, so its news is asked for.

    Neither raises for anything the carrier or the net does: what cannot be had now is
    left out, and had later. A list may be shown once only, so what comes is to be
    stored before anything is done about it.
    """

    def ask_receipts(self, carrier_ids: Sequence[str]) -> tuple[Receipt, ...]:
        """What became of texts, by the carrier's ids."""
        ...

    def ask_inbound(self) -> tuple[Inbound, ...]:
        """Texts that came in, those that were seen before perhaps too."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `result` where that says it all, else a body to be read."""

    result: Result | None
    status: int = 0
    body: bytes = field(default=b"", repr=False)

    def json(self) -> Any:
        """The body as JSON, or None if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def checked(
    http: httpx.Client,
    request: httpx.Request,
    *,
    meanings: Mapping[int, Outcome] | None = None,
) -> Answer:
    """Make the call, and turn every way it can fail into an outcome.

    `meanings` are the statuses for which the carrier documents something else. The body
    is there to be read whatever the status; nothing here raises for what the net does.
    """
    try:
        response = http.send(request, stream=True, follow_redirects=False)
        try:
            body = _bounded(response)
        finally:
            response.close()
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        return _failed(Outcome.RETRYABLE, error)
    except (httpx.UnsupportedProtocol, httpx.ProxyError) as error:
        return _failed(Outcome.MISCONFIGURED, error)
    except (httpx.RequestError, _TooMuch) as error:
        # It left, or may have: silence, a reset, half an answer.
        return _failed(Outcome.AMBIGUOUS, error)

    status = response.status_code
    outcome = (meanings or {}).get(status) or _meaning(status)
    result = None
    if outcome is not Outcome.ACCEPTED:
        result = Result(
            outcome,
            detail=f"HTTP {status}",
            retry_after_seconds=_retry_after(response),
        )
    return Answer(result, status, body)


def _meaning(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome.ACCEPTED
    if status == 429:
        return Outcome.THROTTLED
    # A redirect means that base_url is not where the carrier's interface is.
    if status in (401, 403) or 300 <= status < 400:
        return Outcome.MISCONFIGURED
    if 400 <= status < 500:
        return Outcome.REFUSED
    return Outcome.AMBIGUOUS


def _failed(outcome: Outcome, error: Exception) -> Answer:
    # Only the kind of error: its words can hold the address, and the address a key.
    return Answer(Result(outcome, detail=type(error).__name__.lstrip("_")))


class _TooMuch(Exception):
    """The answer is too long, or drips in too slowly, to be one."""


def _bounded(response: httpx.Response) -> bytes:
    # A duration, not the time of day: each read is bounded, their sum is not.
    until = time.monotonic() + ANSWER_SECONDS_MAX
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > ANSWER_OCTETS_MAX or time.monotonic() > until:
            raise _TooMuch
    return bytes(body)


def _retry_after(response: httpx.Response) -> int | None:
    value = response.headers.get("Retry-After", "")
    if re.fullmatch(r"[0-9]{1,6}", value):
        return min(int(value), RETRY_AFTER_SECONDS_MAX)
    return None


def address(base_url: str, path: str) -> httpx.URL:
    """Where an adapter's interface is; ValueError if `base_url` is no web address."""
    try:
        url = httpx.URL(f"{base_url.rstrip('/')}/{path}")
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ValueError("base_url is no address") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("base_url begins with no https:// or http://")
    return url


_LONG_NUMBER = re.compile(r"\d{5,}")


def scrubbed(text: object, *secrets: str) -> str:
    """A carrier's own words, fit for a log: one short line, no secret, no number."""
    words = " ".join(str(text)[: 10 * DETAIL_CHARS_MAX].split())
    for secret in secrets:
        if secret:
            words = words.replace(secret, "***")
    words = _LONG_NUMBER.sub("***", words)
    return "".join(c for c in words if c.isprintable())[:DETAIL_CHARS_MAX]


def keep_urls_out_of_logs() -> None:
    """Silence httpx's own request log, for a carrier whose key stands in the path."""
    log = logging.getLogger("httpx")
    if _is_no_request not in log.filters:
        log.addFilter(_is_no_request)


def _is_no_request(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING
