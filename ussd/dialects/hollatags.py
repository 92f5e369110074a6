"""HollaTags USSD (Nigeria).

A GET with `session_operation` (begin, continue, end), `session_msisdn`, `session_id`,
`session_from` (the code), `session_msg` (the latest answer alone), `session_type` and
`session_mno`. The answer is JSON with `session_msg`, of 160 characters at most, and
`session_operation` continue with `session_type` 1, which asks, or end with 4, which
tells and ends.

Status: from the vendor's page (USSD, USSD Inbound). Its example puts the fields of the
GET into a form in the body, and programs are known that read a POST: all three are
taken. Not said: what `session_msg` holds when a call begins (a code with a * in it is
what was dialled, else `session_from` is), why a call ended (it counts as cut), retries
and timers. Its example breaks lines with CR LF, which would cost a character each; ours
are LF alone. A retry is known as one only while the first is in flight, within two
seconds of its reply, or after the end; a later one cannot be told from an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ussd.envelope import addressed, json_answer, json_heard, query_request
from ussd.fields import chosen, complete, dialled_in, form_fields, json_fields, phone
from ussd.fields import session as identity
from ussd.options import Options
from ussd.turn import Answer, Call, DialEnd, Ending, Request, Turn, Unreadable

__all__ = ["HollaTags"]

_OPERATIONS = ("begin", "continue", "end")
# Ask and wait for the answer; tell and end.
_ASKS, _TELLS = 1, 4


class HollaTags:
    name: ClassVar[str] = "hollatags"
    session_alone: ClassVar[bool] = False

    def __init__(
        self, *, region: str, options: Mapping[str, Any] | None = None
    ) -> None:
        Options(options).check()
        self._region = region

    def read(self, request: Request) -> Turn | DialEnd:
        addressed(request, "GET", "POST", says="Turns are fetched.")
        fields = form_fields(
            request.body if request.method == "POST" else request.query or request.body,
            needs=("session_operation", "session_msisdn", "session_id"),
            takes=("session_from", "session_msg"),
        )
        operation = chosen(
            "session_operation", fields["session_operation"], _OPERATIONS
        )
        session = identity("session_id", fields["session_id"])
        caller = phone("session_msisdn", fields["session_msisdn"], self._region)
        if operation == "end":
            return DialEnd(session=session, phone=caller, how=Ending.CUT)
        complete(fields, "session_from", "session_msg")
        starts = operation == "begin"
        return Turn(
            session=session,
            phone=caller,
            dialled=dialled_in(fields, "session_msg", "session_from", starts=starts),
            typed="" if starts else fields["session_msg"],
            cumulative=False,
            starts=starts,
        )

    def write(self, turn: Turn, text: str, *, ends: bool) -> Answer:
        return _reply(turn.session, text, ends=ends)

    def acknowledge(self, end: DialEnd) -> Answer:
        return _reply(end.session, "", ends=True)

    def refuse(self, reason: str, status: int) -> Answer:
        return _reply("", reason, ends=True, status=status)

    # -- the carrier's side ---------------------------------------------------------

    def send(self, call: Call) -> Request:
        if call.answers:
            return _request(call, "continue", call.answers[-1])
        return _request(call, "begin", call.dialled)

    def send_end(self, call: Call, how: Ending) -> Request:
        return _request(call, "end", "")

    def heard(self, answer: Answer) -> tuple[str, bool]:
        fields = json_fields(
            json_heard(answer),
            needs=("session_operation", "session_type", "session_id", "session_msg"),
        )
        operation = chosen(
            "session_operation", fields["session_operation"], _OPERATIONS[1:]
        )
        ends = operation == "end"
        if fields["session_type"] != str(_TELLS if ends else _ASKS):
            raise Unreadable("Field session_type is not as session_operation says.")
        return fields["session_msg"], ends


def _reply(session: str, text: str, *, ends: bool, status: int = 200) -> Answer:
    said = {
        "session_operation": "end" if ends else "continue",
        "session_type": _TELLS if ends else _ASKS,
        "session_id": session,
        "session_msg": text,
    }
    return json_answer(said, status)


def _request(call: Call, operation: str, message: str) -> Request:
    said = {
        "session_msisdn": call.phone.removeprefix("+"),
        "session_operation": operation,
        "session_msg": message,
        "session_id": call.session,
        "session_from": call.dialled,
        "session_type": 3 if call.answers else 1,
        "session_mno": "MTN",
    }
    return query_request(said)
