"""Infobip's USSD gateway to third-party applications, over HTTP and JSON.

The path says what is meant: `session/<id>/start` and `.../response` are turns
(`msisdn`, `text`, `shortCode` and more), `.../end` tells that the call is over
(`exitCode`, `reason`; a PUT where turns are posted, so both methods are taken for all
three), and a GET of `.../status` asks whether it still goes on here. The answer to a
turn has `ussdMenu` and `shouldClose`.

Status: second-hand, from an excerpt of the vendor's "USSD Gateway to Third-party
Application" and the recorded requests of one working adapter; confirm with the carrier
before going live. Its first screen is always sent as a menu, so a call that we would
end at once stays open. `shortCode` is documented and, in practice, sometimes absent:
set `code` to the channel's own for then, or the call begins at the first screen of the
menus. What stands after the first # of a `shortCode` (`*123#1#`) is left out. The table
of exit codes is not public: 0 is read as the expected end and all else as a cut. An
`.../end` names no phone. A retry is known as one only while the first is in flight,
within two seconds of its reply, or after the end; a later one cannot be told from an
answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from ussd.fields import dialled, json_fields, json_object, optional_dialled, phone
from ussd.fields import session as identity
from ussd.fields import text as checked
from ussd.turn import Answer, Call, DialEnd, Ending, Inquiry, Request, Turn, Unreadable

__all__ = ["Infobip"]

_TURNS = ("start", "response")
_EXPECTED_END = "0"


class Infobip:
    name: ClassVar[str] = "infobip"
    session_alone: ClassVar[bool] = True

    def __init__(
        self, *, region: str, options: Mapping[str, Any] | None = None
    ) -> None:
        self._region = region
        self._code = _code(options or {})

    def read(self, request: Request) -> Turn | DialEnd | Inquiry:
        session, asked = _addressed(request.path)
        if asked == "status":
            if request.method != "GET":
                raise Unreadable("A status is fetched.", 405)
            return Inquiry(session, "")
        if request.method not in ("POST", "PUT"):
            raise Unreadable("Turns are posted.", 405)
        found = json_object(request.body)
        if asked in _TURNS:
            return self._turn(session, found, starts=asked == "start")
        fields = json_fields(found, needs=("exitCode",), takes=("reason", "msisdn"))
        return DialEnd(
            session=session,
            phone=self._phone(fields) if "msisdn" in fields else "",
            how=(
                Ending.REACHED
                if fields["exitCode"].strip() == _EXPECTED_END
                else Ending.CUT
            ),
        )

    def _turn(self, session: str, found: Mapping[str, Any], *, starts: bool) -> Turn:
        fields = json_fields(found, needs=("msisdn", "text"), takes=("shortCode",))
        return Turn(
            session=session,
            phone=self._phone(fields),
            dialled=self._dialled(fields, starts=starts),
            typed="" if starts else fields["text"],
            cumulative=False,
            starts=starts,
        )

    def _phone(self, fields: Mapping[str, str]) -> str:
        return phone("msisdn", fields["msisdn"], self._region)

    def _dialled(self, fields: Mapping[str, str], *, starts: bool) -> str:
        """The code as `text` or `shortCode` have it; else the channel's own."""
        if starts and "*" in fields["text"]:
            return dialled("text", fields["text"])
        code = fields.get("shortCode", "").strip()
        if code:
            return dialled("shortCode", code.partition("#")[0])
        return self._code

    def write(self, turn: Turn, text: str, *, ends: bool) -> Answer:
        return _reply({"shouldClose": ends, "ussdMenu": text})

    def acknowledge(self, end: DialEnd) -> Answer:
        return _reply({})

    def inform(self, inquiry: Inquiry, *, active: bool) -> Answer:
        return _reply({"sessionActive": active})

    def refuse(self, reason: str, status: int) -> Answer:
        said = {"shouldClose": True, "ussdMenu": reason}
        return _reply(said, reason=reason, status=status)

    # -- the carrier's side ---------------------------------------------------------

    def send(self, call: Call) -> Request:
        typed = call.answers[-1] if call.answers else call.dialled
        said = {
            "msisdn": call.phone.removeprefix("+"),
            # A subscriber of the network that is reserved for tests.
            "imsi": "001010123456789",
            "text": typed,
            "shortCode": call.dialled,
            "language": None,
            "ussdGwId": "live2",
        }
        return _request("POST", call, "response" if call.answers else "start", said)

    def send_end(self, call: Call, how: Ending) -> Request:
        reached = how is Ending.REACHED
        said = {"reason": "ok" if reached else how.value, "exitCode": int(not reached)}
        return _request("PUT", call, "end", said)

    def heard(self, answer: Answer) -> tuple[str, bool]:
        if not answer.content_type.startswith("application/json"):
            raise Unreadable("The reply is not JSON.")
        said = json_object(answer.body.encode())
        fields = json_fields(said, needs=("ussdMenu", "responseExitCode"))
        closes = said.get("shouldClose")
        if not isinstance(closes, bool):
            raise Unreadable("Field shouldClose is neither true nor false.")
        return fields["ussdMenu"], closes


def _code(options: Mapping[str, Any]) -> str:
    wrong = [f"infobip has no option {name}" for name in options if name != "code"]
    code = ""
    try:
        code = optional_dialled("code", str(options.get("code", "")))
    except Unreadable:
        wrong.append("code is a dial code, *780*5588# say")
    if wrong:
        raise ValueError("\n".join(wrong))
    return code


def _addressed(path: str) -> tuple[str, str]:
    """The session and what is asked of it."""
    steps = path.split("/")
    if len(steps) != 3 or steps[0] != "session":
        raise Unreadable("There is nothing here.", 404)
    if steps[2] not in (*_TURNS, "end", "status"):
        raise Unreadable("There is nothing here.", 404)
    return identity("sessionId", checked("sessionId", steps[1])), steps[2]


def _reply(said: Mapping[str, Any], *, reason: str = "", status: int = 200) -> Answer:
    written = {**said, "responseExitCode": status, "responseMessage": reason}
    body = json.dumps(written, ensure_ascii=False)
    return Answer(body, status=status, content_type="application/json")


def _request(method: str, call: Call, asked: str, said: Mapping[str, Any]) -> Request:
    return Request(
        method=method,
        path=f"session/{call.session}/{asked}",
        headers={"content-type": "application/json"},
        body=json.dumps(said, ensure_ascii=False).encode(),
    )
