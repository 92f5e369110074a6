"""The fields of a carrier's request, in whichever format it is written.

Each reader is given the names it is to find and gives those back. A field that is
missing, doubled, too long, not UTF-8, or that holds a control character is Unreadable;
fields nobody asked for are let pass, for carriers add them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from phone.dialcode import NotADialCode, normalise
from phone.numbers import NotAPhone, from_network
from ussd.turn import Unreadable

__all__ = [
    "FIELD_BYTES_MAX",
    "SESSION_CHARS_MAX",
    "chosen",
    "complete",
    "dialled",
    "dialled_in",
    "form_fields",
    "json_fields",
    "json_object",
    "optional_dialled",
    "phone",
    "sequence",
    "session",
    "text",
    "xml_root",
]

FIELDS_MAX = 60
FIELD_BYTES_MAX = 4_000
SESSION_CHARS_MAX = 120
SEQUENCE_DIGITS_MAX = 9
XML_ELEMENTS_MAX = 500
XML_DEPTH_MAX = 20
# As they are declared. Whatever else Python has a codec for is not asked for it.
_XML_ENCODINGS = {
    *("utf-8", "utf-16", "us-ascii"),
    *("iso-8859-1", "iso-8859-6", "windows-1252", "windows-1256"),
}
# Tabs and line ends apart.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def form_fields(
    octets: bytes, *, needs: tuple[str, ...], takes: tuple[str, ...] = ()
) -> Mapping[str, str]:
    """The fields of a form: an urlencoded body, or the query of an address."""
    pairs = octets.split(b"&", FIELDS_MAX)
    if len(pairs) > FIELDS_MAX:
        raise Unreadable(f"The form has more than {FIELDS_MAX} fields.")
    found: dict[str, str] = {}
    for pair in pairs:
        written, _, raw = pair.partition(b"=")
        # A carrier writes the names of its fields as they are, and may well leave
        # other letters than ASCII's as they are in what is typed.
        name = written.decode(errors="replace")
        if name not in needs and name not in takes:
            continue
        if name in found:
            raise Unreadable(f"Field {name} is given twice.")
        value = unquote_to_bytes(raw.replace(b"+", b" "))
        if len(value) > FIELD_BYTES_MAX:
            raise _too_long(name)
        try:
            found[name] = _checked(name, value.decode())
        except UnicodeDecodeError:
            raise Unreadable(f"Field {name} is not UTF-8.") from None
    return complete(found, *needs)


def json_object(body: bytes) -> Mapping[str, Any]:
    """A JSON body that is one object; a name that stands twice in it is refused."""
    try:
        read = json.loads(body, object_pairs_hook=_once, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise Unreadable("The body is not UTF-8.") from None
    except Unreadable:
        raise
    except (ValueError, RecursionError):
        raise Unreadable("The body is not JSON.") from None
    if not isinstance(read, dict):
        raise Unreadable("The body is not a JSON object.")
    return read


def json_fields(
    found: Mapping[str, Any], *, needs: tuple[str, ...], takes: tuple[str, ...] = ()
) -> Mapping[str, str]:
    """The fields of an object as text: true and false as such, null as not given.

    A list or an object where a text is wanted is refused.
    """
    fields: dict[str, str] = {}
    for name in (*needs, *takes):
        value = found.get(name)
        if value is None:
            continue
        if isinstance(value, bool):
            fields[name] = str(value).lower()
        elif isinstance(value, (str, int)):
            fields[name] = _checked(name, str(value))
        else:
            raise Unreadable(f"Field {name} is not a text.")
    return complete(fields, *needs)


def complete(found: Mapping[str, str], *needs: str) -> Mapping[str, str]:
    """The same fields; the first of these that is missing is refused by its name."""
    for name in needs:
        if name not in found:
            raise Unreadable(f"Field {name} is missing.")
    return found


def xml_root(body: bytes) -> Element:
    """The root of an XML body. Entities, DTDs and outside references are refused."""
    parser = DefusedXMLParser(target=_Bounded(), forbid_dtd=True)
    parser.parser.XmlDeclHandler = _declared
    try:
        parser.feed(body)
        root: Element = parser.close()
    except Unreadable:
        raise
    except DefusedXmlException:
        raise Unreadable("The body has a DTD or entities of its own.") from None
    except (ParseError, ValueError, RecursionError):
        raise Unreadable("The body is not XML.") from None
    return root


def _declared(version: str, encoding: str | None, standalone: int) -> None:
    if encoding is not None and encoding.lower() not in _XML_ENCODINGS:
        raise Unreadable("The body is in an encoding that is not read here.")


class _Bounded(TreeBuilder):
    """Builds no more of a tree than a carrier would ever send."""

    def __init__(self) -> None:
        super().__init__()
        self._elements = self._depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._elements += 1
        self._depth += 1
        if self._elements > XML_ELEMENTS_MAX:
            raise Unreadable(f"The body has more than {XML_ELEMENTS_MAX} elements.")
        if self._depth > XML_DEPTH_MAX:
            raise Unreadable(f"The body is nested more than {XML_DEPTH_MAX} deep.")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


# -- what all carriers say ------------------------------------------------------------


def session(name: str, text: str) -> str:
    """A carrier's id of a call."""
    if not 0 < len(text) <= SESSION_CHARS_MAX:
        raise Unreadable(f"Field {name} is not 1 to {SESSION_CHARS_MAX} characters.")
    return text


def phone(name: str, text: str, region: str) -> str:
    """A caller's number as E.164; the refusal does not repeat it."""
    try:
        return from_network(text, region)
    except NotAPhone:
        raise Unreadable(f"Field {name} is not a phone number.") from None


def dialled(name: str, text: str) -> str:
    """A dial code in dial order: `*780*5588*1#`."""
    try:
        return normalise(text)
    except NotADialCode:
        raise Unreadable(f"Field {name} is not a dial code.") from None


def dialled_in(found: Mapping[str, str], typed: str, code: str, *, starts: bool) -> str:
    """The code of a call, from the fields that `typed` and `code` name.

    What is typed when a call starts may be the code as it was dialled, with whatever
    was dialled behind it; it is then if there is a * in it.
    """
    name = typed if starts and "*" in found[typed] else code
    return dialled(name, found.get(name, ""))


def optional_dialled(name: str, text: str) -> str:
    """A dial code, or nothing where the carrier says none."""
    return dialled(name, text) if text.strip() else ""


def chosen(name: str, text: str, among: Iterable[str]) -> str:
    """One of a closed set of words, whatever its case; comes back as in `among`."""
    words = tuple(among)
    for word in words:
        if text.strip().lower() == word.lower():
            return word
    raise Unreadable(f"Field {name} is none of {', '.join(words)}.")


def sequence(name: str, text: str) -> int:
    """The number of a request within its call."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdecimal()) or (
        len(digits) > SEQUENCE_DIGITS_MAX
    ):
        raise Unreadable(f"Field {name} is not a number.")
    return int(digits)


def text(name: str, value: str) -> str:
    """A text from anywhere, a path or an attribute say, held to what fields may be."""
    return _checked(name, value)


def _checked(name: str, value: str) -> str:
    try:
        octets = value.encode()
    except UnicodeEncodeError:
        # JSON and XML can write half a surrogate pair.
        raise Unreadable(f"Field {name} is not UTF-8.") from None
    if len(octets) > FIELD_BYTES_MAX:
        raise _too_long(name)
    if _CONTROL.search(value):
        raise Unreadable(f"Field {name} holds a control character.")
    return value


def _too_long(name: str) -> Unreadable:
    return Unreadable(f"Field {name} is longer than {FIELD_BYTES_MAX:,} bytes.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            ascii = name[:40].encode("ascii", "replace").decode()
            # A name is the sender's, and what is shown of it stays on one line.
            shown = "".join(c if c.isprintable() else "?" for c in ascii)
            raise Unreadable(f"Field {shown} is given twice.")
        found[name] = value
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
