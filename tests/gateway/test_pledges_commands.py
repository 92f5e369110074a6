"""Commands about one pledge, and about what more than one person has to agree to."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import Result

from ledger import payments, people, plans, pledges
from ledger.engine import reading, writing
from ledger.payments import Kind, Payment
from ledger.pledges import Pledge
from tests.gateway.house import PHONE, Gateway
from tests.gateway.operator import Operator, write_settings


@pytest.fixture
def at_desk(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """An operator whose commands about pledges have the service's clock."""
    for module in ("pledges", "requests"):
        monkeypatch.setattr(f"gateway.cli.{module}.now", operator.gateway.clock)
    return operator


def _pledge(
    gateway: Gateway,
    *,
    paid: int = 0,
    unit: str = "rial",
    amount: int = 750_000,
    outside_id: str = "p1",
) -> Pledge:
    service, at = gateway.service, gateway.clock()
    with writing(service.engine) as db:
        person = people.remember(db, service.keys, PHONE, at=at)
        made = pledges.record_pledge(
            db,
            service.keys,
            key=f"at:{outside_id}",
            person_id=person.id,
            campaign="one-plus-one",
            purpose="nowruz",
            unit=unit,
            amount=amount,
            channel="at",
            test=False,
            at=at,
        )
        if paid:
            told = Payment("psp", outside_id, Kind.PAYMENT, paid, at, code=made.code)
            payments.pay(db, service.keys, told, channel="psp", test=False, at=at)
    return _stands(gateway, made.event_id)


def _stands(gateway: Gateway, event_id: int) -> Pledge:
    with reading(gateway.service.engine) as db:
        found = pledges.pledge_by_id(db, event_id)
    assert found is not None
    return found


def _run(operator: Operator, *arguments: str, by: str = "sara") -> Result:
    operator.gateway.clock.wait(seconds=1)
    return operator.run(*arguments, "--by", by)


def _refund(operator: Operator, code: str, *more: str) -> Result:
    return _run(operator, "pledges", "refund", code, "--reason", "paid twice", *more)


# --- pledges ---


def test_a_refund_waits_for_a_second_person_and_is_done_with_their_word(
    at_desk: Operator,
):
    made = _pledge(at_desk.gateway, paid=750_000)
    asked = _refund(at_desk, made.code)
    assert asked.exit_code == 0, asked.output
    assert "request 1 waits: 1 more must approve" in asked.output
    listed = at_desk.run("requests", "list")
    assert f"amount=750000 code={made.code}  by sara" in listed.output
    own = _run(at_desk, "requests", "approve", "1")
    assert own.exit_code == 2
    assert "somebody else has to approve it" in own.output
    done = _run(at_desk, "requests", "approve", "1", by="reza")
    assert done.exit_code == 0, done.output
    assert "request 1 is done" in done.output
    assert _stands(at_desk.gateway, made.event_id).state == "refunded"
    assert at_desk.run("requests", "list").output == ""
    every = at_desk.run("requests", "list", "--all")
    assert "done" in every.output


def test_a_pledge_is_shown_with_all_that_happened_and_without_its_donor(
    at_desk: Operator,
):
    gateway = at_desk.gateway
    made = _pledge(gateway, paid=250_000)
    with writing(gateway.service.engine) as db:
        plans.instal(
            db,
            pledge_id=made.event_id,
            number=3,
            zone=ZoneInfo("Asia/Tehran"),
            at=gateway.clock(),
        )
    _refund(at_desk, made.code, "--amount", "100000")
    _run(at_desk, "requests", "approve", "1", by="reza")
    shown = at_desk.run("pledges", "show", made.code)
    assert shown.exit_code == 0, shown.output
    assert shown.output.splitlines()[:8] == [
        f"{made.code}: part_paid",
        "  for       one-plus-one, nowruz",
        "  made      1405/09/01 12:00",
        "  amount    750000 rial",
        "  paid      250000",
        "  open      500000",
        "  refunded  100000",
        "  part 1    250000 by 1405/09/01",
    ]
    assert "payment 250000 rial" in shown.output
    assert "refund 100000 rial by sara" in shown.output
    assert PHONE[-7:] not in shown.output


def test_the_digits_of_a_code_may_be_persian(at_desk: Operator):
    made = _pledge(at_desk.gateway)
    persian = made.code.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    assert f"{made.code}: open" in at_desk.run("pledges", "show", persian).output


@pytest.mark.parametrize("code", ["123456789", "12345678", "abc", "09121234567"])
def test_what_is_no_code_is_refused_before_anything_is_asked(
    at_desk: Operator, code: str
):
    told = at_desk.run("pledges", "show", code)
    assert told.exit_code == 2
    assert "nine digits that fit together" in told.output


def test_more_than_was_paid_is_not_asked_for(at_desk: Operator):
    made = _pledge(at_desk.gateway, paid=250_000)
    told = _refund(at_desk, made.code, "--amount", "250001")
    assert told.exit_code == 2
    assert "only 250000 rial" in told.output
    assert at_desk.gateway.rows("request") == []


def test_a_reason_names_no_number(at_desk: Operator):
    made = _pledge(at_desk.gateway, paid=750_000)
    told = _run(
        at_desk,
        *("pledges", "refund", made.code, "--reason", "call 09121234567"),
    )
    assert told.exit_code == 2
    assert "no phone or card number" in told.output
    assert at_desk.gateway.rows("request") == []


def test_a_pledge_is_written_off_by_two(at_desk: Operator):
    made = _pledge(at_desk.gateway)
    asked = _run(
        at_desk, "pledges", "write-off", made.code, "--reason", "the shop closed"
    )
    assert asked.exit_code == 0, asked.output
    assert _run(at_desk, "requests", "approve", "1", by="reza").exit_code == 0
    assert _stands(at_desk.gateway, made.event_id).state == "written_off"
    again = _run(at_desk, "pledges", "write-off", made.code, "--reason", "again")
    assert "it is written_off" in again.output


def test_goods_are_received_in_parts_and_not_more_than_were_pledged(
    at_desk: Operator,
):
    made = _pledge(at_desk.gateway, unit="parcel", amount=5)
    told = _run(
        at_desk, "pledges", "receive", made.code, "3", "--centre", "ری", by="reza"
    )
    assert told.output == f"3 of {made.code} are received, 2 are open\n"
    more = _run(at_desk, "pledges", "receive", made.code, "3")
    assert more.exit_code == 2
    assert "only 2 are open" in more.output
    assert _stands(at_desk.gateway, made.event_id).paid == 3


def test_money_is_not_received_by_hand(at_desk: Operator):
    made = _pledge(at_desk.gateway)
    told = _run(at_desk, "pledges", "receive", made.code, "1")
    assert told.exit_code == 2
    assert "a payment pays it" in told.output
    assert _stands(at_desk.gateway, made.event_id).paid == 0


# --- requests ---


def test_a_request_is_shown_with_who_said_what(at_desk: Operator):
    made = _pledge(at_desk.gateway, paid=750_000)
    _refund(at_desk, made.code)
    refused = _run(
        at_desk, "requests", "refuse", "1", "--reason", "she keeps it", by="reza"
    )
    assert refused.output == "request 1 is refused\n"
    shown = at_desk.run("requests", "show", "1")
    assert shown.output.splitlines() == [
        "request 1: refused",
        f"  what      refund amount=750000 code={made.code}",
        "  why       paid twice",
        "  made      by sara at 1405/09/01 12:00",
        "  needs     2 in all",
        "  refused   by reza at 1405/09/01 12:00: she keeps it",
    ]
    late = _run(at_desk, "requests", "approve", "1", by="maryam")
    assert late.exit_code == 2
    assert "request 1 is refused: nothing is left to say" in late.output


def test_who_asked_takes_it_back(at_desk: Operator):
    made = _pledge(at_desk.gateway, paid=750_000)
    _refund(at_desk, made.code)
    other = _run(at_desk, "requests", "withdraw", "1", by="reza")
    assert other.exit_code == 2
    assert _run(at_desk, "requests", "withdraw", "1").output == (
        "request 1 is withdrawn\n"
    )
    assert _refund(at_desk, made.code).exit_code == 0


def test_an_act_that_came_too_late_says_so(at_desk: Operator):
    made = _pledge(at_desk.gateway, paid=750_000)
    _refund(at_desk, made.code)
    _refund(at_desk, made.code, "--amount", "100000")
    assert _run(at_desk, "requests", "approve", "1", by="reza").exit_code == 0
    late = _run(at_desk, "requests", "approve", "2", by="reza")
    assert late.exit_code == 2
    assert "request 2: refused" in late.output
    assert "only 0 rial are paid and not refunded" in late.output


def test_a_wrong_amount_is_corrected_by_two(at_desk: Operator):
    _pledge(at_desk.gateway, paid=75_000)
    asked = _run(
        at_desk,
        *("requests", "correct", "psp", "p1", "750000", "--reason", "toman for rial"),
    )
    assert asked.exit_code == 0, asked.output
    assert _run(at_desk, "requests", "approve", "1", by="reza").exit_code == 0
    (row,) = at_desk.gateway.rows("payment")
    assert row.amount == 750_000
    same = _run(
        at_desk, "requests", "correct", "psp", "p1", "750000", "--reason", "again"
    )
    assert "of 750000 rial already" in same.output
    unknown = _run(at_desk, "requests", "correct", "psp", "p2", "1", "--reason", "none")
    assert "told of no such payment" in unknown.output


def test_one_person_is_enough_where_the_settings_say_so(
    at_desk: Operator, tmp_path: Path
):
    write_settings(at_desk.gateway, tmp_path / "yarigar.toml", "approvals = 1")
    made = _pledge(at_desk.gateway, paid=750_000)
    told = _refund(at_desk, made.code)
    assert told.output == "request 1 is done\n"
    assert _stands(at_desk.gateway, made.event_id).state == "refunded"


def test_requests_come_in_pages(at_desk: Operator):
    made = _pledge(at_desk.gateway, paid=750_000)
    for amount in (1, 2, 3):
        _refund(at_desk, made.code, "--amount", str(amount))
    first = at_desk.run("requests", "list", "--limit", "2")
    assert first.output.splitlines()[-1] == "more: yarigar requests list --before 2"
    second = at_desk.run("requests", "list", "--before", "2")
    assert "amount=1 " in second.output
    assert len(second.output.splitlines()) == 1
