"""Who waits to be told of a round, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, insert

from ledger import awaiting, schema
from ledger.awaiting import What
from ledger.engine import writing
from tests.ledger.facts import AT, caller

ROUND = "1405-09-01"
# What each was told of last, and whether they asked in time.
TOLD = (
    (None, True),
    ("1405-08-01", True),
    (ROUND, True),
    ("1405-10-01", True),
    (None, False),
)


@pytest.mark.parametrize("what", What)
def test_whoever_was_not_told_of_this_very_round_is_found_a_few_at_a_time(
    ledger_engine: Engine, what: What
) -> None:
    with writing(ledger_engine) as db:
        people = [caller(db, f"+98912000000{number}") for number in range(len(TOLD))]
        for person_id, (told, in_time) in zip(people, TOLD, strict=True):
            db.execute(
                insert(schema.awaiting).values(
                    {
                        "person_id": person_id,
                        "campaign": "winter",
                        "test": False,
                        "since": AT - timedelta(days=1) if in_time else AT,
                        what.value: told,
                    }
                )
            )
        of = {"campaign": "winter", "round_id": ROUND, "before": AT}
        found = awaiting.waiting(db, what, limit=9, **of)
        assert [one.person_id for one in found] == [people[0], people[1], people[3]]
        assert awaiting.waiting(db, what, limit=2, **of) == found[:2]
        for one in found:
            assert awaiting.note_told(db, what, one, round_id=ROUND, at=AT) is not None
        assert awaiting.waiting(db, what, limit=9, **of) == []
