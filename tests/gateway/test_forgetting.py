"""What carriers told us is forgotten daily, a little at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from structlog.typing import EventDict

from gateway.forgetting import Forgetting
from ledger.engine import writing
from ledger.inbox import store_receipt
from tests.gateway.house import Gateway


def test_old_receipts_go_in_steps_and_then_nothing_is_looked_for(
    gateway: Gateway, logs: list[EventDict]
) -> None:
    for n in range(700):
        _store(gateway, str(n))
    gateway.clock.wait(days=31)
    _store(gateway, "new")
    forgets = Forgetting(gateway.service.engine)

    left = []
    for _ in range(4):
        forgets.step(gateway.clock())
        left.append(len(gateway.rows("receipt")))
    assert left == [201, 1, 1, 1]
    assert logs == [{"event": "forgotten", "rows": 700, "log_level": "info"}]

    _store(gateway, "old", days=40)
    forgets.step(gateway.clock() + timedelta(hours=23))
    assert len(gateway.rows("receipt")) == 2
    forgets.step(gateway.clock() + timedelta(hours=24))
    assert len(gateway.rows("receipt")) == 1


def test_the_log_of_sqlite_goes_each_hour(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [False, True, True]
    monkeypatch.setattr("gateway.forgetting.empty_log", lambda _: answers.pop(0))
    forgets = Forgetting(gateway.service.engine)
    left = []
    for minutes in (0, 1, 60, 61):
        forgets.step(gateway.clock() + timedelta(minutes=minutes))
        left.append(len(answers))
    assert left == [2, 1, 1, 0]


def _store(gateway: Gateway, carrier_id: str, *, days: int = 0) -> None:
    with writing(gateway.service.engine) as db:
        store_receipt(
            db,
            gateway.service.keys,
            carrier="kave",
            carrier_id=carrier_id,
            status="sent",
            raw=b"",
            at=gateway.clock() - timedelta(days=days),
        )
