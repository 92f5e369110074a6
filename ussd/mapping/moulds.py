"""The shape of a carrier's reply: filled with a screen, and a screen found in it again.

A mould is a tree whose texts may hold slots, `{text}` or `{session}`; all else stands
as it is, true, false and numbers too. There are no expressions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ussd.mapping.bodies import Tree, written

__all__ = ["Mould"]

NODES_MAX = 80
DEPTH_MAX = 8
CHARS_MAX = 1_000

_SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,80}")
_XML_NAME = re.compile(r"@?[A-Za-z_][A-Za-z0-9_.:-]*|#text")


@dataclass(frozen=True, slots=True)
class Mould:
    """One reply, in the format that it is written in."""

    tree: Tree
    format: str

    def faults(self, slots: Collection[str]) -> Iterator[str]:
        """What is wrong with it, `slots` being those there are."""
        if self.format in ("json", "form", "xml") and not isinstance(self.tree, dict):
            yield f"should be a table, for the format is {self.format}"
            return
        if self.format == "text" and not isinstance(self.tree, str):
            yield "should be a text, for the format is text"
            return
        if self.format == "xml" and (
            len(self.tree) != 1 or not all(map(_is_element, self.tree))
        ):
            yield "should hold one element, the root"
            return
        nodes = list(_nodes(self.tree, 1))
        if len(nodes) > NODES_MAX:
            yield f"has more than {NODES_MAX} parts"
            return
        for depth, node, inside_attribute in nodes:
            yield from self._node_faults(depth, node, inside_attribute, slots)

    def _node_faults(
        self, depth: int, node: Tree, attribute: bool, slots: Collection[str]
    ) -> Iterator[str]:
        if depth > DEPTH_MAX:
            yield f"is nested more than {DEPTH_MAX} deep"
        match node:
            case dict():
                inside = self.format == "form" and depth > 1
                if not node or inside or (self.format == "xml" and attribute):
                    yield "holds a table where a text is wanted"
                shape = _XML_NAME if self.format == "xml" else _NAME
                for name in node:
                    if not shape.fullmatch(str(name)):
                        yield "holds a name that the format has no room for"
            case list():
                if self.format != "json":
                    yield "holds a list, which only JSON has"
            case str():
                yield from _text_faults(node, slots)
            case float():
                if not math.isfinite(node):
                    yield "holds a number that JSON does not have"
            case bool() | int():
                pass
            case None if self.format == "json":
                pass
            case _:
                yield "holds what is no text, number, true, false, list or table"

    def fill(self, values: Mapping[str, str]) -> Tree:
        """The tree with every slot filled."""
        return _filled(self.tree, values)

    def find(self, tree: Tree) -> str | None:
        """What stands in the slot `text` of a tree of this shape; None for another."""
        found: list[str] = []
        mould = _without_namespaces(self.tree) if self.format == "xml" else self.tree
        loose = self.format != "json"
        if not _matches(mould, tree, loose, found) or len(set(found)) != 1:
            return None
        return found[0]

    @property
    def literal_chars(self) -> int:
        """How much of it is not slots: of two that match, the longer one is meant."""
        texts = (node for _, node, _ in _nodes(self.tree, 1) if isinstance(node, str))
        return sum(len(_SLOT.sub("", text)) for text in texts)

    @property
    def slots(self) -> frozenset[str]:
        texts = (node for _, node, _ in _nodes(self.tree, 1) if isinstance(node, str))
        return frozenset(name for text in texts for name in _SLOT.findall(text))


def _nodes(
    tree: Tree, depth: int, attribute: bool = False
) -> Iterator[tuple[int, Tree, bool]]:
    """Every part of a tree, down to one more than the depth there may be."""
    yield depth, tree, attribute
    if depth > DEPTH_MAX:
        return
    if isinstance(tree, dict):
        for name, part in tree.items():
            yield from _nodes(part, depth + 1, str(name)[:1] in ("@", "#"))
    elif isinstance(tree, list):
        for part in tree:
            yield from _nodes(part, depth + 1)


def _text_faults(text: str, slots: Collection[str]) -> Iterator[str]:
    if len(text) > CHARS_MAX:
        yield f"holds a text of more than {CHARS_MAX} characters"
        return
    parts = _SLOT.split(text)
    for name in parts[1::2]:
        if name not in slots:
            yield f"names {{{name}}}; there are {', '.join(sorted(slots))}"
    if "" in parts[2:-1:2]:
        yield "holds two slots side by side, which nobody could tell apart"


def _is_element(name: object) -> bool:
    return isinstance(name, str) and name[:1] not in ("@", "#")


def _filled(tree: Tree, values: Mapping[str, str]) -> Tree:
    match tree:
        case dict():
            return {name: _filled(part, values) for name, part in tree.items()}
        case list():
            return [_filled(part, values) for part in tree]
        case str():
            return _SLOT.sub(lambda slot: values.get(slot[1], ""), tree)
    return tree


def _without_namespaces(tree: Tree) -> Tree:
    """As a parser gives it: names without prefixes, and no declarations of them."""
    if not isinstance(tree, dict):
        return tree
    return {
        # The @ of an attribute stands before its prefix.
        name if name.startswith("@") else name.rpartition(":")[2]: part
        for name, part in (
            (name, _without_namespaces(part)) for name, part in tree.items()
        )
        if not name.startswith("@xmlns")
    }


def _matches(mould: Tree, tree: Tree, loose: bool, found: list[str]) -> bool:
    match mould:
        case dict():
            return (
                isinstance(tree, Mapping)
                and mould.keys() == tree.keys()
                and all(_matches(mould[k], tree[k], loose, found) for k in mould)
            )
        case list():
            return (
                isinstance(tree, list)
                and len(mould) == len(tree)
                and all(
                    _matches(part, other, loose, found)
                    for part, other in zip(mould, tree, strict=True)
                )
            )
        case str():
            return isinstance(tree, str) and _fits(mould, tree, found)
    if loose:
        return bool(written(mould) == tree)
    return type(mould) is type(tree) and bool(mould == tree)


def _fits(mould: str, said: str, found: list[str]) -> bool:
    """Whether a text is of this shape.

    Slots before `text` are taken as short as can be, and those behind it too, from the
    end: that is one pass over the text, whatever stands in it.
    """
    before, slot, behind = mould.partition("{text}")
    if not slot:
        parts = _SLOT.split(mould)[::2]
        at = _passed(said, parts, 0)
        # A last slot takes all that is left.
        return at is not None and (
            at == len(said) or (len(parts) > 1 and said.endswith(parts[-1]))
        )
    start = _passed(said, _SLOT.split(before)[::2], 0)
    backwards = [part[::-1] for part in _SLOT.split(behind)[::2][::-1]]
    until = _passed(said[::-1], backwards, 0)
    if start is None or until is None or start > len(said) - until:
        return False
    found.append(said[start : len(said) - until])
    return True


def _passed(said: str, literals: list[str], at: int) -> int | None:
    """Where the last of these literals ends, the first standing at `at`."""
    if not said.startswith(literals[0], at):
        return None
    at += len(literals[0])
    for literal in literals[1:]:
        place = said.find(literal, at)
        if place < 0:
            return None
        at = place + len(literal)
    return at
