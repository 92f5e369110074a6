"""What is around a carrier's fields: methods, addresses, and replies both ways."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ussd.envelope import (
    addressed,
    came_by,
    con_end,
    con_end_heard,
    json_answer,
    json_heard,
    json_request,
    query_request,
    text_heard,
    xml_heard,
)
from ussd.turn import Answer, Request, Unreadable

OBJECTS = st.dictionaries(st.text(max_size=9), st.text(max_size=20) | st.booleans())


def refused(
    request: Request, *methods: str, at: tuple[str, ...] = ("",), says: str = ""
) -> Unreadable:
    with pytest.raises(Unreadable) as why:
        addressed(request, *methods, at=at, says=says)
    return why.value


@pytest.mark.parametrize(
    ("methods", "says"),
    [
        (("POST",), "Turns are posted."),
        (("GET",), "Turns are fetched."),
        (("PUT",), "Turns are put."),
        (("POST", "GET"), "Turns are posted or fetched."),
    ],
)
def test_another_method_is_told_which_there_are(methods: tuple[str, ...], says: str):
    why = refused(Request("DELETE"), *methods)
    assert (str(why), why.status, why.allow) == (says, 405, methods)
    why = refused(Request("DELETE"), *methods, says="Dialogs are posted.")
    assert (str(why), why.allow) == ("Dialogs are posted.", methods)


@pytest.mark.parametrize("path", ["x", "/", "events/", "EVENTS"])
def test_another_address_is_nowhere(path: str):
    for at in (("",), ("", "events")):
        why = refused(Request(path=path), "POST", at=at)
        assert (str(why), why.status) == ("There is nothing here.", 404)
        assert why.allow == ()


def test_a_request_that_is_well_addressed_is_let_pass():
    addressed(Request(), "POST")
    addressed(Request("GET"), "POST", "GET")
    addressed(Request(path="events"), "POST", at=("", "events"))
    came_by(Request(path="anywhere/at/all"), "POST")


@given(said=OBJECTS)
def test_what_is_written_as_json_is_heard_so(said: dict[str, str | bool]):
    assert json_heard(json_answer(said)) == said
    request = json_request(said, method="PUT", path="a/b")
    assert (request.method, request.path) == ("PUT", "a/b")
    assert json.loads(request.body) == said


def test_persian_stands_in_json_as_it_is():
    answer = json_answer({"message": "مبلغ؟"}, 400)
    body = '{"message": "مبلغ؟"}'
    assert answer == Answer(body, status=400, content_type="application/json")
    assert json_request({"message": "مبلغ؟"}).body == body.encode()


@given(form=st.dictionaries(st.text(max_size=9), st.text(max_size=20), max_size=5))
def test_a_query_holds_its_fields(form: dict[str, str]):
    request = query_request(form)
    pairs = parse_qsl(request.query.decode(), keep_blank_values=True)
    assert (request.method, dict(pairs)) == ("GET", form)


@given(text=st.text(max_size=40), ends=st.booleans())
def test_con_goes_on_and_end_closes(text: str, ends: bool):
    said = text_heard(con_end(text, ends=ends))
    assert said.startswith("END " if ends else "CON ")
    assert con_end_heard(said) == (text, ends)


@pytest.mark.parametrize("said", ["", "con a", "ENDING a", "a CON b"])
def test_neither_con_nor_end_is_heard(said: str):
    with pytest.raises(Unreadable, match="neither CON nor END"):
        con_end_heard(said)


def test_a_reply_of_another_type_is_not_heard():
    body = "<a/>"
    for hears, type in (
        (json_heard, "text/plain"),
        (xml_heard, "application/json"),
        (text_heard, "text/xml"),
    ):
        with pytest.raises(Unreadable, match="^The reply is not "):
            hears(Answer(body, content_type=type))
    assert xml_heard(Answer(body, content_type="text/xml; charset=utf-8")).tag == "a"
