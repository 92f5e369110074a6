"""Magfa HTTP v2 (messaging.magfa.com, wiki: api/http_v2), an Iranian carrier.

Status: from the vendor's page as two published clients have it. Confirm with the
carrier: what `mid` answers about an id it never had (24, or no `mid`, is read as that),
what `tariff` counts (no cost is made of it), and how it posts receipts and incoming
texts, if your contract has it post any.

`uids` takes our id, and `mid` says for a day whether a text under it was taken. It
posts nothing that is documented: receipts and incoming texts are asked for.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta, timezone
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
from sms.fields import every, line_of, sender_of, text_of, texts_in, time_in

__all__ = ["Magfa"]

BASE_URL = "https://sms.magfa.com"
PATH = "api/http/sms/v2"

# It forgets ids after a day.
REMEMBERED = timedelta(hours=23)
INBOUND_MAX = 100
# It writes times as its clock on the wall has them; Iran keeps no summer time.
IRAN = timezone(timedelta(hours=3, minutes=30))
# Advertising lines are shut from 22 to 07; nobody says when they open for a text.
SHUT_SECONDS = 1800

# `status` of an answer and of each text in it; 0 is yes. Those from 101 are arrays of
# unlike lengths, and with all that is not here they are refused for good.
CODES: Mapping[int, Outcome] = {
    1: Outcome.REFUSED,  # the receiver's number
    2: Outcome.MISCONFIGURED,  # the sender
    8: Outcome.THROTTLED,  # outside 07 to 22, for advertising
    14: Outcome.NO_CREDIT,
    15: Outcome.RETRYABLE,  # busy: "send the request again"
    16: Outcome.MISCONFIGURED,  # the account is off
    17: Outcome.MISCONFIGURED,  # the account has run out
    18: Outcome.MISCONFIGURED,  # the name or the password
    19: Outcome.MISCONFIGURED,
    20: Outcome.MISCONFIGURED,  # the sender is not ours
    22: Outcome.MISCONFIGURED,  # the service is not switched on
    23: Outcome.RETRYABLE,  # busy: "send the request again"
    25: Outcome.MISCONFIGURED,
    27: Outcome.OPTED_OUT,  # on the operator's list of those who want no advertising
    29: Outcome.MISCONFIGURED,  # our address is not on its list
    33: Outcome.OPTED_OUT,  # the receiver blocks this sender
    34: Outcome.MISCONFIGURED,  # the account is not verified
}
NEVER_HAD_IT = 24

# `status` of a text that was taken.
STATUSES: Mapping[str, Status] = {
    "0": Status.SENT,  # nothing is known yet
    "1": Status.DELIVERED,
    "2": Status.FAILED,
    "8": Status.SENT,  # at the operator
    "16": Status.FAILED,  # did not reach the operator
}


class Magfa:
    """Sends through `username` in `domain`; `api_key` is the password."""

    name: ClassVar[str] = "magfa"
    can_look_up: ClassVar[bool] = True
    ids_are_ours: ClassVar[bool] = False
    ids_at_once: ClassVar[int] = 100
    needs: ClassVar[tuple[str, ...]] = ("username", "domain", "api_key", "sender")
    knows: ClassVar[tuple[str, ...]] = ()
    reply = Reply()

    def __init__(self, options: Mapping[str, str], tools: Tools) -> None:
        self._http = tools.http
        self._region = tools.region
        self._api = address(options.get("base_url") or BASE_URL, f"{PATH}/")
        login = f"{options['username']}/{options['domain']}:{options['api_key']}"
        self._headers = {
            "Authorization": f"Basic {base64.b64encode(login.encode()).decode()}",
            "Accept": "application/json",
            "Cache-Control": "no-cache",
        }

    @classmethod
    def build(cls, options: Mapping[str, str], tools: Tools) -> Self:
        return cls(options, tools)

    def send(self, message: Outbound) -> Result:
        answer = self._call(
            "POST",
            "send",
            json={
                "senders": [message.sender],
                "recipients": [national(message.to)],
                "messages": [message.text],
                "uids": [int(message.id)],
            },
        )
        if answer.result is not None and not 400 <= answer.status < 500:
            return answer.result
        body = _object(answer)
        code = _code(body)
        if code == 0:
            listed = body.get("messages")
            body = listed[0] if isinstance(listed, list) and listed else {}
            code = _code(body if isinstance(body, dict) else {})
        if code is None:
            return answer.result or Result(
                Outcome.AMBIGUOUS, detail="a good answer that is unreadable"
            )
        if code == 0:
            return _taken(body)
        outcome = CODES.get(code, Outcome.REFUSED)
        return Result(
            outcome,
            detail=f"status {code}",
            retry_after_seconds=SHUT_SECONDS if code == 8 else None,
        )

    def look_up(self, question: Question) -> Result | None:
        answer = self._call("GET", f"mid/{quote(question.id, safe='')}")
        body = _object(answer)
        code, mid = _code(body), body.get("mid")
        if answer.result is not None or code not in (0, NEVER_HAD_IT):
            return Result(Outcome.AMBIGUOUS, detail=f"look-up: status {code}")
        if code == 0 and isinstance(mid, int) and mid > 0:
            receipts = self.ask_receipts([str(mid)])
            status = receipts[0].status if receipts else Status.SENT
            return Result(Outcome.ACCEPTED, str(mid), detail="look-up", status=status)
        if question.at - question.since < REMEMBERED:
            return None
        return Result(Outcome.AMBIGUOUS, detail="look-up: forgotten")

    def read_receipts(self, posted: Posted) -> tuple[Receipt, ...]:
        raise Unreadable("this carrier posts no receipts: it is asked for them")

    def read_inbound(self, posted: Posted) -> tuple[Inbound, ...]:
        raise Unreadable("this carrier posts no texts: it is asked for them")

    def ask_receipts(self, carrier_ids: Sequence[str]) -> tuple[Receipt, ...]:
        ids = ",".join(carrier_ids[: self.ids_at_once])
        found = self._items(f"statuses/{quote(ids, safe=',')}", "dlrs", _receipt)
        # Of what is not known yet it says so; that is asked again.
        return tuple(one for one in found if isinstance(one, Receipt))

    def ask_inbound(self, *, again: bool = False) -> tuple[Inbound | Spoilt, ...]:
        return self._items(f"messages/{INBOUND_MAX}", "messages", self._inbound)

    def _items(self, path: str, name: str, read: Any) -> tuple[Any, ...]:
        """A list of theirs; what cannot be had now is not there."""
        body = _object(self._call("GET", path))
        listed = body.get(name) if _code(body) == 0 else None
        return every(listed if isinstance(listed, list) else (), read)

    def _inbound(self, item: Mapping[str, Any]) -> Inbound:
        form = texts_in(item, "body", "senderNumber", "recipientNumber", "date")
        # It gives a text no id, so the whole of it is its name.
        named = "\x1f".join(form.get(name, "") for name in sorted(form))
        digest = hashlib.sha256(named.encode("utf-8", "replace")).hexdigest()
        return Inbound(
            carrier_id=f"sha256-{digest}",
            sender_phone=sender_of(form, "senderNumber", self._region),
            line=line_of(form, "recipientNumber"),
            text=text_of(form, "body"),
            at=time_in(form.get("date", ""), IRAN),
        )

    def _call(self, method: str, path: str, **parts: Any) -> Answer:
        request = self._http.build_request(
            method, self._api.join(path), headers=self._headers, **parts
        )
        return checked(self._http, request)


def _object(answer: Answer) -> Mapping[str, Any]:
    body = answer.json()
    return body if isinstance(body, dict) else {}


def _code(body: Mapping[str, Any]) -> int | None:
    code = body.get("status")
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _taken(body: Mapping[str, Any]) -> Result:
    mid, parts = body.get("id"), body.get("parts")
    return Result(
        Outcome.ACCEPTED,
        str(mid) if isinstance(mid, int) and 0 < mid < 10**18 else None,
        detail="status 0",
        parts=parts if isinstance(parts, int) and 0 < parts < 300 else None,
    )


def _receipt(item: Mapping[str, Any]) -> Receipt:
    form = texts_in(item, "mid", "status")
    if not form.get("mid") or form.get("status") in (None, "-1"):
        raise Unreadable("nothing is known of it")
    raw = form["status"][:8]
    return Receipt(form["mid"][:40], STATUSES.get(raw, Status.UNKNOWN), raw)
