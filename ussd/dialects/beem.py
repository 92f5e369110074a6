"""Beem Africa's USSD hub (Tanzania).

A POST of JSON: `command` (initiate, continue, terminate), `msisdn`, `session_id`,
`operator` and a `payload` of `request_id` and `response`, the latest answer alone. The
answer repeats all but `response` and says `command` continue or terminate, with the
screen as `request` in its `payload`.

Status: second-hand, from one working adapter; confirm with the carrier before going
live. Not known: what `response` holds when a call begins (a code with a * in it is
taken as what was dialled, all else is let be), why a call was terminated (it counts as
cut), retries and timers. No field names the code: set `code` to the channel's own, or
a call begins at the first screen of the menus. A retry is known as one only while the
first is in flight, within two seconds of its reply, or after the end; a later one
cannot be told from an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ussd.envelope import addressed, json_answer, json_heard, json_request
from ussd.fields import chosen, dialled, json_fields, json_object, phone
from ussd.fields import session as identity
from ussd.options import Options
from ussd.turn import Answer, Call, DialEnd, Ending, Request, Turn, Unreadable

__all__ = ["Beem"]

_COMMANDS = ("initiate", "continue", "terminate")
_ECHOED = ("msisdn", "operator", "request_id")


class Beem:
    name: ClassVar[str] = "beem"
    session_alone: ClassVar[bool] = False

    def __init__(
        self, *, region: str, options: Mapping[str, Any] | None = None
    ) -> None:
        set_up = Options(options)
        self._region = region
        self._code = set_up.dial_code("code")
        set_up.check()

    def read(self, request: Request) -> Turn | DialEnd:
        addressed(request, "POST")
        found = json_object(request.body)
        fields = json_fields(
            found, needs=("command", "msisdn", "session_id"), takes=("operator",)
        )
        command = chosen("command", fields["command"], _COMMANDS)
        fields = {**fields, **_payload(found, needed=command != "terminate")}
        session = identity("session_id", fields["session_id"])
        caller = phone("msisdn", fields["msisdn"], self._region)
        echo = {name: fields[name] for name in _ECHOED if name in fields}
        if command == "terminate":
            return DialEnd(session=session, phone=caller, how=Ending.CUT, echo=echo)
        starts = command == "initiate"
        return Turn(
            session=session,
            phone=caller,
            dialled=self._dialled(fields["response"]) if starts else self._code,
            typed="" if starts else fields["response"],
            cumulative=False,
            starts=starts,
            echo=echo,
        )

    def _dialled(self, response: str) -> str:
        return dialled("response", response) if "*" in response else self._code

    def write(self, turn: Turn, text: str, *, ends: bool) -> Answer:
        return _reply(turn.session, turn.echo, text, ends=ends)

    def acknowledge(self, end: DialEnd) -> Answer:
        return _reply(end.session, end.echo, "", ends=True)

    def refuse(self, reason: str, status: int) -> Answer:
        return _reply("", {}, reason, ends=True, status=status)

    # -- the carrier's side ---------------------------------------------------------

    def send(self, call: Call) -> Request:
        if call.answers:
            return _request(call, "continue", call.answers[-1])
        return _request(call, "initiate", call.dialled)

    def send_end(self, call: Call, how: Ending) -> Request:
        return _request(call, "terminate", "")

    def heard(self, answer: Answer) -> tuple[str, bool]:
        said = json_heard(answer)
        fields = json_fields(said, needs=("msisdn", "session_id", "command"))
        command = chosen("command", fields["command"], _COMMANDS[1:])
        payload = said.get("payload")
        if not isinstance(payload, dict):
            raise Unreadable("Field payload is not an object.")
        shown = json_fields(payload, needs=("request_id", "request"))
        return shown["request"], command == "terminate"


def _payload(found: Mapping[str, Any], *, needed: bool) -> Mapping[str, str]:
    payload = found.get("payload")
    if payload is None and not needed:
        return {}
    if payload is None:
        raise Unreadable("Field payload is missing.")
    if not isinstance(payload, dict):
        raise Unreadable("Field payload is not an object.")
    names = ("request_id", "response")
    if needed:
        return json_fields(payload, needs=names)
    return json_fields(payload, needs=(), takes=names)


def _reply(
    session: str, echo: Mapping[str, str], text: str, *, ends: bool, status: int = 200
) -> Answer:
    said = {
        "msisdn": echo.get("msisdn", ""),
        "operator": echo.get("operator", ""),
        "session_id": session,
        "command": "terminate" if ends else "continue",
        "payload": {"request_id": echo.get("request_id", ""), "request": text},
    }
    return json_answer(said, status)


def _request(call: Call, command: str, response: str) -> Request:
    said = {
        "command": command,
        "msisdn": call.phone.removeprefix("+"),
        "session_id": call.session,
        "operator": "vodacom",
        "payload": {
            "request_id": f"{call.session}-{len(call.answers)}",
            "response": response,
        },
    }
    return json_request(said)
