"""Each file of tests/menus/bad is small menus with one mistake in them.

The line that a newcomer has to look at is marked there by `# fault:`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.cli import cli
from tests.gateway.house import ROOT

MENUS = ROOT / "tests" / "menus"
BAD = MENUS / "bad"
FILES = sorted(BAD.glob("*.yaml"))
# What stands before a colon: names of screens, campaigns and texts, dial codes.
NAMED = re.compile(r'^ +"?([\w.*#]+)"?:', re.MULTILINE)
FIRST_WORDS = 4


Found = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Settings that say nothing, whatever file lies where the tests are run."""
    path = tmp_path_factory.mktemp("bare") / "yarigar.toml"
    path.touch()
    return {"YARIGAR_CONFIG": str(path)}


@pytest.fixture(scope="module")
def found(bare: dict[str, str]) -> Found:
    """The faults that the command tells of the folder, by the name of the file."""
    asked = ["menus", "check", "--format", "json", str(BAD)]
    told = CliRunner().invoke(cli, asked, env=bare)
    assert told.exit_code == 1, told.output
    return {Path(one["file"]).stem: one["faults"] for one in json.loads(told.output)}


def kind(path: Path, what: str) -> str:
    """The first words of a message, without names, quotations and figures."""
    names = NAMED.findall(path.read_text(encoding="utf-8"))
    words = re.sub(r"'.*'|\".*\"", "", what).split()
    plain = [word for word in words if word not in names and word.isalpha()]
    return " ".join(plain[:FIRST_WORDS])


def test_the_menus_without_the_mistakes_pass(bare: dict[str, str]) -> None:
    told = CliRunner().invoke(
        cli, ["menus", "check", str(MENUS / "good.yaml")], env=bare
    )
    assert told.exit_code == 0, told.output
    assert "no fault" in told.output


def test_every_file_of_the_folder_is_checked(found: Found) -> None:
    assert list(found) == [path.stem for path in FILES]
    assert len(FILES) >= 40


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_marked_line_is_named_with_a_remedy_and_no_other(
    found: Found, path: Path
) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    marked = {n for n, line in enumerate(lines, 1) if re.search("# fault: .", line)}
    faults = found[path.stem]
    assert marked
    assert {fault["line"] for fault in faults} == marked, faults
    assert all(fault["what"].strip() and fault["remedy"].strip() for fault in faults)


def test_the_faults_are_of_many_kinds(found: Found) -> None:
    kinds = {kind(path, fault["what"]) for path in FILES for fault in found[path.stem]}
    assert len(kinds) >= 50, sorted(kinds)
