"""An export as a file and its manifest, or as a stream that ends in a manifest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine

from ledger.export.beancount import export_beancount
from ledger.export.csv import export_csv
from ledger.export.hledger import export_hledger
from ledger.export.journal import JOURNAL
from ledger.export.jsonl import export_jsonl
from ledger.export.manifests import SUFFIX, Manifest, Tally, seal_now
from ledger.export.parquet import export_parquet
from ledger.export.selection import BadSelection, Selection
from ledger.export.table import Headers, Table
from ledger.export.xlsx import export_xlsx
from ledger.vault import Keys

__all__ = ["FORMATS", "Format", "export_file", "export_stream", "fits"]

Progress = Callable[[int], None]


class _Stream(Protocol):
    def __call__(
        self,
        engine: Engine,
        table: Table,
        selection: Selection,
        *,
        keys: Keys,
        headers: Headers,
        progress: Progress | None = None,
    ) -> Iterator[bytes]: ...


class _Whole(Protocol):
    def __call__(
        self,
        engine: Engine,
        table: Table,
        selection: Selection,
        path: Path,
        *,
        keys: Keys,
        headers: Headers,
        progress: Progress | None = None,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: it is streamed, or written whole because its end comes first."""

    name: str
    media_type: str
    stream: _Stream | None = None
    whole: _Whole | None = None
    journal_only: bool = False


FORMATS = {
    form.name: form
    for form in (
        Format("csv", "text/csv; charset=utf-8", stream=export_csv),
        Format(
            "xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            whole=export_xlsx,
        ),
        Format("jsonl", "application/jsonl; charset=utf-8", stream=export_jsonl),
        Format(
            "hledger",
            "text/plain; charset=utf-8",
            stream=export_hledger,
            journal_only=True,
        ),
        Format(
            "beancount",
            "text/plain; charset=utf-8",
            stream=export_beancount,
            journal_only=True,
        ),
        Format("parquet", "application/vnd.apache.parquet", whole=export_parquet),
    )
}


def fits(table: Table, form: Format) -> bool:
    """Whether a table can be written so: accountants' programs take the journal."""
    return table.name == JOURNAL.name or not form.journal_only


def export_file(
    engine: Engine,
    table: Table,
    selection: Selection,
    form: Format,
    path: Path,
    *,
    keys: Keys,
    at: datetime,
    headers: Headers = Headers.EN,
    progress: Progress | None = None,
) -> Manifest:
    """Write `path` and its manifest, each whole or not at all, and give the manifest.

    Raises BadSelection where the table does not go into this format, XlsxMissing or
    ParquetMissing without the extra, OSError where the disk is full and LedgerError
    where the database fails.
    """
    if form.whole is not None:
        _refuse_unfit(table, form)
        tally, seal = Tally(table), seal_now(engine)
        form.whole(
            engine,
            tally.watch(),
            selection,
            path,
            keys=keys,
            headers=headers,
            progress=progress,
        )
        manifest = tally.manifest(
            selection,
            form=form.name,
            headers=headers,
            seal=seal,
            size=path.stat().st_size,
            sha256=_digest(path),
            at=at,
        )
    else:
        ended: list[Manifest] = []
        pieces = export_stream(
            engine,
            table,
            selection,
            form,
            keys=keys,
            at=at,
            headers=headers,
            progress=progress,
            ended=ended.append,
        )
        with replaced(path) as part, part.open("wb") as file:
            file.writelines(pieces)
        (manifest,) = ended
    with replaced(path.with_name(path.name + SUFFIX)) as part:
        part.write_text(manifest.written(), encoding="utf-8")
    return manifest


def export_stream(
    engine: Engine,
    table: Table,
    selection: Selection,
    form: Format,
    *,
    keys: Keys,
    at: datetime,
    headers: Headers = Headers.EN,
    progress: Progress | None = None,
    ended: Callable[[Manifest], None],
) -> Iterator[bytes]:
    """Yield a file piece by piece; `ended` is told its manifest after the last one.

    Raises as `export_file` does; the format must be one that is streamed.
    """
    _refuse_unfit(table, form)
    assert form.stream is not None
    tally, seal = Tally(table), seal_now(engine)
    digest, size = hashlib.sha256(), 0
    for piece in form.stream(
        engine,
        tally.watch(),
        selection,
        keys=keys,
        headers=headers,
        progress=progress,
    ):
        digest.update(piece)
        size += len(piece)
        yield piece
    ended(
        tally.manifest(
            selection,
            form=form.name,
            headers=headers,
            seal=seal,
            size=size,
            sha256=digest.hexdigest(),
            at=at,
        )
    )


def _refuse_unfit(table: Table, form: Format) -> None:
    if not fits(table, form):
        raise BadSelection(f"{form.name} holds the journal only, not {table.name}")


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A file beside this one, which takes its place if all goes well."""
    part = path.with_name(f"{path.name}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
