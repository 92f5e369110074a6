"""Stories as YAML files, read with every fault and its line, and written.

docs/write-menus.md teaches the form. Scalars are texts here: a key that is typed is
never a number by accident.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from phone.dates import NotADay, read_day
from phone.encoding import Limits
from ussd.faults import BadMenus, Fault
from ussd.menus import EFFECTS
from ussd.nodes import Node, parse
from ussd.templates import BadTemplate, Template
from ussd.transcripts.stories import OWN, BadStory, Channel, Story, Turn

__all__ = ["as_yaml", "read"]

STORIES_MAX = 1_000
TURNS_MAX = 100
VARIABLES_MAX = 50
NAME_CHARS_MAX = 80

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,39}", re.ASCII)


def read(path: Path) -> list[Story]:
    """The stories of one file; raises BadStory with every fault and its line."""
    try:
        source = path.read_text(encoding="utf-8")
    except OSError as failure:
        raise BadStory(f"{path}: {failure.strerror}") from None
    except UnicodeDecodeError:
        raise BadStory(f"{path}: not UTF-8 text; save it as UTF-8") from None
    try:
        root, faults = parse(source, str(path))
        parts = root.sequence("a transcript")
        if len(parts) > STORIES_MAX:
            root.fault(f"more than {STORIES_MAX} stories", "Write a second file")
        stories = [_read(part, faults) for part in parts[:STORIES_MAX]]
    except BadMenus as refused:
        raise BadStory(str(refused)) from None
    if faults:
        raise BadStory(str(BadMenus(faults, str(path))))
    return stories


def as_yaml(stories: Sequence[Story]) -> str:
    """Stories as a file that `read` takes."""
    return yaml.dump(
        [_as_mapping(story) for story in stories],
        Dumper=_Dumper,
        allow_unicode=True,
        sort_keys=False,
        width=1000,
    )


def _as_mapping(story: Story) -> dict[str, Any]:
    written: dict[str, Any] = {"story": story.name, "dial": story.dial}
    written["language"] = story.language
    if story.variables:
        written["variables"] = dict(story.variables)
    if story.channel is not None:
        limits = story.channel.limits
        written["channel"] = {
            "ucs2_units": limits.ucs2_units,
            "gsm7_septets": limits.gsm7_septets,
            **({"gsm7_only": True} if story.channel.gsm7_only else {}),
        }
    if story.at is not None:
        written["at"] = story.at.isoformat()
    written["turns"] = [_turn_as_mapping(turn) for turn in story.turns]
    if story.effects is not None:
        written["effects"] = [
            {"do": name, "answers": dict(answers)} for name, answers in story.effects
        ]
    if story.texts is not None:
        written["texts"] = list(story.texts)
    return written


def _turn_as_mapping(turn: Turn) -> dict[str, str]:
    written = {} if turn.types is None else {"types": turn.types}
    if turn.screen:
        written["screen"] = turn.screen
    if turn.reads is not None:
        written["ends" if turn.ends else "hears"] = turn.reads
    return written


class _Dumper(yaml.SafeDumper):
    """Writes a screen as the lines it has."""


def _lines(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _lines)


def _read(node: Node, faults: list[Fault]) -> Story:
    """One story; its faults, which `node` adds to `faults`, begin with its name."""
    before = len(faults)
    story = _Reader(node).story()
    name = " ".join(story.name.split())[:NAME_CHARS_MAX] or "a story without a name"
    faults[before:] = [
        replace(fault, what=f"{name}: {fault.what}") for fault in faults[before:]
    ]
    return story


class _Reader:
    """Reads one story; a fault is named at its node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._entry = node.mapping(
            "a story",
            needs=("story", "dial", "language", "turns"),
            takes=("variables", "channel", "at", "effects", "texts"),
        )
        self._names: frozenset[str] = frozenset()

    def story(self) -> Story:
        variables = self._variables()
        self._names = frozenset(variables)
        turns = self._parts("turns", "turns")
        if "turns" in self._entry and not turns:
            self._entry["turns"].fault("a story has no turn", "Write what is read")
        if len(turns) > TURNS_MAX:
            self._entry["turns"].fault(f"more than {TURNS_MAX} turns", "Split it")
        return Story(
            name=self._said("story", plain=True),
            dial=self._said("dial"),
            language=self._said("language", plain=True),
            turns=tuple(self._turn(turn, n) for n, turn in enumerate(turns)),
            effects=(
                tuple(self._effect(part) for part in self._parts("effects", "effects"))
                if "effects" in self._entry
                else None
            ),
            texts=(
                tuple(self._checked(part, "a text") for part in self._parts("texts"))
                if "texts" in self._entry
                else None
            ),
            variables=variables,
            channel=self._channel(),
            at=self._day(),
            line=self._node.line,
        )

    def _parts(self, name: str, what: str = "") -> list[Node]:
        node = self._entry.get(name)
        return [] if node is None else node.sequence(what or name)

    def _said(self, name: str, *, plain: bool = False) -> str:
        node = self._entry.get(name)
        if node is None:
            return ""
        return node.string(name) if plain else self._checked(node, name)

    def _checked(self, node: Node, what: str) -> str:
        """A text whose names in braces are variables of this story.

        Without variables there is nothing to fill in, and a brace is a brace.
        """
        text = node.string(what)
        if self._names:
            try:
                unknown = Template(text).names - self._names - OWN
            except BadTemplate as fault:
                node.fault(str(fault), "Write a variable as `{name}`")
                return ""
            for name in sorted(unknown):
                remedy = f"Use one of: {', '.join(sorted(self._names))}"
                node.fault(f"{name!r} is no variable of this story", remedy)
        return text

    def _variables(self) -> dict[str, str]:
        node = self._entry.get("variables")
        entries = {} if node is None else node.mapping("variables")
        if node is not None and len(entries) > VARIABLES_MAX:
            node.fault(f"more than {VARIABLES_MAX} variables", "Take some out")
        for name, value in entries.items():
            if not _NAME.fullmatch(name) or name in OWN:
                remedy = (
                    f"Use small letters and _, and none of: {', '.join(sorted(OWN))}"
                )
                value.fault(f"{name!r} is no name for a variable", remedy)
        return {name: value.string(name) for name, value in entries.items()}

    def _turn(self, node: Node, number: int) -> Turn:
        entry = node.mapping("a turn", takes=("types", "hears", "ends", "screen"))
        if not {"hears", "ends", "screen"} & set(entry):
            node.fault("a turn lacks what is read", "Add `hears:`, or `ends:`")
        if {"hears", "ends"} <= set(entry):
            node.fault("a turn both goes on and ends", "Write `hears:` or `ends:`")
        if number and "types" not in entry:
            node.fault("a turn lacks what is typed", "Add `types:` to it")
        said = entry.get("ends", entry.get("hears"))
        return Turn(
            types=self._checked(entry["types"], "types") if "types" in entry else None,
            reads=None if said is None else self._checked(said, "what is read"),
            ends="ends" in entry,
            screen=entry["screen"].string("screen") if "screen" in entry else "",
            line=node.line,
        )

    def _effect(self, node: Node) -> tuple[str, Mapping[str, str]]:
        entry = node.mapping("an effect", needs=("do",), takes=("answers",))
        name = entry["do"].string("do") if "do" in entry else ""
        if name and name not in EFFECTS:
            entry["do"].fault(f"nothing does {name!r}", f"Use {', '.join(EFFECTS)}")
        answers = entry["answers"].mapping("answers") if "answers" in entry else {}
        return name, {key: self._checked(part, key) for key, part in answers.items()}

    def _channel(self) -> Channel | None:
        node = self._entry.get("channel")
        if node is None:
            return None
        names = ("ucs2_units", "gsm7_septets")
        entry = node.mapping("channel", takes=(*names, "gsm7_only"))
        given = {name: entry[name].whole(name) for name in names if name in entry}
        only = entry["gsm7_only"].flag("gsm7_only") if "gsm7_only" in entry else False
        try:
            return Channel(Limits(**given), only)
        except ValueError as fault:
            node.fault(str(fault), "Write what the carrier's screen holds")
            return None

    def _day(self) -> date | None:
        node = self._entry.get("at")
        if node is None:
            return None
        try:
            return read_day(node.string("at"))
        except NotADay as fault:
            node.fault(str(fault), "Write a day of either calendar, as 1405/09/01")
            return None
