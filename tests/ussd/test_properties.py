"""What holds for every caller, whatever is typed."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phone.encoding import Limits, excess
from tests.ussd.caller import CODE, Caller, through_json
from ussd.menus import Menus

ANSWERS = st.one_of(
    st.sampled_from(
        [
            "1",
            "2",
            "3",
            "4",
            "5",
            "6",
            "9",
            "0",
            "00",
            "۱",
            "75000",
            "75",
            "۵۰ هزار",
            "-5",
        ]
        + [
            "5588",
            "تهران",
            "Tehran",
            "قم",
            "1417653411",
            "1234",
            "6037991234567893",
            "",
        ]
    ),
    st.text(max_size=20),
    st.text(alphabet="0123456789۰۱۲٫٬,. -#", max_size=18),
)
DIALLED = st.sampled_from(["*780#", "*780*5588#", "*780*5588*1#", "*780*55881#"])
LANGUAGES = st.sampled_from(["fa", "en"])
PLEDGES = st.lists(
    st.builds(
        lambda code, state, amount: {"value": code, "state": state, "amount": amount},
        st.integers(100_000_000, 999_999_999).map(str),
        st.sampled_from(["open", "part_paid", "paid", "cancelled", "expired"]),
        st.integers(20_000, 500_000_000),
    ),
    max_size=10,
    unique_by=lambda pledge: pledge["value"],
)
QUICK = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@QUICK
@given(
    code=DIALLED,
    language=LANGUAGES,
    requests=st.lists(ANSWERS, max_size=15),
    pledges=PLEDGES,
    stands=st.sampled_from([None, {"code": CODE, "amount": "500000000"}]),
    # Smaller than the shipped texts are proved for: they are paged.
    limits=st.sampled_from([Limits(), Limits(182, 80), Limits(120, 60)]),
)
def test_no_keypress_breaks_a_session_and_every_text_fits(
    menus: Menus,
    code: str,
    language: str,
    requests: list[str],
    pledges: list[dict[str, object]],
    stands: dict[str, str] | None,
    limits: Limits,
) -> None:
    caller = Caller(
        menus, code, language=language, limits=limits, stands=stands, pledges=pledges
    )
    for typed in requests:
        if caller.ends:
            break
        caller.types(typed)
    for text in caller.texts:
        assert text.strip()
        assert excess(text, limits) == 0, text
        assert "6037991234567893" not in text
    assert "6037991234567893" not in repr(caller.session)
    assert caller.at in menus.screens


def _refused(menus: Menus, caller: Caller) -> bool:
    return caller.session.wrong > 0 or caller.at in (
        *("give.bad", "give.small", "give.range"),
    )


@QUICK
@given(
    code=DIALLED,
    language=LANGUAGES,
    answers=st.lists(
        st.sampled_from(["1", "2", "3", "4", "9", "0", "5588", "75000", "قم", "1234"]),
        max_size=8,
    ),
)
def test_typed_ahead_equals_step_by_step_until_a_confirm_or_a_refusal(
    menus: Menus, code: str, language: str, answers: list[str]
) -> None:
    slow = Caller(menus, code, language=language)
    taken: list[str] = []
    for answer in answers:
        confirms = menus.screens[slow.at].confirm
        if slow.ends or confirms:
            break
        before = len(slow.done)
        slow.types(answer)
        if _refused(menus, slow) or len(slow.done) > before:
            return
        taken.append(answer)
    ahead = Caller(menus, code, language=language, ahead="*".join(taken))
    assert (ahead.text, ahead.ends) == (slow.text, slow.ends)
    assert ahead.session.answers == slow.session.answers
    assert (ahead.at, ahead.session.page) == (slow.at, slow.session.page)
    assert ahead.done == []


@QUICK
@given(code=DIALLED, ahead=st.lists(ANSWERS, max_size=12))
def test_a_first_request_never_does_anything(
    menus: Menus, code: str, ahead: list[str]
) -> None:
    assert Caller(menus, code, ahead="*".join(ahead)).done == []


@QUICK
@given(code=DIALLED, requests=st.lists(ANSWERS, max_size=10))
def test_every_effect_was_agreed_to_on_a_screen_that_was_shown(
    menus: Menus, code: str, requests: list[str]
) -> None:
    caller = Caller(
        menus, code, pledges=[{"value": CODE, "state": "open", "amount": 1}]
    )
    for typed in requests:
        if caller.ends:
            break
        shown, before = caller.at, len(caller.done)
        caller.types(typed)
        for effect in caller.done[before:]:
            does = {choice.do for choice in menus.screens[shown].choices}
            assert effect.name in does
        assert len(caller.done) <= before + 1


@QUICK
@given(code=DIALLED, language=LANGUAGES, requests=st.lists(ANSWERS, max_size=10))
def test_a_session_survives_json(
    menus: Menus, code: str, language: str, requests: list[str]
) -> None:
    caller = Caller(menus, code, language=language)
    for typed in requests:
        if caller.ends:
            break
        caller.types(typed)
    assert through_json(caller.session) == caller.session


@QUICK
@given(code=DIALLED, requests=st.lists(ANSWERS, max_size=10))
def test_the_same_step_again_is_the_same_step(
    menus: Menus, code: str, requests: list[str]
) -> None:
    once, again = (Caller(menus, code) for _ in range(2))
    for typed in requests:
        if once.ends:
            break
        once.types(typed)
        again.types(typed)
    assert once.texts == again.texts
    assert once.session == again.session
