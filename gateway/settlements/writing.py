"""The report of what needs a person, as CSV that a spreadsheet opens right."""

from __future__ import annotations

import csv
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.faults import Unready
from gateway.settlements.reconciling import Finding, State

__all__ = ["NEEDS_A_PERSON", "Report"]

NEEDS_A_PERSON = (State.DIFFERS, State.PARKED, State.MISSING)
HEAD = ("row", "what", "kind", "id", "rial_in_file", "rial_in_books", "why", "request")
# A service makes up its ids: one may be what a spreadsheet would run.
_RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r")


class Report:
    """Writes findings to a new file; raises Unready where it cannot."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            # The mark is for Excel.
            self._file = path.open("w", encoding="utf-8-sig", newline="")
        except OSError as failure:
            raise self._unready(failure) from None
        self._rows = csv.writer(self._file, lineterminator="\r\n")
        self._rows.writerow(HEAD)

    def add(self, found: Finding) -> None:
        cells = (
            found.row or "",
            found.state,
            found.kind if found.state is not State.PARKED else "",
            found.id,
            found.amount or "",
            "" if found.in_books is None else found.in_books,
            found.why,
            found.asked,
        )
        try:
            self._rows.writerow([_guarded(str(cell)) for cell in cells])
        except OSError as failure:
            raise self._unready(failure) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
        except OSError as failure:
            raise self._unready(failure) from None

    def _unready(self, failure: OSError) -> Unready:
        return Unready(f"{self._path} cannot be written: {failure.strerror}")


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_RUN_BY_SPREADSHEETS) else cell
