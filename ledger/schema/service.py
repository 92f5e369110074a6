"""The service's own memory."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
)

from ledger.schema.base import Id, Utc, metadata

# --- the service's own memory --------------------------------------------------

menus_version = Table(
    "menus_version",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("source", Text, nullable=False),
    Column("at", Utc, nullable=False),
)

menus_current = Table(
    "menus_current",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("hash", ForeignKey("menus_version.hash"), nullable=False),
    Column("at", Utc, nullable=False),
    CheckConstraint("id = 1", name="there_is_one"),
)

# How a carrier says a dial ended: whether the last screen was surely seen.
dial_end = Table(
    "dial_end",
    metadata,
    Column("dial", String(80), primary_key=True),
    Column("reached", Boolean, nullable=False),
    Column("at", Utc, nullable=False),
)

token = Table(
    "token",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(40), nullable=False, unique=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("at", Utc, nullable=False),
    Column("revoked_at", Utc),
    sqlite_autoincrement=True,
)

lease = Table(
    "lease",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("until", Utc, nullable=False),
)
