"""The rows of a workbook, read as a stream: ECMA-376 part 1, 18.3 and 18.4.

Readers that are ready-made hold a row, or the sheet, before anybody can count it; here
a cell is refused at its limit. Of the sheet only the texts that cells share are held.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal, DecimalException
from typing import Any, BinaryIO, Protocol
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import BadZipFile, ZipFile, ZipInfo

from gateway.settlements.files import CELL_CHARS_MAX, COLUMNS_MAX, BadFile, Row
from gateway.settlements.xlsx_parts import Sheet, find_sheet, opened_archive

__all__ = ["xlsx_rows"]

PIECE_BYTES = 1 << 16
STRINGS_MAX = 4_000_000
NUMBER_CHARS_MAX = 40
DEPTH_MAX = 40
NAMES_MAX = 1_000
TAG_BYTES_MAX = 1_000_000
# A spreadsheet holds numbers as floats, which are whole up to here.
WHOLE_MAX = 2**53
ROUNDED = "#ROUNDED!"

_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,9})", re.ASCII)


def xlsx_rows(file: BinaryIO) -> Iterator[Row]:
    """Yield the rows of the only sheet. Raises BadFile.

    Numbers are written out as they are, days as 2026-11-22 or 2026-11-22 12:30:00.
    A formula, merged cells, and an entity of the XML's own refuse the file.
    """
    with opened_archive(file) as archive:
        try:
            sheet = find_sheet(archive)
            strings = _Strings()
            if sheet.strings is not None:
                for _ in _parsed(archive, sheet.strings, strings):
                    pass
            rows = _Rows(sheet, strings.found)
            for _ in _parsed(archive, sheet.rows, rows):
                yield from rows.taken()
            yield from rows.taken()
        except (BadZipFile, zlib.error, EOFError, ValueError, LookupError):
            raise BadFile("the workbook is a damaged archive") from None
        except ExpatError as fault:
            raise BadFile(
                f"the workbook's XML is broken: line {fault.lineno}"
            ) from None


class _Listener(Protocol):
    """Hears the elements of a part, without the prefixes of their names."""

    def start(self, name: str, told: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def text(self, written: str) -> None: ...


class _Strings(_Listener):
    """The texts that cells share, in their order."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._parts: list[str] | None = None
        self._chars = 0
        self._aside = 0

    def start(self, name: str, told: dict[str, str]) -> None:
        if name == "si":
            self._chars = 0
            self.found.append("")
            if len(self.found) > STRINGS_MAX:
                raise BadFile(f"the workbook has more than {STRINGS_MAX} texts")
        elif name == "rPh":
            # How a text is said, not what it says.
            self._aside += 1
        elif name == "t" and not self._aside:
            self._parts = []

    def end(self, name: str) -> None:
        if name == "rPh":
            self._aside -= 1
        elif name == "t" and self._parts is not None:
            if self.found:
                self.found[-1] += "".join(self._parts)
            self._parts = None

    def text(self, written: str) -> None:
        if self._parts is None:
            return
        self._chars += len(written)
        if self._chars > CELL_CHARS_MAX:
            raise BadFile(f"the workbook has a text of more than {CELL_CHARS_MAX}")
        self._parts.append(written)


class _Rows(_Listener):
    """The rows as they end."""

    def __init__(self, sheet: Sheet, strings: Sequence[str]) -> None:
        self._sheet = sheet
        self._strings = strings
        self._ready: list[Row] = []
        self._row = 0
        self._cells: list[str] = []
        self._place = 0
        self._kind = ""
        self._style = 0
        self._parts: list[str] = []
        self._chars = 0
        self._listens = False
        self._aside = 0

    def taken(self) -> list[Row]:
        ready, self._ready = self._ready, []
        return ready

    def start(self, name: str, told: dict[str, str]) -> None:
        if name == "row":
            self._row = self._number(told.get("r"), self._row + 1)
            self._cells, self._place = [], 0
        elif name == "c":
            self._place = self._column(told.get("r"))
            self._kind = told.get("t", "n")
            self._style = self._number(told.get("s"), 0)
            self._parts, self._chars = [], 0
        elif name == "f":
            raise BadFile(
                f"row {self._row}: there is a formula in column {self._place}"
            )
        elif name == "rPh":
            self._aside += 1
        elif name in ("v", "t"):
            self._listens = not self._aside
        elif name == "mergeCell":
            raise BadFile("the workbook has merged cells: split them")

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self._listens = False
        elif name == "rPh":
            self._aside -= 1
        elif name == "c":
            missing = self._place - len(self._cells)
            if missing < 1:
                raise BadFile(f"row {self._row}: its cells are in no order")
            self._cells += [""] * (missing - 1)
            self._cells.append(self._cell("".join(self._parts)))
        elif name == "row":
            self._ready.append(Row(self._row, self._cells))

    def text(self, written: str) -> None:
        if not self._listens:
            return
        self._chars += len(written)
        if self._chars > CELL_CHARS_MAX:
            raise BadFile(
                f"row {self._row}: a cell of more than {CELL_CHARS_MAX} characters"
            )
        self._parts.append(written)

    def _cell(self, written: str) -> str:
        if not written:
            return ""
        match self._kind:
            case "s":
                number = self._number(written, -1)
                if not 0 <= number < len(self._strings):
                    raise BadFile(f"row {self._row}: a cell has a text that is missing")
                return self._strings[number]
            case "n":
                return self._numeric(written)
            case "d":
                return written.replace("T", " ").removesuffix("Z")
        return written

    def _numeric(self, written: str) -> str:
        try:
            number = Decimal(written[:NUMBER_CHARS_MAX])
            if not number.is_finite() or abs(number) > WHOLE_MAX:
                return ROUNDED
            if self._style in self._sheet.day_styles:
                return self._day(number)
            return f"{number:f}" if number % 1 else str(int(number))
        except (DecimalException, ValueError, OverflowError):
            return ROUNDED

    def _day(self, number: Decimal) -> str:
        # In 1900 spreadsheets count a day that was none.
        begins = date(1904, 1, 1) if self._sheet.from_1904 else date(1899, 12, 30)
        seconds = round(number * 86_400)
        day = datetime.combine(begins, time()) + timedelta(seconds=seconds)
        return (
            f"{day:%Y-%m-%d}" if seconds % 86_400 == 0 else f"{day:%Y-%m-%d %H:%M:%S}"
        )

    def _column(self, written: str | None) -> int:
        if written is None:
            found = self._place + 1
        else:
            place = _PLACE.fullmatch(written)
            if not place or int(place[2]) != self._row:
                raise BadFile(f"row {self._row}: a cell stands in another row")
            found = 0
            for letter in place[1]:
                found = found * 26 + ord(letter) - 64
        if found > COLUMNS_MAX:
            raise BadFile(f"row {self._row}: more than {COLUMNS_MAX} columns")
        return found

    def _number(self, written: str | None, otherwise: int) -> int:
        if written is None:
            return otherwise
        if not (written.isascii() and written.isdigit()) or len(written) > 18:
            raise BadFile(f"row {self._row}: a number in the XML is none")
        return int(written)


def _parsed(archive: ZipFile, part: ZipInfo, listener: _Listener) -> Iterator[None]:
    """Let a listener hear a part; yields after each piece."""
    parser: Any = ParserCreate(namespace_separator="}")
    names: dict[str, str] = {}
    depth = 0

    def start(name: str, told: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        for one in (name, *told):
            if one not in names:
                names[one] = one.rpartition("}")[2]
        # The parser keeps every name and every element that is open.
        if depth > DEPTH_MAX or len(names) > NAMES_MAX:
            raise BadFile("the workbook's XML is like no spreadsheet's")
        listener.start(names[name], told)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        listener.end(names[name])

    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = listener.text
    heard = 0
    with archive.open(part) as file:
        while piece := file.read(PIECE_BYTES):
            parser.Parse(piece, False)
            heard += len(piece)
            # A tag without an end is held until it has one.
            if heard - parser.CurrentByteIndex > TAG_BYTES_MAX:
                raise BadFile("the workbook's XML has a tag that is too long")
            yield
        parser.Parse(b"", True)
        yield


def _refuse_doctype(*told: object) -> None:
    raise BadFile("the workbook's XML defines entities, which are not read")
