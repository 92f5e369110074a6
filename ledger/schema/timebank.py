"""Hours offered and needed, and the two people that a centre brings together."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from ledger.schema.base import Utc, metadata
from ledger.schema.places import PLACE_CHARS

# An hour offered or an hour needed.
favour = Table(
    "favour",
    metadata,
    Column("event_id", ForeignKey("event.id"), primary_key=True, autoincrement=False),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("campaign", String(40), nullable=False),
    # offer or need
    Column("side", String(5), nullable=False),
    # What is done: shopping, doctor...
    Column("kind", String(40), nullable=False),
    Column("minutes", Integer, nullable=False),
    # Where they would meet: centre, house, mosque, school
    Column("venue", String(16), nullable=False),
    Column("place", String(PLACE_CHARS)),
    # open, matched, done or closed
    Column("state", String(10), nullable=False),
    Column("test", Boolean, nullable=False),
    Column("at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
    # When a need is looked at again.
    Column("next_at", Utc),
    Index("ix_favour_person_id", "person_id"),
    Index("ix_favour_state_side_kind_place", "state", "side", "kind", "place"),
    Index(
        "ix_favour_state_next_at",
        "state",
        "next_at",
        sqlite_where=text("next_at IS NOT NULL"),
        postgresql_where=text("next_at IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)

# One who offers and one who needs, suggested to each other.
introduction = Table(
    "introduction",
    metadata,
    Column("event_id", ForeignKey("event.id"), primary_key=True, autoincrement=False),
    Column("offer_id", ForeignKey("favour.event_id"), nullable=False),
    Column("need_id", ForeignKey("favour.event_id"), nullable=False),
    Column("giver_id", ForeignKey("person.id"), nullable=False),
    Column("receiver_id", ForeignKey("person.id"), nullable=False),
    Column("place", String(PLACE_CHARS)),
    Column("minutes", Integer, nullable=False),
    # asked, declined, silent, accepted, introduced, told, confirmed, disputed, void
    # or withdrawn
    Column("state", String(10), nullable=False),
    # The hours that wait for the receiver's word, and then stand.
    Column("hours_id", ForeignKey("event.id")),
    Column("test", Boolean, nullable=False),
    Column("asked_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
    UniqueConstraint("offer_id", "need_id"),
    Index("ix_introduction_need_id", "need_id"),
    Index("ix_introduction_giver_id", "giver_id"),
    Index("ix_introduction_receiver_id", "receiver_id"),
    Index("ix_introduction_place_state", "place", "state"),
    Index("ix_introduction_state_expires_at", "state", "expires_at"),
    # Who was often asked lately.
    Index("ix_introduction_asked_at", "asked_at"),
    sqlite_with_rowid=False,
)
