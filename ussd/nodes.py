"""A YAML file as values that remember where they stood.

Scalars stay text: `1` and `1405/09/01` are what the operator typed, so a key to
press is never a number by accident. Aliases are followed, within a limit on the
number of values, so a file that unfolds for ever is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml

from ussd.faults import BadMenus, Fault

__all__ = ["Node", "parse"]

SOURCE_CHARS_MAX = 4_000_000
VALUES_MAX = 400_000
DEPTH_MAX = 20


@dataclass(slots=True)
class Node:
    """A scalar (`text`), a mapping (`items`) or a sequence (`parts`)."""

    line: int
    column: int
    faults: list[Fault]
    # The line of the name it stands under; its own where it has none.
    named: int = 0
    text: str | None = None
    items: dict[str, Node] | None = None
    parts: list[Node] | None = None

    def fault(self, what: str, remedy: str) -> None:
        self.faults.append(Fault(self.line, self.column, what, remedy))

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
                    node.fault(f"{what} has no {key!r}", f"Use one of: {known}")
            for key in needs:
                if key not in self.items:
                    self.fault(f"{what} lacks {key!r}", f"Add `{key}:` to it")
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
        _bounded(source, name)
        root = yaml.compose(source, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = f"not YAML: {error.problem or error.context}"
        remedy = "Check quotes, colons and indentation on this line"
        raise BadMenus([Fault(line, column, what, remedy)], name) from None
    except yaml.YAMLError as error:
        what = f"not YAML: {str(error).splitlines()[0]}"
        raise BadMenus([Fault(1, 1, what, "Save it as UTF-8 text")], name) from None
    if root is None:
        raise BadMenus([Fault(1, 1, "the file is empty", "Write the menus")], name)
    counted = iter(range(VALUES_MAX))
    return _node(root, faults, counted, 0, _too_much(name)), faults


def _bounded(source: str, name: str) -> None:
    """Refuse a file nested so deep that composing it would overflow libyaml's stack."""
    depth = 0
    for event in yaml.parse(source, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH_MAX:
            mark = event.start_mark
            place = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
            what = f"values within values, more than {DEPTH_MAX} deep"
            raise BadMenus([Fault(*place, what, "Close the brackets above")], name)


def _too_much(name: str) -> Callable[[yaml.Node], BadMenus]:
    def error(node: yaml.Node) -> BadMenus:
        what = "the file unfolds without end"
        remedy = "Take out the alias that contains itself"
        place = (node.start_mark.line + 1, node.start_mark.column + 1)
        return BadMenus([Fault(*place, what, remedy)], name)

    return error


def _node(
    node: yaml.Node,
    faults: list[Fault],
    counted: Iterator[int],
    depth: int,
    too_much: Callable[[yaml.Node], BadMenus],
) -> Node:
    if depth > DEPTH_MAX or next(counted, None) is None:
        raise too_much(node)
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    made = Node(line, column, faults, named=line)
    if isinstance(node, yaml.ScalarNode):
        made.text = node.value
    elif isinstance(node, yaml.SequenceNode):
        made.parts = [
            _node(part, faults, counted, depth + 1, too_much) for part in node.value
        ]
    elif isinstance(node, yaml.MappingNode):
        made.items = {}
        for key, value in node.value:
            named = _node(key, faults, counted, depth + 1, too_much)
            text = named.string("a name")
            if text in made.items:
                named.fault(f"{text!r} stands here twice", "Take one of them out")
            made.items[text] = _node(value, faults, counted, depth + 1, too_much)
            made.items[text].named = named.line
    return made
