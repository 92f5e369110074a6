"""A table as CSV that Excel opens right: UTF-8 with its mark, CRLF, no formulas.

RFC 4180, and OWASP's list of the first characters that a spreadsheet would run.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator

from sqlalchemy import Engine

from ledger.export.pages import Cell, Record
from ledger.export.selection import Selection
from ledger.export.table import Headers, Table
from ledger.vault import Keys

__all__ = ["MARK", "export_csv", "lines"]

# Without the mark Excel reads Persian as the letters of some other code page.
MARK = b"\xef\xbb\xbf"
_RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r")


def export_csv(
    engine: Engine,
    table: Table,
    selection: Selection,
    *,
    keys: Keys,
    headers: Headers = Headers.EN,
    progress: Callable[[int], None] | None = None,
) -> Iterator[bytes]:
    """Yield the file piece by piece, one page of rows in memory at a time.

    `progress` is told of the rows of each piece as it is handed over. Raises
    LedgerError where the database fails; what was yielded until then is no file.
    """
    titles = [column.title(headers) for column in table.columns]
    yield MARK + lines([titles])
    for records in table.pages(engine, selection, keys):
        yield lines(records)
        if progress:
            progress(len(records))


def lines(records: Iterable[Record]) -> bytes:
    """Rows as the lines of such a file."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerows(map(_guarded, records))
    return buffer.getvalue().encode()


def _guarded(record: Record) -> list[Cell]:
    return [
        f"'{cell}"
        if isinstance(cell, str) and cell.startswith(_RUN_BY_SPREADSHEETS)
        else cell
        for cell in record
    ]
