"""Stories played against the menus, and where they went otherwise.

The session goes through JSON between turns, as it does in production, so a field that
cannot survive the way fails here and not on a caller.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, time

from phone.encoding import Limits
from ussd.machine import Session, Step, begin
from ussd.menus import EFFECTS, Menus
from ussd.transcripts.stage import Stage
from ussd.transcripts.stories import Channel, Story, Turn, filled, veiled

__all__ = ["Mismatch", "completed", "play"]

# A story that names a day is told at its noon (UTC), inside that day in every time
# zone where the menus are used.
NOON = time(12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What went otherwise: a turn (from 1), or (turn 0) what was done or promised.

    `what` says it in a few words, `line` where the story tells it.
    """

    turn: int
    expected: str
    found: str
    what: str = ""
    line: int = 0


def play(
    menus: Menus, story: Story, *, limits: Limits, now: datetime
) -> list[Mismatch]:
    """Play one story; an empty list says that all went as it tells.

    `limits` and `now` are for a story that names no channel and no day of its own.
    Raises BadStory for one whose variables cannot be filled in.
    """
    spoken = _spoken(menus, story)
    if spoken is None or story.language not in menus.languages:
        known = ", ".join(menus.languages if spoken else ())
        return [_dialling(story, f"{story.language} is spoken", f"only: {known}")]
    story = filled(spoken, story)
    stage = _staged(spoken, story, limits, now)
    mismatch = _played(stage, story)
    if mismatch is not None:
        return [mismatch]
    return [*_done_otherwise(stage, story), *_promised_otherwise(stage, story)]


def completed(menus: Menus, story: Story, *, limits: Limits, now: datetime) -> Story:
    """A story that was only heard, with the effects and texts it must have had.

    Limits that are not the usual ones go with it, for it to be played with them.
    """
    if story.channel is None and limits != Limits():
        story = replace(story, channel=Channel(limits))
    stage = _staged(_spoken(menus, story) or menus, story, limits, now)
    _played(stage, story)
    effects = [
        (effect.name, {name: effect.answers[name] for name in EFFECTS[effect.name]})
        for effect in stage.done
    ]
    return replace(story, effects=tuple(effects), texts=tuple(stage.texts))


def _spoken(menus: Menus, story: Story) -> Menus | None:
    """The menus as the handset of the story shows them."""
    return menus.latin if story.channel and story.channel.gsm7_only else menus


def _staged(menus: Menus, story: Story, limits: Limits, now: datetime) -> Stage:
    return Stage(
        menus,
        story.channel.limits if story.channel else limits,
        datetime.combine(story.at, NOON) if story.at else now,
    )


def _played(stage: Stage, story: Story) -> Mismatch | None:
    """Play the turns, to the first that goes otherwise."""
    spoken = stage.menus.languages
    language = story.language if story.language in spoken else spoken[0]
    begun = begin(stage.menus, story.dial, language)
    if begun is None:
        return _dialling(story, f"{story.dial} is dialled", "it leads nowhere")
    session, ahead = begun
    over = False
    for number, turn in enumerate(story.turns, start=1):
        if over:
            return _turned(number, turn, _expected(turn), "the call had ended before")
        typed = ahead if turn.types is None else turn.types.split("*")
        stepped = stage.step(session, typed, shown=number > 1)
        mismatch = _compared(number, turn, stepped)
        if mismatch is not None:
            return mismatch
        session = Session.from_json(json.loads(json.dumps(asdict(stepped.session))))
        over = stepped.ends
    return None


def _compared(number: int, turn: Turn, stepped: Step) -> Mismatch | None:
    reads = veiled(stepped.text)
    found = _with_end(reads, stepped.ends)
    if turn.screen and turn.screen != stepped.session.at:
        expected = f"(screen {turn.screen})"
        return _turned(
            number, turn, expected, f"(screen {stepped.session.at})\n{found}"
        )
    # The newline that a block of YAML ends in is no part of a screen.
    if turn.reads is None or (turn.reads.removesuffix("\n"), turn.ends) == (
        reads,
        stepped.ends,
    ):
        return None
    return _turned(number, turn, _expected(turn), found)


def _expected(turn: Turn) -> str:
    if turn.reads is None:
        return f"(screen {turn.screen})"
    return _with_end(turn.reads.removesuffix("\n"), turn.ends)


def _turned(number: int, turn: Turn, expected: str, found: str) -> Mismatch:
    after = "at the dial" if turn.types is None else f"after {turn.types!r}"
    return Mismatch(number, expected, found, f"turn {number}, {after}", turn.line)


def _dialling(story: Story, expected: str, found: str) -> Mismatch:
    return Mismatch(1, expected, found, f"dialling {story.dial}", story.line)


def _done_otherwise(stage: Stage, story: Story) -> list[Mismatch]:
    if story.effects is None:
        return []
    done = [(effect.name, effect.answers) for effect in stage.done]
    matches = len(done) == len(story.effects) and all(
        name == wanted and answers.items() <= has.items()
        for (wanted, answers), (name, has) in zip(story.effects, done, strict=True)
    )
    if matches:
        return []
    # Of what was done, only what a story can ask for.
    told = [
        (name, {key: value for key, value in has.items() if key in _asked(story, name)})
        for name, has in done
    ]
    expected, found = _effects(story.effects), _effects(told)
    return [Mismatch(0, expected, found, "what was done", story.line)]


def _asked(story: Story, effect: str) -> set[str]:
    asked = {key for name, answers in story.effects or () for key in answers}
    return asked | set(EFFECTS[effect])


def _promised_otherwise(stage: Stage, story: Story) -> list[Mismatch]:
    if story.texts is None:
        return []
    wanted = tuple(text.removesuffix("\n") for text in story.texts)
    if wanted == tuple(stage.texts):
        return []
    expected, found = _texts(wanted), _texts(stage.texts)
    return [Mismatch(0, expected, found, "the texts", story.line)]


def _effects(done: Sequence[tuple[str, Mapping[str, str]]]) -> str:
    lines = [
        "\n".join([name, *(f"  {key}: {value}" for key, value in answers.items())])
        for name, answers in done
    ]
    return "\n".join(lines) or "nothing"


def _texts(texts: Sequence[str]) -> str:
    return "\n\n".join(texts) or "no text"


def _with_end(text: str, ends: bool) -> str:
    return f"{text}\n(the end)" if ends else text
