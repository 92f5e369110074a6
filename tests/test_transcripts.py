"""Every story of tests/transcripts, played purely and through the whole service.

Those in recorded-*.yaml were written by `yarigar dial --record` on a running service.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path

import pytest

from gateway.texts import renderer
from ledger import people
from ledger.engine import writing
from phone.encoding import Limits
from tests.gateway.conftest import gateway, gateway_database
from tests.gateway.house import NOON, ROOT, Gateway
from ussd.deeds import LEDGER_TEXTS
from ussd.reading import read as read_menus
from ussd.transcripts import Story, as_yaml, completed, filled, play, read, veiled

__all__ = ["gateway", "gateway_database"]  # fixtures, for pytest to find here

FOLDER = Path(__file__).parent / "transcripts"
FILES = sorted(FOLDER.glob("*.yaml"))
STORIES = [
    pytest.param(story, id=f"{path.stem}-{number}-{story.name}")
    for path in FILES
    for number, story in enumerate(read(path), start=1)
]
MENUS = read_menus((ROOT / "menus.yaml").read_text("utf-8"), time_zone="Asia/Tehran")
_sessions = count(1)
# The days of a pledge in parts are a second event of it, and so is what a new number
# is asked.
BESIDES = ("pledge.instalments", "number.offered")
GIVEN = ("pledge", "instalments", "pledge_in_kind")


@pytest.mark.parametrize("story", STORIES)
def test_a_story_goes_as_it_tells(story: Story) -> None:
    assert play(MENUS, story, limits=Limits(), now=NOON) == []


@pytest.mark.parametrize("story", STORIES)
def test_a_story_goes_as_it_tells_through_the_whole_service(
    gateway: Gateway, story: Story
) -> None:
    phone = "+989121234567"
    service = gateway.service
    story = filled(MENUS, story)
    if story.at is not None:
        gateway.clock.at = datetime.combine(story.at, NOON.timetz())
    with writing(service.engine) as db:
        person = people.remember(db, service.keys, phone, at=gateway.clock())
        people.set_language(db, person_id=person.id, language=story.language)
    session, answers = f"story-{next(_sessions)}", []
    for turn in story.turns:
        if turn.types is not None:
            answers.append(turn.types)
        screen = gateway.dial(
            "*".join(answers), session=session, phone=phone, code=story.dial
        )
        assert (veiled(screen.text), screen.ends) == (turn.reads, turn.ends)
        assert (
            gateway.dial(
                "*".join(answers), session=session, phone=phone, code=story.dial
            )
            == screen
        )
    assert story.effects is not None
    kinds = [row.kind for row in gateway.rows("event")]
    recorded = [kind for kind in kinds if kind not in BESIDES]
    assert len(recorded) == len(story.effects)
    given = [
        int(a["count" if name == "pledge_in_kind" else "amount"])
        for name, a in story.effects
        if name in GIVEN
    ]
    assert gateway.pledged == given
    # The small world of a rehearsal promises what the service promises.
    rehearsed = completed(MENUS, story, limits=Limits(), now=NOON)
    assert texts_promised(gateway) == list(rehearsed.texts or ())


def texts_promised(gateway: Gateway) -> list[str]:
    """The promised texts as they will be read, without the words of a sender line."""
    render = renderer(gateway.service.library, gateway.service.keys)
    promised = []
    for row in gateway.rows("outbox"):
        if row.template in LEDGER_TEXTS:
            # Of the ledger's own course, which no rehearsal has.
            continue
        stop = MENUS.notices["stop"][row.language].source
        promised.append(veiled(render(row).text.removesuffix(f" {stop}")))
    return promised


def test_there_is_a_recording_in_each_language() -> None:
    for language in MENUS.languages:
        recorded = read(FOLDER / f"recorded-{language}.yaml")
        assert any(story.language == language for story in recorded)
        effects = {name for story in recorded for name, _ in story.effects or ()}
        assert {"pledge", "sign_up"} <= effects


def test_stories_are_written_as_they_are_read(tmp_path: Path) -> None:
    stories = [story for path in FILES for story in read(path)]
    again = tmp_path / "again.yaml"
    again.write_text(as_yaml(stories), encoding="utf-8")
    assert read(again) == stories


def test_a_story_that_goes_otherwise_names_the_turn_and_both_texts() -> None:
    story = read(FOLDER / "give.yaml")[0]
    first = story.turns[0]
    elsewhere = replace(story, dial="*780*5588#", effects=None)
    (other,) = play(MENUS, elsewhere, limits=Limits(), now=NOON)
    assert (other.turn, other.expected) == (1, first.reads)
    assert other.found.startswith("پویش ۱+۱")


def test_a_story_whose_effects_differ_says_so() -> None:
    story = read(FOLDER / "give.yaml")[0]
    for effects in ((), (("pledge", {"amount": "1"}),), story.effects * 2):
        wrong = replace(story, effects=effects)
        (other,) = play(MENUS, wrong, limits=Limits(), now=NOON)
        assert other.turn == 0
        assert "750000" in other.found
