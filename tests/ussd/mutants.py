"""Slips of the pen in a menu file, made at random from a seed.

A mutant is one small change of the text: a target, a text, a key, a slot or a
condition. Each says what was done to it, so that survivors can be told apart.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml

_TARGET = re.compile(r"\b(?:to|then|empty|same): ([a-z][a-z.]*)")
_TEXT = re.compile(r'\b(?:fa|en): "([^"]{4,})"')
_KEY = re.compile(r'key: "(\d+)"')
_SLOT = re.compile(r"\{([a-z_0-9]+)((?:\|[a-z]+(?:\('[a-z]+'\))?)*)\}")
_WHEN = re.compile(r"when: ([^,\n}]+|\"[^\"]+\")")
_SCREEN = re.compile(r"^  ([a-z][a-z.]*):$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed file: the kind of change, what it was and what it became."""

    kind: str
    was: str
    now: str
    line: int
    source: str

    def __str__(self) -> str:
        return f"{self.kind}, line {self.line}: {self.was!r} -> {self.now!r}"


def mutants(source: str, count: int, seed: int) -> Iterator[Mutant]:
    """`count` different files, each a change of `source` that is still YAML."""
    chance = random.Random(seed)
    made: set[str] = set()
    changes = list(_CHANGES.items())
    while len(made) < count:
        kind, (pattern, change) = chance.choice(changes)
        found = chance.choice([*pattern.finditer(source)])
        was = found[1] if pattern is not _SLOT else found[0]
        start = found.start(1) if pattern is not _SLOT else found.start()
        now = change(was, source, chance)
        changed = source[:start] + now + source[start + len(was) :]
        if now == was or changed in made or not _is_yaml(changed):
            continue
        made.add(changed)
        line = source.count("\n", 0, start) + 1
        yield Mutant(kind, was, now, line, changed)


def _is_yaml(source: str) -> bool:
    try:
        yaml.load(source, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return False
    return True


def _other_screen(was: str, source: str, chance: random.Random) -> str:
    return chance.choice([*_SCREEN.findall(source), "back", "home", "return"])


def _misspelt(was: str, source: str, chance: random.Random) -> str:
    at = chance.randrange(len(was))
    return was[:at] + was[at + 1 :]


def _letter(was: str, source: str, chance: random.Random) -> str:
    """A letter dropped, doubled, or typed on an Arabic keyboard."""
    at = chance.randrange(len(was))
    arabic = {"ی": "ي", "ک": "ك"}
    if chance.random() < 0.5 and was[at] in arabic:
        return was[:at] + arabic[was[at]] + was[at + 1 :]
    return was[:at] + chance.choice(["", was[at] * 2]) + was[at + 1 :]


def _longer(was: str, source: str, chance: random.Random) -> str:
    """The same words again, as after a slip with the mouse."""
    return f"{was} {was}"


def _emptied(was: str, source: str, chance: random.Random) -> str:
    return chance.choice([" ", "5 " + was, was.replace(" ", "-"), was + " *780*1#"])


def _other_key(was: str, source: str, chance: random.Random) -> str:
    return chance.choice([*"0123456789", "11", "12", "00"])


def _other_slot(was: str, source: str, chance: random.Random) -> str:
    others = [found[0] for found in _SLOT.finditer(source)]
    return chance.choice(others)


def _other_name(was: str, source: str, chance: random.Random) -> str:
    found = _SLOT.fullmatch(was)
    assert found is not None
    others = sorted({other[1] for other in _SLOT.finditer(source)})
    return f"{{{chance.choice(others)}{found[2]}}}"


def _no_filter(was: str, source: str, chance: random.Random) -> str:
    found = _SLOT.fullmatch(was)
    assert found is not None
    name = found[1]
    return chance.choice([f"{{{name}}}", f"{{{name}|toman}}", f"{{{name[:-1]}}}"])


def _turned(was: str, source: str, chance: random.Random) -> str:
    """A condition the other way round."""
    swaps = [("==", "!="), ("!=", "=="), (" or ", " and "), (" and ", " or ")]
    found = [(old, new) for old, new in swaps if old in was]
    if not found:
        return was.removeprefix("not ") if was.startswith("not ") else f"not {was}"
    old, new = chance.choice(found)
    return was.replace(old, new, 1)


def _other_value(was: str, source: str, chance: random.Random) -> str:
    """A value in quotes that lost a letter, or a name that did."""
    values = re.findall(r"'([^']+)'", was)
    words = values or re.findall(r"[a-z_]{3,}", was)
    word = chance.choice(words)
    return was.replace(word, _misspelt(word, source, chance), 1)


Change = Callable[[str, str, random.Random], str]

_CHANGES: dict[str, tuple[re.Pattern[str], Change]] = {
    "another target": (_TARGET, _other_screen),
    "a misspelt target": (_TARGET, _misspelt),
    "a letter": (_TEXT, _letter),
    "a text twice": (_TEXT, _longer),
    "a text that reads wrong": (_TEXT, _emptied),
    "another key": (_KEY, _other_key),
    "another slot": (_SLOT, _other_slot),
    "another name in a slot": (_SLOT, _other_name),
    "another filter": (_SLOT, _no_filter),
    "a condition turned": (_WHEN, _turned),
    "another value in a condition": (_WHEN, _other_value),
}

KINDS = tuple(_CHANGES)
