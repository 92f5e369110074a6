"""What an export says of itself beside its file, so that two can be compared.

A manifest is a JSON object of at most 1 MB: the filter, the seal that the books had,
how many rows, their sums for each unit and state, and the file's SHA-256.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from ledger.engine import reading
from ledger.export.cells import utc
from ledger.export.pages import Record
from ledger.export.selection import Selection
from ledger.export.table import Headers, Table
from ledger.schema import checkpoint
from ledger.vault import Keys

__all__ = [
    "SUFFIX",
    "BadManifest",
    "Manifest",
    "Seal",
    "Tally",
    "read_manifest",
    "seal_now",
]

SUFFIX = ".manifest.json"
VERSION = 1
BYTES_MAX = 1_000_000
_FIELDS: dict[str, type | tuple[type, ...]] = {
    "version": int,
    "what": str,
    "format": str,
    "headers": str,
    "filter": dict,
    "seal": (dict, type(None)),
    "rows": int,
    "sums": list,
    "bytes": int,
    "sha256": str,
    "made_at": str,
}


class BadManifest(ValueError):
    """This file is no manifest of an export."""


@dataclass(frozen=True, slots=True)
class Seal:
    """How many leaves the sealed books have, and the hash over them, in hex."""

    size: int
    root: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a file holds. `sums` has a line for each unit and state that occurs."""

    what: str
    format: str
    headers: str
    filter: dict[str, str | None]
    seal: Seal | None
    rows: int
    sums: tuple[dict[str, str | int], ...]
    bytes: int
    sha256: str
    made_at: str
    version: int = VERSION

    def written(self) -> str:
        """Write it as JSON, the same manifest always in the same words."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n"


class Tally:
    """Counts and adds up the rows of a table while they pass."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._unit = _place(table, "unit")
        self._state = _place(table, table.state)
        self._summed = [
            (place, column.name)
            for place, column in enumerate(table.columns)
            if column.summed and column.whole
        ]
        self._sums: dict[tuple[str, str], list[int]] = {}
        self.rows = 0

    def watch(self) -> Table:
        """The same table, whose pages are counted as they are handed on."""

        def pages(
            engine: Engine, selection: Selection, keys: Keys
        ) -> Iterator[list[Record]]:
            for records in self._table.pages(engine, selection, keys):
                self.add(records)
                yield records

        return replace(self._table, pages=pages)

    def add(self, records: list[Record]) -> None:
        self.rows += len(records)
        for record in records:
            group = (
                "" if self._unit is None else str(record[self._unit]),
                "" if self._state is None else str(record[self._state]),
            )
            sums = self._sums.get(group)
            if sums is None:
                sums = self._sums[group] = [0] * (1 + len(self._summed))
            sums[0] += 1
            for nth, (place, _) in enumerate(self._summed, start=1):
                sums[nth] += int(record[place] or 0)

    def sums(self) -> tuple[dict[str, str | int], ...]:
        """Say the sums, ordered by unit and state."""
        said: list[dict[str, str | int]] = []
        for (unit, state), (rows, *amounts) in sorted(self._sums.items()):
            line: dict[str, str | int] = {}
            if self._unit is not None:
                line["unit"] = unit
            if self._state is not None:
                line["state"] = state
            line["rows"] = rows
            for (_, name), amount in zip(self._summed, amounts, strict=True):
                line[name] = amount
            said.append(line)
        return tuple(said)

    def manifest(
        self,
        selection: Selection,
        *,
        form: str,
        headers: Headers,
        seal: Seal | None,
        size: int,
        sha256: str,
        at: datetime,
    ) -> Manifest:
        """Say what passed, of a file with so many bytes made at `at`."""
        return Manifest(
            what=self._table.name,
            format=form,
            headers=headers.value,
            filter=selection.said(),
            seal=seal,
            rows=self.rows,
            sums=self.sums(),
            bytes=size,
            sha256=sha256,
            made_at=utc(at),
        )


def seal_now(engine: Engine) -> Seal | None:
    """The last seal on the books, None while nothing is sealed."""
    with reading(engine) as db:
        row = db.execute(_LAST_SEAL).first()
    return None if row is None else Seal(row.size, row.root.hex())


def read_manifest(path: Path) -> Manifest:
    """Read a manifest back. Raises BadManifest, with the file's name, or OSError."""
    with path.open("rb") as file:
        raw = file.read(BYTES_MAX + 1)
    if len(raw) > BYTES_MAX:
        raise BadManifest(f"{path} is no manifest: more than {BYTES_MAX} bytes")
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadManifest(f"{path} is no manifest: it is not JSON") from None
    try:
        if not isinstance(found, dict):
            raise ValueError("it is no object")
        return _checked(found)
    except ValueError as fault:
        raise BadManifest(f"{path} is no manifest: {fault}") from None


def _checked(found: dict[str, Any]) -> Manifest:
    for name, kind in _FIELDS.items():
        if not isinstance(found.get(name), kind):
            raise ValueError(f"{name} is missing or of another type")
    if found["version"] != VERSION:
        raise ValueError(f"it is of version {found['version']}, not {VERSION}")
    if found.keys() - _FIELDS.keys():
        raise ValueError("it has fields that are not known")
    seal = found["seal"]
    if seal is not None:
        if not isinstance(seal.get("size"), int) or not isinstance(
            seal.get("root"), str
        ):
            raise ValueError("seal has no size and root")
        seal = Seal(seal["size"], seal["root"])
    for line in found["sums"]:
        if not isinstance(line, dict) or not all(
            isinstance(value, str | int) for value in line.values()
        ):
            raise ValueError("a line of sums is of another type")
    return Manifest(**found | {"seal": seal, "sums": tuple(found["sums"])})


def _place(table: Table, name: str | None) -> int | None:
    return table.names.index(name) if name in table.names else None


_LAST_SEAL = (
    select(checkpoint.c.size, checkpoint.c.root)
    .order_by(checkpoint.c.size.desc())
    .limit(1)
)
