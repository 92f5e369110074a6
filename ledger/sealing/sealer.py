"""Facts into leaves, batch by batch: the one writer of the tree.

Nothing on the way in waits for it. What it may take is decided by the database: rows
that no open transaction could precede, found by what has no leaf yet and not by a
mark, so that what commits late is sealed later and never passed over. A batch is one
transaction with its leaves, hashes, sums and signed checkpoint: it stands or it does
not. Within a batch leaves stand in the order of their hashes, which hides who came
first.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, select

from ledger import rollups, schema
from ledger.engine import Engine, reading, writing
from ledger.once import Once
from ledger.prepared import pour
from ledger.sealing import leaves, rows
from ledger.sealing.floor import floor, raise_floor
from ledger.sealing.leaves import NONCE_BYTES, Fact
from ledger.sealing.notes import Signer
from ledger.sealing.tiles import Tiles, append
from ledger.sealing.tree import leaf_hash
from ledger.vault import WrongKeys

__all__ = ["BATCH_EVENTS", "Run", "lock", "seal", "size_of"]

BATCH_EVENTS = 10_000
# Any number serves that no other program on the same PostgreSQL uses as a lock.
_LOCK = 5_588_781
# The salt of a leaf and its nonce.
_RANDOM_BYTES = 2 * NONCE_BYTES

_leaf = schema.leaf.c
_checkpoint = schema.checkpoint.c
_meta = schema.meta.c
_claim = Once(schema.meta, _meta.name, returning=_meta.name)
_TYPES = {
    "number": "int8",
    "event_id": "int8",
    "account_id": "int8",
    "unit": "varchar",
    "data": "bytea",
    "salt": "bytea",
    "digests": "bytea",
    "nonce": "bytea",
}


@dataclass(frozen=True, slots=True)
class Run:
    """How many leaves were added in how many batches; `more` says that some wait.

    `size` and `root` are the tree's after it, the root None if nothing was added.
    """

    leaves: int
    batches: int
    size: int
    root: bytes | None
    more: bool


def seal(
    engine: Engine,
    signer: Signer,
    zone: str,
    at: datetime,
    all: bool = False,
    *,
    batches_max: int | None = None,
    batch: int = BATCH_EVENTS,
) -> Run:
    """Seal what waits; with `all` from the first event on, whatever was seen before.

    `zone` names the days of the leaves, `at` the moment of the checkpoints. Several
    may run at once and take turns. Raises WrongKeys if the books were sealed with
    another key, and LedgerError; batches that were done before stand.
    """
    after = 0 if all else None
    count = done = 0
    root: bytes | None = None
    while True:
        # Looked for without a lock: where all is sealed nobody is kept waiting.
        with reading(engine) as db:
            first = rows.first_unsealed(db, after=floor(db) if after is None else after)
            size = size_of(db)
        if first is None or done == batches_max:
            return Run(count, done, size, root, more=first is not None)
        with writing(engine) as db:
            lock(db)
            made = _batch(db, signer, zone, at, first - 1, batch)
        after = first if made is None else made.last
        if made is not None:
            count, done, root = count + made.leaves, done + 1, made.root


class _Made(NamedTuple):
    leaves: int
    last: int
    root: bytes


def _batch(
    db: Connection, signer: Signer, zone: str, at: datetime, after: int, batch: int
) -> _Made | None:
    """Seal one batch; None if another sealer has just done it."""
    rows.plan_for_few(db)
    found = rows.of_events(db, after=after, rows_max=batch)
    if not found:
        return None
    size = size_of(db)
    day_of = leaves.days_in(_claimed(db, signer, zone))
    facts = list(leaves.facts(found, day_of))
    moved: defaultdict[tuple[int, int, str], int] = defaultdict(int)
    for row in found:
        if row[10] is not None:
            moved[row[11], row[12], row[10]] += row[9]
    used = {id for debit, credit, _ in moved for id in (debit, credit)}
    accounts = [
        leaves.of_account(id, unit, row)
        for id, unit, row in rows.new_accounts(db, used)
    ]
    random = BytesIO(secrets.token_bytes((len(facts) + len(accounts)) * _RANDOM_BYTES))
    made = [_leaf_of(fact, random.read(_RANDOM_BYTES), False) for fact in facts]
    made += [_leaf_of(fact, random.read(_RANDOM_BYTES), True) for fact in accounts]
    made.sort()
    hashes = [leaf[0] for leaf in made]
    numbered = [(size + n, *leaf[1:]) for n, leaf in enumerate(made)]
    pour(db, schema.leaf, _TYPES, numbered)
    append(db, size, hashes)
    rollups.add(db, moved)
    last: int = found[-1][0]
    raise_floor(db, last)
    size += len(made)
    root = Tiles(db).root(size)
    _check_point(db, signer, zone, size, root, at)
    return _Made(len(made), last, root)


def _leaf_of(fact: Fact, random: bytes, is_account: bool) -> tuple[Any, ...]:
    """The leaf's hash and then its row, but for its number."""
    salt, nonce = random[:NONCE_BYTES], None
    committed = b""
    if fact.code is not None:
        nonce = random[NONCE_BYTES:]
        committed = leaves.commitment(nonce, fact.code)
        if fact.is_erased:
            nonce = None
    data = leaves.written(fact, committed, leaves.binding(salt, fact.rows))
    about = (None, fact.id) if is_account else (fact.id, None)
    marks = leaves.marks(fact.rows)
    return (leaf_hash(data), *about, fact.unit, data, salt, marks, nonce)


def lock(db: Connection) -> None:
    """Wait until nobody else seals; on SQLite a transaction that writes is alone."""
    if db.dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def size_of(db: Connection) -> int:
    """How many leaves there are."""
    last: int | None = db.scalar(select(func.max(_leaf.number)))
    return 0 if last is None else last + 1


def _claimed(db: Connection, signer: Signer, zone: str) -> str:
    """Bind the seals to this key and this zone the first time; the zone ever after."""
    _claim(db, name="seal_key", value=signer.public_key.hex())
    _claim(db, name="seal_zone", value=zone)
    known = dict(db.execute(select(_meta.name, _meta.value)).all())
    if known["seal_key"] != signer.public_key.hex():
        raise WrongKeys("the seal_key is not the one this database was made with")
    return str(known["seal_zone"])


def _check_point(
    db: Connection, signer: Signer, zone: str, size: int, root: bytes, at: datetime
) -> None:
    # A clock that was set back does not put a later seal on an earlier day.
    last = db.scalar(select(func.max(_checkpoint.at)))
    at = at if last is None else max(at, last)
    moment = at.isoformat(" ", "minutes")
    db.execute(
        insert(schema.checkpoint).values(
            size=size,
            root=root,
            day=leaves.days_in(zone)(moment),
            note=signer.sign(size, root, at),
            at=at,
        )
    )
