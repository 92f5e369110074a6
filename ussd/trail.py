"""What a cumulative text says anew: a retry, an answer, or another beginning.

A carrier that sends everything typed since the dial, joined by `*`, may send it
twice, late or not at all. The trail keeps what was consumed, never as text but as a
length and a keyed digest, with the reply each request got; so a card number typed by
mistake is nowhere, and a late retry is still answered byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Anew", "Mark", "Onward", "Repeat", "Trail", "digest_with", "reconcile"]

DIGEST_BYTES = 12
# Answers of one request that are known again when they arrive late on their own.
CUTS_A_REQUEST_MAX = 30


@dataclass(frozen=True, slots=True)
class Mark:
    """One text that was consumed, and the reply that answered it."""

    length: int
    digest: str
    reply: str
    ends: bool


Trail = tuple[Mark, ...]
Digest = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Repeat:
    """The same request again: it gets the same reply and steps nothing."""

    reply: str
    ends: bool


@dataclass(frozen=True, slots=True)
class Onward:
    """The conversation goes on with these answers."""

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


def reconcile(trail: Trail, typed: str, digest: Digest) -> Repeat | Onward | Anew:
    """Compare a cumulative text with what was consumed.

    Equal to a request that was answered: its reply. An extension of the last one:
    the rest, split at `*`. A prefix that was never a request of its own: the reply
    that consumed it. Anything else: another conversation.
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


def extended(
    trail: Trail, typed: str, digest: Digest, *, reply: str, ends: bool
) -> Trail:
    """The trail after `typed` was consumed.

    The end of every answer in it is marked, so that a shorter text that arrives late
    is known for what it is.
    """
    start = trail[-1].length if trail else -1
    cuts = [
        at for at, letter in enumerate(typed) if letter == "*" and at > start and at > 0
    ]
    lengths = [*cuts[:CUTS_A_REQUEST_MAX], len(typed)]
    marks = tuple(Mark(n, digest(typed[:n]), reply, ends) for n in lengths)
    return trail + marks
