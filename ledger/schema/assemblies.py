"""Benefactors, their meetings, what they resolved, and premises."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from ledger.schema.base import Utc, metadata
from ledger.schema.places import PLACE_CHARS

benefactor = Table(
    "benefactor",
    metadata,
    Column("event_id", ForeignKey("event.id"), primary_key=True, autoincrement=False),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("district", String(PLACE_CHARS), nullable=False),
    # person or organisation
    Column("kind", String(12), nullable=False),
    # What they are called, sealed under the person's own key.
    Column("name", LargeBinary),
    # What they can do, and how much of it; how many people they look after.
    Column("capacity", String(40), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("covers", Integer, nullable=False),
    # active or left
    Column("state", String(8), nullable=False),
    Column("test", Boolean, nullable=False),
    Column("at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
    UniqueConstraint("person_id", "district", "test"),
    Index("ix_benefactor_district", "district"),
    sqlite_with_rowid=False,
)

meeting = Table(
    "meeting",
    metadata,
    Column("event_id", ForeignKey("event.id"), primary_key=True, autoincrement=False),
    Column("district", String(PLACE_CHARS), nullable=False),
    Column("meets_at", Utc, nullable=False),
    Column("venue", String(40), nullable=False),
    # planned, held or cancelled
    Column("state", String(10), nullable=False),
    Column("test", Boolean, nullable=False),
    Column("at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
    Index("ix_meeting_district_meets_at", "district", "meets_at"),
    sqlite_with_rowid=False,
)

attendance = Table(
    "attendance",
    metadata,
    Column("meeting_id", ForeignKey("meeting.event_id"), primary_key=True),
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    # asked, yes or no
    Column("answer", String(8), nullable=False),
    # Whether they came, as the secretary noted.
    Column("came", Boolean),
    Column("asked_at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
    sqlite_with_rowid=False,
)

# What an assembly resolved, or has under study.
decision = Table(
    "decision",
    metadata,
    Column("event_id", ForeignKey("event.id"), primary_key=True, autoincrement=False),
    Column("district", String(PLACE_CHARS), nullable=False),
    Column("number", Integer, nullable=False),
    # Short enough for a screen.
    Column("title", String(17), nullable=False),
    # proposal, resolution or study
    Column("kind", String(12), nullable=False),
    # Who sees to it: an office, and the phone that answers for it.
    Column("owner", String(40), nullable=False),
    Column("owner_id", ForeignKey("person.id")),
    Column("due_on", Date, nullable=False),
    # open, done or dropped
    Column("state", String(8), nullable=False),
    # What the owner says of it, until the secretary confirms: done or going
    Column("claim", String(8)),
    Column("claimed_at", Utc),
    Column("reminded_at", Utc),
    Column("test", Boolean, nullable=False),
    Column("at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
    UniqueConstraint("district", "number", "test"),
    Index("ix_decision_state_due_on", "state", "due_on"),
    sqlite_with_rowid=False,
)

premises = Table(
    "premises",
    metadata,
    Column("event_id", ForeignKey("event.id"), primary_key=True, autoincrement=False),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("district", String(PLACE_CHARS), nullable=False),
    # offer or need
    Column("side", String(5), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("square_metres", Integer, nullable=False),
    # open, met or closed
    Column("state", String(8), nullable=False),
    Column("test", Boolean, nullable=False),
    Column("at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
    Index("ix_premises_district_state", "district", "state"),
    Index("ix_premises_person_id", "person_id"),
    sqlite_with_rowid=False,
)
