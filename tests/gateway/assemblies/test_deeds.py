"""Deeds of assemblies that no screen would offer, and the same deed twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from gateway.assemblies.telling import tell_off
from gateway.effects import carry_out
from gateway.orders import Order
from ledger import staff
from ledger.assemblies import invitations, premises
from ledger.assemblies.invitations import Answer
from ledger.engine import NothingRecorded, writing
from ledger.staff import Role
from tests.gateway.conftest import gateway, gateway_database
from tests.gateway.house import OTHER_PHONE, PHONE, Gateway
from tests.ledger.assemblies.registers import Registers
from tests.ledger.facts import caller
from ussd.machine import Effect

__all__ = ["gateway", "gateway_database"]  # fixtures, for pytest to find here

SECRETARY, OTHER_SECRETARY = "+989120000001", "+989120000012"


@pytest.fixture
def house(gateway: Gateway) -> Iterator[Gateway]:
    """Districts 11 and 12 have a secretary each, and 11 a decision."""
    service = gateway.service
    with writing(service.engine) as db:
        for phone, district in ((SECRETARY, "23-t11"), (OTHER_SECRETARY, "23-t12")):
            staff.add(
                db,
                service.keys,
                phone=phone,
                role=Role.SECRETARY,
                place=district,
                title="دبیر مجمع",
                by="sara",
                test=False,
                at=gateway.clock(),
            )
        Registers(db).decide()
    return gateway


def does(
    house: Gateway,
    phone: str,
    name: str,
    *,
    key: str = "1",
    test: bool = False,
    **answers: str,
) -> dict[str, str]:
    service = house.service
    menus = service.library.current(None)
    order = Order(
        effect=Effect(name, 0, menus.campaign.id, answers),
        key=f"ussd:at:{key}:{phone}:{name}:0",
        phone=phone,
        language="fa",
        menus=menus,
        channel="at",
        test=test,
        at=house.clock(),
        figures=service.endings._figures,
    )
    return carry_out(service.engine, service.keys, order)


def test_a_secretary_settles_nothing_in_another_district(house: Gateway) -> None:
    for phone in (OTHER_SECRETARY, PHONE):
        for settle in ("done", "back"):
            said = does(house, phone, "settle_decision", decision="11-1", settle=settle)
            assert said == {"outcome": "not_yours"}
    assert house.rows("decision")[0].state == "open"
    done = {"decision": "11-1", "settle": "done"}
    assert does(house, SECRETARY, "settle_decision", **done) == {}
    assert does(house, SECRETARY, "settle_decision", **done) == {}
    again = does(house, SECRETARY, "settle_decision", key="2", **done)
    assert again == {"outcome": "settled"}
    kinds = [row.kind for row in house.rows("event")]
    assert kinds.count("decision.confirmed") == 1


def test_a_rehearsing_secretary_settles_nothing_real(house: Gateway) -> None:
    said = does(
        house,
        SECRETARY,
        "settle_decision",
        test=True,
        decision="11-1",
        settle="done",
    )
    assert said == {"outcome": "not_yours"}
    assert house.rows("decision")[0].state == "open"


@pytest.mark.parametrize("name", ["23", "0", "11-2", "11-", "x-1", "-", "1" * 12])
def test_what_names_no_decision_settles_none(house: Gateway, name: str) -> None:
    said = does(house, SECRETARY, "settle_decision", decision=name, settle="done")
    # `11-` is the first of the district.
    assert said == ({} if name == "11-" else {"outcome": "not_yours"})


def test_only_the_districts_own_secretary_brings_premises_together(
    house: Gateway,
) -> None:
    with writing(house.service.engine) as db:
        of = Registers(db, name="rooms")
        offer = of.room(premises.Side.OFFER, PHONE)
        need = of.room(premises.Side.NEED, OTHER_PHONE)
        assert offer is not None
        assert need is not None
    match = f"{offer.event_id}-{need.event_id}"
    for phone in (OTHER_SECRETARY, PHONE):
        assert does(house, phone, "match_premises", match=match) == {"outcome": "none"}
    assert does(house, SECRETARY, "match_premises", match=match) == {}
    assert does(house, SECRETARY, "match_premises", match=match) == {}
    again = does(house, SECRETARY, "match_premises", key="2", match=match)
    assert again == {"outcome": "none"}
    assert house.promised == ["sms.ben.match"] * 2


def test_a_deed_beyond_the_registers_limits_records_nothing(house: Gateway) -> None:
    before = len(house.rows("event"))
    with pytest.raises(NothingRecorded, match="1 to 9999"):
        does(
            house,
            PHONE,
            "join_assembly",
            ben_district="11",
            ben_kind="person",
            capacity="goods",
            ben_amount="1000000",
            ben_covers="1",
        )
    assert len(house.rows("event")) == before


def test_leaving_twice_leaves_once(house: Gateway) -> None:
    with writing(house.service.engine) as db:
        Registers(db, name="joins").join(PHONE)
    assert does(house, PHONE, "leave_assembly") == {}
    assert does(house, PHONE, "leave_assembly") == {}
    assert does(house, PHONE, "leave_assembly", key="2") == {"outcome": "none"}


def test_all_who_wanted_to_come_hear_that_it_is_off(house: Gateway) -> None:
    service = house.service
    with writing(service.engine) as db:
        of = Registers(db, name="hall")
        meeting = of.plan(house.clock() + timedelta(days=9))
        for number in range(53):
            phone = f"+98912000{number:04}"
            of.join(phone)
            invitations.answer(
                db,
                key=f"answer:{number}",
                meeting_id=meeting.event_id,
                person_id=caller(db, phone),
                said=Answer.YES,
                channel="at",
                test=False,
                at=house.clock(),
            )
        menus = service.library.current(None)
        at = house.clock()
        assert tell_off(db, menus, meeting, channel="operator", at=at) == 53
        assert tell_off(db, menus, meeting, channel="operator", at=at) == 0
