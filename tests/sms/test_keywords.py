from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.keywords import Keyword, read


@pytest.mark.parametrize(
    "text",
    [
        "11",
        "۱۱",
        "١١",
        " ۱۱ ",
        "1 1",
        "11.",
        "«۱۱»",
        "«لغو ۱۱»",
        '"11"',
        "لغو",
        "لغو11",
        "لغو۱۱",
        "لغو ۱۱",
        "لغو\u200c۱۱",
        "لغو\n١١",
        "لـغـو",
        "\u200f۱۱\u200e",
        "۱۱ لغو",
        "توقف",
        "STOP",
        "Stop.",
        "stop 11",
        "UNSUBSCRIBE",
    ],
)
def test_every_spelling_of_stop_is_obeyed(text: str) -> None:
    assert read(text) is Keyword.STOP


@pytest.mark.parametrize(
    "text", ["12", "۱۲", "١٢", " ۱۲.", "وصل", "وصل ۱۲", "وصل١٢", "START", "start 12"]
)
def test_every_spelling_of_start_is_obeyed(text: str) -> None:
    assert read(text) is Keyword.START


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "110",
        "۱۱۰",
        "111",
        "1",
        "112",
        "0011",
        "11 12",
        "لغو نکنید",
        "چرا لغو شد؟",
        "please stop calling me",
        "ساعت ۱۱ می‌آیم",
        "11 تومان",
        "²",
        "११",
        "!",
    ],
)
def test_nothing_else_is_a_keyword(text: str) -> None:
    assert read(text) is None


def test_a_long_text_is_no_keyword_and_costs_nothing() -> None:
    assert read("11" + " " * 100_000) is None


@given(st.text(max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    assert read(text) in (None, Keyword.STOP, Keyword.START)


@given(
    word=st.sampled_from(["11", "۱۲", "لغو", "STOP", "وصل"]),
    dust=st.text(alphabet=" \u200c\u200e\u200f«».!\n", max_size=8),
)
def test_dust_around_a_keyword_changes_nothing(word: str, dust: str) -> None:
    assert read(dust + word + dust) is read(word)
