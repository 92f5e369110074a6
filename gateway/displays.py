"""What a handset's display holds: so many columns, so many rows at once.

Letters differ in width, so a real handset of the same name may break a line elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["DISPLAYS", "Display", "read_display"]

COLUMNS_MIN, COLUMNS_MAX = 8, 80
ROWS_MIN, ROWS_MAX = 2, 40

_SIZE = re.compile(r"([0-9]{1,3})x([0-9]{1,3})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Display:
    columns: int
    rows: int


DISPLAYS = {
    "small": Display(16, 8),
    "usual": Display(20, 10),
    "large": Display(28, 14),
}


def read_display(written: str) -> Display:
    """A size by its name, or as columns and rows: `20x10`. Raises ValueError."""
    if written in DISPLAYS:
        return DISPLAYS[written]
    size = _SIZE.fullmatch(written)
    if size is None:
        names = ", ".join(DISPLAYS)
        raise ValueError(f"write columns and rows as 20x10, or one of {names}")
    found = Display(int(size[1]), int(size[2]))
    if not COLUMNS_MIN <= found.columns <= COLUMNS_MAX:
        raise ValueError(f"a handset has {COLUMNS_MIN} to {COLUMNS_MAX} columns")
    if not ROWS_MIN <= found.rows <= ROWS_MAX:
        raise ValueError(f"a handset has {ROWS_MIN} to {ROWS_MAX} rows")
    return found
