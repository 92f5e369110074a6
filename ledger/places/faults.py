"""What is wrong with a places file: everything at once, each with its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["BadPlaces", "Fault", "Faults"]

SHOWN_MAX = 50


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend. `line` counts from 1; 0 is the whole file."""

    line: int
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}" if self.line else self.what


class BadPlaces(ValueError):
    """The file was refused, and nothing of it was brought in."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: fault.line))
        lines = [str(fault) for fault in self.faults[:SHOWN_MAX]]
        if left := len(self.faults) - SHOWN_MAX:
            lines += [f"and {left} more"] if left > 0 else []
        super().__init__("\n".join(lines))


class Faults:
    """Gathers what is wrong, so that it is all told together."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def add(self, line: int, what: str) -> None:
        self._found.append(Fault(line, what))

    def refuse(self) -> None:
        """Raise BadPlaces if anything is wrong."""
        if self._found:
            raise BadPlaces(self._found)
