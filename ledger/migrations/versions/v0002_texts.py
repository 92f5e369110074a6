"""Texts in parts, what carriers are like, conversations by text, sends to many."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_carriers()
    create_talk()
    create_sends()
    create_parts()
    change_tables()


def create_carriers() -> None:
    op.create_table(
        "channel_change",
        sa.Column("id", ID, nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("why", sa.String(length=40), nullable=False),
        sa.Column("share", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_change")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_channel_change_channel_at", "channel_change", ["channel", "at"])
    op.create_table(
        "channel_state",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("share", sa.SmallInteger(), server_default="100", nullable=False),
        sa.Column("rests_until", TIME, nullable=True),
        sa.Column("rests", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column(
            "why", sa.String(length=40), server_default=sa.text("''"), nullable=False
        ),
        sa.Column("alive_until", TIME, nullable=True),
        sa.Column("asked_at", TIME, nullable=True),
        sa.Column("changed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_channel_state")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "unreadable",
        sa.Column("id", ID, nullable=False),
        sa.Column("carrier", sa.String(length=40), nullable=False),
        sa.Column("way", sa.String(length=10), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unreadable")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_unreadable_carrier_at", "unreadable", ["carrier", "at"])


def create_talk() -> None:
    op.create_table(
        "enquiry",
        sa.Column("id", ID, nullable=False),
        sa.Column("inbound_id", ID, nullable=True),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("line", sa.String(length=32), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("done_by", sa.String(length=40), nullable=True),
        sa.Column("done_why", sa.String(length=200), nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_enquiry_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enquiry")),
        sa.UniqueConstraint("inbound_id", name=op.f("uq_enquiry_inbound_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_enquiry_state_at", "enquiry", ["state", "at"])
    op.create_table(
        "fragment",
        sa.Column("carrier", sa.String(length=40), nullable=False),
        sa.Column("look_up", sa.LargeBinary(length=32), nullable=False),
        sa.Column("line", sa.String(length=32), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("total", sa.SmallInteger(), nullable=False),
        sa.Column("part", sa.SmallInteger(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint(
            "carrier",
            "look_up",
            "line",
            "reference",
            "total",
            "part",
            name=op.f("pk_fragment"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_fragment_at", "fragment", ["at"])
    op.create_table(
        "question",
        sa.Column("id", ID, nullable=False),
        sa.Column("look_up", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("line", sa.String(length=32), nullable=False),
        sa.Column("flow", sa.String(length=40), nullable=False),
        sa.Column("session", sa.LargeBinary(), nullable=False),
        sa.Column("menus", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("began_by", ID, nullable=True),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_question_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_question_open",
        "question",
        ["look_up"],
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def create_sends() -> None:
    op.create_table(
        "bulk",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("campaign", sa.String(length=40), nullable=False),
        sa.Column("template", sa.String(length=40), nullable=False),
        sa.Column("slots", sa.JSON(), nullable=False),
        sa.Column("menus", sa.String(length=64), nullable=False),
        sa.Column("audience", sa.JSON(), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("cost", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("approvals", sa.SmallInteger(), nullable=False),
        sa.Column("made_by", sa.String(length=40), nullable=False),
        sa.Column("cursor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("promised", sa.Integer(), server_default="0", nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_bulk_event_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk")),
        sa.UniqueConstraint("name", name=op.f("uq_bulk_name")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_bulk_state", "bulk", ["state"])
    op.create_table(
        "bulk_approval",
        sa.Column("bulk_id", ID, nullable=False),
        sa.Column("who", sa.String(length=40), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["bulk_id"], ["bulk.id"], name=op.f("fk_bulk_approval_bulk_id")
        ),
        sa.PrimaryKeyConstraint("bulk_id", "who", name=op.f("pk_bulk_approval")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "consent",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("menus", sa.String(length=64), nullable=False),
        sa.Column("given_at", TIME, nullable=False),
        sa.Column("withdrawn_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_consent_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", "what", name=op.f("pk_consent")),
        sqlite_with_rowid=False,
    )


def create_parts() -> None:
    op.create_table(
        "part",
        sa.Column("outbox_id", ID, nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("part", sa.SmallInteger(), nullable=False),
        sa.Column("total", sa.SmallInteger(), nullable=False),
        sa.Column("reference", sa.Integer(), nullable=False),
        sa.Column("carrier", sa.String(length=40), nullable=False),
        sa.Column("carrier_id", sa.String(length=120), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("began_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["outbox_id"], ["outbox.id"], name=op.f("fk_part_outbox_id")
        ),
        sa.PrimaryKeyConstraint("outbox_id", "number", "part", name=op.f("pk_part")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_part_carrier_carrier_id", "part", ["carrier", "carrier_id"])


def change_tables() -> None:
    op.add_column("attempt", sa.Column("estimate", sa.String(length=32), nullable=True))
    op.add_column("attempt", sa.Column("cost", sa.String(length=32), nullable=True))
    op.add_column("inbound", sa.Column("words", sa.LargeBinary(), nullable=True))
    op.add_column("inbound", sa.Column("handled_at", TIME, nullable=True))
    op.add_column(
        "inbound",
        sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False),
    )
    op.create_index("ix_inbound_look_up_at", "inbound", ["look_up", "at"])
    op.create_index(
        "ix_inbound_unhandled",
        "inbound",
        ["at"],
        sqlite_where=sa.text("handled_at IS NULL"),
        postgresql_where=sa.text("handled_at IS NULL"),
    )
    op.add_column(
        "outbox",
        sa.Column(
            "via", sa.String(length=40), server_default=sa.text("''"), nullable=False
        ),
    )
    add_bulk_id()
    op.add_column("outbox", sa.Column("closed_at", TIME, nullable=True))
    op.add_column(
        "outbox", sa.Column("closed_why", sa.String(length=200), nullable=True)
    )
    op.drop_index("ix_outbox_state_kind_due_at", table_name="outbox")
    op.create_index(
        "ix_outbox_bulk_id_state",
        "outbox",
        ["bulk_id", "state"],
        sqlite_where=sa.text("bulk_id IS NOT NULL"),
        postgresql_where=sa.text("bulk_id IS NOT NULL"),
    )
    op.create_index(
        "ix_outbox_person_id_changed_at",
        "outbox",
        ["person_id", "changed_at"],
        sqlite_where=sa.text("kind = 'campaign'"),
        postgresql_where=sa.text("kind = 'campaign'"),
    )
    op.create_index(
        "ix_outbox_state_kind_via_due_at", "outbox", ["state", "kind", "via", "due_at"]
    )
    op.add_column(
        "person",
        sa.Column("long_texts", sa.Integer(), server_default="0", nullable=False),
    )
    op.add_column(
        "receipt", sa.Column("look_up", sa.LargeBinary(length=32), nullable=True)
    )
    # What came before this was all that there was to do.
    inbound = sa.table("inbound", sa.column("handled_at"), sa.column("at"))
    op.execute(inbound.update().values(handled_at=inbound.c.at))


def add_bulk_id() -> None:
    if op.get_bind().dialect.name == "sqlite":
        # SQLite has a new column's reference only in the statement that adds it.
        op.execute(
            "ALTER TABLE outbox ADD COLUMN bulk_id INTEGER"
            " CONSTRAINT fk_outbox_bulk_id REFERENCES bulk (id)"
        )
        return
    op.add_column("outbox", sa.Column("bulk_id", ID, nullable=True))
    op.create_foreign_key("fk_outbox_bulk_id", "outbox", "bulk", ["bulk_id"], ["id"])
