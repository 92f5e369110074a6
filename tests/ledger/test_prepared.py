from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from ledger.engine import NothingRecorded, NotRead, reading, writing
from ledger.prepared import Prepared

# Nothing is as large as the least of all numbers: the second row cannot be had.
_FAILS_LATE = Prepared(
    text("SELECT abs(x) FROM (SELECT 1 AS x UNION ALL SELECT -9223372036854775808) y")
)


def test_a_row_that_cannot_be_had_is_not_read(ledger_engine: Engine) -> None:
    with pytest.raises(NotRead), reading(ledger_engine) as db:
        _FAILS_LATE.all(db)
    with pytest.raises(NotRead), reading(ledger_engine) as db:
        _FAILS_LATE.first(db)


def test_a_row_that_cannot_be_had_means_that_nothing_was_recorded(
    ledger_engine: Engine,
) -> None:
    with pytest.raises(NothingRecorded), writing(ledger_engine) as db:
        _FAILS_LATE.all(db)
