"""The fields of what a carrier posts, in whichever format it is written.

Each reader is given the names it is to find, and lets all others pass, for carriers add
some. A field that is doubled, not UTF-8 or no text is Unreadable when it is read, one
that is missing, too long or empty when it is asked for with `field_of`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from phone.numbers import NotAPhone, from_network
from sms.carrier import (
    CARRIER_ID_CHARS_MAX,
    TEXT_CHARS_MAX,
    Inbound,
    Posted,
    Receipt,
    Spoilt,
    Unreadable,
)

__all__ = [
    "each",
    "every",
    "every_field",
    "field_of",
    "fields_of",
    "form_pairs",
    "id_of",
    "is_json",
    "items_of",
    "line_of",
    "object_of",
    "octets_of",
    "second_in",
    "sender_of",
    "text_of",
    "texts_in",
    "time_in",
]

FIELDS_MAX = 60
# Infobip posts up to a hundred reports or texts at once.
ITEMS_MAX = 1_000
PHONE_CHARS_MAX = 32

Read = TypeVar("Read", Receipt, Inbound)


def fields_of(posted: Posted, *names: str) -> Mapping[str, str]:
    """Those of these fields that were posted: in a query, a form or a JSON object."""
    if is_json(posted):
        return texts_in(object_of(posted), *names)
    found: dict[str, str] = {}
    for name, octets in octets_of(posted, *names).items():
        try:
            found[name] = octets.decode()
        except UnicodeDecodeError:
            raise Unreadable(f"{name} is not UTF-8") from None
    return found


def every_field(posted: Posted) -> Mapping[str, str]:
    """All fields of a query, a form or a JSON object, for a carrier that signs them."""
    if is_json(posted):
        found = object_of(posted)
        return texts_in(found, *found)
    names = [name for name, _ in form_pairs(posted.raw)]
    return fields_of(posted, *names)


def octets_of(posted: Posted, *names: str) -> Mapping[str, bytes]:
    """Those of these fields that a query or a form has, as octets."""
    found: dict[str, bytes] = {}
    for name, octets in form_pairs(posted.raw):
        if name not in names:
            continue
        if name in found:
            raise Unreadable(f"{name} is given twice")
        found[name] = octets
    return found


def is_json(posted: Posted) -> bool:
    """Whether what was posted is JSON by its own word; a GET has no body."""
    kind = posted.headers.get("content-type", "").partition(";")[0].strip().lower()
    return posted.method != "GET" and (
        kind == "application/json" or kind.endswith("+json")
    )


def form_pairs(octets: bytes) -> Sequence[tuple[str, bytes]]:
    """The fields of a form or a query in order, their values as octets."""
    pieces = octets.split(b"&", FIELDS_MAX)
    if len(pieces) > FIELDS_MAX:
        raise Unreadable(f"there are more than {FIELDS_MAX} fields")
    pairs = [piece.replace(b"+", b" ").partition(b"=") for piece in pieces if piece]
    return [
        (unquote_to_bytes(name).decode(errors="replace"), unquote_to_bytes(value))
        for name, _, value in pairs
    ]


def object_of(posted: Posted) -> Mapping[str, Any]:
    """The JSON object that was posted; a name that stands twice in it is refused."""
    try:
        found = json.loads(posted.body, object_pairs_hook=_once, parse_constant=_none)
    except Unreadable:
        raise
    except (ValueError, RecursionError):
        # Also what is not UTF-8.
        raise Unreadable("the body is not JSON") from None
    if not isinstance(found, dict):
        raise Unreadable("the body is not a JSON object")
    return found


def texts_in(found: Mapping[str, Any], *names: str) -> Mapping[str, str]:
    """Those of these members that an object has, as texts; null is as if not given."""
    texts: dict[str, str] = {}
    for name in names:
        value = found.get(name)
        if isinstance(value, bool) or not isinstance(value, (str, int, type(None))):
            raise Unreadable(f"{name} is not a text")
        if value is not None:
            texts[name] = str(value)
    return texts


def items_of(found: Mapping[str, Any], name: str) -> Sequence[Any]:
    """A list of things that were posted together."""
    items = found.get(name)
    if not isinstance(items, list):
        raise Unreadable(f"{name} is not a list")
    if len(items) > ITEMS_MAX:
        raise Unreadable(f"{name} has more than {ITEMS_MAX} items")
    return items


def each(
    items: Iterable[Any], read: Callable[[Mapping[str, Any]], Read]
) -> tuple[Read | Spoilt, ...]:
    """Read many that were posted together, each with its own piece of the post.

    A bad one keeps no good ones from being believed, for the carrier would post all of
    them again, for ever. Raises the first fault if none can be read.
    """
    found = every(items, read)
    if found and all(isinstance(one, Spoilt) for one in found):
        raise Unreadable(next(one.why for one in found if isinstance(one, Spoilt)))
    return found


def every(
    items: Iterable[Any], read: Callable[[Mapping[str, Any]], Read]
) -> tuple[Read | Spoilt, ...]:
    """Read a list that was asked for: what is bad may not be shown again."""
    found: list[Read | Spoilt] = []
    for item in items:
        raw = json.dumps(item).encode()
        try:
            if not isinstance(item, dict):
                raise Unreadable("an item is not an object")
            found.append(replace(read(item), raw=raw))
        except Unreadable as fault:
            found.append(Spoilt(str(fault), raw))
    return tuple(found)


def field_of(
    form: Mapping[str, str], name: str, *, chars_max: int, empty: bool = False
) -> str:
    """One field of a carrier's form, or Unreadable that names it.

    NUL and lone surrogates are refused: no database stores the one, no encoding the
    other.
    """
    value = form.get(name)
    if value is None:
        raise Unreadable(f"{name} is missing")
    if len(value) > chars_max:
        raise Unreadable(f"{name} is longer than {chars_max} characters")
    if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise Unreadable(f"{name} holds a character that is none")
    if not empty and not value.strip():
        raise Unreadable(f"{name} is empty")
    return value


def id_of(form: Mapping[str, str], name: str) -> str:
    """The carrier's id of a text."""
    return field_of(form, name, chars_max=CARRIER_ID_CHARS_MAX).strip()


def sender_of(form: Mapping[str, str], name: str, region: str) -> str:
    """Who sent a text, as E.164; the refusal does not repeat it."""
    written = field_of(form, name, chars_max=PHONE_CHARS_MAX)
    try:
        return from_network(written, region=region)
    except NotAPhone:
        raise Unreadable(f"{name} is no phone number") from None


def line_of(form: Mapping[str, str], name: str) -> str:
    """Which of our lines a text came to."""
    return field_of(form, name, chars_max=PHONE_CHARS_MAX).strip()


def text_of(form: Mapping[str, str], name: str) -> str:
    """What somebody wrote, which may be nothing."""
    return field_of(form, name, chars_max=TEXT_CHARS_MAX, empty=True)


def time_in(text: str, zone: tzinfo = UTC) -> datetime | None:
    """UTC from ISO 8601, in `zone` where it names none; None for anything else.

    Nothing hangs on when a text was written, but whether it is an old one.
    """
    try:
        at = datetime.fromisoformat(text.strip()[:40])
        return at.replace(tzinfo=at.tzinfo or zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def second_in(text: str) -> datetime | None:
    """UTC from seconds since 1970; None for anything else."""
    said = text.strip()
    if not (said.isascii() and said.isdecimal() and len(said) <= 10):
        return None
    return datetime.fromtimestamp(int(said), UTC)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            # A name is the sender's, and what is shown of it stays on one line.
            ascii = name[:40].encode("ascii", "replace").decode()
            shown = "".join(c if c.isprintable() else "?" for c in ascii)
            raise Unreadable(f"{shown} is given twice")
        found[name] = value
    return found


def _none(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
