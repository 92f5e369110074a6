"""What is around the fields: the method, the address, and how a body is written.

Every dialect refuses another method and another address alike, and those that write
JSON write it alike. What a reply holds is a dialect's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

from ussd.fields import json_object, xml_root
from ussd.turn import Answer, Request, Unreadable

__all__ = [
    "addressed",
    "came_by",
    "con_end",
    "con_end_heard",
    "json_answer",
    "json_heard",
    "json_request",
    "query_request",
    "text_heard",
    "xml_heard",
]

_JSON = "application/json"
_HOW = {"GET": "fetched", "POST": "posted", "PUT": "put"}


def addressed(
    request: Request, *methods: str, at: tuple[str, ...] = ("",), says: str = ""
) -> None:
    """Refuse every other method with 405, and every other path with 404.

    The paths in `at` are what may follow the channel's key: nothing, as a rule. `says`
    is the refusal of a method where the usual one does not fit.
    """
    came_by(request, *methods, says=says)
    if request.path not in at:
        raise Unreadable("There is nothing here.", 404)


def came_by(request: Request, *methods: str, says: str = "") -> None:
    """Refuse every other method, whatever the path."""
    if request.method not in methods:
        usual = f"Turns are {' or '.join(_HOW[method] for method in methods)}."
        raise Unreadable(says or usual, 405, allow=methods)


# -- replies ---------------------------------------------------------------------------


def json_answer(said: Mapping[str, Any], status: int = 200) -> Answer:
    """A reply in JSON, its letters as they are."""
    body = json.dumps(said, ensure_ascii=False)
    return Answer(body, status=status, content_type=_JSON)


def con_end(text: str, *, ends: bool, status: int = 200) -> Answer:
    """A reply in plain text that begins `CON ` to go on and `END ` to close."""
    return Answer(f"{'END' if ends else 'CON'} {text}", status=status)


# -- the carrier's side ----------------------------------------------------------------


def json_request(
    said: Mapping[str, Any], *, method: str = "POST", path: str = ""
) -> Request:
    """A request in JSON, its letters as they are."""
    body = json.dumps(said, ensure_ascii=False).encode()
    return Request(method, path, headers={"content-type": _JSON}, body=body)


def query_request(said: Mapping[str, Any]) -> Request:
    """A GET with its fields in the query."""
    return Request("GET", query=urlencode(said).encode())


def json_heard(answer: Answer) -> Mapping[str, Any]:
    """The object of a reply in JSON; raises Unreadable, as all that hear do."""
    if not answer.content_type.startswith(_JSON):
        raise Unreadable("The reply is not JSON.")
    return json_object(answer.body.encode())


def xml_heard(answer: Answer) -> Element:
    """The root of a reply in XML."""
    if not answer.content_type.startswith("text/xml"):
        raise Unreadable("The reply is not text/xml.")
    return xml_root(answer.body.encode())


def text_heard(answer: Answer) -> str:
    """A reply in plain text."""
    if not answer.content_type.startswith("text/plain"):
        raise Unreadable("The reply is not plain text.")
    return answer.body


def con_end_heard(said: str) -> tuple[str, bool]:
    """The screen of `CON <screen>` or `END <screen>`, and whether it is the last."""
    word, _, text = said.partition(" ")
    if word not in ("CON", "END"):
        raise Unreadable("The reply begins with neither CON nor END.")
    return text, word == "END"
