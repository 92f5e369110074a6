"""The expression language of texts and conditions: Jinja2's sandbox, and less.

A text holds slots in single braces, `{amount|toman}`; a condition is one bare
expression, `campaign_state == 'open'`. Names, constants, comparisons, `and`, `or`,
`not`, `a if b else c`, `~` and the filters below are all there is: no attribute, no
index, no call, no statement. What is refused here is refused when the menus are
read, before anyone dials.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import pass_context

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
    """A text with slots. `names` are the slots it cannot do without."""

    __slots__ = ("_render", "names", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self._render: Callable[[Slots], str] | None = None
        self.names: frozenset[str] = frozenset()
        if "{" in source or "}" in source:
            self.names = _names(source)
            self._render = _compiled(source, _ENVIRONMENT.from_string).render

    def render(self, slots: Slots) -> str:
        """The text with these slots; raises Unrendered."""
        if self._render is None:
            return self.source
        return _worked_out(self.source, self._render, slots)


class Condition:
    """A yes or a no. An empty condition is always true."""

    __slots__ = ("_evaluate", "names", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self._evaluate: Callable[[Slots], bool] | None = None
        self.names: frozenset[str] = frozenset()
        if source:
            self.names = _names("{" + source + "}")
            self._evaluate = _compiled(source, _expression)

    def holds(self, slots: Slots) -> bool:
        """Whether it is so with these slots; raises Unrendered."""
        if self._evaluate is None:
            return True
        return _worked_out(self.source, self._evaluate, slots)


T = TypeVar("T")


def _compiled(source: str, compile: Callable[[str], T]) -> T:
    try:
        return compile(source)
    except TemplateSyntaxError as fault:
        raise BadTemplate(f"{fault.message} in {source!r}") from None


def _worked_out(source: str, work: Callable[[Slots], T], slots: Slots) -> T:
    try:
        return work(slots)
    except UndefinedError as fault:
        raise Unrendered(f"{source!r}: {fault.message}") from None
    except (LookupError, TypeError, ValueError) as fault:
        raise Unrendered(f"{source!r}: {fault}") from None


def _expression(source: str) -> Callable[[Slots], bool]:
    evaluate = _ENVIRONMENT.compile_expression(source, undefined_to_none=False)
    return lambda slots: bool(evaluate(slots))


def _names(source: str) -> frozenset[str]:
    """Names used in `source`; raises BadTemplate for anything beyond the language."""
    if len(source) > EXPRESSION_CHARS_MAX:
        raise BadTemplate(f"longer than {EXPRESSION_CHARS_MAX} characters")
    for mark in _FOREIGN:
        if mark in source:
            raise BadTemplate(f"{mark} is not allowed in {source!r}")
    try:
        tree = _ENVIRONMENT.parse(source)
    except TemplateSyntaxError as fault:
        raise BadTemplate(f"{fault.message} in {source!r}") from None
    names = set()
    for node in [tree, *tree.find_all(nodes.Node)]:
        if not isinstance(node, _ALLOWED):
            what = type(node).__name__.lower()
            raise BadTemplate(f"{what} is not allowed in {source!r}")
        if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            known = ", ".join(sorted(_FILTERS))
            raise BadTemplate(f"no filter {node.name!r} (known: {known})")
        if isinstance(node, nodes.Name):
            names.add(node.name)
    return frozenset(names)


@pass_context
def _toman(context: Context, rial: str | int) -> str:
    """Rial as whole toman, grouped in the caller's digits."""
    return figures.toman(int(rial), context["language"])


@pass_context
def _figure(context: Context, number: str | int) -> str:
    """A whole number, grouped in the caller's digits."""
    return figures.grouped(int(number), context["language"])


@pass_context
def _title(context: Context, value: str, of: str) -> str:
    """What a list calls one of its values: `{purpose|title('purposes')}`."""
    titles: Mapping[str, Mapping[str, str]] = context["titles"]
    return titles[of].get(value, value)


@pass_context
def _dialled(context: Context, code: str) -> str:
    """A dial code that stays in order among right-to-left letters."""
    return wrapped(code) if context["language"] == "fa" else code


_FILTERS: dict[str, Callable[..., Any]] = {
    "dialled": _dialled,
    "figure": _figure,
    "fold": digits.fold,
    "title": _title,
    "toman": _toman,
}

_ENVIRONMENT = ImmutableSandboxedEnvironment(
    variable_start_string="{",
    variable_end_string="}",
    block_start_string="{%",
    comment_start_string="{#",
    undefined=StrictUndefined,
    autoescape=False,
    keep_trailing_newline=True,
)
_ENVIRONMENT.filters.clear()
_ENVIRONMENT.filters.update(_FILTERS)
_ENVIRONMENT.globals.clear()
