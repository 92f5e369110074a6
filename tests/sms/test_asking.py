"""When a carrier that posts nothing is asked about a text."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ledger.outbox import NEVER
from sms.asking import GIVEN_UP_AFTER, first_due, next_due
from sms.routes import Channel
from tests.fake_carrier import FakeCarrier
from tests.texts import NOON


class Asked(FakeCarrier):
    """One that has to be asked."""

    ids_at_once = 10

    def ask_receipts(self, carrier_ids: object) -> tuple[()]:
        return ()

    def ask_inbound(self, *, again: bool = False) -> tuple[()]:
        return ()


class Posting(Asked):
    """One that could be asked and posts all the same."""

    ids_at_once = 0


def test_only_a_carrier_that_posts_nothing_is_asked() -> None:
    due = [
        first_due(Channel("it", carrier, "10001"), NOON)
        for carrier in (Asked(), Posting(), FakeCarrier())
    ]
    assert due == [NOON + timedelta(seconds=30), NEVER, NEVER]


def test_the_waits_grow_and_after_three_days_nobody_asks() -> None:
    asked, at = [], NOON
    while (at := next_due(NOON, at)) < NEVER:
        asked.append(at - NOON)
    assert [wait.total_seconds() for wait in asked] == [
        30,
        120,
        600,
        3600,
        6 * 3600,
        86_400,
        2 * 86_400,
        3 * 86_400,
    ]


@given(st.floats(0, 400_000))
def test_the_next_time_is_always_later(seconds: float) -> None:
    at = NOON + timedelta(seconds=seconds)
    due_at = next_due(NOON, at)
    assert due_at > at
    assert due_at == NEVER or due_at - NOON <= GIVEN_UP_AFTER
