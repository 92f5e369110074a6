"""The service is killed in the middle of calls and of texts, and loses neither."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from bench.books import Books, Caller, compare, untrue
from bench.crash import crash


@pytest.mark.skipif(sys.platform != "linux", reason="the script reads /proc")
def test_a_kill_loses_no_pledge_and_no_text(tmp_path: Path):
    assert crash(tmp_path, calls=20, seed=5) == []


def agreed() -> tuple[Caller, Books]:
    caller = Caller("+989121234567", "s", "END کد پیگیری ۱۲۳۴۵۶۷۸۹")
    books = Books(
        phones={"123456789": caller.phone}, texts={"123456789": ["7"]}, rial=20_000
    )
    return caller, books


def test_books_that_agree_have_no_difference():
    caller, books = agreed()
    assert list(compare([caller], books, Counter(["7"]), 20_000)) == []
    # Sent twice is counted, but loses nothing.
    assert list(compare([caller], books, Counter(["7", "7"]), 20_000)) == []


def test_a_code_that_was_read_and_is_not_in_the_ledger_is_told():
    caller, books = agreed()
    caller.end = "END کد پیگیری ۹۸۷۶۵۴۳۲۱"
    found = list(compare([caller], books, Counter(["7"]), 20_000))
    assert found == ["code 987654321 was read and is not that caller's in the ledger"]


def test_a_second_pledge_of_one_confirm_is_told():
    caller, books = agreed()
    books.phones["222222222"] = caller.phone
    books.texts["222222222"] = ["8"]
    found = list(compare([caller], books, Counter(["7", "8"]), 20_000))
    assert "caller s has 2 pledges" in found
    assert "1 callers and 2 pledges" in found


def test_a_pledge_without_a_text_and_a_text_that_never_left_are_told():
    caller, books = agreed()
    assert list(compare([caller], books, Counter(), 20_000)) == [
        "text 7 never arrived: []"
    ]
    books.texts["123456789"] = []
    assert list(compare([caller], books, Counter(["7"]), 20_000)) == [
        "pledge 123456789 has 0 texts in the outbox",
        "the carrier was sent 7, which the outbox does not know",
    ]


def test_a_caller_who_was_told_that_nothing_was_recorded_has_no_pledge():
    caller, books = agreed()
    assert list(untrue([caller], books)) == []
    caller.reads("END سامانه شلوغ است و چیزی ثبت نشد.")
    (found,) = untrue([caller], books)
    assert found.startswith("s has a pledge and was told")
    assert list(untrue([caller], Books())) == []
