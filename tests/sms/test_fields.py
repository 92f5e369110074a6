"""What carriers post: hostile until each field was read, whatever the format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.carrier import Posted, Receipt, Status, Unreadable
from sms.fields import (
    FIELDS_MAX,
    ITEMS_MAX,
    each,
    field_of,
    fields_of,
    items_of,
    object_of,
    texts_in,
    time_in,
)

URL = "https://give.example.org/sms/it/key/inbound"


def _form(body: bytes) -> Posted:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    return Posted("POST", URL, b"", kind, body)


def _json(body: bytes) -> Posted:
    return Posted("POST", URL, b"", {"content-type": "application/json"}, body)


@pytest.mark.parametrize(
    "posted",
    [
        Posted("GET", URL, b"id=7&text=%DB%B1%DB%B1+x&more=1"),
        _form(b"id=7&text=%DB%B1%DB%B1+x&more=1"),
        _json('{"id": 7, "text": "۱۱ x", "more": [1]}'.encode()),
    ],
    ids=["query", "form", "json"],
)
def test_the_same_fields_are_read_from_a_query_a_form_and_json(posted: Posted) -> None:
    assert fields_of(posted, "id", "text") == {"id": "7", "text": "۱۱ x"}


def test_a_get_is_read_by_its_query_whatever_its_body_says() -> None:
    kind = {"content-type": "application/json"}
    posted = Posted("GET", URL, b"id=7", kind, b'{"id": 8}')
    assert fields_of(posted, "id") == {"id": "7"}
    assert posted.raw == b"id=7"


@pytest.mark.parametrize(
    ("posted", "why"),
    [
        (_form(b"id=1&id=2"), "id is given twice"),
        (_form(b"id=%FF"), "id is not UTF-8"),
        (_form(b"&".join(b"f%d=1" % n for n in range(FIELDS_MAX + 1))), "more than"),
        (_json(b'{"id": 1, "id": 2}'), "id is given twice"),
        (_json(b'{"a\\nb": 1, "a\\nb": 2}'), r"^a\?b is given twice$"),
        (_json(b"[1]"), "not a JSON object"),
        (_json(b"{"), "not JSON"),
        (_json(b'{"id": NaN}'), "not JSON"),
        (_json(b"\xff\xfe"), "not JSON"),
        (_json(b"[" * 100_000), "not JSON"),
        (_json(b'{"id": ' + b"9" * 5_000 + b"}"), "not JSON"),
        (_json(b'{"id": {"a": 1}}'), "id is not a text"),
        (_json(b'{"id": 1.5}'), "id is not a text"),
        (_json(b'{"id": true}'), "id is not a text"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(posted: Posted, why: str) -> None:
    with pytest.raises(Unreadable, match=why) as error:
        fields_of(posted, "id")
    assert "\n" not in str(error.value)


def test_a_field_that_nobody_asked_for_may_be_anything() -> None:
    assert fields_of(_form(b"id=1&x=%FF&x=2"), "id") == {"id": "1"}
    assert fields_of(_json(b'{"id": "1", "x": [{}]}'), "id") == {"id": "1"}
    assert fields_of(_json(b'{"id": null}'), "id") == {}


def test_a_field_is_named_and_never_shown() -> None:
    form = {"from": "x" * 33, "text": "a\x00b", "empty": "  ", "half": "\ud800"}
    for name in (*form, "missing"):
        with pytest.raises(Unreadable, match=f"^{name} ") as error:
            field_of(form, name, chars_max=32)
        assert "xxx" not in str(error.value)


def _read(item: Any) -> Receipt:
    form = texts_in(item, "id")
    return Receipt(field_of(form, "id", chars_max=9), Status.SENT, "sent")


def test_one_bad_item_keeps_no_good_one_from_being_believed() -> None:
    found = each([{"id": "1"}, {"id": []}, 7, {"id": "2"}], _read)
    good = [item for item in found if isinstance(item, Receipt)]
    assert [receipt.carrier_id for receipt in good] == ["1", "2"]
    assert [json.loads(receipt.raw) for receipt in good] == [{"id": "1"}, {"id": "2"}]
    assert [json.loads(item.raw) for item in found if item not in good] == [
        {"id": []},
        7,
    ]


def test_items_of_which_none_can_be_read_are_refused_for_the_first() -> None:
    with pytest.raises(Unreadable, match="id is missing"):
        each([{}, 7], _read)
    assert each([], _read) == ()


def test_a_list_has_an_end() -> None:
    with pytest.raises(Unreadable, match="results has more than"):
        items_of({"results": [{}] * (ITEMS_MAX + 1)}, "results")
    with pytest.raises(Unreadable, match="results is not a list"):
        items_of({"results": {}}, "results")


@pytest.mark.parametrize("text", ["", "yesterday", "0001-01-01T00:00:00+23:00", "٢"])
def test_a_time_that_is_none_reads_as_nothing(text: str) -> None:
    assert time_in(text) is None


@given(st.binary(max_size=200))
def test_no_octets_break_a_reader(octets: bytes) -> None:
    for read in (
        lambda: fields_of(_form(octets), "id"),
        lambda: fields_of(_json(octets), "id"),
        lambda: object_of(_json(octets)),
        lambda: fields_of(Posted("GET", URL, octets), "id"),
    ):
        found = None
        with suppress(Unreadable):
            found = read()
        assert found is None or isinstance(found, Mapping)
