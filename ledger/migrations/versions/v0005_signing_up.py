"""Places, volunteers, the time bank, assemblies, deliveries; counts by place."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_places()
    create_volunteers()
    create_time_bank()
    create_assemblies()
    change_tables()


def create_places() -> None:
    op.create_table(
        "place",
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("parent", sa.String(length=16), nullable=True),
        sa.Column("titles", sa.JSON(), nullable=False),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.Column("prefixes", sa.JSON(), nullable=False),
        sa.Column("dial", sa.String(length=9), nullable=True),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["parent"], ["place.code"], name=op.f("fk_place_parent")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_place")),
        sa.UniqueConstraint("dial", name=op.f("uq_place_dial")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "place_above",
        sa.Column("place", sa.String(length=16), nullable=False),
        sa.Column("above", sa.String(length=16), nullable=False),
        sa.Column("steps", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["above"], ["place.code"], name=op.f("fk_place_above_above")
        ),
        sa.ForeignKeyConstraint(
            ["place"], ["place.code"], name=op.f("fk_place_above_place")
        ),
        sa.PrimaryKeyConstraint("place", "above", name=op.f("pk_place_above")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_place_above_above", "place_above", ["above"])
    op.create_table(
        "staff",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("place", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=40), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("made_by", sa.String(length=40), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("told_on", sa.String(length=10), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_staff_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_staff_live",
        "staff",
        ["person_id", "role", "place", "test"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_staff_place", "staff", ["place"])
    op.create_table(
        "awaiting",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("campaign", sa.String(length=40), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("opening", sa.String(length=16), nullable=True),
        sa.Column("closing", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_awaiting_person_id")
        ),
        sa.PrimaryKeyConstraint(
            "person_id", "campaign", "test", name=op.f("pk_awaiting")
        ),
        sqlite_with_rowid=False,
    )
    for column in ("opening", "closing"):
        op.create_index(
            f"ix_awaiting_campaign_{column}_since",
            "awaiting",
            ["campaign", column, "since"],
        )
    op.create_table(
        "tally",
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=40), nullable=False),
        sa.Column("campaign", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "run", "place", "campaign", "kind", "unit", name=op.f("pk_tally")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tally_run",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_tally_run")),
    )


def create_volunteers() -> None:
    op.create_table(
        "entry",
        sa.Column("event_id", ID, autoincrement=False, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("campaign", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("batch", sa.String(length=40), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("answers", sa.LargeBinary(), nullable=False),
        sa.Column("place", sa.String(length=16), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("result_id", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_entry_event_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_entry_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["result_id"], ["event.id"], name=op.f("fk_entry_result_id")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_entry")),
        sa.UniqueConstraint("batch", "line", name=op.f("uq_entry_batch_line")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_entry_person_id_state", "entry", ["person_id", "state"], unique=False
    )
    op.create_index(
        "ix_entry_state_expires_at", "entry", ["state", "expires_at"], unique=False
    )
    op.create_index(
        "ix_entry_held",
        "entry",
        ["state", "changed_at"],
        sqlite_where=sa.text("length(answers) > 0"),
        postgresql_where=sa.text("length(answers) > 0"),
    )
    op.create_table(
        "need",
        sa.Column("event_id", ID, autoincrement=False, nullable=False),
        sa.Column("campaign", sa.String(length=40), nullable=False),
        sa.Column("place", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=40), nullable=False),
        sa.Column("skill", sa.String(length=40), nullable=False),
        sa.Column("vacancies", sa.Integer(), nullable=False),
        sa.Column("urgency", sa.SmallInteger(), nullable=False),
        sa.Column("meets_at", TIME, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("wave", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("next_at", TIME, nullable=True),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_need_event_id")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_need")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_need_state_next_at",
        "need",
        ["state", "next_at"],
        unique=False,
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_index(
        "ix_need_meets_at",
        "need",
        ["meets_at"],
        unique=False,
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_index("ix_need_place_state", "need", ["place", "state"])
    op.create_table(
        "invite",
        sa.Column("id", ID, nullable=False),
        sa.Column("need_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("signup_id", ID, nullable=False),
        sa.Column("wave", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("answered_at", TIME, nullable=True),
        sa.Column("next_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["need_id"], ["need.event_id"], name=op.f("fk_invite_need_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_invite_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["signup_id"], ["event.id"], name=op.f("fk_invite_signup_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invite")),
        sa.UniqueConstraint(
            "need_id", "person_id", name=op.f("uq_invite_need_id_person_id")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_invite_person_id_asked_at",
        "invite",
        ["person_id", "asked_at"],
        unique=False,
    )
    op.create_index(
        "ix_invite_state_expires_at", "invite", ["state", "expires_at"], unique=False
    )
    op.create_index(
        "ix_invite_state_next_at",
        "invite",
        ["state", "next_at"],
        unique=False,
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_table(
        "renumbering",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("look_up", sa.LargeBinary(length=32), nullable=True),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("made_by", sa.String(length=40), nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_renumbering_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renumbering")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_renumbering_look_up", "renumbering", ["look_up"])
    op.create_index(
        "ix_renumbering_person_id", "renumbering", ["person_id"], unique=False
    )
    op.create_table(
        "delivery",
        sa.Column("event_id", ID, autoincrement=False, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("campaign", sa.String(length=40), nullable=False),
        sa.Column("place", sa.String(length=16), nullable=True),
        sa.Column("queue", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("call_back", sa.Boolean(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("taken_at", TIME, nullable=True),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_delivery_event_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_delivery_person_id")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_delivery")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_delivery_person_id", "delivery", ["person_id"])
    op.create_index(
        "ix_delivery_queue_state", "delivery", ["queue", "state"], unique=False
    )


def create_time_bank() -> None:
    op.create_table(
        "favour",
        sa.Column("event_id", ID, autoincrement=False, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("campaign", sa.String(length=40), nullable=False),
        sa.Column("side", sa.String(length=5), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("venue", sa.String(length=16), nullable=False),
        sa.Column("place", sa.String(length=16), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("next_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_favour_event_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_favour_person_id")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_favour")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_favour_state_next_at",
        "favour",
        ["state", "next_at"],
        unique=False,
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_index("ix_favour_person_id", "favour", ["person_id"])
    op.create_index(
        "ix_favour_state_side_kind_place",
        "favour",
        ["state", "side", "kind", "place"],
        unique=False,
    )
    op.create_table(
        "introduction",
        sa.Column("event_id", ID, autoincrement=False, nullable=False),
        sa.Column("offer_id", ID, nullable=False),
        sa.Column("need_id", ID, nullable=False),
        sa.Column("giver_id", ID, nullable=False),
        sa.Column("receiver_id", ID, nullable=False),
        sa.Column("place", sa.String(length=16), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("hours_id", ID, nullable=True),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_introduction_event_id")
        ),
        sa.ForeignKeyConstraint(
            ["giver_id"], ["person.id"], name=op.f("fk_introduction_giver_id")
        ),
        sa.ForeignKeyConstraint(
            ["hours_id"], ["event.id"], name=op.f("fk_introduction_hours_id")
        ),
        sa.ForeignKeyConstraint(
            ["need_id"], ["favour.event_id"], name=op.f("fk_introduction_need_id")
        ),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["favour.event_id"], name=op.f("fk_introduction_offer_id")
        ),
        sa.ForeignKeyConstraint(
            ["receiver_id"], ["person.id"], name=op.f("fk_introduction_receiver_id")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_introduction")),
        sa.UniqueConstraint(
            "offer_id", "need_id", name=op.f("uq_introduction_offer_id_need_id")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_introduction_giver_id", "introduction", ["giver_id"], unique=False
    )
    op.create_index(
        "ix_introduction_need_id", "introduction", ["need_id"], unique=False
    )
    op.create_index(
        "ix_introduction_place_state", "introduction", ["place", "state"], unique=False
    )
    op.create_index(
        "ix_introduction_receiver_id", "introduction", ["receiver_id"], unique=False
    )
    op.create_index("ix_introduction_asked_at", "introduction", ["asked_at"])
    op.create_index(
        "ix_introduction_state_expires_at",
        "introduction",
        ["state", "expires_at"],
        unique=False,
    )


def create_assemblies() -> None:
    op.create_table(
        "benefactor",
        sa.Column("event_id", ID, autoincrement=False, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("district", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("capacity", sa.String(length=40), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("covers", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_benefactor_event_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_benefactor_person_id")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_benefactor")),
        sa.UniqueConstraint(
            "person_id",
            "district",
            "test",
            name=op.f("uq_benefactor_person_id_district_test"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_benefactor_district", "benefactor", ["district"])
    op.create_table(
        "meeting",
        sa.Column("event_id", ID, autoincrement=False, nullable=False),
        sa.Column("district", sa.String(length=16), nullable=False),
        sa.Column("meets_at", TIME, nullable=False),
        sa.Column("venue", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_meeting_event_id")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_meeting")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_meeting_district_meets_at",
        "meeting",
        ["district", "meets_at"],
        unique=False,
    )
    op.create_table(
        "attendance",
        sa.Column("meeting_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("answer", sa.String(length=8), nullable=False),
        sa.Column("came", sa.Boolean(), nullable=True),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meeting.event_id"], name=op.f("fk_attendance_meeting_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_attendance_person_id")
        ),
        sa.PrimaryKeyConstraint("meeting_id", "person_id", name=op.f("pk_attendance")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "decision",
        sa.Column("event_id", ID, autoincrement=False, nullable=False),
        sa.Column("district", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=17), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("owner_id", ID, nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("claim", sa.String(length=8), nullable=True),
        sa.Column("claimed_at", TIME, nullable=True),
        sa.Column("reminded_at", TIME, nullable=True),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_decision_event_id")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["person.id"], name=op.f("fk_decision_owner_id")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_decision")),
        sa.UniqueConstraint(
            "district", "number", "test", name=op.f("uq_decision_district_number_test")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_decision_state_due_on", "decision", ["state", "due_on"], unique=False
    )
    op.create_table(
        "premises",
        sa.Column("event_id", ID, autoincrement=False, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("district", sa.String(length=16), nullable=False),
        sa.Column("side", sa.String(length=5), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("square_metres", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_premises_event_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_premises_person_id")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_premises")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_premises_district_state", "premises", ["district", "state"], unique=False
    )
    op.create_index("ix_premises_person_id", "premises", ["person_id"])


def change_tables() -> None:
    for column in (
        sa.Column("place_code", sa.String(length=16), nullable=True),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("round", sa.String(length=16), nullable=True),
        sa.Column("booth", sa.String(length=16), nullable=True),
        sa.Column(
            "state", sa.String(length=8), server_default="active", nullable=False
        ),
        sa.Column("changed_at", TIME, nullable=True),
        sa.Column("invited_at", TIME, nullable=True),
    ):
        op.add_column("signup", column)
    op.create_index(
        "ix_signup_campaign_place_code", "signup", ["campaign", "place_code"]
    )
    op.create_index("ix_question_person_id", "question", ["person_id"])
    keep_answers_apart()


def keep_answers_apart() -> None:
    """Several answers of a person, each of its own kind: a group was the only one."""
    op.execute(
        "CREATE TABLE answered AS "
        "SELECT person_id, answer, centre, menus, given_at FROM sensitive"
    )
    op.drop_table("sensitive")
    op.create_table(
        "sensitive",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("what", sa.String(length=10), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("centre", sa.String(length=40), nullable=True),
        sa.Column("menus", sa.String(length=64), nullable=False),
        sa.Column("given_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_sensitive_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", "what", name=op.f("pk_sensitive")),
    )
    op.execute(
        "INSERT INTO sensitive (person_id, what, answer, centre, menus, given_at) "
        "SELECT person_id, 'group', answer, centre, menus, given_at FROM answered"
    )
    op.execute("DROP TABLE answered")
