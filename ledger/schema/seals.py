"""The sealed books: leaves of one tree, its checkpoints, and who signed them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ledger.schema.base import Id, Utc, metadata
from ledger.schema.facts import WITHOUT_LOCK

# One for each fact and unit, in the order of the tree.
leaf = Table(
    "leaf",
    metadata,
    Column("number", Id, primary_key=True, autoincrement=False),
    # What it seals: an event, or an account that came into use.
    Column("event_id", ForeignKey("event.id", info=WITHOUT_LOCK)),
    Column("account_id", ForeignKey("account.id", info=WITHOUT_LOCK)),
    Column("unit", String(16), nullable=False),
    # The bytes that are hashed into the tree, which are published.
    Column("data", LargeBinary, nullable=False),
    # What keeps the digests of the rows from being guessed, and those digests.
    Column("salt", LargeBinary(16), nullable=False),
    Column("digests", LargeBinary, nullable=False),
    # What opens the donor's commitment; emptied when the person is erased.
    Column("nonce", LargeBinary(16)),
    UniqueConstraint("event_id", "unit"),
    Index(
        "ix_leaf_account_id",
        "account_id",
        unique=True,
        sqlite_where=text("account_id IS NOT NULL"),
        postgresql_where=text("account_id IS NOT NULL"),
    ),
)

# The hashes of the tree, 256 to a row, at every eighth level.
tile = Table(
    "tile",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# A tree of so many leaves, signed.
checkpoint = Table(
    "checkpoint",
    metadata,
    Column("size", Id, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False),
    # The day in campaign time, as 2026-11-22.
    Column("day", String(10), nullable=False),
    Column("note", Text, nullable=False),
    Column("at", Utc, nullable=False),
    Index("ix_checkpoint_day", "day"),
)

# Whose signature beside ours says that they saw the same tree.
witness = Table(
    "witness",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("public_key", LargeBinary(32), nullable=False),
    Column("at", Utc, nullable=False),
    Column("revoked_at", Utc),
    sqlite_with_rowid=False,
)

cosignature = Table(
    "cosignature",
    metadata,
    Column("size", ForeignKey("checkpoint.size"), primary_key=True),
    Column("witness", ForeignKey("witness.name"), primary_key=True),
    # The line under the note.
    Column("line", Text, nullable=False),
    Column("at", Utc, nullable=False),
    sqlite_with_rowid=False,
)

# What stood on each account at the last checkpoint, in minor units; debit counts up.
rollup = Table(
    "rollup",
    metadata,
    Column(
        "account_id", ForeignKey("account.id"), primary_key=True, autoincrement=False
    ),
    Column("pending", BigInteger, nullable=False),
    Column("posted", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
