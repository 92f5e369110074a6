"""Commands for volunteers: booths, lists on paper, hand-over, a lost SIM."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import cli
from gateway.placing import shipped, take_in
from gateway.sweeping import sweep
from ledger import people
from ledger.engine import reading
from tests.gateway.house import NOON, OTHER_PHONE, PHONE
from tests.gateway.operator import Operator
from tests.gateway.test_volunteers_story import DIRECT, booth, sign_up, write_down

LIST = (
    "phone,skill,time,place\n09351112233,آموزش,هنگام نیاز,\n"
    "09121110000,repairs,more,{}\n"
)


@pytest.fixture
def desk(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Operator:
    take_in(operator.gateway.service.engine, shipped(), by="test", at=NOON)
    for module in ("volunteers", "requests"):
        monkeypatch.setattr(f"gateway.cli.{module}.now", operator.gateway.clock)
    return operator


def listed(tmp_path: Path, text: str) -> str:
    path = tmp_path / "list.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def bring_in(desk: Operator, path: str, *more: str) -> str:
    ran = desk.run(
        *("volunteers", "import", path, "--batch", "stand-1"),
        *("--place", "c11023", "--by", "sara", *more),
    )
    assert ran.exit_code == 0, ran.output
    return ran.output


def test_a_list_is_only_looked_at_without_yes(desk: Operator, tmp_path: Path) -> None:
    said = bring_in(desk, listed(tmp_path, LIST.format("16041")))
    assert "2 to be asked" in said
    assert "nothing is written yet" in said
    assert desk.gateway.rows("entry") == []


def test_a_list_is_entered_once_and_each_phone_asked(
    desk: Operator, tmp_path: Path
) -> None:
    path = listed(tmp_path, LIST.format("16041"))
    assert "2 entries" in bring_in(desk, path, "--yes")
    assert "0 entries" in bring_in(desk, path, "--yes")
    assert [row.place for row in desk.gateway.rows("entry")] == ["c11023", "c16041"]
    sweep(desk.gateway.service, desk.gateway.clock())
    assert desk.gateway.promised == ["sms.entry", "sms.entry"]
    assert desk.gateway.rows("signup") == []


def test_a_line_that_changed_is_named_and_stays(desk: Operator, tmp_path: Path) -> None:
    bring_in(desk, listed(tmp_path, LIST.format("16041")), "--yes")
    changed = LIST.format("16041").replace("repairs", "health")
    said = bring_in(desk, listed(tmp_path, changed), "--yes")
    assert "line 2: skill was different before" in said
    assert "0 entries" in said


def test_a_rehearsed_list_is_brought_in_all_the_same(
    desk: Operator, tmp_path: Path
) -> None:
    path = listed(tmp_path, LIST.format("16041"))
    assert "2 entries" in bring_in(desk, path, "--yes", "--test")
    assert "2 entries" in bring_in(desk, path, "--yes")
    assert [row.test for row in desk.gateway.rows("entry")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("02188889999,teaching,more,", "line 1: "),
        ("09351112233,flying,more,", "no such skill"),
        ("09351112233,teaching,never,", "no such time"),
        ("09351112233,teaching,more,99", "no such place"),
        ("09351112233,teaching,more", "3 cells"),
        ("09351112233,teaching,more,\n0935 111 2233,health,more,", "stands in line 1"),
    ],
)
def test_a_list_with_a_fault_is_refused_and_tells_no_number(
    desk: Operator, tmp_path: Path, line: str, fault: str
) -> None:
    path = listed(tmp_path, f"phone,skill,time,place\n{line}\n")
    ran = desk.run("volunteers", "import", path, "--batch", "b", "--yes")
    assert ran.exit_code == 2
    assert fault in ran.output
    assert "35111" not in ran.output
    assert desk.gateway.rows("entry") == []


def test_booths_are_counted_without_names(desk: Operator) -> None:
    dial, code = booth(desk.gateway)
    write_down(desk.gateway, "09351112233", "s1")
    here = f"*780*5588*22*{dial}#"
    desk.gateway.walk("1", "4", "1", "4", "1", code=here, session="s2")
    ran = desk.run("volunteers", "booths")
    assert ran.exit_code == 0, ran.exception
    assert ran.output == (f"{code}: 1 signed up, 1 written down and not answered\n")


def hand_over(desk: Operator, out: Path, *more: str) -> str:
    ran = desk.run(
        *("volunteers", "hand-over", "--round", "1405-09-01"),
        *("--out", str(out), "--by", "sara", *more),
    )
    assert ran.exit_code == 0, ran.output
    return ran.output


def rows(path: Path) -> list[dict[str, str]]:
    text = path.read_text(encoding="utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


def test_the_lists_of_a_round_sum_to_its_total(desk: Operator, tmp_path: Path) -> None:
    gateway = desk.gateway
    sign_up(gateway, "s1")
    sign_up(gateway, "s2", "+989120000001")
    three = gateway.walk(
        "1", "4", "1", "4", "1", code=DIRECT, session="s3", phone=OTHER_PHONE
    )
    assert three.ends
    gateway.walk(
        *("1", "3", "تهران", "تهران", "6", "1", "4", "1"),
        code=DIRECT,
        session="s4",
        phone="+989120000002",
    )
    said = hand_over(desk, tmp_path / "lists")
    assert "4 volunteers in 3 lists" in said
    (one, two) = rows(tmp_path / "lists" / "c11023.csv")
    assert {one["volunteer"], two["volunteer"]} == {"***4567", "***0001"}
    sums = rows(tmp_path / "lists" / "TOTALS.csv")
    assert {row["list"]: row["volunteers"] for row in sums} == {
        "c11023": "2",
        "without-centre": "1",
        "place-unknown": "1",
        "total": "4",
    }
    ran = desk.run(
        *("volunteers", "hand-over", "--round", "between"),
        *("--out", str(tmp_path / "lists"), "--by", "sara"),
    )
    assert ran.exit_code == 2
    assert "name another folder" in ran.output
    gateway.walk("3", "1", code=DIRECT, session="s5")
    assert "3 volunteers" in hand_over(desk, tmp_path / "again")
    assert "1 volunteers in 1 lists" in hand_over(
        desk, tmp_path / "own", "--centre", "c11023"
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--round", "1405-09-01", "--campaign", "foo"), "no campaign 'foo'"),
        (("--round", "foo"), "no round 'foo'"),
        (("--round", "1405/09/01"), "signed up in: 1405-09-01"),
        (("--round", "1405-09-02"), "no round '1405-09-02'"),
        # It is a round of the menus, and has not begun.
        (("--round", "1405-10-01"), "no round '1405-10-01'"),
        (("--round", ""), "no round ''"),
    ],
)
def test_a_round_that_never_was_is_not_handed_over_empty(
    desk: Operator, tmp_path: Path, asked: tuple[str, ...], said: str
) -> None:
    sign_up(desk.gateway, "s1")
    out = tmp_path / "lists"
    ran = desk.run("volunteers", "hand-over", *asked, "--out", str(out), "--by", "sara")
    assert (ran.exit_code, ran.output.count("\n")) == (2, 1)
    assert said in ran.output
    assert not out.exists()
    assert desk.gateway.rows("event", kind="export.people") == []


def test_a_round_that_nobody_signed_up_in_is_handed_over_empty(
    desk: Operator, tmp_path: Path
) -> None:
    ran = desk.run(
        *("volunteers", "hand-over", "--round", "1405-08-01"),
        *("--out", str(tmp_path / "lists"), "--by", "sara"),
    )
    assert (ran.exit_code, ran.output) == (0, "0 volunteers in 0 lists\n")


def test_whole_numbers_need_a_request_that_others_agreed_to(
    desk: Operator, tmp_path: Path
) -> None:
    sign_up(desk.gateway, "s1")
    ran = desk.run(
        *("volunteers", "hand-over", "--round", "1405-09-01"),
        *("--out", str(tmp_path / "x"), "--request", "7"),
    )
    assert ran.exit_code == 2
    assert not (tmp_path / "x").exists()


def test_a_lost_sim_needs_a_second_person(desk: Operator) -> None:
    sign_up(desk.gateway, "s1")
    ran = CliRunner().invoke(
        cli,
        ("people", "renumber", "--reason", "SIM is lost", "--by", "sara"),
        env={"YARIGAR_CONFIG": str(desk.config)},
        input="09121234567\n09351112233\n",
    )
    assert ran.exit_code == 0, ran.output
    assert "***4567 becomes ***2233" in ran.output
    assert "waits for 1 more" in ran.output
    keys = desk.gateway.service.keys
    with reading(desk.gateway.service.engine) as db:
        assert people.find(db, keys, OTHER_PHONE) is None
    own = desk.run("requests", "approve", "1", "--by", "sara")
    assert own.exit_code == 2
    agreed = desk.run("requests", "approve", "1", "--by", "reza")
    assert agreed.exit_code == 0, agreed.output
    with reading(desk.gateway.service.engine) as db:
        assert people.find(db, keys, OTHER_PHONE) is not None
        assert people.find(db, keys, PHONE) is None
    assert desk.gateway.rows("renumbering")[0].state == "done"


def test_a_number_with_records_of_its_own_takes_no_others(desk: Operator) -> None:
    sign_up(desk.gateway, "s1")
    sign_up(desk.gateway, "s2", OTHER_PHONE)
    ran = CliRunner().invoke(
        cli,
        ("people", "renumber", "--reason", "SIM is lost", "--by", "sara"),
        env={"YARIGAR_CONFIG": str(desk.config)},
        input="09121234567\n09351112233\n",
    )
    assert ran.exit_code == 2
    assert "records of its own" in ran.output
