"""`menus graph` and `menus test`, as whoever writes the menus runs them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from defusedxml.ElementTree import fromstring

from gateway.cli import cli
from tests.gateway.house import ROOT

MENUS = ROOT / "menus.yaml"
STORIES = ROOT / "tests" / "transcripts"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["menus", *map(str, arguments)])


@pytest.fixture
def story(tmp_path: Path) -> Path:
    """A story that went otherwise since it was written."""
    path = tmp_path / "calls.yaml"
    path.write_text(
        "- story: the way in\n"
        "  dial: '*780*5588#'\n"
        "  language: en\n"
        "  turns:\n"
        "  - screen: root\n"
        "  - types: '2'\n"
        '    hears: "Your number goes to Behzisti.\\n1 I agree\\n0 No"\n',
        encoding="utf-8",
    )
    return path


def test_the_shipped_menus_are_drawn_as_mermaid():
    drawn = run("graph", MENUS)
    assert drawn.exit_code == 0, drawn.output
    assert drawn.output.startswith("flowchart TD\n")
    assert '"give.confirm<br/>' in drawn.output


def test_one_flow_is_drawn_to_a_file_in_a_language(tmp_path: Path):
    file = tmp_path / "vol.svg"
    flow = ("--flow", "vol", "--format", "svg", "--language", "en")
    drawn = run("graph", MENUS, *flow, "--out", file)
    assert (drawn.exit_code, drawn.output) == (0, f"drawn in {file}\n")
    said = ["".join(text.itertext()) for text in fromstring(file.read_text()).iter()]
    assert "vol.consent" in said
    assert "How can you help?" in said
    assert "give.done" not in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((MENUS, "--flow", "none"), "no flow 'none'; there are: main, give"),
        ((MENUS, "--language", "ar"), "no language 'ar'; there are: fa, en"),
        (("none.yaml",), "none.yaml: No such file or directory"),
        ((STORIES / "give.yaml",), "the file is not a mapping"),
        ((MENUS, "--out", ROOT / "none" / "x"), "No such file or directory"),
    ],
)
def test_what_cannot_be_drawn_is_told_in_a_line(
    arguments: tuple[object, ...], says: str
):
    drawn = run("graph", *arguments)
    assert drawn.exit_code == 2
    assert says in drawn.output
    assert "Traceback" not in drawn.output


def test_stories_that_go_as_they_tell_are_counted():
    played = run("test", STORIES / "language.yaml", "--menus", MENUS)
    assert (played.exit_code, played.output) == (0, "2 passed, 0 failed\n")


def test_a_story_that_goes_otherwise_is_shown_as_two_handsets(story: Path):
    played = run("test", story, "--menus", MENUS)
    assert played.exit_code == 1
    first, titles, *boxes = played.output.splitlines()
    assert first == f"{story}:6: the way in: turn 2, after '2'"
    assert titles.split() == ["expected", "found"]
    assert "  > | Your number goes to        |  | Your number and answers go |" in boxes
    assert "    line 1: 'g' expected, 'a' found" in boxes
    assert boxes[-1] == "0 passed, 1 failed"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- {story: x}", "calls.yaml:1:3: x: a story lacks 'dial'"),
        (
            "- {story: x, dial: '*780*5588#', language: fa, variables: {a: b},\n"
            "   turns: [{hears: '{a|toman}'}]}",
            "calls.yaml:1: x: '{a|toman}'",
        ),
    ],
)
def test_what_is_no_transcript_is_told_in_a_line(story: Path, text: str, says: str):
    story.write_text(text, encoding="utf-8")
    played = run("test", story, "--menus", MENUS)
    assert played.exit_code == 2
    assert says in played.output


def test_a_folder_without_transcripts_is_named(tmp_path: Path):
    played = run("test", tmp_path, "--menus", MENUS)
    assert played.exit_code == 2
    assert "no transcript in it" in played.output
