"""Arkesel's USSD (Ghana).

A POST of JSON: `sessionID`, `userID`, `msisdn`, `newSession`, `network` and `userData`
(the dialled code at first, afterwards the latest answer alone). The answer repeats the
first three and has `message` and `continueSession`, true to go on.

Status: second-hand, from adapters that are in service; confirm with the carrier before
going live, above all whether `userData` of a first request is the whole code. A call
lasts two and a half minutes without an answer, as others say. Nothing tells that a
caller hung up.
A retry is known as one only while the first is in flight, within two seconds of its
reply, or after the end; a later one cannot be told from an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ussd.envelope import addressed, json_answer, json_heard, json_request
from ussd.fields import chosen, dialled, json_fields, json_object, phone, session
from ussd.options import Options
from ussd.turn import Answer, Call, DialEnd, Ending, Request, Turn

__all__ = ["Arkesel"]

_REPEATED = ("sessionID", "userID", "msisdn")


class Arkesel:
    name: ClassVar[str] = "arkesel"
    session_alone: ClassVar[bool] = False

    def __init__(
        self, *, region: str, options: Mapping[str, Any] | None = None
    ) -> None:
        Options(options).check()
        self._region = region

    def read(self, request: Request) -> Turn:
        addressed(request, "POST")
        fields = json_fields(
            json_object(request.body),
            needs=("sessionID", "msisdn", "newSession", "userData"),
            takes=("userID",),
        )
        new = chosen("newSession", fields["newSession"], ("true", "false"))
        starts, said = new == "true", fields["userData"]
        return Turn(
            session=session("sessionID", fields["sessionID"]),
            phone=phone("msisdn", fields["msisdn"], self._region),
            dialled=dialled("userData", said) if starts else "",
            typed="" if starts else said,
            cumulative=False,
            starts=starts,
            echo={name: fields.get(name, "") for name in _REPEATED},
        )

    def write(self, turn: Turn, text: str, *, ends: bool) -> Answer:
        return _reply(turn.echo, text, ends=ends)

    def acknowledge(self, end: DialEnd) -> Answer:
        return _reply(end.echo, "", ends=True)

    def refuse(self, reason: str, status: int) -> Answer:
        return _reply({}, reason, ends=True, status=status)

    # -- the carrier's side ---------------------------------------------------------

    def send(self, call: Call) -> Request:
        said = {
            "sessionID": call.session,
            "userID": "ARKESEL_1",
            "newSession": not call.answers,
            "msisdn": call.phone.removeprefix("+"),
            "userData": call.answers[-1] if call.answers else call.dialled,
            "network": "MTN",
        }
        return json_request(said)

    def send_end(self, call: Call, how: Ending) -> None:
        return None

    def heard(self, answer: Answer) -> tuple[str, bool]:
        needs = (*_REPEATED, "message", "continueSession")
        fields = json_fields(json_heard(answer), needs=needs)
        goes_on = chosen(
            "continueSession", fields["continueSession"], ("true", "false")
        )
        return fields["message"], goes_on == "false"


def _reply(
    echo: Mapping[str, str], text: str, *, ends: bool, status: int = 200
) -> Answer:
    said = {
        **{name: echo.get(name, "") for name in _REPEATED},
        "continueSession": not ends,
        "message": text,
    }
    return json_answer(said, status)
