"""Kavenegar (kavenegar.com/rest.html): the REST interface of an Iranian aggregator.

The key is a part of the path, so no address of a request may reach a log, an exception
or a detail. `localid` is our own id: the carrier can be asked about it after a silence,
which is what keeps a text from being sent twice.

It calls back where its panel says so. Without that, `asks = true` has it asked for
receipts and for texts to `sender`. It shows what came in once as unread and marks it
read by showing it; what was shown and may not have been stored is asked for as read.

Confirm with the carrier: how long `localid` is remembered (12 to 24 hours, it is said),
the fields of the callbacks, which are set by hand in its panel, and how far back
`receive` with `isread=1` shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    Spoilt,
    Status,
    Tools,
    Unreadable,
    address,
    checked,
    keep_urls_out_of_logs,
)
from sms.fields import (
    every,
    field_of,
    fields_of,
    id_of,
    line_of,
    second_in,
    sender_of,
    text_of,
    texts_in,
)
from sms.prices import heard, said

__all__ = ["Kavenegar"]

BASE_URL = "https://api.kavenegar.com"
# `status` takes 500; a post of theirs with more than a hundred has not been seen.
ASKED_MAX = 100

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
    429: Outcome.THROTTLED,  # HTTP has it so, whoever says it
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
    knows: ClassVar[tuple[str, ...]] = ("asks", "base_url")
    reply = Reply()

    def __init__(
        self, *, api_key: str, base_url: str, line: str, asks: bool, tools: Tools
    ) -> None:
        keep_urls_out_of_logs()
        self.ids_at_once = ASKED_MAX if asks else 0
        self._line = line
        # Whether all that it ever showed as unread has come here.
        self._saw_all = False
        self._http = tools.http
        self._region = tools.region
        self._api = address(base_url, f"v1/{quote(api_key, safe='')}/")

    @classmethod
    def build(cls, options: Mapping[str, str], tools: Tools) -> Self:
        asks = options.get("asks", "false")
        if asks not in ("true", "false"):
            raise ValueError("asks is neither true nor false")
        return cls(
            api_key=options["api_key"],
            base_url=options.get("base_url") or BASE_URL,
            line=options["sender"],
            asks=asks == "true",
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

    def ask_receipts(self, carrier_ids: Sequence[str]) -> tuple[Receipt, ...]:
        ids = ",".join(carrier_ids[:ASKED_MAX])
        entries = self._entries("sms/status.json", messageid=ids) or ()
        found = every(entries, _reported)
        # Of an id that it does not know it says so; no receipt says more than that.
        return tuple(one for one in found if isinstance(one, Receipt))

    def ask_inbound(self, *, again: bool = False) -> tuple[Inbound | Spoilt, ...]:
        unread = self._received(isread="0")
        read = self._received(isread="1") if again or not self._saw_all else ()
        # An answer that was lost on its way had marked what it showed.
        self._saw_all = unread is not None and read is not None
        return every([*(unread or ()), *(read or ())], self._inbound)

    def _received(self, *, isread: str) -> Sequence[Any] | None:
        return self._entries("sms/receive.json", linenumber=self._line, isread=isread)

    def _inbound(self, item: Mapping[str, Any]) -> Inbound:
        form = texts_in(item, "messageid", "message", "sender", "receptor", "date")
        return Inbound(
            carrier_id=id_of(form, "messageid"),
            sender_phone=sender_of(form, "sender", self._region),
            line=line_of(form, "receptor"),
            text=text_of(form, "message"),
            at=second_in(form.get("date", "")),
        )

    def _entries(self, path: str, **params: str) -> Sequence[Any] | None:
        """A list of theirs; None for one that did not come."""
        answer = self._call("GET", path, params=params)
        body = answer.json()
        if answer.result is not None or _return_status(answer) != 200:
            return None
        entries = body.get("entries") if isinstance(body, dict) else None
        return entries if isinstance(entries, list) else ()

    def _call(self, method: str, path: str, **parts: Any) -> Answer:
        request = self._http.build_request(method, self._api.join(path), **parts)
        return checked(self._http, request, meanings=MEANINGS)


def _reported(item: Mapping[str, Any]) -> Receipt:
    form = texts_in(item, "messageid", "status")
    raw = field_of(form, "status", chars_max=16).strip()
    if raw == NEVER_HAD_IT:
        raise Unreadable("it does not know this id")
    return Receipt(id_of(form, "messageid"), STATUSES.get(raw, Status.UNKNOWN), raw)


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
        cost=said(heard(entry.get("cost"), "rial")),
    )
