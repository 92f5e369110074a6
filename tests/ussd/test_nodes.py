from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussd.faults import FAULTS_SHOWN_MAX, BadMenus, Fault
from ussd.nodes import SOURCE_CHARS_MAX, parse


def _refused(source: str) -> Fault:
    with pytest.raises(BadMenus) as refused:
        parse(source, "m.yaml")
    (fault,) = refused.value.faults
    assert str(refused.value).startswith(f"m.yaml:{fault.line}:{fault.column}: ")
    return fault


def _faults(source: str) -> list[Fault]:
    try:
        return parse(source)[1]
    except BadMenus as refused:
        return list(refused.faults)


def test_scalars_stay_what_the_operator_typed() -> None:
    root, faults = parse("a: 1\nb: 1405/01/01\nc: yes\nd: 0780\ne: ~\n")
    assert faults == []
    texts = {key: node.text for key, node in root.mapping("m").items()}
    assert texts == {"a": "1", "b": "1405/01/01", "c": "yes", "d": "0780", "e": "~"}


def test_a_value_remembers_its_place_and_the_line_of_its_name() -> None:
    root, _ = parse("a:\n  b: x\n  c:\n    - y\n")
    a = root.mapping("m")["a"]
    assert (a.line, a.named) == (2, 1)
    c = a.mapping("a")["c"]
    assert (c.line, c.column, c.named) == (4, 5, 3)


@pytest.mark.parametrize(
    ("source", "line", "what"),
    [
        ("", 1, "the file is empty"),
        ("# only a comment\n", 1, "the file is empty"),
        ("a: 1\nb: [1\n", 3, "not YAML"),
        ("a: 1\n b: 2\n", 2, "not YAML"),
        ("a: 'x\n", 2, "not YAML"),
        ("a: *nobody\n", 1, "not YAML"),
        ("a: 1\n--- \nb: 2\n", 2, "not YAML"),
        ("a: \x00\n", 1, "not YAML"),
        ("a: &a\n  b: *a\n", 1, "the file unfolds without end"),
        ("[" * 100_000, 1, "values within values, more than 20 deep"),
        ("\n" * 3 + "{a: " * 50_000, 4, "values within values, more than 20 deep"),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_line(
    source: str, line: int, what: str
) -> None:
    fault = _refused(source)
    assert fault.what.startswith(what)
    if "unfolds" not in what:
        assert fault.line == line
    assert fault.remedy


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert _refused("\n".join(lines)).what == "the file unfolds without end"


def test_an_alias_that_ends_is_followed() -> None:
    root, faults = parse("a: &x {b: c}\nd: *x\n")
    assert faults == []
    assert root.mapping("m")["d"].mapping("d")["b"].text == "c"


def test_what_an_alias_stands_for_has_a_name_of_its_own_in_each_place() -> None:
    root, _ = parse("a: &x {b: c}\nd:\n  e: *x\nf: *x\n")
    top = root.mapping("m")
    named = [top["a"], top["d"].mapping("d")["e"], top["f"]]
    assert [(n.named, n.named_column) for n in named] == [(1, 1), (3, 3), (4, 1)]
    assert {n.line for n in named} == {1}


def test_two_anchors_of_one_name_are_refused() -> None:
    fault = _refused("a: &x 1\nb: &x 2\n")
    assert (fault.line, fault.what) == (2, "not YAML: there are two anchors x")


def test_a_file_beyond_the_limit_is_refused_unread() -> None:
    assert _refused("#" * (SOURCE_CHARS_MAX + 1)).what.startswith("the file is longer")


def test_a_name_that_stands_twice_is_a_fault_on_the_second() -> None:
    _, faults = parse("a: 1\nb: 2\na: 3\n")
    assert [(f.line, f.what) for f in faults] == [(3, "'a' stands here twice")]


def test_a_name_that_is_no_text_is_a_fault() -> None:
    _, faults = parse("? [1, 2]\n: x\n")
    assert [f.what for f in faults] == ["a name is not a text"]


@pytest.mark.parametrize(
    ("source", "read", "what"),
    [
        ("a: [1]", "mapping", "it is not a mapping"),
        ("a: {b: 1}", "sequence", "it is not a list"),
        ("a: [1]", "string", "it is not a text"),
        ("a: -5", "whole", "it is not a whole number"),
        ("a: 1.5", "whole", "it is not a whole number"),
        ("a: ۵", "whole", "it is not a whole number"),
        (f"a: {'9' * 19}", "whole", "it is not a whole number"),
        ("a: yes", "flag", "it is neither true nor false"),
    ],
)
def test_a_value_of_the_wrong_kind_is_a_fault(
    source: str, read: str, what: str
) -> None:
    root, faults = parse(source)
    getattr(root.mapping("m")["a"], read)("it")
    assert [(f.line, f.what) for f in faults] == [(1, what)]


def test_a_whole_number_may_have_its_groups_apart() -> None:
    root, faults = parse("a: 500_000_000")
    assert root.mapping("m")["a"].whole("a") == 500_000_000
    assert faults == []


def test_names_that_lack_or_are_too_many_are_faults() -> None:
    root, faults = parse("a: 1\nc: 2\n")
    root.mapping("it", needs=("a", "b"))
    assert {f.what for f in faults} == {"it has no 'c'", "it lacks 'b'"}


def test_of_very_many_faults_the_first_are_shown() -> None:
    faults = [Fault(n, 1, "x", "y") for n in range(FAULTS_SHOWN_MAX + 7, 0, -1)]
    lines = str(BadMenus(faults, "m.yaml")).splitlines()
    assert lines[0] == "m.yaml:1:1: x. y"
    assert lines[-1] == "and 7 more"
    assert len(lines) == FAULTS_SHOWN_MAX + 1


@given(st.text(max_size=200))
def test_no_text_does_anything_but_parse_or_be_refused(source: str) -> None:
    assert all(fault.line >= 1 and fault.remedy for fault in _faults(source))


@given(st.text(alphabet="ab:{}[],&*!|>-? \n\t'\"#%@`", max_size=60))
def test_no_marks_do_anything_but_parse_or_be_refused(source: str) -> None:
    assert all(fault.line >= 1 and fault.remedy for fault in _faults(source))
