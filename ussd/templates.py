"""The expression language of texts and conditions: a part of Jinja2's, and no more.

A text holds slots in single braces, `{amount|toman}`; a condition is one bare
expression, `campaign_state == 'open'`. Names, constants, comparisons, `and`, `or`,
`not`, `a if b else c`, `~` and the filters below are all there is: no attribute, no
index, no call, no statement. Jinja2 reads it, with the grammar that people know; what
it read is worked out here, node by node, so there is no code that could be made to run
and a slot costs a look-up. What is refused is refused when the menus are read.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes

from phone import digits, figures
from phone.dialcode import wrapped

__all__ = ["BadTemplate", "Condition", "Slots", "Template", "Unrendered"]

Slots = Mapping[str, Any]

EXPRESSION_CHARS_MAX = 400

# Jinja's statements, comments and the marks that take the spaces beside a slot.
_FOREIGN = ("{%", "{#", "{-", "-}", "{+", "+}")

_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.CondExpr,
    nodes.Concat,
    nodes.Filter,
)


class BadTemplate(ValueError):
    """A text or a condition that is not in the language; says what to change."""


class Unrendered(LookupError):
    """A text or a condition that cannot be worked out with the slots it was given."""


class Template:
    """A text with slots. `names` are the slots it cannot do without.

    `compares` are the names it compares with a constant, each with that constant;
    `weighs` are those whose value it uses in any other way.
    """

    __slots__ = ("_is_plain", "_pieces", "compares", "names", "source", "weighs")

    def __init__(self, source: str) -> None:
        self.source = source
        self._is_plain = "{" not in source and "}" not in source
        self._pieces: tuple[str | Work, ...] = (source,)
        self.names: frozenset[str] = frozenset()
        self.compares: frozenset[tuple[str, Any]] = frozenset()
        self.weighs: frozenset[str] = frozenset()
        if not self._is_plain:
            tree = _parsed(source)
            self.names, self.compares = _names(tree), _compares(tree)
            self.weighs = _weighs(tree)
            self._pieces = tuple(
                piece.data if isinstance(piece, nodes.TemplateData) else _work(piece)
                for output in tree.find_all(nodes.Output)
                for piece in output.nodes
            )

    def render(self, slots: Slots) -> str:
        """The text with these slots; raises Unrendered."""
        if self._is_plain:
            return self.source
        try:
            return "".join(
                piece if isinstance(piece, str) else str(piece(slots))
                for piece in self._pieces
            )
        except _FAILURES as fault:
            raise _unrendered(self.source, fault) from None

    def pieces(self, slots: Slots) -> list[tuple[str, bool]]:
        """The text in its pieces, each with whether it is a slot; raises Unrendered."""
        try:
            return [
                (piece, False) if isinstance(piece, str) else (str(piece(slots)), True)
                for piece in self._pieces
            ]
        except _FAILURES as fault:
            raise _unrendered(self.source, fault) from None


class Condition:
    """A yes or a no. An empty condition is always true.

    `names`, `compares` and `weighs` are those of a text.
    """

    __slots__ = ("_work", "compares", "names", "source", "weighs")

    def __init__(self, source: str) -> None:
        self.source = source
        self._work: Work | None = None
        self.names: frozenset[str] = frozenset()
        self.compares: frozenset[tuple[str, Any]] = frozenset()
        self.weighs: frozenset[str] = frozenset()
        if source:
            tree = _parsed("{" + source + "}")
            self.names, self.compares = _names(tree), _compares(tree)
            self.weighs = _weighs(tree)
            outputs = [piece for o in tree.find_all(nodes.Output) for piece in o.nodes]
            if len(outputs) != 1 or isinstance(outputs[0], nodes.TemplateData):
                raise BadTemplate(f"not one expression: {source!r}")
            self._work = _work(outputs[0])

    def holds(self, slots: Slots) -> bool:
        """Whether it is so with these slots; raises Unrendered."""
        if self._work is None:
            return True
        try:
            return bool(self._work(slots))
        except _FAILURES as fault:
            raise _unrendered(self.source, fault) from None


# An expression, ready to be worked out with slots.
Work = Callable[[Slots], Any]

_FAILURES = (LookupError, OverflowError, TypeError, ValueError)


def _unrendered(source: str, fault: Exception) -> Unrendered:
    if isinstance(fault, KeyError):
        return Unrendered(f"{source!r}: {fault} is undefined")
    return Unrendered(f"{source!r}: {fault}")


def _parsed(source: str) -> nodes.Template:
    """What Jinja2 reads in `source`; raises BadTemplate for what is not allowed."""
    if len(source) > EXPRESSION_CHARS_MAX:
        raise BadTemplate(f"longer than {EXPRESSION_CHARS_MAX} characters")
    for mark in _FOREIGN:
        if mark in source:
            raise BadTemplate(f"{mark} is not allowed in {source!r}")
    try:
        tree = _ENVIRONMENT.parse(source)
    except TemplateSyntaxError as fault:
        raise BadTemplate(f"{fault.message} in {source!r}") from None
    except RecursionError:
        raise BadTemplate(f"brackets within brackets in {source!r}") from None
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED):
            what = type(node).__name__.lower()
            raise BadTemplate(f"{what} is not allowed in {source!r}")
        if isinstance(node, nodes.Filter):
            _check_filter(node, source)
        if isinstance(node, nodes.Operand) and node.op not in _COMPARING:
            raise BadTemplate(f"{node.op} is not allowed in {source!r}")
        if isinstance(node, nodes.CondExpr) and node.expr2 is None:
            raise BadTemplate(f"an if without else in {source!r}")
    return tree


def _check_filter(node: nodes.Filter, source: str) -> None:
    if node.name not in _FILTERS:
        known = ", ".join(sorted(_FILTERS))
        raise BadTemplate(f"no filter {node.name!r} (known: {known})")
    wants = 1 if node.name == "title" else 0
    extra = node.kwargs or node.dyn_args or node.dyn_kwargs
    if extra or len(node.args) != wants or node.node is None:
        raise BadTemplate(f"{node.name} takes {wants or 'no'} words in {source!r}")


def _names(tree: nodes.Template) -> frozenset[str]:
    return frozenset(name.name for name in tree.find_all(nodes.Name))


def _compares(tree: nodes.Template) -> frozenset[tuple[str, Any]]:
    """Each name that is held against a constant, bare on either side."""
    return frozenset(
        (name.name, constant.value)
        for compare in tree.find_all(nodes.Compare)
        for name, constant in _held_against(compare)
    )


def _weighs(tree: nodes.Template) -> frozenset[str]:
    """Each name that stands anywhere else, or beside another name too."""
    held = {
        id(name)
        for compare in tree.find_all(nodes.Compare)
        for name, _ in _held_against(compare)
        if len(compare.ops) == 1
    }
    names = tree.find_all(nodes.Name)
    return frozenset(name.name for name in names if id(name) not in held)


def _held_against(compare: nodes.Compare) -> list[tuple[nodes.Name, nodes.Const]]:
    """Names beside constants, where all that is asked is whether they are equal."""
    sides = [compare.expr, *(operand.expr for operand in compare.ops)]
    if not all(operand.op in ("eq", "ne") for operand in compare.ops):
        return []
    names = [side for side in sides if isinstance(side, nodes.Name)]
    constants = [side for side in sides if isinstance(side, nodes.Const)]
    return [(name, constant) for name in names for constant in constants]


def _work(node: nodes.Node) -> Work:
    """One node of what was read, as a function of the slots."""
    match node:
        case nodes.Const(value=value):
            return lambda slots: value
        case nodes.Name(name=name):
            return lambda slots: slots[name]
        case nodes.Not():
            part = _work(node.node)
            return lambda slots: not part(slots)
        case nodes.And():
            left, right = _work(node.left), _work(node.right)
            return lambda slots: left(slots) and right(slots)
        case nodes.Or():
            left, right = _work(node.left), _work(node.right)
            return lambda slots: left(slots) or right(slots)
        case nodes.CondExpr():
            return _chosen(node)
        case nodes.Concat():
            parts = [_work(part) for part in node.nodes]
            return lambda slots: "".join(str(part(slots)) for part in parts)
        case nodes.Compare():
            return _compared(node)
        case nodes.Filter():
            assert node.node is not None
            deed, value = _FILTERS[node.name], _work(node.node)
            words = [_work(word) for word in node.args]
            return lambda slots: deed(
                slots, value(slots), *(word(slots) for word in words)
            )
    raise AssertionError(f"{type(node).__name__} was let through")


def _chosen(node: nodes.CondExpr) -> Work:
    assert node.expr2 is not None
    test, one, other = _work(node.test), _work(node.expr1), _work(node.expr2)
    return lambda slots: one(slots) if test(slots) else other(slots)


def _compared(node: nodes.Compare) -> Work:
    first = _work(node.expr)
    rest = [(_COMPARING[part.op], _work(part.expr)) for part in node.ops]

    def compare(slots: Slots) -> bool:
        left = first(slots)
        for holds, work in rest:
            right = work(slots)
            if not holds(left, right):
                return False
            left = right
        return True

    return compare


_COMPARING: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
    "in": lambda part, whole: part in whole,
    "notin": lambda part, whole: part not in whole,
}


def _digits(slots: Slots) -> str:
    """The language whose digits are written: a short form in GSM-7 has no Persian ones.

    Who knows of no short forms gives no `figures`.
    """
    language: str = slots["figures"] if "figures" in slots else slots["language"]
    return language


def _toman(slots: Slots, rial: str | int) -> str:
    """Rial as whole toman, grouped in the caller's digits."""
    return figures.toman(int(rial), _digits(slots))


def _figure(slots: Slots, number: str | int) -> str:
    """A whole number, grouped in the caller's digits."""
    return figures.grouped(int(number), _digits(slots))


def _title(slots: Slots, value: str, of: str) -> str:
    """What a list calls one of its values: `{purpose|title('purposes')}`."""
    titles: Mapping[str, Mapping[str, str]] = slots["titles"]
    return titles[of].get(value, value)


def _dialled(slots: Slots, code: str) -> str:
    """A dial code that stays in order among right-to-left letters."""
    return wrapped(code) if _digits(slots) == "fa" else code


def _fold(slots: Slots, text: str | int) -> str:
    """Letters and digits as they are compared."""
    return digits.fold(str(text))


_FILTERS: dict[str, Callable[..., str]] = {
    "dialled": _dialled,
    "figure": _figure,
    "fold": _fold,
    "title": _title,
    "toman": _toman,
}

# Only reads: nothing is ever compiled or run by it.
_ENVIRONMENT = Environment(
    variable_start_string="{",
    variable_end_string="}",
    block_start_string="{%",
    comment_start_string="{#",
    keep_trailing_newline=True,
    autoescape=True,
)
_ENVIRONMENT.filters.clear()
_ENVIRONMENT.filters.update(_FILTERS)
_ENVIRONMENT.globals.clear()
