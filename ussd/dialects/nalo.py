"""Nalo Solutions' USSD (Ghana).

A POST of JSON: `USERID` (the application, never the session), `MSISDN`, `NETWORK`,
`SESSIONID`, `USERDATA` (the dialled code at first, afterwards the latest answer alone)
and `MSGTYPE`, true for a first request and false for the others. The answer is JSON
whose `MSGTYPE` has the opposite sense: true goes on, false closes.

Status: from the vendor's page (its published collection of examples) in part, the rest
second-hand; confirm with the carrier before going live. Nothing tells that a caller
hung up. Integrations of old have no `SESSIONID`: then a call is known by its phone.
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

__all__ = ["Nalo"]


class Nalo:
    name: ClassVar[str] = "nalo"
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
            needs=("USERID", "MSISDN", "MSGTYPE", "USERDATA"),
            takes=("SESSIONID",),
        )
        starts = chosen("MSGTYPE", fields["MSGTYPE"], ("true", "false")) == "true"
        said = fields["USERDATA"]
        call = fields.get("SESSIONID", "")
        return Turn(
            session=session("SESSIONID", call) if call else "",
            phone=phone("MSISDN", fields["MSISDN"], self._region),
            dialled=dialled("USERDATA", said) if starts else "",
            typed="" if starts else said,
            cumulative=False,
            starts=starts,
            echo={"USERID": fields["USERID"], "MSISDN": fields["MSISDN"]},
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
            "USERID": "NALOTest",
            "MSISDN": call.phone.removeprefix("+"),
            "USERDATA": call.answers[-1] if call.answers else call.dialled,
            "MSGTYPE": not call.answers,
            "NETWORK": "MTN",
            "SESSIONID": call.session,
        }
        return json_request(said)

    def send_end(self, call: Call, how: Ending) -> None:
        return None

    def heard(self, answer: Answer) -> tuple[str, bool]:
        needs = ("USERID", "MSISDN", "MSG", "MSGTYPE")
        fields = json_fields(json_heard(answer), needs=needs)
        goes_on = chosen("MSGTYPE", fields["MSGTYPE"], ("true", "false"))
        return fields["MSG"], goes_on == "false"


def _reply(
    echo: Mapping[str, str], text: str, *, ends: bool, status: int = 200
) -> Answer:
    said = {
        "USERID": echo.get("USERID", ""),
        "MSISDN": echo.get("MSISDN", ""),
        "MSG": text,
        "MSGTYPE": not ends,
    }
    return json_answer(said, status)
