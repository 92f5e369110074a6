"""A batch of leaves made ready: read and hashed before anybody has to wait for it.

It takes no lock. What it rests on is asked before: how many leaves there are, and who
was erased last. Who has the lock asks again, and a batch of other books is thrown away.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, select

from ledger import schema
from ledger.once import Upsert
from ledger.prepared import Prepared
from ledger.sealing import leaves, rows
from ledger.sealing.leaves import NONCE_BYTES, Fact
from ledger.sealing.tree import leaf_hash

__all__ = ["Batch", "Leaf", "Standing", "leaves_of", "note_erasing", "prepare", "stand"]

# The salt of a leaf and its nonce.
_RANDOM_BYTES = 2 * NONCE_BYTES
_ERASING_BYTES = 16
_NAMES = ("seal_zone", "last_erasing")

_meta = schema.meta.c
_leaf = schema.leaf.c
_newest = Prepared(select(func.max(_leaf.number)))
_value = Prepared(select(_meta.value).where(_meta.name == bindparam("of")))
_put = Upsert(schema.meta, _meta.name, change=lambda new: {"value": new.value})

# The leaf's hash, and its row but for the number: event, account, unit, data, salt,
# digests, nonce.
Leaf = tuple[bytes, int | None, int | None, str, bytes, bytes, bytes, bytes | None]


class Standing(NamedTuple):
    """What a batch rests on: the leaves there are, their zone, the last erasing."""

    size: int
    zone: str
    erasing: str


class Batch(NamedTuple):
    """Leaves of some events, in the order of their hashes.

    `last` is the last of the events, and `moved` the sums of their transfers by debit,
    credit and phase. The leaves of their accounts are still to be added.
    """

    last: int
    leaves: list[Leaf]
    moved: dict[tuple[int, int, str], int]


def stand(db: Connection, zone: str) -> Standing:
    """What a batch would rest on now; `zone` is that of books without a seal."""
    newest = _newest.scalar(db)
    known, erasing = (_value.scalar(db, of=name) for name in _NAMES)
    return Standing(0 if newest is None else newest + 1, known or zone, erasing or "")


def note_erasing(db: Connection) -> None:
    """Have the batches that were prepared until now be prepared again."""
    _put(db, name=_NAMES[1], value=secrets.token_hex(_ERASING_BYTES))


def prepare(db: Connection, zone: str, *, after: int, until: int) -> Batch | None:
    """Make the leaves of what has none, of the events above `after` up to `until`.

    `db` is from reading(snapshot=True). None if there is nothing.
    """
    rows.plan_for_few(db)
    found = rows.of_events(db, after=after, until=until)
    if not found.events:
        return None
    made = leaves_of(list(leaves.facts(found, leaves.days_in(zone))))
    made.sort()
    fresh = {row[0] for row in found.events}
    moved: defaultdict[tuple[int, int, str], int] = defaultdict(int)
    for id, _, amount, phase, debit, credit, _, _ in found.moved:
        if id in fresh:
            moved[debit, credit, phase] += amount
    return Batch(found.events[-1][0], made, dict(moved))


def leaves_of(facts: list[Fact]) -> list[Leaf]:
    """A leaf for each fact, in their order."""
    random = secrets.token_bytes(len(facts) * _RANDOM_BYTES)
    return [
        _leaf_of(fact, random[n * _RANDOM_BYTES : (n + 1) * _RANDOM_BYTES])
        for n, fact in enumerate(facts)
    ]


def _leaf_of(fact: Fact, random: bytes) -> Leaf:
    salt, nonce = random[:NONCE_BYTES], None
    committed = b""
    if fact.code is not None:
        nonce = random[NONCE_BYTES:]
        committed = leaves.commitment(nonce, fact.code)
        if fact.is_erased:
            nonce = None
    bound, marks = leaves.bind(salt, fact.rows)
    data = leaves.written(fact, committed, bound)
    about = (None, fact.id) if fact.kind == leaves.ACCOUNT else (fact.id, None)
    return (leaf_hash(data), *about, fact.unit, data, salt, marks, nonce)
