"""How each carrier does and why that changed, and what it posted unreadably."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    text,
)

from ledger.schema.base import Id, Utc, metadata

channel_state = Table(
    "channel_state",
    metadata,
    Column("name", String(40), primary_key=True),
    # Per cent of its weight.
    Column("share", SmallInteger, nullable=False, server_default="100"),
    # It carries nothing until then; how often in a row it rested.
    Column("rests_until", Utc),
    Column("rests", SmallInteger, nullable=False, server_default="0"),
    Column("why", String(40), nullable=False, server_default=text("''")),
    # Until then a process of its own is surely there, if it needs one.
    Column("alive_until", Utc),
    # When one that posts nothing was last asked for texts that came in.
    Column("asked_at", Utc),
    Column("changed_at", Utc, nullable=False),
    sqlite_with_rowid=False,
)

channel_change = Table(
    "channel_change",
    metadata,
    Column("id", Id, primary_key=True),
    Column("channel", String(40), nullable=False),
    Column("at", Utc, nullable=False),
    # opened, closed, lowered, raised
    Column("what", String(16), nullable=False),
    Column("why", String(40), nullable=False),
    Column("share", SmallInteger, nullable=False),
    Index("ix_channel_change_channel_at", "channel", "at"),
    sqlite_autoincrement=True,
)

unreadable = Table(
    "unreadable",
    metadata,
    Column("id", Id, primary_key=True),
    Column("carrier", String(40), nullable=False),
    # receipts or inbound
    Column("way", String(10), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("why", String(200), nullable=False),
    Column("at", Utc, nullable=False),
    Index("ix_unreadable_carrier_at", "carrier", "at"),
    sqlite_autoincrement=True,
)
