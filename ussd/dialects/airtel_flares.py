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
from urllib.parse import urlencode

from phone.dialcode import NotADialCode, parts
from ussd.fields import dialled, form_fields, phone, session
from ussd.turn import Answer, Call, DialEnd, Ending, Request, Turn, Unreadable

__all__ = ["AirtelFlares"]

CODES_MAX = 20

_FREEFLOW = {False: "FC", True: "FB"}
# As a network writes a code; an answer in Persian digits is no dial.
_CODE = re.compile(r"\*?[0-9]+(?:\*[0-9]+)*#?")


class AirtelFlares:
    name: ClassVar[str] = "airtel-flares"
    session_alone: ClassVar[bool] = False

    def __init__(
        self, *, region: str, options: Mapping[str, Any] | None = None
    ) -> None:
        said = dict(options or {})
        faults: list[str] = []
        self._region = region
        self._codes = _codes(said.pop("codes", None), faults)
        self._userid = _secret(said.pop("userid", None), "userid", faults)
        self._password = _secret(said.pop("password", None), "password", faults)
        if (self._userid is None) != (self._password is None):
            faults.append("userid and password are set together")
        faults += [f"airtel-flares has no option {name}" for name in said]
        if faults:
            raise ValueError("\n".join(faults))

    def read(self, request: Request) -> Turn | DialEnd:
        if request.path:
            raise Unreadable("There is nothing here.", 404)
        if request.method != "GET":
            raise Unreadable("Turns are fetched.", 405)
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
        for name, wanted in (("userid", self._userid), ("password", self._password)):
            given = fields.get(name, "").encode()
            if wanted is not None and not hmac.compare_digest(given, wanted):
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
        who = {"userid": self._userid, "password": self._password}
        known = {name: value for name, value in who.items() if value is not None}
        return Request(method="GET", query=urlencode({**form, **known}).encode())

    def heard(self, answer: Answer) -> tuple[str, bool]:
        if not answer.content_type.startswith("text/plain"):
            raise Unreadable("The reply is not plain text.")
        headers = {name.lower(): value for name, value in answer.headers.items()}
        flow = headers.get("freeflow")
        if flow not in _FREEFLOW.values():
            raise Unreadable("The reply's Freeflow is neither FC nor FB.")
        if headers.get("charge") != "N" or headers.get("amount") != "0":
            raise Unreadable("The reply charges the caller.")
        return answer.body, flow == _FREEFLOW[True]


def _said(screen: str, *, ends: bool, status: int = 200) -> Answer:
    headers = {"Freeflow": _FREEFLOW[ends], "charge": "N", "amount": "0"}
    return Answer(screen, status=status, headers=headers)


def _needed(fields: Mapping[str, str], name: str) -> str:
    if name not in fields:
        raise Unreadable(f"Field {name} is missing.")
    return fields[name]


def _codes(said: object, faults: list[str]) -> tuple[tuple[str, ...], ...]:
    """The codes that lead here, each taken apart."""
    written = [said] if isinstance(said, str) else said
    if not isinstance(written, list) or not 0 < len(written) <= CODES_MAX:
        faults.append(f"codes is a list of 1 to {CODES_MAX} codes that lead here")
        return ()
    found = []
    for code in written:
        try:
            found.append(parts(code if isinstance(code, str) else ""))
        except NotADialCode:
            faults.append(f"codes: {code!r} is not a dial code")
    return tuple(found)


def _secret(said: object, name: str, faults: list[str]) -> bytes | None:
    if said is None:
        return None
    if not isinstance(said, str) or not said:
        faults.append(f"{name} is not a text")
        return None
    return said.encode()
