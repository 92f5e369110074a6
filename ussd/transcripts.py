"""Whole conversations as YAML, played against the menus.

A story says what is dialled, what the caller types and reads at each turn, and what
was done in the end. `{code}` stands for a tracking code wherever one is read. The
session goes through JSON between turns, as it does in production, so a field that
cannot survive the way fails here and not on a caller.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from phone import codes
from phone.encoding import Limits
from ussd.machine import Effect, Need, Session, Step, begin, step
from ussd.menus import EFFECTS, Menus

__all__ = [
    "BadStory",
    "Mismatch",
    "Story",
    "Turn",
    "as_yaml",
    "completed",
    "play",
    "read",
    "veiled",
]

ROUNDS_MAX = 20
# A code with a right check digit, for whatever a story has recorded.
CODE = "10000000" + codes.damm("10000000")
_CODES = re.compile(r"(?<![0-9])[1-9][0-9]{8}(?![0-9])")


class BadStory(ValueError):
    """A transcript that is not one; says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What the caller types (None at the dial itself) and reads then."""

    types: str | None
    reads: str
    ends: bool


@dataclass(frozen=True, slots=True)
class Story:
    name: str
    dial: str
    language: str
    turns: tuple[Turn, ...]
    # (effect, answers it must have been done with), in order; None asks for none.
    effects: tuple[tuple[str, Mapping[str, str]], ...] | None


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A turn (from 1) that went otherwise, or the effects (turn 0)."""

    turn: int
    expected: str
    found: str


def read(path: Path) -> list[Story]:
    """The stories of one file; raises BadStory."""
    try:
        stories = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadStory(f"{path}: {str(error).splitlines()[0]}") from None
    if not isinstance(stories, list):
        raise BadStory(f"{path}: a transcript is a list of stories")
    try:
        return [_story(story) for story in stories]
    except (KeyError, TypeError, AttributeError) as error:
        raise BadStory(f"{path}: a story lacks or misspells {error}") from None


def _story(given: Mapping[str, Any]) -> Story:
    turns = [
        Turn(
            str(turn["types"]) if "types" in turn else None,
            str(turn["ends"] if "ends" in turn else turn["hears"]),
            "ends" in turn,
        )
        for turn in given["turns"]
    ]
    effects = [
        (str(done["do"]), {str(k): str(v) for k, v in done.get("answers", {}).items()})
        for done in given.get("effects") or []
    ]
    return Story(
        str(given["story"]),
        str(given["dial"]),
        str(given["language"]),
        tuple(turns),
        tuple(effects) if "effects" in given else None,
    )


def play(
    menus: Menus, story: Story, *, limits: Limits, now: datetime
) -> list[Mismatch]:
    """Play one story; an empty list says that all went as it tells."""
    world = _World(menus, limits, now)
    mismatch = world.play(story)
    if mismatch is not None:
        return [mismatch]
    if story.effects is None:
        return []
    done = [(effect.name, effect.answers) for effect in world.done]
    matches = len(done) == len(story.effects) and all(
        name == wanted and answers.items() <= has.items()
        for (wanted, answers), (name, has) in zip(story.effects, done, strict=True)
    )
    if matches:
        return []
    return [Mismatch(0, _effects(story.effects), _effects(done))]


def completed(menus: Menus, story: Story, *, limits: Limits, now: datetime) -> Story:
    """A story that was only heard, with the effects that it must have had."""
    world = _World(menus, limits, now)
    world.play(story)
    effects = [
        (effect.name, {name: effect.answers[name] for name in EFFECTS[effect.name]})
        for effect in world.done
    ]
    return replace(story, effects=tuple(effects))


def veiled(text: str) -> str:
    """A screen with `{code}` for each tracking code in it."""
    return _CODES.sub(
        lambda match: "{code}" if codes.is_code(match.group()) else match.group(), text
    )


def as_yaml(stories: Sequence[Story]) -> str:
    """Stories as a file that `read` takes."""
    return yaml.dump(
        [
            {
                "story": story.name,
                "dial": story.dial,
                "language": story.language,
                "turns": [_turn_as_mapping(turn) for turn in story.turns],
                "effects": [
                    {"do": name, "answers": dict(answers)}
                    for name, answers in story.effects or ()
                ],
            }
            for story in stories
        ],
        Dumper=_Dumper,
        allow_unicode=True,
        sort_keys=False,
        width=1000,
    )


def _turn_as_mapping(turn: Turn) -> dict[str, str]:
    typed = {} if turn.types is None else {"types": turn.types}
    return {**typed, ("ends" if turn.ends else "hears"): turn.reads}


class _Dumper(yaml.SafeDumper):
    """Writes a screen as the lines it has."""


def _lines(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _lines)


def _effects(done: Sequence[tuple[str, Mapping[str, str]]]) -> str:
    return "\n".join(f"{name} {dict(answers)}" for name, answers in done) or "nothing"


def _with_end(text: str, ends: bool) -> str:
    return f"{text}\n(the end)" if ends else text


@dataclass(slots=True)
class _World:
    """What a story is played in: it does effects, and remembers what it did."""

    menus: Menus
    limits: Limits
    now: datetime
    done: list[Effect] = field(default_factory=list)

    def play(self, story: Story) -> Mismatch | None:
        """Play the turns, to the first that goes otherwise."""
        begun = begin(self.menus, story.dial, story.language)
        if begun is None:
            return Mismatch(1, f"{story.dial} is dialled", "it leads nowhere")
        session, ahead = begun
        for number, turn in enumerate(story.turns, start=1):
            typed = ahead if turn.types is None else turn.types.split("*")
            stepped = self.step(session, typed, shown=number > 1)
            reads = veiled(stepped.text)
            if (reads, stepped.ends) != (turn.reads, turn.ends):
                return Mismatch(
                    number,
                    _with_end(turn.reads, turn.ends),
                    _with_end(reads, stepped.ends),
                )
            held = json.loads(json.dumps(asdict(stepped.session)))
            held["items"] = tuple(held["items"])
            session = Session(**held)
        return None

    def step(self, session: Session, typed: Sequence[str], *, shown: bool) -> Step:
        results: dict[tuple[str, int], Mapping[str, str]] = {}
        facts: dict[Need, Mapping[str, Any]] = {}
        for _ in range(ROUNDS_MAX):
            stepped = step(
                self.menus,
                session,
                typed,
                now=self.now,
                limits=self.limits,
                facts=facts,
                results=results,
                shown=shown,
            )
            lacks = stepped.lacks
            if lacks is None:
                return stepped
            if isinstance(lacks, Effect):
                results[lacks.name, lacks.number] = self.carry_out(lacks)
                facts.clear()
            else:
                facts[lacks] = self.fetch(lacks)
        raise AssertionError("a screen lacked facts without end")

    def carry_out(self, effect: Effect) -> Mapping[str, str]:
        self.done.append(effect)
        if effect.name == "language":
            return {"language": effect.answers["language_chosen"]}
        return {"code": CODE} if effect.name in ("pledge", "sign_up") else {}

    def fetch(self, need: Need) -> Mapping[str, Any]:
        given = [effect for effect in self.done if effect.name == "pledge"]
        cancelled = any(effect.name == "cancel" for effect in self.done)
        state = "cancelled" if cancelled else "open"
        asked = [e.name for e in self.done if e.name in ("stop_texts", "start_texts")]
        total = sum(int(effect.answers["amount"]) for effect in given)
        amount = given[-1].answers["amount"] if given else "0"
        worlds: dict[str, dict[str, Any]] = {
            "caller": {
                "texts_stopped": asked[-1:] == ["stop_texts"],
                "line": "10001",
            },
            "report": {
                "report_pledged": total,
                "report_paid": 0,
                "report_donors": "",
            },
            "pledge": {"one_code": CODE, "one_amount": amount, "one_state": state},
            "pledges": {
                "items": [
                    {"value": CODE, "state": state, "amount": effect.answers["amount"]}
                    for effect in given
                ]
            },
        }
        return worlds[need.group]
