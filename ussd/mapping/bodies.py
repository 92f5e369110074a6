"""Bodies as trees: a field found by where it stands, and a body written from a tree.

A tree is what JSON would hold. In XML an element with children is a table, `@name` in
it an attribute and `#text` its text; any other element is a text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode
from xml.etree.ElementTree import Element

from ussd.fields import form_fields, json_fields, json_object, text, xml_root
from ussd.turn import Unreadable

__all__ = ["FORMATS", "Tree", "decoded", "encoded", "fields_at", "put", "steps"]

Tree = Any

FORMATS = ("query", "form", "json", "xml")
STEPS_MAX = 6
NAME_CHARS_MAX = 80

_XML_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*(:[A-Za-z_][A-Za-z0-9_.-]*)?")
# What XML 1.0 has no room for (section 2.2), tabs and line ends apart.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def steps(path: str, format: str) -> tuple[str, ...]:
    """Take a path apart: `a.b` in JSON, `a/b` or `a/@b` in XML; a form has names only.

    Raises ValueError.
    """
    parts: tuple[str, ...] = (path,)
    if format == "json":
        parts = tuple(path.split("."))
    elif format == "xml":
        parts = tuple(path.split("/"))
        names = [*parts[:-1], parts[-1].removeprefix("@")]
        if not all(map(_XML_NAME.fullmatch, names)):
            raise ValueError("should be a path of elements, a/b or a/@b")
    if len(path) > NAME_CHARS_MAX or len(parts) > STEPS_MAX:
        raise ValueError(
            f"should have at most {STEPS_MAX} steps and {NAME_CHARS_MAX} characters"
        )
    if not path.isprintable() or not all(part.strip() for part in parts):
        raise ValueError("should name a field of the carrier's")
    return parts


def fields_at(
    octets: bytes, format: str, paths: Iterable[str], root: str = ""
) -> Mapping[str, str]:
    """The fields at these paths, of those that are there.

    Raises Unreadable, also for XML whose root is not `root` where one is given.
    """
    paths = tuple(dict.fromkeys(paths))
    if format == "json":
        found = json_object(octets)
        there = {path: _in_json(found, steps(path, format)) for path in paths}
        return json_fields(there, needs=(), takes=paths)
    if format == "xml":
        element = xml_root(octets)
        if root and _local(element.tag) != root.rpartition(":")[2]:
            raise Unreadable(f"The body is no {root}.")
        return {
            path: text(path, value)
            for path in paths
            if (value := _in_xml(element, path)) is not None
        }
    return form_fields(octets, needs=(), takes=paths)


def put(tree: dict[str, Tree], path: tuple[str, ...], value: Tree) -> None:
    """Set a value in a tree; raises ValueError where a text stands in its way."""
    for step in path[:-1]:
        tree = tree.setdefault(step, {})
        if not isinstance(tree, dict):
            raise ValueError("stands within another field")
    if isinstance(tree.get(path[-1]), dict):
        raise ValueError("stands around another field")
    tree[path[-1]] = value


def encoded(
    tree: Tree, format: str, *, declaration: bool = False, newline_entity: bool = False
) -> str:
    """Write a tree. XML is escaped once; a line end of an attribute is `&#10;`."""
    if format == "json":
        return json.dumps(tree, ensure_ascii=False)
    if format in ("form", "query"):
        return urlencode({name: written(value) for name, value in tree.items()})
    if format == "xml":
        ((name, content),) = tree.items()
        head = '<?xml version="1.0" encoding="UTF-8"?>' if declaration else ""
        return head + _element(name, content, newline_entity)
    return written(tree)


def decoded(body: str, format: str) -> Tree:
    """Read a body back into a tree; raises Unreadable."""
    octets = body.encode()
    if format == "json":
        return json_object(octets)
    if format in ("form", "query"):
        pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=None)
        return dict(pairs)
    if format == "xml":
        root = xml_root(octets)
        return {_local(root.tag): _tree(root)}
    return body


def written(value: Tree) -> str:
    """A literal as a text: true and false as JSON writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _in_json(found: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    here: Any = found
    for step in path:
        if here is None:
            return None
        if not isinstance(here, Mapping):
            raise Unreadable(f"Field {'.'.join(path)} stands in what is no object.")
        here = here.get(step)
    return here


def _in_xml(root: Element, path: str) -> str | None:
    here = root
    for step in steps(path, "xml"):
        if step.startswith("@"):
            return here.get(step[1:])
        name = step.rpartition(":")[2]
        named = [child for child in here if _local(child.tag) == name]
        if len(named) > 1:
            raise Unreadable(f"Field {path} is given twice.")
        if not named:
            return None
        here = named[0]
    if len(here):
        raise Unreadable(f"Field {path} is not a text.")
    return here.text or ""


def _tree(element: Element) -> Tree:
    tree: dict[str, Tree] = {f"@{name}": value for name, value in element.items()}
    for child in element:
        if _local(child.tag) in tree:
            raise Unreadable("An element is given twice.")
        tree[_local(child.tag)] = _tree(child)
    words = element.text or ""
    if not tree:
        return words
    if words.strip():
        tree["#text"] = words
    return tree


def _element(name: str, content: Tree, newline_entity: bool) -> str:
    table = content if isinstance(content, Mapping) else {"#text": content}
    attributes, inside = "", ""
    for key, value in table.items():
        if key.startswith("@"):
            quoted = _escaped(written(value), True).replace('"', "&quot;")
            attributes += f' {key[1:]}="{quoted}"'
        elif key == "#text":
            inside += _escaped(written(value), newline_entity)
        else:
            inside += _element(key, value, newline_entity)
    return f"<{name}{attributes}>{inside}</{name}>"


def _escaped(value: str, newline_entity: bool) -> str:
    for letter, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        value = value.replace(letter, entity)
    # A bare carriage return would be read as a line feed (XML 1.0, section 2.11).
    value = value.replace("\r", "&#13;")
    if newline_entity:
        value = value.replace("\n", "&#10;").replace("\t", "&#9;")
    return _NOT_XML.sub("\ufffd", value)


def _local(tag: object) -> str:
    """The name of an element without its namespace."""
    return str(tag).rpartition("}")[2]
