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
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import httpx

from sms.posted import (
    Forged,
    Inbound,
    Joint,
    Posted,
    Receipt,
    Reply,
    Spoilt,
    Unreadable,
)
from sms.result import Outcome, Piece, Result, Status, of_pieces

__all__ = [
    "Answer",
    "Asked",
    "ByParts",
    "Carrier",
    "Forged",
    "Inbound",
    "Joint",
    "Outbound",
    "Outcome",
    "Piece",
    "Posted",
    "Question",
    "Receipt",
    "Reply",
    "Result",
    "Spoilt",
    "Status",
    "Tools",
    "Unreadable",
    "address",
    "checked",
    "keep_urls_out_of_logs",
    "of_pieces",
    "scrubbed",
]

ANSWER_OCTETS_MAX = 256 * 1024
ANSWER_SECONDS_MAX = 20.0
CARRIER_ID_CHARS_MAX = 120
DETAIL_CHARS_MAX = 200
RETRY_AFTER_SECONDS_MAX = 3600
TEXT_CHARS_MAX = 2000  # ten parts of 67 are more than any handset joins in practice


@dataclass(frozen=True, slots=True)
class Outbound:
    """One text to send; `id` is our reference: 63 bits in decimal, always the same.

    The rest is for a carrier that is handed the parts one by one (`ByParts`): how many
    there are, what a handset joins them by, and which of them are to be handed over
    now, from 1: those that no earlier call surely brought, or left in doubt.
    """

    id: str
    to: str = field(repr=False)
    text: str = field(repr=False)
    sender: str
    total: int = 1
    reference: int = 0
    parts: tuple[int, ...] = (1,)
    # After so long the text is worth nothing; 0 is not known.
    valid_seconds: int = 0


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

    def read_receipts(self, posted: Posted) -> tuple[Receipt | Spoilt, ...]:
        """Read delivery reports; raises Unreadable or Forged."""
        ...

    def read_inbound(self, posted: Posted) -> tuple[Inbound | Spoilt, ...]:
        """Read incoming texts; raises Unreadable or Forged."""
        ...


@runtime_checkable
class ByParts(Protocol):
    """A carrier that is handed a long text part by part, in a process of its own.

    Its `send` is never called: the process gives the engine a `Result` with `pieces`.
    """

    def count(self, text: str) -> int:
        """How many parts it makes of a text; TextTooLong if they are too many."""
        ...


@runtime_checkable
class Asked(Protocol):
    """A carrier whose news is asked for, because it posts none by itself.

    Neither raises for anything the carrier or the net does: what cannot be had now is
    left out, and had later. A list may be shown once only, so what comes is to be
    stored before anything is done about it.
    """

    @property
    def ids_at_once(self) -> int:
        """How many ids one request asks about; 0 if it posts its news after all."""
        ...

    def ask_receipts(self, carrier_ids: Sequence[str]) -> tuple[Receipt, ...]:
        """What became of texts, by up to `ids_at_once` of the carrier's ids."""
        ...

    def ask_inbound(self, *, again: bool = False) -> tuple[Inbound | Spoilt, ...]:
        """Texts that came in, those that were seen before perhaps too.

        With `again` surely those too, as far back as the carrier shows them: what it
        showed before may not have been stored.
        """
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
