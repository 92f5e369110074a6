"""Which channels carry less, or nothing for a while, and how they come back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.carrier import Outcome
from sms.health import (
    PROBE_SECONDS,
    REST_SECONDS,
    REST_SECONDS_MAX,
    SHARE_MIN,
    Change,
    Health,
    Standing,
    What,
)
from sms.routes import Channel, Routes
from tests.fake_carrier import FakeCarrier
from tests.texts import NOON

GOOD, FAILING = Outcome.ACCEPTED, Outcome.RETRYABLE
FATAL = [Outcome.NO_CREDIT, Outcome.MISCONFIGURED]


class _Calls:
    """Calls to one channel, one after another, as somebody who watches has them."""

    def __init__(self, **more: object) -> None:
        # In the middle, a rest is as long as it says.
        self.health = Health("kave", random=lambda: 0.5, **more)  # type: ignore[arg-type]
        self.at = NOON
        self.changes: list[Change] = []

    def call(
        self,
        outcome: Outcome = GOOD,
        seconds: float = 0.1,
        *,
        times: int = 1,
        every: float = 1.0,
        another: bool = True,
    ) -> None:
        for _ in range(times):
            self.wait(every)
            if not self.health.may_try(self.at):
                continue
            self.health.begin(self.at)
            self.wait(seconds)
            change = self.health.note(outcome, seconds, at=self.at, another=another)
            if change is not None:
                self.changes.append(change)

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    @property
    def share(self) -> float:
        return self.health.share(self.at)

    @property
    def story(self) -> list[tuple[What, str]]:
        return [(change.what, change.why) for change in self.changes]


def test_a_channel_of_which_nothing_is_known_carries_all_of_its_share() -> None:
    calls = _Calls()
    assert calls.share == 1
    calls.call(times=100)
    assert calls.changes == []


def test_a_slow_channel_loses_half_of_its_share_each_time() -> None:
    calls = _Calls()
    calls.call(times=7)
    calls.call(seconds=6.0, times=2)
    assert calls.share == 1
    calls.call(seconds=6.0)
    assert calls.share == 0.5
    assert calls.story == [
        (What.LOWERED, "3 of 10 calls took 5 seconds or longer"),
    ]
    calls.call(times=1)
    calls.call(seconds=6.0, times=100)
    assert calls.share == SHARE_MIN


def test_what_is_slow_for_a_channel_is_set_for_it() -> None:
    calls = _Calls(slow_seconds=20)
    calls.call(seconds=6.0, times=30)
    assert calls.changes == []


def test_the_calls_under_way_when_it_was_slow_do_not_halve_it_again() -> None:
    calls = _Calls()
    calls.call(seconds=6.0, times=3)
    for _ in range(20):
        assert calls.health.note(GOOD, 6.0, at=calls.at, another=True) is None, (
            "it began before"
        )
    assert calls.share == 0.5


def test_a_slow_channel_without_another_keeps_its_share() -> None:
    calls = _Calls()
    calls.call(seconds=6.0, times=30, another=False)
    assert calls.share == 1


def test_a_fast_channel_gains_a_tenth_a_minute() -> None:
    calls = _Calls(standing=Standing(share=0.5, why="it was slow"))
    calls.call(times=50)
    assert calls.share == 0.5
    calls.call(times=8)
    assert calls.share == 0.6
    calls.call(times=300)
    assert calls.share == 1
    assert [change.share for change in calls.changes] == [0.6, 0.7, 0.8, 0.9, 1.0]


@pytest.mark.parametrize("outcome", FATAL)
def test_no_credit_or_a_wrong_setting_opens_the_breaker_at_once(
    outcome: Outcome,
) -> None:
    calls = _Calls()
    calls.call(times=50)
    calls.call(outcome)
    assert calls.story == [(What.OPENED, outcome.value)]
    assert calls.share == 0


@pytest.mark.parametrize("outcome", [Outcome.RETRYABLE, Outcome.AMBIGUOUS])
def test_five_failures_in_a_row_open_the_breaker(outcome: Outcome) -> None:
    calls = _Calls()
    calls.call(times=50)
    calls.call(outcome, times=4)
    assert calls.share == 1
    calls.call(outcome)
    assert calls.share == 0
    why = f"5 failed in a row: {outcome}"
    assert calls.story == [(What.OPENED, why)]


def test_half_of_ten_failures_within_a_minute_open_the_breaker() -> None:
    calls = _Calls()
    for _ in range(5):
        assert calls.share == 1
        calls.call(GOOD)
        calls.call(FAILING)
    why = "5 of 10 failed: retryable"
    assert calls.story == [(What.OPENED, why)]


def test_failures_that_are_far_apart_are_single_ones() -> None:
    calls = _Calls()
    for _ in range(50):
        calls.call(GOOD, every=10)
        calls.call(FAILING, every=10)
    assert calls.changes == []


@pytest.mark.parametrize(
    "outcome", [Outcome.THROTTLED, Outcome.REFUSED, Outcome.OPTED_OUT]
)
def test_a_no_about_the_text_or_the_pace_says_nothing_against_the_channel(
    outcome: Outcome,
) -> None:
    calls = _Calls()
    calls.call(outcome, times=100)
    assert calls.changes == []


def test_a_probe_that_is_answered_closes_the_breaker() -> None:
    calls = _Calls()
    calls.call(FAILING, times=5)
    calls.wait(REST_SECONDS - 1)
    assert calls.share == 0
    calls.wait(1)
    assert calls.share == 1
    assert calls.health.begin(calls.at)
    assert calls.share == 0, "one text at a time"
    calls.wait(0.1)
    change = calls.health.note(GOOD, 0.1, at=calls.at, another=True)
    assert change is not None
    assert (change.what, change.share) == (What.CLOSED, 1.0)
    assert calls.share == 1


def test_each_probe_that_fails_makes_the_next_rest_twice_as_long() -> None:
    calls = _Calls()
    calls.call(FAILING, times=5)
    rests = []
    for _ in range(8):
        until = calls.health.standing.open_until
        assert until is not None
        rests.append((until - calls.at).total_seconds())
        calls.at = until
        calls.call(FAILING, every=0)
    assert rests == [30, 60, 120, 240, 480, 600, 600, 600]


def test_one_that_fails_again_soon_after_goes_on_where_its_rests_had_come_to() -> None:
    calls = _Calls()
    calls.call(FAILING, times=5)
    calls.wait(REST_SECONDS)
    calls.call(GOOD, times=3)
    calls.call(FAILING, times=5)
    assert calls.health.standing.rests == 2
    calls.wait(2 * REST_SECONDS)
    calls.call(GOOD, times=700)
    calls.call(FAILING, times=5)
    assert calls.health.standing.rests == 1


def test_calls_that_began_before_the_probe_neither_close_nor_prolong() -> None:
    calls = _Calls()
    calls.call(FAILING, times=5)
    before = calls.health.standing
    for outcome in (GOOD, FAILING, Outcome.NO_CREDIT):
        calls.wait(1)
        assert calls.health.note(outcome, 5, at=calls.at, another=True) is None
    assert calls.health.standing == before


def test_a_probe_that_is_lost_gives_way_to_another() -> None:
    calls = _Calls()
    calls.call(FAILING, times=5)
    calls.wait(REST_SECONDS)
    assert calls.health.begin(calls.at)
    calls.wait(PROBE_SECONDS - 1)
    assert not calls.health.may_try(calls.at)
    calls.wait(1)
    assert calls.health.may_try(calls.at)


def test_rests_are_jittered_by_a_fifth() -> None:
    rests = set()
    for _ in range(50):
        health = Health("kave")
        change = health.note(Outcome.NO_CREDIT, 0.1, at=NOON, another=True)
        assert change is not None
        assert change.standing.open_until is not None
        rests.add((change.standing.open_until - NOON).total_seconds())
    assert len(rests) > 40
    assert all(0.8 * REST_SECONDS <= rest <= 1.2 * REST_SECONDS for rest in rests)


def test_what_one_process_learns_the_others_believe() -> None:
    one, other = _Calls(), _Calls()
    one.call(FAILING, times=5)
    other.health.restore(one.health.standing)
    assert other.health.share(one.at) == 0
    one.wait(REST_SECONDS)
    assert one.health.begin(one.at)
    other.health.restore(one.health.standing)
    assert not other.health.may_try(one.at), "the other's probe is out"
    one.wait(0.1)
    one.health.note(GOOD, 0.1, at=one.at, another=True)
    other.health.restore(one.health.standing)
    assert other.health.share(one.at) == 1


def test_an_older_row_does_not_take_a_probe_back() -> None:
    calls = _Calls()
    calls.call(FAILING, times=5)
    stored = calls.health.standing
    calls.wait(REST_SECONDS)
    assert calls.health.begin(calls.at)
    calls.health.restore(stored)
    assert not calls.health.may_try(calls.at)


NOTES = st.lists(
    st.tuples(
        st.sampled_from(Outcome),
        st.floats(0, 40, allow_nan=False),
        st.floats(0, 100, allow_nan=False),
        st.booleans(),
    ),
    max_size=80,
)


def _live(notes: list[tuple[Outcome, float, float, bool]]) -> _Calls:
    calls = _Calls()
    for outcome, seconds, every, another in notes:
        calls.call(outcome, seconds, every=every, another=another)
        assert 0 <= calls.share <= 1
        assert SHARE_MIN <= calls.health.standing.share <= 1
        assert len(calls.health.standing.why) <= 80
    return calls


@given(notes=NOTES)
def test_a_channel_that_answers_well_comes_back_in_the_end(
    notes: list[tuple[Outcome, float, float, bool]],
) -> None:
    calls = _live(notes)
    calls.wait(1.2 * REST_SECONDS_MAX)
    calls.call(times=800)
    assert calls.share == 1
    assert calls.health.standing.open_until is None


@given(notes=NOTES)
def test_a_breaker_lets_one_probe_out_at_a_time(
    notes: list[tuple[Outcome, float, float, bool]],
) -> None:
    calls = _live(notes)
    calls.health.note(Outcome.NO_CREDIT, 0.0, at=calls.at, another=True)
    let_out = 0
    for _ in range(3600):
        calls.wait(0.25)
        if calls.health.may_try(calls.at):
            assert calls.health.begin(calls.at)
            let_out += 1
    # A probe that is never answered is followed by one a minute later.
    assert 1 <= let_out <= 15


@given(all_notes=st.lists(NOTES, min_size=1, max_size=3))
def test_where_all_are_bad_a_text_still_leaves_when_a_rest_is_over(
    all_notes: list[list[tuple[Outcome, float, float, bool]]],
) -> None:
    lives = [_live(notes) for notes in all_notes]
    names = "abc"[: len(lives)]
    routes = Routes([Channel(name, FakeCarrier(), "10001") for name in names])
    later = max(live.at for live in lives) + timedelta(
        seconds=1.2 * REST_SECONDS_MAX + PROBE_SECONDS
    )
    shares = {
        name: live.health.share(later) for name, live in zip(names, lives, strict=True)
    }
    assert routes.choose(outbox_id=1, test=False, shares=shares) is not None


def test_a_channel_that_is_slow_as_well_as_failing_is_shut() -> None:
    calls = _Calls()
    calls.call(FAILING, 6.0, times=5)
    assert [change.what for change in calls.changes][-1] is What.OPENED
    assert not calls.health.may_try(calls.at)


def test_slow_failures_among_slow_answers_shut_a_channel_too() -> None:
    calls = _Calls()
    for _ in range(6):
        calls.call(FAILING, 3.0, every=0.1)
        calls.call(GOOD, 3.0, every=0.1)
    # Half of them fail, as fast as that is known of a channel that is not slow.
    assert [change.what for change in calls.changes][-1] is What.OPENED
    slow = _Calls(slow_seconds=2.0)
    for _ in range(6):
        slow.call(FAILING, 3.0, every=0.1)
        slow.call(GOOD, 3.0, every=0.1)
    assert [change.what for change in slow.changes][-1] is What.OPENED


def test_a_probe_that_was_not_sent_leaves_its_place_to_another() -> None:
    calls = _Calls()
    calls.call(FAILING, times=5)
    calls.wait(REST_SECONDS * 2)
    assert calls.health.begin(calls.at)
    assert not calls.health.may_try(calls.at)
    calls.health.give_back(calls.at)
    assert calls.health.begin(calls.at)
