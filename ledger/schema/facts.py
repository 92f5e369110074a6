"""The facts; people, and what they asked us to stop."""

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
    Text,
    UniqueConstraint,
    text,
)

from ledger.schema.base import Id, Key, Utc, metadata

meta = Table(
    "meta",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

# A reference that only SQLite guards by a foreign key; on PostgreSQL a key would lock
# a row that every pledge names, and a guard looks for the row instead: see v0004.
WITHOUT_LOCK = {"foreign key": "sqlite"}

# --- facts -------------------------------------------------------------------

unit = Table(
    "unit",
    metadata,
    Column("code", String(16), primary_key=True),
    # Decimal places of the minor unit: the rial itself is being redenominated.
    Column("scale", SmallInteger, nullable=False),
    Column("title", String(40), nullable=False),
    # A second, hidden key would be a way round the guards.
    sqlite_with_rowid=False,
)

account = Table(
    "account",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", String(160), nullable=False, unique=True),
    Column("unit", ForeignKey("unit.code"), nullable=False),
    sqlite_autoincrement=True,
)

person = Table(
    "person",
    metadata,
    Column("id", Id, primary_key=True),
    # Keyed hash of the E.164 number; emptied when the person is erased.
    Column("look_up", LargeBinary(32), unique=True),
    Column("language", String(8)),
    Column("since", Utc, nullable=False),
    # How many long texts went to this phone: the handset joins parts by it.
    Column("long_texts", Integer, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)

vault = Table(
    "vault",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    # The person's own key, wrapped by a key that is not in the database.
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("phone", LargeBinary, nullable=False),
)

# Answers that the law protects more: under the person's own key, with the version of
# the menus whose consent was read.
sensitive = Table(
    "sensitive",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    # group, or delivery: why somebody asks for it
    Column("what", String(10), primary_key=True),
    Column("answer", LargeBinary, nullable=False),
    # The only centre that may see it.
    Column("centre", String(40)),
    Column("menus", String(64), nullable=False),
    Column("given_at", Utc, nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("id", Id, primary_key=True),
    # What makes the outside's repetition harmless: a key happens once, for ever.
    Column("key", Key, nullable=False, unique=True),
    Column("kind", String(32), nullable=False),
    # What was asked for, without a name, a number or a time: compared on a repeat.
    Column("body", JSON, nullable=False),
    # The event this one acts upon: the pledge that a void releases.
    Column("about_id", ForeignKey("event.id")),
    Column("person_id", ForeignKey("person.id")),
    Column("campaign", String(40)),
    Column("purpose", String(40)),
    Column("district", String(40)),
    Column("centre", String(40)),
    Column("channel", String(40), nullable=False),
    # Who does it with us: a shop, a platform, a payment company.
    Column("partner", String(40)),
    # organisation or cohort; empty is a person.
    Column("donor_kind", String(12)),
    # The code under which a staff gives together.
    Column("cohort", String(40)),
    # A rehearsal works in full and never enters totals, seals or exports.
    Column("test", Boolean, nullable=False),
    # How many transfers belong to it: no other can be slipped in afterwards.
    Column("transfers", SmallInteger, nullable=False),
    Column("at", Utc, nullable=False),
    Index("ix_event_person_id_kind", "person_id", "kind"),
    # Most events stand alone: only those that do not are indexed.
    Index(
        "ix_event_about_id",
        "about_id",
        sqlite_where=text("about_id IS NOT NULL"),
        postgresql_where=text("about_id IS NOT NULL"),
    ),
    Index("ix_event_kind_at", "kind", "at"),
    sqlite_autoincrement=True,
)

# What the indexes of transfers hold; a query says it in the same words.
POSTED = "phase IN ('single', 'post', 'reversal')"
REVERSED = "phase = 'reversal'"

transfer = Table(
    "transfer",
    metadata,
    Column("id", Id, primary_key=True),
    Column("event_id", ForeignKey("event.id", info=WITHOUT_LOCK), nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("debit_id", ForeignKey("account.id", info=WITHOUT_LOCK), nullable=False),
    Column("credit_id", ForeignKey("account.id", info=WITHOUT_LOCK), nullable=False),
    Column("unit", ForeignKey("unit.code", info=WITHOUT_LOCK), nullable=False),
    Column("amount", BigInteger, nullable=False),
    # single, pending, post, void, expire, reversal
    Column("phase", String(8), nullable=False),
    # The pending transfer that a post, a void or an expiry resolves.
    Column("pending_id", ForeignKey("transfer.id")),
    CheckConstraint("amount > 0", name="amount_is_positive"),
    CheckConstraint("debit_id <> credit_id", name="accounts_differ"),
    CheckConstraint(
        "phase IN ('single', 'pending', 'post', 'void', 'expire', 'reversal')",
        name="phase_is_known",
    ),
    CheckConstraint(
        "(phase IN ('post', 'void', 'expire')) = (pending_id IS NOT NULL)",
        name="a_resolution_names_its_pending",
    ),
    UniqueConstraint("event_id", "number"),
    # What was given for a purpose and paid back, in order: no pledge is among them.
    Index(
        "ix_transfer_credit_id_id",
        "credit_id",
        "id",
        sqlite_where=text(POSTED),
        postgresql_where=text(POSTED),
    ),
    Index(
        "ix_transfer_debit_id_id",
        "debit_id",
        "id",
        sqlite_where=text(REVERSED),
        postgresql_where=text(REVERSED),
    ),
    Index(
        "ix_transfer_pending_id",
        "pending_id",
        sqlite_where=text("pending_id IS NOT NULL"),
        postgresql_where=text("pending_id IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

# The n-th resolution of a pending transfer: of two that race, one is first.
resolution = Table(
    "resolution",
    metadata,
    Column("pending_id", ForeignKey("transfer.id"), primary_key=True),
    Column("number", SmallInteger, primary_key=True),
    Column("transfer_id", ForeignKey("transfer.id"), nullable=False, unique=True),
    sqlite_with_rowid=False,
)

# One space of tracking codes for every kind of thing.
code = Table(
    "code",
    metadata,
    Column("code", String(9), primary_key=True),
    Column("event_id", ForeignKey("event.id"), nullable=False, unique=True),
    sqlite_with_rowid=False,
)

signup = Table(
    "signup",
    metadata,
    Column("event_id", ForeignKey("event.id"), primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("campaign", String(40), nullable=False),
    # centre, postcode, town or unknown
    Column("place_kind", String(16), nullable=False),
    # A centre's code, the first five digits of a postal code, or a town's name.
    Column("place", String(40)),
    Column("province", String(8)),
    Column("district", String(8)),
    Column("skill", String(40), nullable=False),
    Column("time", String(40), nullable=False),
    # The menus whose consent text was accepted.
    Column("consent", String(64), nullable=False),
    # A rehearsal must not stand in the way of the real sign-up.
    Column("test", Boolean, nullable=False),
    # The nearest place of the tree that what was answered leads to.
    Column("place_code", String(16)),
    # What they want to be called, sealed under the person's own key.
    Column("name", LargeBinary),
    # The campaign's round, or empty between two of them.
    Column("round", String(16)),
    # The booth where it was made.
    Column("booth", String(16)),
    # active or left
    Column("state", String(8), nullable=False, server_default="active"),
    Column("changed_at", Utc),
    Column("invited_at", Utc),
    UniqueConstraint("person_id", "campaign", "test"),
    Index("ix_signup_campaign_place_code", "campaign", "place_code"),
)

# --- what people asked us to stop, kept even after they are erased -------------

stop = Table(
    "stop",
    metadata,
    Column("look_up", LargeBinary(32), primary_key=True),
    # The sender line refused, or '*' for campaign texts from any line.
    Column("line", String(32), primary_key=True),
    Column("since", Utc, nullable=False),
)
