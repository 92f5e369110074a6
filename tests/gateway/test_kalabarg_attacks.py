"""Numbers that the flow of home delivery must not take, on every way in."""

from __future__ import annotations

import pytest

from gateway.placing import shipped, take_in
from tests.gateway.correspondence import Phone
from tests.gateway.house import NOON, Gateway

KALABARG, CENTRE = "*780*5588*3#", "11023"
# A purchase code, a national id that passes its check, a card that does.
FORBIDDEN = ("12345678", "۱۲۳۴۵۶۷۸", "1234 5678", "0499370899", "6037991111111112")


@pytest.fixture
def town(gateway: Gateway) -> Gateway:
    """A service that knows its places."""
    take_in(gateway.service.engine, shipped(), by="test", at=NOON)
    return gateway


@pytest.mark.parametrize("typed", FORBIDDEN)
@pytest.mark.parametrize("screen", range(4))
def test_a_forbidden_number_is_refused_on_every_screen(
    town: Gateway, screen: int, typed: str
) -> None:
    before = ("1", CENTRE, "1", "3")[:screen]
    told = town.walk(*before, typed, code=KALABARG).text
    assert "نمی‌گیریم" in told or "نفرستید" in told
    assert typed.encode() not in town.everything_kept()


@pytest.mark.parametrize("typed", FORBIDDEN)
@pytest.mark.parametrize("text", ["کالابرگ {}", "kalabarg {}", "کد خرید کالابرگ {}"])
def test_a_forbidden_number_in_a_text_is_emptied(
    town: Gateway, text: str, typed: str
) -> None:
    phone = Phone(town)
    (said,) = phone.says(text.format(typed))
    assert "نمی‌گیریم" in said or "نفرستید" in said or "take" in said or "Never" in said
    (row,) = town.rows("inbound")
    assert row.words is None
    assert town.rows("enquiry") == []
    assert typed.encode() not in town.everything_kept()


def test_a_forbidden_number_as_an_answer_by_text_is_emptied(town: Gateway) -> None:
    phone = Phone(town)
    phone.says("کالابرگ")
    town.clock.wait(minutes=1)
    phone.says("1")
    town.clock.wait(minutes=1)
    (said,) = phone.says("12345678")
    assert "نمی‌گیریم" in said
    assert town.rows("inbound")[-1].words is None
    town.clock.wait(minutes=1)
    (again,) = phone.says("1")
    assert again.startswith("تحویل کالابرگ در منزل")


def test_a_landline_in_another_text_is_read_at_the_desk(town: Gateway) -> None:
    Phone(town).says("لطفا با 88776655 تماس بگیرید")
    (row,) = town.rows("enquiry")
    assert row.words
