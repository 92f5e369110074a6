"""A menu file of many screens: the shipped one many times over, under a tree of keys.

The copies keep whatever a screen of the shipped file does, its questions, lists,
conditions, confirms and texts; only the names of their screens are new. One code is
dialled for the tree, and every copy hangs on one of its keys.
"""

from __future__ import annotations

from collections.abc import Mapping

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

__all__ = ["many_screens"]

# What names a screen, and what has names of screens for its values.
NAMING = ("to", "then", "via", "same", "empty")
NAMING_BY_OUTCOME = ("refused", "otherwise")
# It asks for a whole dial code, so only a dial code leads to it.
ONCE = ("door",)
START = "root"
KEYS = "12345678"
CODE = "*780*5589#"
TREE = """\
text: {fa: "کدام بخش؟", en: "Which part?"}
choices:
  - {key: "0", to: bye}
"""


def many_screens(source: str, screens_min: int) -> str:
    """A menu file (YAML) made of `source`, of at least so many screens."""
    file = _node(source)
    screens = _under(file, "screens").value
    copied = [(k.value, it) for k, it in screens if k.value not in ONCE]
    roots: list[str] = []
    while len(screens) + len(roots) // len(KEYS) < screens_min:
        number = len(roots) + 1
        names = {name: _numbered(name, number) for name, _ in copied}
        for name, screen in copied:
            screens.append((_scalar(names[name]), _renamed(screen, names)))
        roots.append(names[START])
    level = 0
    while len(roots) > 1:
        level += 1
        roots = _joined(roots, screens, level)
    _under(file, "dialled").value.append((_scalar(CODE), _scalar(roots[0])))
    # Nodes and not values: `no` stays a word, and what was in quotes stays there.
    written: str = yaml.serialize(file, allow_unicode=True, width=1_000)
    return written


def _numbered(name: str, number: int) -> str:
    flow, dot, rest = name.partition(".")
    return f"{flow}{number}{dot}{rest}"


def _renamed(held: Node, names: Mapping[str, str], key: str = "") -> Node:
    """A copy of a screen, or of what it holds, that leads to the screens' new names."""
    if isinstance(held, MappingNode):
        inner = "to" if key in NAMING_BY_OUTCOME else ""
        pairs = [
            (_renamed(k, {}), _renamed(value, names, inner or k.value))
            for k, value in held.value
        ]
        return MappingNode(held.tag, pairs, flow_style=held.flow_style)
    if isinstance(held, SequenceNode):
        copies = [_renamed(one, names) for one in held.value]
        return SequenceNode(held.tag, copies, flow_style=held.flow_style)
    assert isinstance(held, ScalarNode)
    value = names.get(held.value, held.value) if key in NAMING else held.value
    return ScalarNode(held.tag, value, style=held.style)


def _joined(
    names: list[str], screens: list[tuple[Node, Node]], level: int
) -> list[str]:
    """Put screens of keys over so many screens; return the names of the new ones."""
    made: list[str] = []
    for first in range(0, len(names), len(KEYS)):
        tree = _node(TREE)
        below = names[first : first + len(KEYS)]
        _under(tree, "choices").value[:0] = [
            _node(f'{{key: "{key}", label: {{fa: "بخش", en: "Part"}}, to: {to}}}')
            for key, to in zip(KEYS, below, strict=False)
        ]
        made.append(f"tree{level}-{len(made) + 1}")
        screens.append((_scalar(made[-1]), tree))
    return made


def _node(source: str) -> MappingNode:
    node = yaml.compose(source, Loader=yaml.SafeLoader)
    assert isinstance(node, MappingNode)
    return node


def _under(held: MappingNode, key: str) -> MappingNode | SequenceNode:
    found: MappingNode | SequenceNode = {k.value: v for k, v in held.value}[key]
    return found


def _scalar(value: str) -> ScalarNode:
    return ScalarNode("tag:yaml.org,2002:str", value, style='"')
