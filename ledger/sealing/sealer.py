"""Facts into leaves, batch by batch: the one writer of the tree.

Nothing on the way in waits for it. What it may take is decided by the database: rows
that no open transaction could precede, found by what has no leaf yet and not by a
mark, so that what commits late is sealed later and never passed over. A batch is one
transaction with its leaves, hashes, sums and signed checkpoint: it stands or it does
not. Within a batch leaves stand in the order of their hashes, which hides who came
first.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select

from ledger import rollups, schema
from ledger.engine import Engine, reading, writing
from ledger.once import Once
from ledger.prepared import pour
from ledger.sealing import leaves, rows
from ledger.sealing.ahead import Ended, prepared
from ledger.sealing.floor import floor, raise_floor
from ledger.sealing.notes import Signer
from ledger.sealing.preparing import Batch, Standing, leaves_of, prepare, stand
from ledger.sealing.tiles import Tiles, append
from ledger.vault import WrongKeys

__all__ = ["BATCH_EVENTS", "Run", "lock", "seal", "size_of"]

BATCH_EVENTS = 10_000
# From so many on, processes that prepare batches are worth their start.
WAITING_MIN = 100_000
PROCESSES_MAX = 2
# Any number serves that no other program on the same PostgreSQL uses as a lock.
_LOCK = 5_588_781

_leaf = schema.leaf.c
_checkpoint = schema.checkpoint.c
_meta = schema.meta.c
_newest = select(func.max(schema.event.c.id))
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
    processes: int | None = None,
) -> Run:
    """Seal what waits; with `all` from the first event on, whatever was seen before.

    `zone` names the days of the leaves, `at` the moment of the checkpoints. Several
    may run at once and take turns. A batch is of `batch` ids of events. Where much
    waits and there are processors, other processes prepare batches ahead: as many as
    `processes`, if it is given. Raises WrongKeys if the books were sealed with another
    key, and LedgerError; batches that were done before stand.
    """
    after = 0 if all else None
    count = done = 0
    root: bytes | None = None
    while True:
        # Looked for without a lock: where all is sealed nobody is kept waiting.
        with reading(engine) as db:
            standing = stand(db, zone)
            first = rows.first_unsealed(db, after=floor(db) if after is None else after)
            newest = db.scalar(_newest) or 0
        if first is None or done == batches_max:
            return Run(count, done, standing.size, root, more=first is not None)
        after = first - 1
        waiting = min(newest - after, batch * (batches_max or newest))
        count_of = _processes(waiting) if processes is None else processes
        ready = _prepared(engine, standing.zone, after, newest, batch, count_of)
        with closing(ready):
            for one in ready:
                with writing(engine) as db:
                    made = _pour(db, signer, zone, at, one, standing)
                if made is None:
                    break
                after, root = one.last, made.root
                count, done = count + made.leaves, done + 1
                standing = standing._replace(size=standing.size + made.leaves)
                if done == batches_max:
                    break


def _processes(waiting: int) -> int:
    if waiting < WAITING_MIN:
        return 0
    processors = os.cpu_count() or 1
    return min(processors, PROCESSES_MAX) if processors > 1 else 0


def _prepared(
    engine: Engine, zone: str, after: int, last: int, batch: int, processes: int
) -> Generator[Batch]:
    """Batches by others, or one by this process: also where the others ended."""
    if processes:
        try:
            yield from prepared(
                engine, zone, after=after, last=last, width=batch, processes=processes
            )
            return
        except Ended:
            pass
    with reading(engine, snapshot=True) as db:
        ready = prepare(db, zone, after=after, until=after + batch)
    if ready is not None:
        yield ready


class _Made(NamedTuple):
    leaves: int
    root: bytes


def _pour(
    db: Connection,
    signer: Signer,
    zone: str,
    at: datetime,
    batch: Batch,
    standing: Standing,
) -> _Made | None:
    """Add a batch to the tree; None if that has changed since it was prepared."""
    lock(db)
    _claim_seals(db, signer, zone)
    if stand(db, zone) != standing:
        return None
    size = standing.size
    used = {id for debit, credit, _ in batch.moved for id in (debit, credit)}
    accounts = [leaves.of_account(*row) for row in rows.new_accounts(db, used)]
    made = batch.leaves + leaves_of(accounts)
    made.sort()
    pour(
        db, schema.leaf, _TYPES, [(size + n, *leaf[1:]) for n, leaf in enumerate(made)]
    )
    append(db, size, [leaf[0] for leaf in made])
    rollups.add(db, batch.moved)
    raise_floor(db, batch.last)
    size += len(made)
    root = Tiles(db).root(size)
    _check_point(db, signer, standing.zone, size, root, at)
    return _Made(len(made), root)


def lock(db: Connection) -> None:
    """Wait until nobody else seals; on SQLite a transaction that writes is alone."""
    if db.dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def size_of(db: Connection) -> int:
    """How many leaves there are."""
    last: int | None = db.scalar(select(func.max(_leaf.number)))
    return 0 if last is None else last + 1


def _claim_seals(db: Connection, signer: Signer, zone: str) -> None:
    """Bind the seals to this key and this zone the first time; the zone ever after."""
    _claim(db, name="seal_key", value=signer.public_key.hex())
    _claim(db, name="seal_zone", value=zone)
    key = db.scalar(select(_meta.value).where(_meta.name == "seal_key"))
    if key != signer.public_key.hex():
        raise WrongKeys("the seal_key is not the one this database was made with")


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
