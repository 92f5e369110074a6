from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussd import trail as trails
from ussd.trail import (
    CUTS_A_REQUEST_MAX,
    RETRY_SECONDS,
    Anew,
    Onward,
    Repeat,
    Trail,
    answers_in,
    digest_with,
    lost,
)
from ussd.turn import Turn

DIGEST = digest_with(b"k" * 32)
NOON = 1_700_000_000.0


def _typed(typed: str) -> Turn:
    """A turn of a carrier that sends everything typed since the dial."""
    return Turn("s", "+989121234567", "*780*5588#", typed)


def reconcile(trail: Trail, typed: str) -> Repeat | Onward | Anew:
    return trails.reconcile(trail, _typed(typed), DIGEST, NOON)


def extended(trail: Trail, typed: str, *, reply: str, ends: bool) -> Trail:
    return trails.extended(
        trail, _typed(typed), DIGEST, reply=reply, ends=ends, at=NOON
    )


def _trail(*requests: str, ends: bool = False) -> Trail:
    """The trail of these requests; each was replied to with "re " and itself."""
    trail: Trail = ()
    for number, typed in enumerate(requests, start=1):
        last = ends and number == len(requests)
        trail = extended(trail, typed, reply=f"re {typed}", ends=last)
    return trail


@pytest.mark.parametrize(
    ("typed", "answers"),
    [
        ("", ()),
        ("1", ("1",)),
        ("1*50000*1", ("1", "50000", "1")),
        ("*1", ("1",)),
        ("**1", ("1",)),
        ("*", ()),
        ("1**2", ("1", "", "2")),
        ("1*", ("1", "")),
    ],
)
def test_a_first_text_holds_its_answers(typed: str, answers: tuple[str, ...]) -> None:
    assert answers_in(typed) == answers


@pytest.mark.parametrize("typed", ["", "1", "1*2"])
def test_the_same_request_again_gets_its_own_reply(typed: str) -> None:
    trail = _trail("", "1", "1*2")
    assert reconcile(trail, typed) == Repeat(f"re {typed}", False)


@pytest.mark.parametrize(
    ("typed", "answers"),
    [
        ("1*2", ("2",)),
        ("1*2*3", ("2", "3")),
        ("1*", ("",)),
        ("1**2", ("", "2")),
        ("1*2*", ("2", "")),
    ],
)
def test_an_extension_brings_the_rest(typed: str, answers: tuple[str, ...]) -> None:
    assert reconcile(_trail("", "1"), typed) == Onward(answers)


def test_after_the_first_screen_a_leading_star_is_its_empty_answer() -> None:
    assert reconcile(_trail(""), "*1") == Onward(("1",))
    assert reconcile(_trail("", "*1"), "*1*2") == Onward(("2",))


@pytest.mark.parametrize("typed", ["1", "1*2", "1*2*3"])
def test_a_prefix_that_came_late_gets_the_reply_that_consumed_it(typed: str) -> None:
    trail = _trail("", "1*2*3*4")
    assert reconcile(trail, typed) == Repeat("re 1*2*3*4", False)


@pytest.mark.parametrize("typed", ["2", "12", "1*3", "1*22", "12*2", "01*2"])
def test_a_text_that_diverges_is_another_conversation(typed: str) -> None:
    assert reconcile(_trail("", "1", "1*2"), typed) == Anew()


@pytest.mark.parametrize("typed", ["1*2", "1*2*3", "1*2*3*4*5"])
def test_after_the_end_everything_more_gets_the_last_reply(typed: str) -> None:
    trail = _trail("", "1", "1*2", ends=True)
    assert reconcile(trail, typed) == Repeat("re 1*2", True)


def test_after_the_end_a_late_retry_still_gets_its_own_reply() -> None:
    trail = _trail("", "1", "1*2", ends=True)
    assert reconcile(trail, "1") == Repeat("re 1", False)


def test_what_was_typed_is_kept_only_as_length_and_keyed_digest() -> None:
    typed = "3*6037991234567893"
    trail = extended((), typed, reply="", ends=True)
    assert "6037" not in repr(trail)
    other = digest_with(b"another key")
    assert all(mark.digest != other(typed[: mark.length]) for mark in trail)


def test_a_hostile_text_leaves_a_trail_of_bounded_length() -> None:
    trail = _trail("1" + "*" * 3_999)
    assert len(trail) == CUTS_A_REQUEST_MAX + 1
    assert isinstance(reconcile(trail, "1" + "*" * 3_999), Repeat)


class _Service:
    """Consumes answers as the gateway does, and remembers them."""

    def __init__(self) -> None:
        self.trail: Trail = ()
        self.consumed: list[str] = []
        self.replies: dict[str, str] = {}

    def post(self, typed: str) -> str:
        if not self.trail:
            answers: tuple[str, ...] = answers_in(typed)
        else:
            said = reconcile(self.trail, typed)
            if isinstance(said, Repeat):
                return said.reply
            assert isinstance(said, Onward), (typed, said)
            answers = said.answers
        self.consumed += answers
        reply = f"after {len(self.consumed)} answers"
        self.trail = extended(self.trail, typed, reply=reply, ends=False)
        self.replies[typed] = reply
        return reply


ANSWERS = st.lists(
    st.text(alphabet="0129 آ۱", min_size=1, max_size=3), min_size=1, max_size=8
)


@given(answers=ANSWERS, order=st.data())
def test_however_requests_are_repeated_and_reordered_each_answer_is_consumed_once(
    answers: list[str], order: st.DataObject
) -> None:
    requests = ["*".join(answers[:count]) for count in range(len(answers) + 1)]
    sent = order.draw(
        st.lists(st.sampled_from(requests), max_size=20).map(
            lambda some: ["", *some, requests[-1]]
        )
    )
    service = _Service()
    for typed in sent:
        reply = service.post(typed)
        if typed in service.replies:
            assert reply == service.replies[typed]
    assert service.consumed == answers
    for typed in sent:
        known = service.replies.get(typed)
        assert known is None or service.post(typed) == known


@given(
    first=st.text(alphabet="12*", max_size=6),
    second=st.text(alphabet="12*", max_size=6),
)
def test_no_pair_of_texts_breaks_the_comparison(first: str, second: str) -> None:
    trail = _trail(first)
    said = reconcile(trail, second)
    if first == second:
        assert said == Repeat(f"re {first}", False)
    else:
        assert isinstance(said, Repeat | Onward | Anew)
    again = extended(trail, second, reply="second", ends=False)
    assert isinstance(reconcile(again, second), Repeat)


# -- carriers that send the latest answer alone -------------------------------------


def _answer(typed: str, **said: Any) -> Turn:
    return Turn("s", "+989121234567", "", typed, cumulative=False, **said)


def _start(session: str = "s", dialled: str = "*780*5588#") -> Turn:
    return Turn(session, "+989121234567", dialled, "", cumulative=False, starts=True)


def _heard(
    *turns: Turn, at: float = NOON, ends: bool = False, before: Trail = ()
) -> Trail:
    """The trail of these turns, one a second, each replied to with its number."""
    trail = before
    for number, turn in enumerate(turns, start=len(before) + 1):
        last = ends and turn is turns[-1]
        trail = trails.extended(
            trail, turn, DIGEST, reply=f"re {number}", ends=last, at=at + number
        )
    return trail


def _said(trail: Trail, turn: Turn, after: float) -> Repeat | Onward | Anew:
    """What a turn says that comes `after` seconds after the last reply."""
    return trails.reconcile(trail, turn, DIGEST, trail[-1].at + after)


def test_an_answer_alone_goes_on() -> None:
    assert _said(_heard(_start()), _answer("1*2"), 5) == Onward(("1*2",))


@pytest.mark.parametrize("after", [-1.0, 0.0, RETRY_SECONDS])
def test_the_same_answer_at_once_is_a_retry(after: float) -> None:
    trail = _heard(_start(), _answer("1"))
    assert _said(trail, _answer("1"), after) == Repeat("re 2", False)


def test_the_same_answer_later_is_an_answer_to_the_next_screen() -> None:
    trail = _heard(_start(), _answer("1"))
    assert _said(trail, _answer("1"), RETRY_SECONDS + 0.1) == Onward(("1",))


def test_another_answer_at_once_is_no_retry() -> None:
    trail = _heard(_start(), _answer("1"))
    assert _said(trail, _answer("2"), 0.1) == Onward(("2",))


@pytest.mark.parametrize("typed", ["1", "2", ""])
def test_after_the_end_any_answer_gets_the_last_reply(typed: str) -> None:
    trail = _heard(_start(), _answer("1"), ends=True)
    assert _said(trail, _answer(typed), 60) == Repeat("re 2", True)


@pytest.mark.parametrize("after", [0.0, 100.0])
def test_a_start_again_under_the_carriers_id_gets_the_first_reply(after: float) -> None:
    assert _said(_heard(_start()), _start(), after) == Repeat("re 1", False)


def test_a_start_again_in_mid_call_shows_the_screen_that_an_answer_is_taken_for() -> (
    None
):
    trail = _heard(replace(_start(), sequence=1), _answer("1", sequence=2))
    again = replace(_start(), sequence=1)
    assert _said(trail, again, 5) == Onward(())
    trail = _heard(again, before=trail)
    assert _said(trail, _answer("2", sequence=3), 5) == Onward(("2",))


def test_a_start_after_the_end_is_another_call() -> None:
    assert _said(_heard(_start(), _answer("1"), ends=True), _start(), 5) == Anew()


def test_a_start_without_an_id_is_a_retry_only_while_nobody_could_have_answered() -> (
    None
):
    assert _said(_heard(_start("")), _start(""), 1) == Repeat("re 1", False)
    assert _said(_heard(_start("")), _start(""), 10) == Anew()
    assert _said(_heard(_start(""), _answer("1")), _start(""), 0.5) == Anew()


def test_a_start_with_another_code_is_another_call() -> None:
    assert _said(_heard(_start()), _start(dialled="*780*5588*1#"), 0) == Anew()


def test_a_number_tells_a_retry_from_an_answer() -> None:
    trail = _heard(_start(), _answer("1", sequence=2), _answer("1", sequence=3))
    assert _said(trail, _answer("1", sequence=3), 60) == Repeat("re 3", False)
    assert _said(trail, _answer("1", sequence=2), 60) == Repeat("re 2", False)
    assert _said(trail, _answer("1", sequence=4), 0) == Onward(("1",))


def test_a_carrier_may_begin_to_count_anew_after_the_start() -> None:
    trail = _heard(replace(_start(), sequence=1))
    assert _said(trail, _answer("1", sequence=1), 5) == Onward(("1",))
    trail = _heard(_answer("1", sequence=1), before=trail)
    assert _said(trail, _answer("1", sequence=1), 5) == Repeat("re 2", False)
    assert _said(trail, _answer("1", sequence=2), 5) == Onward(("1",))


def test_after_a_gap_in_the_numbers_the_screen_is_shown_and_nothing_answered() -> None:
    trail = _heard(_start(), _answer("1", sequence=2))
    assert _said(trail, _answer("1", sequence=4), 5) == Onward(())


def test_the_numbers_go_on_from_a_gap() -> None:
    trail = _heard(_start(), _answer("1", sequence=2), _answer("1", sequence=5))
    assert _said(trail, _answer("2", sequence=6), 5) == Onward(("2",))
    # Nobody knows any more what the fourth was; it is not taken for an answer.
    assert _said(trail, _answer("2", sequence=4), 5) == Repeat("re 3", False)


def test_of_two_alike_in_flight_the_second_gets_the_reply_of_the_first() -> None:
    loaded = _heard(_start())
    winner = _heard(_answer("1"), before=loaded)
    assert lost(loaded, winner, _answer("1"), DIGEST) == Repeat("re 2", False)
    assert lost(loaded, winner, _answer("2"), DIGEST) is None
    assert lost(winner, winner, _answer("1"), DIGEST) is None


def test_an_answer_is_kept_only_as_a_keyed_digest() -> None:
    trail = _heard(_start(), _answer("6037991234567893"))
    assert "6037" not in repr(trail)
