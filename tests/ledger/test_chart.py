from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import chart

PARTS = st.text("abz-_19", min_size=1, max_size=40)


def test_money_and_goods_have_the_short_names() -> None:
    assert chart.receivable("winter") == "A:Receivable:Pledge:winter"
    assert chart.donation("winter", "meals") == "N:Donation:winter:meals"
    assert chart.stock("winter", "meals") == "I:Stock:winter:meals"
    assert chart.delivered(None) == "I:Delivered:unknown"


def test_another_unit_stands_on_an_account_of_its_own() -> None:
    assert chart.receivable("winter", "parcel") == "A:Receivable:Pledge:winter:parcel"
    assert chart.donation("winter", "meals", "minute") == (
        "N:Donation:winter:meals:minute"
    )
    assert chart.transit("winter", "post", "voucher") == "I:Transit:winter:post:voucher"
    assert chart.clearing("parcel") == "Q:parcel:Clearing"


@given(PARTS, PARTS, PARTS, PARTS)
def test_no_two_purposes_share_an_account(
    campaign: str, purpose: str, other_campaign: str, other_purpose: str
) -> None:
    same = (campaign, purpose) == (other_campaign, other_purpose)
    one = chart.donation(campaign, purpose)
    other = chart.donation(other_campaign, other_purpose)
    assert (one == other) == same


@pytest.mark.parametrize("part", ["", "a:b", "x" * 41])
def test_a_part_that_would_look_like_two_is_a_mistake_of_ours(part: str) -> None:
    with pytest.raises(AssertionError):
        chart.donation("winter", part)


def test_the_longest_code_fits_its_column() -> None:
    longest = chart.receivable("c" * 40, "u" * 16)
    assert len(chart.donation("c" * 40, "p" * 40, "u" * 16)) <= 160
    assert len(longest) <= 160
