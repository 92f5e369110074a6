"""Twilio Programmable Messaging (twilio.com/docs/messaging/api/message-resource).

Status: from the vendor's page; the signatures from its security guide, with the vector
published there, and the SHA-256 form from its own Python library, release 9.13.

It takes no reference of ours, but it calls back under the address that is given with
each text: our id stands in it, and the signature covers it. So receipts find a text
whose answer was lost. Asked after a silence, it lists the texts to a number, among
which ours is known by its words; not by their `DateSent`, for what it still has in its
queue has none.

A webhook is signed over `public_url`: that must be the address Twilio was given.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Self
from urllib.parse import quote, urlsplit

from sms.carrier import (
    Answer,
    Forged,
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
    keep_urls_out_of_logs,
)
from sms.fields import (
    field_of,
    fields_of,
    form_pairs,
    id_of,
    line_of,
    sender_of,
    text_of,
)
from sms.prices import heard, said

__all__ = ["Twilio", "signature_of"]

BASE_URL = "https://api.twilio.com"

# How soon a text it took is surely listed, and how far its clock may be behind ours.
LISTED_AFTER = timedelta(minutes=10)
CLOCK_SKEW = timedelta(minutes=2)
LISTED_MAX = 100

STATUSES: Mapping[str, Status] = {
    "accepted": Status.SENT,
    "scheduled": Status.SENT,
    "queued": Status.SENT,
    "sending": Status.SENT,
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.DELIVERED,
    "undelivered": Status.FAILED,
    "failed": Status.FAILED,
    "canceled": Status.FAILED,
}
OPTED_OUT = 21610
# `code` in the body of an answer; with any other its HTTP status says what it means.
CODES: Mapping[int, Outcome] = {
    14107: Outcome.THROTTLED,  # too many to one number
    20003: Outcome.MISCONFIGURED,  # the token
    20404: Outcome.MISCONFIGURED,  # the account
    20429: Outcome.THROTTLED,
    21211: Outcome.REFUSED,  # the number
    21212: Outcome.MISCONFIGURED,  # the sender
    21408: Outcome.REFUSED,  # the region is not switched on
    21606: Outcome.MISCONFIGURED,  # the sender is not ours
    21609: Outcome.MISCONFIGURED,  # public_url is no address it can call
    21608: Outcome.MISCONFIGURED,  # a trial account
    OPTED_OUT: Outcome.OPTED_OUT,
    21611: Outcome.THROTTLED,  # the sender's queue is full
    21612: Outcome.REFUSED,  # no way from this sender to this number
    21614: Outcome.REFUSED,  # not a mobile
    21703: Outcome.MISCONFIGURED,  # the messaging service has no sender
}

_HASHES: Mapping[str, str] = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
IN_URL = "bodySHA256"
_SID = re.compile(r"[A-Za-z0-9]{1,40}")


class Twilio:
    """Sends through the account `username`; `api_key` is its auth token."""

    name: ClassVar[str] = "twilio"
    can_look_up: ClassVar[bool] = True
    ids_are_ours: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("username", "api_key")
    knows: ClassVar[tuple[str, ...]] = ("messaging_service", "shared_key")
    # An empty TwiML document: nothing is to be sent back.
    reply = Reply(
        content_type="text/xml; charset=utf-8",
        body='<?xml version="1.0" encoding="UTF-8"?><Response/>',
    )

    def __init__(self, options: Mapping[str, str], tools: Tools) -> None:
        account = options["username"]
        if not _SID.fullmatch(account):
            raise ValueError("username is no account SID")
        # Its list is asked for with a number in the address.
        keep_urls_out_of_logs()
        self._http = tools.http
        self._region = tools.region
        self._receipts_url = tools.receipts_url
        self._token = options["api_key"]
        self._shared_key = options.get("shared_key", "")
        self._service = options.get("messaging_service", "")
        if not (self._service or options.get("sender")):
            raise ValueError("there is neither a sender nor a messaging_service")
        base_url = options.get("base_url") or BASE_URL
        self._url = address(base_url, f"2010-04-01/Accounts/{account}/Messages.json")
        login = base64.b64encode(f"{account}:{self._token}".encode()).decode()
        self._headers = {"Authorization": f"Basic {login}"}

    @classmethod
    def build(cls, options: Mapping[str, str], tools: Tools) -> Self:
        return cls(options, tools)

    def send(self, message: Outbound) -> Result:
        form = {
            "To": message.to,
            "Body": message.text,
            "StatusCallback": f"{self._receipts_url}?id={quote(message.id)}",
        }
        if self._service:
            form["MessagingServiceSid"] = self._service
        else:
            form["From"] = message.sender
        answer = self._call("POST", data=form)
        if answer.result is not None:
            return _failure(answer, message.id)
        body = answer.json()
        if not isinstance(body, dict) or not body.get("sid"):
            return Result(
                Outcome.AMBIGUOUS, message.id, detail="a good answer that is unreadable"
            )
        return _known(body, message.id)

    def look_up(self, question: Question) -> Result | None:
        if not (question.to and question.text):
            return _unknown(question, "look-up: nothing to know it by")
        since = question.since - CLOCK_SKEW
        answer = self._call(
            "GET",
            params={"To": question.to, "PageSize": str(LISTED_MAX)},
        )
        body = answer.json()
        listed = body.get("messages") if isinstance(body, dict) else None
        if answer.result is not None or not isinstance(listed, list):
            return _unknown(question, "look-up: unreadable")
        entries = [entry for entry in listed if isinstance(entry, dict)]
        # One whose time cannot be read could be it.
        late = [entry for entry in entries if (_created(entry) or since) >= since]
        for entry in late:
            if entry.get("body") == question.text:
                return _known(entry, question.id)
        reaches_back = len(listed) < LISTED_MAX or len(late) < len(entries)
        if question.at - question.since < LISTED_AFTER or not reaches_back:
            return _unknown(question, "look-up: not in the list")
        return None

    def read_receipts(self, posted: Posted) -> tuple[Receipt, ...]:
        self._check(posted)
        form = fields_of(posted, "MessageSid", "MessageStatus", "ErrorCode")
        raw = field_of(form, "MessageStatus", chars_max=40).strip()
        id_of(form, "MessageSid")
        status = STATUSES.get(raw, Status.UNKNOWN)
        if form.get("ErrorCode", "").strip() == str(OPTED_OUT):
            status = Status.OPTED_OUT
        query = Posted("GET", posted.url, query=posted.query)
        return (Receipt(id_of(fields_of(query, "id"), "id"), status, raw),)

    def read_inbound(self, posted: Posted) -> tuple[Inbound, ...]:
        self._check(posted)
        form = fields_of(posted, "MessageSid", "From", "To", "Body")
        return (
            Inbound(
                carrier_id=id_of(form, "MessageSid"),
                sender_phone=sender_of(form, "From", self._region),
                line=line_of(form, "To"),
                text=text_of(form, "Body"),
            ),
        )

    def _check(self, posted: Posted) -> None:
        """Raise Forged unless what was posted is signed by who knows our secrets."""
        given = posted.headers.get("x-twilio-signature", "")
        settings = posted.headers.get("x-twilio-webhooks-signature-settings", "")
        algorithm = _algorithm(settings)
        # The newer one is made with a secret of its own; the token signs nothing so.
        secret = self._token if algorithm == "HMAC_SHA1" else self._shared_key
        if not secret or algorithm not in _HASHES:
            raise Forged("the signature is of a kind that is not set up")
        fields = _signed_fields(posted)
        for url in _spelled(posted.url):
            expected = signature_of(url, fields, secret, algorithm)
            if hmac.compare_digest(expected.encode(), given.encode()):
                return
        raise Forged("the signature is wrong")

    def _call(self, method: str, **parts: Any) -> Answer:
        request = self._http.build_request(
            method, self._url, headers=self._headers, **parts
        )
        return checked(self._http, request)


def _signed_fields(posted: Posted) -> Sequence[tuple[str, bytes]]:
    """What is signed beside the address: the fields of a form."""
    if posted.method == "GET":
        return ()
    digests = [digest for name, digest in form_pairs(posted.query) if name == IN_URL]
    if not digests:
        return form_pairs(posted.body)
    # Of a body that is no form the address has the digest.
    expected = hashlib.sha256(posted.body).hexdigest().encode()
    if digests != [expected]:
        raise Forged("the body is not the one that was signed")
    return ()


def signature_of(
    url: str,
    fields: Sequence[tuple[str, bytes]],
    secret: str,
    algorithm: str = "HMAC_SHA1",
) -> str:
    """Sign as Twilio does: the address, then each field's name and value, sorted.

    `fields` are pairs of a name and octets. A field that is given twice counts once
    with each of its values (twilio.com/docs/usage/security).
    """
    signed = url.encode()
    for name, value in sorted(set(fields)):
        signed += name.encode() + value
    digest = hmac.new(secret.encode(), signed, _HASHES[algorithm]).digest()
    return base64.b64encode(digest).decode()


def _algorithm(settings: str) -> str:
    for part in settings.split(","):
        name, _, value = part.partition("=")
        if name.strip() == "algorithm" and value.strip():
            return value.strip().upper()
    return "HMAC_SHA1"


def _spelled(url: str) -> Iterator[str]:
    """An address as it is and with or without its port: Twilio is not consistent."""
    yield url
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        return
    host = parts.netloc.rpartition(":")[0] if port else parts.netloc
    usual = 443 if parts.scheme == "https" else 80
    yield parts._replace(netloc=host if port else f"{host}:{usual}").geturl()


def _failure(answer: Answer, message_id: str) -> Result:
    failed = answer.result
    assert failed is not None
    body = answer.json()
    code = body.get("code") if isinstance(body, dict) else None
    outcome = failed.outcome
    # A 5xx stays ambiguous whatever its body says.
    if isinstance(code, int) and 400 <= answer.status < 500:
        outcome = CODES.get(code, outcome)
    return Result(
        outcome,
        message_id if outcome is Outcome.AMBIGUOUS else None,
        detail=f"{failed.detail} {code}" if isinstance(code, int) else failed.detail,
        retry_after_seconds=failed.retry_after_seconds,
    )


def _known(entry: Mapping[str, Any], message_id: str) -> Result:
    raw = str(entry.get("status", ""))[:40]
    segments = str(entry.get("num_segments", ""))
    status = STATUSES.get(raw, Status.UNKNOWN)
    if entry.get("error_code") == OPTED_OUT:
        status = Status.OPTED_OUT
    return Result(
        Outcome.ACCEPTED,
        message_id,
        detail=f"{str(entry.get('sid', ''))[:40]} {raw}",
        # 0 while it chooses the sender.
        parts=int(segments) if re.fullmatch("[1-9][0-9]?", segments) else None,
        status=status,
        # Known once it has left; what we pay is below zero.
        cost=said(heard(entry.get("price"), entry.get("price_unit"))),
    )


def _created(entry: Mapping[str, Any]) -> datetime | None:
    try:
        at = parsedate_to_datetime(str(entry.get("date_created", ""))[:60])
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _unknown(question: Question, why: str) -> Result:
    return Result(Outcome.AMBIGUOUS, question.id, detail=why)
