"""`menus check` and `menus schema`, and what they tell a program."""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from gateway import effects
from gateway.cli import cli
from ledger.pledges import CancelOutcome
from tests.gateway.house import ROOT
from ussd.menus import EFFECT_TAKES, EFFECTS, CampaignState
from ussd.prover.ways import OUTCOMES

MENUS = ROOT / "menus.yaml"
CHANNEL = """
[ussd.at]
adapter = "africastalking"
key = "{key}"
session_seconds_max = {session}
step_price = "2.5 rial"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "yarigar.toml"
    path.write_text(CHANNEL.format(key="k" * 24, session=180), encoding="utf-8")
    return path


def run(config: Path, *arguments: object) -> Result:
    env = {"YARIGAR_CONFIG": str(config)}
    return CliRunner().invoke(cli, ["menus", *map(str, arguments)], env=env)


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.yaml"
    source = MENUS.read_text(encoding="utf-8")
    path.write_text(source.replace("to: give.other}", "to: give.othr}"))
    return path


def test_a_file_without_a_fault_tells_what_each_deed_takes(config: Path):
    told = run(config, "check", MENUS)
    assert told.exit_code == 0, told.output
    first, heads, *rows = told.output.splitlines()
    assert first.endswith(": no fault")
    assert heads.split() == [
        *("flow", "does", "from", "screens", "seconds", "costs", "on", "at")
    ]
    (pledge,) = (row.split() for row in rows if " pledge " in row)
    assert pledge[:4] == ["give", "pledge", "*780*5588*1#", "4"]
    assert pledge[-2:] == ["10.0", "rial"]


def test_a_program_gets_one_object(config: Path, bad: Path):
    told = run(config, "check", "--format", "json", MENUS)
    assert told.exit_code == 0, told.output
    held = json.loads(told.output)
    assert held["faults"] == []
    assert held["summary"]["faults"] == 0
    assert held["summary"]["screens"] > 40
    assert {"flow", "does", "from", "screens", "seconds", "steps", "costs"} == set(
        held["ways"][0]
    )

    told = run(config, "check", "--format", "json", bad)
    assert told.exit_code == 1
    held = json.loads(told.output)
    assert held["file"] == str(bad)
    assert held["summary"] == {"faults": len(held["faults"])}
    lines = bad.read_text(encoding="utf-8").splitlines()
    for fault in held["faults"]:
        assert set(fault) == {"line", "column", "what", "remedy"}
        line = lines[fault["line"] - 1]
        assert "give.othr" in line
        assert line[fault["column"] - 1 :].startswith('{key: "')


def test_each_text_is_told_with_its_parts_and_why(config: Path):
    told = run(config, "check", MENUS)
    lines = told.output.splitlines()
    (heads,) = (n for n, line in enumerate(lines) if line.startswith("text "))
    assert lines[heads].split()[:5] == ["text", "kind", "in", "parts", "holds"]
    rows = {tuple(line.split()[:3]): line for line in lines[heads + 1 :]}
    assert "Send 11 to stop." in rows["sms.campaign", "campaign", "en"]
    assert "/160 gsm7" in rows["sms.campaign", "campaign", "en"]
    assert "U+067E پ at 1 and " in rows["sms.campaign", "campaign", "fa"]
    answer = rows["sms.answer", "service", "fa"]
    assert " 4  245/268 ucs2" in answer
    assert "cut 44 for one part fewer" in answer


def test_a_stray_letter_is_told_with_what_it_costs(config: Path, tmp_path: Path):
    path = tmp_path / "stray.yaml"
    source = MENUS.read_text(encoding="utf-8")
    plain = "1+1: you will get no more campaign SMS. To rejoin send 12."
    assert plain in source
    stray = plain.replace("you will", "you’ll") + " Thank you for all."
    source = source.replace(plain, stray)
    path.write_text(
        source.replace("  sms.out:\n", "  sms.out:\n    parts_max: 2\n"),
        encoding="utf-8",
    )
    told = run(config, "check", path)
    assert told.exit_code == 0, told.output
    (row,) = (
        line
        for line in told.output.splitlines()
        if line.split()[:3] == ["sms.out", "receipt", "en"]
    )
    assert "U+2019 ’ at 9; 1 part without" in row


def test_a_program_gets_the_texts_too(config: Path):
    held = json.loads(run(config, "check", "--format", "json", MENUS).output)
    (pledge,) = (
        one
        for one in held["texts"]
        if (one["name"], one["language"]) == ("sms.pledge", "fa")
    )
    assert (pledge["parts"], pledge["encoding"], pledge["room"]) == (1, "ucs2", 70)
    assert (pledge["letter"], pledge["at"]) == ("۱", 1)


def test_faults_are_told_as_lines_with_their_places(config: Path, bad: Path):
    told = run(config, "check", bad)
    assert told.exit_code == 1
    for line in told.output.splitlines():
        assert re.search(r"bad\.yaml:\d+:\d+: .+\. .+", line), line


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_file_that_is_not_there_is_a_fault_too(config: Path, form: str):
    told = run(config, "check", "--format", form, "nowhere.yaml")
    assert told.exit_code == 1
    assert "No such file" in told.output


def test_of_several_files_each_is_told(config: Path, bad: Path):
    told = run(config, "check", MENUS, bad, bad.parent / "none.yaml")
    assert told.exit_code == 1
    (line,) = told.stdout.splitlines()
    assert line.startswith(f"{MENUS}: ")
    assert line.endswith(": no fault")
    files = {line.partition(":")[0] for line in told.stderr.splitlines()}
    assert files == {str(bad), str(bad.parent / "none.yaml")}


def test_a_folder_is_checked_file_by_file(config: Path, bad: Path):
    good = bad.parent / "good.yaml"
    good.write_bytes(MENUS.read_bytes())
    (bad.parent / "notes.txt").write_text("no menus", encoding="utf-8")
    told = run(config, "check", "--format", "json", bad.parent)
    assert told.exit_code == 1
    held = json.loads(told.output)
    assert [one["file"] for one in held] == [str(bad), str(good)]
    assert [bool(one["faults"]) for one in held] == [True, False]

    bad.unlink()
    told = run(config, "check", bad.parent)
    assert told.exit_code == 0, told.output
    assert told.output.splitlines() == [
        run(config, "check", good).output.splitlines()[0]
    ]


def test_a_folder_without_menus_does_not_pass(config: Path, tmp_path: Path):
    empty = tmp_path / "empty"
    empty.mkdir()
    told = run(config, "check", MENUS, empty)
    assert told.exit_code == 2
    assert "no menu file in it" in told.output


def test_a_carrier_that_waits_less_refuses_the_menus(config: Path):
    config.write_text(CHANNEL.format(key="k" * 24, session=20), encoding="utf-8")
    told = run(config, "check", MENUS)
    assert told.exit_code == 1
    assert "at ends a call after 20" in told.output


def test_the_schema_is_printed(config: Path):
    told = run(config, "schema")
    assert told.exit_code == 0
    Draft202012Validator.check_schema(json.loads(told.output))


def test_the_prover_knows_what_deeds_come_to():
    """The words are in two packages, of which one may not import the other."""
    states = {str(state) for state in CampaignState if state is not CampaignState.OPEN}
    assert set(OUTCOMES) == set(EFFECTS) <= set(effects.DOING)
    for gift in ("pledge", "pledge_in_kind", "instalments"):
        assert set(OUTCOMES[gift]) == {"", *states}
    assert set(OUTCOMES["standing"]) == {"", "already", *states}
    assert set(OUTCOMES["cancel"]) == {str(outcome) for outcome in CancelOutcome}


def _read_by(deed: Callable[..., Any], seen: set[object]) -> set[str]:
    """The answers that a deed reads, and whatever of `gateway` it hands them to."""
    seen.add(deed)
    module = inspect.getmodule(deed)
    tree = ast.parse(textwrap.dedent(inspect.getsource(deed)))
    named = {"answers"} & set(inspect.signature(deed).parameters)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            (to,), of = node.targets, node.value
            pairs = [(to, of)]
            if isinstance(to, ast.Tuple) and isinstance(of, ast.Tuple):
                pairs = list(zip(to.elts, of.elts, strict=True))
            named |= {
                ast.unparse(one) for one, from_ in pairs if _is_answers(from_, set())
            }
    found: set[str] = set()
    for node in ast.walk(tree):
        key = None
        if isinstance(node, ast.Subscript) and _is_answers(node.value, named):
            key = node.slice
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "get"
            and _is_answers(node.func.value, named)
        ):
            key = node.args[0]
        if key is not None:
            found |= _keys(key, module)
        elif isinstance(node, ast.Name | ast.Attribute):
            one = _named(node, module)
            is_ours = inspect.isfunction(one) and one.__module__.startswith("gateway.")
            if is_ours and one not in seen:
                found |= _read_by(one, seen)
    return found


def _is_answers(node: ast.expr, named: set[str]) -> bool:
    return ast.unparse(node) in {"order.effect.answers", *named}


def _keys(key: ast.expr, module: object) -> set[str]:
    """What a key says, or every one of the list that it is looked up in."""
    if isinstance(key, ast.Constant):
        return {str(key.value)}
    assert isinstance(key, ast.Call), ast.unparse(key)
    assert isinstance(key.func, ast.Attribute), ast.unparse(key)
    listed = _named(key.func.value, module)
    assert isinstance(listed, Mapping), ast.unparse(key)
    return set(listed.values())


def _named(node: ast.expr, module: object) -> Any:
    """What a name, or a name of another module, stands for."""
    if isinstance(node, ast.Attribute):
        of = _named(node.value, module)
        return getattr(of, node.attr, None) if inspect.ismodule(of) else None
    return getattr(module, node.id, None) if isinstance(node, ast.Name) else None


@pytest.mark.parametrize("name", EFFECTS)
def test_the_prover_knows_which_answers_deeds_write_down(name: str):
    used = _read_by(effects.DOING[name], set())
    assert used == {*EFFECTS[name], *EFFECT_TAKES.get(name, ())}
