"""Korba, TxtGhana and Uzo (Ghana): the service operations of SMPP, over HTTP.

A POST of JSON: `sessionID`, `msisdn`, `ussdString` (the dialled code at first,
afterwards the latest answer alone), `network` and `ussdServiceOp`: 1 begins a call, 18
goes on, 29 and above end it. The answer is JSON with `message` and `ussdServiceOp`, 2
to go on and 17 to close. Uzo adds `code` and `country`, which mean nothing here.

Status: second-hand, from an adapter that is in service, and from Uzo's page, whose
example of a reply shows 1 where its table says 2; confirm with the carrier before going
live. Which number means what above 29 is not told: each is taken for a call that broke
off. No retries and no timers are documented.
A retry is known as one only while the first is in flight, within two seconds of its
reply, or after the end; a later one cannot be told from an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ussd.envelope import addressed, json_answer, json_heard, json_request
from ussd.fields import (
    complete,
    dialled,
    json_fields,
    json_object,
    phone,
    sequence,
    session,
)
from ussd.options import Options
from ussd.turn import Answer, Call, DialEnd, Ending, Request, Turn, Unreadable

__all__ = ["Korba"]

_STARTS, _ANSWERS, _ENDS_FROM = 1, 18, 29
_GOES_ON, _CLOSES = 2, 17


class Korba:
    name: ClassVar[str] = "korba"
    session_alone: ClassVar[bool] = False

    def __init__(
        self, *, region: str, options: Mapping[str, Any] | None = None
    ) -> None:
        Options(options).check()
        self._region = region

    def read(self, request: Request) -> Turn | DialEnd:
        addressed(request, "POST")
        fields = json_fields(
            json_object(request.body),
            needs=("sessionID", "msisdn", "ussdServiceOp"),
            takes=("ussdString",),
        )
        call = session("sessionID", fields["sessionID"])
        caller = phone("msisdn", fields["msisdn"], self._region)
        operation = sequence("ussdServiceOp", fields["ussdServiceOp"])
        if operation >= _ENDS_FROM:
            return DialEnd(session=call, phone=caller, how=Ending.CUT)
        if operation not in (_STARTS, _ANSWERS):
            raise Unreadable("Field ussdServiceOp is none of 1, 18, 29 and above.")
        starts = operation == _STARTS
        said = complete(fields, "ussdString")["ussdString"]
        return Turn(
            session=call,
            phone=caller,
            dialled=dialled("ussdString", said) if starts else "",
            typed="" if starts else said,
            cumulative=False,
            starts=starts,
        )

    def write(self, turn: Turn, text: str, *, ends: bool) -> Answer:
        return _reply(text, ends=ends)

    def acknowledge(self, end: DialEnd) -> Answer:
        return _reply("", ends=True)

    def refuse(self, reason: str, status: int) -> Answer:
        return _reply(reason, ends=True, status=status)

    # -- the carrier's side ---------------------------------------------------------

    def send(self, call: Call) -> Request:
        if call.answers:
            return _request(call, call.answers[-1], _ANSWERS)
        return _request(call, call.dialled, _STARTS)

    def send_end(self, call: Call, how: Ending) -> Request:
        return _request(call, "", _ENDS_FROM)

    def heard(self, answer: Answer) -> tuple[str, bool]:
        fields = json_fields(json_heard(answer), needs=("message", "ussdServiceOp"))
        operation = sequence("ussdServiceOp", fields["ussdServiceOp"])
        if operation not in (_GOES_ON, _CLOSES):
            raise Unreadable("Field ussdServiceOp is none of 2, 17.")
        return fields["message"], operation == _CLOSES


def _request(call: Call, said: str, operation: int) -> Request:
    form = {
        "sessionID": call.session,
        "msisdn": call.phone.removeprefix("+"),
        "ussdString": said,
        "ussdServiceOp": operation,
        "network": "01",
    }
    return json_request(form)


def _reply(text: str, *, ends: bool, status: int = 200) -> Answer:
    said = {"message": text, "ussdServiceOp": _CLOSES if ends else _GOES_ON}
    return json_answer(said, status)
