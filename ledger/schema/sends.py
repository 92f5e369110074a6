"""Texts to many: who agreed to get them, and how far each such send has come."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
)

from ledger.schema.base import Id, Utc, metadata

consent = Table(
    "consent",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    # What was agreed to: campaign texts.
    Column("what", String(16), primary_key=True),
    # The menus whose words were read.
    Column("menus", String(64), nullable=False),
    Column("given_at", Utc, nullable=False),
    Column("withdrawn_at", Utc),
    sqlite_with_rowid=False,
)

bulk = Table(
    "bulk",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(40), nullable=False, unique=True),
    Column("event_id", ForeignKey("event.id"), nullable=False),
    Column("campaign", String(40), nullable=False),
    Column("template", String(40), nullable=False),
    Column("slots", JSON, nullable=False),
    Column("menus", String(64), nullable=False),
    # Whom it is for, as it was asked.
    Column("audience", JSON, nullable=False),
    Column("test", Boolean, nullable=False),
    # What was shown before it began.
    Column("size", Integer, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("cost", String(32), nullable=False),
    # waiting, running, paused, done or cancelled
    Column("state", String(10), nullable=False),
    Column("approvals", SmallInteger, nullable=False),
    Column("made_by", String(40), nullable=False),
    # Everybody up to this person has been looked at, and so many were promised one.
    Column("cursor", BigInteger, nullable=False, server_default="0"),
    Column("promised", Integer, nullable=False, server_default="0"),
    Column("at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
    Index("ix_bulk_state", "state"),
    sqlite_autoincrement=True,
)

bulk_approval = Table(
    "bulk_approval",
    metadata,
    Column("bulk_id", ForeignKey("bulk.id"), primary_key=True),
    Column("who", String(40), primary_key=True),
    Column("at", Utc, nullable=False),
    sqlite_with_rowid=False,
)
