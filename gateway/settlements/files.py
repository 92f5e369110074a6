"""A settlement file, bounded and of a known form, as rows of text.

A file that cannot be read to its end is refused whole, in one line.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from gateway.faults import Unready

__all__ = ["CELL_CHARS_MAX", "COLUMNS_MAX", "BadFile", "Row", "opened", "rows"]

BYTES_MAX = 200_000_000
ROWS_MAX = 2_000_000
COLUMNS_MAX = 200
CELL_CHARS_MAX = 2_000
PIECE_BYTES = 1 << 20

ZIP = b"PK\x03\x04"
# A compound file: a workbook with a password, or one of before 2007.
COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")


class BadFile(Unready):
    """The file as a whole is not taken: one line names the row and the reason."""


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row as they are written, and its number as a spreadsheet has it.

    Numbers of a workbook are whole or have a point, never an exponent.
    """

    number: int
    cells: list[str]


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file, if it is one and not too long. Raises BadFile."""
    try:
        # Not to wait for a pipe that nobody writes to.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as failure:
        raise BadFile(f"{path} cannot be read: {failure.strerror}") from None
    told = os.fstat(number)
    if not stat.S_ISREG(told.st_mode):
        os.close(number)
        raise BadFile(f"{path} is not a file")
    with open(number, "rb") as file:
        if not 0 < told.st_size <= BYTES_MAX:
            raise BadFile(f"{path} should have 1 to {BYTES_MAX // 10**6} million bytes")
        try:
            yield file
        except OSError as failure:
            raise BadFile(f"{path} cannot be read: {failure.strerror}") from None


def digest(file: BinaryIO) -> str:
    """The SHA-256 of a file, in hex."""
    found = sha256()
    file.seek(0)
    while piece := file.read(PIECE_BYTES):
        found.update(piece)
    return found.hexdigest()


def rows(file: BinaryIO, encoding: str) -> Iterator[Row]:
    """The rows of a CSV file or a workbook that hold anything. Raises BadFile.

    `encoding` is utf-8, windows-1256, or empty to find out; a workbook tells its own.
    """
    from gateway.settlements.csv_rows import csv_rows
    from gateway.settlements.xlsx_rows import xlsx_rows

    file.seek(0)
    begins = file.read(8)
    file.seek(0)
    if begins.startswith(COMPOUND):
        raise BadFile(
            "the workbook has a password or is an old .xls: save it as plain .xlsx"
        )
    found = xlsx_rows(file) if begins.startswith(ZIP) else csv_rows(file, encoding)
    last = 0
    for row in found:
        # A row's number comes from the file: a workbook may skip from 1 to 10**18.
        if not last < row.number <= ROWS_MAX:
            raise BadFile(f"row {row.number}: more than {ROWS_MAX} rows are not taken")
        last = row.number
        if len(row.cells) > COLUMNS_MAX:
            raise BadFile(f"row {row.number}: more than {COLUMNS_MAX} columns")
        if any(len(cell) > CELL_CHARS_MAX for cell in row.cells):
            raise BadFile(
                f"row {row.number}: a cell of more than {CELL_CHARS_MAX} characters"
            )
        if any(map(str.strip, row.cells)):
            yield row
