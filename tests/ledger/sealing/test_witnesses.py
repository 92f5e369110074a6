from __future__ import annotations

import pytest
from sqlalchemy import Engine, func, select

from ledger.engine import reading, writing
from ledger.schema import checkpoint, cosignature
from ledger.sealing import notes, witnesses
from ledger.sealing.notes import Note, Signer
from ledger.sealing.sealer import seal
from ledger.sealing.witnesses import BadWitness
from tests.ledger.books import NOON, Books

SIGNER = Signer(b"s" * 32, "give.example.org/yarigar")
SEED = b"w" * 32
NAME = "district-6"


@pytest.fixture
def note(ledger_engine: Engine) -> Note:
    Books(ledger_engine).pledge()
    seal(ledger_engine, SIGNER, "Asia/Tehran", NOON)
    with writing(ledger_engine) as db:
        witnesses.add(db, name=NAME, public_key=notes.public_of(SEED), at=NOON)
        return notes.read(db.scalars(select(checkpoint.c.note)).one())


def signed(note: Note, seed: bytes = SEED, name: str = NAME) -> Note:
    line = notes.cosign(note, name, seed, NOON)
    return notes.read(note.body + "\n" + "\n".join([*note.lines, line]) + "\n")


def test_a_signature_is_taken_once(ledger_engine: Engine, note: Note) -> None:
    with writing(ledger_engine) as db:
        assert witnesses.take(db, signed(note), at=NOON) == [NAME]
        assert witnesses.take(db, signed(note), at=NOON) == []
        assert db.scalar(select(func.count()).select_from(cosignature)) == 1


def test_who_is_no_witness_is_refused(ledger_engine: Engine, note: Note) -> None:
    forged = [signed(note, b"x" * 32), signed(note, name="district-7")]
    foreign = notes.read(SIGNER.sign(note.size, note.root, NOON.replace(year=2027)))
    with writing(ledger_engine) as db:
        for one in (*forged, signed(foreign)):
            with pytest.raises(BadWitness):
                witnesses.take(db, one, at=NOON)
        assert db.scalar(select(func.count()).select_from(cosignature)) == 0


def test_a_revoked_witness_signs_no_more_and_keeps_what_was_signed(
    ledger_engine: Engine, note: Note
) -> None:
    with writing(ledger_engine) as db:
        witnesses.take(db, signed(note), at=NOON)
        witnesses.revoke(db, name=NAME, at=NOON)
        with pytest.raises(BadWitness):
            witnesses.revoke(db, name=NAME, at=NOON)
        with pytest.raises(BadWitness):
            witnesses.take(db, signed(note), at=NOON)
    with reading(ledger_engine) as db:
        assert [one.revoked_at for one in witnesses.known(db)] == [NOON]
        assert db.scalar(select(func.count()).select_from(cosignature)) == 1


@pytest.mark.parametrize(
    ("name", "key"),
    [("", b"k" * 32), ("a b", b"k" * 32), ("x" * 41, b"k" * 32), ("new", b"short")],
)
def test_a_witness_without_a_name_or_key_is_refused(
    ledger_engine: Engine, name: str, key: bytes
) -> None:
    with writing(ledger_engine) as db, pytest.raises(BadWitness):
        witnesses.add(db, name=name, public_key=key, at=NOON)


def test_a_name_is_taken_once(ledger_engine: Engine, note: Note) -> None:
    with writing(ledger_engine) as db, pytest.raises(BadWitness, match="already"):
        witnesses.add(db, name=NAME, public_key=b"k" * 32, at=NOON)
