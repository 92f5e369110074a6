"""What a screen takes, the registers take; and what they say of the rest."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.assemblies.districts import DISTRICTS, code_of, number_of
from ledger.assemblies.limits import (
    NAME_CHARS_MAX,
    Wrong,
    check_ahead,
    check_count,
    check_words,
)
from tests.gateway.house import ROOT
from tests.ledger.facts import AT
from ussd.answers import Refused, read_answer
from ussd.reading import read

MENUS = read((ROOT / "menus.yaml").read_text("utf-8"), time_zone="Asia/Tehran")


@given(st.text(max_size=NAME_CHARS_MAX + 2))
def test_a_name_that_the_screen_takes_the_register_takes(name: str) -> None:
    ask = MENUS.screens["ben.name"].ask
    assert ask is not None
    try:
        taken = read_answer(ask, name, MENUS.campaign)
    except Refused:
        return
    assert check_words("name", taken, NAME_CHARS_MAX).split() == taken.split()


@given(st.text(max_size=12))
def test_a_code_of_no_district_has_no_number(code: str) -> None:
    number = number_of(code)
    assert number == 0 or code_of(number) == code


def test_every_district_has_its_code() -> None:
    codes = [code_of(number) for number in range(1, DISTRICTS + 1)]
    assert [number_of(code) for code in codes] == list(range(1, DISTRICTS + 1))
    for wrong in (0, DISTRICTS + 1, -1):
        with pytest.raises(Wrong, match="from 1 to 22"):
            code_of(wrong)
    assert number_of("23-t99") == number_of("23-t011") == number_of("16-t1") == 0


def test_a_count_says_its_bounds() -> None:
    check_count("it", 3, 3)
    with pytest.raises(Wrong, match="it is a number from 1 to 3"):
        check_count("it", 0, 3, least=1)


def test_three_years_are_ahead_and_no_more() -> None:
    check_ahead(AT + timedelta(days=3 * 365), AT)
    with pytest.raises(Wrong, match="more than three years"):
        check_ahead(AT + timedelta(days=3 * 367), AT)
