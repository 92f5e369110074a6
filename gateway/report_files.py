"""A report as a file: the same lines and figures as on the page, one line a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from gateway.report_words import FIGURES, GOODS, Words
from ledger.export.xlsx import XlsxMissing
from ledger.publications import Published
from ledger.reporting import Line

__all__ = ["FEW", "as_csv", "as_xlsx", "columns"]

FEW = "<5"
PARCEL = "parcel"
TITLES = {
    "table": "جدول",
    "name": "شناسه",
    "title": "عنوان",
    "report": "شماره گزارش",
    "sealed_leaves": "برگ‌های مهرشده",
    "digest": "چکیده",
}
# Without the mark Excel reads Persian as the letters of some other code page.
_MARK = "\ufeff"
_RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r")
# Excel computes with fifteen digits: a longer number is kept whole as a text.
_NUMBER_MAX = 10**15 - 1

Cell = str | int


def columns(published: Published) -> list[str]:
    """The names of the columns: goods have one for each unit that there is."""
    units = {PARCEL}
    for _, line in _lines(published):
        units |= {unit for goods in GOODS for unit in getattr(line, goods)}
    goods = [f"{figure}_{unit}" for unit in sorted(units) for figure in GOODS]
    return ["table", "name", "title", *FIGURES, *goods, *list(TITLES)[3:]]


def as_csv(published: Published, words: Words) -> bytes:
    """The report as CSV in UTF-8 that Excel opens right."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    names = columns(published)
    writer.writerow(_title(name, words) for name in names)
    for record in _records(published, words, names):
        writer.writerow(_guarded(cell) for cell in record)
    return (_MARK + buffer.getvalue()).encode()


def as_xlsx(published: Published, words: Words) -> bytes:
    """The report as a workbook, from right to left in Persian.

    Raises XlsxMissing without the extra `xlsx`.
    """
    try:
        xlsxwriter: Any = import_module("xlsxwriter")
    except ModuleNotFoundError:
        raise XlsxMissing("XLSX needs an extra: pip install 'yarigar[xlsx]'") from None
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, {"in_memory": True})
    bold = workbook.add_format({"bold": True})
    text = workbook.add_format({"num_format": "@"})
    number = workbook.add_format({"num_format": "#,##0"})
    names = columns(published)
    title = "گزارش" if words.spoken == "fa" else "report"
    sheet = workbook.add_worksheet(f"{title} {published.number}")
    if words.spoken == "fa":
        sheet.right_to_left()
    sheet.freeze_panes(1, 3)
    for place, name in enumerate(names):
        sheet.set_column(place, place, 18)
        sheet.write_string(0, place, _title(name, words), bold)
    for row, record in enumerate(_records(published, words, names), start=1):
        for place, cell in enumerate(record):
            if isinstance(cell, int) and abs(cell) <= _NUMBER_MAX:
                sheet.write_number(row, place, cell, number)
            else:
                sheet.write_string(row, place, str(cell), text)
    workbook.close()
    return buffer.getvalue()


def _records(
    published: Published, words: Words, names: list[str]
) -> Iterator[list[Cell]]:
    for table, line in _lines(published):
        cells: dict[str, Cell] = {
            "table": table,
            "name": line.name,
            "title": words.line(table, line.name),
            "report": published.number,
            "sealed_leaves": published.statement.size or 0,
            "digest": published.digest.hex(),
            "donors": FEW if line.donors is None else line.donors,
        }
        cells |= {figure: getattr(line, figure) for figure in FIGURES[1:]}
        for figure in GOODS:
            for unit, count in getattr(line, figure).items():
                cells[f"{figure}_{unit}"] = count
        yield [cells.get(name, 0) for name in names]


def _lines(published: Published) -> Iterator[tuple[str, Line]]:
    said = published.statement
    yield "total", said.total
    yield from (("purposes", line) for line in said.purposes)
    yield from (("districts", line) for line in said.districts)


def _title(name: str, words: Words) -> str:
    if words.spoken != "fa":
        return name
    if name in TITLES:
        return TITLES[name]
    figure, _, unit = name.rpartition("_")
    if figure in GOODS:
        return f"{words.figure(figure)} ({words.unit(unit)})"
    return words.figure(name)


def _guarded(cell: Cell) -> Cell:
    is_run = isinstance(cell, str) and cell.startswith(_RUN_BY_SPREADSHEETS)
    return f"'{cell}" if is_run else cell
