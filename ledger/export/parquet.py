"""A table as Apache Parquet: whole numbers as int64, everything else as text."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine

from ledger.export.pages import Record
from ledger.export.selection import Selection
from ledger.export.table import Headers, Table
from ledger.vault import Keys

__all__ = ["ParquetMissing", "export_parquet"]

# A group is compressed at once: enough rows to be small, few enough to be in memory.
GROUP_ROWS = 10_000


class ParquetMissing(RuntimeError):
    """The library that writes Parquet is not installed."""


def export_parquet(
    engine: Engine,
    table: Table,
    selection: Selection,
    path: Path,
    *,
    keys: Keys,
    headers: Headers = Headers.EN,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write a Parquet file to `path`, whole or not at all.

    Raises ParquetMissing without the extra `parquet`, OSError where the disk is full
    and LedgerError where the database fails.
    """
    arrow = _library("pyarrow")
    parquet = _library("pyarrow.parquet")
    schema = arrow.schema(
        [
            (column.title(headers), arrow.int64() if column.whole else arrow.string())
            for column in table.columns
        ]
    )
    with TemporaryDirectory(prefix=".export-", dir=path.parent) as scratch:
        unfinished = Path(scratch) / "table.parquet"
        with parquet.ParquetWriter(unfinished, schema, compression="zstd") as file:
            held: list[Record] = []
            for records in table.pages(engine, selection, keys):
                held += records
                if len(held) >= GROUP_ROWS:
                    file.write_table(_group(arrow, schema, table, held))
                    held = []
                if progress:
                    progress(len(records))
            file.write_table(_group(arrow, schema, table, held))
        os.replace(unfinished, path)


def _group(arrow: Any, schema: Any, table: Table, records: list[Record]) -> Any:
    columns = []
    for place, column in enumerate(table.columns):
        cells = [record[place] for record in records]
        if column.whole:
            values: list[Any] = [None if cell == "" else cell for cell in cells]
        else:
            values = [None if cell == "" else str(cell) for cell in cells]
        columns.append(arrow.array(values, schema.types[place]))
    return arrow.table(columns, schema=schema)


def _library(name: str) -> Any:
    # Only here, because the library is an extra that a small installation lacks.
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise ParquetMissing(
            "Parquet needs an extra: pip install 'yarigar[parquet]'"
        ) from None
