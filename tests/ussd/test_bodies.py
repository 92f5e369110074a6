"""Bodies written from trees and read back, and fields found by their paths."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussd.mapping.bodies import decoded, encoded, fields_at, put, steps
from ussd.turn import Unreadable

_LETTERS = st.characters(exclude_categories=("Cc", "Cs", "Cn"))
_TEXT = st.text(_LETTERS, max_size=30)
_NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True)
_TREES = st.recursive(
    _TEXT, lambda inner: st.dictionaries(_NAMES, inner, min_size=1, max_size=3)
)


@given(tree=st.dictionaries(_NAMES, _TREES, max_size=3))
def test_json_is_read_as_it_is_written(tree: dict[str, Any]):
    assert decoded(encoded(tree, "json"), "json") == tree


@given(form=st.dictionaries(_NAMES, _TEXT, max_size=5))
def test_a_form_is_read_as_it_is_written(form: dict[str, str]):
    assert decoded(encoded(form, "form"), "form") == form


@given(
    tree=_TREES,
    said=st.tuples(_TEXT, _TEXT.filter(lambda text: bool(text.strip()))),
    entity=st.booleans(),
)
def test_xml_is_read_as_it_is_written(tree: Any, said: tuple[str, str], entity: bool):
    """Attributes and texts beside them too."""
    whole = {"root": {"@to": said[0], "a": tree, "b": {"@c": "", "#text": said[1]}}}
    for declaration in (False, True):
        body = encoded(whole, "xml", declaration=declaration, newline_entity=entity)
        assert decoded(body, "xml") == whole


@pytest.mark.parametrize(
    ("value", "inside"),
    [
        ("a\nb", "a\nb"),
        ("a\r\nb", "a&#13;\nb"),
        ('<&>"', '&lt;&amp;&gt;"'),
        ("&amp;", "&amp;amp;"),
        ("۱\u200c", "۱\u200c"),
        # No document may hold these, escaped or not.
        ("\x00\x1b\ufffe", "\ufffd\ufffd\ufffd"),
    ],
)
def test_xml_is_escaped_once(value: str, inside: str):
    assert encoded({"a": value}, "xml") == f"<a>{inside}</a>"


def test_a_line_end_is_written_as_the_carrier_wants_it():
    tree = {"a": {"@b": 'x\n"y"', "c": "1\n2"}}
    plain = encoded(tree, "xml")
    assert plain == '<a b="x&#10;&quot;y&quot;"><c>1\n2</c></a>'
    entities = encoded(tree, "xml", newline_entity=True)
    assert entities == '<a b="x&#10;&quot;y&quot;"><c>1&#10;2</c></a>'
    assert decoded(plain, "xml") == decoded(entities, "xml") == tree


def test_truths_and_numbers_are_written_as_json_has_them_everywhere():
    assert encoded({"a": True, "b": 1.5, "c": None}, "json") == (
        '{"a": true, "b": 1.5, "c": null}'
    )
    assert encoded({"a": True, "b": 2}, "form") == "a=true&b=2"
    assert encoded({"a": {"@b": False, "c": 3}}, "xml") == '<a b="false"><c>3</c></a>'


# -- paths -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "format", "parts"),
    [
        ("a.b", "json", ("a", "b")),
        ("a.b", "form", ("a.b",)),
        ("a b", "query", ("a b",)),
        ("a/b/@c", "xml", ("a", "b", "@c")),
        ("@c", "xml", ("@c",)),
        ("s:a/s:b", "xml", ("s:a", "s:b")),
    ],
)
def test_a_path_is_taken_apart(path: str, format: str, parts: tuple[str, ...]):
    assert steps(path, format) == parts


@pytest.mark.parametrize(
    ("path", "format"),
    [
        ("", "json"),
        (".", "json"),
        ("a.", "json"),
        ("a.b.c.d.e.f.g", "json"),
        ("a" * 81, "form"),
        ("a\nb", "form"),
        (" ", "query"),
        ("a/", "xml"),
        ("@a/b", "xml"),
        ("a b", "xml"),
        ("a/text()", "xml"),
        ("//a", "xml"),
        ("a[1]", "xml"),
    ],
)
def test_a_path_that_is_none_is_refused(path: str, format: str):
    with pytest.raises(ValueError, match="should "):
        steps(path, format)


def test_fields_are_found_where_they_stand():
    assert fields_at(b"a=1&b.c=2&d=3", "form", ["a", "b.c", "e"]) == {
        "a": "1",
        "b.c": "2",
    }
    body = '{"a": {"b": 1, "c": true}, "d": null, "e": "۱"}'.encode()
    assert fields_at(body, "json", ["a.b", "a.c", "d", "e", "d.f", "g.h"]) == {
        "a.b": "1",
        "a.c": "true",
        "e": "۱",
    }
    xml = "<r x='0'><a y='1'><b>۱</b><c/></a> <d>2<!-- no --></d></r>".encode()
    assert fields_at(xml, "xml", ["@x", "a/@y", "a/b", "a/c", "a/e", "d", "@z"]) == {
        "@x": "0",
        "a/@y": "1",
        "a/b": "۱",
        "a/c": "",
        "d": "2",
    }


@pytest.mark.parametrize(
    ("body", "format", "path", "says"),
    [
        (b"a=1&a=2", "query", "a", "Field a is given twice."),
        (b'{"a": [1]}', "json", "a.b", "Field a.b stands in what is no object."),
        (b'{"a": "1"}', "json", "a.b", "Field a.b stands in what is no object."),
        (b'{"a": {"b": [1]}}', "json", "a.b", "Field a.b is not a text."),
        (b"<r><a/><a/></r>", "xml", "a", "Field a is given twice."),
        (b"<r><a><b/></a></r>", "xml", "a", "Field a is not a text."),
        (b"<r><a/><a><b/></a></r>", "xml", "a/b", "Field a/b is given twice."),
        (b"<r>&#27;</r>", "xml", "a", "The body is not XML."),
        (b"<s/>", "xml", "a", "The body is no r."),
    ],
)
def test_a_field_that_is_not_there_once_as_a_text_is_refused(
    body: bytes, format: str, path: str, says: str
):
    with pytest.raises(Unreadable) as refused:
        fields_at(body, format, [path], "r" if format == "xml" else "")
    assert str(refused.value) == says


def test_a_tree_is_built_from_paths():
    tree: dict[str, Any] = {}
    for path, value in {("a", "b"): 1, ("a", "c"): 2, ("d",): 3}.items():
        put(tree, path, value)
    assert tree == {"a": {"b": 1, "c": 2}, "d": 3}
    with pytest.raises(ValueError, match="within another field"):
        put(tree, ("d", "e"), 4)
    with pytest.raises(ValueError, match="around another field"):
        put(tree, ("a",), 4)


@pytest.mark.parametrize(
    ("body", "format"),
    [("{", "json"), ("<a>", "xml"), ("<a><b/><b/></a>", "xml"), ("[]", "json")],
)
def test_a_reply_that_is_none_is_refused(body: str, format: str):
    with pytest.raises(Unreadable):
        decoded(body, format)
