"""Where a fact stands in the tree, and the way from it to a signed root."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select, update

from ledger import codes, schema
from ledger.engine import LedgerError
from ledger.prepared import Prepared
from ledger.sealing.notes import read
from ledger.sealing.preparing import note_erasing
from ledger.sealing.sealer import lock
from ledger.sealing.tiles import Tiles
from ledger.sealing.tree import bridge, path

__all__ = [
    "FORMAT",
    "Erased",
    "NotSealed",
    "Proof",
    "ProvedLeaf",
    "Sealed",
    "consistency",
    "forget",
    "prove",
    "sealed",
    "sealed_code",
]

FORMAT = "yarigar-proof/1"
# A pledge, and its payments: more than a pledge has instalments.
LEAVES_MAX = 200
FINGERPRINT_DIGITS = 8

_leaf = schema.leaf.c
_event = schema.event.c
_checkpoint = schema.checkpoint.c
_number = Prepared(
    select(_leaf.number)
    .where(_leaf.event_id == bindparam("of_event"))
    .order_by(_leaf.number)
    .limit(1)
)
_first_above = (
    select(_checkpoint.day)
    .where(_checkpoint.size > bindparam("place", type_=_leaf.number.type))
    .order_by(_checkpoint.size)
    .limit(1)
    .scalar_subquery()
)
_last_of_day = Prepared(
    select(_checkpoint.day, _checkpoint.size, _checkpoint.root)
    .where(_checkpoint.day == _first_above)
    .order_by(_checkpoint.size.desc())
    .limit(1)
)
_newest = Prepared(
    select(_checkpoint.size, _checkpoint.note)
    .order_by(_checkpoint.size.desc())
    .limit(1)
)
_code = Prepared(
    select(schema.code.c.code).where(schema.code.c.event_id == bindparam("of_event"))
)
_lines = Prepared(
    select(schema.cosignature.c.line)
    .where(schema.cosignature.c.size == bindparam("of_size"))
    .order_by(schema.cosignature.c.witness)
)
_about = Prepared(
    select(_event.id)
    .where(_event.about_id == bindparam("of_event"))
    .order_by(_event.id)
    .limit(LEAVES_MAX)
)
_leaves = Prepared(
    select(_leaf.number, _leaf.data, _leaf.nonce)
    .where(_leaf.event_id == bindparam("of_event"))
    .order_by(_leaf.number)
)


class NotSealed(LedgerError):
    """What was asked for is not sealed yet."""


class Erased(LedgerError):
    """Its person was erased: nobody can show any more whose leaf it is."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """On which day a fact was sealed, as which leaf, under which root of that day.

    The root is of the day's last checkpoint, which is published: while the day lasts
    it grows. `fingerprint` is what two people can read to each other.
    """

    day: str
    number: int
    size: int
    root: bytes

    @property
    def fingerprint(self) -> str:
        """The first eight hexadecimal digits of the root."""
        return self.root.hex()[:FINGERPRINT_DIGITS]


@dataclass(frozen=True, slots=True)
class ProvedLeaf:
    """A leaf, the nonce that opens its commitment, and its way to the root."""

    number: int
    data: bytes
    nonce: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """All leaves of one tracking code, under one checkpoint."""

    code: str
    checkpoint: str
    size: int
    root: bytes
    leaves: tuple[ProvedLeaf, ...]

    def as_json(self) -> dict[str, object]:
        """The donor's proof file; bytes are base64."""
        return {
            "format": FORMAT,
            "code": self.code,
            "checkpoint": self.checkpoint,
            "leaves": [
                {
                    "number": leaf.number,
                    "data": _base64(leaf.data),
                    "nonce": _base64(leaf.nonce),
                    "path": [_base64(hash) for hash in leaf.path],
                }
                for leaf in self.leaves
            ],
        }


def sealed(db: Connection, event_id: int) -> Sealed | None:
    """Where an event is sealed, None if it is not yet."""
    number = _number.scalar(db, of_event=event_id)
    if number is None:
        return None
    row = _last_of_day.first(db, place=number)
    if row is None:
        return None
    day, size, root = row
    return Sealed(day, number, size, bytes(root))


def sealed_code(db: Connection, code: str) -> Sealed | None:
    """The same of a tracking code; None for one that nobody has."""
    event_id = codes.event_of(db, code)
    return None if event_id is None else sealed(db, event_id)


def prove(db: Connection, event_id: int) -> Proof:
    """Show that an event with a code, and what came of it, is under the newest root.

    `db` is from reading(snapshot=True). Raises NotSealed, and Erased.
    """
    newest = _newest.first(db)
    found = _leaves.all(db, of_event=event_id)
    if newest is None or not found:
        raise NotSealed("it is not sealed yet: seals are made every few seconds")
    if not all(nonce for _, _, nonce in found):
        raise Erased("its person was erased: the leaf stands and cannot be opened")
    for (id,) in _about.all(db, of_event=event_id):
        found += _leaves.all(db, of_event=id)
    code: str = _code.scalar(db, of_event=event_id)
    size, note = newest
    tiles = Tiles(db)
    lines = [line for (line,) in _lines.all(db, of_size=size)]
    return Proof(
        code=code,
        checkpoint=note + "".join(f"{line}\n" for line in lines),
        size=size,
        root=read(note).root,
        leaves=tuple(
            ProvedLeaf(
                number,
                bytes(data),
                bytes(nonce),
                tuple(tiles.hash(*span) for span in path(number, size)),
            )
            for number, data, nonce in found
            if nonce
        ),
    )


def consistency(db: Connection, old: int, new: int) -> tuple[bytes, ...]:
    """The hashes that show the tree of `new` leaves to begin with the `old` ones."""
    tiles = Tiles(db)
    return tuple(tiles.hash(*span) for span in bridge(old, new))


def forget(db: Connection, person_id: int) -> int:
    """Empty what opens the leaves of a person; how many there were.

    Every leaf, sum and root stays. It waits for a seal that is being made, and has a
    batch that is prepared thrown away, so that no leaf slips past; call it after the
    person's look-up key is gone, in the same transaction.
    """
    lock(db)
    note_erasing(db)
    promise = schema.event.alias("promise")
    theirs = (
        select(_event.id)
        .outerjoin(promise, promise.c.id == _event.about_id)
        .where(func.coalesce(_event.person_id, promise.c.person_id) == person_id)
    )
    emptied = (
        update(schema.leaf)
        .where(_leaf.event_id.in_(theirs), _leaf.nonce.is_not(None))
        .values(nonce=None)
    )
    return db.execute(emptied).rowcount


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
