"""Each file of tests/menus/patches puts one mistake into the shipped menus.

`replace` and `by` make the mistake; each of `faults` stands on the line of the changed
file that holds `at`, and begins with `says`. Nothing else may be found.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phone.encoding import Limits
from sms.keywords import RESERVED
from ussd.faults import BadMenus, Fault
from ussd.menus import Menus
from ussd.prover import Line, prove
from ussd.reading import read

MENUS = Path(__file__).parents[1] / "menus"
PATCHES = sorted((MENUS / "patches").glob("*.yaml"))
SMALL = (MENUS / "good.yaml").read_text(encoding="utf-8")
CHANNELS = {"at": Limits()}
LINES = [Line("10001", "لغو۱۱")]


def _faults(source: str) -> list[Fault]:
    try:
        menus = read(source, time_zone="Asia/Tehran")
    except BadMenus as refused:
        return list(refused.faults)
    return prove(menus, channels=CHANNELS, lines=LINES, reserved=RESERVED)


def _line_of(source: str, words: str) -> int:
    found = [n for n, line in enumerate(source.splitlines(), 1) if words in line]
    assert len(found) == 1, (words, found)
    return found[0]


def _begins(source: str, fault: Fault) -> bool:
    """Whether something begins at the place of a fault: a name, a value, a bracket."""
    line = source.splitlines()[fault.line - 1]
    before, rest = line[: fault.column - 1], line[fault.column - 1 :]
    return bool(rest.strip()) and (not before.strip() or before[-1] in " {[")


def test_the_shipped_menus_have_no_fault(menus: Menus) -> None:
    rooms = {"at": Limits(), "wide": Limits(182, 80)}
    assert prove(menus, channels=rooms, lines=LINES, reserved=RESERVED) == []


def test_there_are_cases_of_many_kinds() -> None:
    assert len(PATCHES) >= 100


@pytest.mark.parametrize(
    ("before", "after", "begins"),
    [
        ("to: give.other}", "to: nowhere}", '{key: "3", label: '),
        ("    then: vol.town", "    then: nowhere", "vol.province:"),
        ("turns_max: 40", "turns_max: forty", "forty"),
        ("start: root", "start: nowhere", "start: "),
        ('    pay: "*780*0000#"\n    # Who', '    pay: "*780#"\n    # Who', "pay: "),
    ],
)
def test_a_fault_has_the_column_of_what_it_is_about(
    source: str, before: str, after: str, begins: str
) -> None:
    assert before in source
    changed = source.replace(before, after, 1)
    fault = _faults(changed)[0]
    line = changed.splitlines()[fault.line - 1]
    assert line[fault.column - 1 :].startswith(begins), (line, fault)


@pytest.mark.parametrize("path", PATCHES, ids=lambda path: path.stem)
def test_a_mistake_is_found_on_its_line_and_nothing_else(
    source: str, path: Path
) -> None:
    case: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert source.count(case["replace"]) == 1
    changed = source.replace(case["replace"], case["by"])
    found = _faults(changed)
    wanted = [(_line_of(changed, f["at"]), f["says"]) for f in case["faults"]]
    said = "\n".join(map(str, found))
    assert sorted(line for line, _ in wanted) == [fault.line for fault in found], said
    for line, says in wanted:
        at = [fault for fault in found if fault.line == line]
        assert any(says in fault.what for fault in at), said
        assert all(fault.remedy for fault in at)
        assert all(_begins(changed, fault) for fault in at), said


def test_a_shortcut_past_the_questions_is_found(source: str) -> None:
    changed = source.replace(
        '"*780*55881#": give.amount', '"*780*55881#": give.confirm'
    )
    whats = {fault.what for fault in _faults(changed)}
    assert whats == {
        "give.confirm speaks of 'amount', which not every way to it asks for",
        "give.confirm speaks of 'purpose', which not every way to it asks for",
        "pledge needs 'amount', which is not asked for",
        "standing needs 'amount', which is not asked for",
        "instalments needs 'amount', which is not asked for",
        "pledge needs 'purpose', which is not asked for",
        "standing needs 'purpose', which is not asked for",
        "instalments needs 'purpose', which is not asked for",
    }


def test_an_effect_that_lacks_an_answer_is_found(source: str) -> None:
    changed = source.replace("set: {time: more}, to: vol.confirm", "to: vol.confirm")
    whats = {fault.what for fault in _faults(changed)}
    assert whats == {
        "vol.confirm speaks of 'time', which not every way to it asks for",
        "sign_up needs 'time', which is not asked for",
        "change_sign_up needs 'time', which is not asked for",
    }


def test_a_list_of_pledges_may_not_be_skipped(source: str) -> None:
    changed = source.replace('"*780*55881#": give.amount', '"*780*55881#": st.one')
    whats = {fault.what for fault in _faults(changed)}
    assert "st.one speaks of a pledge that was not picked" in whats


def test_a_figure_beside_its_key_is_found(source: str) -> None:
    changed = source.replace('fa: "پنجاه هزار"', 'fa: "۵۰ هزار"')
    assert [fault.what for fault in _faults(changed)] == [
        "key 2 of give.amount begins with a figure, and both read as one number"
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ('bye:\n    fa: "سپاس از شما {call}', "notice bye speaks of 'call'"),
        ('bye:\n    fa: "{language|toman}', "notice bye (fa): '{language|toman}"),
        ('bye:\n    fa: "' + "بسیار " * 12, "notice bye (fa) is 37 over on at"),
    ],
)
def test_a_notice_that_cannot_be_said_is_found(
    source: str, words: str, says: str
) -> None:
    changed = source.replace('bye:\n    fa: "سپاس از شما', words, 1)
    (fault,) = _faults(changed)
    assert fault.what.startswith(says)
    assert "  bye:" in changed.splitlines()[fault.line - 1]


def test_a_screen_is_measured_on_every_channel(menus: Menus) -> None:
    rooms = {"at": Limits(), "narrow": Limits(150, 60)}
    found = prove(menus, channels=rooms, lines=LINES)
    assert found
    assert {fault.what.rpartition(" ")[2] for fault in found} == {"narrow"}


def test_a_text_is_measured_with_the_words_of_every_line(menus: Menus) -> None:
    long = Line("10001", "برای لغو عدد ۱۱ را بفرستید")
    whats = [f.what for f in prove(menus, channels=CHANNELS, lines=[*LINES, long])]
    assert "sms.vol (fa) can take 2 parts in ucs2" in whats
    assert all("(fa)" in what for what in whats)


def test_a_longer_sender_makes_a_longer_screen(menus: Menus) -> None:
    long = Line("9" * 60, "")
    whats = [f.what for f in prove(menus, channels=CHANNELS, lines=[long])]
    assert any(what.startswith("out.done (fa) can be ") for what in whats)


def test_a_text_with_the_longest_typed_answer_is_measured(source: str) -> None:
    before = "answer: town\n      kind: text\n      min: 2\n      max: 15"
    assert source.count(before) == 1
    changed = source.replace(before, before.replace("15", "40"))
    whats = [fault.what for fault in _faults(changed)]
    assert [what[: what.index(" can")] for what in whats] == [
        "vol.confirm (en)",
        "vol.confirm (fa)",
    ]


@pytest.mark.parametrize("letter", ["}", "{", '"', ":", "- "])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_slip_of_the_pen_breaks_the_prover(letter: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(SMALL)))
    cut = data.draw(st.integers(0, 3))
    found = _faults(SMALL[:at] + letter + SMALL[at + cut :])
    lines = SMALL.count("\n") + 2
    assert all(1 <= fault.line <= lines for fault in found)


@pytest.mark.parametrize("doubled", [False, True])
def test_no_line_left_out_or_doubled_breaks_the_prover(doubled: bool) -> None:
    lines = SMALL.splitlines()
    for at in range(len(lines)):
        again = [lines[at]] * 2 if doubled else []
        found = _faults("\n".join(lines[:at] + again + lines[at + 1 :]))
        assert all(1 <= fault.line <= len(lines) + 1 for fault in found)
        assert found == sorted(found)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_line_left_out_of_the_shipped_menus_breaks_the_prover(
    source: str, data: st.DataObject
) -> None:
    lines = source.splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    found = _faults("\n".join(lines[:at] + lines[at + 1 :]))
    assert all(1 <= fault.line <= len(lines) for fault in found)
