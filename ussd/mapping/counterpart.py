"""The side of a carrier that configuration describes.

What `mapped` reads is written here, and what it writes is read: so a channel can be
dialled by `yarigar dial` before the carrier's first call.
"""

from __future__ import annotations

from collections.abc import Mapping

from ussd.mapping.bodies import Tree, decoded, encoded, put, steps
from ussd.mapping.wires import Kinds, Replies, Wire
from ussd.turn import Answer, Call, Ending, Request, Unreadable

__all__ = ["end_of", "heard", "turn_of"]

_TYPES = {
    "form": "application/x-www-form-urlencoded",
    "json": "application/json",
    "xml": "text/xml; charset=utf-8",
}


def turn_of(wire: Wire, call: Call) -> Request:
    """The request of the turn that a call has come to."""
    kind: Tree = None
    if wire.kind is not None:
        kind = wire.kind.sent("answer" if call.answers else "start")
    said = {**_named(wire, call), **_code_and_answers(wire, call)}
    return _request(wire, said, wire.kind, kind)


def end_of(wire: Wire, call: Call, how: Ending) -> Request | None:
    """The notice that a call is over; None where this carrier has no word for it."""
    kinds = wire.ends if wire.ends_at else wire.kind
    ending = kinds.ending(how) if kinds is not None else None
    if kinds is None or ending is None:
        return None
    said = _named(wire, call)
    return _request(wire, said, kinds, kinds.sent(ending), wire.ends_at)


def heard(replies: Replies, answer: Answer) -> tuple[str, bool]:
    """The screen of an answer, and whether it is the last; raises Unreadable."""
    if answer.content_type.lower() != replies.content_type.lower():
        raise Unreadable(f"The reply is no {replies.content_type}.")
    tree = decoded(answer.body, replies.format)
    given = {name.lower(): value for name, value in answer.headers.items()}
    fitting: list[tuple[int, str, bool]] = []
    for name, mould in (("go_on", replies.go_on), ("end", replies.end)):
        headers = replies.headers[name]
        text = mould.find(tree)
        if text is not None and all(
            given.get(header.lower(), "") == wanted.tree or wanted.slots
            for header, wanted in headers.items()
        ):
            fitting.append((mould.literal_chars, text, name == "end"))
    if not fitting:
        raise Unreadable("The reply is neither a screen nor a last one.")
    _, text, ends = max(fitting)
    newline = replies.newline
    return (text if newline == "&#10;" else text.replace(newline, "\n")), ends


def _named(wire: Wire, call: Call) -> Mapping[str, Tree]:
    """What every request of a call holds, by our names."""
    return {
        **dict.fromkeys(wire.extras, "1"),
        "session": call.session,
        "phone": wire.phone(call.phone),
        "sequence": len(call.answers) + 1,
    }


def _code_and_answers(wire: Wire, call: Call) -> Mapping[str, str]:
    """The fields that hold the code and what was typed, by our names."""
    starts = not call.answers
    base, suffix = _split(call.dialled, wire.code)
    if wire.cumulative and wire.starts_with_code:
        whole = "*".join([call.dialled[:-1], *call.answers]) + "#"
        return {"dialled": whole, "typed": whole}
    if wire.cumulative:
        return {"dialled": base, "typed": "*".join([*suffix, *call.answers])}
    latest = call.dialled if starts else call.answers[-1]
    if wire.starts_with_code:
        return {"dialled": latest, "typed": latest}
    if wire.first == "code":
        return {"dialled": base, "typed": latest}
    if "suffix" not in wire.fields:
        return {"dialled": call.dialled, "typed": "" if starts else latest}
    behind = "*".join(suffix) if starts else ""
    if wire.fields["suffix"] == wire.fields["typed"]:
        return {"dialled": base, "typed": behind if starts else latest}
    typed = "" if starts else latest
    return {"dialled": base, "typed": typed, "suffix": behind}


def _request(
    wire: Wire,
    said: Mapping[str, Tree],
    kinds: Kinds | None,
    kind: Tree,
    path: str = "",
) -> Request:
    values = {at: said[name] for name, at in wire.fields.items() if name in said}
    values |= wire.sample
    if kinds is not None and kinds.field and kind is not None:
        values[kinds.field] = kind
    tree: dict[str, Tree] = {}
    for at, value in values.items():
        put(tree, steps(at, wire.format), value)
    if wire.format == "xml":
        tree = {wire.root or "request": tree}
    octets = encoded(tree, wire.format).encode()
    if wire.format == "query":
        return Request(method=wire.method, path=path, query=octets)
    headers = {"content-type": _TYPES[wire.format]}
    return Request(method=wire.method, path=path, headers=headers, body=octets)


def _split(dialled: str, code: str) -> tuple[str, tuple[str, ...]]:
    """The code of the channel and the groups dialled behind it, if it begins so."""
    if not code or not f"{dialled[:-1]}*".startswith(f"{code[:-1]}*"):
        return dialled, ()
    return code, tuple(filter(None, dialled[len(code) : -1].split("*")))
