"""What carriers told us, deleted when nobody needs it any more: a little at a time.

It holds private words and numbers. What it led to stands elsewhere, under keys that
keep a late repeat from being believed again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, delete, select, update

from ledger.schema import enquiry, fragment, inbound, question, receipt, unreadable

__all__ = ["KEPT", "forget"]

KEPT = timedelta(days=30)

# How old a table's rows are, and which of them may go.
_AGES: tuple[tuple[Table, Any, tuple[Any, ...]], ...] = (
    (receipt, receipt.c.at, ()),
    (inbound, inbound.c.at, ()),
    (unreadable, unreadable.c.at, ()),
    (question, question.c.asked_at, (question.c.state != "open",)),
)


def forget(db: Connection, *, before: datetime, limit: int = 500) -> int:
    """Delete up to `limit` rows of each table that are older than `before`; how many.

    An enquiry that somebody is done with stays, without its words.
    """
    gone = 0
    for table, age, conditions in _AGES:
        # The first by id are the oldest, near enough, and need no look at the rest.
        first = (
            select(table.c.id, age.label("age"))
            .where(*conditions)
            .order_by(table.c.id)
            .limit(limit)
            .subquery()
        )
        old = select(first.c.id).where(first.c.age < before)
        gone += db.execute(delete(table).where(table.c.id.in_(old))).rowcount
    # What is left here is of texts that were whole, or long given up.
    gone += db.execute(delete(fragment).where(fragment.c.at < before)).rowcount
    done = (
        select(enquiry.c.id)
        .where(
            enquiry.c.state != "open",
            enquiry.c.changed_at < before,
            enquiry.c.words != b"",
        )
        .limit(limit)
    )
    emptied = update(enquiry).where(enquiry.c.id.in_(done)).values(words=b"")
    return gone + db.execute(emptied).rowcount
