from __future__ import annotations

import pytest
from sqlalchemy import Engine

from ledger import dials
from ledger.engine import writing
from tests.ledger.facts import AT


@pytest.mark.parametrize(
    ("reports", "seen"),
    [
        ([], None),
        ([False], False),
        ([True], True),
        ([False, True], True),
        ([True, False], True),
        ([False, False], False),
    ],
)
def test_once_the_last_screen_was_seen_it_was_seen(
    ledger_engine: Engine, reports: list[bool], seen: bool | None
) -> None:
    with writing(ledger_engine) as db:
        for report in reports:
            dials.ended(db, dial="at:1", reached=report, at=AT)
        assert dials.reached(db, "at:1") is seen
        assert dials.reached(db, "at:2") is None
