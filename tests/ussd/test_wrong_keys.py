"""What a screen does after so many wrong keys."""

from __future__ import annotations

import pytest

from tests.ussd.caller import Caller
from tests.ussd.small import small
from ussd.menus import Menus

SCREENS = """
root:
  text: {en: Root}
  wrong: {max: 3, to: help}
  choices:
    - {key: "1", label: {en: Age}, to: age}
    - {key: "0", label: {en: Leave}, to: bye}
help:
  text: {en: "Press one of the keys shown."}
  wrong: {max: 2, to: home}
  choices: [{key: "0", label: {en: Back}, to: back}]
age:
  text: {en: "Age?"}
  wrong: {max: 3, to: age.skip}
  ask: {answer: age, kind: number, min: 1, max: 99, refused: {bad: age.bad}}
  then: help
  choices: [{key: "00", label: {en: Back}, to: back}]
age.bad:
  text: {en: "Digits please."}
  ask: {answer: age, kind: number, min: 1, max: 99, refused: {bad: age.bad}}
  then: help
  choices: [{key: "00", to: back}]
age.skip:
  text: {en: "Never mind."}
  choices: [{key: "0", label: {en: Back}, to: back}]
"""


@pytest.fixture(scope="module")
def menus() -> Menus:
    return small(SCREENS)


def test_after_so_many_wrong_keys_a_screen_leads_elsewhere(menus: Menus) -> None:
    caller = Caller(menus, "*1#")
    assert caller.types("7", "7") == "Wrong.\nRoot\n1 Age\n0 Leave"
    assert caller.types("7") == "Press one of the keys shown.\n0 Back"
    assert caller.types("0") == "Root\n1 Age\n0 Leave"


def test_only_wrong_keys_in_a_row_count(menus: Menus) -> None:
    caller = Caller(menus, "*1#")
    caller.types("7", "7", "1", "00", "7", "7")
    assert caller.at == "root"
    caller.types("7")
    assert caller.at == "help"


def test_a_refused_answer_counts_for_the_screen_that_asked(menus: Menus) -> None:
    caller = Caller(menus, "*1#")
    assert caller.types("1", "old").startswith("Digits please.")
    caller.types("older", "oldest")
    assert caller.at == "age.skip"
    caller.types("0")
    assert caller.at == "age"


def test_who_is_led_about_by_wrong_keys_is_let_go_in_the_end(menus: Menus) -> None:
    caller = Caller(menus, "*1#")
    caller.types(*["7"] * menus.limits.wrong_keys_max)
    assert not caller.ends
    caller.types("7")
    assert caller.ends
    assert caller.text == "Goodbye."


def test_keys_typed_ahead_of_a_screen_are_not_wrong_keys_of_it(menus: Menus) -> None:
    caller = Caller(menus, "*1#", ahead="7")
    caller.types("7", "7")
    assert caller.at == "root"
