from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ledger.claims import Claimed
from ledger.outbox import NEVER, Kind, State
from sms.carrier import Outcome, Result, Status
from sms.endings import Ending, of_asking, of_sending
from sms.waits import ATTEMPTS_MAX, before_asking, before_retry
from tests.texts import NOON

ROW = Claimed(
    id=1,
    event_id=1,
    person_id=1,
    template="sms.pledge",
    slots={},
    language="fa",
    menus="m",
    kind=Kind.RECEIPT,
    campaign=None,
    test=False,
    promised_at=NOON,
    expires_at=NOON + timedelta(hours=6),
    attempts=0,
    carrier=None,
    doubtful=False,
    tried=(),
    attempted_at=None,
    look_up=b"",
)


def _sending(
    outcome: Outcome,
    *,
    row: Claimed = ROW,
    attempts: int = 1,
    can_look_up: bool = True,
    another: bool = False,
    status: Status = Status.SENT,
) -> Ending:
    return of_sending(
        row,
        Result(outcome, status=status),
        attempts=attempts,
        can_look_up=can_look_up,
        another=another,
        now=NOON,
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (Status.SENT, State.SENT),
        (Status.UNKNOWN, State.SENT),
        (Status.DELIVERED, State.DELIVERED),
        (Status.FAILED, State.FAILED),
        (Status.OPTED_OUT, State.FAILED),
    ],
)
def test_a_taken_text_is_where_the_carrier_says(status: Status, state: State) -> None:
    ending = _sending(Outcome.ACCEPTED, status=status)
    assert ending.state is state
    assert ending.stops_line == (status is Status.OPTED_OUT)


@pytest.mark.parametrize("outcome", Outcome)
def test_no_outcome_but_doubt_and_failure_keeps_a_text_from_a_next_attempt(
    outcome: Outcome,
) -> None:
    queued = {
        Outcome.THROTTLED,
        Outcome.RETRYABLE,
        Outcome.NO_CREDIT,
        Outcome.MISCONFIGURED,
    }
    ending = _sending(outcome)
    assert (ending.state is State.QUEUED) == (outcome in queued)
    assert (ending.state is State.UNCLEAR) == (outcome is Outcome.AMBIGUOUS)


def test_a_wait_never_outlasts_the_expiry() -> None:
    row = replace(ROW, expires_at=NOON + timedelta(seconds=1))
    assert _sending(Outcome.NO_CREDIT, row=row).due_at == row.expires_at


def test_who_cannot_be_asked_is_waited_for() -> None:
    assert _sending(Outcome.AMBIGUOUS, can_look_up=False).due_at == NEVER
    asked = _sending(Outcome.AMBIGUOUS).due_at
    assert asked is not None
    assert timedelta(seconds=1) < asked - NOON < timedelta(seconds=3)


def test_asking_ends_a_day_after_the_expiry() -> None:
    row = replace(ROW, attempted_at=NOON, expires_at=NOON)
    nothing = Result(Outcome.AMBIGUOUS)
    early = of_asking(row, nothing, now=NOON + timedelta(hours=1))
    late = of_asking(row, nothing, now=NOON + timedelta(hours=24))
    assert early is not None
    assert early.due_at is not None
    assert early.due_at < NOON + timedelta(hours=3)
    assert late == Ending(State.UNCLEAR, due_at=NEVER)


def test_only_a_sure_no_lets_a_text_be_sent_again() -> None:
    assert of_asking(ROW, None, now=NOON) is None
    for outcome in Outcome:
        ending = of_asking(ROW, Result(outcome), now=NOON)
        assert ending is not None
        assert ending.state in (State.SENT, State.UNCLEAR)


@pytest.mark.parametrize("kind", Kind)
def test_failing_is_given_up_in_the_end(kind: Kind) -> None:
    row = replace(ROW, kind=kind)
    last = ATTEMPTS_MAX[kind]
    before = _sending(Outcome.RETRYABLE, row=row, attempts=last - 1)
    assert before.state is State.QUEUED
    assert _sending(Outcome.RETRYABLE, row=row, attempts=last).state is State.FAILED


def test_waits_double_up_to_a_limit_and_are_jittered() -> None:
    waits = [
        {before_retry(Outcome.RETRYABLE, attempts=n).total_seconds() for _ in range(20)}
        for n in (1, 2, 3, 40_000)
    ]
    for seconds, centre in zip(waits, (2, 4, 8, 300), strict=True):
        assert len(seconds) > 1
        assert all(0.8 * centre <= wait <= 1.2 * centre for wait in seconds)


def test_a_carriers_own_wish_is_never_undercut() -> None:
    for _ in range(20):
        wait = before_retry(Outcome.THROTTLED, attempts=1, retry_after_seconds=30)
        assert 30 < wait.total_seconds() < 32


def test_questions_become_rarer_with_time() -> None:
    soon = before_asking(timedelta(0)).total_seconds()
    late = before_asking(timedelta(days=3)).total_seconds()
    assert 1.6 <= soon <= 2.4
    assert 0.8 * 3600 <= late <= 1.2 * 3600
