"""Money that came, promises that fall due, and what was bought."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
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

# What a payment said, and how much of it is in suspense: the truth of the amounts is
# in the transfers, this is what a search needs.
payment = Table(
    "payment",
    metadata,
    Column("event_id", ForeignKey("event.id"), primary_key=True, autoincrement=False),
    Column("source", String(40), nullable=False),
    Column("outside_id", String(80), nullable=False),
    Column("amount", BigInteger, nullable=False),
    # What it named: a tracking code, a phone by its keyed hash, a reference.
    Column("code", String(9)),
    Column("look_up", LargeBinary(32)),
    Column("reference", String(80)),
    Column("paid_at", Utc, nullable=False),
    # What no pledge or gift was found for yet.
    Column("unmatched", BigInteger, nullable=False),
    # When it is looked again; empty once only an operator can tell.
    Column("next_at", Utc),
    UniqueConstraint("source", "outside_id"),
    CheckConstraint("unmatched BETWEEN 0 AND amount", name="unmatched_is_a_part"),
    Index(
        "ix_payment_next_at",
        "next_at",
        sqlite_where=text("next_at IS NOT NULL"),
        postgresql_where=text("next_at IS NOT NULL"),
    ),
    Index(
        "ix_payment_unmatched",
        "event_id",
        sqlite_where=text("unmatched > 0"),
        postgresql_where=text("unmatched > 0"),
    ),
    Index("ix_payment_reference", "reference"),
    sqlite_with_rowid=False,
)

# What needs more than one person: a refund, a write-off, a correction, a publication.
request = Table(
    "request",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(32), nullable=False),
    # What is asked for, without a name or a number.
    Column("body", JSON, nullable=False),
    # The event that it would act upon.
    Column("about_id", ForeignKey("event.id")),
    Column("why", String(200), nullable=False),
    Column("made_by", String(40), nullable=False),
    # How many people it needs, who made it counted.
    Column("needs", SmallInteger, nullable=False),
    # waiting, done, refused or withdrawn
    Column("state", String(10), nullable=False),
    Column("event_id", ForeignKey("event.id"), nullable=False, unique=True),
    # What it led to.
    Column("result_id", ForeignKey("event.id")),
    Column("at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
    Index("ix_request_state", "state"),
    sqlite_autoincrement=True,
)

request_approval = Table(
    "request_approval",
    metadata,
    Column("request_id", ForeignKey("request.id"), primary_key=True),
    Column("who", String(40), primary_key=True),
    Column("event_id", ForeignKey("event.id"), nullable=False, unique=True),
    Column("at", Utc, nullable=False),
    sqlite_with_rowid=False,
)

# An instalment of a pledge: when it falls due and whether it was said.
due = Table(
    "due",
    metadata,
    Column("pledge_id", ForeignKey("event.id"), primary_key=True),
    Column("number", SmallInteger, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Column("due_at", Utc, nullable=False),
    Column("reminded_at", Utc),
    CheckConstraint("amount > 0", name="amount_is_positive"),
    Index(
        "ix_due_due_at",
        "due_at",
        sqlite_where=text("reminded_at IS NULL"),
        postgresql_where=text("reminded_at IS NULL"),
    ),
    sqlite_with_rowid=False,
)

# A gift for each month, until it is ended.
standing = Table(
    "standing",
    metadata,
    Column("event_id", ForeignKey("event.id"), primary_key=True, autoincrement=False),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("campaign", String(40), nullable=False),
    Column("purpose", String(40), nullable=False),
    Column("unit", ForeignKey("unit.code"), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("channel", String(40), nullable=False),
    Column("language", String(8), nullable=False),
    Column("test", Boolean, nullable=False),
    # The day of the Jalali month, and how many months were pledged.
    Column("day", SmallInteger, nullable=False),
    Column("made", Integer, nullable=False, server_default="0"),
    Column("next_at", Utc, nullable=False),
    Column("ended_at", Utc),
    CheckConstraint("amount > 0", name="amount_is_positive"),
    Index(
        "ix_standing_next_at",
        "next_at",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_standing_person_id", "person_id"),
    sqlite_with_rowid=False,
)

# How far the gifts of a purpose are spent: who spends or refunds holds this row.
fund = Table(
    "fund",
    metadata,
    Column("campaign", String(40), primary_key=True),
    Column("purpose", String(40), primary_key=True),
    Column("test", Boolean, primary_key=True),
    # All gifts before this transfer are spent, and so much of this one.
    Column("transfer_id", Id, nullable=False, server_default="0"),
    Column("amount", BigInteger, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)

# A purchase, and the gifts that paid for it, from a part of the first to one of the
# last.
batch = Table(
    "batch",
    metadata,
    Column("event_id", ForeignKey("event.id"), primary_key=True, autoincrement=False),
    Column("campaign", String(40), nullable=False),
    Column("purpose", String(40), nullable=False),
    Column("test", Boolean, nullable=False),
    Column("number", Integer, nullable=False),
    Column("title", String(60), nullable=False),
    Column("unit", ForeignKey("unit.code"), nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("cost", BigInteger, nullable=False),
    # The cost begins after so much of the first transfer and ends after so much of the
    # last one.
    Column("first_id", ForeignKey("transfer.id"), nullable=False),
    Column("first_after", BigInteger, nullable=False),
    Column("last_id", ForeignKey("transfer.id"), nullable=False),
    Column("last_after", BigInteger, nullable=False),
    Column("at", Utc, nullable=False),
    UniqueConstraint("campaign", "number", "test"),
    CheckConstraint("quantity > 0 AND cost > 0", name="amounts_are_positive"),
    Index("ix_batch_campaign_purpose_last_id", "campaign", "purpose", "last_id"),
    sqlite_with_rowid=False,
)

# What was published, as it was published.
report = Table(
    "report",
    metadata,
    Column("id", Id, primary_key=True),
    Column("campaign", String(40), nullable=False),
    Column("number", Integer, nullable=False),
    Column("event_id", ForeignKey("event.id"), nullable=False, unique=True),
    # The seal that it stands on: so many leaves.
    Column("size", BigInteger, nullable=False),
    Column("figures", JSON, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("at", Utc, nullable=False),
    UniqueConstraint("campaign", "number"),
    sqlite_autoincrement=True,
)
