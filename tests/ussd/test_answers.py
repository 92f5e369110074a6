"""What is typed at each kind of question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.codes import damm
from tests.ussd.caller import Caller
from tests.ussd.small import small
from ussd.menus import Menus


def asking(ask: str) -> Menus:
    return small(
        f"""
        root:
          text: {{en: Question}}
          ask: {{answer: it, {ask}, refused: {{bad: root.bad, range: root.range}}}}
          then: last
          choices: [{{key: "0", label: {{en: Leave}}, to: bye}}]
        root.bad: {{same: root, text: {{en: Bad}}}}
        root.range: {{same: root, text: {{en: Range}}}}
        last: {{text: {{en: "Got {{it}}"}}, choices: [{{key: "0", to: bye}}]}}
        """
    )


def answered(menus: Menus, typed: str) -> str:
    caller = Caller(menus, "*1#")
    caller.types(typed)
    return caller.session.answers["it"] if caller.at == "last" else caller.at


CODE = asking("kind: code")
PLACE = asking("kind: place_code, min: 3, max: 7")
SURE = asking("kind: yes_no")
RIAL = asking("kind: amount, in: rial")


@pytest.mark.parametrize(
    "typed", ["572495721", "572 495 721", "۵۷۲۴۹۵۷۲۱", "٥٧٢ ٤٩٥ ٧٢١", "572\u200e495721"]
)
def test_a_tracking_code_is_taken_as_it_is_read_out(typed: str) -> None:
    assert answered(CODE, typed) == "572495721"


@pytest.mark.parametrize(
    "typed", ["572495722", "57249572", "5724957210", "072495724", "abc", "572-495-721"]
)
def test_a_mistyped_tracking_code_is_asked_for_again(typed: str) -> None:
    assert answered(CODE, typed) == "root.bad"


@given(payload=st.integers(10, 999_999).map(str), wrong=st.integers(1, 9))
def test_a_place_code_ends_with_its_check_digit(payload: str, wrong: int) -> None:
    check = damm(payload)
    assert answered(PLACE, payload + check) == payload + check
    assert answered(PLACE, payload + str((int(check) + wrong) % 10)) == "root.bad"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("12" + damm("12"), "12" + damm("12")),
        (f"1 2 {damm('12')}", "12" + damm("12")),
        ("1" + damm("1"), "root.bad"),
        ("1234567" + damm("1234567"), "root.bad"),
        ("abc", "root.bad"),
    ],
)
def test_a_place_code_has_a_length(typed: str, kept: str) -> None:
    assert answered(PLACE, typed) == kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        *((word, "yes") for word in ("1", "۱", "yes", "Y", "بله", "آره", "اره")),
        *((word, "no") for word in ("2", "no", "N", "خیر", "خير", "نه", " No ")),
        *((word, "root.bad") for word in ("maybe", "12", "نمی‌دانم")),
    ],
)
def test_yes_and_no_are_keys_and_words_of_every_language(typed: str, kept: str) -> None:
    assert answered(SURE, typed) == kept


def test_the_keys_of_yes_and_no_are_shown_by_themselves() -> None:
    assert Caller(SURE, "*1#").text == "Question\n1 Yes\n2 No\n0 Leave"
    caller = Caller(SURE, "*1#")
    assert caller.types("maybe") == "Bad\n1 Yes\n2 No\n0 Leave"


def test_what_goes_with_a_yes_goes_with_its_key_too() -> None:
    menus = asking("kind: yes_no, set: {how: asked}")
    for typed in ("1", "yes"):
        caller = Caller(menus, "*1#")
        caller.types(typed)
        assert caller.session.answers["how"] == "asked"


@pytest.mark.parametrize(
    ("typed", "rial"),
    [
        ("5000", "5000"),
        ("5000 ریال", "5000"),
        ("500 تومان", "5000"),
        ("۵ هزار", "5000"),
        ("999", "root.range"),
        ("1000001", "root.range"),
        ("5k", "root.bad"),
    ],
)
def test_a_bare_figure_is_in_the_unit_of_the_question(typed: str, rial: str) -> None:
    assert answered(RIAL, typed) == rial
