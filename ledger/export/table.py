"""What an exported table is, whatever file it goes into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Engine

from ledger.export.pages import Record, extent
from ledger.export.selection import Selection, Source
from ledger.vault import Keys

__all__ = ["Column", "Headers", "Pages", "Table"]

Pages = Callable[[Engine, Selection, Keys], Iterator[list[Record]]]


class Headers(StrEnum):
    """The language of the first row; the values below it stay as documented."""

    EN = "en"
    FA = "fa"


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name, which is a contract, its Persian title and its width.

    A `summed` column is added up, for each unit, in a totals row; a `whole` one holds
    whole numbers only, or nothing.
    """

    name: str
    title_fa: str
    width_chars: int = 12
    summed: bool = False
    whole: bool = False

    def title(self, headers: Headers) -> str:
        return self.title_fa if headers is Headers.FA else self.name


@dataclass(frozen=True, slots=True)
class Table:
    """Facts of one kind, walked page by page by `pages`.

    `state` names the column by which a manifest breaks the sums down. A table that is
    `about_people` leaves the house only with a line in the audit trail.
    """

    name: str
    title_fa: str
    source: Source
    columns: tuple[Column, ...]
    pages: Pages
    state: str | None = None
    about_people: bool = False

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    def title(self, headers: Headers) -> str:
        return self.title_fa if headers is Headers.FA else self.name

    def count(self, engine: Engine, selection: Selection) -> int:
        """Count what an export of this selection would walk over now."""
        return extent(engine, self.source, selection).rows
