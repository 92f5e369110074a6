"""What one step of the machine takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, NamedTuple

__all__ = [
    "BACK_MAX",
    "RETURNS_MAX",
    "Effect",
    "Facts",
    "Need",
    "Passed",
    "Results",
    "Session",
    "Step",
]

# How many screens a caller can go back, and how deep sub-flows may lie in each other.
BACK_MAX = 12
RETURNS_MAX = 4


class Passed(NamedTuple):
    """A screen that was answered, and how to undo it: a tuple, so JSON holds it."""

    at: str
    page: int
    campaign: str
    returns: tuple[str, ...]
    # The answers it changed, as they were before; None for one that was not there.
    undo: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Session:
    """Where one caller stands. Small enough to be kept as JSON between turns."""

    at: str
    campaign: str
    language: str
    answers: Mapping[str, str] = field(default_factory=dict)
    # How often each effect was done: the n in its key.
    done: Mapping[str, int] = field(default_factory=dict)
    # The values behind the numbers of the list page shown last.
    items: tuple[str, ...] = ()
    page: int = 0
    turns: int = 0
    wrong: int = 0
    # A notice stands in front of the screen; key 9 shows the screen itself.
    held: bool = False
    # The screens to go on at when a sub-flow returns, the innermost last.
    returns: tuple[str, ...] = ()
    # The way back, the last screen last.
    history: tuple[Passed, ...] = ()
    # The screen that the one shown stands in for, where an answer was refused.
    place: str = ""
    # Wrong keys in a row on screens that the caller was led away from.
    astray: int = 0
    # Turns since the flow it is in was entered.
    flow_turns: int = 0
    # Whether the page shown last goes on with key 9.
    more: bool = False

    def but(self, **changes: Any) -> Session:
        """This session with some things otherwise.

        What `dataclasses.replace` does, which would be a fifth of what a step costs.
        """
        return Session(**dict(zip(_FIELDS, _VALUES(self), strict=True)) | changes)

    @classmethod
    def from_json(cls, held: Mapping[str, Any]) -> Session:
        """The session that JSON holds, where tuples are lists.

        What an older version did not save is as at the start; what a newer one added
        is left out, so that both can run while one is put in place of the other.
        """
        history = tuple(
            Passed(at, page, campaign, tuple(returns), undo)
            for at, page, campaign, returns, undo in held.get("history", ())
        )
        tuples = {name: tuple(held.get(name, ())) for name in ("items", "returns")}
        known = {n: value for n, value in held.items() if n in _SESSION_FIELDS}
        return cls(**{**known, **tuples, "history": history})


_SESSION_FIELDS = frozenset(one.name for one in fields(Session))


_FIELDS = tuple(one.name for one in fields(Session))
_VALUES = attrgetter(*_FIELDS)


@dataclass(frozen=True, slots=True)
class Need:
    """A group of facts the next screen says something of."""

    group: str
    argument: str = ""
    # The campaign of the screen's flow, "" for that of the session.
    campaign: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """Something the caller agreed to, the n-th of its name in this conversation."""

    name: str
    number: int
    campaign: str
    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Step:
    session: Session
    text: str = ""
    ends: bool = False
    lacks: Need | Effect | None = None


Facts = Mapping[Need, Mapping[str, Any]]
Results = Mapping[tuple[str, int], Mapping[str, str]]
