"""Africa's Talking USSD, and the many gateways that copied its form.

A POST of `sessionId`, `serviceCode`, `phoneNumber`, `networkCode` and `text` (empty
at first, afterwards all inputs joined by `*`); the answer is plain text that begins
`CON ` to go on and `END ` to close. A separate event tells how the session ended.
From the vendor's page (USSD, Handle USSD sessions; Notifications). The callback is
not signed: the address's secret key and `allow_from` are what protect it.
"""

from __future__ import annotations

from typing import ClassVar

from phone.dialcode import NotADialCode, normalise
from phone.numbers import NotAPhone, from_network
from ussd.turn import Answer, DialEnd, Turn, Unreadable, form_fields

__all__ = ["AfricasTalking"]

SESSION_CHARS_MAX = 120


class AfricasTalking:
    name: ClassVar[str] = "africastalking"

    def __init__(self, *, region: str) -> None:
        self._region = region

    def read(self, body: bytes) -> Turn:
        fields = form_fields(
            body,
            needs=("sessionId", "serviceCode", "phoneNumber", "text"),
            takes=("networkCode",),
        )
        try:
            dialled = normalise(fields["serviceCode"])
        except NotADialCode:
            raise Unreadable("Field serviceCode is not a dial code.") from None
        return Turn(
            session=_session(fields["sessionId"]),
            phone=self._phone(fields["phoneNumber"]),
            dialled=dialled,
            typed=fields["text"],
        )

    def read_end(self, body: bytes) -> DialEnd:
        """`status` is Success (the end was reached), Incomplete or Failed."""
        fields = form_fields(body, needs=("sessionId", "phoneNumber", "status"))
        if fields["status"] not in ("Success", "Incomplete", "Failed"):
            raise Unreadable("Field status is none of Success, Incomplete, Failed.")
        return DialEnd(
            session=_session(fields["sessionId"]),
            phone=self._phone(fields["phoneNumber"]),
            reached=fields["status"] == "Success",
        )

    def write(self, text: str, *, ends: bool) -> Answer:
        return Answer(f"{'END' if ends else 'CON'} {text}")

    def refuse(self, reason: str, status: int) -> Answer:
        return Answer(f"END {reason}", status=status)

    def _phone(self, text: str) -> str:
        try:
            return from_network(text, self._region)
        except NotAPhone:
            raise Unreadable("Field phoneNumber is not a phone number.") from None


def _session(text: str) -> str:
    if not 0 < len(text) <= SESSION_CHARS_MAX:
        raise Unreadable(f"Field sessionId is not 1 to {SESSION_CHARS_MAX} characters.")
    return text
