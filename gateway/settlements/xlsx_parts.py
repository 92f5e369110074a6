"""What a workbook says of itself before its rows: which sheet, which cells are days.

ECMA-376 part 1, 18.2 (workbook), 18.8 (styles); part 2 (package, relationships). Sizes
are those that the archive declares: zipfile reads no byte beyond them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from gateway.settlements.files import BadFile

__all__ = ["Sheet", "find_sheet", "opened_archive"]

ENTRIES_MAX = 1_000
PART_BYTES_MAX = 4_000_000
# A million rows of ten cells.
SHEET_BYTES_MAX = 1_000_000_000
STRINGS_BYTES_MAX = 200_000_000
# Sheets of one repeated value shrink to a fortieth; a bomb to a thousandth.
RATIO_MAX = 100
SMALL_BYTES = 1_000_000
STYLES_MAX = 70_000

_DAY_FORMATS = frozenset(
    {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
)
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')


@dataclass(frozen=True, slots=True)
class Sheet:
    """Where the rows and their texts are, and which styles make a number a day."""

    rows: ZipInfo
    strings: ZipInfo | None
    day_styles: frozenset[int]
    from_1904: bool


def opened_archive(file: BinaryIO) -> ZipFile:
    """The archive, if it is none that unpacks to more than is read. Raises BadFile."""
    try:
        archive = ZipFile(file)
    except (BadZipFile, ValueError, NotImplementedError, OverflowError):
        raise BadFile("the workbook is a damaged archive") from None
    entries = archive.infolist()
    if len(entries) > ENTRIES_MAX:
        raise BadFile(f"the workbook has more than {ENTRIES_MAX} parts")
    seen = set()
    for entry in entries:
        if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise BadFile("the workbook is packed in an unknown way")
        if entry.flag_bits & 1:
            raise BadFile("the workbook has a password: save it without one")
        if "vbaproject" in entry.filename.lower():
            raise BadFile("the workbook has macros: save it as .xlsx without them")
        if entry.filename in seen:
            raise BadFile("the workbook has two parts of one name")
        seen.add(entry.filename)
        is_large = entry.file_size > SMALL_BYTES
        if is_large and entry.file_size > RATIO_MAX * max(1, entry.compress_size):
            raise BadFile("the workbook unpacks to far more than it holds")
    return archive


def find_sheet(archive: ZipFile) -> Sheet:
    """The only sheet of a workbook. Raises BadFile."""
    types = _part(archive, "[Content_Types].xml")
    if any("macroenabled" in (one.get("ContentType") or "").lower() for one in types):
        raise BadFile("the workbook has macros: save it as .xlsx without them")
    names = [
        path for kind, path, _ in _related(archive, "") if kind == "officeDocument"
    ]
    if len(names) != 1:
        raise BadFile("the archive is no workbook")
    workbook = _part(archive, names[0])
    sheets = [one for one in workbook.iter() if _name(one) == "sheet"]
    if len(sheets) != 1:
        raise BadFile(f"the workbook has {len(sheets)} sheets: keep the one to be read")
    wanted = [value for key, value in sheets[0].items() if key.endswith("}id")]
    rows, strings, styles = None, None, frozenset[int]()
    for kind, path, number in _related(archive, names[0]):
        if kind == "worksheet" and [number] == wanted:
            rows = _entry(archive, path, SHEET_BYTES_MAX)
        elif kind == "sharedStrings":
            strings = _entry(archive, path, STRINGS_BYTES_MAX)
        elif kind == "styles":
            styles = _day_styles(_part(archive, path))
    if rows is None:
        raise BadFile("the workbook has no sheet of rows")
    properties = [one for one in workbook.iter() if _name(one) == "workbookPr"]
    old = any(one.get("date1904") in ("1", "true") for one in properties)
    return Sheet(rows, strings, styles, old)


def _related(archive: ZipFile, part: str) -> Iterator[tuple[str, str, str]]:
    """What a part refers to inside the archive: the kind, the path and the id."""
    folder, name = posixpath.split(part)
    for one in _part(archive, posixpath.join(folder, "_rels", f"{name}.rels")):
        if one.get("TargetMode") == "External":
            continue
        target = one.get("Target") or ""
        path = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
        kind = posixpath.basename(one.get("Type") or "")
        yield kind, path, one.get("Id") or ""


def _day_styles(styles: Element) -> frozenset[int]:
    own = {
        int(one.get("numFmtId") or 0)
        for one in styles.iter()
        if _name(one) == "numFmt"
        and re.search(r"[ymdhs]", _QUOTED.sub("", one.get("formatCode") or ""), re.I)
    }
    cells = next((one for one in styles if _name(one) == "cellXfs"), None)
    if cells is None:
        return frozenset()
    if len(cells) > STYLES_MAX:
        raise BadFile(f"the workbook has more than {STYLES_MAX} styles")
    found = (int(one.get("numFmtId") or 0) for one in cells)
    return frozenset(
        place for place, number in enumerate(found) if number in _DAY_FORMATS | own
    )


def _part(archive: ZipFile, path: str) -> Element:
    """A small part, read as a whole: nothing in it may refer to anything else."""
    try:
        data = archive.read(_entry(archive, path, PART_BYTES_MAX))
        found: Element = fromstring(data, forbid_dtd=True)
        return found
    except (ParseError, DefusedXmlException, ValueError):
        raise BadFile(f"the workbook's {path[:60]!r} cannot be read") from None


def _entry(archive: ZipFile, path: str, bytes_max: int) -> ZipInfo:
    try:
        found = archive.getinfo(path)
    except KeyError:
        raise BadFile(f"the workbook has no {path[:60]!r}") from None
    if found.file_size > bytes_max:
        raise BadFile(f"the workbook's {path[:60]!r} is too long")
    return found


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]
