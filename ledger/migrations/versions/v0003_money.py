"""Payments, plans and purchases; seals; people's own answers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_tables()
    create_guards()


def create_guards() -> None:
    db = op.get_bind()
    path = Path(__file__).with_name(f"v0003_guards_{db.dialect.name}.sql")
    script = path.read_text("utf-8")
    for statement in statements(script) if db.dialect.name == "sqlite" else [script]:
        db.exec_driver_sql(statement, execution_options={"no_parameters": True})


def statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def create_tables() -> None:
    op.create_table(
        "checkpoint",
        sa.Column("size", ID, autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoint")),
    )
    op.create_index("ix_checkpoint_day", "checkpoint", ["day"])
    op.create_table(
        "fund",
        sa.Column("campaign", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("transfer_id", ID, server_default="0", nullable=False),
        sa.Column("amount", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("campaign", "purpose", "test", name=op.f("pk_fund")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tile",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name=op.f("pk_tile")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "witness",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_witness")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cosignature",
        sa.Column("size", ID, nullable=False),
        sa.Column("witness", sa.String(length=40), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["size"], ["checkpoint.size"], name=op.f("fk_cosignature_size")
        ),
        sa.ForeignKeyConstraint(
            ["witness"], ["witness.name"], name=op.f("fk_cosignature_witness")
        ),
        sa.PrimaryKeyConstraint("size", "witness", name=op.f("pk_cosignature")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sensitive",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("centre", sa.String(length=40), nullable=True),
        sa.Column("menus", sa.String(length=64), nullable=False),
        sa.Column("given_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_sensitive_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_sensitive")),
    )
    op.create_table(
        "due",
        sa.Column("pledge_id", ID, nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("reminded_at", TIME, nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_due_amount_is_positive")),
        sa.ForeignKeyConstraint(
            ["pledge_id"], ["event.id"], name=op.f("fk_due_pledge_id")
        ),
        sa.PrimaryKeyConstraint("pledge_id", "number", name=op.f("pk_due")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_due_due_at",
        "due",
        ["due_at"],
        sqlite_where=sa.text("reminded_at IS NULL"),
        postgresql_where=sa.text("reminded_at IS NULL"),
    )
    op.create_table(
        "leaf",
        sa.Column("number", ID, autoincrement=False, nullable=False),
        sa.Column("event_id", ID, nullable=True),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=False),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_leaf_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_leaf_event_id")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_leaf")),
        sa.UniqueConstraint("event_id", "unit", name=op.f("uq_leaf_event_id_unit")),
    )
    op.create_index(
        "ix_leaf_account_id",
        "leaf",
        ["account_id"],
        unique=True,
        sqlite_where=sa.text("account_id IS NOT NULL"),
        postgresql_where=sa.text("account_id IS NOT NULL"),
    )
    op.create_table(
        "payment",
        sa.Column("event_id", ID, autoincrement=False, nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("outside_id", sa.String(length=80), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(length=9), nullable=True),
        sa.Column("look_up", sa.LargeBinary(length=32), nullable=True),
        sa.Column("reference", sa.String(length=80), nullable=True),
        sa.Column("paid_at", TIME, nullable=False),
        sa.Column("unmatched", sa.BigInteger(), nullable=False),
        sa.Column("next_at", TIME, nullable=True),
        sa.CheckConstraint(
            "unmatched BETWEEN 0 AND amount",
            name=op.f("ck_payment_unmatched_is_a_part"),
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_payment_event_id")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_payment")),
        sa.UniqueConstraint(
            "source", "outside_id", name=op.f("uq_payment_source_outside_id")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_payment_next_at",
        "payment",
        ["next_at"],
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_index("ix_payment_reference", "payment", ["reference"])
    op.create_index(
        "ix_payment_unmatched",
        "payment",
        ["event_id"],
        sqlite_where=sa.text("unmatched > 0"),
        postgresql_where=sa.text("unmatched > 0"),
    )
    op.create_table(
        "report",
        sa.Column("id", ID, nullable=False),
        sa.Column("campaign", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_report_event_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sa.UniqueConstraint(
            "campaign", "number", name=op.f("uq_report_campaign_number")
        ),
        sa.UniqueConstraint("event_id", name=op.f("uq_report_event_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "request",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("about_id", ID, nullable=True),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("made_by", sa.String(length=40), nullable=False),
        sa.Column("needs", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("result_id", ID, nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["about_id"], ["event.id"], name=op.f("fk_request_about_id")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_request_event_id")
        ),
        sa.ForeignKeyConstraint(
            ["result_id"], ["event.id"], name=op.f("fk_request_result_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
        sa.UniqueConstraint("event_id", name=op.f("uq_request_event_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_request_state", "request", ["state"])
    op.create_table(
        "rollup",
        sa.Column("account_id", ID, autoincrement=False, nullable=False),
        sa.Column("pending", sa.BigInteger(), nullable=False),
        sa.Column("posted", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_rollup_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_rollup")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "standing",
        sa.Column("event_id", ID, autoincrement=False, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("campaign", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("day", sa.SmallInteger(), nullable=False),
        sa.Column("made", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_standing_amount_is_positive")),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_standing_event_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_standing_person_id")
        ),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_standing_unit")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_standing")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_standing_next_at",
        "standing",
        ["next_at"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_standing_person_id", "standing", ["person_id"])
    op.create_table(
        "batch",
        sa.Column("event_id", ID, autoincrement=False, nullable=False),
        sa.Column("campaign", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("first_id", ID, nullable=False),
        sa.Column("first_after", sa.BigInteger(), nullable=False),
        sa.Column("last_id", ID, nullable=False),
        sa.Column("last_after", sa.BigInteger(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.CheckConstraint(
            "quantity > 0 AND cost > 0", name=op.f("ck_batch_amounts_are_positive")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_batch_event_id")
        ),
        sa.ForeignKeyConstraint(
            ["first_id"], ["transfer.id"], name=op.f("fk_batch_first_id")
        ),
        sa.ForeignKeyConstraint(
            ["last_id"], ["transfer.id"], name=op.f("fk_batch_last_id")
        ),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_batch_unit")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_batch")),
        sa.UniqueConstraint(
            "campaign", "number", "test", name=op.f("uq_batch_campaign_number_test")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_batch_campaign_purpose_last_id", "batch", ["campaign", "purpose", "last_id"]
    )
    op.create_table(
        "request_approval",
        sa.Column("request_id", ID, nullable=False),
        sa.Column("who", sa.String(length=40), nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_request_approval_event_id")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["request.id"], name=op.f("fk_request_approval_request_id")
        ),
        sa.PrimaryKeyConstraint("request_id", "who", name=op.f("pk_request_approval")),
        sa.UniqueConstraint("event_id", name=op.f("uq_request_approval_event_id")),
        sqlite_with_rowid=False,
    )
    op.add_column("event", sa.Column("partner", sa.String(length=40), nullable=True))
    op.add_column("event", sa.Column("donor_kind", sa.String(length=12), nullable=True))
    op.add_column("event", sa.Column("cohort", sa.String(length=40), nullable=True))
