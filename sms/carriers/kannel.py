"""Kannel's sendsms interface (kannel.org, User's Guide 1.4, "Using SMSBox HTTP").

Status: the interface from its guide, and from a Kannel 1.4.5 that ran, before a message
centre that was ours; parts with their headers and a report for each were seen there.

- It names no id in its answer, so the address it reports to carries ours.
- Text goes without `charset`: as UTF-8 where GSM-7 has all of it, else as UTF-16BE with
  `coding=2`, which builds with and without iconv read alike.
- The password stands in the query: no address of a request may reach a log.
- Of a long text that it cuts itself it reports the first part alone, and nobody learns
  what became of the others. So the parts are made here and handed over one by one, each
  with its header (`udh`) and an address of its own for its report: a text is delivered
  when all its parts are.
- Some parts taken and one not is a text in doubt: it is not blindly sent again.

For incoming texts, give its `sms-service` group, with `max-messages = 0` (else our
answer is sent to the caller):

    get-url = "https://…/inbound?from=%p&to=%P&id=%I&text=%b&coding=%c&charset=%C"
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Self
from urllib.parse import quote

from phone.encoding import gsm7_septets, sms_parts
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
    Status,
    Tools,
    Unreadable,
    address,
    checked,
    keep_urls_out_of_logs,
)
from sms.fields import (
    field_of,
    fields_of,
    id_of,
    line_of,
    octets_of,
    sender_of,
    text_of,
)

__all__ = ["Kannel"]

# `dlr-mask`: everything it can report.
EVERYTHING = "31"
# `%d` in a report. `%A`, the centre's own words, is kept with the raw report.
STATUSES: Mapping[str, Status] = {
    "1": Status.DELIVERED,
    "2": Status.FAILED,
    "4": Status.SENT,  # buffered at the centre
    "8": Status.SENT,  # the centre has it
    "16": Status.FAILED,  # the centre refused it
}
MEANINGS: Mapping[int, Outcome] = {404: Outcome.MISCONFIGURED}
# What surely was not taken, behind parts that were, is handed over so often.
TRIES_MAX = 3

_PART = re.compile("[1-9][0-9]{0,2}")
_TAKEN = re.compile(rb"[03]:|Sent\.")


class Kannel:
    """Sends through the smsbox at `base_url`; `api_key` is the user's password."""

    name: ClassVar[str] = "kannel"
    can_look_up: ClassVar[bool] = False
    ids_are_ours: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("base_url", "username", "api_key")
    knows: ClassVar[tuple[str, ...]] = ("smsc",)
    # Whatever it says would be sent to the caller, were `max-messages` not 0.
    reply = Reply()

    def __init__(self, options: Mapping[str, str], tools: Tools) -> None:
        keep_urls_out_of_logs()
        self._http = tools.http
        self._region = tools.region
        self._url = address(options["base_url"], "cgi-bin/sendsms")
        self._receipts_url = tools.receipts_url
        self._fixed = {
            "username": options["username"],
            "password": options["api_key"],
        }
        if smsc := options.get("smsc"):
            self._fixed["smsc"] = smsc

    @classmethod
    def build(cls, options: Mapping[str, str], tools: Tools) -> Self:
        return cls(options, tools)

    def send(self, message: Outbound) -> Result:
        parts = sms_parts(message.text)
        is_plain = gsm7_septets(message.text) is not None
        for number, words in enumerate(parts, 1):
            # The header of a concatenated text (3GPP TS 23.040, section 9.2.3.24.1).
            header = bytes([5, 0, 3, int(message.id) & 0xFF, len(parts), number])
            udh = header if len(parts) > 1 else b""
            octets = words.encode("utf-8" if is_plain else "utf-16-be")
            query = self._query(message, is_plain, octets, udh, number)
            result = self._hand_over(query, message.id)
            for _ in range(1, TRIES_MAX if number > 1 else 1):
                if result.outcome is not Outcome.RETRYABLE:
                    break
                result = self._hand_over(query, message.id)
            if result.outcome is not Outcome.ACCEPTED:
                break
        if number == 1 or result.outcome is Outcome.ACCEPTED:
            return replace(result, parts=len(parts))
        detail = f"part {number} of {len(parts)}: {result.outcome} {result.detail}"
        return Result(Outcome.AMBIGUOUS, message.id, detail=detail, parts=len(parts))

    def _query(
        self, message: Outbound, is_plain: bool, text: bytes, udh: bytes, part: int
    ) -> str:
        fields = {
            **self._fixed,
            "to": message.to,
            "coding": "0" if is_plain else "2",
            "dlr-mask": EVERYTHING,
            "dlr-url": self._report_to(message.id, part),
        }
        if message.sender:
            fields["from"] = message.sender
        # Octets as they are; a client would make UTF-8 of them.
        more = {"udh": udh, "text": text} if udh else {"text": text}
        written = {name: value.encode() for name, value in fields.items()} | more
        return "&".join(f"{name}={quote(value, '')}" for name, value in written.items())

    def _hand_over(self, query: str, message_id: str) -> Result:
        request = self._http.build_request(
            "GET", self._url.copy_with(query=query.encode())
        )
        return self._read(checked(self._http, request, meanings=MEANINGS), message_id)

    def look_up(self, question: Question) -> Result | None:
        return Result(
            Outcome.AMBIGUOUS, question.id, detail="this carrier cannot be asked"
        )

    def read_receipts(self, posted: Posted) -> tuple[Receipt, ...]:
        form = fields_of(posted, "id", "type", "part")
        carrier_id = id_of(form, "id")
        raw = field_of(form, "type", chars_max=8).strip()
        if not (raw.isascii() and raw.isdecimal()):
            raise Unreadable("type is no number")
        part = form.get("part", "1")
        if not _PART.fullmatch(part):
            raise Unreadable("part is no number of a part")
        status = STATUSES.get(raw, Status.UNKNOWN)
        return (Receipt(carrier_id, status, raw, part=int(part)),)

    def read_inbound(self, posted: Posted) -> tuple[Inbound, ...]:
        form = dict(fields_of(posted, "from", "to", "id", "coding", "charset"))
        if octets := octets_of(posted, "text"):
            form["text"] = _text(octets["text"], form)
        return (
            Inbound(
                carrier_id=id_of(form, "id"),
                sender_phone=sender_of(form, "from", self._region),
                line=line_of(form, "to"),
                text=text_of(form, "text"),
            ),
        )

    def _report_to(self, message_id: str, part: int) -> str:
        """Where its reports go; it fills in what stands behind a % itself."""
        named = f"id={quote(message_id)}&part={part}"
        fields = f"{named}&type=%d&said=%A&centre_id=%F&at=%T"
        return f"{self._receipts_url}?{fields}"

    def _read(self, answer: Answer, message_id: str) -> Result:
        said = answer.body[:80].strip()
        if answer.result is None and _TAKEN.match(said):
            return Result(Outcome.ACCEPTED, message_id, detail=said[:1].decode())
        if answer.result is None:
            return Result(
                Outcome.AMBIGUOUS, message_id, detail="a good answer that is unreadable"
            )
        outcome = answer.result.outcome
        if answer.status == 503 and said.startswith(b"Temporal failure"):
            # Its own words; a 503 of what stands in front of it says nothing.
            outcome = Outcome.RETRYABLE
        elif answer.status == 403 and said.startswith(b"Not routable"):
            outcome = Outcome.REFUSED
        return Result(
            outcome,
            message_id if outcome is Outcome.AMBIGUOUS else None,
            detail=answer.result.detail,
            retry_after_seconds=answer.result.retry_after_seconds,
        )


def _text(octets: bytes, form: Mapping[str, str]) -> str:
    """What somebody wrote: `%b` in the coding that it names, or `%a` in UTF-8."""
    charset = form.get("charset", "").upper()
    is_wide = form.get("coding") == "2" and charset[:6] in ("", "UTF-16", "UCS-2")
    try:
        return octets.decode("utf-16-be" if is_wide else "utf-8")
    except UnicodeDecodeError:
        raise Unreadable("text is not in the coding that is named") from None
