"""The small things a menu file is made of: words, texts, conditions, codes."""

from __future__ import annotations

from collections.abc import Mapping

from phone.dialcode import NotADialCode, normalise
from ussd.nodes import Node
from ussd.templates import BadTemplate, Condition, Template

__all__ = ["GSM7", "Pieces", "flag", "string", "strings", "whole"]

# What stands behind a language's name where a text has a short form beside it.
GSM7 = "-gsm7"


class Pieces:
    """Reads them in the languages and the time zone of one file.

    A piece that is wrong is a fault of its node, and comes back empty.
    """

    def __init__(self, languages: tuple[str, ...], time_zone: str) -> None:
        self.languages = languages
        self.time_zone = time_zone
        self._forms = tuple(f"{language}{GSM7}" for language in languages)
        # The languages that some text has a GSM-7 form for.
        self.shortened: set[str] = set()

    def texts(self, node: Node) -> dict[str, Template]:
        """A text in every language, with the GSM-7 forms it has.

        A language that is missing is a fault.
        """
        return {key: self.template(value) for key, value in self._said(node)}

    def words(self, node: Node | None) -> dict[str, str]:
        """Plain words in every language, without slots."""
        if node is None:
            return {}
        return {key: value.string("a text") for key, value in self._said(node)}

    def _said(self, node: Node) -> list[tuple[str, Node]]:
        entries = node.mapping("a text", needs=self.languages, takes=self._forms)
        for form in self._forms:
            if form in entries:
                self.shortened.add(form.removesuffix(GSM7))
        return list(entries.items())

    def template(self, node: Node) -> Template:
        try:
            return Template(node.string("a text").rstrip("\n"))
        except BadTemplate as fault:
            node.fault(str(fault), "Use names, filters and comparisons only")
            return Template("")

    def condition(self, node: Node | None) -> Condition:
        if node is None:
            return Condition("")
        try:
            return Condition(node.string("a condition"))
        except BadTemplate as fault:
            node.fault(str(fault), "Use names, filters and comparisons only")
            return Condition("")

    def dial_code(self, node: Node | None, text: str | None = None) -> str:
        if node is None:
            return ""
        try:
            return normalise(node.string("a dial code") if text is None else text)
        except NotADialCode:
            node.fault("not a dial code", "Write it in dial order, as *780*5588*1#")
            return ""


def string(entry: Mapping[str, Node], key: str) -> str:
    return entry[key].string(key) if key in entry else ""


def strings(entry: Mapping[str, Node], key: str) -> dict[str, str]:
    if key not in entry:
        return {}
    return {name: value.string(key) for name, value in entry[key].mapping(key).items()}


def whole(entry: Mapping[str, Node], key: str, default: int = 0) -> int:
    return entry[key].whole(key) if key in entry else default


def flag(entry: Mapping[str, Node], key: str) -> bool:
    return entry[key].flag(key) if key in entry else False
