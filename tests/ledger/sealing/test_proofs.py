from __future__ import annotations

import base64
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import Engine, delete, select, update

from ledger import schema
from ledger.engine import reading, writing
from ledger.schema import checkpoint, event, leaf
from ledger.sealing import leaves, notes
from ledger.sealing.notes import Signer
from ledger.sealing.proofs import (
    Erased,
    NotSealed,
    consistency,
    forget,
    prove,
    sealed,
    sealed_code,
)
from ledger.sealing.sealer import seal
from ledger.sealing.tree import extends, includes, leaf_hash
from tests.ledger.books import NOON, Books

SIGNER = Signer(b"s" * 32, "give.example.org/yarigar")
ZONE = "Asia/Tehran"


def test_a_gift_and_its_payments_are_under_the_signed_root(
    ledger_engine: Engine,
) -> None:
    books = Books(ledger_engine)
    others = [books.pledge("+989121234568", amount=10 + n) for n in range(5)]
    pledge, code = books.pledge(amount=100)
    seal(ledger_engine, SIGNER, ZONE, NOON)
    books.pay(pledge, 60)
    seal(ledger_engine, SIGNER, ZONE, NOON)

    with reading(ledger_engine, snapshot=True) as db:
        proof = prove(db, pledge)
        # Nobody's else is in it.
        assert prove(db, others[0][0]).leaves[0] not in proof.leaves

    note = notes.read(proof.checkpoint)
    assert notes.is_signed(note, SIGNER.public_key)
    assert (note.size, note.root) == (proof.size, proof.root)
    shown = [leaves.read(one.data) for one in proof.leaves]
    assert [(one.kind, one.amount) for one in shown] == [
        ("pledge", 100),
        ("payment", 60),
    ]
    for one, said in zip(proof.leaves, shown, strict=True):
        assert said.commitment == sha256(one.nonce + code.encode()).digest()
        hash = leaf_hash(one.data)
        assert includes(note.root, note.size, one.number, hash, one.path)
    assert proof.as_json()["code"] == code
    first = proof.as_json()["leaves"][0]  # type: ignore[index]
    assert base64.b64decode(first["data"]) == proof.leaves[0].data


def test_two_leaves_of_one_gift_look_unrelated(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge, _ = books.pledge(amount=100)
    books.pay(pledge, 100)
    seal(ledger_engine, SIGNER, ZONE, NOON)
    with reading(ledger_engine, snapshot=True) as db:
        pledged, paid = prove(db, pledge).leaves
    assert pledged.nonce != paid.nonce
    assert leaves.read(pledged.data).commitment != leaves.read(paid.data).commitment


def test_where_a_gift_is_sealed_is_told_by_the_day(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    first, code = books.pledge(amount=100)
    with reading(ledger_engine) as db:
        assert sealed(db, first) is None
        assert sealed_code(db, code) is None
        assert sealed_code(db, "000000000") is None
    seal(ledger_engine, SIGNER, ZONE, NOON)
    with reading(ledger_engine) as db:
        early = sealed(db, first)
    books.pledge(amount=200)
    seal(ledger_engine, SIGNER, ZONE, NOON + timedelta(hours=1))
    books.pledge(amount=300)
    seal(ledger_engine, SIGNER, ZONE, NOON + timedelta(days=1))

    with reading(ledger_engine) as db:
        found = sealed_code(db, code)
        sizes = db.execute(select(checkpoint.c.size, checkpoint.c.root)).all()
    assert early is not None
    assert found is not None
    assert (found.day, found.number) == (early.day, early.number)
    assert found.day == "2026-11-22"
    # The day's last root, which is published: not the first, not the next day's.
    assert (found.size, found.root) == (sizes[1].size, sizes[1].root)
    assert found.fingerprint == found.root.hex()[:8]


def test_what_is_not_sealed_cannot_be_proved(ledger_engine: Engine) -> None:
    pledge, _ = Books(ledger_engine).pledge()
    with reading(ledger_engine, snapshot=True) as db, pytest.raises(NotSealed):
        prove(db, pledge)


def test_an_erased_donor_has_no_proof(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    pledge, _ = books.pledge()
    books.pay(pledge, 100)
    other, _ = books.pledge("+989121234568")
    seal(ledger_engine, SIGNER, ZONE, NOON)
    erase(ledger_engine, pledge, emptied=2)
    with reading(ledger_engine, snapshot=True) as db:
        with pytest.raises(Erased):
            prove(db, pledge)
        assert prove(db, other).leaves
        assert sealed(db, pledge) is not None


def test_what_an_erased_person_did_is_sealed_without_a_nonce(
    ledger_engine: Engine,
) -> None:
    pledge, _ = Books(ledger_engine).pledge()
    erase(ledger_engine, pledge, emptied=0)
    seal(ledger_engine, SIGNER, ZONE, NOON)
    with reading(ledger_engine) as db:
        row = db.execute(select(leaf).where(leaf.c.event_id == pledge)).one()
    assert row.nonce is None
    assert leaves.read(row.data).commitment != b""


def erase(engine: Engine, pledge: int, *, emptied: int) -> None:
    with writing(engine) as db:
        person = db.scalar(select(event.c.person_id).where(event.c.id == pledge))
        assert person is not None
        db.execute(delete(schema.vault).where(schema.vault.c.person_id == person))
        db.execute(
            update(schema.person)
            .where(schema.person.c.id == person)
            .values(look_up=None)
        )
        assert forget(db, person) == emptied


def test_every_checkpoint_continues_the_one_before(ledger_engine: Engine) -> None:
    books = Books(ledger_engine)
    for number in range(9):
        books.pledge(amount=100 + number)
        seal(ledger_engine, SIGNER, ZONE, NOON)
    with reading(ledger_engine, snapshot=True) as db:
        roots = dict(db.execute(select(checkpoint.c.size, checkpoint.c.root)).all())
        for old in roots:
            for new in roots:
                if old <= new:
                    proof = consistency(db, old, new)
                    assert extends(roots[old], old, roots[new], new, proof)
