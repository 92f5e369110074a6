from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.codes import CODES, NotACode, code_of, damm, is_code, read_code

KEY = bytes(range(32))
COUNTERS = st.integers(0, CODES - 1)

# Made by this module's first version.
PINNED = ["331845580", "552061745", "788461781"]


@pytest.mark.parametrize(
    ("digits", "check"), [("572", "4"), ("43881234567", "9"), ("", "0"), ("0", "0")]
)
def test_the_check_digit_is_damms(digits: str, check: str) -> None:
    assert damm(digits) == check
    assert damm(digits + check) == "0"


@given(COUNTERS, st.data())
def test_every_single_wrong_digit_is_noticed(counter: int, data: st.DataObject) -> None:
    code = code_of(counter, KEY)
    place = data.draw(st.integers(0, 8))
    wrong = data.draw(st.sampled_from([d for d in "0123456789" if d != code[place]]))
    assert not is_code(code[:place] + wrong + code[place + 1 :])


@given(COUNTERS, st.integers(0, 7))
def test_every_swap_of_neighbours_is_noticed(counter: int, place: int) -> None:
    code = code_of(counter, KEY)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert swapped == code or not is_code(swapped)


@given(COUNTERS)
def test_every_counter_gives_a_code(counter: int) -> None:
    code = code_of(counter, KEY)
    assert is_code(code)
    assert read_code(code) == code


@given(COUNTERS, COUNTERS, st.binary(min_size=16, max_size=64))
def test_two_counters_never_share_a_code(one: int, other: int, key: bytes) -> None:
    assert (code_of(one, key) == code_of(other, key)) == (one == other)


def test_a_long_run_of_counters_has_no_collision_and_no_order() -> None:
    run = [code_of(counter, KEY) for counter in range(20_000)]
    assert len(set(run)) == len(run)
    assert {code[0] for code in run} == set("123456789")
    rising = sum(a < b for a, b in zip(run, run[1:], strict=False))
    assert 9_500 < rising < 10_500


def test_counters_wrap_and_keys_differ() -> None:
    assert code_of(CODES + 5, KEY) == code_of(5, KEY)
    assert code_of(5, bytes(32)) != code_of(5, KEY)


@pytest.mark.parametrize("size", [0, 15, 65])
def test_a_key_of_the_wrong_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="16 to 64 bytes"):
        code_of(1, bytes(size))


def test_a_code_on_the_books_keeps_its_number() -> None:
    # Changing the permutation would let a counter reach a code already given out.
    assert [code_of(n, KEY) for n in (0, 1, CODES - 1)] == PINNED


@pytest.mark.parametrize(
    "mangle",
    [
        lambda code: f" {code} ",
        lambda code: f"{code[:3]} {code[3:6]} {code[6:]}",
        lambda code: code.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")),
        lambda code: code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
        lambda code: f"\u200e{code[:4]}\u200c{code[4:]}\u200e",
    ],
)
def test_a_code_is_read_as_people_type_it(mangle: Callable[[str], str]) -> None:
    code = code_of(7, KEY)
    assert read_code(mangle(code)) == code


@pytest.mark.parametrize(
    "text",
    ["", "12345678", "1234567890", "000000000", "12345678a", "²" * 9, "1" * 10_000],
)
def test_what_is_no_code_is_refused(text: str) -> None:
    assert not is_code(text)
    with pytest.raises(NotACode):
        read_code(text)


def test_a_right_check_digit_behind_a_first_zero_is_no_code() -> None:
    payload = "01234567"
    assert not is_code(payload + damm(payload))


def test_only_the_exact_form_is_a_code() -> None:
    code = code_of(3, KEY)
    assert not is_code(code + "\n")
    assert not is_code(" " + code)
    assert not is_code(code.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")))
