"""What people agree to is done with the last word: wholly, once, or not at all."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import func, select

from gateway import approvals
from gateway.approvals import ACTS
from ledger import payments, people, pledges, requests
from ledger.engine import LedgerError, reading, writing
from ledger.payments import Kind, Payment
from ledger.pledges import Pledge
from ledger.refunds import refund
from ledger.requests import Refused, Request
from ledger.schema import event
from tests.gateway.house import PHONE, Gateway

CAMPAIGN = "one-plus-one"


@pytest.fixture(params=["sqlite", "postgresql"])
def gateway_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _pledge(gateway: Gateway, *, paid: int = 0, key: str = "at:1") -> Pledge:
    service, at = gateway.service, gateway.clock()
    with writing(service.engine) as db:
        person = people.remember(db, service.keys, PHONE, at=at)
        made = pledges.record_pledge(
            db,
            service.keys,
            key=key,
            person_id=person.id,
            campaign=CAMPAIGN,
            purpose="nowruz",
            unit="rial",
            amount=750_000,
            channel="at",
            test=False,
            at=at,
        )
        if paid:
            told = Payment("psp", key, Kind.PAYMENT, paid, at, code=made.code)
            payments.pay(db, service.keys, told, channel="psp", test=False, at=at)
    return _stands(gateway, made.event_id)


def _stands(gateway: Gateway, event_id: int) -> Pledge:
    with reading(gateway.service.engine) as db:
        found = pledges.pledge_by_id(db, event_id)
    assert found is not None
    return found


def _ask(gateway: Gateway, made: Pledge, kind: str = "refund", **body: Any) -> Request:
    gateway.clock.wait(seconds=1)
    asked = {"code": made.code} | body
    if kind == "refund":
        asked.setdefault("amount", 750_000)
    return approvals.ask(
        gateway.service,
        kind=kind,
        body=asked,
        about_id=made.event_id,
        why="paid twice",
        by="sara",
        at=gateway.clock(),
    )


def _agree(gateway: Gateway, found: Request, by: str = "reza") -> Request:
    return approvals.approve(gateway.service, found.id, by=by, at=gateway.clock())


def _kinds(gateway: Gateway) -> list[str]:
    return [row.kind for row in gateway.rows("event") if row.kind != "payment"]


def test_a_refund_is_done_with_the_second_persons_word(gateway: Gateway):
    made = _pledge(gateway, paid=750_000)
    asked = _ask(gateway, made)
    assert asked.state == "waiting"
    assert _stands(gateway, made.event_id).refunded == 0
    done = _agree(gateway, asked)
    assert done.state == "done"
    assert _stands(gateway, made.event_id).refunded == 750_000
    assert _kinds(gateway) == [
        "pledge",
        "request.made",
        "request.approved",
        "refund",
    ]
    (fact,) = gateway.rows("event", kind="refund")
    assert (done.result_id, fact.about_id) == (fact.id, made.event_id)
    assert fact.body["by"] == "sara"
    # The donor hears of it when the money is back, not when people agree.
    assert gateway.promised == []


def test_a_write_off_is_told_to_its_donor(gateway: Gateway):
    made = _pledge(gateway)
    done = _agree(gateway, _ask(gateway, made, "write_off"))
    assert done.state == "done"
    assert _stands(gateway, made.event_id).state == "written_off"
    assert gateway.promised == ["sms.written_off"]


def test_a_correction_is_done(gateway: Gateway):
    made = _pledge(gateway, paid=75_000)
    (fact,) = gateway.rows("event", kind="payment")
    asked = approvals.ask(
        gateway.service,
        kind="correction",
        body={"payment": fact.id, "was": 75_000, "amount": 750_000},
        about_id=fact.id,
        why="toman were taken for rial",
        by="sara",
        at=gateway.clock(),
    )
    assert _agree(gateway, asked).state == "done"
    (row,) = gateway.rows("payment")
    assert (row.amount, row.unmatched) == (750_000, 675_000)
    assert made.amount == 750_000


def test_one_person_is_enough_where_the_settings_say_so(gateway: Gateway):
    object.__setattr__(gateway.service.settings, "approvals", 1)
    made = _pledge(gateway, paid=750_000)
    assert _ask(gateway, made).state == "done"
    (fact,) = gateway.rows("event", kind="request.made")
    assert fact.body["alone"] is True


def test_what_is_not_possible_any_more_is_refused_with_its_reason(gateway: Gateway):
    made = _pledge(gateway, paid=750_000)
    first, second = _ask(gateway, made), _ask(gateway, made, amount=100_000)
    assert _agree(gateway, first).state == "done"
    ended = _agree(gateway, second)
    assert (ended.state, ended.result_id) == ("refused", None)
    with reading(gateway.service.engine) as db:
        told = requests.story(db, ended)
    assert [(act, who) for act, who, _, _ in told] == [
        ("approved", "reza"),
        ("refused", "yarigar"),
    ]
    assert "only 0 rial" in told[1][2]
    assert _stands(gateway, made.event_id).refunded == 750_000


def test_nothing_stays_of_an_act_that_is_refused_half_way(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
):
    made = _pledge(gateway, paid=750_000)
    asked = _ask(gateway, made)
    monkeypatch.setattr(approvals, "ACTS", {**ACTS, "refund": f"{__name__}:half_way"})
    assert _agree(gateway, asked).state == "refused"
    assert _stands(gateway, made.event_id).refunded == 0
    # The books go on after it: another fact takes its transfers.
    monkeypatch.setattr(approvals, "ACTS", ACTS)
    assert _agree(gateway, _ask(gateway, made)).state == "done"
    assert _stands(gateway, made.event_id).refunded == 750_000


def half_way(db: Any, doing: approvals.Doing) -> int:
    """Do all of it, and then find that it may not be."""
    refund(
        db,
        key="half",
        code=str(doing.request.body["code"]),
        amount=750_000,
        by="sara",
        at=doing.at,
    )
    raise Refused("not today")


def test_an_act_that_fails_takes_the_approval_with_it(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
):
    made = _pledge(gateway, paid=750_000)
    asked = _ask(gateway, made)
    monkeypatch.setattr(approvals, "ACTS", {**ACTS, "refund": f"{__name__}:broken"})
    with pytest.raises(LedgerError):
        _agree(gateway, asked)
    monkeypatch.setattr(approvals, "ACTS", ACTS)
    assert _agree(gateway, asked).state == "done"


def broken(db: Any, doing: approvals.Doing) -> int:
    raise LedgerError("the database went away")


def test_of_many_last_words_at_once_one_does_the_act(gateway: Gateway):
    made = _pledge(gateway, paid=750_000)
    asked = _ask(gateway, made)
    barrier = threading.Barrier(6)
    ended: list[object] = []

    def agree(by: str) -> None:
        barrier.wait()
        try:
            ended.append(_agree(gateway, asked, by).state)
        except Refused:
            ended.append("too late")

    threads = [threading.Thread(target=agree, args=(f"p{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, ended)) == ["done"] + ["too late"] * 5
    assert _stands(gateway, made.event_id).refunded == 750_000
    with reading(gateway.service.engine) as db:
        facts = db.scalar(
            select(func.count()).select_from(event).where(event.c.kind == "refund")
        )
    assert facts == 1


def test_a_withdrawal_beside_the_last_word_leaves_one_of_both(gateway: Gateway):
    made = _pledge(gateway, paid=750_000)
    asked = _ask(gateway, made)
    barrier = threading.Barrier(2)
    ended: list[str] = []

    def act(withdraws: bool) -> None:
        barrier.wait()
        try:
            if withdraws:
                with writing(gateway.service.engine) as db:
                    at = gateway.clock()
                    ended.append(
                        requests.withdraw(db, asked.id, by="sara", at=at).state
                    )
            else:
                ended.append(_agree(gateway, asked).state)
        except Refused:
            pass

    threads = [threading.Thread(target=act, args=(flag,)) for flag in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (state,) = ended
    with reading(gateway.service.engine) as db:
        assert requests.named(db, asked.id).state == state
    refunded = _stands(gateway, made.event_id).refunded
    assert refunded == (750_000 if state == "done" else 0)


def test_every_kind_of_request_has_its_act():
    for name in ACTS.values():
        assert callable(approvals.pkgutil.resolve_name(name)), name
