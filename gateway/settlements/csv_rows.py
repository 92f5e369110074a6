"""The rows of a CSV file: RFC 4180 with `,` `;` or a tab, in UTF-8, 16 or Windows-1256.

Which mark separates the cells is the one that is as often in most of the first lines.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from gateway.settlements.files import PIECE_BYTES, BadFile, Row

__all__ = ["csv_rows"]

LINE_CHARS_MAX = 100_000
# In this order: amounts have commas in files of either other.
MARKS = (";", "\t", ",")
LINES_TRIED = 20
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def csv_rows(file: BinaryIO, encoding: str) -> Iterator[Row]:
    """Yield the rows, the first of them numbered 1. Raises BadFile.

    A quoted cell may have line ends in it: a row's number counts rows, not lines.
    """
    letters = _letters(file, encoding)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=letters, errors="strict", newline="")
    number = 0
    try:
        mark = _mark(list(islice(_lines(text), LINES_TRIED)))
        text.seek(0)
        reader = csv.reader(_lines(text), delimiter=mark, strict=True)
        for number, cells in enumerate(reader, start=1):
            yield Row(number, cells)
    except UnicodeDecodeError:
        raise BadFile(f"row {number + 1}: these are no letters in {letters}") from None
    except csv.Error as fault:
        raise BadFile(f"row {number + 1}: {fault}") from None
    finally:
        # Whoever opened the file closes it, and may have done so.
        if not file.closed:
            text.detach()


def _letters(file: BinaryIO, encoding: str) -> str:
    """What the file is written in: as its mark says, as was set, or as it looks.

    Windows-1256 reads every byte there is, so a UTF-8 file with one wrong byte must not
    pass for it: that has valid letters before the byte, which Windows-1256 has not.
    """
    begins = file.read(4)
    for bom, name in BOMS:
        if begins.startswith(bom):
            return name
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    seen_letters = False
    row = 1
    is_utf8 = True
    while piece := file.read(PIECE_BYTES):
        if b"\0" in piece:
            raise BadFile("the file is no text: it is CSV or .xlsx that is read")
        if not is_utf8:
            continue
        try:
            seen_letters |= not decoder.decode(piece).isascii()
        except UnicodeDecodeError as fault:
            is_utf8 = False
            before = bytes(fault.object)[: fault.start]
            seen_letters |= not before.isascii()
            row += before.count(b"\n")
            continue
        row += piece.count(b"\n")
    if encoding == "windows-1256":
        return encoding
    if is_utf8:
        return "utf-8"
    if encoding == "utf-8" or seen_letters:
        raise BadFile(f"row {row}: these are no letters in utf-8")
    return "windows-1256"


def _mark(lines: list[str]) -> str:
    def agreeing(mark: str) -> int:
        counts = Counter(line.count(mark) for line in lines if mark in line)
        return max(counts.values(), default=0)

    return max(MARKS, key=agreeing)


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LINE_CHARS_MAX):
        if len(line) >= LINE_CHARS_MAX and not line.endswith(("\r", "\n")):
            raise csv.Error(f"a line of more than {LINE_CHARS_MAX} characters")
        yield line
