"""Who signs the checkpoints beside us, so that we cannot show two trees.

A witness keeps a key of its own and signs a checkpoint's note elsewhere: here only its
public key is known. Taking a witness back keeps what it has signed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from ledger import schema
from ledger.engine import LedgerError
from ledger.once import Once
from ledger.sealing.notes import NAME_CHARS_MAX, Note, is_cosigned

__all__ = ["BadWitness", "Witness", "add", "known", "revoke", "take"]

KEY_BYTES = 32
_NAME = re.compile(r"[^\s+]{1,40}")

_witness = schema.witness.c
_cosignature = schema.cosignature.c
_insert = Once(schema.witness, _witness.name, returning=_witness.name)
_sign = Once(
    schema.cosignature,
    _cosignature.size,
    _cosignature.witness,
    returning=_cosignature.size,
)


class BadWitness(LedgerError):
    """This witness is not known, or did not sign this."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A name, its Ed25519 public key, and until when it was one of ours."""

    name: str
    public_key: bytes
    at: datetime
    revoked_at: datetime | None


def add(db: Connection, *, name: str, public_key: bytes, at: datetime) -> None:
    """Take somebody on as a witness. Raises BadWitness for a name that is taken."""
    if not _NAME.fullmatch(name):
        raise BadWitness("a witness' name has 1 to 40 letters, no space and no plus")
    if len(public_key) != KEY_BYTES:
        raise BadWitness(f"a public key has {KEY_BYTES} bytes")
    made = _insert(db, name=name, public_key=public_key, at=at, revoked_at=None)
    if made is None:
        raise BadWitness(f"there is a witness named {name} already")


def revoke(db: Connection, *, name: str, at: datetime) -> None:
    """Accept no more signatures of a witness. Raises BadWitness if there is none."""
    done = db.execute(
        update(schema.witness)
        .where(_witness.name == name, _witness.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    if not done.rowcount:
        raise BadWitness(f"there is no witness named {name[:NAME_CHARS_MAX]}")


def known(db: Connection) -> list[Witness]:
    """Every witness there ever was, by name."""
    rows = db.execute(select(schema.witness).order_by(_witness.name))
    return [Witness(**row._mapping) for row in rows]


def take(db: Connection, note: Note, *, at: datetime) -> list[str]:
    """Keep what witnesses signed below a checkpoint of ours; whose lines were new.

    Raises BadWitness if the checkpoint is not ours, or a line is not by a witness of
    today: then nothing is kept. Our own line is passed over.
    """
    ours = db.scalar(
        select(schema.checkpoint.c.note).where(schema.checkpoint.c.size == note.size)
    )
    if ours is None or not ours.startswith(f"{note.body}\n"):
        raise BadWitness(f"there is no such checkpoint of {note.size} leaves here")
    today = {one.name: one for one in known(db) if one.revoked_at is None}
    new = []
    for line in note.lines:
        name = line.split(" ", 2)[1]
        if name == note.origin:
            continue
        witness = today.get(name)
        if witness is None or not is_cosigned(note, line, name, witness.public_key):
            raise BadWitness(f"this is not the signature of a witness {name[:40]}")
        if _sign(db, size=note.size, witness=name, line=line, at=at) is not None:
            new.append(name)
    return new
