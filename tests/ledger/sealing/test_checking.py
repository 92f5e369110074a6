"""Every byte of what is sealed, changed by hand: the row is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, update

from ledger import schema
from ledger.engine import reading, writing
from ledger.schema import checkpoint, event, leaf, resolution, tile, transfer
from ledger.sealing import notes, rows, witnesses
from ledger.sealing.notes import Signer
from ledger.sealing.proofs import forget
from ledger.sealing.sealer import seal
from ledger.sealing.tiles import ROW_HASHES
from ledger.verify import verify
from tests.ledger.books import NOON, Books, unguarded

SIGNER = Signer(b"s" * 32, "give.example.org/yarigar")
ZONE = "Asia/Tehran"
WITNESS = b"w" * 32
TABLES = (
    *("event", "transfer", "resolution", "code", "account"),
    *("leaf", "tile", "checkpoint", "rollup", "cosignature"),
)
# When a witness' line came to us: what the line says of its time is signed.
UNBOUND = {("cosignature", "at")}


@pytest.fixture
def books(ledger_engine: Engine) -> Books:
    """A pledge paid twice, another cancelled; sealed in two batches, witnessed."""
    books = Books(ledger_engine)
    pledge, _ = books.pledge(amount=100)
    books.pay(pledge, 60)
    seal(ledger_engine, SIGNER, ZONE, NOON)
    books.pay(pledge, 40)
    _, code = books.pledge("+989121234568", amount=70)
    books.cancel(code, "+989121234568")
    seal(ledger_engine, SIGNER, ZONE, NOON + timedelta(minutes=1))
    with writing(ledger_engine) as db:
        public = notes.public_of(WITNESS)
        witnesses.add(db, name="district-6", public_key=public, at=NOON)
        note = notes.read(db.scalars(newest_note()).one())
        line = notes.cosign(note, "district-6", WITNESS, NOON)
        signed = notes.read(SIGNER.sign(note.size, note.root, note.at) + f"{line}\n")
        assert witnesses.take(db, signed, at=NOON) == ["district-6"]
    return books


def newest_note() -> Any:
    return select(checkpoint.c.note).order_by(checkpoint.c.size.desc()).limit(1)


def faults(db: Connection) -> set[tuple[str, str]]:
    verdict = verify(db, seal_key=SIGNER.public_key)
    return {(one.table, one.id) for one in verdict.faults}


def test_what_was_sealed_and_not_touched_is_sound(books: Books) -> None:
    with reading(books.engine, snapshot=True) as db:
        assert faults(db) == set()


@pytest.mark.parametrize("name", TABLES)
def test_a_changed_column_makes_verify_name_its_row(books: Books, name: str) -> None:
    table: Table = getattr(schema, name)
    with unguarded(books.engine) as db:
        db.commit()
        for column in table.columns:
            if (name, column.name) in UNBOUND:
                continue
            row = interesting(db, table)
            key, after, value = changed(table, row, column.name)
            db.execute(
                update(table)
                .where(*(c == row[c.name] for c in table.primary_key))
                .values({column.name: value})
            )
            found = faults(db)
            db.rollback()
            named = {id for where, id in found if where == name}
            if column.primary_key:
                # The row has another name now: what named it is told.
                named |= {key for where, _ in found if where == "leaf"}
            assert named & {key, after, str(row.get("event_id"))}, column.name


def interesting(db: Connection, table: Table) -> dict[str, Any]:
    query = select(table).order_by(*table.primary_key)
    if table is transfer:
        query = query.where(transfer.c.pending_id.is_not(None))
    if table is leaf:
        query = query.where(leaf.c.nonce.is_not(None))
    found = [dict(row._mapping) for row in db.execute(query)]
    assert found
    db.rollback()
    return found[-1]


def changed(table: Table, row: dict[str, Any], name: str) -> tuple[str, str, object]:
    """The row's key before and after, and the column's new value."""
    old = row[name]
    new: Any = other(old, table.c[name].type)
    keys = [column.name for column in table.primary_key]
    after = {**row, name: new}
    told = ("/".join(str(one[key]) for key in keys) for one in (row, after))
    return next(told), next(told), new


def other(value: Any, kind: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 100
        case str():
            return value[:-1] + ("x" if value[-1] != "x" else "y")
        case bytes():
            middle = len(value) // 2
            byte = bytes([value[middle] ^ 1])
            return value[:middle] + byte + value[middle + 1 :]
        case datetime():
            return value + timedelta(microseconds=1)
        case dict():
            return {**value, "more": 1}
    assert value is None
    made = {int: 10_001, str: "x"}
    return made[kind.python_type]


def test_another_key_did_not_sign(books: Books) -> None:
    with reading(books.engine, snapshot=True) as db:
        verdict = verify(db, seal_key=notes.public_of(b"x" * 32))
    told = {(one.table, one.what) for one in verdict.faults}
    assert ("checkpoint", "is not signed with the seal key") in told


Damage = Callable[[Connection], Any]


def damages() -> Iterator[tuple[str, Damage, tuple[str, str]]]:
    yield (
        "a leaf is deleted",
        lambda db: db.execute(delete(leaf).where(leaf.c.number == 1)),
        ("leaf", "1"),
    )
    yield (
        "the last checkpoint is deleted",
        lambda db: db.execute(
            delete(checkpoint).where(
                checkpoint.c.size
                == select(func.max(checkpoint.c.size)).scalar_subquery()
            )
        ),
        ("leaf", "{last}"),
    )
    yield (
        "a row of hashes is deleted",
        lambda db: db.execute(delete(tile)),
        ("tile", "0/0"),
    )
    yield (
        "the nonce of somebody who is not erased is emptied",
        lambda db: db.execute(
            update(leaf).where(leaf.c.number == 0).values(nonce=None)
        ),
        ("leaf", "0"),
    )
    yield (
        "a transfer is slipped into a sealed event",
        lambda db: db.execute(
            insert(transfer).values(
                event_id=1,
                number=2,
                debit_id=1,
                credit_id=2,
                unit="rial",
                amount=9,
                phase="single",
            )
        ),
        ("event", "1"),
    )
    yield (
        "a resolution is deleted",
        lambda db: db.execute(delete(resolution)),
        ("event", "2"),
    )
    yield (
        "a sealed event is deleted",
        lambda db: db.execute(delete(event).where(event.c.id == 1)),
        ("leaf", "{first}"),
    )


@pytest.mark.parametrize(("what", "damage", "named"), list(damages()))
def test_what_is_added_or_lost_is_found(
    books: Books, what: str, damage: Damage, named: tuple[str, str]
) -> None:
    with unguarded(books.engine) as db:
        db.commit()
        first = db.scalar(select(leaf.c.number).where(leaf.c.event_id == 1))
        last = db.scalar(select(func.max(leaf.c.number)))
        if "nonce" in what:
            db.execute(update(leaf).where(leaf.c.number == first).values(nonce=None))
            named = ("leaf", str(first))
        else:
            damage(db)
        found = faults(db)
    assert (named[0], named[1].format(first=first, last=last)) in found, what


def test_a_leaf_and_its_hash_rewritten_together_are_not_the_signed_tree(
    books: Books,
) -> None:
    with unguarded(books.engine) as db:
        row = db.execute(select(leaf).where(leaf.c.number == 0)).one()
        data = row.data[:-1] + bytes([row.data[-1] ^ 1])
        hashes = bytes(db.scalars(select(tile.c.hashes)).one())
        from ledger.sealing.tree import leaf_hash

        db.execute(update(leaf).where(leaf.c.number == 0).values(data=data))
        db.execute(update(tile).values(hashes=leaf_hash(data) + hashes[32:]))
    with reading(books.engine, snapshot=True) as db:
        found = faults(db)
    assert any(table == "checkpoint" for table, _ in found)
    assert ("leaf", "0") in found


def test_upper_rows_of_hashes_are_checked(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    for number in range(ROW_HASHES):
        books.pledge(amount=100 + number)
    seal(ledger_engine, SIGNER, ZONE, NOON)
    with reading(ledger_engine, snapshot=True) as db:
        assert faults(db) == set()
    with unguarded(ledger_engine) as db:
        db.execute(update(tile).where(tile.c.level == 1).values(hashes=b"x" * 32))
    with reading(ledger_engine, snapshot=True) as db:
        assert faults(db) == {("tile", "1/0")}


def test_an_erased_person_leaves_everything_sound(books: Books) -> None:
    with reading(books.engine) as db:
        person = db.scalar(select(event.c.person_id).where(event.c.id == 1))
        before = db.execute(select(checkpoint)).all()
    assert person is not None
    with writing(books.engine) as db:
        db.execute(delete(schema.vault).where(schema.vault.c.person_id == person))
        db.execute(
            update(schema.person)
            .where(schema.person.c.id == person)
            .values(look_up=None)
        )
        assert forget(db, person) == 3
    with reading(books.engine, snapshot=True) as db:
        assert faults(db) == set()
        assert db.execute(select(checkpoint)).all() == before


def test_every_column_of_a_sealed_row_is_bound() -> None:
    for name, columns in rows.COLUMNS.items():
        table: Table = getattr(schema, name)
        assert set(columns) == {column.name for column in table.columns}, (
            f"{name} has a column that no leaf binds: it needs a later version"
        )
