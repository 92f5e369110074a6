from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.effects import Order, carry_out
from ledger.engine import NotRead
from ledger.report import Figures
from tests.gateway.house import PHONE, Gateway
from ussd.machine import Effect


def _away(campaign: str, test: bool) -> Figures:
    raise NotRead("the ledger is away")


def test_figures_that_cannot_be_read_do_not_undo_what_was_promised(gateway: Gateway):
    service = gateway.service
    menus = service.library.current(None)
    order = Order(
        effect=Effect("text_report", 1, next(iter(menus.campaigns)), {}),
        key="ussd:at:d1:0:text_report:1",
        phone=PHONE,
        language="fa",
        menus=menus,
        channel="at",
        test=False,
        at=gateway.clock(),
        figures=service.endings._figures,
    )
    first = carry_out(service.engine, service.keys, order)
    order = replace(order, figures=_away)
    assert carry_out(service.engine, service.keys, order) == first
    assert gateway.promised == ["sms.report"]
    with pytest.raises(NotRead):
        carry_out(service.engine, service.keys, replace(order, key=f"{order.key}2"))
    assert gateway.promised == ["sms.report"]
