"""What is counted by booth, on both databases."""

from __future__ import annotations

from sqlalchemy import Engine

from ledger import erasing
from ledger.booths import Booth, counts
from ledger.engine import writing
from tests.ledger.facts import AT, KEYS, OTHER_PHONE, caller
from tests.ledger.test_signups import volunteer


def test_a_booth_counts_who_is_a_volunteer_still(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        volunteer(db, booth="b1")
        volunteer(db, "at:2", person_id=caller(db, OTHER_PHONE), booth="b1")
        assert counts(db, campaign="winter", test=False) == [Booth("b1", 2, 0)]
        erasing.erase(
            db,
            KEYS,
            person_id=caller(db),
            key="erase",
            channel="at",
            by="self",
            test=False,
            at=AT,
        )
        assert counts(db, campaign="winter", test=False) == [Booth("b1", 1, 0)]
