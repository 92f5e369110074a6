"""The hashes of the tree in the database: 256 to a row, at every eighth level.

A row of level 0 holds leaf hashes, one of level 1 the roots of whole rows of level 0,
and so on. Every other node is worked out from at most 256 of them, so a proof reads a
few rows whatever the size of the tree. Rows that are not full yet are rewritten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from ledger import schema
from ledger.engine import LedgerError
from ledger.prepared import Prepared
from ledger.sealing.tree import EMPTY, HASH_BYTES, node_hash, root_of, split

__all__ = ["ROW_HASHES", "Damaged", "Tiles", "append"]

ROW_LEVELS = 8
ROW_HASHES = 1 << ROW_LEVELS
_ROW_BYTES = ROW_HASHES * HASH_BYTES

_tile = schema.tile.c
_hashes = Prepared(
    select(_tile.hashes).where(
        _tile.level == bindparam("of_level"), _tile.number == bindparam("nth")
    )
)
_inserts: dict[str, Any] = {
    "postgresql": postgresql.insert(schema.tile),
    "sqlite": sqlite.insert(schema.tile),
}
_put = Prepared(
    {
        name: insert.on_conflict_do_update(
            index_elements=[_tile.level, _tile.number],
            set_={"hashes": insert.excluded.hashes},
        )
        for name, insert in _inserts.items()
    }
)


class Damaged(LedgerError, LookupError):
    """A row of hashes is not there or too short: see `ledger verify`."""


class Tiles:
    """The stored tree as it is read: each row once."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._rows: dict[tuple[int, int], bytes] = {}

    def root(self, size: int) -> bytes:
        """The root of the first `size` leaves."""
        return self.hash(0, size) if size else EMPTY

    def hash(self, start: int, end: int) -> bytes:
        """The hash over the leaves from `start` up to `end`, a span of the tree.

        Raises Damaged if a row that holds a part of it is missing or too short.
        """
        width = end - start
        if width & (width - 1) == 0 and start % width == 0:
            return self._whole(start, width.bit_length() - 1)
        middle = start + split(width)
        return node_hash(self.hash(start, middle), self.hash(middle, end))

    def _whole(self, start: int, height: int) -> bytes:
        level, steps = divmod(height, ROW_LEVELS)
        first = start >> (level * ROW_LEVELS)
        number, place = divmod(first, ROW_HASHES)
        row = self.row(level, number)
        part = row[place * HASH_BYTES : (place + (1 << steps)) * HASH_BYTES]
        if len(part) != HASH_BYTES << steps:
            raise Damaged(f"row {level}/{number} of the tree is not whole")
        return root_of(_cut(part))

    def row(self, level: int, number: int) -> bytes:
        """The hashes of one row, empty if there is none."""
        found = self._rows.get((level, number))
        if found is None:
            found = bytes(_hashes.scalar(self._db, of_level=level, nth=number) or b"")
            self._rows[level, number] = found
        return found

    def above(self, level: int, number: int, count: int) -> bytes:
        """The hashes that a row should hold, by the whole rows one level below."""
        first = number * ROW_HASHES
        below = (self.row(level - 1, first + n) for n in range(count))
        return b"".join(root_of(_cut(row)) for row in below)


def append(db: Connection, size: int, hashes: Sequence[bytes]) -> None:
    """Add leaf hashes to a tree that has `size` of them. Raises Damaged."""
    level, rows = 0, []
    while hashes:
        number, filled = divmod(size, ROW_HASHES)
        held = Tiles(db).row(level, number) if filled else b""
        if len(held) != filled * HASH_BYTES:
            raise Damaged(f"row {level}/{number} of the tree is not whole")
        joined = held + b"".join(hashes)
        tops = []
        for start in range(0, len(joined), _ROW_BYTES):
            row = joined[start : start + _ROW_BYTES]
            rows.append({"level": level, "number": number, "hashes": row})
            number += 1
            if len(row) == _ROW_BYTES:
                tops.append(root_of(_cut(row)))
        level, size, hashes = level + 1, size >> ROW_LEVELS, tops
    _put.many(db, rows)


def _cut(row: bytes) -> list[bytes]:
    return [row[at : at + HASH_BYTES] for at in range(0, len(row), HASH_BYTES)]
