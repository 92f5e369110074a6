"""The examples of docs/write-menus.md do what they say, and pages name what is there.

A command, a module or a carrier that a page names is there, and one that is there is
named where a reader looks for it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest

from gateway.cli import cli
from phone.encoding import Limits
from tests.gateway.house import NOON
from tests.ussd.caller import Caller
from ussd.faults import Fault
from ussd.menus import EFFECT_TEXTS, EFFECTS, RESERVED, Kind, Resume
from ussd.prover import Line, prove
from ussd.reading import NOTICES, read
from ussd.transcripts import play
from ussd.transcripts import read as read_stories

PAGE = Path("docs/write-menus.md").read_text(encoding="utf-8")
FENCED = re.compile(r"^## ([^\n]*)$|```(yaml|call)\n(.*?)```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """Lines of a menu file, the part they stand in, and a call through them."""

    section: str
    part: str
    body: str
    call: str = ""

    @property
    def name(self) -> str:
        return self.body.split(":")[0].strip('"')


def examples() -> Iterator[Example]:
    section, example = "", None
    for heading, kind, body in FENCED.findall(PAGE):
        section = heading or section
        if kind == "call":
            assert example is not None
            example = replace(example, call=body)
        elif example is not None:
            yield example
            example = None
        if kind == "yaml":
            found = re.match(r"# (?:under|in) (.*)\n", body)
            part = found[1] if found else ""
            example = Example(section, part, body[found.end() if found else 0 :])
    if example is not None:
        yield example


WHOLE, *PIECES = examples()


def together(example: Example) -> list[Example]:
    """An example with those it cannot do without: of its section, and texts."""
    parts = [
        piece
        for piece in PIECES
        if piece.section == example.section
        and (piece == example or not piece.part == example.part == "screens")
    ]
    needed = [
        text
        for piece in parts
        for deed in re.findall(r"do: (\w+)", piece.body)
        for text in EFFECT_TEXTS[deed]
    ]
    return [*parts, *(piece for piece in PIECES if piece.name in needed)]


def mounted(example: Example) -> str:
    """The smallest menus with one more example in the place that it belongs to."""
    source = WHOLE.body
    for piece in together(example) if example != WHOLE else []:
        source = _with(source, piece)
    if "-gsm7" in example.body:
        # Once one text has a short form, all have.
        bare = re.compile(r'^(?!.*-gsm7)(.*)fa: "[^"]*",', re.MULTILINE)
        source = bare.sub(lambda line: f'{line[0]} fa-gsm7: "Farsi",', source)
    return source


def _with(source: str, piece: Example) -> str:
    match piece.part:
        case "screens":
            label = '{fa: "نمونه", en: "Example"}'
            source = source.replace(
                '      - {key: "0", label: {fa: "خروج"',
                f'      - {{key: "2", label: {label}, to: {piece.name}}}\n'
                '      - {key: "0", label: {fa: "خروج"',
                1,
            )
            return source.replace(
                "  root:\n", f"{textwrap.indent(piece.body, '  ')}\n  root:\n", 1
            )
        case "texts":
            body = textwrap.indent(piece.body, "  ")
            return source.replace("texts: {}\n", f"texts:\n{body}")
        case "dialled":
            return source.replace("dialled:", f"dialled:\n  {piece.body}#", 1)
        case "lists":
            return f"{source}\nlists:\n{textwrap.indent(piece.body, '  ')}"
        case "campaigns, spring":
            body = textwrap.indent(piece.body, "    ")
            return source.replace("    permit:", f"{body}    permit:")
        case _:
            assert piece.part == "the file"
            return f"{source}\n{piece.body}"


def faults(source: str) -> list[Fault]:
    menus = read(source, time_zone="Asia/Tehran")
    return prove(menus, channels={"any": Limits()}, lines=[Line("10001", "لغو۱۱")])


@pytest.mark.parametrize("example", [WHOLE, *PIECES], ids=lambda one: one.name)
def test_every_example_fits_into_the_smallest_menus(example: Example) -> None:
    assert faults(mounted(example)) == []


@pytest.mark.parametrize(
    "example", [e for e in (WHOLE, *PIECES) if e.call], ids=lambda one: one.name
)
def test_every_call_goes_as_it_is_shown(example: Example) -> None:
    menus = read(mounted(example), time_zone="Asia/Tehran")
    turns = re.findall(r"^> (.*)\n((?:[^>].*\n)+)", example.call, re.MULTILINE)
    (code, first), *rest = turns
    caller = Caller(menus, code, language="en")
    assert caller.text == first.rstrip("\n")
    for typed, reads in rest:
        assert caller.types(typed) == reads.rstrip("\n")


@pytest.mark.parametrize("words", [Kind, EFFECTS, RESERVED, NOTICES, Resume])
def test_the_page_names_every_word_of_the_language(words: list[str]) -> None:
    for name in words:
        assert f"`{name}`" in PAGE, name


def test_the_page_has_an_example_for_every_part_of_the_file() -> None:
    parts = {piece.part for piece in PIECES}
    assert parts == {
        *("screens", "texts", "dialled", "lists", "campaigns, spring", "the file")
    }
    assert len(PIECES) > 15


def test_the_story_on_the_page_goes_as_it_tells(tmp_path: Path) -> None:
    (story,) = re.findall(r"```story\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "call.yaml"
    file.write_text(story, encoding="utf-8")
    (told,) = read_stories(file)
    source = Path("menus.yaml").read_text(encoding="utf-8")
    menus = read(source, time_zone="Asia/Tehran")
    assert play(menus, told, limits=Limits(), now=NOON) == []


ROOT = Path(__file__).parent.parent
PAGES = sorted(
    page for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")] if page.is_file()
)
COMMANDS = re.compile(r"yarigar ([a-z-]+)(?: ([a-z][a-z-]*(?:\|[a-z-]+)*))?")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_is_there(page: Path) -> None:
    code = re.findall(
        r"```(?:console|sh)\n(.*?)```|`([^`\n]+)`",
        page.read_text(encoding="utf-8"),
        re.DOTALL,
    )
    context = click.Context(cli)
    for block, words in code:
        for name, rest in COMMANDS.findall(block or words):
            command = cli.get_command(context, name)
            assert command is not None, name
            if isinstance(command, click.Group):
                for one in rest.split("|") if rest else ():
                    assert command.get_command(context, one), f"{name} {one}"


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("## The commands")[2].partition("\n## ")[0]
    context = click.Context(cli)
    for name in cli.list_commands(context):
        if name == "settings-doc":
            # `make docs` calls it, and nobody else has to.
            continue
        assert f"`{name}`" in table, name
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            row = next(row for row in table.splitlines() if f"| `{name}` |" in row)
            for one in command.list_commands(context):
                assert f"`{one}`" in row, f"{name} {one}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_page_that_a_page_names_is_there(page: Path) -> None:
    source = page.read_text(encoding="utf-8")
    named = re.findall(
        r"\b(?:phone|ledger|ussd|sms|gateway|bench|scripts|tests)/[\w/.-]+\.(?:py|js|yaml)",
        source,
    )
    for file in named:
        assert (ROOT / file).is_file(), file
    for link in re.findall(r"\]\(([^)#\s]*)(?:#[^)]*)?\)", source):
        assert "://" in link or not link or (page.parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_pages_leads_to_a_heading(page: Path) -> None:
    for link, heading in re.findall(
        r"\]\(([^)#\s]*)#([^)]*)\)", page.read_text(encoding="utf-8")
    ):
        if "://" not in link:
            there = page if not link else page.parent / link
            assert heading in anchors(there), f"{link}#{heading}"


def anchors(page: Path) -> set[str]:
    headings = re.findall(
        r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }


@pytest.mark.parametrize("package", ["ledger", "sms", "gateway"])
def test_the_map_of_a_package_names_every_module(package: str) -> None:
    drawn = import_module(package).__doc__ or ""
    for path in (ROOT / package).iterdir():
        is_module = path.suffix == ".py" and not path.stem.startswith("__")
        if is_module or (path / "__init__.py").exists():
            drawn_as = rf"\b{path.stem}[`/]*(?: {{2,}}|:| holds)"
            assert re.search(drawn_as, drawn), path.stem


def test_the_page_of_carriers_has_a_row_for_each_of_them() -> None:
    source = (ROOT / "docs/add-a-carrier.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([a-z-]+)` \|", source, flags=re.MULTILINE))
    assert {point.name for point in entry_points(group="yarigar.sms")} <= rows
