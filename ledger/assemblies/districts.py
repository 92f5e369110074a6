"""The districts that have an assembly: the capital's, by their numbers."""

from __future__ import annotations

import re

from ledger.assemblies.limits import Wrong

__all__ = ["CAMPAIGN", "DISTRICTS", "code_of", "number_of"]

# Under which the events of assemblies stand, for roll-ups and exports.
CAMPAIGN = "assemblies"
DISTRICTS = 22
_PREFIX = "23-t"
_CODE = re.compile(r"23-t([1-9][0-9]?)", re.ASCII)


def code_of(number: int) -> str:
    """The place's code of a district; raises Wrong for one that there is not."""
    if not 1 <= number <= DISTRICTS:
        raise Wrong(f"a district is a number from 1 to {DISTRICTS}")
    return f"{_PREFIX}{number}"


def number_of(code: str) -> int:
    """The number of a district by its place's code; 0 for any other place."""
    found = _CODE.fullmatch(code)
    number = int(found[1]) if found else 0
    return number if number <= DISTRICTS else 0
