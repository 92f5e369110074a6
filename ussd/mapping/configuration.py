"""A carrier described by configuration alone: what `mapped` is told about its wire.

Everything is checked when the channel is built, and every fault told at once. There are
names, values and moulds; no code and no expressions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ussd.mapping.bodies import FORMATS, put, steps, written
from ussd.mapping.moulds import Mould
from ussd.mapping.wires import ENDINGS, OWN, Kinds, Replies, Wire
from ussd.options import Options, Scalar
from ussd.turn import Ending

__all__ = ["read_options"]

METHODS = ("POST", "GET", "PUT")
PHONES = ("plus", "digits", "national")
FIRSTS = ("kind", "empty", "code")
NEWLINES = ("\n", "\r\n", "\r", "\\n", "<br>", "<br/>", "&#10;")
REPLY_FORMATS = ("text", "form", "json", "xml")
KINDS = ("start", "answer")
FIELDS_MAX = 20

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PATH = re.compile(r"[A-Za-z0-9_.~-]{1,80}(/[A-Za-z0-9_.~-]{1,80}){0,5}")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,59}")
# The service's own, of which there may not be two.
_OWN_HEADERS = frozenset(
    {
        *("content-type", "content-length", "transfer-encoding"),
        *("allow", "connection", "date"),
    }
)
# Instead of a mould whose faults are told.
_NONE = Mould("", "text")
_CONTENT_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+(; ?charset=utf-8)?", re.IGNORECASE)
_CONTENT_TYPES = {
    "text": "text/plain; charset=utf-8",
    "form": "application/x-www-form-urlencoded",
    "json": "application/json",
    "xml": "text/xml; charset=utf-8",
}


def read_options(given: Mapping[str, Any] | None) -> Wire:
    """Read a channel's options; raises ValueError with a line for each fault."""
    options = Options(given)
    format = options.text("format", None, among=FORMATS)
    method = options.text(
        "method", "GET" if format == "query" else "POST", among=METHODS
    )
    if method == "GET" and format not in ("query", ""):
        options.fault("method", "a GET has no body: format should be query")
    cumulative = options.flag("cumulative")
    fields = _fields(options, format)
    kind = None
    if "kind" in options:
        kind = _kinds(options.table("kind"), format, (*KINDS, *ENDINGS), "")
    ends = options.table("ends")
    ends_at = ends.text("path")
    ends_kinds = _kinds(ends, format, ENDINGS, Ending.CUT) if ends_at else None
    if ends_at and not _PATH.fullmatch(ends_at):
        ends.fault("path", "should be what follows the key, such as events")
    elif not ends_at and ends.names():
        ends.fault("path", "is missing: where do these notices come?")
    wire = Wire(
        method=method,
        format=format,
        root=options.text("root"),
        cumulative=cumulative,
        code=options.dial_code("code"),
        first=options.text("first", "kind", among=FIRSTS),
        phone_as=options.text("phone_format", among=PHONES),
        session_alone=options.flag("session_alone"),
        fields=fields,
        kind=kind,
        ends_at=ends_at,
        ends=ends_kinds,
        sample=_sample(options, format),
        replies=_replies(options.table("reply"), fields),
    )
    for name, why in _contradictions(wire):
        options.fault(name, why)
    options.check()
    return wire


def _contradictions(wire: Wire) -> Iterator[tuple[str, str]]:
    """What each setting alone allows, and all together do not."""
    dialled = wire.fields.get("dialled", "")
    if not dialled and not wire.code:
        yield "fields.dialled", "is missing, and so is code: where is the dial code?"
    if wire.root and wire.format != "xml":
        yield "root", "only XML has a root"
    if wire.session_alone and "session" not in wire.fields:
        yield "session_alone", "there is no field session"
    if wire.kind is not None and not (
        wire.kind.values["answer"] or wire.kind.otherwise == "answer"
    ):
        yield "kind.answer", "is missing, and kind.otherwise is not answer"
    if wire.cumulative:
        if dialled and wire.starts_with_code and not wire.code:
            yield "code", "is missing: where does the code end and the text begin?"
        if "suffix" in wire.fields:
            yield "fields.suffix", "a cumulative text holds it already"
    elif wire.first == "kind" and not (wire.kind and wire.kind.values["start"]):
        yield "first", "how is a first request told? Set kind.start, or empty or code"
    elif wire.first == "empty" and dialled and wire.starts_with_code:
        yield "first", "the field that is empty at first cannot hold the code"
    elif wire.first == "empty" and wire.fields.get("suffix") == wire.fields["typed"]:
        yield "first", "the field that is empty at first cannot hold the suffix"
    elif wire.first == "code" and not wire.code and wire.starts_with_code:
        yield "code", "is missing: which code does a first request begin with?"
    yield from _in_each_others_way(wire)


def _in_each_others_way(wire: Wire) -> Iterator[tuple[str, str]]:
    """Fields of which one would stand inside another."""
    own = [path for name, path in wire.fields.items() if name in OWN]
    tree: dict[str, Any] = {}
    for path in dict.fromkeys([*wire.paths, *wire.sample]):
        try:
            put(tree, steps(path, wire.format), "")
        except ValueError as why:
            yield path, str(why)
    for path in wire.sample:
        if path in own or any(
            kinds is not None and kinds.field == path
            for kinds in (wire.kind, wire.ends)
        ):
            yield f"sample.{path}", "is a field that is read"


def _fields(options: Options, format: str) -> Mapping[str, str]:
    table = options.table("fields")
    names = table.names()
    if len(names) > FIELDS_MAX:
        table.fault("", f"has more than {FIELDS_MAX} fields")
        names = names[:FIELDS_MAX]
    fields = {}
    for name in names:
        path = table.text(name)
        if not _NAME.fullmatch(name) or name == "text":
            table.fault(name, "a name of ours is a-z, 0-9 and _, and not text")
        elif path:
            # Under its own name, a field with a bad path raises no further fault.
            fields[name] = path if _is_path(table, name, path, format) else name
    for name in ("phone", "typed"):
        if name not in fields:
            table.fault(name, "is missing")
            fields[name] = name
    table.close()
    return fields


def _is_path(options: Options, name: str, path: str, format: str) -> bool:
    try:
        steps(path, format)
    except ValueError as why:
        options.fault(name, str(why))
        return False
    return True


def _kinds(
    table: Options, format: str, kinds: tuple[str, ...], otherwise: str
) -> Kinds:
    """Which values of a field say which kind."""
    field = table.text("field")
    values = {kind: table.values(kind) for kind in kinds}
    given = Kinds(field, values, table.text("otherwise", otherwise, among=("", *kinds)))
    words = [written(value).lower() for some in values.values() for value in some]
    if field and not _is_path(table, "field", field, format):
        given = Kinds("", values, given.otherwise)
    elif not field and words:
        table.fault("field", "is missing: which field holds these values?")
    for word in sorted({word for word in words if words.count(word) > 1}):
        table.fault("field", f"the value {word!r} says two things")
    table.close()
    return given


def _sample(options: Options, format: str) -> Mapping[str, Scalar]:
    """Values of fields that mean nothing, for the simulator, by the carrier's path."""
    table = options.tree("sample", {})
    if not isinstance(table, Mapping) or len(table) > FIELDS_MAX:
        options.fault("sample", f"should be a table of at most {FIELDS_MAX} fields")
        return {}
    sample: dict[str, Scalar] = {}
    for path, value in table.items():
        if not isinstance(value, (str, int)) or not str(value).isprintable():
            options.fault(f"sample.{path}", "should be a text, a number, true or false")
            continue
        if _is_path(options, f"sample.{path}", str(path), format):
            sample[str(path)] = value
    return sample


def _replies(table: Options, fields: Mapping[str, str]) -> Replies:
    format = table.text("format", None, among=REPLY_FORMATS)
    usual = _CONTENT_TYPES.get(format, "")
    content_type = table.text("content_type", usual)
    if not _CONTENT_TYPE.fullmatch(content_type) and format:
        table.fault("content_type", "should be like text/plain; charset=utf-8")
    newline = table.text("newline", "\n", among=NEWLINES)
    if newline == "&#10;" and format != "xml":
        table.fault("newline", "only XML has &#10;")
    slots = {"text", *fields, "session", "dialled", "sequence"} - {"suffix"}
    moulds = {}
    for name in ("go_on", "end"):
        moulds[name] = _mould(table, name, format, slots)
        if moulds[name] is not _NONE and "text" not in moulds[name].slots:
            table.fault(name, "has no place for {text}")
    # Nobody reads what thanks a carrier for its word that a call is over.
    thanks = None
    if "thanks" in table:
        thanks = _mould(table, "thanks", format, slots - {"text"})
    headers = {
        name: _headers(table.table(f"{name}_headers"), slots - {"text"})
        for name in ("go_on", "end")
    }
    same = moulds["go_on"] == moulds["end"] and headers["go_on"] == headers["end"]
    if same and moulds["end"] is not _NONE:
        table.fault("end", "is the same as go_on: nobody could tell a last screen")
    replies = Replies(
        format=format,
        content_type=content_type,
        status=table.number("status", 200, least=200, most=299),
        newline=newline,
        declaration=table.flag("declaration"),
        go_on=moulds["go_on"],
        end=moulds["end"],
        thanks=thanks,
        headers=headers,
    )
    table.close()
    return replies


def _mould(table: Options, name: str, format: str, slots: set[str]) -> Mould:
    tree = table.text(name, None) if format == "text" else table.tree(name)
    mould = Mould(tree, format)
    faults = dict.fromkeys(mould.faults(slots)) if tree is not None else ["is missing"]
    for why in faults:
        table.fault(name, why)
    return _NONE if faults else mould


def _headers(table: Options, slots: set[str]) -> Mapping[str, Mould]:
    found = {}
    for name in table.names():
        mould = _mould(table, name, "text", slots)
        if not _HEADER.fullmatch(name) or name.lower() in _OWN_HEADERS:
            table.fault(name, "is no header that a reply may set")
        elif not (mould.tree.isascii() and mould.tree.isprintable()):
            table.fault(name, "should be ASCII on one line")
        found[name] = mould
    return found
