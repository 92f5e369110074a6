"""Texts promised, and what became of them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    text,
)

from ledger.schema.base import Id, Utc, metadata

outbox = Table(
    "outbox",
    metadata,
    Column("id", Id, primary_key=True),
    Column("event_id", ForeignKey("event.id"), nullable=False),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("template", String(40), nullable=False),
    Column("slots", JSON, nullable=False),
    Column("language", String(8), nullable=False),
    # The version of the menus whose template it is.
    Column("menus", String(64), nullable=False),
    # receipt, service or campaign
    Column("kind", String(10), nullable=False),
    Column("campaign", String(40)),
    Column("test", Boolean, nullable=False),
    # queued, sending, sent, unclear, delivered, failed, expired, withdrawn
    Column("state", String(10), nullable=False),
    Column("promised_at", Utc, nullable=False),
    Column("due_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("carrier", String(40)),
    Column("lease_owner", String(64)),
    Column("lease_until", Utc),
    Column("changed_at", Utc, nullable=False),
    # Whose it is to carry: empty is not decided yet, * the workers', else the name of
    # the channel whose own process it is.
    Column("via", String(40), nullable=False, server_default=text("''")),
    Column("bulk_id", ForeignKey("bulk.id")),
    # When an operator was done with a text that went nowhere, and why.
    Column("closed_at", Utc),
    Column("closed_why", String(200)),
    UniqueConstraint("event_id", "template"),
    # A claim takes the oldest due of one state, kind and carrier, whatever else waits.
    Index("ix_outbox_state_kind_via_due_at", "state", "kind", "via", "due_at"),
    # How many a person had lately; receipts are not counted.
    Index(
        "ix_outbox_person_id_changed_at",
        "person_id",
        "changed_at",
        sqlite_where=text("kind = 'campaign'"),
        postgresql_where=text("kind = 'campaign'"),
    ),
    Index(
        "ix_outbox_bulk_id_state",
        "bulk_id",
        "state",
        sqlite_where=text("bulk_id IS NOT NULL"),
        postgresql_where=text("bulk_id IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Id, primary_key=True),
    Column("outbox_id", ForeignKey("outbox.id"), nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("carrier", String(40), nullable=False),
    Column("began_at", Utc, nullable=False),
    Column("ended_at", Utc),
    # Empty while the call is under way: a process that dies leaves it so.
    Column("outcome", String(16)),
    Column("carrier_id", String(120)),
    Column("detail", String(200)),
    Column("parts", SmallInteger),
    # What we reckoned and what the carrier said, as "1150 rial".
    Column("estimate", String(32)),
    Column("cost", String(32)),
    UniqueConstraint("outbox_id", "number"),
    Index("ix_attempt_carrier_carrier_id", "carrier", "carrier_id"),
    sqlite_autoincrement=True,
)

# What was handed over part by part: each part has an id of its own.
part = Table(
    "part",
    metadata,
    Column("outbox_id", ForeignKey("outbox.id"), primary_key=True),
    # The attempt it belongs to, and its place in the text, from 1.
    Column("number", SmallInteger, primary_key=True),
    Column("part", SmallInteger, primary_key=True),
    Column("total", SmallInteger, nullable=False),
    # What the handset joins the parts by.
    Column("reference", Integer, nullable=False),
    Column("carrier", String(40), nullable=False),
    Column("carrier_id", String(120)),
    # Empty while it is on its way, as an attempt's.
    Column("outcome", String(16)),
    Column("began_at", Utc, nullable=False),
    Column("ended_at", Utc),
    Index("ix_part_carrier_carrier_id", "carrier", "carrier_id"),
    sqlite_with_rowid=False,
)

# Receipts as they came, before anything is believed of them.
receipt = Table(
    "receipt",
    metadata,
    Column("id", Id, primary_key=True),
    Column("carrier", String(40), nullable=False),
    Column("carrier_id", String(120), nullable=False),
    # Our word for what the carrier said; its own is in the raw form.
    Column("status", String(40), nullable=False),
    Column("part", SmallInteger, nullable=False, server_default="0"),
    Column("raw", LargeBinary, nullable=False),
    Column("at", Utc, nullable=False),
    Column("matched_at", Utc),
    # The keyed hash of the phone it is about, where the carrier says it.
    Column("look_up", LargeBinary(32)),
    UniqueConstraint("carrier", "carrier_id", "status", "part"),
    Index("ix_receipt_matched_at_at", "matched_at", "at"),
    sqlite_autoincrement=True,
)
