"""`ledger export` and `ledger compare`, and who has to agree."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.cli.ledger import FORMATS as FORMAT_NAMES
from gateway.cli.ledger import WHAT
from gateway.exporting import NotPermitted, Wanted, permitted
from ledger.export import FORMATS, TABLES, Selection
from tests.gateway.house import Gateway
from tests.gateway.operator import CAMPAIGN, Operator
from tests.ledger.books import Books

FULL = "9121234567"


@pytest.fixture(autouse=True)
def _clock(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("ledger", "requests"):
        monkeypatch.setattr(f"gateway.cli.{module}.now", gateway.clock)


def test_the_command_knows_every_table_and_format() -> None:
    assert list(WHAT) == list(TABLES)
    assert list(FORMAT_NAMES) == list(FORMATS)


def test_a_file_has_its_manifest_beside_it(operator: Operator, tmp_path: Path) -> None:
    operator.gateway.pledge()
    out = tmp_path / "j.hledger"
    done = run(operator, "journal", "--format", "hledger", "--out", str(out))
    assert (done.exit_code, done.stdout) == (0, f"{out}: 1 rows\n")
    told = json.loads((tmp_path / "j.hledger.manifest.json").read_text())
    assert (told["what"], told["format"], told["rows"]) == ("journal", "hledger", 1)
    assert told["made_at"] == "2026-11-22T08:30:00Z"


def test_two_exports_are_compared(operator: Operator, tmp_path: Path) -> None:
    manifests = []
    for name in "abc":
        run(operator, "pledges", "--out", str(tmp_path / name))
        manifests.append(str(tmp_path / f"{name}.manifest.json"))
        if name == "b":
            operator.gateway.pledge()
            run(operator, "pledges", "--out", str(tmp_path / "c"))
    first, second, third = manifests
    same = operator.run("ledger", "compare", first, second)
    assert (same.exit_code, same.output) == (0, "The same: 0 rows of pledges.\n")
    other = operator.run("ledger", "compare", first, third)
    assert other.exit_code == 1
    assert "rows: 0, then 1 (+1)\n" in other.output
    assert "rial open amount: 0, then 750000 (+750000)\n" in other.output


@pytest.mark.parametrize("name", ["missing.json", "bad.json"])
def test_what_cannot_be_compared_is_told_in_a_line(
    operator: Operator, tmp_path: Path, name: str
) -> None:
    (tmp_path / "bad.json").write_text("{")
    place = str(tmp_path / name)
    refused = operator.run("ledger", "compare", place, place)
    assert refused.exit_code == 2
    assert refused.output.count("\n") == 1
    assert name in refused.output


def test_numbers_in_full_leave_when_two_agreed(
    operator: Operator, tmp_path: Path
) -> None:
    gateway = operator.gateway
    gateway.pledge()
    out = tmp_path / "people.csv"
    masked = run(operator, "people", "--out", str(out))
    assert masked.exit_code == 0
    assert FULL not in out.read_text()

    asked = run(operator, "people", "--in-full", "--reason", "the insurer asks")
    assert asked.exit_code == 0
    assert "request 1 waits for 1 more" in asked.output
    early = run(operator, "people", "--request", "1", "--out", str(out))
    assert (early.exit_code, early.output) == (
        2,
        "yarigar: request 1 waits: 1 more have to agree\n",
    )
    own = operator.run("requests", "approve", "1", "--by", "sara")
    assert own.exit_code != 0
    agreed = operator.run("requests", "approve", "1", "--by", "reza")
    assert agreed.exit_code == 0, agreed.output
    done = run(operator, "people", "--request", "1", "--out", str(out))
    assert done.exit_code == 0, done.output
    assert FULL in out.read_text()
    first, second = gateway.rows("event", kind="export.people")
    assert (first.body["in_full"], first.body["request"]) == (0, 0)
    assert (second.body["in_full"], second.body["request"]) == (1, 1)
    assert (second.body["by"], second.body["rows"]) == ("sara", 1)
    assert all(FULL not in str(event) for event in gateway.rows("event"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pledges", "--in-full", "--out", "x"], "only people have numbers"),
        (["people", "--in-full", "--out", "x"], "need --reason"),
        (["people", "--request", "1", "--in-full", "--out", "x"], "its own days"),
        (
            ["pledges", "--request", "1", "--campaign", "c", "--out", "x"],
            "its own days",
        ),
        (["pledges"], "--out names the file"),
        (["pledges", "--format", "hledger", "--out", "x"], "journal only"),
        (["pledges", "--request", "7", "--out", "x"], "none for an export"),
        (["people", "--in-full", "--reason", "call 09121234567"], "no phone"),
        (["pledges", "--campaign", "c" * 41, "--out", "x"], "at most 40"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    operator: Operator, tmp_path: Path, arguments: list[str], said: str
) -> None:
    arguments = [str(tmp_path / "x") if one == "x" else one for one in arguments]
    refused = run(operator, *arguments)
    assert refused.exit_code == 2
    assert said in refused.output
    assert "Traceback" not in refused.output
    assert not (tmp_path / "x").exists()
    assert operator.gateway.rows("event", kind="export.people") == []


@pytest.mark.parametrize(
    "more", [("people", "--in-full", "--reason", "they ask"), ("pledges", "--out", "x")]
)
def test_an_unknown_campaign_is_no_empty_file(
    operator: Operator, tmp_path: Path, more: tuple[str, ...]
) -> None:
    arguments = [str(tmp_path / "x") if one == "x" else one for one in more]
    refused = run(operator, *arguments, "--campaign", "nope")
    assert (refused.exit_code, refused.output) == (
        2,
        "yarigar: there is no campaign 'nope': there are one-plus-one, salam-mahalle\n",
    )
    assert list(tmp_path.glob("x*")) == []
    assert operator.gateway.rows("request") == []


def test_a_campaign_that_left_the_menus_is_exported_as_before(
    operator: Operator, tmp_path: Path
) -> None:
    Books(operator.gateway.service.engine).pledge(campaign="yalda-1404")
    out = tmp_path / "old.csv"
    done = run(operator, "pledges", "--campaign", "yalda-1404", "--out", str(out))
    assert (done.exit_code, done.stdout) == (0, f"{out}: 1 rows\n")
    refused = run(operator, "pledges", "--campaign", "yalda", "--out", str(out))
    assert "there are one-plus-one, salam-mahalle, yalda-1404" in refused.output


def test_a_permission_is_for_its_table_its_days_and_a_week(
    operator: Operator,
) -> None:
    gateway = operator.gateway
    service = gateway.service
    asked = ["people", "--in-full", "--from", "1405/09/01", "--campaign", CAMPAIGN]
    run(operator, *asked, "--reason", "the insurer asks")
    operator.run("requests", "approve", "1", "--by", "reza")
    at = gateway.clock()

    def use(what: str, **later: float) -> Wanted:
        return permitted(
            service.engine,
            what,
            1,
            time_zone="Asia/Tehran",
            at=at + timedelta(**later),
        )

    wanted = use("people", days=7)
    assert wanted.in_full
    assert isinstance(wanted.selection, Selection)
    assert (str(wanted.selection.since), wanted.selection.until) == ("2026-11-22", None)
    assert wanted.selection.campaign == CAMPAIGN
    with pytest.raises(NotPermitted, match="request 1 is for people"):
        use("pledges")
    with pytest.raises(NotPermitted, match="older than 7 days"):
        use("people", days=7, seconds=1)


def test_a_refused_request_lets_nothing_out(operator: Operator) -> None:
    run(operator, "people", "--in-full", "--reason", "the insurer asks")
    operator.run("requests", "refuse", "1", "--reason", "no", "--by", "reza")
    refused = run(operator, "people", "--request", "1", "--out", "x")
    assert "request 1 is refused" in refused.output


def run(operator: Operator, *arguments: str):  # type: ignore[no-untyped-def]
    return operator.run("ledger", "export", *arguments, "--by", "sara")
