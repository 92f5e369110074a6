"""Walk the facts of a selection in the order they were recorded.

Each page is read in a transaction of its own, over before the page is handed on: a
slow download then neither keeps SQLite's log from being folded back nor PostgreSQL
from clearing away old rows. What is recorded after the walk began is not in it; what
became of a row is as true as the moment its page was read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Select, bindparam, func, select

from ledger.engine import reading
from ledger.export.selection import Selection, Source
from ledger.schema import outbox

__all__ = [
    "PAGE_ROWS",
    "Cell",
    "Extent",
    "Record",
    "extent",
    "text_states",
    "text_word",
    "walk",
]

PAGE_ROWS = 500

# Text or a whole number; what is not known is an empty text.
Cell = str | int
Record = Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Extent:
    """How many facts there are, and the ids between which they lie."""

    rows: int
    first_id: int
    last_id: int


def extent(engine: Engine, source: Source, selection: Selection) -> Extent:
    """Count the rows of a source in a selection."""
    query = select(func.count(), func.min(source.id), func.max(source.id))
    with reading(engine) as db:
        found = db.execute(
            query.select_from(source.tables).where(*selection.conditions(source))
        ).one()
    rows, first_id, last_id = found
    return Extent(rows, first_id or 0, last_id or 0)


def walk(
    engine: Engine,
    source: Source,
    selection: Selection,
    query: Select[Any],
    complete: Callable[[Connection, Sequence[Any]], list[Record]],
) -> Iterator[list[Record]]:
    """Yield what `complete` makes of each page of `query`.

    The query selects from the source's table, its id among the columns as `id`, and
    may give several rows for one; `complete` may ask the same transaction for more
    about the rows it is given.
    """
    ids = extent(engine, source, selection)
    # The page is cut before anything is joined to it: PostgreSQL would else merge each
    # page with whole tables from their first row, and the time grow with the square.
    # For the same reason a table that the page itself needs is bounded, too.
    page = (
        select(source.id.label("id"))
        .select_from(source.tables)
        .where(
            *selection.conditions(source),
            *(one > bindparam("after_id") for one in (source.id, *source.same)),
            *(one <= ids.last_id for one in (source.id, *source.same)),
        )
        .order_by(source.id)
        .limit(PAGE_ROWS)
        .subquery("page")
    )
    paged = query.join(page, page.c.id == source.id).order_by(source.id)
    after_id = ids.first_id - 1
    while after_id < ids.last_id:
        with reading(engine, snapshot=True) as db:
            found = db.execute(paged, {"after_id": after_id}).all()
            records = complete(db, found)
        if not found:
            return
        after_id = found[-1].id
        yield records


def text_states(db: Connection, event_ids: Iterable[int]) -> dict[int, str]:
    """Say how far the first text that each fact promised has come."""
    found = db.execute(_TEXTS, {"event_ids": list(event_ids)})
    # The last of these to be written into the dictionary is the first promised.
    return {row.event_id: text_word(row.state) for row in found}


def text_word(state: str) -> str:
    """Name a text's state: that a worker holds it just now helps no treasurer."""
    return "queued" if state == "sending" else state


_TEXTS = (
    select(outbox.c.event_id, outbox.c.state)
    .where(outbox.c.event_id.in_(bindparam("event_ids", expanding=True)))
    .order_by(outbox.c.id.desc())
)
