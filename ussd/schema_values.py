"""The kinds of value in a menu file, as JSON Schema: a word, a number, a screen.

Scalars may be quoted or not, as `ussd.nodes` reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = [
    "SCALAR",
    "Schema",
    "answers",
    "condition",
    "flag",
    "listed",
    "mapping",
    "named",
    "one_of",
    "ref",
    "said",
    "target",
    "whole",
    "word",
]

Schema = dict[str, Any]

SCALAR: Schema = {"type": ["string", "number", "boolean"]}


def said(description: str) -> Schema:
    return {"description": description} if description else {}


def ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def word(description: str) -> Schema:
    return {**said(description), **SCALAR}


def target(description: str = "A screen, or back, home, return.") -> Schema:
    return {**said(description), "type": "string"}


def condition() -> Schema:
    what = said("Holds or not, as campaign_state == 'open'.")
    return {**what, "type": ["string", "boolean"]}


def flag(description: str) -> Schema:
    return {**said(description), "enum": [True, False, "true", "false"]}


def whole(description: str, least: int = 0, most: int | None = None) -> Schema:
    number: Schema = {"type": "integer", "minimum": least}
    if most is not None:
        number["maximum"] = most
    digits = {"type": "string", "pattern": "^[0-9_]{1,24}$"}
    return {**said(description), "anyOf": [number, digits]}


def one_of(words: Iterable[str], description: str) -> Schema:
    return {**said(description), "enum": [str(word) for word in words]}


def answers(description: str) -> Schema:
    return named(description, SCALAR)


def named(description: str, value: Schema) -> Schema:
    return {**said(description), "type": "object", "additionalProperties": value}


def listed(description: str, item: Schema) -> Schema:
    return {**said(description), "type": "array", "items": item}


def mapping(
    description: str, words: Mapping[str, Schema], needs: Iterable[str] = ()
) -> Schema:
    made = {
        **said(description),
        "type": "object",
        "properties": dict(words),
        "additionalProperties": False,
    }
    return {**made, "required": list(needs)} if needs else made
