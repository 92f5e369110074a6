from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussd.trail import (
    CUTS_A_REQUEST_MAX,
    Anew,
    Onward,
    Repeat,
    Trail,
    answers_in,
    digest_with,
    extended,
    reconcile,
)

DIGEST = digest_with(b"k" * 32)


def _trail(*requests: str, ends: bool = False) -> Trail:
    """The trail of these requests; each was replied to with "re " and itself."""
    trail: Trail = ()
    for number, typed in enumerate(requests, start=1):
        last = ends and number == len(requests)
        trail = extended(trail, typed, DIGEST, reply=f"re {typed}", ends=last)
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
    assert reconcile(trail, typed, DIGEST) == Repeat(f"re {typed}", False)


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
    assert reconcile(_trail("", "1"), typed, DIGEST) == Onward(answers)


def test_after_the_first_screen_a_leading_star_is_its_empty_answer() -> None:
    assert reconcile(_trail(""), "*1", DIGEST) == Onward(("1",))
    assert reconcile(_trail("", "*1"), "*1*2", DIGEST) == Onward(("2",))


@pytest.mark.parametrize("typed", ["1", "1*2", "1*2*3"])
def test_a_prefix_that_came_late_gets_the_reply_that_consumed_it(typed: str) -> None:
    trail = _trail("", "1*2*3*4")
    assert reconcile(trail, typed, DIGEST) == Repeat("re 1*2*3*4", False)


@pytest.mark.parametrize("typed", ["2", "12", "1*3", "1*22", "12*2", "01*2"])
def test_a_text_that_diverges_is_another_conversation(typed: str) -> None:
    assert reconcile(_trail("", "1", "1*2"), typed, DIGEST) == Anew()


@pytest.mark.parametrize("typed", ["1*2", "1*2*3", "1*2*3*4*5"])
def test_after_the_end_everything_more_gets_the_last_reply(typed: str) -> None:
    trail = _trail("", "1", "1*2", ends=True)
    assert reconcile(trail, typed, DIGEST) == Repeat("re 1*2", True)


def test_after_the_end_a_late_retry_still_gets_its_own_reply() -> None:
    trail = _trail("", "1", "1*2", ends=True)
    assert reconcile(trail, "1", DIGEST) == Repeat("re 1", False)


def test_what_was_typed_is_kept_only_as_length_and_keyed_digest() -> None:
    typed = "3*6037991234567893"
    trail = extended((), typed, DIGEST, reply="", ends=True)
    assert "6037" not in repr(trail)
    other = digest_with(b"another key")
    assert all(mark.digest != other(typed[: mark.length]) for mark in trail)


def test_a_hostile_text_leaves_a_trail_of_bounded_length() -> None:
    trail = _trail("1" + "*" * 3_999)
    assert len(trail) == CUTS_A_REQUEST_MAX + 1
    assert isinstance(reconcile(trail, "1" + "*" * 3_999, DIGEST), Repeat)


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
            said = reconcile(self.trail, typed, DIGEST)
            if isinstance(said, Repeat):
                return said.reply
            assert isinstance(said, Onward), (typed, said)
            answers = said.answers
        self.consumed += answers
        reply = f"after {len(self.consumed)} answers"
        self.trail = extended(self.trail, typed, DIGEST, reply=reply, ends=False)
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
    said = reconcile(trail, second, DIGEST)
    if first == second:
        assert said == Repeat(f"re {first}", False)
    else:
        assert isinstance(said, Repeat | Onward | Anew)
    again = extended(trail, second, DIGEST, reply="second", ends=False)
    assert isinstance(reconcile(again, second, DIGEST), Repeat)
