"""Hubtel Programmable Services, and Cross-Switch (Emergent), which speaks the same.

A POST of JSON: `Type` (Initiation, Response; Release when the caller hangs up, Timeout
when our answer came too late), `Message` (the whole code at first, afterwards the
latest answer alone), `ServiceCode` (`711*2`), `Mobile`, `SessionId`, `Sequence` and
more. The answer is JSON whose `Type` is Response to go on and Release to close.

Status: from the vendor's pages (API reference, Programmable Services; the models of
its .NET kit). They write names and types now in capitals, now not, and `Sequence` now
as a number, now as a text: all are read. `Sequence` is the message's place in its
call, the first is 1; a retry is known by it. Cross-Switch is second-hand; confirm with
the carrier before going live, above all that its `Sequence` counts. Where one does not,
set `numbered` to false: then a retry is known as one only while the first is in flight,
within two seconds of its reply, or after the end; a later one cannot be told from an
answer. Sessions of Hubtel's app and web shop dial no code and are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ussd.envelope import addressed, json_answer, json_heard, json_request
from ussd.fields import chosen, complete, dialled_in, json_fields, json_object, phone
from ussd.fields import sequence as number
from ussd.fields import session as identity
from ussd.options import Options
from ussd.turn import Answer, Call, DialEnd, Ending, Request, Turn, Unreadable

__all__ = ["Hubtel"]

_NAMES = ("SessionId", "Type", "Mobile", "Message", "ServiceCode", "Sequence")
_CANONICAL = {name.lower(): name for name in _NAMES}
_ENDINGS = {"Release": Ending.LEFT, "Timeout": Ending.CUT}
_TYPES = ("Initiation", "Response", *_ENDINGS)


class Hubtel:
    name: ClassVar[str] = "hubtel"
    session_alone: ClassVar[bool] = False

    def __init__(
        self, *, region: str, options: Mapping[str, Any] | None = None
    ) -> None:
        set_up = Options(options)
        self._region = region
        self._numbered = set_up.flag("numbered", True)
        set_up.check()

    def read(self, request: Request) -> Turn | DialEnd:
        addressed(request, "POST")
        found = _canonical(json_object(request.body))
        fields = json_fields(found, needs=_NAMES[:3], takes=_NAMES[3:])
        session = identity("SessionId", fields["SessionId"])
        caller = phone("Mobile", fields["Mobile"], self._region)
        kind = chosen("Type", fields["Type"], _TYPES)
        if kind in _ENDINGS:
            return DialEnd(session=session, phone=caller, how=_ENDINGS[kind])
        complete(fields, "Message")
        starts = kind == "Initiation"
        return Turn(
            session=session,
            phone=caller,
            dialled=dialled_in(fields, "Message", "ServiceCode", starts=starts),
            typed="" if starts else fields["Message"],
            cumulative=False,
            starts=starts,
            sequence=self._sequence(fields),
        )

    def _sequence(self, fields: Mapping[str, str]) -> int | None:
        if not self._numbered or "Sequence" not in fields:
            return None
        return number("Sequence", fields["Sequence"])

    def write(self, turn: Turn, text: str, *, ends: bool) -> Answer:
        return _reply(turn.session, text, ends=ends)

    def acknowledge(self, end: DialEnd) -> Answer:
        return _reply(end.session, "", ends=True)

    def refuse(self, reason: str, status: int) -> Answer:
        return _reply("", reason, ends=True, status=status)

    # -- the carrier's side ---------------------------------------------------------

    def send(self, call: Call) -> Request:
        if call.answers:
            return _request(call, "Response", call.answers[-1])
        return _request(call, "Initiation", call.dialled)

    def send_end(self, call: Call, how: Ending) -> Request:
        return _request(call, "Timeout" if how is Ending.CUT else "Release", "")

    def heard(self, answer: Answer) -> tuple[str, bool]:
        needs = ("SessionId", "Type", "Message")
        fields = json_fields(json_heard(answer), needs=needs)
        kind = chosen("Type", fields["Type"], ("Response", "Release"))
        return fields["Message"], kind == "Release"


def _canonical(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Our fields by their names as in the kit, however a request writes them."""
    named: dict[str, Any] = {}
    for written, value in found.items():
        name = _CANONICAL.get(written.lower())
        if name is None:
            continue
        if name in named:
            raise Unreadable(f"Field {name} is given twice.")
        named[name] = value
    return named


def _reply(session: str, text: str, *, ends: bool, status: int = 200) -> Answer:
    said = {
        "SessionId": session,
        "Type": "Release" if ends else "Response",
        "Message": text,
        # The title of the app and the web shop; mandatory, and not shown on a phone.
        "Label": text,
        "ClientState": "",
        "DataType": "display" if ends else "input",
        "FieldType": "text",
    }
    return json_answer(said, status)


def _request(call: Call, kind: str, message: str) -> Request:
    said = {
        "Type": kind,
        "Mobile": call.phone.removeprefix("+"),
        "SessionId": call.session,
        "ServiceCode": call.dialled.strip("*#"),
        "Message": message,
        "Operator": "mtn",
        "Sequence": len(call.answers) + 1,
        "ClientState": "",
        "Platform": "USSD",
    }
    return json_request(said)
