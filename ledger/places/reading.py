"""A places file, read whole or refused with every fault of it, each with its line.

CSV in UTF-8 with a header: code, kind, parent, fa, en, aliases, prefixes, dial.
`aliases` and `prefixes` hold several, between bars. docs/places.md has an example.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping

from ledger.places.checking import checked
from ledger.places.faults import BadPlaces, Fault, Faults
from ledger.places.kinds import LEVELS, Kind
from ledger.places.near import DIAL_DIGITS_MAX, DIAL_DIGITS_MIN
from ledger.places.tree import Place
from ledger.schema.places import PLACE_CHARS
from phone.codes import damm
from phone.digits import fold, fold_digits
from phone.encoding import gsm7_septets, ucs2_units

__all__ = ["BadPlaces", "COLUMNS", "read_places", "written"]

COLUMNS = ("code", "kind", "parent", "fa", "en", "aliases", "prefixes", "dial")
LANGUAGES = ("fa", "en")

BYTES_MAX = 32_000_000
ROWS_MAX = 100_000
# With those that are empty: a spreadsheet has no more, and saves all of them.
LINES_MAX = 1_048_576
CELL_CHARS_MAX = 400
# A screen that asks "is it this one?" has room for so much.
TITLE_CHARS_MAX = 30
ALIASES_MAX = 10
PREFIXES_MAX = 40
POSTCODE_DIGITS = 10

_CODE = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{PLACE_CHARS - 1}}}")
_PREFIX = re.compile(rf"[1-9][0-9]{{0,{POSTCODE_DIGITS - 1}}}")
_DIAL = re.compile(rf"[1-9][0-9]{{{DIAL_DIGITS_MIN - 1},{DIAL_DIGITS_MAX - 1}}}")
# Nobody sees characters of these kinds, and some turn the text around them: controls,
# formats, separators of lines, private and unknown ones. Persian needs the joiners, and
# a few letters are blank.
_UNSEEN = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"))
_JOINERS = "\u200c\u200d"
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"
# The letters of an Arabic keyboard, where Persian has its own.
_PERSIAN = str.maketrans({"\u064a": "\u06cc", "\u0643": "\u06a9"})


def read_places(raw: bytes) -> tuple[Place, ...]:
    """The places of a file, each after the one it lies in; raises BadPlaces."""
    faults = Faults()
    rows: dict[str, tuple[int, Place]] = {}
    for line, cells in _rows(_text(raw), faults):
        place = _place(line, cells, faults)
        if place is None:
            continue
        if place.code in rows:
            first = rows[place.code][0]
            faults.add(line, f"the code {place.code} stands in line {first} already")
            continue
        rows[place.code] = (line, place)
    if not rows:
        # Brought in, it would close every place there is.
        faults.add(0, "there is no place in the file")
    places = checked(rows, faults)
    faults.refuse()
    return places


def written(places: tuple[Place, ...]) -> bytes:
    """A file of these places, as `read_places` reads it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for place in places:
        writer.writerow(
            (
                *(place.code, place.kind, place.parent or ""),
                *(place.titles.get(language, "") for language in LANGUAGES),
                *("|".join(place.aliases), "|".join(place.prefixes), place.dial),
            )
        )
    return out.getvalue().encode()


def _text(raw: bytes) -> str:
    """The file as text; raises BadPlaces with the name of an encoding that is not ours.

    Windows-1256 is refused and not read: any file whatever can be read as that.
    """
    if len(raw) > BYTES_MAX:
        raise BadPlaces([Fault(0, f"the file is larger than {BYTES_MAX:,} bytes")])
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadPlaces([Fault(1, "the file is UTF-16: save it as UTF-8")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        line = raw.count(b"\n", 0, broken.start) + 1
        what = "this is not UTF-8"
        if _looks_like_windows(raw):
            what += ", but most likely Windows-1256"
        raise BadPlaces([Fault(line, f"{what}: save the file as UTF-8")]) from None
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise BadPlaces([Fault(line, "there is a NUL: this is no text file")])
    return text


def _looks_like_windows(raw: bytes) -> bool:
    """Whether its bytes are mostly Arabic letters as Windows writes them."""
    high = [byte for byte in raw[:100_000] if byte >= 0x80]
    letters = sum(
        0xC0 <= byte <= 0xFA or byte in b"\x81\x8d\x8e\x90\x98" for byte in high
    )
    return letters * 10 >= len(high) * 8


def _rows(text: str, faults: Faults) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Each row with its line; raises BadPlaces where there is no reading on."""
    # Where a decimal is written with a comma, spreadsheets part cells by semicolons.
    mark = "," if "," in text.partition("\n")[0] else ";"
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    rows = 0
    try:
        header = [cell.strip() for cell in next(reader, [])]
        if sorted(header) != sorted(COLUMNS):
            wanted = ",".join(COLUMNS)
            raise BadPlaces([Fault(1, f"the first line has to be {wanted}")])
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                if reader.line_num > LINES_MAX:
                    faults.add(reader.line_num, f"more than {LINES_MAX:,} lines")
                    return
                continue
            rows += 1
            if rows > ROWS_MAX:
                faults.add(reader.line_num, f"there are more than {ROWS_MAX:,} places")
                return
            if len(cells) != len(header):
                what = f"{len(cells)} cells, where the header has {len(header)}"
                faults.add(reader.line_num, what)
                continue
            yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as broken:
        faults.add(reader.line_num, f"this is no CSV: {broken}")
        faults.refuse()


def _place(line: int, cells: Mapping[str, str], faults: Faults) -> Place | None:
    """One row; None where its code cannot be used to speak of it."""
    for name, cell in cells.items():
        if len(cell) > CELL_CHARS_MAX:
            faults.add(line, f"{name} is longer than {CELL_CHARS_MAX} characters")
            return None
        if any(map(_is_unseen, cell)):
            faults.add(line, f"{name} has a character that nobody sees")
            return None
    told = {name: value.strip() for name, value in cells.items()}
    code = told["code"]
    if not _CODE.fullmatch(code):
        what = f"{code!r} is no code: small letters, digits and hyphens, {PLACE_CHARS}"
        faults.add(line, f"{what} at most")
        return None
    kind = told["kind"]
    if kind not in LEVELS:
        faults.add(line, f"{kind!r} is no kind of place: {', '.join(Kind)}")
        return None
    return Place(
        code=code,
        kind=kind,
        parent=told["parent"] or None,
        titles=_titles(line, told, faults),
        aliases=_aliases(line, told["aliases"], faults),
        prefixes=_prefixes(line, told["prefixes"], faults),
        dial=_dial(line, told["dial"], faults),
    )


def _is_unseen(char: str) -> bool:
    if char.isascii():
        return not char.isprintable()
    unseen = unicodedata.category(char) in _UNSEEN and char not in _JOINERS
    return unseen or char in _BLANK


def _titles(line: int, cell: Mapping[str, str], faults: Faults) -> dict[str, str]:
    titles = {"fa": cell["fa"].translate(_PERSIAN), "en": cell["en"]}
    for language, title in titles.items():
        if not fold(title):
            faults.add(line, f"the place has no name in {language}")
        elif ucs2_units(title) > TITLE_CHARS_MAX:
            faults.add(line, f"{language} is longer than {TITLE_CHARS_MAX} characters")
    septets = gsm7_septets(titles["en"])
    if septets is None or septets > TITLE_CHARS_MAX:
        faults.add(line, "en has letters that an English text cannot carry")
    return titles


def _aliases(line: int, cell: str, faults: Faults) -> tuple[str, ...]:
    """Other names, each once, in the order of the file."""
    named = [one.strip().translate(_PERSIAN) for one in cell.split("|")]
    aliases = tuple(dict.fromkeys(one for one in named if fold(one)))
    if len(aliases) > ALIASES_MAX:
        faults.add(line, f"there are more than {ALIASES_MAX} aliases")
    return aliases


def _prefixes(line: int, cell: str, faults: Faults) -> tuple[str, ...]:
    written = (fold_digits(one).strip() for one in cell.split("|"))
    prefixes = tuple(dict.fromkeys(one for one in written if one))
    if len(prefixes) > PREFIXES_MAX:
        faults.add(line, f"there are more than {PREFIXES_MAX} prefixes")
    for one in prefixes:
        if not _PREFIX.fullmatch(one):
            faults.add(line, f"{one!r} is not how a postal code begins")
    return prefixes


def _dial(line: int, cell: str, faults: Faults) -> str:
    dial = fold_digits(cell)
    if dial and not _DIAL.fullmatch(dial):
        digits = f"{DIAL_DIGITS_MIN} to {DIAL_DIGITS_MAX} digits, the first not 0"
        faults.add(line, f"{dial!r} is no dial: {digits}")
        return ""
    if dial and damm(dial) != "0":
        right = dial[:-1] + damm(dial[:-1])
        faults.add(line, f"the dial {dial} has a wrong check digit: {right} is right")
    return dial
