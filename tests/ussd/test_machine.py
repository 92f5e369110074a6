"""The rules of a step, whatever the menus say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from phone.encoding import Limits
from tests.ussd.caller import CODE, NOON, Caller
from ussd.machine import Effect, Need, notice, step
from ussd.menus import Menus

GIVE = "*780*5588*1#"
ROOT = "*780*5588#"
STANDS = {"code": CODE, "amount": "500000"}
KNOWN = {("pledge", 0): {"code": CODE}}


# -- a wrong key ---------------------------------------------------------------------


def test_a_wrong_key_gets_the_reason_in_front_while_both_fit(menus: Menus) -> None:
    caller = Caller(menus, GIVE, language="en")
    screen = caller.text
    assert caller.types("7") == f"That was not an option.\n{screen}"


def test_a_wrong_key_gets_the_reason_alone_where_both_do_not_fit(menus: Menus) -> None:
    caller = Caller(menus, GIVE)
    screen = caller.text
    alone = "گزینه درست نبود. دوباره انتخاب کنید.\n0 بازگشت"
    assert caller.types("7") == alone
    assert caller.types("7") == screen
    assert caller.types("7") == alone
    caller.types("1")
    assert caller.at == "give.purpose"


def test_a_wrong_key_on_a_larger_screen_keeps_reason_and_screen_together(
    menus: Menus,
) -> None:
    caller = Caller(menus, "*780*5588#", limits=Limits(182, 80))
    screen = caller.types("9", "6")
    assert caller.types("7") == f"گزینه درست نبود.\n{screen}"


def test_wrong_keys_without_end_end_the_call(menus: Menus) -> None:
    caller = Caller(menus, GIVE)
    caller.types(*["7"] * menus.limits.wrong_keys_max)
    assert not caller.ends
    caller.types("7")
    assert caller.ends
    assert caller.text == notice(menus, "bye", "fa")


def test_a_right_key_forgives_the_wrong_ones(menus: Menus) -> None:
    caller = Caller(menus, GIVE)
    for _ in range(3):
        caller.types(*["7"] * menus.limits.wrong_keys_max)
        caller.types("3", "0")
    assert not caller.ends


def test_a_call_has_a_last_turn(menus: Menus) -> None:
    caller = Caller(menus, ROOT)
    while not caller.ends:
        caller.types("9" if caller.at == "root" else "0")
    assert len(caller.texts) == menus.limits.turns_max + 1
    assert caller.text == notice(menus, "bye", "fa")


def test_an_answer_longer_than_any_is_refused(menus: Menus) -> None:
    caller = Caller(menus, ROOT)
    caller.types("2", "1", "3", "قم", "ا" * (menus.limits.answer_chars_max + 1))
    assert caller.at == "vol.town"
    assert "ااا" not in repr(caller.session)


@pytest.mark.parametrize("key", ["1", "۱", "١", " 1 "])
def test_a_key_may_be_persian_or_arabic(menus: Menus, key: str) -> None:
    caller = Caller(menus, ROOT)
    caller.types(key)
    assert caller.at == "give.amount"


@pytest.mark.parametrize("key", ["", " ", "01", "1 ", "²", "१", "1\x00", "#", "*"])
def test_what_is_no_key_moves_nobody(menus: Menus, key: str) -> None:
    caller = Caller(menus, ROOT)
    caller.types(key)
    assert caller.at == ("give.amount" if key.strip() == "1" else "root")


# -- typed ahead ---------------------------------------------------------------------


def test_typed_ahead_stops_at_the_confirm_screen(menus: Menus) -> None:
    caller = Caller(menus, ROOT, ahead="1*50000*1*1")
    assert caller.at == "give.confirm"
    assert caller.done == []
    step_by_step = Caller(menus, ROOT)
    assert step_by_step.types("1", "50000", "1") == caller.text
    caller.types("1")
    assert caller.ends
    assert len(caller.done) == 1


@pytest.mark.parametrize("last", ["1", "2", "0", "7"])
def test_no_key_passes_a_confirm_screen_that_was_not_shown(
    menus: Menus, last: str
) -> None:
    caller = Caller(menus, GIVE)
    caller.types(f"50000*1*{last}")
    assert caller.at == "give.confirm"
    assert caller.text.startswith("کمک شما: ")
    assert caller.done == []


@pytest.mark.parametrize(
    ("ahead", "at"), [("9*3", "root.more"), ("9*5*1", "report"), ("9*4*1", "out.ask")]
)
def test_no_effect_runs_on_a_screen_that_was_not_shown(
    menus: Menus, ahead: str, at: str
) -> None:
    caller = Caller(menus, ROOT, ahead=ahead)
    assert caller.at == at
    assert caller.done == []


@pytest.mark.parametrize("language", ["fa", "en"])
def test_typed_ahead_stops_at_a_refused_answer(menus: Menus, language: str) -> None:
    caller = Caller(menus, GIVE, language=language)
    caller.types("3*-5*1*1*1")
    assert caller.at == "give.bad"
    assert "amount" not in caller.session.answers


def test_a_screen_that_was_not_shown_is_shown_and_not_only_scolded(
    menus: Menus,
) -> None:
    caller = Caller(menus, ROOT, ahead="9*8")
    assert caller.text.startswith("۱+۱\n1 کالابرگ")
    assert caller.done == []


def test_typed_ahead_stops_at_an_end(menus: Menus) -> None:
    caller = Caller(menus, GIVE)
    caller.types("1", "1", "1*1*1*1")
    assert caller.ends
    assert len(caller.done) == 1


def test_after_an_effect_the_rest_of_the_request_does_nothing_more(
    menus: Menus,
) -> None:
    caller = Caller(menus, ROOT)
    caller.types("9", "3*0*9*3")
    assert [e.name for e in caller.done] == ["language"]
    assert caller.at == "root.more"
    assert caller.session.language == "en"


def test_more_answers_than_a_request_may_hold_are_dropped(menus: Menus) -> None:
    caller = Caller(menus, ROOT, ahead="*".join(["9", "0"] * 500))
    assert caller.at in ("root", "root.more")
    assert caller.session.turns == 1


# -- facts, effects and results ------------------------------------------------------


def test_what_a_step_lacks_is_asked_for_and_nothing_changes(menus: Menus) -> None:
    caller = Caller(menus, ROOT)
    before = caller.session
    lacking = step(
        menus,
        before,
        ["4"],
        now=NOON,
        limits=Limits(),
        facts={},
        results={},
        shown=True,
    )
    assert lacking.lacks == Need("pledges", "")
    assert lacking.text == ""
    assert replace(lacking.session, turns=before.turns) == before


def test_an_effect_carries_its_number_and_its_answers(menus: Menus) -> None:
    caller = Caller(menus, ROOT)
    caller.types("9", "3", "0", "9", "3")
    assert [(e.name, e.number) for e in caller.done] == [
        ("language", 0),
        ("language", 1),
    ]
    assert caller.done[0] == Effect(
        "language",
        0,
        "one-plus-one",
        {"dialled": ROOT, "language_chosen": "en"},
    )


def test_in_a_rebuild_a_known_result_counts_as_answered(menus: Menus) -> None:
    rebuilt = Caller(menus, ROOT, ahead="1*50000*1*1", known=KNOWN)
    assert rebuilt.ends
    assert CODE in rebuilt.text
    assert rebuilt.done == []


def test_in_a_rebuild_a_change_before_the_confirm_is_walked_again(
    menus: Menus,
) -> None:
    rebuilt = Caller(menus, ROOT, ahead="1*1*1*2*2*3*1", known=KNOWN)
    assert rebuilt.ends
    assert rebuilt.session.answers["amount"] == "500000"
    assert rebuilt.done == []


def test_in_a_rebuild_the_first_effect_that_is_not_known_is_shown(
    menus: Menus,
) -> None:
    known = {("language", 0): {"language": "en"}}
    rebuilt = Caller(menus, ROOT, ahead="9*3*0*9*3*0*1*1*1*1", known=known)
    assert rebuilt.at == "root.more"
    assert rebuilt.text.startswith("1+1\n1 Kalabarg")
    assert rebuilt.done == []


def test_in_a_rebuild_the_way_to_a_deed_is_found_though_the_deed_hides_it(
    menus: Menus,
) -> None:
    known: dict[tuple[str, int], dict[str, str]] = {("stop_texts", 0): {}}
    rebuilt = Caller(menus, ROOT, ahead="9*4*1", known=known, texts_stopped=True)
    assert rebuilt.at == "out.done"
    assert rebuilt.done == []


def test_an_outcome_leads_where_the_menus_say(menus: Menus) -> None:
    caller = Caller(menus, GIVE, outcomes={"pledge": {"outcome": "paused"}})
    caller.types("1", "1", "1")
    assert caller.at == "paused"
    assert not caller.ends


# -- the notice that an earlier pledge stands ------------------------------------------


def test_the_notice_stands_in_front_of_the_screen_where_both_fit(menus: Menus) -> None:
    caller = Caller(menus, ROOT, language="en", stands=STANDS)
    assert caller.text == (
        f"Your pledge stands: 50,000 toman, code {CODE}\n"
        "Welcome to 1+1\n1 Give\n2 Volunteer\n3 Time bank\n4 My pledges\n9 More"
    )
    caller.types("9")
    assert caller.at == "root.more"


def test_a_notice_alone_leaves_the_keys_working(menus: Menus) -> None:
    caller = Caller(menus, ROOT, stands=STANDS)
    assert caller.text == f"کمک شما ثبت شده است: ۵۰٬۰۰۰ تومان\nکد {CODE}\n9 ادامه"
    caller.types("1")
    assert caller.at == "give.amount"


def test_behind_a_notice_nine_shows_the_screen_and_then_means_more(
    menus: Menus,
) -> None:
    caller = Caller(menus, ROOT, stands=STANDS)
    assert caller.types("9") == Caller(menus, ROOT).text
    caller.types("9")
    assert caller.at == "root.more"


def test_behind_a_notice_a_wrong_key_shows_the_screen_whose_keys_then_work(
    menus: Menus,
) -> None:
    caller = Caller(menus, ROOT, stands=STANDS)
    assert caller.types("7") == Caller(menus, ROOT).text
    caller.types("9")
    assert caller.at == "root.more"


def test_behind_a_notice_no_effect_runs(menus: Menus) -> None:
    caller = Caller(menus, ROOT, ahead="1*50000*1", stands=STANDS)
    assert caller.at == "give.confirm"
    assert "9 ادامه" in caller.text
    caller.types("1")
    assert caller.at == "give.confirm"
    assert caller.text.startswith("کمک شما: ")
    assert caller.done == []
    caller.types("1")
    assert len(caller.done) == 1


def test_a_notice_before_an_end_asks_for_no_key(menus: Menus) -> None:
    caller = Caller(menus, ROOT, ahead="0", stands=STANDS)
    assert caller.ends
    assert CODE in caller.text
    assert "ادامه" not in caller.text
