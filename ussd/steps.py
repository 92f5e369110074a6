"""What one step of the machine takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Effect", "Facts", "Need", "Results", "Session", "Step"]


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


@dataclass(frozen=True, slots=True)
class Need:
    """A group of facts the next screen says something of."""

    group: str
    argument: str = ""


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
