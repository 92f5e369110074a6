"""Two screens in a terminal: framed, straight, and with the difference named."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from ussd.transcripts.side_by_side import COLUMNS, columns, difference, side_by_side

WIDE = 2 + 2 * (COLUMNS + 4) + 2


def test_two_screens_stand_in_boxes_and_the_first_difference_is_marked():
    assert side_by_side("Welcome\n1 Give\n0 Exit", "Welcome\n1 Send\n0 Exit") == [
        "  expected                        found",
        "  +----------------------------+  +----------------------------+",
        "  | Welcome                    |  | Welcome                    |",
        "> | 1 Give                     |  | 1 Send                     |",
        "  | 0 Exit                     |  | 0 Exit                     |",
        "  +----------------------------+  +----------------------------+",
    ]


def test_a_persian_line_is_isolated_and_padded_by_what_is_seen():
    # Twelve characters, one of them a joiner that nobody sees.
    lines = side_by_side("می‌پذیرم ۱۲۳", "x")
    row = lines[2]
    assert row.startswith("> | \u2067می‌پذیرم ۱۲۳\u2069" + " " * (COLUMNS - 11) + " |")
    assert columns(row) == WIDE


def test_a_long_line_is_broken_between_words():
    lines = side_by_side("one two three four five six seven eight", "")
    assert lines[2].startswith("> | one two three four five    |")
    assert lines[3].startswith("  | six seven eight            |")


def test_a_screen_cannot_move_the_cursor():
    printed = "".join(side_by_side("\x1b[2J\x07gone\r", "\u202egone"))
    assert not [c for c in printed if unicodedata.category(c) == "Cc"]
    assert "\u202e" not in printed


def test_the_difference_names_letters_that_look_alike():
    assert difference("علی", "علي") == (
        "line 1: U+06CC ARABIC LETTER FARSI YEH expected, "
        "U+064A ARABIC LETTER YEH found"
    )
    assert difference("a\nb", "a\nc") == "line 2: 'b' expected, 'c' found"
    assert (
        difference("a\nb", "a") == "line 1: the end of the line expected, the end found"
    )
    assert difference("a", "a") == "nothing differs"


@given(st.text(max_size=200), st.text(max_size=200))
def test_every_row_is_as_wide_as_every_other(expected: str, found: str):
    rows = side_by_side(expected, found)[1:]
    assert {columns(row) for row in rows} == {columns(rows[0])}


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_difference_is_found_exactly_where_there_is_one(one: str, other: str):
    assert (difference(one, other) == "nothing differs") == (one == other)
