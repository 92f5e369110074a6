"""MTN's group USSD API (MADAPI), as it calls the `callbackUrl` of a subscription.

A POST of JSON: `sessionId`, `messageType` (0 begins, 1 continues, 2 ends, 4 cancelled
by the caller, 5 timed out), `msisdn`, `serviceCode` and `ussdString`, the latest answer
alone. The answer is JSON whose `data` has the screen as `inboundResponse`,
`userInputRequired`, and `messageType` 1 to go on and 2 to end.

Status: from the vendor's OpenAPI file (MTN Messaging USSD API 1.0.0, InboundRequest and
InboundResponse). It shows how MTN's gateway calls MADAPI; that the subscriber's address
gets the same fields is second-hand: confirm with the carrier before going live. Not
said: how the callback authenticates, whether `ussdString` holds the whole code at first
(with a * in it, it does; else `serviceCode` is what was dialled), retries and timers.
Notifications (3) are not for us. An End (2) counts as reached, for a cancelled or
timed-out call has a type of its own. A retry is known as one only while the first is
in flight, within two seconds of its reply, or after the end; a later one cannot be told
from an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ussd.envelope import addressed, json_answer, json_heard, json_request
from ussd.fields import chosen, complete, dialled_in, json_fields, json_object, phone
from ussd.fields import session as identity
from ussd.options import Options
from ussd.turn import Answer, Call, DialEnd, Ending, Request, Turn, Unreadable

__all__ = ["MtnMadapi"]

_BEGINS, _GOES_ON, _ENDS = "0", "1", "2"
_ENDINGS = {_ENDS: Ending.REACHED, "4": Ending.LEFT, "5": Ending.CUT}
_TYPES = (_BEGINS, _GOES_ON, *_ENDINGS)
# MADAPI's own codes: done, and "a system error has occurred".
_DONE, _FAILED = "0000", "3001"


class MtnMadapi:
    name: ClassVar[str] = "mtn-madapi"
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
            needs=("sessionId", "messageType", "msisdn"),
            takes=("serviceCode", "ussdString"),
        )
        session = identity("sessionId", fields["sessionId"])
        caller = phone("msisdn", fields["msisdn"], self._region)
        kind = chosen("messageType", fields["messageType"], _TYPES)
        echo = {
            "serviceCode": fields.get("serviceCode", ""),
            "msisdn": fields["msisdn"],
        }
        if kind in _ENDINGS:
            return DialEnd(session=session, phone=caller, how=_ENDINGS[kind], echo=echo)
        complete(fields, "serviceCode", "ussdString")
        starts = kind == _BEGINS
        return Turn(
            session=session,
            phone=caller,
            dialled=dialled_in(fields, "ussdString", "serviceCode", starts=starts),
            typed="" if starts else fields["ussdString"],
            cumulative=False,
            starts=starts,
            echo=echo,
        )

    def write(self, turn: Turn, text: str, *, ends: bool) -> Answer:
        return _reply(turn.session, turn.echo, text, ends=ends)

    def acknowledge(self, end: DialEnd) -> Answer:
        return _reply(end.session, end.echo, "", ends=True)

    def refuse(self, reason: str, status: int) -> Answer:
        return _reply("", {}, reason, ends=True, status=status, why=reason)

    # -- the carrier's side ---------------------------------------------------------

    def send(self, call: Call) -> Request:
        if call.answers:
            return _request(call, _GOES_ON, call.answers[-1])
        return _request(call, _BEGINS, call.dialled)

    def send_end(self, call: Call, how: Ending) -> Request:
        kind = next(kind for kind, ending in _ENDINGS.items() if ending is how)
        return _request(call, kind, "")

    def heard(self, answer: Answer) -> tuple[str, bool]:
        said = json_heard(answer)
        json_fields(said, needs=("statusCode", "statusMessage", "transactionId"))
        data = said.get("data")
        if not isinstance(data, dict):
            raise Unreadable("Field data is not an object.")
        fields = json_fields(data, needs=("inboundResponse", "messageType"))
        kind = chosen("messageType", fields["messageType"], (_GOES_ON, _ENDS))
        if data.get("userInputRequired") is not (kind == _GOES_ON):
            raise Unreadable("Field userInputRequired is not as messageType says.")
        return fields["inboundResponse"], kind == _ENDS


def _reply(
    session: str,
    echo: Mapping[str, str],
    text: str,
    *,
    ends: bool,
    status: int = 200,
    why: str = "",
) -> Answer:
    said = {
        "statusCode": _DONE if status == 200 else _FAILED,
        "statusMessage": why,
        "transactionId": session,
        "data": {
            "inboundResponse": text,
            "userInputRequired": not ends,
            "messageType": int(_ENDS if ends else _GOES_ON),
            "serviceCode": echo.get("serviceCode", ""),
            "msisdn": echo.get("msisdn", ""),
        },
        "_link": {"self": {"href": ""}},
    }
    return json_answer(said, status)


def _request(call: Call, kind: str, written: str) -> Request:
    said = {
        "sessionId": call.session,
        "messageType": kind,
        "msisdn": call.phone.removeprefix("+"),
        "serviceCode": call.dialled,
        "ussdString": written,
        "cellId": "62001-101-7",
        "language": "en",
    }
    return json_request(said)
