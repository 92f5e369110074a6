"""Safaricom's own USSD (Kenya), and gateways that fetch in its manner.

A GET, or a POST of the same form, of `ORIG` (the caller), `DEST` (the short code
without * and #), `SESSION_ID` and `USSD_PARAMS`; the answer is plain text that begins
`CON ` to go on and `END ` to close.

`USSD_PARAMS` is cumulative and begins with what was dialled behind the short code:
after *780*5588# it is `5588`, and `5588*1` once 1 was typed. No request says where the
suffix ends, so it is taken for keys typed ahead of the short code's first screen: the
menus have to know *780# itself, or the carrier has to call `780*5588` the short code.

Status: second-hand, from an adapter that was in service; confirm with the carrier
before going live. A start may come twice, as the same turn. Nothing tells that a call
is over. Timers and retries are not known; an answer that holds a * looks like two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from phone.dialcode import parts
from ussd.envelope import addressed, con_end, con_end_heard, query_request, text_heard
from ussd.fields import dialled, form_fields, phone, session
from ussd.options import Options
from ussd.turn import Answer, Call, DialEnd, Ending, Request, Turn

__all__ = ["Safaricom"]


class Safaricom:
    name: ClassVar[str] = "safaricom"
    session_alone: ClassVar[bool] = False

    def __init__(
        self, *, region: str, options: Mapping[str, Any] | None = None
    ) -> None:
        Options(options).check()
        self._region = region

    def read(self, request: Request) -> Turn | DialEnd:
        addressed(request, "GET", "POST")
        fields = form_fields(
            request.query if request.method == "GET" else request.body,
            needs=("ORIG", "DEST", "SESSION_ID", "USSD_PARAMS"),
        )
        return Turn(
            session=session("SESSION_ID", fields["SESSION_ID"]),
            phone=phone("ORIG", fields["ORIG"], self._region),
            dialled=dialled("DEST", fields["DEST"]),
            typed=fields["USSD_PARAMS"],
        )

    def write(self, turn: Turn, text: str, *, ends: bool) -> Answer:
        return con_end(text, ends=ends)

    def acknowledge(self, end: DialEnd) -> Answer:
        return Answer("")

    def refuse(self, reason: str, status: int) -> Answer:
        return con_end(reason, ends=True, status=status)

    # -- the carrier's side ---------------------------------------------------------

    def send(self, call: Call) -> Request:
        short_code, *suffix = parts(call.dialled)
        form = {
            "ORIG": call.phone.removeprefix("+"),
            "DEST": short_code,
            "SESSION_ID": call.session,
            "USSD_PARAMS": "*".join([*suffix, *call.answers]),
        }
        return query_request(form)

    def send_end(self, call: Call, how: Ending) -> None:
        return None

    def heard(self, answer: Answer) -> tuple[str, bool]:
        return con_end_heard(text_heard(answer))
