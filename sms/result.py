"""What a carrier answers to one text, whole or part by part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Outcome", "Piece", "Result", "Status", "of_pieces"]


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
class Piece:
    """What became of one part, by its place in the text, from 1."""

    part: int
    outcome: Outcome
    carrier_id: str | None = None
    detail: str = ""


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
    # Of a text of several parts that were handed over one by one: those of this call.
    pieces: tuple[Piece, ...] = ()
    # It was the connection that failed, which says nothing of how the carrier does.
    is_of_line: bool = False


# What a text of several parts is, if one of them is: the first that is found.
_WORST = (
    Outcome.AMBIGUOUS,
    Outcome.OPTED_OUT,
    Outcome.REFUSED,
    Outcome.MISCONFIGURED,
    Outcome.NO_CREDIT,
    Outcome.THROTTLED,
    Outcome.RETRYABLE,
)


def of_pieces(
    pieces: Sequence[Piece], *, retry_after_seconds: int | None = None
) -> Result:
    """The result of a call that handed over the parts of one text.

    It is taken only if every part was, and in doubt as soon as one of them is.
    """
    assert pieces, "a text has at least one part"
    by_outcome = {piece.outcome: piece for piece in reversed(pieces)}
    worst = next((by_outcome[one] for one in _WORST if one in by_outcome), pieces[0])
    return Result(
        worst.outcome,
        carrier_id=pieces[0].carrier_id if len(pieces) == 1 else None,
        detail=worst.detail,
        retry_after_seconds=retry_after_seconds,
        pieces=tuple(pieces),
    )
