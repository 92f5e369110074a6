"""Which group somebody says they belong to, for their own centre, and how many do.

Nobody is asked without a consent, and nobody counts who took the answer back. Of fewer
than five nobody is told how many they are: `ledger.small_cells` says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, bindparam, select

from ledger import schema
from ledger.sensitive import What, answers_at
from ledger.small_cells import CELL_MIN, merged
from ledger.vault import Keys

__all__ = ["Counts", "Group", "centre_of", "counted"]


class Group(StrEnum):
    """What can be said, in the order of the keys it is said with: they never change."""

    WOMAN_HEAD = "woman-head"
    DISABILITY = "disability"
    AUTISM = "autism"
    ALZHEIMER = "alzheimer"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many said each, where that may be told; `rest` are all others together.

    `rest` is None where even they are too few to be told; then there may be none.
    """

    told: Mapping[str, int]
    rest: int | None


_sensitive = schema.sensitive.c
_CENTRE = select(_sensitive.centre).where(
    _sensitive.person_id == bindparam("of_person"),
    _sensitive.what == bindparam("of_kind"),
)


def centre_of(db: Connection, *, person_id: int) -> str | None:
    """The centre that sees a person's group; None for who said none."""
    found: str | None = db.scalar(
        _CENTRE, {"of_person": person_id, "of_kind": What.GROUP}
    )
    return found


def counted(db: Connection, keys: Keys, *, centre: str) -> Counts:
    """Count the answers that a centre may see. Raises WrongKeys."""
    found: Counter[str] = Counter(answers_at(db, keys, what=What.GROUP, centre=centre))
    cells = {str(group): (found[group],) for group in Group}

    def together(names: frozenset[str]) -> tuple[int]:
        return (sum(found[name] for name in names),)

    rest = merged(cells, together)
    (few,) = together(rest)
    told = {group: number for group, (number,) in cells.items() if group not in rest}
    return Counts(told, few if not rest or few >= CELL_MIN else None)
