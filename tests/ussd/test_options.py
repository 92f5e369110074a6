"""What a channel sets for its dialect, as the file and the environment have it."""

from __future__ import annotations

from typing import Any

import pytest

from ussd.options import Options

NO_DIGIT = "a: should be a number from 1 to 9"
NO_LIST = "a: should be a list of at most 20 values"
NO_CODE = "a: a dial code looks like *780*5588*1#"
NO_SCALARS = "a: should hold texts, numbers, true or false"


def digit(options: Options) -> int:
    return options.number("a", 1, least=1, most=9)


def refusal(options: Options) -> list[str]:
    try:
        options.check()
    except ValueError as refused:
        return str(refused).split("\n")
    return []


def test_nothing_asked_and_nothing_set_is_no_fault():
    Options(None).check()
    Options({}).check()


def test_what_was_asked_for_is_no_fault():
    options = Options({"a": "x", "b": True, "c": 3, "d": [1, "2"], "e": {"f": "g"}})
    assert options.text("a") == "x"
    assert options.flag("b")
    assert options.number("c", 1, least=0, most=9) == 3
    assert options.values("d") == (1, "2")
    inner = options.table("e")
    assert inner.text("f") == "g"
    inner.close()
    options.check()


def test_what_is_not_set_is_the_default():
    options = Options({})
    assert options.text("a", "x") == "x"
    assert options.flag("b", True)
    assert options.number("c", 7, least=0, most=9) == 7
    assert options.values("d") == ()
    assert options.tree("e") is None
    assert options.dial_code("f") == ""
    assert "a" not in options
    options.check()


def test_texts_of_the_environment_are_read_as_what_they_mean():
    options = Options({"b": "TRUE", "c": "3", "d": "1, two", "e": '{"F": [true]}'})
    assert options.flag("b") is True
    assert options.number("c", 1, least=0, most=9) == 3
    assert options.values("d") == ("1", "two")
    assert options.tree("e") == {"F": [True]}
    options.check()


@pytest.mark.parametrize(
    ("ask", "value", "line"),
    [
        (lambda o: o.text("a"), 1, "a: should be a text"),
        (lambda o: o.text("a"), "x\x00", "a: holds a character that nobody sees"),
        (lambda o: o.text("a"), "\u200f", "a: holds a character that nobody sees"),
        (lambda o: o.text("a"), "x" * 201, "a: is longer than 200 characters"),
        (lambda o: o.text("a", among=("y", "z")), "x", "a: should be one of 'y', 'z'"),
        (lambda o: o.flag("a"), "yes", "a: should be true or false"),
        (lambda o: o.flag("a"), 1, "a: should be true or false"),
        (digit, 0, NO_DIGIT),
        (digit, True, NO_DIGIT),
        (digit, "9" * 5000, NO_DIGIT),
        (digit, 1.0, NO_DIGIT),
        (lambda o: o.dial_code("a"), "hello", NO_CODE),
        (lambda o: o.dial_code("a"), True, NO_CODE),
        (lambda o: o.dial_code("a"), ["*780#"], NO_CODE),
        (lambda o: o.dial_code("a"), None, NO_CODE),
        (lambda o: o.values("a", least=1), [], "a: should be a list of 1 to 20 values"),
        (lambda o: o.values("a"), None, NO_LIST),
        (lambda o: o.values("a"), ["x"] * 21, NO_LIST),
        (lambda o: o.values("a"), [1.5], NO_SCALARS),
        (lambda o: o.values("a"), ["x" * 201], NO_SCALARS),
        (lambda o: o.table("a"), "x", "a: should be a table"),
        (lambda o: o.table("a"), "{not json", "a: should be a table"),
        (lambda o: o.table("a"), '{"a": ' * 900, "a: should be a table"),
        (lambda o: o.tree("a"), "{" + "x" * 8000, "a: is longer than 8000 characters"),
        (lambda o: o.table("a").text("b", None), {}, "a.b: is missing"),
        (lambda o: o.table("a").close(), {"b": 1}, "a.b: no such option"),
        (lambda o: None, 1, "a: no such option"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_a_line(ask: Any, value: Any, line: str):
    options = Options({"a": value})
    ask(options)
    assert refusal(options) == [line]


def test_every_fault_is_told_at_once_and_none_shows_a_value():
    options = Options({"a": 1, "b": ["secret"], "secret-less": "secret"})
    options.text("a")
    options.flag("b")
    options.text("c", None)
    options.values("d", least=1)
    assert refusal(options) == [
        "a: should be a text",
        "b: should be true or false",
        "c: is missing",
        "d: is missing",
        "secret-less: no such option",
    ]


@pytest.mark.parametrize("written", ["*780#", "780", 780, " *780# ", "\u200e#780*"])
def test_a_dial_code_comes_in_dial_order(written: Any):
    options = Options({"a": written})
    assert options.dial_code("a") == "*780#"
    options.check()


def test_a_name_that_cannot_be_shown_is_not():
    assert refusal(Options({"a\n" + "b" * 200: 1})) == [f"a?{'b' * 78}: no such option"]


def test_a_table_has_no_end_of_options():
    many = {f"o{n}": n for n in range(41)}
    assert refusal(Options(many)) == ["has more than 40 options"]
