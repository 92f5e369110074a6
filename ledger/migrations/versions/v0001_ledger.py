"""Every table, the units of account, and the guards of the facts."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
KEY = sa.String(200).with_variant(sa.String(200, collation="C"), "postgresql")


def upgrade() -> None:
    create_tables()
    create_guards()
    name_units()


def create_guards() -> None:
    db = op.get_bind()
    path = Path(__file__).with_name(f"v0001_guards_{db.dialect.name}.sql")
    script = path.read_text("utf-8")
    # PostgreSQL takes a script whole; SQLite one statement at a time.
    for statement in statements(script) if db.dialect.name == "sqlite" else [script]:
        db.exec_driver_sql(statement, execution_options={"no_parameters": True})


def statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def name_units() -> None:
    unit = sa.table(
        "unit",
        sa.column("code", sa.String),
        sa.column("scale", sa.Integer),
        sa.column("title", sa.String),
    )
    op.bulk_insert(
        unit,
        [
            {"code": "rial", "scale": 0, "title": "Iranian rial"},
            {"code": "minute", "scale": 0, "title": "Minute of work"},
            {"code": "parcel", "scale": 0, "title": "Parcel"},
            {"code": "voucher", "scale": 0, "title": "Voucher"},
        ],
    )
    meta = sa.table("meta", sa.column("name", sa.String), sa.column("value", sa.Text))
    # Which ledger this is: a restored copy keeps it, another ledger has another.
    op.bulk_insert(meta, [{"name": "system", "value": secrets.token_hex(16)}])


def create_tables() -> None:
    op.create_table(
        "dial_end",
        sa.Column("dial", sa.String(length=80), nullable=False),
        sa.Column("reached", sa.Boolean(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("dial", name=op.f("pk_dial_end")),
    )
    op.create_table(
        "inbound",
        sa.Column("id", ID, nullable=False),
        sa.Column("carrier", sa.String(length=40), nullable=False),
        sa.Column("carrier_id", sa.String(length=120), nullable=False),
        sa.Column("look_up", sa.LargeBinary(length=32), nullable=False),
        sa.Column("line", sa.String(length=32), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("keyword", sa.String(length=16), nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound")),
        sa.UniqueConstraint(
            "carrier", "carrier_id", name=op.f("uq_inbound_carrier_carrier_id")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "menus_version",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_menus_version")),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )
    op.create_table(
        "person",
        sa.Column("id", ID, nullable=False),
        sa.Column("look_up", sa.LargeBinary(length=32), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("since", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("look_up", name=op.f("uq_person_look_up")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "receipt",
        sa.Column("id", ID, nullable=False),
        sa.Column("carrier", sa.String(length=40), nullable=False),
        sa.Column("carrier_id", sa.String(length=120), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("part", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("matched_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint(
            "carrier",
            "carrier_id",
            "status",
            "part",
            name=op.f("uq_receipt_carrier_carrier_id_status_part"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_receipt_matched_at_at", "receipt", ["matched_at", "at"])
    op.create_table(
        "stop",
        sa.Column("look_up", sa.LargeBinary(length=32), nullable=False),
        sa.Column("line", sa.String(length=32), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.PrimaryKeyConstraint("look_up", "line", name=op.f("pk_stop")),
    )
    op.create_table(
        "token",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_token_digest")),
        sa.UniqueConstraint("name", name=op.f("uq_token_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "unit",
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("scale", sa.SmallInteger(), nullable=False),
        sa.Column("title", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_unit")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "account",
        sa.Column("id", ID, nullable=False),
        sa.Column("code", sa.String(length=160), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_account_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("code", name=op.f("uq_account_code")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "event",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("about_id", ID, nullable=True),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("campaign", sa.String(length=40), nullable=True),
        sa.Column("purpose", sa.String(length=40), nullable=True),
        sa.Column("district", sa.String(length=40), nullable=True),
        sa.Column("centre", sa.String(length=40), nullable=True),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("transfers", sa.SmallInteger(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["about_id"], ["event.id"], name=op.f("fk_event_about_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_event_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("key", name=op.f("uq_event_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_event_about_id",
        "event",
        ["about_id"],
        sqlite_where=sa.text("about_id IS NOT NULL"),
        postgresql_where=sa.text("about_id IS NOT NULL"),
    )
    op.create_index("ix_event_kind_at", "event", ["kind", "at"])
    op.create_index("ix_event_person_id_kind", "event", ["person_id", "kind"])
    op.create_table(
        "menus_current",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_menus_current_there_is_one")),
        sa.ForeignKeyConstraint(
            ["hash"], ["menus_version.hash"], name=op.f("fk_menus_current_hash")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_menus_current")),
    )
    op.create_table(
        "vault",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_vault_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_vault")),
    )
    op.create_table(
        "code",
        sa.Column("code", sa.String(length=9), nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_code_event_id")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_code")),
        sa.UniqueConstraint("event_id", name=op.f("uq_code_event_id")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox",
        sa.Column("id", ID, nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("template", sa.String(length=40), nullable=False),
        sa.Column("slots", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("menus", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("campaign", sa.String(length=40), nullable=True),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("promised_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("carrier", sa.String(length=40), nullable=True),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_outbox_event_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_outbox_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint(
            "event_id", "template", name=op.f("uq_outbox_event_id_template")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbox_state_kind_due_at", "outbox", ["state", "kind", "due_at"]
    )
    op.create_table(
        "signup",
        sa.Column("event_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("campaign", sa.String(length=40), nullable=False),
        sa.Column("place_kind", sa.String(length=16), nullable=False),
        sa.Column("place", sa.String(length=40), nullable=True),
        sa.Column("province", sa.String(length=8), nullable=True),
        sa.Column("district", sa.String(length=8), nullable=True),
        sa.Column("skill", sa.String(length=40), nullable=False),
        sa.Column("time", sa.String(length=40), nullable=False),
        sa.Column("consent", sa.String(length=64), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_signup_event_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_signup_person_id")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_signup")),
        sa.UniqueConstraint(
            "person_id",
            "campaign",
            "test",
            name=op.f("uq_signup_person_id_campaign_test"),
        ),
    )
    op.create_table(
        "transfer",
        sa.Column("id", ID, nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("debit_id", ID, nullable=False),
        sa.Column("credit_id", ID, nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("phase", sa.String(length=8), nullable=False),
        sa.Column("pending_id", ID, nullable=True),
        sa.CheckConstraint(
            "(phase IN ('post', 'void', 'expire')) = (pending_id IS NOT NULL)",
            name=op.f("ck_transfer_a_resolution_names_its_pending"),
        ),
        sa.CheckConstraint(
            "phase IN ('single', 'pending', 'post', 'void', 'expire', 'reversal')",
            name=op.f("ck_transfer_phase_is_known"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_transfer_amount_is_positive")),
        sa.CheckConstraint(
            "debit_id <> credit_id", name=op.f("ck_transfer_accounts_differ")
        ),
        sa.ForeignKeyConstraint(
            ["credit_id"], ["account.id"], name=op.f("fk_transfer_credit_id")
        ),
        sa.ForeignKeyConstraint(
            ["debit_id"], ["account.id"], name=op.f("fk_transfer_debit_id")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_transfer_event_id")
        ),
        sa.ForeignKeyConstraint(
            ["pending_id"], ["transfer.id"], name=op.f("fk_transfer_pending_id")
        ),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_transfer_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
        sa.UniqueConstraint(
            "event_id", "number", name=op.f("uq_transfer_event_id_number")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_transfer_pending_id",
        "transfer",
        ["pending_id"],
        sqlite_where=sa.text("pending_id IS NOT NULL"),
        postgresql_where=sa.text("pending_id IS NOT NULL"),
    )
    op.create_table(
        "attempt",
        sa.Column("id", ID, nullable=False),
        sa.Column("outbox_id", ID, nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("carrier", sa.String(length=40), nullable=False),
        sa.Column("began_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("carrier_id", sa.String(length=120), nullable=True),
        sa.Column("detail", sa.String(length=200), nullable=True),
        sa.Column("parts", sa.SmallInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["outbox_id"], ["outbox.id"], name=op.f("fk_attempt_outbox_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        sa.UniqueConstraint(
            "outbox_id", "number", name=op.f("uq_attempt_outbox_id_number")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_attempt_carrier_carrier_id", "attempt", ["carrier", "carrier_id"]
    )
    op.create_table(
        "resolution",
        sa.Column("pending_id", ID, nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("transfer_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["pending_id"], ["transfer.id"], name=op.f("fk_resolution_pending_id")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfer.id"], name=op.f("fk_resolution_transfer_id")
        ),
        sa.PrimaryKeyConstraint("pending_id", "number", name=op.f("pk_resolution")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_resolution_transfer_id")),
        sqlite_with_rowid=False,
    )
