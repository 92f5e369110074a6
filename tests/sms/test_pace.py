"""The pace of a channel, against carriers of which nothing is known but their noes.

The simulation has no clock and no chance in it: the same run is the same every time.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.pace import RATE_MIN, Pace

LIMIT = 200
SECONDS = 60
SETTLED = 5


@dataclass
class ByTheClock:
    """Takes so many segments in each second of its own clock."""

    limit: int = LIMIT
    ahead: float = 0.37
    _counted: Counter[int] = field(default_factory=Counter)

    def takes(self, parts: int, at: float) -> bool:
        second = int(at + self.ahead)
        if self._counted[second] + parts > self.limit:
            return False
        self._counted[second] += parts
        return True


@dataclass
class ByTokens:
    """Takes what its bucket holds, which `burst` seconds without texts fill."""

    burst: float
    limit: int = LIMIT
    _tokens: float = 0.0
    _at: float = -10.0

    def takes(self, parts: int, at: float) -> bool:
        gained = (at - self._at) * self.limit
        self._tokens = min(self._tokens + gained, self.limit * self.burst)
        self._at = at
        if self._tokens < parts:
            return False
        self._tokens -= parts
        return True


class Centre(Protocol):
    """A carrier as far as its limit goes."""

    def takes(self, parts: int, at: float) -> bool: ...


CENTRES: dict[str, Callable[[], Centre]] = {
    "by the clock": ByTheClock,
    "by a clock like ours": lambda: ByTheClock(ahead=0),
    "by tokens, a second's worth": lambda: ByTokens(1.0),
    "by tokens, few": lambda: ByTokens(0.1),
}


@dataclass
class Run:
    """Segments that were taken and refused, by the second."""

    taken: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    paces: list[Pace] = field(default_factory=list)

    @property
    def sustained(self) -> float:
        seconds = range(SETTLED, SECONDS)
        return sum(self.taken[second] for second in seconds) / len(seconds)

    @property
    def refusals(self) -> float:
        return self.refused.total() / (self.taken.total() + self.refused.total())


def deliver(
    centre: Centre,
    *,
    parts: int = 1,
    latency: float = 0.05,
    flight: int = 50,
    workers: int = 1,
    setting: int = 1000,
    seconds: int = SECONDS,
) -> Run:
    """An endless backlog through workers that share a carrier and nothing else."""
    run = Run(paces=[Pace(setting) for _ in range(workers)])
    flying, wakes = [0] * workers, [0.0] * workers
    events = [
        (0.013 * worker, worker, worker, "wake", 0.0) for worker in range(workers)
    ]
    number = workers
    while events:
        at, _, worker, what, taken_at = heapq.heappop(events)
        pace = run.paces[worker]
        later: list[tuple[float, str, float]] = []
        if at >= seconds:
            break
        if what == "arrives":
            takes = centre.takes(parts, at)
            (run.taken if takes else run.refused)[int(at)] += parts
            later.append((at + latency / 2, "yes" if takes else "no", taken_at))
        elif what == "yes":
            flying[worker] -= 1
            pace.accepted(parts, at, taken_at=taken_at)
        elif what == "no":
            flying[worker] -= 1
            pace.throttled(at, taken_at=taken_at)
        while what != "arrives" and flying[worker] < flight:
            wait = pace.take(parts, at)
            if wait:
                # Nobody wakes to the microsecond.
                wake = at + wait + 0.0005
                if wakes[worker] <= at or wake < wakes[worker] - 0.002:
                    wakes[worker] = wake
                    later.append((wake, "wake", 0.0))
                break
            flying[worker] += 1
            later.append((at + latency / 2, "arrives", at))
        for due, happens, since in later:
            number += 1
            heapq.heappush(events, (due, number, worker, happens, since))
    return run


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("flight", [24, 50])
@pytest.mark.parametrize("latency", [0.05, 0.3])
@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("centre", CENTRES)
def test_a_carriers_limit_is_found_and_seldom_passed(
    centre: str, parts: int, latency: float, flight: int, workers: int
) -> None:
    run = deliver(
        CENTRES[centre](), parts=parts, latency=latency, flight=flight, workers=workers
    )
    # A few calls at a time to a slow carrier cannot be more than that.
    possible = min(LIMIT, workers * flight * parts / latency)
    assert run.sustained >= 0.95 * possible
    assert run.refusals < 0.02


@pytest.mark.parametrize("limit", [20, 100, 500])
@pytest.mark.parametrize("centre", [ByTheClock, lambda limit: ByTokens(0.1, limit)])
def test_other_limits_are_found_too(
    centre: Callable[[int], Centre], limit: int
) -> None:
    run = deliver(centre(limit))
    assert run.sustained >= 0.93 * limit
    assert run.refusals < 0.05


def test_a_carrier_that_never_refuses_is_soon_sent_all_that_the_setting_allows() -> (
    None
):
    run = deliver(ByTokens(10.0, limit=100_000), setting=400, seconds=10)
    assert run.refused.total() == 0
    assert all(395 <= run.taken[second] <= 405 for second in range(6, 10))
    assert max(run.taken.values()) <= 405


@dataclass
class Lifted:
    """A carrier that lets more through from some time on."""

    before: Centre
    after: Centre
    at: float

    def takes(self, parts: int, at: float) -> bool:
        return (self.after if at >= self.at else self.before).takes(parts, at)


@pytest.mark.parametrize(("before", "after"), [(100, 400), (400, 100)])
def test_a_limit_that_moves_is_found_again(before: int, after: int) -> None:
    run = deliver(Lifted(ByTokens(0.1, before), ByTheClock(after), at=25))
    first = sum(run.taken[second] for second in range(15, 25)) / 10
    then = sum(run.taken[second] for second in range(50, 60)) / 10
    assert 0.95 * before <= first <= 1.01 * before
    assert 0.95 * after <= then <= 1.01 * after
    assert run.refusals < 0.05


def _sent(pace: Pace, count: int, at: float) -> float:
    """Send texts of one part as fast as the pace lets them; when the last one left."""
    for _ in range(count):
        while wait := pace.take(1, at):
            at += wait
    return at


def test_a_burst_of_refusals_is_one_cut() -> None:
    one, many = Pace(100), Pace(100)
    for pace, refusals in ((one, 1), (many, 20)):
        at = _sent(pace, 40, 0.0)
        for _ in range(20):
            pace.accepted(1, at + 0.1, taken_at=at)
        for _ in range(refusals):
            pace.throttled(at + 0.1, taken_at=at)
    assert one.rate == many.rate < 50


def test_a_shut_carrier_is_tried_with_one_text_at_a_time() -> None:
    pace = Pace(1000)
    at = _sent(pace, 10, 0.0)
    pace.throttled(at, taken_at=at)
    at = _sent(pace, 1, at)
    pace.throttled(at + 0.05, taken_at=at)
    at = _sent(pace, 1, at + 0.05)
    assert pace.take(1, at) > 0
    # Whose answer is lost, it is not waited for till the end of days.
    assert pace.take(1, at + 2.1) == 0.0
    pace.accepted(1, at + 2.2, taken_at=at + 2.1)
    assert _sent(pace, 2, at + 2.2) < at + 6


@pytest.mark.parametrize(("wish", "wait"), [(7.0, 7.0), (1e9, 3600.0)])
def test_a_carriers_own_wish_is_kept(wish: float, wait: float) -> None:
    pace = Pace(100)
    assert pace.take(1, 50.0) == 0.0
    pace.throttled(50.5, taken_at=50.0, retry_after=wish)
    assert pace.take(1, 51.0) == pytest.approx(wait - 0.5)
    assert _sent(pace, 1, 51.0) >= 50.5 + wait


def test_the_first_text_of_a_slow_channel_leaves_at_once_and_a_long_one_leaves() -> (
    None
):
    pace = Pace(1)
    assert pace.take(10, 3.0) == 0.0
    assert 9 < pace.take(1, 3.0) < 11


def test_a_quiet_channel_learns_nothing_from_its_quiet() -> None:
    pace = Pace(1000)
    at = _sent(pace, 200, 0.0)
    pace.accepted(20, at, taken_at=at)
    pace.throttled(at, taken_at=at)
    found = pace.rate
    for second in range(1, 2000):
        later = at + second * 10.0
        assert pace.take(1, later) == 0.0
        pace.accepted(1, later, taken_at=later)
    assert pace.rate == found


@given(
    setting=st.integers(1, 10_000),
    events=st.lists(
        st.tuples(
            st.sampled_from(["take", "yes", "no", "wish"]),
            st.integers(1, 255),
            st.floats(-0.5, 30, allow_nan=False),
        ),
        max_size=60,
    ),
)
def test_whatever_happens_the_rate_stays_in_bounds_and_the_wait_ends(
    setting: int, events: list[tuple[str, int, float]]
) -> None:
    pace, now, taken_at = Pace(setting), 100.0, 100.0
    for what, parts, seconds in events:
        # A clock that is set back must not break it either.
        now += seconds
        if what == "take":
            wait = pace.take(parts, now)
            assert 0 <= wait <= 3700
            taken_at = now if wait == 0 else taken_at
        elif what == "yes":
            pace.accepted(parts, now, taken_at=taken_at)
        else:
            wish = float(parts) if what == "wish" else None
            pace.throttled(now, taken_at=taken_at, retry_after=wish)
        assert RATE_MIN <= pace.rate <= setting
    assert _sent(pace, 1, now) < now + 4000


def _lasts(pace: Pace, at: float, texts: int, refusals: int) -> float:
    """Send texts one by one, the first tries refused; how long it takes."""
    began = at
    while texts:
        at = _sent(pace, 1, at)
        taken_at, at = at, at + 0.03
        if refusals:
            refusals -= 1
            pace.throttled(at, taken_at=taken_at)
        else:
            texts -= 1
            pace.accepted(1, at, taken_at=taken_at)
    return at - began


def test_refusals_at_the_very_start_do_not_make_it_crawl() -> None:
    assert _lasts(Pace(1000), 0.0, texts=9, refusals=4) < 3


def test_refusals_after_a_quiet_time_do_not_make_it_crawl() -> None:
    pace = Pace(1000)
    _lasts(pace, 0.0, texts=50, refusals=0)
    assert _lasts(pace, 60.0, texts=9, refusals=4) < 3
