"""Two screens beside each other, as a handset shows them, for a terminal.

Boxes are plain ASCII, padded by the columns that letters take. A Persian line stands
between isolates (U+2067, U+2069), so that a terminal which turns it around leaves the
frame alone; one that knows no isolates shows them as nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import zip_longest

from ussd.pictures.graph import is_right_to_left

__all__ = ["columns", "difference", "rows", "side_by_side"]

# A line of a feature phone with a small screen.
COLUMNS = 26
SHOWN_CHARS_MAX = 4_000
_DIRECTIONS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def side_by_side(
    expected: str, found: str, *, titles: tuple[str, str] = ("expected", "found")
) -> list[str]:
    """The lines to print; `>` stands before the first row that differs."""
    pairs = [*zip_longest(rows(expected), rows(found), fillvalue="")]
    first = next((n for n, (left, right) in enumerate(pairs) if left != right), -1)
    edge = f"+{'-' * (COLUMNS + 2)}+"
    left_title, right_title = (_padded(title, COLUMNS + 4) for title in titles)
    lines = [f"  {left_title}  {right_title}".rstrip(), f"  {edge}  {edge}"]
    for number, (left, right) in enumerate(pairs):
        mark = ">" if number == first else " "
        lines.append(f"{mark} | {_shown(left)} |  | {_shown(right)} |")
    return [*lines, f"  {edge}  {edge}"]


def difference(expected: str, found: str) -> str:
    """The first character that differs, by its line and its name: ي is not ی."""
    length = min(len(expected), len(found))
    at = next((n for n in range(length) if expected[n] != found[n]), length)
    if at == len(expected) == len(found):
        return "nothing differs"
    line = expected.count("\n", 0, at) + 1
    return f"line {line}: {_named(expected, at)} expected, {_named(found, at)} found"


def columns(text: str) -> int:
    """How many columns of a terminal a line takes."""
    return sum(map(_column, text))


def _column(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def rows(text: str, width: int = COLUMNS) -> list[str]:
    """The text as the rows of a handset, broken between words where it can be."""
    clean = text[:SHOWN_CHARS_MAX].translate(_DIRECTIONS)
    lines = map(_printable, clean.split("\n"))
    return [row for line in lines for row in _broken(line, width)]


def _broken(line: str, width: int) -> Iterator[str]:
    row = ""
    for word in line.split(" "):
        longer = f"{row} {word}" if row else word
        if columns(longer) <= width:
            row = longer
            continue
        if row:
            yield row
        row = word
        while columns(row) > width:
            cut = _fitting(row, width)
            yield row[:cut]
            row = row[cut:]
    yield row


def _fitting(word: str, width: int) -> int:
    """How many characters of a long word fill one row."""
    taken = 0
    for number, char in enumerate(word):
        taken += _column(char)
        if taken > width:
            return number
    return len(word)


def _printable(line: str) -> str:
    """A line that cannot move the terminal's cursor."""
    return "".join(
        char if char.isprintable() or unicodedata.category(char) == "Cf" else "?"
        for char in line
    )


def _shown(row: str) -> str:
    padding = " " * (COLUMNS - columns(row))
    return f"\u2067{row}\u2069{padding}" if is_right_to_left(row) else f"{row}{padding}"


def _padded(text: str, width: int) -> str:
    return text + " " * (width - columns(text))


def _named(text: str, at: int) -> str:
    if at >= len(text):
        return "the end"
    char = text[at]
    name = unicodedata.name(char, "a control character")
    if char == "\n":
        return "the end of the line"
    if " " < char <= "~":
        return repr(char)
    return f"U+{ord(char):04X} {name}"
