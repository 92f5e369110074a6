"""A carrier that nobody wrote an adapter for, described by the channel's own settings.

Status: whatever the carrier's contract says. `sms.mapping` has what can be set and
docs/add-a-carrier.md a whole example. A word of the carrier's that is not listed is
believed to say nothing: after a call the text is in doubt.
"""

from __future__ import annotations

import re
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
    Spoilt,
    Status,
    Tools,
    Unreadable,
    address,
    checked,
    keep_urls_out_of_logs,
)
from sms.fields import (
    each,
    field_of,
    fields_of,
    id_of,
    is_json,
    items_of,
    line_of,
    object_of,
    sender_of,
    text_of,
    texts_in,
)
from sms.mapping import Described, Reader, Request, describe, fill

__all__ = ["MappedHttp"]

# What parts words in an answer that is a line of text.
_BETWEEN = re.compile(r"[\s,;:|]+")


class MappedHttp:
    """Sends as it is told."""

    name: ClassVar[str] = "mapped-http"
    needs: ClassVar[tuple[str, ...]] = ("base_url", "send")
    knows: ClassVar[tuple[str, ...]] = (
        *("answer", "look_up", "found", "receipts", "inbound", "reply"),
    )

    def __init__(
        self, described: Described, options: Mapping[str, str], tools: Tools
    ) -> None:
        # Nobody knows where a carrier of this kind wants its key.
        keep_urls_out_of_logs()
        self._http = tools.http
        self._region = tools.region
        self._wire = described
        self._base_url = options["base_url"]
        address(self._base_url, "")
        self._slots = {
            "api_key": options.get("api_key", ""),
            "username": options.get("username", ""),
            "receipts_url": tools.receipts_url,
        }
        self.can_look_up = described.look_up is not None
        self.ids_are_ours = described.ids_are_ours
        self.reply = Reply(body=described.reply)

    @classmethod
    def build(cls, options: Mapping[str, str], tools: Tools) -> Self:
        return cls(describe(options), options, tools)

    def send(self, message: Outbound) -> Result:
        slots = {
            "to": self._phone(message.to),
            "text": message.text,
            "sender": message.sender,
            "id": message.id,
        }
        answer = self._call(self._wire.send, slots)
        failed = answer.result
        said = _said(answer, self._wire.answer)
        outcome, detail = self._outcome(answer, said)
        carrier_id: str | None = None
        if self.ids_are_ours:
            carrier_id = message.id
        elif outcome in (Outcome.ACCEPTED, Outcome.AMBIGUOUS):
            carrier_id = said.get("id", "")[:CARRIER_ID_CHARS_MAX] or None
        return Result(
            outcome,
            carrier_id,
            detail=detail,
            retry_after_seconds=failed.retry_after_seconds if failed else None,
        )

    def look_up(self, question: Question) -> Result | None:
        ours = question.id if self.ids_are_ours else None
        asked, found = self._wire.look_up, self._wire.found
        if asked is None or found is None:
            return Result(
                Outcome.AMBIGUOUS, ours, detail="this carrier cannot be asked"
            )
        slots = {
            "to": self._phone(question.to) if question.to else "",
            "text": question.text,
            "sender": question.sender,
            "id": question.id,
        }
        answer = self._call(asked, slots)
        said = _said(answer, found)
        meaning = found.words.of(said.get("status", ""))
        # A 5xx is no word on anything, whatever its body says.
        if answer.status >= 500 or answer.status == 0 or meaning is None:
            return Result(Outcome.AMBIGUOUS, ours, detail="look-up: nothing learned")
        if meaning == "never":
            return None
        carrier_id = ours or said.get("id", "")[:CARRIER_ID_CHARS_MAX] or None
        status = Status(meaning)
        return Result(Outcome.ACCEPTED, carrier_id, detail="look-up", status=status)

    def read_receipts(self, posted: Posted) -> tuple[Receipt | Spoilt, ...]:
        reader = self._wire.receipts
        if reader is None:
            raise Unreadable("no receipts are set up for this channel")

        def read(form: Mapping[str, str]) -> Receipt:
            raw = field_of(form, reader.at["status"], chars_max=80).strip()
            meaning = reader.words.of(raw)
            status = Status.UNKNOWN if meaning is None else Status(meaning)
            return Receipt(id_of(form, reader.at["id"]), status, raw)

        if not reader.items:
            return (read(_fields(posted, reader)),)
        items = items_of(object_of(posted), reader.items)
        return each(items, lambda item: read(_texts(item, reader)))

    def read_inbound(self, posted: Posted) -> tuple[Inbound | Spoilt, ...]:
        reader = self._wire.inbound
        if reader is None:
            raise Unreadable("no incoming texts are set up for this channel")

        def read(form: Mapping[str, str]) -> Inbound:
            return Inbound(
                carrier_id=id_of(form, reader.at["id"]),
                sender_phone=sender_of(form, reader.at["from"], self._region),
                line=line_of(form, reader.at["to"]),
                text=text_of(form, reader.at["text"]),
            )

        if not reader.items:
            return (read(_fields(posted, reader)),)
        items = items_of(object_of(posted), reader.items)
        return each(items, lambda item: read(_texts(item, reader)))

    def _outcome(self, answer: Answer, said: Mapping[str, str]) -> tuple[Outcome, str]:
        """What an answer says of a text: its own word, where it is to be believed."""
        wire, failed = self._wire.answer, answer.result
        word = said.get("status", "")
        meaning = wire.words.of(word)
        is_answer = failed is None or 400 <= answer.status < 500
        if is_answer and meaning is not None:
            return Outcome(meaning), f"status {meaning}"
        if failed is not None:
            return failed.outcome, failed.detail
        if "status" in wire.at or ("id" in wire.at and "id" not in said):
            return Outcome.AMBIGUOUS, "a good answer that is unreadable"
        return Outcome.ACCEPTED, f"HTTP {answer.status}"

    def _call(self, request: Request, given: Mapping[str, str]) -> Answer:
        slots = {**self._slots, **given}
        quoted = {name: quote(value, safe="") for name, value in slots.items()}
        url = address(self._base_url, fill(request.path, quoted)[1:])
        body = fill(request.body, slots)
        headers = {
            # A key or a name with other letters is not one that a header can hold.
            name: value.encode("ascii", "replace").decode()
            for name, value in fill(request.headers, slots).items()
        }
        how = {"json": "json", "form": "data", "query": "params"}[request.format]
        parts: Any = {how: body}
        made = self._http.build_request(request.method, url, headers=headers, **parts)
        return checked(self._http, made, meanings=self._wire.http)

    def _phone(self, e164: str) -> str:
        if self._wire.phones == "national":
            return national(e164)
        return e164 if self._wire.phones == "plus" else e164.removeprefix("+")


def _said(answer: Answer, reader: Reader) -> Mapping[str, str]:
    """What stands in an answer, as far as it can be read."""
    if reader.format == "text":
        words = _BETWEEN.split(answer.body[:2_000].decode("utf-8", "replace").strip())
        at = {name: int(number) for name, number in reader.at.items()}
        return {name: words[n - 1] for name, n in at.items() if n <= len(words)}
    body = answer.json()
    said = {}
    for name, path in reader.at.items():
        value = _at(body, path)
        if isinstance(value, bool):
            said[name] = str(value).lower()
        elif isinstance(value, (str, int)) and str(value).strip():
            said[name] = str(value).strip()
    return said


def _fields(posted: Posted, reader: Reader) -> Mapping[str, str]:
    """The fields of a post by their paths; only JSON has paths of several steps."""
    if is_json(posted):
        return _texts(object_of(posted), reader)
    return fields_of(posted, *reader.at.values())


def _texts(item: Mapping[str, Any], reader: Reader) -> Mapping[str, str]:
    paths = reader.at.values()
    return texts_in({path: _at(item, path) for path in paths}, *paths)


def _at(found: Any, path: str) -> Any:
    """What stands at a path of names, or of numbers from 0 in a list; None for none."""
    for step in path.split("."):
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list) and re.fullmatch("[0-9]{1,3}", step):
            found = found[int(step)] if int(step) < len(found) else None
        else:
            return None
    return found
