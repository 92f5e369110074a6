from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.digits import fold
from sms.keywords import RESERVED, Found, Keyword, answer, find, read


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


WORDS = {
    fold(word): name
    for name, words in {
        "give": ("1+1", "یک به علاوه یک", "give"),
        "status": ("پیگیری", "status"),
        "mine": ("status mine",),
    }.items()
    for word in words
}


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("1+1 50000", "50000"),
        ("1+1:50000", "50000"),
        ("1+1, 50000", "50000"),
        ("۱+۱ ۵۰ هزار", "۵۰ هزار"),
        ("١+١ ٥٠ هزار", "٥٠ هزار"),
        ("۱ + ۱ ۵۰ هزار", "۵۰ هزار"),
        ("۱+۱\u200c۵۰هزار", "۵۰هزار"),
        ("\u200e۱+۱\u200e ۵۰ هزار.", "۵۰ هزار"),
        ("1+1\n50000", "50000"),
        ("«1+1» 50000", "50000"),
        ("1+1پنجاه هزار", "پنجاه هزار"),
        ("1+1 یک میلیون تومان", "یک میلیون تومان"),
        ("1+1 -50", "-50"),
        ("یک به علاوهٔ یک ۵۰ هزار", "۵۰ هزار"),
        ("GIVE 50000", "50000"),
        ("give50000", "50000"),
        ("1+1", ""),
        (" ۱+۱ . ", ""),
        ("1+1؟", ""),
    ],
)
def test_a_gift_is_understood_however_it_is_spelled(text: str, rest: str) -> None:
    assert find(text, WORDS) == Found("give", rest)


@pytest.mark.parametrize(
    "text",
    [
        "1+150000",
        "۱+۱۵۰۰۰۰",
        "1+1.5",
        "1+1,500",
        "1+1/2",
        "1+1+1",
        "1+1*5",
        "11+1",
        "statusquo",
        "پیگیری\u200cها",
        "پیگیریها",
        "50000 1+1",
        "",
        " . ",
        "+",
    ],
)
def test_what_has_two_readings_or_none_is_not_understood(text: str) -> None:
    assert find(text, WORDS) is None


@pytest.mark.parametrize("word", ["11", "۱۱.", "لغو", "STOP", "12", "شروع"])
def test_stopping_and_starting_come_before_any_keyword(word: str) -> None:
    assert find(word, {fold(word.strip(".")): "mine"}) is None


def test_the_longest_keyword_is_meant() -> None:
    assert find("status mine 5", WORDS) == Found("mine", "5")
    assert find("status mines", WORDS) == Found("status", "mines")


def test_a_letter_to_a_person_is_no_keyword() -> None:
    assert find("1+1 " + "a" * 156, WORDS) == Found("give", "a" * 156)
    assert find("1+1 " + "a" * 157, WORDS) is None
    assert find("1+1 " * 30_000, WORDS) is None


# What a keypad, a keyboard of another language or a program puts into a word.
_VARIANTS = {
    "ی": ["ی", "ي", "ى"],
    "ک": ["ک", "ك"],
    "ه": ["ه", "ۀ", "ة"],
    "1": ["1", "۱", "١"],
}


@st.composite
def _spellings(draw: st.DrawFn, word: str) -> str:
    """A word as somebody may have typed it."""
    typed = draw(st.text(alphabet=" \u200c\u200e\u200f«.\n", max_size=3))
    for letter in word:
        others = _VARIANTS.get(letter, [letter, letter.upper()])
        typed += draw(st.sampled_from(others))
        # Tatweel, diacritics, ZWNJ, spaces and marks that nobody sees.
        typed += draw(
            st.sampled_from(["", "", "", "ـ", "\u064e", "\u200c", " ", "\u200f"])
        )
    return typed


@given(
    data=st.data(),
    word=st.sampled_from(["1+1", "پیگیری", "یک به علاوه یک", "status"]),
    rest=st.sampled_from(["", "ماه", "50000", "۵۰ هزار"]),
    between=st.sampled_from([" ", "\n", ": ", " \u200f", "؛ "]),
)
def test_every_spelling_of_a_keyword_reads_the_same(
    data: st.DataObject, word: str, rest: str, between: str
) -> None:
    typed = data.draw(_spellings(word))
    assert find(typed + between + rest, WORDS) == Found(WORDS[fold(word)], rest)


@given(text=st.text(max_size=200))
def test_any_text_is_looked_through(text: str) -> None:
    found = find(text, WORDS)
    assert found is None or found.name in WORDS.values()
    assert found is None or len(found.rest) < len(text)


@given(one=st.text(max_size=8), other=st.text(max_size=8))
def test_folding_goes_letter_by_letter(one: str, other: str) -> None:
    """What `find` stands on."""
    assert fold(one + other) == "".join(map(fold, one + other))


@pytest.mark.parametrize(
    "text", ["1", "۱", "١", " ۱. ", "«1»", "بله", "بلی", "آره", "اره", "تایید", "تأیید"]
)
def test_yes_is_key_1(text: str) -> None:
    assert answer(text) == "1"


@pytest.mark.parametrize("text", ["0", "خیر", "نه", "نه!", "No", "n", "۰"])
def test_no_is_key_0(text: str) -> None:
    assert answer(text) == "0"


@pytest.mark.parametrize("text", ["yes", "Y", "OK", "ok.", "Okay", "بلـه"])
def test_yes_is_said_in_many_ways(text: str) -> None:
    assert answer(text) == "1"


@pytest.mark.parametrize("text", ["نه", "بله", "خیر", "ok"])
def test_at_a_question_a_word_stays_a_word(text: str) -> None:
    assert answer(text, asks=True) == text


def test_figures_are_folded_everywhere_and_never_put_together() -> None:
    assert answer("۲۲") == answer("۲۲", asks=True) == "22"
    assert answer("۵۰.", asks=True) == "50"
    assert answer("5 0") == answer("5 0", asks=True) == "5 0"


@pytest.mark.parametrize("text", ["11", "۱۱", "1 1", "12.", "لغو", "STOP", "شروع"])
def test_what_stops_or_starts_texts_is_no_answer(text: str) -> None:
    assert answer(text) == text
    assert answer(text, asks=True) == text


@given(st.text(max_size=60))
def test_no_other_text_becomes_a_key_that_stops(text: str) -> None:
    assert answer(text) == text or read(answer(text)) is None


def test_a_long_text_is_an_answer_as_it_is() -> None:
    long = "1" + " " * 100_000
    assert answer(long) is long


def test_every_word_that_is_read_first_says_what_it_does() -> None:
    assert RESERVED["11"] == RESERVED[fold("لغو ۱۱")] == "stops texts"
    assert RESERVED["start"] == "starts texts"
    assert RESERVED[fold("بله")] == RESERVED["no"] == "answers a question"
