"""MeliPayamak (melipayamak.com/api), an Iranian aggregator on payamak-panel.com.

Status: what `SendSMS` answers and the states of a text are from the vendor's page; the
paths and fields of `GetDeliveries2` and `GetMessages` are from memory: confirm with the
carrier.

It takes no reference of ours and cannot be asked about one, so a text whose answer was
lost waits for its receipt; its silence is weighed. It posts nothing that is documented:
receipts and incoming texts are asked for. Name and password stand in each body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta, timezone
from typing import Any, ClassVar, Self

from phone.numbers import national
from sms.carrier import (
    Answer,
    Inbound,
    Outbound,
    Outcome,
    Posted,
    Question,
    Receipt,
    Reply,
    Result,
    Spoilt,
    Status,
    Tools,
    Unreadable,
    address,
    checked,
)
from sms.fields import (
    every,
    id_of,
    line_of,
    sender_of,
    text_of,
    texts_in,
    time_in,
)

__all__ = ["MeliPayamak"]

BASE_URL = "https://rest.payamak-panel.com"
ASKED_MAX = 100
# It writes times as its clock on the wall has them; Iran keeps no summer time.
IRAN = timezone(timedelta(hours=3, minutes=30))
INBOUND_MAX = 100
# Its limits are those of a day; nobody says when it ends.
LIMIT_SECONDS = 1800

# `RetStatus`, or `Value` where that is no id. With all that is not here, the text is
# refused for good.
CODES: Mapping[str, Outcome] = {
    "0": Outcome.MISCONFIGURED,  # the name or the password
    "2": Outcome.NO_CREDIT,
    "3": Outcome.THROTTLED,  # the limit of the day
    "4": Outcome.THROTTLED,  # the limit of the volume
    "5": Outcome.MISCONFIGURED,  # the sender
    "6": Outcome.RETRYABLE,  # it is being updated
    "7": Outcome.REFUSED,  # a word in the text is filtered
    "9": Outcome.MISCONFIGURED,  # a public line may not be used so
    "10": Outcome.MISCONFIGURED,  # the account is not active
    "11": Outcome.REFUSED,  # "not sent"
    "12": Outcome.MISCONFIGURED,  # papers of the account are missing
    "14": Outcome.REFUSED,  # the text has a link
    "15": Outcome.REFUSED,  # the stop line is missing
    "35": Outcome.OPTED_OUT,
}
TAKEN = "1"
# An id has more than 15 digits; what is shorter is a code.
_ID = re.compile(r"[0-9]{16,20}")

STATUSES: Mapping[str, Status] = {
    "0": Status.SENT,  # sent to the telecom
    "1": Status.DELIVERED,
    "2": Status.FAILED,
    "3": Status.FAILED,  # an error of the telecom
    "8": Status.SENT,  # at the telecom
    "16": Status.FAILED,  # did not reach the telecom
    "35": Status.OPTED_OUT,
    "200": Status.SENT,
    "300": Status.FAILED,  # filtered
    "400": Status.SENT,  # in the queue
    "500": Status.FAILED,  # refused
}


class MeliPayamak:
    """Sends through `username`; `api_key` is the password."""

    name: ClassVar[str] = "melipayamak"
    can_look_up: ClassVar[bool] = False
    ids_are_ours: ClassVar[bool] = False
    ids_at_once: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("username", "api_key", "sender")
    knows: ClassVar[tuple[str, ...]] = ()
    reply = Reply()

    def __init__(self, options: Mapping[str, str], tools: Tools) -> None:
        self._http = tools.http
        self._region = tools.region
        self._api = address(options.get("base_url") or BASE_URL, "api/SendSMS/")
        self._login = {
            "username": options["username"],
            "password": options["api_key"],
        }

    @classmethod
    def build(cls, options: Mapping[str, str], tools: Tools) -> Self:
        return cls(options, tools)

    def send(self, message: Outbound) -> Result:
        answer = self._call(
            "SendSMS",
            to=national(message.to),
            text=message.text,
            isflash="false",
            **{"from": message.sender},
        )
        if answer.result is not None:
            return answer.result
        body = answer.json()
        body = body if isinstance(body, dict) else {}
        value, code = str(body.get("Value", "")), str(body.get("RetStatus", ""))[:8]
        if code == TAKEN and _ID.fullmatch(value):
            return Result(Outcome.ACCEPTED, value, detail="RetStatus 1")
        if code == TAKEN and value.isascii() and value.isdecimal():
            # It says yes to the request, and in the place of the id why not.
            code = value[:8]
        if code == TAKEN or not re.fullmatch(r"-?[0-9]+", code):
            return Result(Outcome.AMBIGUOUS, detail="a good answer that is unreadable")
        outcome = CODES.get(code, Outcome.REFUSED)
        return Result(
            outcome,
            detail=f"RetStatus {code}",
            retry_after_seconds=(
                LIMIT_SECONDS if outcome is Outcome.THROTTLED else None
            ),
        )

    def look_up(self, question: Question) -> Result | None:
        return Result(Outcome.AMBIGUOUS, detail="this carrier cannot be asked")

    def read_receipts(self, posted: Posted) -> tuple[Receipt, ...]:
        raise Unreadable("this carrier posts no receipts: it is asked for them")

    def read_inbound(self, posted: Posted) -> tuple[Inbound, ...]:
        raise Unreadable("this carrier posts no texts: it is asked for them")

    def ask_receipts(self, carrier_ids: Sequence[str]) -> tuple[Receipt, ...]:
        """One request for each: there is no list of several."""
        receipts = []
        for carrier_id in carrier_ids[:ASKED_MAX]:
            body = _body(self._call("GetDeliveries2", recID=carrier_id))
            raw = str(body.get("Value", ""))[:8]
            if str(body.get("RetStatus")) == "1" and re.fullmatch(r"[0-9]+", raw):
                status = STATUSES.get(raw, Status.UNKNOWN)
                said = json.dumps(body).encode()
                receipts.append(Receipt(carrier_id, status, raw, raw=said))
        return tuple(receipts)

    def ask_inbound(self, *, again: bool = False) -> tuple[Inbound | Spoilt, ...]:
        body = _body(
            self._call(
                "GetMessages",
                location="1",
                index="0",
                count=str(INBOUND_MAX),
                **{"from": ""},
            )
        )
        listed = body.get("Data")
        return every(listed if isinstance(listed, list) else (), self._inbound)

    def _inbound(self, item: Mapping[str, Any]) -> Inbound:
        form = texts_in(item, "MsgID", "Sender", "Receiver", "Body", "SendDate")
        return Inbound(
            carrier_id=id_of(form, "MsgID"),
            sender_phone=sender_of(form, "Sender", self._region),
            line=line_of(form, "Receiver"),
            text=text_of(form, "Body"),
            at=time_in(form.get("SendDate", ""), IRAN),
        )

    def _call(self, path: str, **form: str) -> Answer:
        request = self._http.build_request(
            "POST", self._api.join(path), data={**self._login, **form}
        )
        return checked(self._http, request)


def _body(answer: Answer) -> Mapping[str, Any]:
    body = answer.json() if answer.result is None else None
    return body if isinstance(body, dict) else {}
