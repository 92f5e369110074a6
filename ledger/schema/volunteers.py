"""Sign-ups that wait for their own phone, needs of centres, and who was invited."""

from __future__ import annotations

from sqlalchemy import (
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
from ledger.schema.places import PLACE_CHARS

# An entry that is not emptied yet. A query says these very words: with a value given
# apart, SQLite would not see that the index is meant.
HELD = "length(answers) > 0"

# What somebody else wrote down: nothing until the person's own phone confirms it.
entry = Table(
    "entry",
    metadata,
    Column("event_id", ForeignKey("event.id"), primary_key=True, autoincrement=False),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("campaign", String(40), nullable=False),
    # helper or paper
    Column("source", String(8), nullable=False),
    # Of a list on paper: which, and its line.
    Column("batch", String(40)),
    Column("line", Integer),
    # The answers, sealed under the person's own key.
    Column("answers", LargeBinary, nullable=False),
    # The centre, the booth, or nothing.
    Column("place", String(PLACE_CHARS)),
    # waiting, confirmed, refused or expired
    Column("state", String(10), nullable=False),
    Column("test", Boolean, nullable=False),
    Column("at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
    # The sign-up that it became.
    Column("result_id", ForeignKey("event.id")),
    UniqueConstraint("batch", "line"),
    Index("ix_entry_person_id_state", "person_id", "state"),
    Index("ix_entry_state_expires_at", "state", "expires_at"),
    Index(
        "ix_entry_held",
        "state",
        "changed_at",
        sqlite_where=text(HELD),
        postgresql_where=text(HELD),
    ),
    sqlite_with_rowid=False,
)

# What a centre needs people for.
need = Table(
    "need",
    metadata,
    Column("event_id", ForeignKey("event.id"), primary_key=True, autoincrement=False),
    Column("campaign", String(40), nullable=False),
    # Where: a centre, or any other place.
    Column("place", String(PLACE_CHARS), nullable=False),
    # What for, without a name.
    Column("title", String(40), nullable=False),
    Column("skill", String(40), nullable=False),
    Column("vacancies", Integer, nullable=False),
    # 1 to 5, the most urgent
    Column("urgency", SmallInteger, nullable=False),
    Column("meets_at", Utc, nullable=False),
    # open, filled, closed or cancelled
    Column("state", String(10), nullable=False),
    Column("wave", SmallInteger, nullable=False, server_default="0"),
    # When it is looked at again; empty once nothing is left to be done.
    Column("next_at", Utc),
    Column("test", Boolean, nullable=False),
    Column("at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
    Index("ix_need_place_state", "place", "state"),
    Index(
        "ix_need_state_next_at",
        "state",
        "next_at",
        sqlite_where=text("next_at IS NOT NULL"),
        postgresql_where=text("next_at IS NOT NULL"),
    ),
    Index(
        "ix_need_meets_at",
        "meets_at",
        sqlite_where=text("next_at IS NOT NULL"),
        postgresql_where=text("next_at IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)

# Who was asked whether they come.
invite = Table(
    "invite",
    metadata,
    Column("id", Id, primary_key=True),
    Column("need_id", ForeignKey("need.event_id"), nullable=False),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("signup_id", ForeignKey("event.id"), nullable=False),
    Column("wave", SmallInteger, nullable=False),
    # chosen, asked, yes, no, full (said yes too late), silent, withdrawn, came
    Column("state", String(10), nullable=False),
    Column("test", Boolean, nullable=False),
    Column("asked_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("answered_at", Utc),
    # When who comes is written to again: asked a second time, or told that it is called
    # off; empty where neither is to be.
    Column("next_at", Utc),
    UniqueConstraint("need_id", "person_id"),
    Index("ix_invite_person_id_asked_at", "person_id", "asked_at"),
    Index("ix_invite_state_expires_at", "state", "expires_at"),
    Index(
        "ix_invite_state_next_at",
        "state",
        "next_at",
        sqlite_where=text("next_at IS NOT NULL"),
        postgresql_where=text("next_at IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

# A number that is to take the place of another.
renumbering = Table(
    "renumbering",
    metadata,
    Column("id", Id, primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    # The new phone: its keyed hash, and itself under the person's own key.
    Column("look_up", LargeBinary(32)),
    Column("phone", LargeBinary, nullable=False),
    # phones (both confirm) or centre (a second person confirms)
    Column("way", String(8), nullable=False),
    # waiting, done, refused or expired
    Column("state", String(10), nullable=False),
    Column("test", Boolean, nullable=False),
    Column("made_by", String(40)),
    Column("at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
    Index("ix_renumbering_person_id", "person_id"),
    Index("ix_renumbering_look_up", "look_up"),
    sqlite_autoincrement=True,
)

# A request for home delivery: nothing of what is in the basket, or what it costs.
delivery = Table(
    "delivery",
    metadata,
    Column("event_id", ForeignKey("event.id"), primary_key=True, autoincrement=False),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("campaign", String(40), nullable=False),
    Column("place", String(PLACE_CHARS)),
    # Whose turn it is: a place's code, or partner:<name>.
    Column("queue", String(40), nullable=False),
    # open, taken, delivered, closed or withdrawn
    Column("state", String(10), nullable=False),
    # Whether the centre may call.
    Column("call_back", Boolean, nullable=False),
    # When somebody has to have taken it.
    Column("due_at", Utc, nullable=False),
    Column("test", Boolean, nullable=False),
    Column("at", Utc, nullable=False),
    Column("taken_at", Utc),
    Column("changed_at", Utc, nullable=False),
    Index("ix_delivery_queue_state", "queue", "state"),
    Index("ix_delivery_person_id", "person_id"),
    sqlite_with_rowid=False,
)
