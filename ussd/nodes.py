"""A YAML file as values that remember where they stood.

Scalars stay text: `1` and `1405/09/01` are what the operator typed, so a key to
press is never a number by accident. Aliases are followed, within a limit on the
number of values, so a file that unfolds for ever is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import yaml

from ussd.faults import BadMenus, Fault

__all__ = ["Node", "parse"]

SOURCE_CHARS_MAX = 4_000_000
VALUES_MAX = 600_000
DEPTH_MAX = 20


@dataclass(slots=True)
class Node:
    """A scalar (`text`), a mapping (`items`) or a sequence (`parts`)."""

    line: int
    column: int
    faults: list[Fault]
    # Where the name it stands under is; its own place where it has none.
    named: int = 0
    named_column: int = 0
    text: str | None = None
    items: dict[str, Node] | None = None
    parts: list[Node] | None = None

    def __post_init__(self) -> None:
        if not self.named:
            self.named, self.named_column = self.line, self.column

    def fault(self, what: str, remedy: str) -> None:
        self.faults.append(Fault(self.line, self.column, what, remedy))

    def fault_of_name(self, what: str, remedy: str) -> None:
        """A fault of the name that it stands under, which may be lines above it."""
        self.faults.append(Fault(self.named, self.named_column, what, remedy))

    def mapping(
        self, what: str, *, needs: tuple[str, ...] = (), takes: tuple[str, ...] = ()
    ) -> dict[str, Node]:
        """Its entries; keys beyond `needs` and `takes` are faults if any are given."""
        if self.items is None:
            self.fault(f"{what} is not a mapping", "Write it as `name: value` lines")
            return {}
        if needs or takes:
            for key, node in self.items.items():
                if key not in needs and key not in takes:
                    known = ", ".join([*needs, *takes])
                    node.fault_of_name(f"{what} has no {key!r}", f"Use one of: {known}")
            for key in needs:
                if key not in self.items:
                    self.fault_of_name(f"{what} lacks {key!r}", f"Add `{key}:` to it")
        return self.items

    def sequence(self, what: str) -> list[Node]:
        if self.parts is None:
            self.fault(f"{what} is not a list", "Write it as lines that begin with `-`")
            return []
        return self.parts

    def string(self, what: str) -> str:
        if self.text is None:
            self.fault(f"{what} is not a text", "Write one value here")
            return ""
        return self.text

    def whole(self, what: str) -> int:
        text = self.string(what).replace("_", "")
        if not (text.isascii() and text.isdecimal() and len(text) <= 18):
            self.fault(f"{what} is not a whole number", "Write digits only, as 20000")
            return 0
        return int(text)

    def flag(self, what: str) -> bool:
        text = self.string(what)
        if text not in ("true", "false"):
            self.fault(f"{what} is neither true nor false", "Write true or false")
        return text == "true"


def parse(source: str, name: str = "menus.yaml") -> tuple[Node, list[Fault]]:
    """The root of `source`, and the list its faults go to; raises BadMenus."""
    faults: list[Fault] = []
    if len(source) > SOURCE_CHARS_MAX:
        what = f"the file is longer than {SOURCE_CHARS_MAX} characters"
        raise BadMenus([Fault(1, 1, what, "Split the menus")], name)
    try:
        root = _Composer(source, faults, name).root()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = f"not YAML: {error.problem or error.context}"
        remedy = "Check quotes, colons and indentation on this line"
        raise BadMenus([Fault(line, column, what, remedy)], name) from None
    except yaml.YAMLError as error:
        what = f"not YAML: {str(error).splitlines()[0]}"
        raise BadMenus([Fault(1, 1, what, "Save it as UTF-8 text")], name) from None
    return root, faults


class _Composer:
    """Makes nodes of libyaml's events, one pass over the file.

    yaml.compose would work out tags that nobody asks for, overflow libyaml's stack on
    a file nested too deep, and take three times as long.
    """

    def __init__(self, source: str, faults: list[Fault], name: str) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(source, Loader=yaml.CSafeLoader)
        self._faults = faults
        self._name = name
        self._values = 0
        # None while the value that bears the anchor is still being made.
        self._anchors: dict[str, Node | None] = {}

    def root(self) -> Node:
        """The one document of the file; raises BadMenus and yaml.YAMLError."""
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise self._refused(event, "not YAML: a second document begins")
                root = self._node(next(self._events), 0)
        if root is None:
            what = "the file is empty"
            raise BadMenus([Fault(1, 1, what, "Write the menus")], self._name)
        return root

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._followed(event, depth)
        assert isinstance(event, yaml.NodeEvent)
        made, anchor = self._made(event), event.anchor
        if anchor is not None:
            if anchor in self._anchors:
                raise self._refused(event, f"not YAML: there are two anchors {anchor}")
            self._anchors[anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            made.text = event.value
        elif depth >= DEPTH_MAX:
            what = f"values within values, more than {DEPTH_MAX} deep"
            raise self._refused(event, what, "Close the brackets above")
        elif isinstance(event, yaml.SequenceStartEvent):
            made.parts = []
            while not isinstance(part := next(self._events), yaml.SequenceEndEvent):
                made.parts.append(self._node(part, depth + 1))
        else:
            made.items = self._items(depth)
        if anchor is not None:
            self._anchors[anchor] = made
        return made

    def _items(self, depth: int) -> dict[str, Node]:
        items: dict[str, Node] = {}
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            named = self._node(key, depth + 1)
            text = named.string("a name")
            if text in items:
                named.fault(f"{text!r} stands here twice", "Take one of them out")
            value = self._node(next(self._events), depth + 1)
            value.named, value.named_column = named.line, named.column
            items[text] = value
        return items

    def _followed(self, event: yaml.AliasEvent, depth: int) -> Node:
        """The value that an alias stands for, of its own for this place."""
        if event.anchor not in self._anchors:
            raise self._refused(event, f"not YAML: there is no anchor {event.anchor}")
        meant = self._anchors[event.anchor]
        if meant is None:
            raise self._endless(*_place(event))
        return self._copied(meant, depth)

    def _copied(self, node: Node, depth: int) -> Node:
        if depth > DEPTH_MAX:
            raise self._endless(node.line, node.column)
        self._count(node.line, node.column)
        made = replace(node)
        if node.items is not None:
            made.items = {
                key: self._copied(value, depth + 1) for key, value in node.items.items()
            }
        if node.parts is not None:
            made.parts = [self._copied(part, depth + 1) for part in node.parts]
        return made

    def _made(self, event: yaml.Event) -> Node:
        line, column = _place(event)
        self._count(line, column)
        return Node(line, column, self._faults)

    def _count(self, line: int, column: int) -> None:
        self._values += 1
        if self._values > VALUES_MAX:
            raise self._endless(line, column)

    def _endless(self, line: int, column: int) -> BadMenus:
        what = "the file unfolds without end"
        remedy = "Take out the alias that contains itself"
        return BadMenus([Fault(line, column, what, remedy)], self._name)

    def _refused(
        self,
        event: yaml.Event,
        what: str,
        remedy: str = "Check quotes, colons and indentation on this line",
    ) -> BadMenus:
        return BadMenus([Fault(*_place(event), what, remedy)], self._name)


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    assert mark is not None  # libyaml marks every event
    return mark.line + 1, mark.column + 1
