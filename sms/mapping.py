"""A carrier that is described by settings alone: what `mapped-http` is told of it.

There are tables of names, values and templates; no code and no expressions. Everything
is checked when the channel is built, and all faults are told at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sms.carrier import Outcome, Status

__all__ = ["ANSWERS", "Described", "Reader", "Request", "Words", "describe", "fill"]

# Beyond these, settings are a mistake.
JSON_CHARS_MAX = 8_000
NAMES_MAX = 40
STEPS_MAX = 6
VALUES_MAX = 40

METHODS = ("POST", "GET")
FORMATS = ("json", "form", "query")
ANSWERS = ("json", "text")
PHONES = ("plus", "digits", "national")
SLOTS = ("to", "text", "sender", "id", "api_key", "username", "receipts_url")

_SLOT = re.compile(r"\{([a-z_]+)\}")
_PATH = re.compile(r"/[\w.~%{}/-]{0,200}", re.ASCII)
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,59}")
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
_STATUSES = {status.value: status for status in Status if status != Status.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Request:
    """How something is asked of the carrier: a template of its request."""

    path: str
    method: str
    format: str
    body: Any = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Words:
    """Which of the carrier's words, in small letters, means what."""

    meanings: Mapping[str, str]

    def of(self, word: str) -> str | None:
        return self.meanings.get(word.strip().lower())


@dataclass(frozen=True, slots=True)
class Reader:
    """Where things stand in what the carrier says, and what its words mean.

    `at` has a path for each name: steps parted by dots, or the number of a word.
    """

    at: Mapping[str, str]
    words: Words
    items: str = ""
    format: str = "json"


@dataclass(frozen=True, slots=True)
class Described:
    """All that is known of a carrier."""

    send: Request
    answer: Reader
    http: Mapping[int, Outcome]
    phones: str
    ids_are_ours: bool
    reply: str
    look_up: Request | None = None
    found: Reader | None = None
    receipts: Reader | None = None
    inbound: Reader | None = None


def describe(options: Mapping[str, str]) -> Described:
    """Read a channel's options, tables as JSON; ValueError that tells every fault."""
    faults: list[str] = []
    send = _Table(options, "send", faults)
    answer = _Table(options, "answer", faults)
    described = Described(
        phones=send.word("phone_format", "plus", PHONES),
        send=_request(send),
        ids_are_ours=answer.flag("ids_are_ours"),
        http=_http(answer),
        answer=_reader(answer, ("id", "status"), _OUTCOMES, ANSWERS),
        reply=options.get("reply", ""),
    )
    if "look_up" in options:
        table = _Table(options, "look_up", faults)
        found = _Table(options, "found", faults)
        meanings = {**_STATUSES, "never": "never"}
        described = replace(
            described,
            look_up=_request(table),
            found=_reader(found, ("id", "status"), meanings, ANSWERS, ("status",)),
        )
    if "receipts" in options:
        table = _Table(options, "receipts", faults)
        reader = _reader(table, ("id", "status"), _STATUSES, (), ("id", "status"))
        described = replace(described, receipts=reader)
    if "inbound" in options:
        table = _Table(options, "inbound", faults)
        names = ("id", "from", "to", "text")
        described = replace(described, inbound=_reader(table, names, {}, (), names))
    answers = described.answer
    if "status" in answers.at and not answers.words.meanings:
        faults.append("answer: which of its words means what? Set accepted")
    if faults:
        raise ValueError("; ".join(faults))
    return described


def fill(template: Any, slots: Mapping[str, str]) -> Any:
    """A template with its slots filled; what is no text stays as it is."""
    if isinstance(template, str):
        return _SLOT.sub(lambda slot: slots[slot[1]], template)
    if isinstance(template, dict):
        return {name: fill(value, slots) for name, value in template.items()}
    if isinstance(template, list):
        return [fill(value, slots) for value in template]
    return template


def _request(table: _Table) -> Request:
    path = table.word("path", "/")
    if not _PATH.fullmatch(path):
        table.fault("path", "should begin with / and hold what a path may")
    method = table.word("method", "POST", METHODS)
    format = table.word("format", "query" if method == "GET" else "form", FORMATS)
    if method == "GET" and format != "query":
        table.fault("format", "a GET has no body: it should be query")
    body = table.tree("body")
    if format != "json" and not all(isinstance(v, str) for v in body.values()):
        table.fault("body", "should have texts only")
    headers = table.tree("headers")
    for name, value in headers.items():
        if not (_HEADER.fullmatch(name) and isinstance(value, str) and value.isascii()):
            table.fault("headers", f"{name[:40]!r} is no header of ASCII")
    for template in (path, body, headers):
        for slot in sorted(set(_SLOT.findall(json.dumps(template))) - set(SLOTS)):
            table.fault("", f"there is no slot {{{slot}}}: there are {_listed(SLOTS)}")
    table.close()
    return Request(path, method, format, body, headers)


def _reader(
    table: _Table,
    names: Sequence[str],
    meanings: Mapping[str, Any],
    formats: Sequence[str],
    needs: Sequence[str] = (),
) -> Reader:
    format = table.word("format", "json", formats) if formats else "json"
    items = table.word("items", "")
    at = {name: path for name in names if (path := table.word(name, ""))}
    for name in needs:
        if name not in at:
            table.fault(name, "is missing: where does it stand?")
    for name, path in at.items():
        if format == "text" and not re.fullmatch("[1-9]", path):
            table.fault(name, "should be the number of a word, from 1 to 9")
        elif not all(path.split(".")) or path.count(".") >= STEPS_MAX:
            table.fault(name, f"should be at most {STEPS_MAX} names parted by dots")
    words: dict[str, str] = {}
    for meaning in meanings:
        for word in table.values(meaning):
            if word in words:
                table.fault(meaning, f"the word {word[:40]!r} says two things")
            words[word] = meaning
    table.close()
    return Reader(at, Words(words), items, format)


def _http(table: _Table) -> Mapping[int, Outcome]:
    found = {}
    for status, outcome in table.tree("http").items():
        if not re.fullmatch("[2-5][0-9][0-9]", status) or outcome not in _OUTCOMES:
            table.fault("http", 'should be like { 503 = "retryable" }')
        else:
            found[int(status)] = _OUTCOMES[outcome]
    return found


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words)


class _Table:
    """One table of options. Each is asked for once; `close` tells what is left."""

    def __init__(
        self, options: Mapping[str, str], name: str, faults: list[str]
    ) -> None:
        self._name = name
        self._faults = faults
        written = options.get(name, "{}")
        try:
            found = json.loads(written[:JSON_CHARS_MAX])
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or len(found) > NAMES_MAX:
            self.fault("", f"should be a table of at most {NAMES_MAX} names")
            found = {}
        self._left = dict(found)

    def fault(self, name: str, why: str) -> None:
        where = f"{self._name}.{name}" if name else self._name
        self._faults.append(f"{where[:60]}: {why}")

    def word(self, name: str, default: str, among: Sequence[str] = ()) -> str:
        value = self._left.pop(name, default)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or len(value) > 200 or not value.isprintable():
            self.fault(name, "should be a short text")
        elif among and value not in among:
            self.fault(name, f"should be one of {_listed(among)}")
        else:
            return value
        return default

    def flag(self, name: str) -> bool:
        value = self._left.pop(name, False)
        if not isinstance(value, bool):
            self.fault(name, "should be true or false")
            return False
        return value

    def tree(self, name: str) -> dict[str, Any]:
        value = self._left.pop(name, {})
        if not isinstance(value, dict) or len(value) > NAMES_MAX:
            self.fault(name, f"should be a table of at most {NAMES_MAX} names")
            return {}
        return value

    def values(self, name: str) -> Sequence[str]:
        given = self._left.pop(name, [])
        given = given if isinstance(given, list) else [given]
        if len(given) > VALUES_MAX or not all(
            isinstance(value, (str, int)) for value in given
        ):
            self.fault(name, f"should be a list of at most {VALUES_MAX} words")
            return ()
        words = (str(value).lower() for value in given)
        return tuple(word.strip() for word in words)

    def close(self) -> None:
        for name in sorted(self._left):
            self.fault(name[:40], "there is no such option")
