"""Which column of a file is which: by the names in its first rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice

from gateway.channels import COLUMNS
from gateway.settlements.files import BadFile, Row
from phone.digits import fold, fold_digits, visible

__all__ = ["NEEDED", "Place", "find_columns", "insist_on_plain"]

NEEDED = COLUMNS[:3]
# A title and the name of the shop stand above the names in what banks send.
ROWS_ABOVE_MAX = 20

Place = dict[str, int]

# What a spreadsheet would run; a number with a sign, a phone, a lone stroke are none.
_RUNS = re.compile(r"\s*[=+\-@]", re.ASCII)
_PLAIN = re.compile(r"\s*(-+|[+-][0-9][0-9\s.,٬٫/:()-]*)\s*")


def find_columns(rows: Iterator[Row], columns: Mapping[str, str]) -> Place:
    """Take rows up to the one with the names, and say where each field stands.

    `columns` names them as the file does; empty: they are called as ours. Raises
    BadFile for one that is missing or there twice.
    """
    named = columns or {field: field for field in COLUMNS}
    wanted = {field: fold(name) for field, name in named.items()}
    best: list[str] = list(NEEDED)
    for row in islice(rows, ROWS_ABOVE_MAX):
        insist_on_plain(row)
        titles = [fold(cell) for cell in row.cells]
        # Names that were set have to be there; our own may be fewer.
        needed = columns or NEEDED
        missing = [field for field in needed if wanted[field] not in titles]
        if not missing:
            return _places(row, titles, wanted)
        best = min(best, missing, key=len)
    names = ", ".join(repr(named[field]) for field in best if field in named)
    raise BadFile(
        f"no row of the first {ROWS_ABOVE_MAX} names every column: {names} is missing"
    )


def insist_on_plain(row: Row) -> None:
    """Refuse a row with a cell that a spreadsheet would run; raises BadFile."""
    for number, cell in enumerate(row.cells, start=1):
        if _RUNS.match(cell) and not _PLAIN.fullmatch(fold_digits(visible(cell))):
            raise BadFile(f"row {row.number}: there is a formula in column {number}")


def _places(row: Row, titles: list[str], wanted: Mapping[str, str]) -> Place:
    found = {}
    for field, title in wanted.items():
        if titles.count(title) > 1:
            raise BadFile(f"row {row.number}: two columns are called as the {field} is")
        if title in titles:
            found[field] = titles.index(title)
    return found
