"""sms.ir, version 1 of its REST interface (sms.ir/rest-api), an Iranian aggregator.

Status: from the vendor's page. Confirm with the carrier: the fields and the order of
`send/live` and `receive/live`, and whether your account posts receipts or texts.

It takes no reference of ours. After a silence, the texts of the day are listed, among
which ours is known by its number and its words; a day later nothing can be learned. It
posts nothing that is documented: receipts and incoming texts are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar, Self
from urllib.parse import quote

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
    second_in,
    sender_of,
    text_of,
    texts_in,
)
from sms.prices import heard, said

__all__ = ["SmsIr"]

BASE_URL = "https://api.sms.ir"

LISTED_AFTER = timedelta(minutes=10)
CLOCK_SKEW = timedelta(minutes=2)
PAGE = 100
PAGES_MAX = 5
INBOUND_MAX = 100
# What it calls today ends at midnight in Iran, which keeps no summer time.
IRAN = timezone(timedelta(hours=3, minutes=30))

# `status` of an answer; 1 is yes. With all that is not here, the text is refused.
CODES: Mapping[int, Outcome] = {
    0: Outcome.AMBIGUOUS,  # "a problem of the system", and no word on the text
    10: Outcome.MISCONFIGURED,  # the key
    11: Outcome.MISCONFIGURED,
    12: Outcome.MISCONFIGURED,  # our address is not on its list
    13: Outcome.MISCONFIGURED,  # the account
    14: Outcome.MISCONFIGURED,
    20: Outcome.THROTTLED,
    101: Outcome.MISCONFIGURED,  # the line
    102: Outcome.NO_CREDIT,
    115: Outcome.OPTED_OUT,  # on the list of those who block it
    117: Outcome.MISCONFIGURED,  # the words need its approval
    123: Outcome.MISCONFIGURED,  # the line is not active
}
# Where an id should be in an answer that is a yes.
BLOCKED, INVALID = 0, None

STATUSES: Mapping[str, Status] = {
    "1": Status.DELIVERED,
    "2": Status.FAILED,
    "3": Status.SENT,  # at the telecom
    "4": Status.FAILED,  # did not reach the telecom
    "5": Status.SENT,  # at the operator
    "6": Status.FAILED,
    "7": Status.OPTED_OUT,
}


class SmsIr:
    """Sends through one account from the line `sender`, which is a number."""

    name: ClassVar[str] = "smsir"
    can_look_up: ClassVar[bool] = True
    ids_are_ours: ClassVar[bool] = False
    ids_at_once: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("api_key", "sender")
    knows: ClassVar[tuple[str, ...]] = ()
    reply = Reply()

    def __init__(self, options: Mapping[str, str], tools: Tools) -> None:
        sender = options["sender"]
        if not (sender.isascii() and sender.isdecimal()):
            raise ValueError("sender is no number")
        self._http = tools.http
        self._region = tools.region
        self._api = address(options.get("base_url") or BASE_URL, "v1/")
        self._headers = {
            "X-API-KEY": options["api_key"],
            "Accept": "application/json",
        }

    @classmethod
    def build(cls, options: Mapping[str, str], tools: Tools) -> Self:
        return cls(options, tools)

    def send(self, message: Outbound) -> Result:
        answer = self._call(
            "POST",
            "send/bulk",
            json={
                "lineNumber": int(message.sender),
                "messageText": message.text,
                "mobiles": [national(message.to)],
                "sendDateTime": None,
            },
        )
        failed, code = answer.result, _code(answer)
        if failed is not None and (code is None or not 400 <= answer.status < 500):
            return failed
        if code == 1 and failed is None:
            return _taken(answer)
        if code is None or code == 1:
            return failed or Result(
                Outcome.AMBIGUOUS, detail="a good answer that is unreadable"
            )
        outcome = CODES.get(code, Outcome.REFUSED)
        wait = failed.retry_after_seconds if failed else None
        return Result(outcome, detail=f"status {code}", retry_after_seconds=wait)

    def look_up(self, question: Question) -> Result | None:
        if not (question.to and question.text):
            return Result(
                Outcome.AMBIGUOUS, detail="look-up: nothing to know a text by"
            )
        for page in range(1, PAGES_MAX + 1):
            params = {"pageNumber": str(page), "pageSize": str(PAGE)}
            answer = self._call("GET", "send/live", params=params)
            listed = _data(answer)
            if not isinstance(listed, list):
                return Result(Outcome.AMBIGUOUS, detail="look-up: unreadable")
            for entry in listed:
                if isinstance(entry, dict) and _is_asked_about(entry, question):
                    return _known(entry)
            if len(listed) < PAGE:
                break
        else:
            return Result(Outcome.AMBIGUOUS, detail="look-up: too long a list")
        waited = question.at - question.since
        if waited >= LISTED_AFTER and _is_one_day(question):
            return None
        return Result(Outcome.AMBIGUOUS, detail="look-up: not in the list")

    def read_receipts(self, posted: Posted) -> tuple[Receipt, ...]:
        raise Unreadable("this carrier posts no receipts: it is asked for them")

    def read_inbound(self, posted: Posted) -> tuple[Inbound, ...]:
        raise Unreadable("this carrier posts no texts: it is asked for them")

    def ask_receipts(self, carrier_ids: Sequence[str]) -> tuple[Receipt, ...]:
        """One request for each: there is no list of several."""
        receipts = []
        for carrier_id in carrier_ids[:PAGE]:
            data = _data(self._call("GET", f"send/{quote(carrier_id, safe='')}"))
            state = data.get("deliveryState") if isinstance(data, dict) else None
            if isinstance(state, int):
                status = STATUSES.get(str(state), Status.UNKNOWN)
                raw = json.dumps(data).encode()
                receipts.append(Receipt(carrier_id, status, str(state), raw=raw))
        return tuple(receipts)

    def ask_inbound(self, *, again: bool = False) -> tuple[Inbound | Spoilt, ...]:
        """The latest texts, again and again: `receive/latest` would show each once."""
        params = {"pageNumber": "1", "pageSize": str(INBOUND_MAX)}
        listed = _data(self._call("GET", "receive/live", params=params))
        return every(listed if isinstance(listed, list) else (), self._inbound)

    def _inbound(self, item: Mapping[str, Any]) -> Inbound:
        form = texts_in(
            item,
            "receiveReturnId",
            "mobile",
            "number",
            "messageText",
            "receivedDateTime",
        )
        return Inbound(
            carrier_id=id_of(form, "receiveReturnId"),
            sender_phone=sender_of(form, "mobile", self._region),
            line=line_of(form, "number"),
            text=text_of(form, "messageText"),
            at=second_in(form.get("receivedDateTime", "")),
        )

    def _call(self, method: str, path: str, **parts: Any) -> Answer:
        request = self._http.build_request(
            method, self._api.join(path), headers=self._headers, **parts
        )
        return checked(self._http, request)


def _code(answer: Answer) -> int | None:
    body = answer.json()
    code = body.get("status") if isinstance(body, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _data(answer: Answer) -> Any:
    if answer.result is not None or _code(answer) != 1:
        return None
    return answer.json().get("data")


def _taken(answer: Answer) -> Result:
    data = _data(answer)
    ids = data.get("messageIds") if isinstance(data, dict) else None
    if not isinstance(ids, list) or len(ids) != 1:
        return Result(Outcome.AMBIGUOUS, detail="a yes without an id")
    if ids[0] is INVALID:
        return Result(Outcome.REFUSED, detail="messageIds null")
    if ids[0] == BLOCKED:
        return Result(Outcome.OPTED_OUT, detail="messageIds 0")
    if not isinstance(ids[0], int):
        return Result(Outcome.AMBIGUOUS, detail="a yes with an unreadable id")
    # It bills in units of its own credit.
    cost = said(heard(data.get("cost"), "credit"))
    return Result(Outcome.ACCEPTED, str(ids[0])[:40], detail="status 1", cost=cost)


def _is_asked_about(entry: Mapping[str, Any], question: Question) -> bool:
    mobile = str(entry.get("mobile", "")).removeprefix("+").lstrip("0")
    ours = national(question.to).lstrip("0")
    if mobile.removeprefix("98") != ours.removeprefix("98"):
        return False
    if entry.get("messageText") != question.text:
        return False
    sent = entry.get("sendDateTime")
    if not isinstance(sent, int) or not 0 < sent < 2**33:
        # It could be: then it is.
        return True
    return datetime.fromtimestamp(sent, UTC) >= question.since - CLOCK_SKEW


def _is_one_day(question: Question) -> bool:
    first, last = question.since - CLOCK_SKEW, question.at + CLOCK_SKEW
    return first.astimezone(IRAN).date() == last.astimezone(IRAN).date()


def _known(entry: Mapping[str, Any]) -> Result:
    carrier_id, state = entry.get("messageId"), entry.get("deliveryState")
    return Result(
        Outcome.ACCEPTED,
        str(carrier_id)[:40] if isinstance(carrier_id, int) else None,
        detail="look-up",
        status=STATUSES.get(str(state), Status.SENT),
    )
