"""What is wrong with the seals: every leaf, hash, checkpoint and sum worked out again.

Leaves are read in the order of the tree, a few thousand at a time, beside the rows that
they seal. The tree is built from their bytes, and beside it from the stored hashes as
soon as the two differ: the one that a signed root agrees with is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from ledger import rollups, schema
from ledger.rules import Fault
from ledger.sealing import leaves, notes, rows, witnesses
from ledger.sealing.leaves import Fact
from ledger.sealing.notes import BadNote, Note
from ledger.sealing.tiles import ROW_HASHES, Tiles
from ledger.sealing.tree import Frontier, leaf_hash

__all__ = ["wrong_seals"]

LEAVES_AT_ONCE = 4_096
MARK_BYTES = 4
# Rows that come by and by, on PostgreSQL through a cursor on the server.
_STREAMED = {"yield_per": 1_000}

_leaf = schema.leaf.c
_checkpoint = schema.checkpoint.c
_transfer = schema.transfer.c
_kept = select(
    _leaf.number,
    _leaf.event_id,
    _leaf.account_id,
    _leaf.unit,
    _leaf.data,
    _leaf.salt,
    _leaf.digests,
    _leaf.nonce,
).order_by(_leaf.number)

Known = dict[tuple[int | None, int | None, str], Fact]


class _Kept(NamedTuple):
    number: int
    event_id: int | None
    account_id: int | None
    unit: str
    data: bytes
    salt: bytes
    digests: bytes
    nonce: bytes | None


def wrong_seals(db: Connection, public_key: bytes | None = None) -> Iterator[Fault]:
    """Name every row that is not what was sealed, and every seal that does not hold.

    `db` is from reading(snapshot=True). `public_key` is the one that must have signed
    the checkpoints; without it, the one that the books themselves name.
    """
    meta = dict(db.execute(select(schema.meta.c.name, schema.meta.c.value)).all())
    size = (db.scalar(select(func.max(_leaf.number + 1)))) or 0
    try:
        key = public_key or bytes.fromhex(meta.get("seal_key", ""))
        day_of = leaves.days_in(meta.get("seal_zone", "UTC"))
    except (ValueError, OSError):
        yield Fault("meta", "seal_key", "or seal_zone is not what the sealer wrote")
        return
    checks = _Checks(db, key, day_of)
    rows.plan_for_few(db)
    yield from _wrong_leaves(db, size, checks)
    rows.plan_as_ever(db)
    yield from _wrong_rows_above(db, size)
    yield from _wrong_sums(db)
    yield from _wrong_cosignatures(db)


class _Checks:
    """The checkpoints, each checked by itself as the tree comes to it."""

    def __init__(
        self, db: Connection, key: bytes, day_of: Callable[[str], str]
    ) -> None:
        self._db, self._key, self.day_of = db, key, day_of
        self.signed: list[Note] = []

    def read(self, *where: ColumnElement[bool]) -> Iterator[Fault]:
        """Say what is wrong with some, and keep those in `signed` that were signed."""
        self.signed = []
        for row in self._rows(*where):
            yield from self._check(row)

    def beyond(self, size: int) -> Iterator[Fault]:
        """Say what is wrong with those of a larger tree than there is."""
        for row in self._rows(_checkpoint.size > size):
            yield from self._check(row)
            self.signed.clear()
            what = "has more leaves than there are"
            yield Fault("checkpoint", str(row.size), what)

    def _rows(self, *where: ColumnElement[bool]) -> Iterator[Any]:
        query = select(schema.checkpoint).where(*where).order_by(_checkpoint.size)
        with self._db.execute(query, execution_options=_STREAMED) as found:
            yield from found

    def _check(self, row: Any) -> Iterator[Fault]:
        place = str(row.size)
        try:
            note = notes.read(row.note)
        except BadNote:
            yield Fault("checkpoint", place, "has a note that cannot be read")
            return
        if not notes.is_signed(note, self._key):
            yield Fault("checkpoint", place, "is not signed with the seal key")
            return
        day = self.day_of(row.at.isoformat(" ", "minutes"))
        said = note.size, note.root, note.at, day
        if said != (row.size, bytes(row.root), row.at, row.day):
            yield Fault("checkpoint", place, "does not say what its signed note says")
        if note.size == row.size:
            self.signed.append(note)


def _wrong_leaves(db: Connection, size: int, checks: _Checks) -> Iterator[Fault]:
    built = _Built()
    yield from checks.read(_checkpoint.size <= 0)
    newest = 0
    for first in range(0, size, LEAVES_AT_ONCE):
        end = min(first + LEAVES_AT_ONCE, size)
        yield from checks.read(_checkpoint.size > first, _checkpoint.size <= end)
        waiting = checks.signed[::-1]
        chunk = db.execute(_kept.where(_leaf.number >= first, _leaf.number < end))
        kept = {row.number: _Kept(*row) for row in chunk}
        known = _facts(db, first, end, checks.day_of)
        tiles = Tiles(db)
        for number in range(first, end):
            leaf = kept.get(number)
            stored = _stored(tiles, number)
            if leaf is None:
                yield Fault("leaf", str(number), "is missing")
                built.append(number, stored, stored)
            else:
                yield from _wrong_leaf(leaf, known)
                built.append(number, leaf_hash(bytes(leaf.data)), stored)
            if waiting and waiting[-1].size == number + 1:
                newest = number + 1
                yield from built.compare(waiting.pop())
    if newest != size:
        yield Fault("leaf", str(size - 1), "stands under no signed checkpoint")
    yield from checks.beyond(size)


class _Built:
    """The tree of the leaves' bytes, and of the stored hashes where they differ."""

    def __init__(self) -> None:
        self._tree = Frontier()
        self._stored: Frontier | None = None
        self._doubted: list[int] = []
        # Nothing above a root that nobody can tell can be told.
        self._is_lost = False

    def append(self, number: int, hash: bytes, stored: bytes) -> None:
        if hash != stored:
            self._doubted.append(number)
            self._stored = self._stored or self._tree.copy()
        self._tree.append(hash)
        if self._stored is not None:
            self._stored.append(stored)

    def compare(self, note: Note) -> Iterator[Fault]:
        """Say who is wrong, and go on with the tree that was signed."""
        if self._is_lost:
            return
        by_leaves = self._tree.root() == note.root
        by_hashes = self._stored is not None and self._stored.root() == note.root
        if not by_leaves:
            for number in self._doubted:
                yield Fault("leaf", str(number), "has not the bytes that were sealed")
        if not by_hashes:
            for number in sorted({one // ROW_HASHES for one in self._doubted}):
                yield Fault("tile", f"0/{number}", "has not the hashes of its leaves")
        if not by_leaves and by_hashes and self._stored is not None:
            self._tree = self._stored
        elif not by_leaves:
            yield Fault("checkpoint", str(note.size), "has not the root of its leaves")
            self._is_lost = True
        self._stored, self._doubted = None, []


def _stored(tiles: Tiles, number: int) -> bytes:
    try:
        return tiles.hash(number, number + 1)
    except LookupError:
        return b""


def _facts(db: Connection, first: int, end: int, day_of: Callable[[str], str]) -> Known:
    events = leaves.facts(rows.of_leaves(db, first, end), day_of)
    known: Known = {(fact.id, None, fact.unit): fact for fact in events}
    for id, unit, row in rows.of_accounts(db, first, end):
        known[None, id, unit] = leaves.of_account(id, unit, row)
    return known


def _wrong_leaf(leaf: _Kept, known: Known) -> Iterator[Fault]:
    place = str(leaf.number)
    fact = known.get((leaf.event_id, leaf.account_id, leaf.unit))
    if fact is None:
        yield Fault("leaf", place, "seals what is not there")
        return
    try:
        shown = leaves.read(bytes(leaf.data))
    except ValueError:
        yield Fault("leaf", place, "has not the bytes of a leaf")
        return
    bound, marks = leaves.bind(bytes(leaf.salt), fact.rows)
    is_bound, kept = bound == shown.facts, bytes(leaf.digests)
    if not is_bound and len(marks) != len(kept):
        table = "account" if leaf.event_id is None else "event"
        yield Fault(table, str(fact.id), "has more or fewer rows than were sealed")
    elif not is_bound and marks != kept:
        yield from _changed(place, fact, marks, kept)
    elif not is_bound or marks != kept:
        yield Fault(
            "leaf", place, "has not the salt, marks or facts it was sealed with"
        )
    elif shown[:5] != (fact.day, fact.campaign, fact.kind, fact.unit, fact.amount):
        yield Fault("leaf", place, "does not say what its event says")
    else:
        yield from _wrong_commitment(leaf, fact, shown.commitment)


def _changed(place: str, fact: Fact, marks: bytes, kept: bytes) -> Iterator[Fault]:
    changed = [
        row
        for n, row in enumerate(fact.rows)
        if marks[n * MARK_BYTES :][:MARK_BYTES] != kept[n * MARK_BYTES :][:MARK_BYTES]
    ]
    for row in changed:
        yield Fault(*rows.named(row), "is not as it was sealed")
    if len(changed) == len(fact.rows):
        yield Fault("leaf", place, "seals other rows than those it names")


def _wrong_commitment(leaf: _Kept, fact: Fact, committed: bytes) -> Iterator[Fault]:
    place = str(leaf.number)
    if leaf.nonce is None:
        if committed and not fact.is_erased:
            yield Fault("leaf", place, "cannot be opened, and nobody was erased")
        return
    if committed != leaves.commitment(bytes(leaf.nonce), fact.code or ""):
        yield Fault("leaf", place, "does not open with its nonce and code")


def _wrong_rows_above(db: Connection, size: int) -> Iterator[Fault]:
    """Check how long each row of hashes is, and the upper ones by those below."""
    tile = schema.tile.c
    tiles = Tiles(db)
    query = select(tile.level, tile.number).order_by(tile.level, tile.number)
    for level, number in db.execute(query, execution_options=_STREAMED):
        whole = size >> (level * 8)
        expected = max(0, min(ROW_HASHES, whole - number * ROW_HASHES))
        if not expected or len(tiles.row(level, number)) != expected * 32:
            yield Fault(
                "tile", f"{level}/{number}", "has not as many hashes as it should"
            )
            continue
        if level and tiles.row(level, number) != tiles.above(level, number, expected):
            yield Fault(
                "tile", f"{level}/{number}", "has not the hashes of those below"
            )
        tiles = Tiles(db)


def _wrong_sums(db: Connection) -> Iterator[Fault]:
    sealed = select(_leaf.number).where(_leaf.event_id == _transfer.event_id).exists()
    moved = (
        select(
            _transfer.debit_id,
            _transfer.credit_id,
            _transfer.phase,
            func.sum(_transfer.amount),
        )
        .where(sealed)
        .group_by(_transfer.debit_id, _transfer.credit_id, _transfer.phase)
    )
    sums = {
        (debit, credit, phase): int(n) for debit, credit, phase, n in db.execute(moved)
    }
    expected: dict[int, tuple[int, int]] = rollups.flows(sums)
    held: dict[int, tuple[int, int]] = {
        row.account_id: (row.pending, row.posted)
        for row in db.execute(select(schema.rollup))
    }
    for id in sorted(expected.keys() | held.keys()):
        if expected.get(id) != held.get(id):
            yield Fault("rollup", str(id), "is not the sum of what was sealed")


def _wrong_cosignatures(db: Connection) -> Iterator[Fault]:
    keys = {one.name: one.public_key for one in witnesses.known(db)}
    line = schema.cosignature.c
    query: Any = select(line.size, line.witness, line.line, _checkpoint.note).join(
        schema.checkpoint, _checkpoint.size == line.size
    )
    for size, name, signed, text in db.execute(query.order_by(line.size)):
        try:
            holds = notes.is_cosigned(
                notes.read(text), signed, name, keys.get(name, b"")
            )
        except BadNote:
            holds = False
        if not holds:
            yield Fault("cosignature", f"{size}/{name}", "is not of its checkpoint")
