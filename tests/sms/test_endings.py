from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ledger.claims import Claimed
from ledger.outbox import NEVER, Kind, State
from sms.carrier import Outcome, Piece, Result, Status, of_pieces
from sms.endings import Ending, of_asking, of_sending, of_silence
from sms.waits import (
    ATTEMPTS_MAX,
    after_rest,
    before_asking,
    before_looking,
    before_retry,
)
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
    via="",
    attempts=0,
    carrier=None,
    doubtful=False,
    tried=(),
    attempted_at=None,
    failures=0,
    before=None,
    look_up=b"",
)


def _sending(
    outcome: Outcome,
    *,
    row: Claimed = ROW,
    failures: int = 0,
    can_look_up: bool = True,
    resend_seconds: int = 900,
    another: bool = False,
    status: Status = Status.SENT,
) -> Ending:
    return of_sending(
        replace(row, failures=failures),
        Result(outcome, status=status),
        can_look_up=can_look_up,
        resend_seconds=resend_seconds,
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
    due_at = _sending(Outcome.AMBIGUOUS, can_look_up=False).due_at
    assert due_at == NOON + timedelta(seconds=900)
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
    before = _sending(Outcome.RETRYABLE, row=row, failures=last - 2)
    assert before.state is State.QUEUED
    after = _sending(Outcome.RETRYABLE, row=row, failures=last - 1)
    assert after.state is State.FAILED


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


def test_a_rest_is_over_for_no_two_texts_at_once() -> None:
    waits = {after_rest(20).total_seconds() for _ in range(20)}
    assert len(waits) > 1
    assert all(20 < wait < 22 for wait in waits)
    looks = {before_looking(900).total_seconds() for _ in range(20)}
    assert len(looks) > 1
    assert all(180 <= look <= 270 for look in looks)
    assert before_looking(1).total_seconds() >= 48


@pytest.mark.parametrize("outcome", Outcome)
def test_doubt_about_one_part_outlives_whatever_becomes_of_another(
    outcome: Outcome,
) -> None:
    ending = of_sending(
        ROW,
        Result(outcome),
        can_look_up=False,
        resend_seconds=900,
        another=False,
        in_doubt=True,
        now=NOON,
    )
    over = {Outcome.REFUSED, Outcome.OPTED_OUT}
    assert ending.state is (State.FAILED if outcome in over else State.UNCLEAR)
    assert outcome in over or ending.due_at is not None


def test_parts_that_surely_did_not_leave_are_not_waited_for_with_the_others() -> None:
    pieces = (Piece(1, Outcome.AMBIGUOUS), Piece(2, Outcome.THROTTLED))
    ending = of_sending(
        ROW,
        of_pieces(pieces),
        can_look_up=False,
        resend_seconds=900,
        another=False,
        now=NOON,
    )
    assert ending.state is State.UNCLEAR
    assert ending.due_at is not None
    assert ending.due_at - NOON < timedelta(seconds=5)


DOUBTED = replace(ROW, doubtful=True, attempted_at=NOON)
LATER = NOON + timedelta(seconds=60)
LASTED = NOON + timedelta(seconds=900)


def _silence(
    *, row: Claimed = DOUBTED, heard: datetime | None = LATER, now: datetime = LASTED
) -> Ending | None:
    return of_silence(row, heard=heard, resend_seconds=900, now=now)


def test_silence_is_broken_once_it_means_something() -> None:
    assert _silence() is None
    early = _silence(now=LASTED - timedelta(seconds=1))
    assert early == Ending(State.UNCLEAR, due_at=LASTED)
    for heard in (None, NOON, NOON - timedelta(hours=1)):
        deaf = _silence(heard=heard)
        assert deaf is not None
        assert deaf.due_at is not None
        assert LASTED + timedelta(seconds=60) < deaf.due_at < DOUBTED.expires_at


def test_silence_about_what_nobody_asked_for_is_kept() -> None:
    campaign = replace(DOUBTED, kind=Kind.CAMPAIGN)
    assert _silence(row=campaign) == Ending(State.UNCLEAR, due_at=NEVER)
    late = replace(DOUBTED, expires_at=LASTED)
    assert _silence(row=late) == Ending(State.UNCLEAR, due_at=NEVER)
