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

from collections.abc import Mapping
from typing import Any, ClassVar

from ussd.envelope import came_by, json_answer, json_heard, json_request
from ussd.fields import dialled, json_fields, json_object, phone
from ussd.fields import session as identity
from ussd.fields import text as checked
from ussd.options import Options
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
        set_up = Options(options)
        self._region = region
        self._code = set_up.dial_code("code")
        set_up.check()

    def read(self, request: Request) -> Turn | DialEnd | Inquiry:
        session, asked = _addressed(request.path)
        if asked == "status":
            came_by(request, "GET", says="A status is fetched.")
            return Inquiry(session, "")
        came_by(request, "POST", "PUT", says="Turns are posted.")
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
        asked = "response" if call.answers else "start"
        return json_request(said, path=f"session/{call.session}/{asked}")

    def send_end(self, call: Call, how: Ending) -> Request:
        reached = how is Ending.REACHED
        said = {"reason": "ok" if reached else how.value, "exitCode": int(not reached)}
        return json_request(said, method="PUT", path=f"session/{call.session}/end")

    def heard(self, answer: Answer) -> tuple[str, bool]:
        said = json_heard(answer)
        fields = json_fields(said, needs=("ussdMenu", "responseExitCode"))
        closes = said.get("shouldClose")
        if not isinstance(closes, bool):
            raise Unreadable("Field shouldClose is neither true nor false.")
        return fields["ussdMenu"], closes


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
    return json_answer(written, status)
