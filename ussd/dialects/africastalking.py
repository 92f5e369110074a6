"""Africa's Talking USSD, and the many gateways that copied its form.

A POST of `sessionId`, `serviceCode`, `phoneNumber`, `networkCode` and `text` (empty
at first, afterwards all inputs joined by `*`); the answer is plain text that begins
`CON ` to go on and `END ` to close. A separate event, posted to `.../events`, tells how
the session ended.

Status: from the vendor's page (USSD, Handle USSD sessions; Notifications). The callback
is not signed: the address's secret key and `allow_from` are what protect it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from ussd.envelope import addressed, con_end, con_end_heard
from ussd.fields import chosen, dialled, form_fields, phone, session
from ussd.options import Options
from ussd.turn import Answer, Call, DialEnd, Ending, Request, Turn

__all__ = ["AfricasTalking"]

EVENTS = "events"

# Incomplete is a menu that still wanted input; Failed an error of ours or theirs.
_ENDINGS = {
    "Success": Ending.REACHED,
    "Incomplete": Ending.CUT,
    "Failed": Ending.CUT,
}


class AfricasTalking:
    name: ClassVar[str] = "africastalking"
    session_alone: ClassVar[bool] = False

    def __init__(
        self, *, region: str, options: Mapping[str, Any] | None = None
    ) -> None:
        Options(options).check()
        self._region = region

    def read(self, request: Request) -> Turn | DialEnd:
        addressed(request, "POST", at=("", EVENTS))
        if request.path == EVENTS:
            return self._end(request.body)
        fields = form_fields(
            request.body,
            needs=("sessionId", "serviceCode", "phoneNumber", "text"),
            takes=("networkCode",),
        )
        return Turn(
            session=session("sessionId", fields["sessionId"]),
            phone=phone("phoneNumber", fields["phoneNumber"], self._region),
            dialled=dialled("serviceCode", fields["serviceCode"]),
            typed=fields["text"],
        )

    def _end(self, body: bytes) -> DialEnd:
        fields = form_fields(body, needs=("sessionId", "phoneNumber", "status"))
        return DialEnd(
            session=session("sessionId", fields["sessionId"]),
            phone=phone("phoneNumber", fields["phoneNumber"], self._region),
            how=_ENDINGS[chosen("status", fields["status"], _ENDINGS)],
        )

    def write(self, turn: Turn, text: str, *, ends: bool) -> Answer:
        return con_end(text, ends=ends)

    def acknowledge(self, end: DialEnd) -> Answer:
        return Answer("OK")

    def refuse(self, reason: str, status: int) -> Answer:
        return con_end(reason, ends=True, status=status)

    # -- the carrier's side ---------------------------------------------------------

    def send(self, call: Call) -> Request:
        form = {**_named(call), "text": "*".join(call.answers)}
        return Request(body=urlencode(form).encode(), headers=_FORM)

    def send_end(self, call: Call, how: Ending) -> Request:
        status = "Success" if how is Ending.REACHED else "Incomplete"
        form = {**_named(call), "status": status, "input": "*".join(call.answers)}
        return Request(path=EVENTS, body=urlencode(form).encode(), headers=_FORM)

    def heard(self, answer: Answer) -> tuple[str, bool]:
        return con_end_heard(answer.body)


_FORM = {"content-type": "application/x-www-form-urlencoded"}


def _named(call: Call) -> dict[str, str]:
    return {
        "sessionId": call.session,
        "serviceCode": call.dialled,
        "phoneNumber": call.phone,
        "networkCode": "99999",
    }
