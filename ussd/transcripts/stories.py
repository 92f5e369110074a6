"""Stories: whole conversations, each of what is typed, read, done and promised.

`{code}` stands for a tracking code wherever one is read; other names in braces are the
story's own `variables`, written as in the menus: `{amount|toman}`.
`ussd.transcripts.files` reads and writes them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from phone import codes
from phone.encoding import Limits
from ussd.menus import Menus
from ussd.templates import Template, Unrendered

__all__ = ["OWN", "BadStory", "Channel", "Story", "Turn", "filled", "veiled"]

# What a story may name without having it among its variables.
OWN = frozenset({"code", "language", "figures", "titles"})

_CODES = re.compile(r"(?<![0-9])[1-9][0-9]{8}(?![0-9])")


class BadStory(ValueError):
    """A transcript that is not one; each line says where and what to change."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What the caller types (None at the dial itself) and reads then.

    `reads` is None where only the screen's name is told; `screen` is "" where only
    its words are.
    """

    types: str | None
    reads: str | None
    ends: bool
    screen: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Channel:
    """What the handset of a story shows; `gsm7_only` where it shows no Persian."""

    limits: Limits
    gsm7_only: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """One call. `effects` and `texts` are None where the story asks for none."""

    name: str
    dial: str
    language: str
    turns: tuple[Turn, ...]
    # (effect, answers it must have been done with), in order.
    effects: tuple[tuple[str, Mapping[str, str]], ...] | None
    texts: tuple[str, ...] | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    channel: Channel | None = None
    at: date | None = None
    line: int = field(default=0, compare=False)


def filled(menus: Menus, story: Story) -> Story:
    """A story with its variables in place, for it to be played with these menus.

    Filters write its language, or the first of `menus` if they do not speak it.
    Raises BadStory for what one cannot take, as `{name|toman}` for a word.
    """
    if not story.variables:
        return story
    spoken = menus.languages
    language = story.language if story.language in spoken else spoken[0]
    slots = {
        **story.variables,
        "code": "{code}",
        "language": language,
        "figures": menus.figures.get(language, language),
        "titles": menus.titles[language],
    }

    def said(text: str) -> str:
        return Template(text).render(slots)

    try:
        return replace(
            story,
            dial=said(story.dial),
            turns=tuple(
                replace(
                    turn,
                    types=None if turn.types is None else said(turn.types),
                    reads=None if turn.reads is None else said(turn.reads),
                )
                for turn in story.turns
            ),
            effects=None
            if story.effects is None
            else tuple(
                (name, {key: said(value) for key, value in answers.items()})
                for name, answers in story.effects
            ),
            texts=None if story.texts is None else tuple(map(said, story.texts)),
            variables={},
        )
    except Unrendered as fault:
        raise BadStory(f"{story.line}: {story.name}: {fault}") from None


def veiled(text: str) -> str:
    """A screen with `{code}` for each tracking code in it."""
    return _CODES.sub(
        lambda match: "{code}" if codes.is_code(match.group()) else match.group(), text
    )
