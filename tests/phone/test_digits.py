from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.digits import fold, fold_digits, persian_digits, visible


@pytest.mark.parametrize("typed", ["0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩"])
def test_persian_and_arabic_digits_become_ascii(typed: str) -> None:
    assert fold_digits(typed) == "0123456789"


@pytest.mark.parametrize("text", ["²", "५", "５", "Ⅳ", "ي", "a b\u200c"])
def test_folding_digits_leaves_everything_else_alone(text: str) -> None:
    assert fold_digits(text) == text


def test_persian_digits_replace_ascii_digits_only() -> None:
    assert persian_digits("75,000 x ٧") == "۷۵,۰۰۰ x ٧"


@given(st.text(alphabet="0123456789,.-"))
def test_persian_digits_fold_back_to_what_they_were(text: str) -> None:
    assert fold_digits(persian_digits(text)) == text


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("لغو ۱۱", "لغو11"),
        ("لغو\u200c١١", "لغو11"),
        ("\u200fلغو\u00a011\u200e", "لغو11"),
        ("لـــغو۱۱", "لغو11"),
        ("يك", "یک"),
        ("علی", "على"),
        ("مدرسة", "مدرسه"),
        ("خانۀ", "خانه"),
        ("خانهٔ", "خانه"),
        ("آغاز", "اغاز"),
        ("أحمد", "احمد"),
        ("إيران", "ایران"),
        ("مسئول", "مسیول"),
        ("سلامُ", "سلام"),
        ("STOP", "stop"),
        (" S t\to\np ", "stop"),
        ("İ", "i"),
    ],
)
def test_two_spellings_of_one_word_fold_alike(typed: str, meant: str) -> None:
    assert fold(typed) == fold(meant)


def test_different_words_stay_different() -> None:
    assert (
        len({fold(word) for word in ("گزارش", "پیگیری", "داوطلب", "پاک", "لغو")}) == 5
    )


def test_a_superscript_is_not_folded_into_a_digit() -> None:
    assert fold("1²") == "1²"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet="آأإؤئيىكةۀهٔ ابپ\u200c\u0640\u064e۱١1aB\u2067"))
def test_persian_text_folds_to_a_fixed_point_without_spaces(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    assert not set(folded) & set(" \u200c\u0640\u064eيىكةۀ\u2067۱١")


def test_a_hostile_run_of_marks_is_folded_away_in_linear_time() -> None:
    before = process_time()
    assert fold("ا" + "\u0301\u0316" * 50_000) == "ا"
    assert process_time() - before < 2  # sorting the marks first takes ten seconds


def test_only_what_nobody_sees_is_dropped() -> None:
    assert visible("\ufeff\u200eمی\u200cروم ۱\u2069") == "میروم ۱"
    assert visible("plain -") == "plain -"
