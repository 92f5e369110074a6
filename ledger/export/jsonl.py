"""A table as JSON Lines: one object for each row, UTF-8, a line feed after each.

Numbers are written whole, up to 2^63: a reader that keeps doubles rounds above 2^53.
What is not known is null.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from sqlalchemy import Engine

from ledger.export.selection import Selection
from ledger.export.table import Headers, Table
from ledger.vault import Keys

__all__ = ["export_jsonl"]


def export_jsonl(
    engine: Engine,
    table: Table,
    selection: Selection,
    *,
    keys: Keys,
    headers: Headers = Headers.EN,
    progress: Callable[[int], None] | None = None,
) -> Iterator[bytes]:
    """Yield the file piece by piece, one page of rows in memory at a time.

    Raises LedgerError where the database fails; what was yielded until then is no file.
    """
    names = [column.title(headers) for column in table.columns]
    encode = json.JSONEncoder(ensure_ascii=False).encode
    for records in table.pages(engine, selection, keys):
        lines = [
            encode(
                {
                    name: None if cell == "" else cell
                    for name, cell in zip(names, record, strict=True)
                }
            )
            for record in records
        ]
        yield "".join(f"{line}\n" for line in lines).encode()
        if progress:
            progress(len(records))
