"""What a request says anew: a retry, an answer, or another beginning.

A carrier may send a request twice, late or not at all. The trail keeps what was
consumed, never as text but as a length and a keyed digest, with the reply each request
got; so a card number typed by mistake is nowhere, and a late retry is still answered
byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from ussd.turn import Turn

__all__ = [
    "Anew",
    "Mark",
    "Onward",
    "Repeat",
    "Trail",
    "digest_with",
    "extended",
    "lost",
    "reconcile",
]

DIGEST_BYTES = 12
# How long after its reply the same answer is taken for a retry, where requests are
# neither cumulative nor numbered.
RETRY_SECONDS = 2.0
# Answers of one request that are known again when they arrive late on their own.
CUTS_A_REQUEST_MAX = 30


@dataclass(frozen=True, slots=True)
class Mark:
    """One request that was consumed, and the reply that answered it.

    `length` is that of a cumulative text, else the number of the request in its call;
    `at` is when it was answered, in seconds since 1970.
    """

    length: int
    digest: str
    reply: str
    ends: bool
    at: float = 0.0


Trail = tuple[Mark, ...]
Digest = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Repeat:
    """The same request again: it gets the same reply and steps nothing."""

    reply: str
    ends: bool


@dataclass(frozen=True, slots=True)
class Onward:
    """The conversation goes on with these answers; with none, it shows its screen."""

    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Anew:
    """The text is of another conversation under the same session id."""


def digest_with(key: bytes) -> Digest:
    """A keyed digest for marks, in hex."""

    def digest(text: str) -> str:
        # Keyed, as HMAC is, and three times as fast: there are many in a turn.
        hashed = hashlib.blake2b(text.encode(), key=key, digest_size=DIGEST_BYTES)
        return hashed.hexdigest()

    return digest


def answers_in(typed: str) -> tuple[str, ...]:
    """The answers of a text typed from the start; an empty text holds none.

    A leading `*` is the empty answer to the first screen, which that screen replayed.
    """
    typed = typed.lstrip("*")
    return tuple(typed.split("*")) if typed else ()


def reconcile(
    trail: Trail, turn: Turn, digest: Digest, at: float
) -> Repeat | Onward | Anew:
    """Compare a request that came at `at` with what was consumed."""
    if turn.cumulative:
        return _cumulative(trail, turn.typed, digest)
    return _latest(trail, turn, digest, at)


def lost(loaded: Trail, winner: Trail, turn: Turn, digest: Digest) -> Repeat | None:
    """The reply to the same request, if it won the race that this one lost.

    Of two requests in flight at once, alike, the second is a retry of the first.
    """
    said = _said(turn, digest)
    for mark in winner[len(loaded) :]:
        if mark.digest == said:
            return Repeat(mark.reply, mark.ends)
    return None


def _cumulative(trail: Trail, typed: str, digest: Digest) -> Repeat | Onward | Anew:
    """Equal to a request that was answered: its reply.

    An extension of the last one: the rest, split at `*`. A prefix that was never a
    request of its own: the reply that consumed it. Anything else: another conversation.
    """
    for mark in reversed(trail):
        if mark.length == len(typed) and mark.digest == digest(typed):
            return Repeat(mark.reply, mark.ends)
    last = trail[-1]
    if len(typed) > last.length and digest(typed[: last.length]) == last.digest:
        if last.ends:
            return Repeat(last.reply, last.ends)
        if last.length == 0:
            return Onward(answers_in(typed))
        if typed[last.length] == "*":
            return Onward(tuple(typed[last.length + 1 :].split("*")))
    return Anew()


def _latest(
    trail: Trail, turn: Turn, digest: Digest, at: float
) -> Repeat | Onward | Anew:
    """The latest answer alone: what was typed before has to be remembered here.

    A start again is a retry until something was answered, without an id of the carrier
    for RETRY_SECONDS only. After that it shows the screen the call has come to, for the
    first one would be answered as if it were that; after the end it is another call.

    A number says what an answer is; where there is none, the same answer is a retry for
    RETRY_SECONDS, and all is after the end.
    """
    first, last = trail[0], trail[-1]
    said = _said(turn, digest)
    if turn.starts:
        if first.digest != said or last.ends:
            return Anew()
        if len(trail) == 1 and (turn.session or at - first.at <= RETRY_SECONDS):
            return Repeat(first.reply, first.ends)
        return Onward(()) if turn.session else Anew()
    if last.ends:
        return Repeat(last.reply, last.ends)
    if turn.sequence is not None:
        for mark in reversed(trail):
            if mark.length == turn.sequence and mark.digest == said:
                return Repeat(mark.reply, mark.ends)
        if turn.sequence < last.length:
            return Repeat(last.reply, last.ends)
        # Some begin to count anew after the start: the same number, another text.
        if turn.sequence > last.length + 1:
            # What stood on the phone when this was typed is not known here.
            return Onward(())
    elif last.digest == said and at - last.at <= RETRY_SECONDS:
        return Repeat(last.reply, last.ends)
    return Onward((turn.typed,))


def _said(turn: Turn, digest: Digest) -> str:
    if turn.cumulative:
        return digest(turn.typed)
    return digest(f"start {turn.dialled}" if turn.starts else f"answer {turn.typed}")


def extended(
    trail: Trail, turn: Turn, digest: Digest, *, reply: str, ends: bool, at: float
) -> Trail:
    """The trail after a request was consumed.

    Of a cumulative text the end of every answer in it is marked, so that a shorter text
    that arrives late is known for what it is.
    """
    if not turn.cumulative:
        before = trail[-1].length if trail else 0
        number = before + 1 if turn.sequence is None else max(turn.sequence, before)
        return (*trail, Mark(number, _said(turn, digest), reply, ends, at))
    typed = turn.typed
    start = trail[-1].length if trail else -1
    cuts = [n for n, c in enumerate(typed) if c == "*" and n > max(start, 0)]
    lengths = [*cuts[:CUTS_A_REQUEST_MAX], len(typed)]
    marks = tuple(Mark(n, digest(typed[:n]), reply, ends, at) for n in lengths)
    return trail + marks
