"""Settlement files against the books, as an operator runs them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import pytest
from click.testing import Result

from gateway.settlements.files import opened
from gateway.settlements.reconciling import Finding, Reconciling, State
from gateway.settlements.spool import spooled
from ledger.engine import reading, writing
from ledger.verify import verify
from tests.gateway.cashier import Cashier
from tests.gateway.operator import Operator, write_settings

BOTH = pytest.mark.parametrize("gateway_database", ["sqlite", "postgresql"])
HEAD = "id,amount,paid_at,code,fee\n"
SETTINGS = """
[payments.psp]
adapter = "signed-json"
secret = "long-and-random"
[payments.till]
adapter = "pos"
secret = "long-and-random"
campaign = "one-plus-one"
purpose = "needed"
bank = "saman"
unit = "toman"
[payments.till.columns]
id = "رسید"
amount = "مبلغ"
paid_at = "روز"
paid_time = "ساعت"
phone = "همراه"
[payments.rehearsed]
adapter = "signed-json"
secret = "long-and-random"
test = true
"""


class Desk(Operator):
    """Somebody who reconciles the file of `psp`."""

    def reconcile(self, text: str | bytes, *more: str, source: str = "psp") -> Result:
        file = self.config.parent / "file.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.gateway.clock.wait(seconds=1)
        return self.run(
            "ledger", "reconcile", str(file), "--source", source, *more, "--by", "sara"
        )


@pytest.fixture
def desk(cashier: Cashier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    config = tmp_path / "yarigar.toml"
    write_settings(cashier.gateway, config)
    with config.open("a") as file:
        file.write(SETTINGS)
    for module in ("reconcile", "requests"):
        monkeypatch.setattr(f"gateway.cli.{module}.now", cashier.gateway.clock)
    return Desk(cashier.gateway, config)


def lines(result: Result) -> dict[str, tuple[int, int]]:
    """The table of a result: what, how many lines, how many rial."""
    found = {}
    for line in result.output.splitlines():
        if line.startswith("  ") and line.endswith(" rial"):
            what, count, rial = line.removesuffix(" rial").rsplit(None, 2)
            found[what.strip()] = (int(count), int(rial))
    return found


def whole(cashier: Cashier) -> bool:
    with reading(cashier.gateway.service.engine, snapshot=True) as db:
        return not verify(db).faults


@BOTH
def test_a_dry_run_tells_and_changes_nothing_and_a_second_application_neither(
    cashier: Cashier, desk: Desk
):
    code = cashier.gateway.pledge().code
    cashier.pay("known", reference="r1")
    before = cashier.holds()
    text = (
        HEAD
        + f"p1,750000,1405/09/01 11:58,{code},1500\n"
        + "known,750000,1405/09/01 11:59,,1500\n"
        + "stray,20000,1405/09/01 11:57,,\n"
    )
    told = desk.reconcile(text)
    assert told.exit_code == 0, told.output
    expected = {
        "new, for a pledge": (1, 750_000),
        "new, nobody knows what for": (1, 20_000),
        "known": (1, 750_000),
        "settled: reached the bank": (3, 1_517_000),
        "settled: kept as a fee": (3, 3_000),
    }
    assert lines(told) == expected
    assert cashier.holds() == before
    done = desk.reconcile(text, "--apply")
    assert done.exit_code == 0, done.output
    assert lines(done) == expected
    holds = cashier.holds()
    assert holds["A:Bank:main"] == 1_517_000
    assert holds["X:Fee:psp"] == 3_000
    assert "A:Settle:psp" not in holds
    assert holds["L:Suspense:psp"] == -770_000
    assert [name for name, _ in cashier.texts()] == ["sms.paid"]
    again = desk.reconcile(text, "--apply")
    assert lines(again) == {"known": (3, 1_520_000)}
    assert cashier.holds() == holds
    assert len(cashier.texts()) == 1
    assert whole(cashier)


@BOTH
def test_another_amount_is_asked_to_be_corrected_and_then_settled(
    cashier: Cashier, desk: Desk
):
    code = cashier.gateway.pledge().code
    cashier.pay("p1", code=code, amount_rial=700_000)
    text = HEAD + f"p1,750000,1405/09/01 11:59,{code},1500\n"
    before = cashier.holds()
    told = desk.reconcile(text)
    assert told.exit_code == 1
    assert "row 2: known, and different: payment p1: 750000 rial here, " in told.output
    asked = desk.reconcile(text, "--apply")
    assert "request 1 asks to correct it" in asked.output
    assert cashier.holds() == before
    assert "asks for this already" in desk.reconcile(text, "--apply").output
    desk.gateway.clock.wait(seconds=1)
    done = desk.run("requests", "approve", "1", "--by", "reza")
    assert done.exit_code == 0, done.output
    settled = desk.reconcile(text, "--apply")
    assert settled.exit_code == 0, settled.output
    assert cashier.holds()["A:Bank:main"] == 748_500
    assert whole(cashier)


@BOTH
def test_what_was_settled_before_its_correction_is_settled_by_the_difference(
    cashier: Cashier, desk: Desk
):
    first = HEAD + "p1,750000,1405/09/01 11:59,,1500\n"
    assert desk.reconcile(first, "--apply").exit_code == 0
    less = HEAD + "p1,700000,1405/09/01 11:59,,1400\n"
    assert desk.reconcile(less, "--apply").exit_code == 1
    desk.gateway.clock.wait(seconds=1)
    assert desk.run("requests", "approve", "1", "--by", "reza").exit_code == 0
    done = desk.reconcile(less, "--apply")
    assert lines(done)["settled: reached the bank"] == (1, -49_900)
    holds = cashier.holds()
    assert (holds["A:Bank:main"], holds["X:Fee:psp"]) == (698_600, 1_400)
    assert "A:Settle:psp" not in holds
    assert "settled: " not in desk.reconcile(less, "--apply").output
    assert whole(cashier)


def test_other_fields_that_differ_are_told_and_changed_by_nobody(
    cashier: Cashier, desk: Desk
):
    code = cashier.gateway.pledge().code
    cashier.pay("p1", code=code)
    before = cashier.holds()
    told = desk.reconcile(
        HEAD + "p1,750000,1405/09/01 11:58,853041948,1500\n", "--apply"
    )
    assert "750000 in the books: code, paid_at" in told.output
    assert cashier.holds() == before
    assert not cashier.gateway.rows("request")


def test_a_payment_that_the_file_does_not_name_is_told(cashier: Cashier, desk: Desk):
    cashier.pay("lost", reference="r1")
    cashier.pay("later", reference="r1", paid_at="2026-11-22T12:01:00+03:30")
    report = desk.config.parent / "report.csv"
    told = desk.reconcile(
        HEAD
        + "a,1,1405/09/01 11:30\nb,2,1405/09/01 12:00\n=c,3,1405/09/01 11:00\n".replace(
            "=c", "c"
        ),
        "--report",
        str(report),
    )
    assert told.exit_code == 1
    assert "no row: missing in the file: payment lost: 750000 in the" in told.output
    assert "later" not in told.output
    assert report.read_bytes().startswith(b"\xef\xbb\xbfrow,what,")
    rows = report.read_text("utf-8-sig").splitlines()
    assert rows[1:] == [",missing in the file,payment,lost,,750000,,"]


def test_no_row_is_applied_while_one_cannot_be_read_unless_it_is_asked_for(
    cashier: Cashier, desk: Desk
):
    text = HEAD + "a,1000,1405/09/01 11:30\nb,-5,1405/09/01 11:30\n"
    told = desk.reconcile(text)
    assert told.exit_code == 1
    assert "row 3: not read: amount: is negative" in told.output
    refused = desk.reconcile(text, "--apply")
    assert refused.exit_code == 2
    assert "row 3: amount: is negative; 1 rows could not be read" in refused.output
    assert cashier.holds() == {}
    assert desk.reconcile(text, "--apply", "--skip-bad").exit_code == 1
    assert cashier.holds()["A:Bank:main"] == 1_000


@BOTH
def test_money_that_went_back_leaves_the_bank(cashier: Cashier, desk: Desk):
    code = cashier.gateway.pledge().code
    head = "id,amount,paid_at,code,kind,fee,settled_at\n"
    text = (
        head
        + f"p1,750000,1405/09/01 11:58,{code},payment,1500,1405/09/01\n"
        + f"r1,250000,1405/09/01 11:59,{code},refund,100,1405/09/01\n"
        + "p2,5,1405/09/01 11:59,,payment,,\n"
    )
    done = desk.reconcile(text, "--apply")
    assert done.exit_code == 0, done.output
    assert lines(done)["new, money that went back"] == (1, 250_000)
    assert lines(done)["settled: reached the bank"] == (2, 498_400)
    holds = cashier.holds()
    assert (holds["A:Bank:main"], holds["X:Fee:psp"]) == (498_400, 1_600)
    assert holds["A:Settle:psp"] == 5
    assert [name for name, _ in cashier.texts()] == ["sms.paid", "sms.refunded"]
    assert lines(desk.reconcile(text, "--apply")) == {"known": (3, 1_000_005)}
    assert cashier.holds() == holds
    assert whole(cashier)


def test_a_callback_after_the_file_is_a_repeat(cashier: Cashier, desk: Desk):
    text = "id,amount,paid_at,reference\np1,750000,2026-11-22T11:59:00+03:30,r1\n"
    assert desk.reconcile(text, "--apply").exit_code == 0
    assert cashier.pay("p1", reference="r1").get_json() == {"status": "repeated"}


def test_a_file_is_of_a_service_that_is_set_up(cashier: Cashier, desk: Desk):
    told = desk.reconcile(HEAD, source="bank")
    assert told.exit_code == 2
    assert "no payment service 'bank' in the settings: psp, " in told.output


def test_many_lines_are_applied_in_some_transactions_and_the_rest_later(
    cashier: Cashier, desk: Desk
):
    row = "{0},{0},1405/09/01 11:30,,\n".format
    some = HEAD + "".join(map(row, range(1, 60)))
    every = HEAD + "".join(map(row, range(1, 131)))
    assert desk.reconcile(some, "--apply").exit_code == 0
    told = lines(desk.reconcile(every, "--apply"))
    assert told["known"][0] == 59
    assert told["new, nobody knows what for"][0] == 71
    assert cashier.holds()["A:Bank:main"] == sum(range(1, 131))


def apply(
    cashier: Cashier, path: Path, by: str, *, stops_after: int | None = None
) -> list[Finding]:
    """Apply a file as the command does, or only so many of its lines."""
    gateway = cashier.gateway
    with opened(path) as file, spooled() as spool:
        work = Reconciling(gateway.service, "psp", spool, by, gateway.clock())
        work.read(file)
        return list(islice(work.apply(file), stops_after))


@BOTH
def test_a_run_that_was_cut_off_is_run_again(cashier: Cashier, tmp_path: Path):
    code = cashier.gateway.pledge().code
    path = tmp_path / "file.csv"
    every = [f"{n},1000,1405/09/01 11:30,{code},10" for n in range(130)]
    path.write_text(HEAD + "\n".join(every))
    assert len(apply(cashier, path, "sara", stops_after=60)) == 60
    assert cashier.holds()["A:Bank:main"] == 100 * 990
    again = apply(cashier, path, "sara")
    assert [one.state for one in again].count(State.KNOWN) == 100
    holds = cashier.holds()
    assert holds["A:Bank:main"] == 130 * 990
    assert holds["X:Fee:psp"] == 130 * 10
    assert "L:Suspense:psp" not in holds
    assert len(cashier.texts()) == 130
    assert whole(cashier)


@BOTH
def test_two_people_apply_the_same_lines_at_once_in_other_orders(
    cashier: Cashier, tmp_path: Path
):
    codes = [cashier.gateway.pledge(phone=f"+98912000000{n}").code for n in range(8)]
    rows = [f"{n},1000,1405/09/01 11:30,{codes[n % len(codes)]},10" for n in range(100)]
    for name, order in (("a", rows), ("b", rows[::-1])):
        (tmp_path / name).write_text(HEAD + "\n".join(order))
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(apply, cashier, tmp_path / name, name) for name in "ab"]
    found = [one for run in runs for one in run.result()]
    assert sum(one.state is State.PLEDGE for one in found) == 100
    holds = cashier.holds()
    assert holds["A:Bank:main"] == 100 * 990
    assert "A:Settle:psp" not in holds
    assert len(cashier.texts()) == 100
    assert whole(cashier)


def test_a_tills_file_makes_gifts_and_texts_their_shoppers(
    cashier: Cashier, desk: Desk
):
    cashier.sell("1")
    text = (
        "رسید;مبلغ;روز;ساعت;همراه\n"
        "s7/3/1;5,000;1405/09/01;11:59;\n"
        "s7/3/2;۲٬۰۰۰;1405/09/01;11:58;09121234567\n"
        "جمع;7,000;;;\n"
    )
    told = desk.reconcile(text, source="till")
    assert lines(told)["new, a gift at the till"] == (1, 20_000)
    done = desk.reconcile(text, "--apply", source="till")
    assert done.exit_code == 0, done.output
    holds = cashier.holds()
    assert holds["A:Bank:saman"] == 70_000
    assert holds["N:Donation:one-plus-one:needed"] == -70_000
    assert [name for name, _ in cashier.texts()] == ["sms.shop"]
    assert b"9121234567" not in cashier.gateway.everything_kept()
    assert whole(cashier)


def test_a_rehearsed_file_moves_nothing_real(cashier: Cashier, desk: Desk):
    code = cashier.gateway.pledge().code
    text = HEAD + f"p1,750000,1405/09/01 11:58,{code},1500\n"
    told = desk.reconcile(text, "--apply", source="rehearsed")
    assert lines(told)["new, nobody knows what for"] == (1, 750_000)
    assert "A:Bank:main" not in cashier.holds()
    assert cashier.holds(test=True)["A:Bank:main"] == 748_500


def test_a_report_holds_nothing_that_a_spreadsheet_would_run(
    cashier: Cashier, desk: Desk
):
    cashier.pay("=1+1", reference="r1")
    cashier.pay("@x", reference="r1", paid_at="2026-11-22T11:58:00+03:30")
    report = desk.config.parent / "report.csv"
    rows = "a,1,1405/09/01 11:30,,\nb,1,1405/09/01 12:00,,\n"
    desk.reconcile(HEAD + rows, "--report", str(report))
    cells = [line.split(",")[3] for line in report.read_text("utf-8-sig").splitlines()]
    assert cells == ["id", "'=1+1", "'@x"]


def test_a_report_does_not_overwrite_what_is_read(cashier: Cashier, desk: Desk):
    file = desk.config.parent / "file.csv"
    text = HEAD + "a,1,1405/09/01 11:30,,\n"
    told = desk.reconcile(text, "--report", str(file))
    assert told.exit_code == 2
    assert file.read_text() == text


def test_a_database_that_fails_midway_leaves_whole_lines(cashier: Cashier, desk: Desk):
    rows = "".join(f"{n},{n},1405/09/01 11:30,,\n" for n in range(1, 61))
    with writing(cashier.gateway.service.engine) as db:
        db.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON payment WHEN NEW.outside_id = '55' "
            "BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    told = desk.reconcile(HEAD + rows, "--apply")
    assert told.exit_code == 2
    assert "50 lines are done, and the same command does the rest" in told.output
    with writing(cashier.gateway.service.engine) as db:
        db.exec_driver_sql("DROP TRIGGER full")
    done = lines(desk.reconcile(HEAD + rows, "--apply"))
    assert done["known"][0] == 54
    assert cashier.holds()["A:Bank:main"] == sum(range(1, 61))
    assert whole(cashier)


def test_settlements_are_sealed_and_proven_with_the_rest(cashier: Cashier, desk: Desk):
    code = cashier.gateway.pledge().code
    text = HEAD + f"p1,750000,1405/09/01 11:58,{code},1500\n"
    assert desk.reconcile(text, "--apply").exit_code == 0
    sealed = desk.run("ledger", "seal", "--all")
    assert sealed.exit_code == 0, sealed.output
    assert "settlement" in [row.kind for row in cashier.gateway.rows("event")]
    proven = desk.run("ledger", "verify")
    assert proven.exit_code == 0, proven.output
    journal = desk.config.parent / "journal.hledger"
    told = desk.run(
        "ledger", "export", "journal", "--format", "hledger", "--out", str(journal)
    )
    assert told.exit_code == 0, told.output
    assert "748500" in journal.read_text().replace(",", "")
