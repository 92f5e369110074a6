"""References of the way of every pledge that no lock is taken for, on PostgreSQL.

A foreign key reads its row FOR KEY SHARE, for it might go away. Several pledges at once
share the same two accounts and the one unit, and each sharer writes that it does so:
a hot row on the way in. The rows of event, account and unit can not go away, and the
guard of transfers looks for them without a lock. SQLite has no row locks to spare.

A leaf's event would be locked by the sealer, and so written anew: half of its time.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

FREED = {
    "transfer": ("debit_id", "credit_id", "unit", "event_id"),
    "leaf": ("event_id", "account_id"),
}

# So that who buys or pays back reads the gifts of one purpose and nothing else.
INDEXED = {
    "credit_id": "phase IN ('single', 'post', 'reversal')",
    "debit_id": "phase = 'reversal'",
}


def upgrade() -> None:
    for column, which in INDEXED.items():
        where = sa.text(which)
        op.create_index(
            op.f(f"ix_transfer_{column}_id"),
            "transfer",
            [column, "id"],
            sqlite_where=where,
            postgresql_where=where,
        )
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, columns in FREED.items():
        for column in columns:
            op.drop_constraint(op.f(f"fk_{table}_{column}"), table, type_="foreignkey")
