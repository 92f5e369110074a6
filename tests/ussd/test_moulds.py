"""Screens put into the shape of a reply, and found in it again."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussd.mapping.moulds import Mould

_LETTERS = st.characters(exclude_categories=("Cc", "Cs", "Cn"))
_TEXT = st.text(_LETTERS, max_size=40)
NO_VALUE = "holds what is no text, number, true, false, list or table"
SLOTS = ("text", "session", "phone")


@pytest.mark.parametrize(
    "mould",
    [
        "{text}",
        "CON {text}",
        "1|{text}|null|{session}|null",
        "{session}: {text}",
        "{phone}, {session}: {text} ({phone})",
    ],
)
@given(text=_TEXT, session=st.from_regex(r"[a-z0-9]{1,9}", fullmatch=True))
def test_a_text_is_found_where_it_was_put(mould: str, text: str, session: str):
    shape = Mould(mould, "text")
    filled = shape.fill({"text": text, "session": session, "phone": "989121234567"})
    assert shape.find(filled) == text


@given(text=_TEXT)
def test_a_text_is_found_deep_in_a_tree(text: str):
    tree = {"a": [{"b": "x{text}y", "c": True}, 2, None], "d": "{session}"}
    shape = Mould(tree, "json")
    filled = shape.fill({"text": text, "session": "s"})
    assert filled == {"a": [{"b": f"x{text}y", "c": True}, 2, None], "d": "s"}
    assert shape.find(filled) == text


@pytest.mark.parametrize(
    "other",
    [
        {"text": "a"},
        {"text": "a", "more": False},
        {"text": "a", "more": 1},
        {"text": "a", "more": "true"},
        {"text": "a", "more": True, "else": 1},
        {"text": 1, "more": True},
        {"text": {"a": "b"}, "more": True},
        ["a", True],
        "a",
        None,
    ],
)
def test_another_shape_is_no_reply_of_this_one(other: Any):
    shape = Mould({"text": "{text}", "more": True}, "json")
    assert shape.find({"text": "a", "more": True}) == "a"
    assert shape.find(other) is None


def test_a_literal_is_a_text_where_the_format_has_only_texts():
    shape = Mould({"r": {"more": True, "text": "{text}", "n": 2}}, "xml")
    assert shape.find({"r": {"more": "true", "text": "a", "n": "2"}}) == "a"
    assert shape.find({"r": {"more": "false", "text": "a", "n": "2"}}) is None


def test_two_places_of_a_text_must_agree():
    shape = Mould({"a": "{text}", "b": "{text}"}, "json")
    assert shape.find({"a": "1", "b": "1"}) == "1"
    assert shape.find({"a": "1", "b": "2"}) is None


@pytest.mark.parametrize(
    ("mould", "said"),
    [
        ("CON {text}", "con a"),
        ("a{text}b", "a"),
        ("ab{text}ba", "aba"),
        ("{text}.", "a"),
    ],
)
def test_a_text_without_what_stands_around_it_is_no_reply(mould: str, said: str):
    assert Mould(mould, "text").find(said) is None


def test_braces_that_are_no_slot_stand_as_they_are():
    shape = Mould("{} {0} {Text} { text } {text}", "text")
    assert not list(shape.faults(SLOTS))
    assert shape.fill({"text": "{session}"}) == "{} {0} {Text} { text } {session}"


def test_a_long_reply_is_searched_once():
    """Whatever stands in it: there is no way back that a hostile text could take."""
    shape = Mould("{session}a{phone}a{text}b{session}b", "text")
    began = time.monotonic()
    for body in ("a" * 200_000, "ab" * 100_000, "b" * 200_000):
        shape.find(body)
    assert time.monotonic() - began < 2


def test_slots_and_what_is_not_one_are_told_apart():
    shape = Mould({"a": "x{text}", "b": ["{session}", 5]}, "json")
    assert shape.slots == {"text", "session"}
    assert shape.literal_chars == 1


@pytest.mark.parametrize(
    ("tree", "format", "fault"),
    [
        ("a", "xml", "should be a table, for the format is xml"),
        ({"a": 1}, "text", "should be a text, for the format is text"),
        ({"a": 1, "b": 2}, "xml", "should hold one element, the root"),
        ({"@a": 1}, "xml", "should hold one element, the root"),
        ({}, "xml", "should hold one element, the root"),
        ({"a": {"b": {}}}, "xml", "holds a table where a text is wanted"),
        ({"a": {"@b": {"c": 1}}}, "xml", "holds a table where a text is wanted"),
        ({"a": {"b c": 1}}, "xml", "holds a name that the format has no room for"),
        ({"a": {"b><c": 1}}, "xml", "holds a name that the format has no room for"),
        ({"a\n": 1}, "json", "holds a name that the format has no room for"),
        ({"a": ["b"]}, "xml", "holds a list, which only JSON has"),
        ({"a": {"b": 1}}, "form", "holds a table where a text is wanted"),
        ({"a": None}, "form", NO_VALUE),
        ({"a": "{b}"}, "json", "names {b}; there are phone, session, text"),
    ],
)  # fmt: skip
def test_a_mould_that_cannot_be_written_has_a_fault(tree: Any, format: str, fault: str):
    assert list(Mould(tree, format).faults(SLOTS)) == [fault]
