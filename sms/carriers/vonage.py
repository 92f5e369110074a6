"""Vonage, formerly Nexmo: its SMS API (developer.vonage.com/messaging/sms).

Status: from the vendor's page. The signature of a post is checked where
`signature_secret` is set, in the form HMAC-SHA256: choose that in its dashboard.
Without it, the secret end of the URL is what keeps strangers out.

Whatever happened, its answer is a 200. Our id goes as `client-ref` and comes back in
each receipt, so a lost answer loses none; there is one receipt for each part of a text.
A long incoming text comes in parts too, and is joined by what each says of itself.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import zlib
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from phone.encoding import gsm7_septets
from sms.carrier import (
    Forged,
    Inbound,
    Joint,
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
)
from sms.fields import (
    every_field,
    field_of,
    fields_of,
    id_of,
    line_of,
    sender_of,
    text_of,
    time_in,
)
from sms.prices import heard, said

__all__ = ["Vonage"]

BASE_URL = "https://rest.nexmo.com"
# A part's number in a receipt is made of its id, and kept in sixteen bits.
PARTS_MAX = 2**15 - 1
# Of an incoming text, counted in one octet.
PARTS_IN_MAX = 255

# A reference has two octets at most.
_SMALL = re.compile("[0-9]{1,5}")

# `status` of each part in an answer; "0" is yes, and any other says that it was not
# sent. With all that is not here, the text is refused.
CODES: Mapping[str, Outcome] = {
    "1": Outcome.THROTTLED,
    "4": Outcome.MISCONFIGURED,  # the key or the secret
    "5": Outcome.RETRYABLE,  # an error of theirs
    "8": Outcome.MISCONFIGURED,  # the account is barred
    "9": Outcome.NO_CREDIT,
    "10": Outcome.THROTTLED,  # too many at the same time
    "11": Outcome.MISCONFIGURED,  # the account may not use it
    "14": Outcome.MISCONFIGURED,  # the signature
    "15": Outcome.MISCONFIGURED,  # the sender
    "23": Outcome.MISCONFIGURED,  # the callback's address
    "29": Outcome.MISCONFIGURED,  # a trial account
    "32": Outcome.MISCONFIGURED,
    "33": Outcome.MISCONFIGURED,
}

STATUSES: Mapping[str, Status] = {
    "accepted": Status.SENT,
    "buffered": Status.SENT,
    "delivered": Status.DELIVERED,
    "expired": Status.FAILED,
    "failed": Status.FAILED,
    "rejected": Status.FAILED,
}


class Vonage:
    """Sends with the key `username` and the secret `api_key`."""

    name: ClassVar[str] = "vonage"
    can_look_up: ClassVar[bool] = False
    ids_are_ours: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("username", "api_key", "sender")
    knows: ClassVar[tuple[str, ...]] = ("signature_secret",)
    reply = Reply()

    def __init__(self, options: Mapping[str, str], tools: Tools) -> None:
        self._http = tools.http
        self._region = tools.region
        self._receipts_url = tools.receipts_url
        self._login = {
            "api_key": options["username"],
            "api_secret": options["api_key"],
        }
        self._signature_secret = options.get("signature_secret", "")
        self._url = address(options.get("base_url") or BASE_URL, "sms/json")

    @classmethod
    def build(cls, options: Mapping[str, str], tools: Tools) -> Self:
        return cls(options, tools)

    def send(self, message: Outbound) -> Result:
        form = {
            **self._login,
            "from": message.sender,
            "to": message.to.removeprefix("+"),
            "text": message.text,
            "type": "text" if gsm7_septets(message.text) is not None else "unicode",
            "client-ref": message.id,
        }
        if self._receipts_url:
            form["callback"] = self._receipts_url
        request = self._http.build_request("POST", self._url, data=form)
        answer = checked(self._http, request)
        if answer.result is None:
            return _sent(answer.json(), message.id)
        if answer.result.outcome is Outcome.AMBIGUOUS:
            return Result(Outcome.AMBIGUOUS, message.id, detail=answer.result.detail)
        return answer.result

    def look_up(self, question: Question) -> Result | None:
        return Result(
            Outcome.AMBIGUOUS, question.id, detail="this carrier cannot be asked"
        )

    def read_receipts(self, posted: Posted) -> tuple[Receipt, ...]:
        self._check(posted)
        form = fields_of(posted, "messageId", "status", "client-ref")
        raw = field_of(form, "status", chars_max=40).strip()
        part = 1 + zlib.crc32(id_of(form, "messageId").encode()) % PARTS_MAX
        status = STATUSES.get(raw.lower(), Status.UNKNOWN)
        return (Receipt(id_of(form, "client-ref"), status, raw, part),)

    def read_inbound(self, posted: Posted) -> tuple[Inbound, ...]:
        self._check(posted)
        form = fields_of(
            posted,
            "messageId",
            "msisdn",
            "to",
            "text",
            "message-timestamp",
            "concat",
            "concat-ref",
            "concat-total",
            "concat-part",
        )
        return (
            Inbound(
                carrier_id=id_of(form, "messageId"),
                sender_phone=sender_of(form, "msisdn", self._region),
                line=line_of(form, "to"),
                text=text_of(form, "text"),
                at=time_in(form.get("message-timestamp", "")),
                joint=_joint(form),
            ),
        )

    def _check(self, posted: Posted) -> None:
        """Raise Forged unless a post is signed, where signatures are set up."""
        if not self._signature_secret:
            return
        fields = dict(every_field(posted))
        given = fields.pop("sig", "")
        signed = "".join(
            f"&{name}={fields[name].translate(_UNSIGNED)}" for name in sorted(fields)
        )
        expected = hmac.new(
            self._signature_secret.encode(),
            signed.encode("utf-8", "replace"),
            hashlib.sha256,
        ).hexdigest()
        if not hmac.compare_digest(
            expected.encode(), given.lower().encode("utf-8", "replace")
        ):
            raise Forged("the signature is wrong")


def _joint(form: Mapping[str, str]) -> Joint | None:
    """Where a part of a long text belongs; None for a whole one.

    Numbers that contradict each other leave it a text by itself: none of it is lost.
    """
    if form.get("concat", "").lower() != "true":
        return None
    said = [form.get(f"concat-{name}", "") for name in ("ref", "part", "total")]
    if not all(_SMALL.fullmatch(number) for number in said):
        return None
    reference, part, total = map(int, said)
    fits = 1 <= part <= total <= PARTS_IN_MAX
    return Joint(f"concat:{reference}", part, total) if fits else None


# What would part fields from each other does not within a value.
_UNSIGNED = str.maketrans("&=", "__")


def _sent(body: Any, message_id: str) -> Result:
    parts = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(parts, list) or not parts:
        return Result(
            Outcome.AMBIGUOUS, message_id, detail="a good answer that is unreadable"
        )
    codes = [
        str(part.get("status", ""))[:8] if isinstance(part, dict) else ""
        for part in parts
    ]
    detail = f"status {' '.join(codes[:10])}"
    if set(codes) == {"0"}:
        # Its prices are in euro, whatever the account is paid in.
        prices = [heard(part.get("message-price"), "EUR") for part in parts]
        return Result(
            Outcome.ACCEPTED,
            message_id,
            detail=detail,
            parts=len(codes),
            cost=said(*prices),
        )
    if "0" in codes or "" in codes:
        # Some of it left, and all of it would leave again.
        return Result(Outcome.AMBIGUOUS, message_id, detail=detail)
    return Result(CODES.get(codes[0], Outcome.REFUSED), detail=detail)
