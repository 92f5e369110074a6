"""Who agrees to campaign texts, on a screen or by a word, and who ends it."""

from __future__ import annotations

import pytest

from gateway.effects import Order, carry_out
from ledger import consents, people
from ledger.engine import reading, writing
from sms.carrier import Inbound
from sms.receiving import take_inbound
from tests.gateway.house import PHONE, Gateway
from ussd.machine import Effect


@pytest.fixture(params=["sqlite", "postgresql"])
def gateway_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _does(gateway: Gateway, effect: str, *, key: str = "", test: bool = False) -> None:
    service = gateway.service
    menus = service.library.current(None)
    order = Order(
        effect=Effect(effect, 1, next(iter(menus.campaigns)), {}),
        key=key or f"ussd:at:{gateway.clock().isoformat()}:{effect}:1",
        phone=PHONE,
        language="fa",
        menus=menus,
        channel="at",
        test=test,
        at=gateway.clock(),
        figures=service.endings._figures,
    )
    carry_out(service.engine, service.keys, order)


def _writes(gateway: Gateway, text: str, *, phone: str = PHONE, id: str = "1") -> None:
    service = gateway.service
    channel = service.routes.named("kave")
    assert channel is not None
    with writing(service.engine) as db:
        take_inbound(
            db,
            service.keys,
            channel,
            Inbound(id, phone, "10001", text),
            raw=b"{}",
            at=gateway.clock(),
        )


def _agrees(gateway: Gateway, phone: str = PHONE, *, test: bool = False) -> bool:
    with reading(gateway.service.engine) as db:
        person = people.find(db, gateway.service.keys, phone)
        return person is not None and consents.has(db, person_id=person.id, test=test)


def test_who_asks_for_texts_on_a_screen_agrees_to_its_words(gateway: Gateway):
    _does(gateway, "start_texts")
    assert _agrees(gateway)
    [row] = gateway.rows("consent")
    assert row.menus == gateway.service.library.current(None).hash


def test_who_stops_every_line_agrees_no_more(gateway: Gateway):
    _does(gateway, "start_texts")
    _does(gateway, "stop_texts")
    assert not _agrees(gateway)


def test_a_late_repeat_of_a_start_does_not_undo_the_stop_after_it(gateway: Gateway):
    _does(gateway, "start_texts", key="ussd:at:1:start_texts:1")
    _does(gateway, "stop_texts")
    _does(gateway, "start_texts", key="ussd:at:1:start_texts:1")
    assert not _agrees(gateway)


def test_a_pledge_is_no_consent(gateway: Gateway):
    gateway.pledge()
    assert not _agrees(gateway)


def test_who_sends_12_agrees_even_if_nobody_knew_them(gateway: Gateway):
    _writes(gateway, "۱۲", phone="+989351112233")
    assert _agrees(gateway, "+989351112233")


def test_who_sends_11_stops_that_line_and_agrees_still(gateway: Gateway):
    _writes(gateway, "12")
    _writes(gateway, "11", id="2")
    assert _agrees(gateway)
    assert [row.line for row in gateway.rows("stop")] == ["10001"]


def test_12_from_a_short_code_makes_nobody(gateway: Gateway):
    _writes(gateway, "12", phone="10008780")
    assert gateway.rows("person") == []


def test_a_consent_of_a_rehearsal_is_one_for_rehearsals_alone(gateway: Gateway):
    _does(gateway, "start_texts", test=True)
    assert not _agrees(gateway)
    assert _agrees(gateway, test=True)
