from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.dialcode import NotADialCode, normalise, parts, wrapped

CODES = st.lists(st.from_regex(r"[0-9]{1,6}", fullmatch=True), min_size=1, max_size=6)


@pytest.mark.parametrize(
    "stored",
    [
        "*780*5588*1#",
        "#۱*۵۵۸۸*۷۸۰*",
        "#1*5588*780*",
        "#١*٥٥٨٨*٧٨٠*",
        "1#*5588*780*",
        "۱#*۵۵۸۸*۷۸۰*",
        "*۷۸۰*۵۵۸۸*۱#",
        "\u200e*780*5588*1#\u200e",
        "\u2066*780*5588*1#\u2069",
        " * 780 * 5588 * 1 # ",
        "*780*5588*1",
        "780*5588*1#",
        "780*5588*1",
        "٭780٭5588٭1＃",
    ],
)
def test_every_stored_form_comes_into_dial_order(stored: str) -> None:
    assert normalise(stored) == "*780*5588*1#"


@pytest.mark.parametrize("stored", ["#۷۸۰*", "780#*", "*780#", "*780", "780#", "۷۸۰"])
def test_a_short_code_has_as_many_forms(stored: str) -> None:
    assert normalise(stored) == "*780#"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "#",
        "*#",
        "#*",
        "**780#",
        "*780##",
        "*780**1#",
        "*780*#",
        "*780*",
        "780*5588*",
        "#780*5588",
        "#123#",
        "*#06#",
        "*780*5588#1",
        "*780# *733#",
        "09121234567",
        "*78a#",
        "*78²#",
        "*780*-1#",
        "ستاره ۷۸۰ مربع",
        "*780\x00#",
        "*" + "1" * 63,
        "*1" * 5_000,
    ],
)
def test_what_is_no_dial_code_or_two_is_refused(text: str) -> None:
    with pytest.raises(NotADialCode):
        normalise(text)


@given(CODES)
def test_turned_around_or_not_a_code_is_the_same(groups: list[str]) -> None:
    code = f"*{'*'.join(groups)}#"
    turned = f"#{'*'.join(reversed(groups))}*"
    seen_alone = f"{groups[-1]}#*" + "".join(f"{g}*" for g in reversed(groups[:-1]))
    assert normalise(code) == normalise(turned) == normalise(seen_alone) == code
    assert parts(code) == tuple(groups)
    assert normalise(wrapped(code)) == code


@given(st.text(alphabet="*#0123456789۱\u200e ", max_size=70))
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    try:
        code = normalise(text)
    except NotADialCode:
        return
    assert normalise(code) == code
    assert code[0] == "*"
    assert code[-1] == "#"


def test_a_code_is_taken_apart_and_wrapped() -> None:
    assert parts("*780*5588*1#") == ("780", "5588", "1")
    assert wrapped("*780#") == "\u200e*780#\u200e"
