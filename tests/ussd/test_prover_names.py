"""Answers that bear the name of something else, and facts that conditions ask about."""

from __future__ import annotations

import pytest

from phone.encoding import Limits
from tests.ussd.small import small
from ussd.prover import prove

LIST = "lists:\n  one: {a: {en: A}, b: {en: B}}\n"


def whats(screens: str, top: str = "") -> list[str]:
    found = prove(small(screens, top), channels={"at": Limits()}, lines=[])
    assert all(fault.remedy for fault in found)
    return [fault.what for fault in found]


def asking(ask: str) -> str:
    return f"""
root:
  text: {{en: What?}}
  ask: {ask}
  then: door
  choices: [{{key: "0", to: bye}}]
"""


@pytest.mark.parametrize(
    "name",
    [
        *("why", "one_code", "mine_name"),  # of the ledger
        *("campaign_title", "min", "pay"),  # of the campaign
        *("language", "titles"),  # of who reads
        *("dialled", "meant", "code", "outcome"),  # of the conversation
    ],
)
@pytest.mark.parametrize(
    "ask",
    [
        "{answer: NAME, kind: text, min: 1, max: 5}",
        "{answer: mine, kind: digits, min: 1, max: 5, set: {NAME: x}}",
    ],
)
def test_an_answer_may_not_be_named_like_what_the_service_says(
    ask: str, name: str
) -> None:
    said = f"root keeps an answer as {name!r}, which the service says itself"
    assert whats(asking(ask.replace("NAME", name))) == [said]


def test_nor_may_one_that_a_key_or_a_shortcut_gives() -> None:
    screens = """
root:
  text: {en: What?}
  choices:
    - {key: "1", label: {en: A}, set: {tb_given: a}, to: door}
    - {key: "0", to: bye}
"""
    shortcuts = "shortcuts:\n  short: {to: door, set: {line: a}}\n"
    assert whats(screens, shortcuts) == [
        "nothing dials the shortcut short",
        "short keeps an answer as 'line', which the service says itself",
        "root keeps an answer as 'tb_given', which the service says itself",
    ]


def test_the_rest_of_a_dial_code_is_no_answer() -> None:
    assert (
        whats(asking("{answer: dialled, kind: dial}").replace("then: door", "")) == []
    )


def test_what_a_list_calls_its_items_may_be_an_answer() -> None:
    """Only its `item` says it, and cannot mean the answer by it."""
    screens = """
root:
  text: {en: Which?}
  list: one
  pick: title
  then: said
  choices: [{key: "0", to: bye}]
said:
  text: {en: "{title|title('one')}"}
  list: one
  item: {en: "{title}"}
  then: door
  choices: [{key: "0", to: bye}]
"""
    assert whats(screens, LIST) == []


@pytest.mark.parametrize(
    ("when", "never"),
    [
        ("mine_state == 'activ'", "mine_state with 'activ'"),
        ("invite_state != 'maybe'", "invite_state with 'maybe'"),
        ("tb_below == 'no'", "tb_below with 'no'"),
        ("own_kind == 'lessons'", ""),  # the file has no list of these
        ("centre_kind == 'village'", ""),
        ("mine_state == ''", ""),
    ],
)
def test_a_fact_is_compared_only_with_what_it_can_be(when: str, never: str) -> None:
    screens = f"""
root:
  text:
    - {{when: "{when}", en: One}}
    - {{en: Another}}
  choices: [{{key: "1", label: {{en: On}}, to: door}}, {{key: "0", to: bye}}]
"""
    said = [f"a wording of root compares {never}, which it never is"] if never else []
    assert whats(screens) == said
