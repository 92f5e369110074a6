"""What is asked every few seconds is read from an index, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Connection

from ledger import awaiting, candidates, entries_over, invitations, needs
from ledger.awaiting import What
from ledger.engine import connect, reading
from ledger.timebank import suggesting
from tests.ledger.facts import AT


def _waiting(db: Connection, what: What) -> object:
    return awaiting.waiting(
        db, what, campaign="winter", round_id="1405-09-01", before=AT, limit=50
    )


def _tried(db: Connection) -> object:
    return suggesting.tried(db, [], test=False, at=AT)


ASKED: dict[str, tuple[Callable[[Connection], object], Collection[str]]] = {
    "opening": (
        lambda db: _waiting(db, What.OPENING),
        {"ix_awaiting_campaign_opening_since"},
    ),
    "closing": (
        lambda db: _waiting(db, What.CLOSING),
        {"ix_awaiting_campaign_closing_since"},
    ),
    "entries": (
        lambda db: entries_over.old(db, before=AT, limit=100),
        {"ix_entry_held"},
    ),
    "needs of hours": (
        lambda db: suggesting.due(db, test=False, at=AT, limit=100),
        {"ix_favour_state_next_at"},
    ),
    "what is too old": (
        lambda db: suggesting.stale(db, before=AT, at=AT, limit=100),
        {"ix_favour_state_next_at"},
    ),
    "what lapsed": (
        lambda db: suggesting.lapsed(db, "asked", "told", at=AT, limit=100),
        {"ix_introduction_state_expires_at"},
    ),
    "who was asked": (
        _tried,
        {"ix_introduction_state_expires_at", "ix_introduction_asked_at"},
    ),
    "who is asked once more": (
        lambda db: invitations.to_remind(db, at=AT, limit=100),
        {"ix_invite_state_next_at"},
    ),
    "who is told": (
        lambda db: invitations.to_tell(db, at=AT, limit=100),
        {"ix_invite_state_next_at"},
    ),
    "needs": (
        lambda db: candidates.lacking(db, at=AT + timedelta(hours=1)),
        {"ix_need_state_next_at"},
    ),
    "needs that are over": (
        lambda db: needs.over(db, at=AT, limit=100),
        {"ix_need_meets_at"},
    ),
}


@pytest.mark.parametrize("asked", ASKED)
def test_a_sweep_with_nothing_to_do_reads_an_index(
    sqlite_ledger_url: str, asked: str
) -> None:
    ask, indexes = ASKED[asked]
    engine = connect(sqlite_ledger_url)
    said: list[tuple[str, Any]] = []
    sqlalchemy.event.listen(
        engine,
        "before_cursor_execute",
        lambda db, cursor, statement, values, *_: said.append((statement, values)),
    )
    with reading(engine) as db:
        ask(db)
        steps = [
            str(row[-1])
            for statement, values in list(said)
            for row in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    engine.dispose()
    used = {index for index in indexes if any(f" {index} (" in one for one in steps)}
    assert used == indexes, steps
    named = [one for one in steps if one.startswith(("SCAN", "SEARCH"))]
    through = (
        *(f" {index} (" for index in indexes),
        "PRIMARY KEY",
        "uq_",
        "_autoindex_",
    )
    # What is left is what was found so, looked up by its id.
    by_hand = [
        one
        for one in named
        if "open_now" not in one and not any(mark in one for mark in through)
    ]
    assert by_hand == [], steps
