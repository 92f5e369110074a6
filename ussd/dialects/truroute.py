"""TruRoute's USSD XML interface (TNM in Malawi, Vodacom in Tanzania, and others).

A POST of `<ussd>` with `<msisdn>`, `<sessionid>`, `<type>` and `<msg>`, or a GET with
the same names in the query. Type 1 is a call that begins, its `msg` the dialled code;
2 an answer; 3 a caller who hung up; 4 a timer; 10 a charge that failed, which we never
asked for. The answer is `<ussd>` with `<type>`, 2 to go on and 3 to close, and `<msg>`,
in which a line end is written &#10;.

With `premium = true` a reply says that it costs nothing, as TNM's own adapter does.

Status: second-hand, from adapters that are in service and what they quote of version
1.3 of the vendor's document; confirm with the carrier before going live. Timers and
retries are not known.
A retry is known as one only while the first is in flight, within two seconds of its
reply, or after the end; a later one cannot be told from an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from ussd.envelope import addressed, xml_heard
from ussd.fields import (
    chosen,
    complete,
    dialled,
    form_fields,
    phone,
    session,
    text,
    xml_root,
)
from ussd.options import Options
from ussd.turn import Answer, Call, DialEnd, Ending, Request, Turn, Unreadable

__all__ = ["TruRoute"]

_NAMES = ("msisdn", "sessionid", "type", "msg")
_STARTS, _ANSWERS = "1", "2"
_ENDINGS = {"3": Ending.LEFT, "4": Ending.CUT, "10": Ending.CUT}
_GOES_ON, _CLOSES = "2", "3"

_XML = "text/xml; charset=utf-8"
_PREMIUM = "<premium><cost>0</cost><ref>NULL</ref></premium>"


class TruRoute:
    name: ClassVar[str] = "truroute"
    session_alone: ClassVar[bool] = False

    def __init__(
        self, *, region: str, options: Mapping[str, Any] | None = None
    ) -> None:
        set_up = Options(options)
        self._region = region
        self._premium = _PREMIUM if set_up.flag("premium") else ""
        set_up.check()

    def read(self, request: Request) -> Turn | DialEnd:
        addressed(request, "POST", "GET")
        fields = _fields(request)
        kind = chosen("type", fields["type"], (_STARTS, _ANSWERS, *_ENDINGS))
        call = session("sessionid", fields["sessionid"].strip())
        caller = phone("msisdn", fields["msisdn"].strip(), self._region)
        if kind in _ENDINGS:
            return DialEnd(session=call, phone=caller, how=_ENDINGS[kind])
        complete(fields, "msg")
        starts = kind == _STARTS
        return Turn(
            session=call,
            phone=caller,
            dialled=dialled("msg", fields["msg"]) if starts else "",
            typed="" if starts else fields["msg"],
            cumulative=False,
            starts=starts,
        )

    def write(self, turn: Turn, text: str, *, ends: bool) -> Answer:
        return self._said(text, ends=ends)

    def acknowledge(self, end: DialEnd) -> Answer:
        return self._said("", ends=True)

    def refuse(self, reason: str, status: int) -> Answer:
        return self._said(reason, ends=True, status=status)

    def _said(self, screen: str, *, ends: bool, status: int = 200) -> Answer:
        kind = _CLOSES if ends else _GOES_ON
        body = f"<type>{kind}</type><msg>{_escaped(screen)}</msg>{self._premium}"
        return Answer(f"<ussd>{body}</ussd>", status=status, content_type=_XML)

    # -- the carrier's side ---------------------------------------------------------

    def send(self, call: Call) -> Request:
        if call.answers:
            return _posts(call, _ANSWERS, call.answers[-1])
        return _posts(call, _STARTS, call.dialled)

    def send_end(self, call: Call, how: Ending) -> Request | None:
        if how is Ending.REACHED:
            return None
        return _posts(call, "3" if how is Ending.LEFT else "4", "")

    def heard(self, answer: Answer) -> tuple[str, bool]:
        root = xml_heard(answer)
        if root.tag != "ussd":
            raise Unreadable("The reply is not a ussd element.")
        said = _texts(root, ("type", "msg"))
        for name in ("type", "msg"):
            if name not in said:
                raise Unreadable(f"The reply has no {name}.")
        return said["msg"], chosen("type", said["type"], (_GOES_ON, _CLOSES)) == _CLOSES


def _fields(request: Request) -> Mapping[str, str]:
    needs = _NAMES[:3]
    if request.method == "GET":
        return form_fields(request.query, needs=needs, takes=("msg",))
    root = xml_root(request.body)
    if root.tag != "ussd":
        raise Unreadable("The body is not a ussd element.")
    return complete(_texts(root, _NAMES), *needs)


def _texts(root: Element, names: tuple[str, ...]) -> Mapping[str, str]:
    """The texts of the elements so called; others are let pass."""
    found: dict[str, str] = {}
    for part in root:
        if part.tag not in names:
            continue
        if part.tag in found:
            raise Unreadable(f"Field {part.tag} is given twice.")
        if len(part):
            raise Unreadable(f"Field {part.tag} is not a text.")
        found[part.tag] = text(part.tag, part.text or "")
    return found


def _posts(call: Call, kind: str, typed: str) -> Request:
    said = (call.phone.removeprefix("+"), call.session, kind, typed)
    parts = (
        f"<{name}>{_escaped(value)}</{name}>"
        for name, value in zip(_NAMES, said, strict=True)
    )
    body = f'<?xml version="1.0" ?><ussd>{"".join(parts)}</ussd>'
    return Request(body=body.encode(), headers={"content-type": "text/xml"})


def _escaped(value: str) -> str:
    """Escaped once, for the carrier unescapes once."""
    return escape(value, {"\n": "&#10;"})
