"""What a transcript can say, and how it fails, played on the pure machine."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from phone.encoding import Limits, gsm7_septets
from tests.ussd.caller import NOON
from ussd.menus import Menus
from ussd.transcripts import (
    BadStory,
    Channel,
    Mismatch,
    Story,
    Turn,
    as_yaml,
    completed,
    filled,
    play,
    read,
)

GIVING = """\
- story: any amount
  dial: '*780*5588*1#'
  language: fa
  variables: {typed: "75000", rial: "750000", purpose: children}
  turns:
  - screen: give.amount
  - types: '3'
    screen: give.other
  - types: '{typed}'
    screen: give.purpose
  - types: '2'
    screen: give.confirm
    hears: |
      کمک شما: {rial|toman} تومان
      {purpose|title('purposes')}
      1 تایید
      2 اصلاح
      0 انصراف
  - types: '1'
    screen: give.done
  effects:
  - do: pledge
    answers: {amount: '{rial}', purpose: '{purpose}'}
  texts:
  - |
    ۱+۱: ثبت کمک {rial|toman} تومان
    کد {code}
    پرداخت \u200e*780*0000#\u200e
"""


def stories(folder: Path, text: str) -> list[Story]:
    path = folder / "given.yaml"
    path.write_text(text, encoding="utf-8")
    return read(path)


def played(menus: Menus, story: Story) -> list[Mismatch]:
    return play(menus, story, limits=Limits(), now=NOON)


@pytest.fixture
def giving(tmp_path: Path) -> Story:
    return stories(tmp_path, GIVING)[0]


def test_a_story_has_variables_screens_effects_and_texts(menus: Menus, giving: Story):
    assert played(menus, giving) == []
    assert giving.turns[2].types == "{typed}"
    assert filled(menus, giving).turns[2].types == "75000"


@pytest.mark.parametrize(
    ("was", "becomes", "what", "expected", "found"),
    [
        (
            "screen: give.other",
            "screen: root",
            "turn 2, after '3'",
            "root",
            "give.other",
        ),
        ('rial: "750000"', 'rial: "760000"', "turn 4, after '2'", "۷۶٬۰۰۰", "۷۵٬۰۰۰"),
        ("کد {code}", "کد ۱", "the texts", "کد ۱", "{code}"),
        (
            "answers: {amount: '{rial}'",
            "answers: {amount: '1'",
            "what was done",
            "amount: 1",
            "amount: 750000",
        ),
    ],
)
def test_what_goes_otherwise_is_told_with_its_line(
    menus: Menus,
    tmp_path: Path,
    was: str,
    becomes: str,
    what: str,
    expected: str,
    found: str,
):
    text = GIVING.replace(was, becomes)
    (mismatch,) = played(menus, stories(tmp_path, text)[0])
    assert mismatch.what == what
    assert expected in mismatch.expected
    assert found in mismatch.found
    told = text.splitlines()[mismatch.line - 1]
    assert ("types" in told) if mismatch.turn else ("story" in told)


def test_what_stands_after_the_end_is_otherwise(menus: Menus, giving: Story):
    longer = (*giving.turns, Turn("1", "x", False))
    (mismatch,) = played(menus, _with(giving, turns=longer))
    assert (mismatch.turn, mismatch.found) == (6, "the call had ended before")


def test_a_dial_that_leads_nowhere_is_otherwise(menus: Menus, giving: Story):
    (mismatch,) = played(menus, _with(giving, dial="*123#"))
    assert mismatch.what == "dialling *123#"


def test_a_language_that_is_not_spoken_is_otherwise(menus: Menus, giving: Story):
    (mismatch,) = played(menus, _with(giving, language="ar", variables={}))
    assert "fa" in mismatch.found


def test_a_story_may_have_a_day_of_its_own(menus: Menus, tmp_path: Path):
    early = """\
- story: before the campaign opens
  dial: '*780*5588*1#'
  language: en
  at: 1404/12/29
  turns:
  - screen: early
"""
    story = stories(tmp_path, early)[0]
    assert story.at == date(2026, 3, 20)
    assert played(menus, story) == []
    (mismatch,) = played(menus, _with(story, at=date(2026, 3, 21)))
    assert mismatch.found.startswith("(screen give.amount)")


def test_a_story_may_have_a_handset_of_its_own(menus: Menus, tmp_path: Path):
    provinces = """\
- story: a smaller screen lists less at once
  dial: '*780*5588#'
  language: en
  channel: {gsm7_septets: 90}
  turns:
  - screen: root
  - types: '2'
    screen: vol.consent
  - types: '1'
    screen: vol.place
  - types: '3'
    hears: ''
"""
    story = stories(tmp_path, provinces)[0]
    assert story.channel == Channel(Limits(gsm7_septets=90))
    (small,) = played(menus, story)
    (large,) = played(menus, _with(story, channel=None))
    assert large.found.count("\n") > small.found.count("\n")


def test_a_handset_without_persian_is_spoken_to_without_it(menus: Menus, giving: Story):
    (plain,) = played(menus, _with(giving, turns=(Turn(None, "", False),)))
    assert gsm7_septets(plain.found) is None
    channel = Channel(Limits(), gsm7_only=True)
    assert menus.latin is not None
    heard = _with(giving, channel=channel, turns=(Turn(None, "", False),))
    (latin,) = played(menus, heard)
    assert gsm7_septets(latin.found) is not None
    (told,) = filled(menus.latin, _with(giving, turns=giving.turns[3:4])).turns
    assert "75,000" in (told.reads or "")


def test_what_was_only_heard_is_completed(menus: Menus, giving: Story):
    heard = _with(giving, effects=None, texts=None)
    whole = completed(menus, filled(menus, heard), limits=Limits(), now=NOON)
    assert whole.effects == (("pledge", {"amount": "750000", "purpose": "children"}),)
    assert played(menus, whole) == []
    (text,) = whole.texts or ()
    assert text.startswith("۱+۱: ثبت کمک ۷۵٬۰۰۰ تومان\nکد {code}")


def test_a_story_is_written_as_it_was_read(tmp_path: Path):
    day = "  at: 1405/09/01\n  channel: {ucs2_units: 60, gsm7_only: true}\n"
    given = stories(tmp_path, GIVING.replace("  variables", f"{day}  variables"))
    assert stories(tmp_path, as_yaml(given)) == given


def test_without_variables_a_brace_is_a_brace(tmp_path: Path):
    plain = "- {story: x, dial: y, language: fa, turns: [{hears: 'a {b} {'}]}"
    assert stories(tmp_path, plain)[0].turns[0].reads == "a {b} {"


ONE = "- {story: x, dial: y, language: fa, turns: [%s]%s}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("story: x", "given.yaml:1:1: a transcript is not a list"),
        (
            "- {dial: x}",
            "given.yaml:1:3: a story without a name: a story lacks 'turns'",
        ),
        ("\n- x", "given.yaml:2:3: a story without a name: a story is not a mapping"),
        ("- [", "given.yaml:2:1: not YAML"),
        (ONE % ("", ""), "a story has no turn"),
        (ONE % ("{types: 1}", ""), "x: a turn lacks what is read"),
        (ONE % ("{hears: a}, {hears: b}", ""), "a turn lacks what is typed"),
        (ONE % ("{hears: a, ends: b}", ""), "both goes on and ends"),
        (ONE % ("{heard: a}", ""), "a turn has no 'heard'"),
        (ONE % ("{hears: a}", ", effects: [{do: fly}]"), "nothing does 'fly'"),
        (ONE % ("{hears: a}", ", at: tomorrow"), "a day looks like 1405/09/01"),
        (ONE % ("{hears: a}", ", channel: {ucs2_units: 900}"), "ucs2_units is 1 to 80"),
        (ONE % ("{hears: a}", ", variables: {Up: a}"), "'Up' is no name"),
        (ONE % ("{hears: a}", ", variables: {code: a}"), "'code' is no name"),
        (ONE % ("{hears: a}", ", variables: {titles: a}"), "'titles' is no name"),
        (ONE % ("{hears: '{b}'}", ", variables: {a: b}"), "'b' is no variable"),
        (ONE % ("{hears: '{a.b}'}", ", variables: {a: b}"), "getattr is not allowed"),
        (ONE % ("{hears: a}", ", texts: x"), "texts is not a list"),
    ],
)
def test_what_is_no_transcript_is_refused_with_its_line(
    tmp_path: Path, text: str, says: str
):
    with pytest.raises(BadStory) as refused:
        stories(tmp_path, text)
    assert says in str(refused.value)


def test_a_variable_of_the_wrong_kind_is_named(menus: Menus, tmp_path: Path):
    text = ONE % ("{hears: '{a|toman}'}", ", variables: {a: many}")
    with pytest.raises(BadStory, match="x: '{a|toman}'"):
        played(menus, stories(tmp_path, text)[0])


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(BadStory, match="No such file"):
        read(tmp_path / "none.yaml")


def _with(story: Story, **changes: object) -> Story:
    return replace(story, **changes)  # type: ignore[arg-type]  # any field of it
