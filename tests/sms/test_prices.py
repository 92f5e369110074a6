"""What a text will cost, and what carriers say that it did."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.prices import Cost, Price, heard, said, total

RIAL = Cost(Decimal(1150), "rial")
AMOUNTS = st.decimals(0, 999_999_999, places=4)


def test_a_text_costs_its_parts() -> None:
    price = Price(RIAL)
    assert str(price.of("+989121234567", 1)) == "1150 rial"
    assert str(price.of("+989121234567", 3)) == "3450 rial"


def test_an_operators_factor_is_exact_and_the_longest_prefix_counts() -> None:
    price = Price(RIAL, {"+98": Decimal(2), "+98935": Decimal("1.1")})
    assert str(price.of("+989351234567", 1)) == "1265 rial"
    assert str(price.of("+989121234567", 1)) == "2300 rial"
    assert str(price.of("+254711000000", 1)) == "1150 rial"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("1150 rial", "1150 rial"),
        ("0.80 KES", "0.8 KES"),
        ("1000", "1000"),
        ("0 تومان", "0 تومان"),
    ],
)
def test_a_price_is_read_as_the_settings_have_it(written: str, shown: str) -> None:
    assert str(Cost.read(written)) == shown


@pytest.mark.parametrize(
    "written",
    ["", "rial", "-5 rial", "1e9", "1,5 rial", "1 2", "1 rial each", "٣ ریال"],
)
def test_what_is_no_price_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="as 1150 rial"):
        Cost.read(written)


def test_currencies_are_added_apart() -> None:
    costs = [RIAL, Cost(Decimal("0.8"), "KES"), RIAL, Cost(Decimal("0.2"), "KES")]
    assert [str(cost) for cost in total(costs)] == ["1 KES", "2300 rial"]
    assert total([]) == ()


@given(amounts=st.lists(AMOUNTS, max_size=50))
def test_a_sum_is_exact_in_any_order(amounts: list[Decimal]) -> None:
    costs = [Cost(amount, "rial") for amount in amounts]
    assert total(costs) == total(reversed(costs))
    in_ten_thousandths = sum(int(amount * 10_000) for amount in amounts)
    assert sum(cost.amount for cost in total(costs)) * 10_000 == in_ten_thousandths


@given(amount=AMOUNTS, currency=st.from_regex(r"\A[a-zA-Z]{1,20}\Z"))
def test_a_cost_is_read_as_it_was_written(amount: Decimal, currency: str) -> None:
    cost = Cost(amount, currency)
    assert Cost.read(str(cost)) == cost


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("KES 0.8000", "", "0.8 KES"),
        ("0.8000 KES", "", "0.8 KES"),
        (120, "rial", "120 rial"),
        (2.0, "credit", "2 credit"),
        ("-0.00750", "USD", "0.0075 USD"),
        ("0.03330000", "EUR", "0.0333 EUR"),
        ("5", None, "5"),
    ],
)
def test_what_carriers_say_of_a_cost_is_understood(
    amount: object, currency: object, shown: str
) -> None:
    assert said(heard(amount, currency)) == shown


@pytest.mark.parametrize(
    "amount",
    [None, True, [], {}, "", "free", "KES", "1e5", 1e-12, float("nan"), "9" * 5000]
    + ["KES 1.2.3", "1 KES\n2", "--1", 10**12, "1 K\x00", "1 \ud800"],
)
def test_what_is_no_cost_is_none(amount: object) -> None:
    assert heard(amount, "KES") is None


@given(amount=st.text() | st.integers() | st.floats(), currency=st.text() | st.none())
def test_a_carrier_can_say_what_it_likes(amount: object, currency: object) -> None:
    shown = said(heard(amount, currency))
    assert len(shown) <= 42
    assert shown.count(" ") <= 1
    # What no database stores is not passed on to one.
    assert shown.isprintable()


def test_a_text_of_which_one_part_has_no_known_cost_has_none() -> None:
    euro = heard("0.0333", "EUR")
    assert said(euro, euro, euro) == "0.0999 EUR"
    assert said(euro, None) == ""
    assert said(euro, heard("1", "USD")) == ""
    assert said() == ""
