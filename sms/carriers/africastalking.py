"""Africa's Talking bulk SMS (docs.africastalking.com/sms).

It takes no reference of ours and cannot be asked about one, so a text whose answer was
lost waits for its receipt; its silence is weighed. Its webhooks carry no signature:
the secret end of the URL is what keeps strangers out. Give it the address of incoming
texts for its bulk opt-outs too: one is a stop that was said to the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from sms.carrier import (
    CARRIER_ID_CHARS_MAX,
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
    address,
    checked,
    scrubbed,
)
from sms.fields import (
    field_of,
    fields_of,
    id_of,
    line_of,
    sender_of,
    text_of,
    time_in,
)
from sms.prices import heard, said

__all__ = ["AfricasTalking"]

BASE_URL = "https://api.africastalking.com"

# Per recipient, in an answer that is itself a 201.
CODES: Mapping[int, Outcome] = {
    100: Outcome.ACCEPTED,  # processed
    101: Outcome.ACCEPTED,  # sent
    102: Outcome.ACCEPTED,  # queued
    401: Outcome.RETRYABLE,  # held for a look at the risk
    402: Outcome.MISCONFIGURED,  # the sender id
    403: Outcome.REFUSED,  # the number
    404: Outcome.REFUSED,  # not a kind of number it serves
    405: Outcome.NO_CREDIT,
    406: Outcome.OPTED_OUT,  # on its blacklist
    407: Outcome.REFUSED,  # could not be routed
    409: Outcome.REFUSED,  # the network's do-not-disturb
    500: Outcome.RETRYABLE,
    501: Outcome.RETRYABLE,
    502: Outcome.RETRYABLE,
}

STATUSES: Mapping[str, Status] = {
    "Sent": Status.SENT,
    "Submitted": Status.SENT,
    "Buffered": Status.SENT,
    "Queued": Status.SENT,
    "Success": Status.DELIVERED,
    "Rejected": Status.FAILED,
    "Failed": Status.FAILED,
    "Expired": Status.FAILED,
    "AbsentSubscriber": Status.FAILED,
}
# The documentation has both spellings.
OPTED_OUT_REASONS = frozenset({"UserInBlackList", "UserInBlacklist"})


class AfricasTalking:
    """Sends through one application of theirs; `base_url` may point elsewhere."""

    name: ClassVar[str] = "africastalking"
    can_look_up: ClassVar[bool] = False
    ids_are_ours: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("api_key", "username")
    knows: ClassVar[tuple[str, ...]] = ("base_url",)
    reply = Reply()

    def __init__(
        self, *, api_key: str, username: str, base_url: str, tools: Tools
    ) -> None:
        self._http = tools.http
        self._region = tools.region
        self._api_key = api_key
        self._username = username
        self._url = address(base_url, "version1/messaging")

    @classmethod
    def build(cls, options: Mapping[str, str], tools: Tools) -> Self:
        return cls(
            api_key=options["api_key"],
            username=options["username"],
            base_url=options.get("base_url") or BASE_URL,
            tools=tools,
        )

    def send(self, message: Outbound) -> Result:
        form = {
            "username": self._username,
            "to": message.to,
            "message": message.text,
            "bulkSMSMode": "1",
        }
        # Without a sender it uses the one of the account.
        if message.sender:
            form["from"] = message.sender
        request = self._http.build_request(
            "POST",
            self._url,
            data=form,
            headers={"apiKey": self._api_key, "Accept": "application/json"},
        )
        answer = checked(self._http, request)
        return answer.result or self._read(answer.json())

    def look_up(self, question: Question) -> Result | None:
        return Result(Outcome.AMBIGUOUS, detail="this carrier cannot be asked")

    def _read(self, body: Any) -> Result:
        data = body.get("SMSMessageData") if isinstance(body, dict) else None
        if not isinstance(data, dict):
            return Result(Outcome.AMBIGUOUS, detail="a good answer that is unreadable")
        recipients = data.get("Recipients")
        if not isinstance(recipients, list) or not recipients:
            # Nobody was sent anything, as with "InvalidSenderId".
            said = scrubbed(data.get("Message", ""), self._api_key)
            return Result(Outcome.MISCONFIGURED, detail=f"no recipients: {said}"[:200])
        return _recipient(recipients[0])

    def read_receipts(self, posted: Posted) -> tuple[Receipt, ...]:
        form = fields_of(posted, "id", "status", "failureReason")
        raw = field_of(form, "status", chars_max=40).strip()
        status = STATUSES.get(raw, Status.UNKNOWN)
        if form.get("failureReason", "") in OPTED_OUT_REASONS:
            status = Status.OPTED_OUT
        return (Receipt(id_of(form, "id"), status, raw),)

    def read_inbound(self, posted: Posted) -> tuple[Inbound, ...]:
        form = fields_of(
            posted, "from", "id", "to", "text", "date", "senderId", "phoneNumber"
        )
        if "from" not in form and "phoneNumber" in form:
            return (self._opt_out(form),)
        return (
            Inbound(
                carrier_id=id_of(form, "id"),
                sender_phone=sender_of(form, "from", self._region),
                line=line_of(form, "to"),
                text=text_of(form, "text"),
                at=time_in(form.get("date", "")),
            ),
        )

    def _opt_out(self, form: Mapping[str, str]) -> Inbound:
        """Somebody told it to let nothing more of a sender through: that is a stop."""
        return Inbound(
            carrier_id="",
            sender_phone=sender_of(form, "phoneNumber", self._region),
            line=line_of(form, "senderId"),
            text="STOP",
        )


def _recipient(entry: Any) -> Result:
    code = entry.get("statusCode") if isinstance(entry, dict) else None
    if not isinstance(code, int):
        return Result(Outcome.AMBIGUOUS, detail="a good answer that is unreadable")
    outcome = CODES.get(code, Outcome.AMBIGUOUS)
    carrier_id = str(entry.get("messageId") or "")[:CARRIER_ID_CHARS_MAX]
    # What it did not take has no id, which it writes as the word None.
    has_id = carrier_id not in ("", "None")
    if outcome is Outcome.RETRYABLE and has_id:
        outcome = Outcome.AMBIGUOUS
    return Result(
        outcome,
        carrier_id=carrier_id if has_id else None,
        detail=f"statusCode {code}",
        # Of what it did not take it says 0.
        cost=said(heard(entry.get("cost"))) if outcome is Outcome.ACCEPTED else "",
    )
