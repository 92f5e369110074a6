"""A fault in a menu file: where it is, what it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["BadMenus", "Fault"]

FAULTS_SHOWN_MAX = 50


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    line: int
    column: int
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.what}. {self.remedy}"


class BadMenus(ValueError):
    """A menu file that must not be published; `faults` are in file order."""

    def __init__(self, faults: Iterable[Fault], name: str = "menus.yaml") -> None:
        self.faults = tuple(sorted(faults))
        self.name = name
        lines = [f"{name}:{fault}" for fault in self.faults[:FAULTS_SHOWN_MAX]]
        if len(self.faults) > FAULTS_SHOWN_MAX:
            lines.append(f"and {len(self.faults) - FAULTS_SHOWN_MAX} more")
        super().__init__("\n".join(lines))
