"""What an operator does about money that named no open pledge."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import Result

from tests.gateway.cashier import Cashier
from tests.gateway.house import OTHER_PHONE, PHONE
from tests.gateway.operator import Operator, write_settings

BOTH = pytest.mark.parametrize("gateway_database", ["sqlite", "postgresql"])
CAMPAIGN = "one-plus-one"


@pytest.fixture
def desk(cashier: Cashier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """Somebody at a terminal beside the cashier, whose clock is the service's."""
    config = tmp_path / "yarigar.toml"
    write_settings(cashier.gateway, config)
    monkeypatch.setattr("gateway.cli.suspense.now", cashier.gateway.clock)
    return Operator(cashier.gateway, config)


def waits(cashier: Cashier, id: str = "p1", **fields: object) -> int:
    """Money that waits; the id that an operator calls it by."""
    answer = cashier.pay(id, **({"reference": "r1"} | fields))
    assert answer.get_json() == {"status": "suspense"}
    event_id: int = cashier.gateway.rows("payment", outside_id=id)[0].event_id
    return event_id


def suspense(desk: Operator, *words: object, by: str = "sara") -> Result:
    return desk.run("suspense", *map(str, words), "--reason", "a call", "--by", by)


def test_what_waits_is_listed_with_what_it_said(cashier: Cashier, desk: Operator):
    cashier.gateway.pledge(phone=OTHER_PHONE)
    first = waits(cashier, "a", code="100000005")
    second = waits(cashier, "b", phone=OTHER_PHONE, amount_rial=1)
    third = waits(cashier, "c", phone="09120000000")
    lines = desk.run("suspense", "list").output.splitlines()
    assert [int(line.split()[0]) for line in lines] == [first, second, third]
    assert "1405/09/01 11:59  psp" in lines[0]
    assert "750000  100000005  r1" in lines[0]
    assert "***2233" in lines[1]
    assert "a phone" in lines[2]
    page = desk.run("suspense", "list", "--limit", "1").output.splitlines()
    assert page[1] == f"more: yarigar suspense list --after {first}"
    assert desk.run("suspense", "list", "--test").output == ""


def test_a_payment_is_shown_with_the_pledges_that_it_may_be_for(
    cashier: Cashier, desk: Operator
):
    mine = cashier.gateway.pledge().code
    hers = cashier.gateway.pledge(phone=OTHER_PHONE).code
    payment = waits(cashier, code="100000005", phone=OTHER_PHONE, amount_rial=5)
    shown = desk.run("suspense", "show", str(payment)).output
    assert "p1 of psp" in shown
    assert "5 rial, 5 in suspense" in shown
    assert f"its phone has pledge {hers}: open, 750000 of 750000 rial open" in shown
    assert mine not in shown
    for phone in (PHONE, OTHER_PHONE):
        assert phone[3:] not in shown


@BOTH
def test_an_operator_matches_it_and_the_donor_reads_so(
    cashier: Cashier, desk: Operator
):
    code = cashier.gateway.pledge().code
    payment = waits(cashier, amount_rial=800_000)
    done = suspense(desk, "match", payment, code)
    assert done.output == (
        f"750000 rial for {code}, 0 open there; 50000 left in suspense\n"
    )
    assert cashier.texts() == [("sms.paid", {"amount": 750_000, "code": code})]
    (event,) = cashier.gateway.rows("event", kind="payment.match")
    assert (event.body["by"], event.body["why"]) == ("sara", "a call")
    again = suspense(desk, "match", payment, code)
    assert again.exit_code == 2
    assert "nothing is open of that pledge" in again.stderr


def test_a_part_of_it_goes_to_each_of_two_pledges(cashier: Cashier, desk: Operator):
    mine = cashier.gateway.pledge().code
    hers = cashier.gateway.pledge(phone=OTHER_PHONE).code
    payment = waits(cashier)
    assert suspense(desk, "match", payment, mine, "--rial", 300_000).exit_code == 0
    assert suspense(desk, "match", payment, hers).exit_code == 0
    assert [template for template, _ in cashier.texts()] == ["sms.part_paid"] * 2
    assert [slots["left"] for _, slots in cashier.texts()] == [450_000, 300_000]
    over = suspense(desk, "match", payment, mine)
    assert f"nothing of payment {payment} is in suspense" in over.stderr


@BOTH
def test_two_operators_at_once_give_it_once(cashier: Cashier, desk: Operator):
    codes = [cashier.gateway.pledge(phone=p).code for p in (PHONE, OTHER_PHONE)]
    payment = waits(cashier)
    with ThreadPoolExecutor(2) as pool:
        done = [*pool.map(lambda code: suspense(desk, "match", payment, code), codes)]
    assert sorted(one.exit_code for one in done) == [0, 2]
    assert "L:Suspense:psp" not in cashier.holds()
    assert len(cashier.texts()) == 1


@BOTH
def test_what_is_for_no_pledge_becomes_a_gift(cashier: Cashier, desk: Operator):
    cashier.gateway.pledge()
    payment = waits(cashier, phone=PHONE, amount_rial=90_000)
    words = ("gift", payment, "--campaign", CAMPAIGN, "--purpose", "children")
    done = suspense(desk, *words, "--rial", 50_000)
    (event,) = cashier.gateway.rows("event", kind="gift")
    (row,) = cashier.gateway.rows("code", event_id=event.id)
    assert done.output == (f"50000 rial are gift {row.code}; 40000 left in suspense\n")
    assert cashier.holds()[f"N:Donation:{CAMPAIGN}:children"] == -50_000
    assert cashier.texts() == [("sms.paid", {"amount": 50_000, "code": row.code})]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("match", "{id}", "123456789"), "nine digits"),
        (("match", "{id}", "100000006"), "no such payment, or no such pledge"),
        (("match", "999", "{code}"), "no such payment, or no such pledge"),
        (("match", "{id}", "{rehearsed}"), "rehearsal"),
        (("show", "999"), "there is no payment 999"),
        (("gift", "999", "--campaign", CAMPAIGN, "--purpose", "nowruz"), "999"),
        (("gift", "{id}", "--campaign", "none", "--purpose", "nowruz"), "'none'"),
        (("gift", "{id}", "--campaign", CAMPAIGN, "--purpose", "a:b"), "'a:b'"),
    ],
)
def test_what_cannot_be_moves_nothing_and_says_why(
    cashier: Cashier, desk: Operator, words: tuple[str, ...], named: str
):
    gateway = cashier.gateway
    names = {
        "code": gateway.pledge().code,
        "rehearsed": gateway.pledge(channel="rehearsal").code,
        "id": str(waits(cashier)),
    }
    held = cashier.holds()
    told = [] if words[0] == "show" else ["--reason", "a call", "--by", "sara"]
    done = desk.run("suspense", *(word.format(**names) for word in words), *told)
    assert done.exit_code == 2
    assert named in done.stderr
    assert cashier.holds() == held
    assert cashier.texts() == []


def test_a_reason_with_a_phone_in_it_is_not_kept(cashier: Cashier, desk: Operator):
    code = cashier.gateway.pledge().code
    payment = str(waits(cashier))
    done = desk.run(
        "suspense", "match", payment, code, "--by", "sara", "--reason", "0912 123 4567"
    )
    assert done.exit_code == 2
    assert "no phone or card number" in done.stderr
    assert cashier.holds()["L:Suspense:psp"] == -750_000
