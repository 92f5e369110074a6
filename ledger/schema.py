"""The tables. Events and transfers are facts: they are added, never edited.

An event says what happened, once per key for ever; the transfers it owns move an
amount of one unit from a debit account to a credit account, so every transfer
sums to zero by construction. What may change stands apart from the facts: how far
a text has come, a person's language, the vault that a person can have emptied.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

__all__ = [
    "account",
    "attempt",
    "code",
    "dial_end",
    "event",
    "inbound",
    "lease",
    "menus_current",
    "menus_version",
    "meta",
    "metadata",
    "outbox",
    "person",
    "receipt",
    "resolution",
    "signup",
    "stop",
    "token",
    "transfer",
    "unit",
    "vault",
]


class Utc(TypeDecorator[datetime]):
    """An aware UTC time: timestamptz on PostgreSQL, sortable ISO text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        if value is None:
            return None
        assert value.tzinfo is not None, "a time without a zone is no time"
        at = value.astimezone(UTC)
        return at.replace(tzinfo=None) if dialect.name == "sqlite" else at

    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        if value is None:
            return None
        return (
            value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        )


# SQLite hands out ids only for INTEGER PRIMARY KEY, which holds 64 bits anyway.
Id = BigInteger().with_variant(Integer(), "sqlite")

# Bytes in order, whatever the server's locale, so that a prefix is a range.
Key = String(200).with_variant(String(200, collation="C"), "postgresql")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

meta = Table(
    "meta",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

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

transfer = Table(
    "transfer",
    metadata,
    Column("id", Id, primary_key=True),
    Column("event_id", ForeignKey("event.id"), nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("debit_id", ForeignKey("account.id"), nullable=False),
    Column("credit_id", ForeignKey("account.id"), nullable=False),
    Column("unit", ForeignKey("unit.code"), nullable=False),
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
    UniqueConstraint("person_id", "campaign", "test"),
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

# --- texts promised, and what became of them ----------------------------------
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
    UniqueConstraint("event_id", "template"),
    # A claim takes the oldest due of one state and kind, whatever else waits.
    Index("ix_outbox_state_kind_due_at", "state", "kind", "due_at"),
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
    UniqueConstraint("outbox_id", "number"),
    Index("ix_attempt_carrier_carrier_id", "carrier", "carrier_id"),
    sqlite_autoincrement=True,
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
    UniqueConstraint("carrier", "carrier_id", "status", "part"),
    Index("ix_receipt_matched_at_at", "matched_at", "at"),
    sqlite_autoincrement=True,
)

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
    UniqueConstraint("carrier", "carrier_id"),
    sqlite_autoincrement=True,
)

# --- the service's own memory --------------------------------------------------

menus_version = Table(
    "menus_version",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("source", Text, nullable=False),
    Column("at", Utc, nullable=False),
)

menus_current = Table(
    "menus_current",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("hash", ForeignKey("menus_version.hash"), nullable=False),
    Column("at", Utc, nullable=False),
    CheckConstraint("id = 1", name="there_is_one"),
)

# How a carrier says a dial ended: whether the last screen was surely seen.
dial_end = Table(
    "dial_end",
    metadata,
    Column("dial", String(80), primary_key=True),
    Column("reached", Boolean, nullable=False),
    Column("at", Utc, nullable=False),
)

token = Table(
    "token",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(40), nullable=False, unique=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("at", Utc, nullable=False),
    Column("revoked_at", Utc),
    sqlite_autoincrement=True,
)

lease = Table(
    "lease",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("until", Utc, nullable=False),
)
