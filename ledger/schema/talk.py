"""Texts that people send, what is asked of them, and what a person has to answer."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    text,
)

from ledger.schema.base import Id, Utc, metadata

# Texts that came in, stored before anything is done about them.
inbound = Table(
    "inbound",
    metadata,
    Column("id", Id, primary_key=True),
    Column("carrier", String(40), nullable=False),
    Column("carrier_id", String(120), nullable=False),
    Column("look_up", LargeBinary(32), nullable=False),
    Column("line", String(32), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    # The keyword understood: stop, start, or empty.
    Column("keyword", String(16)),
    Column("at", Utc, nullable=False),
    # Who sent it and what it says, sealed; empty where nothing is left to be done.
    Column("words", LargeBinary),
    Column("handled_at", Utc),
    # How often handling it has failed.
    Column("tries", SmallInteger, nullable=False, server_default="0"),
    UniqueConstraint("carrier", "carrier_id"),
    Index(
        "ix_inbound_unhandled",
        "at",
        sqlite_where=text("handled_at IS NULL"),
        postgresql_where=text("handled_at IS NULL"),
    ),
    # How much one phone sent lately.
    Index("ix_inbound_look_up_at", "look_up", "at"),
    sqlite_autoincrement=True,
)

# Parts of a long text that came in, until the last of them has come.
fragment = Table(
    "fragment",
    metadata,
    Column("carrier", String(40), primary_key=True),
    Column("look_up", LargeBinary(32), primary_key=True),
    Column("line", String(32), primary_key=True),
    # The kind of the reference and its number, as "16:513".
    Column("reference", String(16), primary_key=True),
    Column("total", SmallInteger, primary_key=True),
    Column("part", SmallInteger, primary_key=True),
    # The form as it came, sealed.
    Column("raw", LargeBinary, nullable=False),
    Column("at", Utc, nullable=False),
    Index("ix_fragment_at", "at"),
    sqlite_with_rowid=False,
)

# A conversation by texts that waits for its answer.
question = Table(
    "question",
    metadata,
    Column("id", Id, primary_key=True),
    Column("look_up", LargeBinary(32), nullable=False),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("channel", String(40), nullable=False),
    Column("line", String(32), nullable=False),
    # What it is about: the first part of its screens' names.
    Column("flow", String(40), nullable=False),
    # Where the conversation stands, sealed: it holds what was answered.
    Column("session", LargeBinary, nullable=False),
    Column("menus", String(64), nullable=False),
    Column("language", String(8), nullable=False),
    # open, answered, replaced or expired
    Column("state", String(10), nullable=False),
    # The incoming text that began it, which is forgotten before it is.
    Column("began_by", Id),
    Column("asked_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Index(
        "ix_question_open",
        "look_up",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    # What we asked somebody lately, and what is deleted with them.
    Index("ix_question_person_id", "person_id"),
    sqlite_autoincrement=True,
)

# A text that no keyword understands: a person reads it and answers.
enquiry = Table(
    "enquiry",
    metadata,
    Column("id", Id, primary_key=True),
    Column("inbound_id", Id, unique=True),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("channel", String(40), nullable=False),
    Column("line", String(32), nullable=False),
    Column("words", LargeBinary, nullable=False),
    # open, answered or closed
    Column("state", String(10), nullable=False),
    Column("done_by", String(40)),
    Column("done_why", String(200)),
    Column("at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
    Index("ix_enquiry_state_at", "state", "at"),
    sqlite_autoincrement=True,
)
