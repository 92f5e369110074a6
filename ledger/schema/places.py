"""Where people are and who looks after it there; figures of places."""

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
    text,
)

from ledger.schema.base import Id, Utc, metadata

PLACE_CHARS = 16

# The tree that `yarigar places import` reads. What is no longer in the file is closed,
# never deleted: people signed up there.
place = Table(
    "place",
    metadata,
    Column("code", String(PLACE_CHARS), primary_key=True),
    # country, province, county, town, district, nahiyeh, neighbourhood, centre, booth
    Column("kind", String(16), nullable=False),
    Column("parent", ForeignKey("place.code")),
    # By language.
    Column("titles", JSON, nullable=False),
    # Other names it is called by.
    Column("aliases", JSON, nullable=False),
    # What the postal codes there begin with.
    Column("prefixes", JSON, nullable=False),
    # What a caller types for it; the last digit checks the others.
    Column("dial", String(9), unique=True),
    Column("closed", Boolean, nullable=False),
    Column("changed_at", Utc, nullable=False),
    sqlite_with_rowid=False,
)

# Every place with itself and each that it lies in: sums at every level are one query.
place_above = Table(
    "place_above",
    metadata,
    Column("place", ForeignKey("place.code"), primary_key=True),
    Column("above", ForeignKey("place.code"), primary_key=True),
    # 0 for itself.
    Column("steps", SmallInteger, nullable=False),
    Index("ix_place_above_above", "above"),
    sqlite_with_rowid=False,
)

# Phones that an operator registered: a centre's, a helper's, a secretary's.
staff = Table(
    "staff",
    metadata,
    Column("id", Id, primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    # centre, helper, secretary or owner
    Column("role", String(10), nullable=False),
    Column("place", String(PLACE_CHARS), nullable=False),
    # An office, and nobody's name.
    Column("title", String(40), nullable=False),
    Column("test", Boolean, nullable=False),
    Column("made_by", String(40), nullable=False),
    Column("since", Utc, nullable=False),
    Column("ended_at", Utc),
    # The day of the last digest, by the Gregorian calendar.
    Column("told_on", String(10)),
    Index(
        "ix_staff_live",
        "person_id",
        "role",
        "place",
        "test",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_staff_place", "place"),
    sqlite_autoincrement=True,
)

# Who asked to be told when a campaign opens or is about to close.
awaiting = Table(
    "awaiting",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("campaign", String(40), primary_key=True),
    Column("test", Boolean, primary_key=True),
    Column("since", Utc, nullable=False),
    # The rounds whose opening and whose closing were told.
    Column("opening", String(16)),
    Column("closing", String(16)),
    # Who was not told of a round yet, among hundreds of thousands who were.
    Index("ix_awaiting_campaign_opening_since", "campaign", "opening", "since"),
    Index("ix_awaiting_campaign_closing_since", "campaign", "closing", "since"),
    sqlite_with_rowid=False,
)

# Events counted by place, a run of ids at a time; the rest is counted where it stands.
tally = Table(
    "tally",
    metadata,
    Column("run", Integer, primary_key=True),
    # A district, or a centre that lies in none.
    Column("place", String(40), primary_key=True),
    Column("campaign", String(40), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("unit", String(16), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# A run of ids to which nothing more can come.
tally_run = Table(
    "tally_run",
    metadata,
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("events", Integer, nullable=False),
    Column("at", Utc, nullable=False),
)
