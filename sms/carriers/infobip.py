"""Infobip SMS, version 3 (infobip.com/docs/api/channels/sms).

Status: from the vendor's page. Confirm with the carrier: how soon a text stands in its
logs; ten minutes are allowed for it here.

The id of a text is ours, so its receipts find it whatever became of our call, and the
logs of the last 48 hours say whether it was taken. What it calls DELIVERED_TO_OPERATOR
has not been delivered to anybody. Reports and incoming texts come up to a hundred in
one post, and carry no signature: the secret end of the URL keeps strangers out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Self

from phone.encoding import SMS_PARTS_MAX
from sms.carrier import (
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
    address,
    checked,
)
from sms.fields import (
    each,
    field_of,
    id_of,
    items_of,
    line_of,
    object_of,
    sender_of,
    text_of,
    texts_in,
    time_in,
)
from sms.prices import heard, said

__all__ = ["Infobip"]

# What was taken longer ago than that is in the logs, and what is older is not any more.
BOOKED_AFTER = timedelta(minutes=10)
FORGOTTEN_AFTER = timedelta(hours=47)

# Groups: 1 pending, 2 undeliverable, 3 delivered, 4 expired, 5 rejected.
STATUSES: Mapping[str, Status] = {
    "1": Status.SENT,
    "2": Status.FAILED,
    "3": Status.DELIVERED,
    "4": Status.FAILED,
    "5": Status.FAILED,
}
# Statuses that say something else than their group does.
EXCEPTIONS: Mapping[str, Status] = {
    "DELIVERED_TO_OPERATOR": Status.SENT,
    "EXPIRED_DLR_UNKNOWN": Status.SENT,  # the operator has it and never reported
    "REJECTED_DND": Status.OPTED_OUT,
}

# The answer to a text that is rejected at once; any other name is refused for good.
REJECTIONS: Mapping[str, Outcome] = {
    "REJECTED_DND": Outcome.OPTED_OUT,
    # It has a text under this id; the logs say what became of it.
    "REJECTED_DUPLICATE_MESSAGE_ID": Outcome.AMBIGUOUS,
    "REJECTED_FLOODING_FILTER": Outcome.RETRYABLE,
    "REJECTED_NOT_ENOUGH_CREDITS": Outcome.NO_CREDIT,
    "REJECTED_PREPAID_PACKAGE_EXPIRED": Outcome.NO_CREDIT,
    "REJECTED_SENDER": Outcome.MISCONFIGURED,
    "REJECTED_SOURCE": Outcome.MISCONFIGURED,
    "REJECTED_SYSTEM_ERROR": Outcome.RETRYABLE,
}


class Infobip:
    """Sends through one account; `base_url` is the account's own."""

    name: ClassVar[str] = "infobip"
    can_look_up: ClassVar[bool] = True
    ids_are_ours: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("api_key", "base_url", "sender")
    knows: ClassVar[tuple[str, ...]] = ()
    reply = Reply()

    def __init__(self, *, api_key: str, base_url: str, tools: Tools) -> None:
        self._http = tools.http
        self._region = tools.region
        self._receipts_url = tools.receipts_url
        self._messages = address(base_url, "sms/3/messages")
        self._logs = address(base_url, "sms/3/logs")
        self._headers = {
            "Authorization": f"App {api_key}",
            "Accept": "application/json",
        }

    @classmethod
    def build(cls, options: Mapping[str, str], tools: Tools) -> Self:
        return cls(
            api_key=options["api_key"], base_url=options["base_url"], tools=tools
        )

    def send(self, message: Outbound) -> Result:
        to = message.to.removeprefix("+")
        text: dict[str, Any] = {
            "sender": message.sender,
            "destinations": [{"to": to, "messageId": message.id}],
            "content": {"text": message.text},
        }
        if self._receipts_url:
            text["webhooks"] = {
                "delivery": {"url": self._receipts_url},
                "contentType": "application/json",
            }
        request = self._http.build_request(
            "POST", self._messages, json={"messages": [text]}, headers=self._headers
        )
        answer = checked(self._http, request)
        failed = answer.result
        if failed is None:
            return _sent(answer.json(), message.id)
        if failed.outcome is Outcome.AMBIGUOUS:
            return Result(failed.outcome, message.id, detail=failed.detail)
        return failed

    def look_up(self, question: Question) -> Result | None:
        request = self._http.build_request(
            "GET",
            self._logs,
            params={"messageId": question.id},
            headers=self._headers,
        )
        answer = checked(self._http, request)
        body = answer.json()
        results = body.get("results") if isinstance(body, dict) else None
        if answer.result is not None or not isinstance(results, list):
            return _unknown(question, "look-up: unreadable")
        for entry in results:
            if isinstance(entry, dict) and entry.get("messageId") == question.id:
                return _known(entry, question)
        if results:
            return _unknown(question, "look-up: other texts")
        if BOOKED_AFTER <= question.at - question.since < FORGOTTEN_AFTER:
            return None
        return _unknown(question, "look-up: not in the logs")

    def read_receipts(self, posted: Posted) -> tuple[Receipt | Spoilt, ...]:
        return each(items_of(object_of(posted), "results"), _receipt)

    def read_inbound(self, posted: Posted) -> tuple[Inbound | Spoilt, ...]:
        return each(items_of(object_of(posted), "results"), self._inbound)

    def _inbound(self, item: Mapping[str, Any]) -> Inbound:
        form = texts_in(item, "messageId", "from", "to", "text", "receivedAt")
        return Inbound(
            carrier_id=id_of(form, "messageId"),
            sender_phone=sender_of(form, "from", self._region),
            line=line_of(form, "to"),
            text=text_of(form, "text"),
            at=time_in(form.get("receivedAt", "")),
        )


def _sent(body: Any, message_id: str) -> Result:
    messages = body.get("messages") if isinstance(body, dict) else None
    first = messages[0] if isinstance(messages, list) and messages else None
    group, name = _status_of(first)
    if group in ("1", "3"):
        return Result(Outcome.ACCEPTED, message_id, detail=name)
    if group not in STATUSES:
        return Result(
            Outcome.AMBIGUOUS, message_id, detail="a good answer that is unreadable"
        )
    outcome = REJECTIONS.get(name, Outcome.REFUSED)
    has_it = outcome is Outcome.AMBIGUOUS
    return Result(outcome, message_id if has_it else None, detail=name)


def _known(entry: Mapping[str, Any], question: Question) -> Result:
    group, name = _status_of(entry)
    return Result(
        Outcome.ACCEPTED,
        question.id,
        detail=name,
        status=_meaning(group, name),
        cost=_cost(entry),
    )


def _cost(entry: Mapping[str, Any]) -> str:
    """The logs have what one part cost, and how many there were."""
    price, parts = entry.get("price"), entry.get("messageCount")
    if not isinstance(price, dict) or not isinstance(parts, int):
        return ""
    part = heard(price.get("pricePerMessage"), price.get("currency"))
    return said(*[part] * parts) if 0 < parts <= SMS_PARTS_MAX else ""


def _unknown(question: Question, why: str) -> Result:
    return Result(Outcome.AMBIGUOUS, question.id, detail=why)


def _receipt(item: Mapping[str, Any]) -> Receipt:
    carrier_id = id_of(texts_in(item, "messageId"), "messageId")
    status = item.get("status")
    form = texts_in(status if isinstance(status, dict) else {}, "groupId", "name")
    group = field_of(form, "groupId", chars_max=4).strip()
    name = field_of(form, "name", chars_max=80).strip()
    return Receipt(carrier_id, _meaning(group, name), name)


def _meaning(group: str, name: str) -> Status:
    return EXCEPTIONS.get(name) or STATUSES.get(group, Status.UNKNOWN)


def _status_of(entry: Any) -> tuple[str, str]:
    """The group and the name in an entry of theirs; empty where there are none."""
    status = entry.get("status") if isinstance(entry, dict) else None
    if not isinstance(status, dict):
        return "", ""
    return str(status.get("groupId", ""))[:4], str(status.get("name", ""))[:80]
