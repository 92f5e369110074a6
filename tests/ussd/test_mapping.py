"""Configurations of `mapped`: what is wrong with one is told in lines, all at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ussd.dialects.mapped import Mapped
from ussd.turn import Answer, Call, Request, Turn

CASES = Path(__file__).parent / "mapped" / "faults.yaml"
FAULTS = yaml.safe_load(CASES.read_text("utf-8"))
GOOD = FAULTS["good"]
PHONE = "+989121234567"
CODE = "*780*5588*1#"


def faults(**changed: Any) -> list[str]:
    """The lines that a good configuration with these changes is refused with."""
    try:
        Mapped(region="IR", options=_changed(GOOD, changed))
    except ValueError as refused:
        return str(refused).split("\n")
    return []


def _changed(good: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    """With other settings, in tables within too; without those that are None."""
    merged = dict(good)
    for name, value in changed.items():
        if name in ("fields", "kind", "reply") and isinstance(value, dict):
            value = _changed(good[name], value)
        merged[name] = value
    return {name: value for name, value in merged.items() if value is not None}


def test_a_good_configuration_has_no_faults():
    assert faults() == []


@pytest.mark.parametrize("case", FAULTS["cases"], ids=lambda case: case["says"][0])
def test_a_fault_is_told_in_a_line_that_names_it(case: dict[str, Any]):
    assert faults(**case["set"]) == case["says"]


def test_every_fault_is_told_at_once():
    assert faults(
        method="FETCH",
        code="x",
        kind={"field": None, "answer": None},
        reply={"format": None, "go_on": None, "end": None},
        sky="blue",
    ) == [
        "method: should be one of 'POST', 'GET', 'PUT'",
        "kind.field: is missing: which field holds these values?",
        "code: a dial code looks like *780*5588*1#",
        "reply.format: is missing",
        "reply.go_on: is missing",
        "reply.end: is missing",
        "kind.answer: is missing, and kind.otherwise is not answer",
        "sky: no such option",
    ]


def test_nothing_set_is_told_in_a_few_lines():
    with pytest.raises(
        ValueError, match=r"^format: is missing\nfields\.phone: is missing"
    ):
        Mapped(region="IR")


def test_a_reply_whose_last_screen_looks_like_another_is_refused():
    """A screen that ends in the name of the call would be taken for a last one."""
    reply = {"format": "text", "go_on": "{text}", "end": "{text} {session}"}
    assert faults(reply=reply) == ["reply: a last screen cannot be told from another"]


def test_a_reply_that_is_no_xml_is_refused():
    def shape(kind: int) -> dict[str, Any]:
        return {"s:reply": {"kind": kind, "text": "{text}"}}

    said = faults(reply={"format": "xml", "go_on": shape(1), "end": shape(2)})
    assert said == ["reply: what is written is not heard: The body is not XML."]


def test_a_start_that_looks_like_an_answer_is_refused():
    kind = {"field": "text", "start": "*", "answer": None, "otherwise": "answer"}
    assert faults(kind=kind) == [
        "an answer that the carrier's side writes is not read so"
    ]


@pytest.mark.parametrize(
    ("mould", "says"),
    [
        ("{text}" + "x" * 994, []),
        (
            "{text}" + "x" * 995 + "y",
            ["reply.end: holds a text of more than 1000 characters"],
        ),
    ],
)
def test_a_mould_is_bounded(mould: str, says: list[str]):
    assert faults(reply={"end": {"text": mould}}) == says


def test_a_configuration_can_come_from_the_environment():
    """Where names are small letters, and values texts."""
    from_environment = {
        "format": "json",
        "cumulative": "FALSE",
        "fields": {
            "session": "sid",
            "phone": "from",
            "typed": "Text",
            "dialled": "Text",
        },
        "kind": {"field": "New", "start": "true, YES", "answer": "false, no"},
        "sample": '{"Net": "MCI"}',
        "reply": {
            "format": "json",
            "status": "201",
            "go_on": '{"Text": "{text}", "More": true}',
            "end": '{"Text": "{text}", "More": false}',
            "end_headers": '{"X-End": "{session}"}',
        },
    }
    carrier = Mapped(region="IR", options=from_environment)
    body = '{"sid": "s", "from": "09121234567", "Text": "1", "New": "No"}'
    turn = carrier.read(Request(body=body.encode()))
    assert isinstance(turn, Turn)
    assert carrier.write(turn, "x", ends=True) == Answer(
        '{"Text": "x", "More": false}',
        status=201,
        content_type="application/json",
        headers={"X-End": "s"},
    )


_ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=10),
        st.sampled_from(
            ["{text}", "a/b", "a.b", "json", "xml", "*780#", "{", '{"a": 1}']
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["session", "typed", "phone", "a", "@b", ""]), inner
        ),
    ),
    max_leaves=8,
)
_OPTIONS = st.dictionaries(
    st.sampled_from(
        [*GOOD, "method", "first", "code", "ends", "sample", "cumulative", "x"]
    ),
    _ANYTHING,
    max_size=4,
)


@given(options=_OPTIONS, table=st.sampled_from(["fields", "kind", "reply", ""]))
def test_whatever_is_set_works_or_is_refused_in_lines(
    options: dict[str, Any], table: str
):
    if table:
        options = {table: {**GOOD[table], **options}}
    try:
        carrier = Mapped(region="IR", options={**GOOD, **options})
    except ValueError as refused:
        lines = str(refused).split("\n")
        assert all(line and line.isprintable() for line in lines)
        assert all(len(line) < 400 for line in lines)
    else:
        turn = carrier.read(carrier.send(Call("s", PHONE, CODE, ("1",))))
        assert isinstance(turn, Turn)
