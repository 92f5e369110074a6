"""Kavenegar (kavenegar.com/rest.html): the REST interface of an Iranian aggregator.

The key is a part of the path, so no address of a request may reach a log, an exception
or a detail. `localid` is our own id: the carrier can be asked about it after a silence,
which is what keeps a text from being sent twice.

Confirm with the carrier: how long `localid` is remembered (12 to 24 hours, it is said),
and the fields of the callbacks, which are set by hand in its panel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self
from urllib.parse import quote

from phone.numbers import national
from sms.carrier import (
    CARRIER_ID_CHARS_MAX,
    Answer,
    Inbound,
    Outbound,
    Outcome,
    Posted,
    Question,
    Receipt,
    Reply,
    Result,
    Status,
    Tools,
    Unreadable,
    address,
    checked,
    keep_urls_out_of_logs,
)
from sms.fields import field_of, fields_of, id_of, line_of, sender_of, text_of

__all__ = ["Kavenegar"]

BASE_URL = "https://api.kavenegar.com"

# `return.status`, which the HTTP status repeats. What is not here, like a text that is
# too long (413) or letters it will not carry (422), is refused for good.
MEANINGS: Mapping[int, Outcome] = {
    400: Outcome.REFUSED,
    401: Outcome.MISCONFIGURED,  # the account is switched off
    402: Outcome.RETRYABLE,  # "the operation failed", documented as not taken
    403: Outcome.MISCONFIGURED,
    404: Outcome.MISCONFIGURED,
    405: Outcome.MISCONFIGURED,
    407: Outcome.MISCONFIGURED,  # our address is not on its list
    409: Outcome.RETRYABLE,  # busy: it was not taken
    411: Outcome.REFUSED,  # the receiver's number
    412: Outcome.MISCONFIGURED,  # the sender line
    416: Outcome.MISCONFIGURED,
    418: Outcome.NO_CREDIT,
    426: Outcome.MISCONFIGURED,  # the plan does not allow it
    427: Outcome.MISCONFIGURED,
    428: Outcome.MISCONFIGURED,
    451: Outcome.THROTTLED,  # too many alike in a short time
}

# The status of a text, in receipts, look-ups and answers alike.
STATUSES: Mapping[str, Status] = {
    "1": Status.SENT,  # queued
    "2": Status.SENT,  # scheduled
    "4": Status.SENT,  # at the telecom centre
    "5": Status.SENT,  # at the operator
    "6": Status.FAILED,
    "10": Status.DELIVERED,
    "11": Status.FAILED,
    "13": Status.FAILED,  # cancelled, and paid back
    "14": Status.OPTED_OUT,  # blocked by its receiver
}
NEVER_HAD_IT = "100"


class Kavenegar:
    """Sends through one Kavenegar account; `base_url` may point elsewhere."""

    name: ClassVar[str] = "kavenegar"
    can_look_up: ClassVar[bool] = True
    ids_are_ours: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("api_key", "sender")
    knows: ClassVar[tuple[str, ...]] = ("base_url",)
    reply = Reply()

    def __init__(self, *, api_key: str, base_url: str, tools: Tools) -> None:
        keep_urls_out_of_logs()
        self._http = tools.http
        self._region = tools.region
        self._api = address(base_url, f"v1/{quote(api_key, safe='')}/")

    @classmethod
    def build(cls, options: Mapping[str, str], tools: Tools) -> Self:
        return cls(
            api_key=options["api_key"],
            base_url=options.get("base_url") or BASE_URL,
            tools=tools,
        )

    def send(self, message: Outbound) -> Result:
        answer = self._call(
            "POST",
            "sms/send.json",
            data={
                "receptor": _receptor(message.to),
                "message": message.text,
                "sender": message.sender,
                "localid": message.id,
            },
        )
        if failure := _failure(answer):
            return failure
        if entry := _entry(answer):
            return _taken(entry)
        # It says yes and shows nothing: it may well have it.
        return Result(Outcome.AMBIGUOUS, detail="no entry in a good answer")

    def look_up(self, question: Question) -> Result | None:
        answer = self._call(
            "GET", "sms/statuslocalmessageid.json", params={"localid": question.id}
        )
        # No text under this id: said as 404, as no entry, or as a status 100 entry.
        if answer.status == 404 or _return_status(answer) in (404, 100):
            return None
        if failure := _failure(answer):
            return Result(Outcome.AMBIGUOUS, detail=f"look-up: {failure.detail}")
        body = answer.json()
        if not isinstance(body, dict) or _return_status(answer) != 200:
            return Result(Outcome.AMBIGUOUS, detail="look-up: unreadable")
        entry = _entry(answer)
        if entry is None and not body.get("entries"):
            return None
        if entry is None:
            return Result(Outcome.AMBIGUOUS, detail="look-up: unreadable entry")
        if str(entry.get("status")) == NEVER_HAD_IT:
            return None
        return _taken(entry)

    def read_receipts(self, posted: Posted) -> tuple[Receipt, ...]:
        form = fields_of(posted, "messageid", "status")
        carrier_id = id_of(form, "messageid")
        raw = field_of(form, "status", chars_max=16).strip()
        if not (raw.isascii() and raw.isdecimal()):
            raise Unreadable("status is no number")
        return (Receipt(carrier_id, STATUSES.get(raw, Status.UNKNOWN), raw),)

    def read_inbound(self, posted: Posted) -> tuple[Inbound, ...]:
        form = fields_of(posted, "messageid", "from", "to", "message")
        return (
            Inbound(
                carrier_id=id_of(form, "messageid"),
                sender_phone=sender_of(form, "from", self._region),
                line=line_of(form, "to"),
                text=text_of(form, "message"),
            ),
        )

    def _call(self, method: str, path: str, **parts: Any) -> Answer:
        request = self._http.build_request(method, self._api.join(path), **parts)
        return checked(self._http, request, meanings=MEANINGS)


def _receptor(e164: str) -> str:
    """The number as the carrier documents it: 0912… at home, 0049… abroad."""
    number = national(e164)
    return number if number.startswith("0") else f"00{number}"


def _return_status(answer: Answer) -> int | None:
    body = answer.json()
    said = body.get("return") if isinstance(body, dict) else None
    status = said.get("status") if isinstance(said, dict) else None
    return status if isinstance(status, int) else None


def _failure(answer: Answer) -> Result | None:
    """What kept the call from doing its work, if anything did."""
    status = _return_status(answer)
    # A 5xx stays ambiguous whatever its body says, for nobody documents one.
    if answer.result and (status is None or not 400 <= answer.status < 500):
        return answer.result
    if status is None:
        return Result(Outcome.AMBIGUOUS, detail="a good answer that is unreadable")
    if status == 200:
        return answer.result
    if status >= 500:
        return Result(Outcome.AMBIGUOUS, detail=f"return.status {status}")
    return Result(
        MEANINGS.get(status, Outcome.REFUSED),
        detail=f"return.status {status}",
        retry_after_seconds=answer.result.retry_after_seconds
        if answer.result
        else None,
    )


def _entry(answer: Answer) -> Mapping[str, Any] | None:
    body = answer.json()
    entries = body.get("entries") if isinstance(body, dict) else None
    if isinstance(entries, list) and entries and isinstance(entries[0], dict):
        return entries[0]
    return None


def _taken(entry: Mapping[str, Any]) -> Result:
    carrier_id = str(entry.get("messageid") or "")[:CARRIER_ID_CHARS_MAX]
    raw = str(entry.get("status"))
    status = STATUSES.get(raw, Status.UNKNOWN)
    return Result(
        Outcome.ACCEPTED,
        carrier_id=carrier_id or None,
        detail=f"status {raw[:8]}",
        status=status,
    )
