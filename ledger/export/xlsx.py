"""A table as an Excel workbook, written row by row.

Every text is written as a text, so that no cell can be run and no code loses its
form; Excel 2007 and later hold 1,048,576 rows in a sheet.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine

from ledger.export.manifests import Tally
from ledger.export.pages import Cell, Record
from ledger.export.selection import Selection
from ledger.export.table import Column, Headers, Table
from ledger.vault import Keys

__all__ = ["SHEET_ROWS_MAX", "XlsxMissing", "export_xlsx"]

SHEET_ROWS_MAX = 1_000_000
# Excel computes with fifteen digits: a longer number is kept whole as a text.
_NUMBER_MAX = 10**15 - 1

_TOTAL = {Headers.EN: "total", Headers.FA: "جمع"}
_TOTALS = {Headers.EN: "totals", Headers.FA: "جمع‌ها"}
_ROWS = {Headers.EN: "rows", Headers.FA: "تعداد"}
_CREATED = datetime(1980, 1, 1, tzinfo=UTC)


class XlsxMissing(RuntimeError):
    """The library that writes workbooks is not installed."""


def export_xlsx(
    engine: Engine,
    table: Table,
    selection: Selection,
    path: Path,
    *,
    keys: Keys,
    headers: Headers = Headers.EN,
    progress: Callable[[int], None] | None = None,
    sheet_rows_max: int = SHEET_ROWS_MAX,
) -> None:
    """Write a workbook to `path`, whole or not at all, with totals after the last row.

    The last sheet has the sums for each unit and state, as a manifest has them. A new
    sheet begins after `sheet_rows_max` rows; with Persian headers the sheets
    run from right to left. `progress` is told of rows written. Raises XlsxMissing
    without the extra `xlsx`, OSError where the disk is full and LedgerError where
    the database fails.
    """
    xlsxwriter = _library()
    # Beside the file, because what is written before it is packed is ten times its
    # size, and so that the last step is a rename.
    with TemporaryDirectory(prefix=".export-", dir=path.parent) as scratch:
        unfinished = Path(scratch) / "workbook.xlsx"
        workbook = xlsxwriter.Workbook(
            unfinished,
            {"constant_memory": True, "tmpdir": scratch, "use_zip64": True},
        )
        # Else the same rows would be another file each second.
        workbook.set_properties({"created": _CREATED})
        try:
            sheets = _Sheets(workbook, table, headers, sheet_rows_max)
            totals = _Totals(table.columns)
            tally = Tally(table)
            for records in tally.watch().pages(engine, selection, keys):
                for record in records:
                    sheets.write(record)
                    totals.add(record)
                if progress:
                    progress(len(records))
            for total in totals.records(_TOTAL[headers]):
                sheets.write_total(total)
            sheets.write_sums(tally.sums())
            workbook.close()
        except xlsxwriter.exceptions.FileCreateError as fault:
            raise fault.args[0] from fault
        finally:
            # Where the writing failed, the library has left its own files open.
            for sheet in workbook.worksheets():
                sheet.row_data_fh.close()
        os.replace(unfinished, path)


class _Sheets:
    """Sheets one after another: a row can only be written below the last one."""

    def __init__(
        self, workbook: Any, table: Table, headers: Headers, rows_max: int
    ) -> None:
        self._workbook = workbook
        self._table = table
        self._headers = headers
        self._rows_max = rows_max
        self._bold = workbook.add_format({"bold": True})
        self._text = workbook.add_format({"num_format": "@"})
        self._number = workbook.add_format({"num_format": "#,##0"})
        self._total = workbook.add_format({"bold": True, "num_format": "#,##0"})
        self._sheets = 0
        self._begin()

    def write(self, record: Record) -> None:
        if self._row > self._rows_max:
            self._begin()
        self._write(record, self._text, self._number)

    def write_total(self, record: Record) -> None:
        # On the last sheet even where it is full: Excel has room for some more.
        self._write(record, self._bold, self._total)

    def write_sums(self, sums: Sequence[Mapping[str, str | int]]) -> None:
        """Break the totals down by unit and state, on a sheet of its own."""
        self._add(_TOTALS[self._headers])
        titles = {one.name: one.title(self._headers) for one in self._table.columns}
        titles |= {"rows": _ROWS[self._headers]}
        # The breakdown calls it state, whatever the table's column is called.
        titles["state"] = titles[self._table.state or "rows"]
        names = list(sums[0]) if sums else ["rows"]
        self._sheet.set_column(0, len(names) - 1, 16)
        self._write([titles[name] for name in names], self._bold, self._bold)
        for line in sums:
            self._write([line[name] for name in names], self._text, self._number)

    def _begin(self) -> None:
        self._sheets += 1
        name = self._table.title(self._headers)
        self._add(name if self._sheets == 1 else f"{name} {self._sheets}")
        for place, column in enumerate(self._table.columns):
            self._sheet.set_column(place, place, column.width_chars)
        titles = [column.title(self._headers) for column in self._table.columns]
        self._write(titles, self._bold, self._bold)

    def _add(self, name: str) -> None:
        self._sheet = self._workbook.add_worksheet(name)
        if self._headers is Headers.FA:
            self._sheet.right_to_left()
        self._sheet.freeze_panes(1, 0)
        self._row = 0

    def _write(self, record: Record, text: Any, number: Any) -> None:
        for place, cell in enumerate(record):
            if isinstance(cell, int) and abs(cell) <= _NUMBER_MAX:
                self._sheet.write_number(self._row, place, cell, number)
            elif cell != "":
                self._sheet.write_string(self._row, place, str(cell), text)
        self._row += 1


class _Totals:
    """Sums of the columns that have one, for each unit, and the count of rows."""

    def __init__(self, columns: Sequence[Column]) -> None:
        names = [column.name for column in columns]
        self._width = len(columns)
        self._summed = [place for place, one in enumerate(columns) if one.summed]
        self._unit = names.index("unit") if "unit" in names else None
        self._sums: dict[str, dict[int, Decimal]] = {}
        self._rows = 0

    def add(self, record: Record) -> None:
        self._rows += 1
        if self._unit is None:
            return
        unit = str(record[self._unit])
        sums = self._sums.setdefault(unit, {})
        for place in self._summed:
            if (cell := record[place]) != "":
                sums[place] = sums.get(place, Decimal(0)) + Decimal(cell)

    def records(self, word: str) -> Iterator[Record]:
        if self._unit is None:
            yield [word, self._rows, *[""] * (self._width - 2)]
            return
        for unit in sorted(self._sums) or [""]:
            record: list[Cell] = [word, *[""] * (self._width - 1)]
            record[self._unit] = unit
            for place, amount in self._sums.get(unit, {}).items():
                whole = int(amount)
                record[place] = whole if whole == amount else str(amount)
            yield record


def _library() -> Any:
    # Only here, because the library is an extra that a small installation lacks.
    try:
        return import_module("xlsxwriter")
    except ModuleNotFoundError:
        raise XlsxMissing("XLSX needs an extra: pip install 'yarigar[xlsx]'") from None
