"""Cellulant's USSD hub (East Africa).

A GET of `MSISDN`, `sessionID`, `opCode`, `INPUT` and `ABORT`. `opCode` is BEG on the
first request, whose `INPUT` is the whole dialled code, ABO when the phone gave up, and
anything else, mostly nothing, where `INPUT` is the latest answer. An `ABORT` other than
`0`, `null` and nothing gives up too.

The answer is one line of six parts, `next level|text|value|service|status|extra`; the
level means nothing to us and is 1, `status` is `end` on a last screen, and what is not
used is the word null. A | in a text would begin another part: it is shown as a /.

Status: second-hand, from an adapter that was in service; confirm with the carrier
before going live. Not known: timers, retries, whether a line end may stand in a text
as it is, whether INPUT can be empty on a first request (it is refused here).
A retry is known as one only while the first is in flight, within two seconds of its
reply, or after the end; a later one cannot be told from an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ussd.envelope import addressed, query_request, text_heard
from ussd.fields import complete, dialled, form_fields, phone, session
from ussd.options import Options
from ussd.turn import Answer, Call, DialEnd, Ending, Request, Turn, Unreadable

__all__ = ["Cellulant"]

_BEGINS = "BEG"
_GIVES_UP = "ABO"
_GOES_ON = ("", "0", "null")
_PARTS = 6


class Cellulant:
    name: ClassVar[str] = "cellulant"
    session_alone: ClassVar[bool] = False

    def __init__(
        self, *, region: str, options: Mapping[str, Any] | None = None
    ) -> None:
        Options(options).check()
        self._region = region

    def read(self, request: Request) -> Turn | DialEnd:
        addressed(request, "GET")
        fields = form_fields(
            request.query,
            needs=("MSISDN", "sessionID", "opCode"),
            takes=("INPUT", "ABORT"),
        )
        call = session("sessionID", fields["sessionID"])
        caller = phone("MSISDN", fields["MSISDN"], self._region)
        step = fields["opCode"].strip().upper()
        aborts = fields.get("ABORT", "").strip().lower() not in _GOES_ON
        if aborts or step == _GIVES_UP:
            return DialEnd(session=call, phone=caller, how=Ending.LEFT)
        complete(fields, "INPUT")
        starts = step == _BEGINS
        return Turn(
            session=call,
            phone=caller,
            dialled=dialled("INPUT", fields["INPUT"]) if starts else "",
            typed="" if starts else fields["INPUT"],
            cumulative=False,
            starts=starts,
        )

    def write(self, turn: Turn, text: str, *, ends: bool) -> Answer:
        return _line(text, ends=ends)

    def acknowledge(self, end: DialEnd) -> Answer:
        return Answer("")

    def refuse(self, reason: str, status: int) -> Answer:
        return _line(reason, ends=True, status=status)

    # -- the carrier's side ---------------------------------------------------------

    def send(self, call: Call) -> Request:
        if call.answers:
            return _asks(call, "", call.answers[-1], abort="0")
        return _asks(call, _BEGINS, call.dialled, abort="0")

    def send_end(self, call: Call, how: Ending) -> Request | None:
        if how is Ending.REACHED:
            return None
        return _asks(call, _GIVES_UP, "", abort="1")

    def heard(self, answer: Answer) -> tuple[str, bool]:
        said = text_heard(answer).split("|")
        if len(said) != _PARTS:
            raise Unreadable("The reply is not of six parts.")
        level, text, value, service, status, extra = said
        if (level, value, service, extra) != ("1", "null", "null", "null"):
            raise Unreadable("The reply has a level, a value or a service of its own.")
        if status not in ("null", "end"):
            raise Unreadable("The status of the reply is neither null nor end.")
        return text, status == "end"


def _line(text: str, *, ends: bool, status: int = 200) -> Answer:
    said = text.replace("|", "/")
    return Answer(f"1|{said}|null|null|{'end' if ends else 'null'}|null", status)


def _asks(call: Call, step: str, typed: str, *, abort: str) -> Request:
    form = {
        "MSISDN": call.phone.removeprefix("+"),
        "INPUT": typed,
        "opCode": step,
        "ABORT": abort,
        "sessionID": call.session,
    }
    return query_request(form)
