"""Comviva Flares HTTP pull, which Airtel runs in several countries.

A GET of `SessionID`, `MSISDN`, `MSC` and `input`, with `userid` and `password` where
the carrier was given some: the dialled code without its ends at first, `780*5588*1`,
afterwards the latest answer. The answer is plain text; the header `Freeflow` says FC
to go on and FB to close, `charge` and `amount` that the caller pays nothing. A clean-up
call, with `clean` and an `error` code, tells that a call is over.

No request says that it is the first. So the channel says in `codes` what leads here:

    codes = ["780*5588"]

An input that is one of these, or one with more behind a *, begins a call. The code is
best written whole: whoever typed `780` at a question would begin again if it were one.

Status: second-hand (Flares 1.5.0, document 1.2.0), from an adapter that was in service
and one clean-up call it recorded; confirm with the carrier before going live. The
document knew no SessionID, yet calls carry one. What the error codes stand for (522 and
523 were seen) is not known, nor are timers and retries.
A retry is known as one only while the first is in flight, within two seconds of its
reply, or after the end; a later one cannot be told from an answer.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from phone.dialcode import NotADialCode, parts
from ussd.envelope import addressed, query_request, text_heard
from ussd.fields import complete, dialled, form_fields, phone, session
from ussd.options import Options
from ussd.turn import Answer, Call, DialEnd, Ending, Request, Turn, Unreadable

__all__ = ["AirtelFlares"]

_FREEFLOW = {False: "FC", True: "FB"}
# As a network writes a code; an answer in Persian digits is no dial.
_CODE = re.compile(r"\*?[0-9]+(?:\*[0-9]+)*#?")


class AirtelFlares:
    name: ClassVar[str] = "airtel-flares"
    session_alone: ClassVar[bool] = False

    def __init__(
        self, *, region: str, options: Mapping[str, Any] | None = None
    ) -> None:
        set_up = Options(options)
        self._region = region
        self._codes = _codes(set_up)
        self._known = _known(set_up)
        set_up.check()

    def read(self, request: Request) -> Turn | DialEnd:
        addressed(request, "GET")
        fields = form_fields(
            request.query,
            needs=("SessionID",),
            takes=("MSISDN", "msisdn", "input", "clean", "userid", "password"),
        )
        self._admit(fields)
        call = session("SessionID", fields["SessionID"])
        if "clean" in fields:
            name = "MSISDN" if "MSISDN" in fields else "msisdn"
            caller = phone(name, _needed(fields, name), self._region)
            return DialEnd(session=call, phone=caller, how=Ending.CUT)
        caller = phone("MSISDN", _needed(fields, "MSISDN"), self._region)
        typed = _needed(fields, "input")
        starts = self._begins(typed)
        return Turn(
            session=call,
            phone=caller,
            dialled=dialled("input", typed) if starts else "",
            typed="" if starts else typed,
            cumulative=False,
            starts=starts,
        )

    def _admit(self, fields: Mapping[str, str]) -> None:
        for name, wanted in self._known.items():
            given = fields.get(name, "").encode()
            if not hmac.compare_digest(given, wanted.encode()):
                raise Unreadable("The userid or the password is wrong.", 403)

    def _begins(self, typed: str) -> bool:
        if not _CODE.fullmatch(typed):
            return False
        try:
            groups = parts(typed)
        except NotADialCode:
            return False
        return any(groups[: len(code)] == code for code in self._codes)

    def write(self, turn: Turn, text: str, *, ends: bool) -> Answer:
        return _said(text, ends=ends)

    def acknowledge(self, end: DialEnd) -> Answer:
        return Answer("")

    def refuse(self, reason: str, status: int) -> Answer:
        return _said(reason, ends=True, status=status)

    # -- the carrier's side ---------------------------------------------------------

    def send(self, call: Call) -> Request:
        typed = call.answers[-1] if call.answers else call.dialled.strip("*#")
        form = {
            "SessionID": call.session,
            "MSISDN": call.phone.removeprefix("+"),
            "MSC": "25473200001",
            "input": typed,
        }
        return self._fetches(form)

    def send_end(self, call: Call, how: Ending) -> Request | None:
        if how is Ending.REACHED:
            return None
        form = {
            "msisdn": call.phone.removeprefix("+"),
            "clean": "clean-session",
            "error": "522",
            "SessionID": call.session,
        }
        return self._fetches(form)

    def _fetches(self, form: dict[str, str]) -> Request:
        return query_request({**form, **self._known})

    def heard(self, answer: Answer) -> tuple[str, bool]:
        screen = text_heard(answer)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        flow = headers.get("freeflow")
        if flow not in _FREEFLOW.values():
            raise Unreadable("The reply's Freeflow is neither FC nor FB.")
        if headers.get("charge") != "N" or headers.get("amount") != "0":
            raise Unreadable("The reply charges the caller.")
        return screen, flow == _FREEFLOW[True]


def _said(screen: str, *, ends: bool, status: int = 200) -> Answer:
    headers = {"Freeflow": _FREEFLOW[ends], "charge": "N", "amount": "0"}
    return Answer(screen, status=status, headers=headers)


def _needed(fields: Mapping[str, str], name: str) -> str:
    return complete(fields, name)[name]


def _codes(options: Options) -> tuple[tuple[str, ...], ...]:
    """The codes that lead here, each taken apart."""
    found = []
    for code in options.values("codes", least=1):
        try:
            found.append(parts(code if isinstance(code, str) else ""))
        except NotADialCode:
            options.fault("codes", f"{code!r} is not a dial code")
    return tuple(found)


def _known(options: Options) -> Mapping[str, str]:
    """What the carrier has to say of itself, by the names of the fields."""
    wanted = [name for name in ("userid", "password") if name in options]
    known = {name: options.text(name) for name in wanted}
    if known and not (len(known) == 2 and all(known.values())):
        options.fault("userid", "should be set together with password")
    return known
