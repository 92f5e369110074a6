from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.outbox import Kind
from sms.prices import Cost, Price
from sms.routes import Channel, Routes
from tests.fake_carrier import FakeCarrier

MCI, IRANCELL, KENYA = "+989121234567", "+989351234567", "+254711000000"


def _channel(name: str, **more: Any) -> Channel:
    return Channel(name, FakeCarrier(), sender="10001", **more)


def _way(routes: Routes, to: str, **more: Any) -> str | None:
    channel = routes.choose(outbox_id=1, test=False, to=to, **more)
    return None if channel is None else channel.name


def _shares(routes: Routes, texts: int = 2000) -> Counter[str]:
    chosen = (routes.choose(outbox_id=n, test=False) for n in range(texts))
    return Counter(channel.name for channel in chosen if channel is not None)


def test_channels_share_by_weight() -> None:
    shares = _shares(Routes([_channel("a", weight=75), _channel("b", weight=25)]))
    assert 0.70 < shares["a"] / 2000 < 0.80
    assert shares.total() == 2000


def test_the_same_text_goes_the_same_way() -> None:
    routes = Routes([_channel("a"), _channel("b")])
    first = [routes.choose(outbox_id=n, test=False) for n in range(50)]
    assert first == [routes.choose(outbox_id=n, test=False) for n in range(50)]


def test_taking_a_channel_away_moves_only_its_own_texts() -> None:
    all_three = Routes([_channel(name) for name in "abc"])
    without = Routes([_channel(name) for name in "ab"])
    for n in range(200):
        before = all_three.choose(outbox_id=n, test=False)
        after = without.choose(outbox_id=n, test=False)
        assert before is not None
        assert after is not None
        if before.name != "c":
            assert after.name == before.name


def test_a_weight_of_nothing_carries_nothing() -> None:
    routes = Routes([_channel("a", weight=0)])
    assert routes.choose(outbox_id=1, test=False) is None


def test_a_rehearsal_never_reaches_a_real_carrier() -> None:
    routes = Routes([_channel("kave"), _channel("console", test=True)])
    for n in range(50):
        rehearsed = routes.choose(outbox_id=n, test=True)
        real = routes.choose(outbox_id=n, test=False)
        assert rehearsed is not None
        assert rehearsed.name == "console"
        assert real is not None
        assert real.name == "kave"
    assert Routes([_channel("kave")]).choose(outbox_id=1, test=True) is None


def test_a_laptop_without_a_carrier_shows_real_texts_on_the_console() -> None:
    routes = Routes([_channel("console", test=True)])
    chosen = routes.choose(outbox_id=1, test=False)
    assert chosen is not None
    assert chosen.name == "console"


def test_a_real_text_does_not_fall_back_to_the_console_when_its_carrier_rests() -> None:
    routes = Routes([_channel("kave"), _channel("console", test=True)])
    assert routes.choose(outbox_id=1, test=False, paused={"kave"}) is None


def test_one_that_was_tried_comes_after_those_that_were_not() -> None:
    routes = Routes([_channel("a"), _channel("b")])
    for n in range(20):
        other = routes.choose(outbox_id=n, test=False, tried=["a"])
        assert other is not None
        assert other.name == "b"
    assert routes.choose(outbox_id=1, test=False, tried=["a", "b"]) is not None


def test_no_channel_is_an_answer() -> None:
    routes = Routes([])
    assert routes.choose(outbox_id=1, test=False) is None
    assert routes.named("kave") is None
    assert routes.named(None) is None


def test_two_channels_of_one_name_are_a_mistake_of_ours() -> None:
    with pytest.raises(AssertionError, match="two channels"):
        Routes([_channel("a"), _channel("a")])


OPERATORS = Routes(
    [
        _channel("mci", prefixes=("+98912", "+98919")),
        _channel("iran", prefixes=("+98",)),
        _channel("world"),
    ]
)


def test_the_longest_prefix_that_fits_carries_a_text() -> None:
    assert _way(OPERATORS, MCI) == "mci"
    assert _way(OPERATORS, IRANCELL) == "iran"
    assert _way(OPERATORS, KENYA) == "world"


def test_a_shorter_prefix_or_none_stands_in_for_one_that_rests() -> None:
    assert _way(OPERATORS, MCI, paused={"mci"}) == "iran"
    assert _way(OPERATORS, MCI, shares={"mci": 0.0, "iran": 0.0}) == "world"
    assert _way(OPERATORS, MCI, tried=["mci", "iran"]) == "world"
    assert _way(OPERATORS, MCI, tried=["mci", "iran", "world"]) == "mci"


def test_a_channel_for_other_numbers_never_takes_a_text() -> None:
    routes = Routes([_channel("mci", prefixes=("+98912",))])
    assert _way(routes, IRANCELL) is None
    assert _way(routes, "") is None


def test_a_channel_takes_the_kinds_it_is_for() -> None:
    routes = Routes(
        [
            _channel("service", kinds=frozenset({Kind.RECEIPT, Kind.SERVICE})),
            _channel("bulk", kinds=frozenset({Kind.CAMPAIGN}), weight=10_000),
        ]
    )
    assert _way(routes, MCI, kind=Kind.RECEIPT) == "service"
    assert _way(routes, MCI, kind=Kind.SERVICE) == "service"
    assert _way(routes, MCI, kind=Kind.CAMPAIGN) == "bulk"
    assert _way(routes, MCI, kind=Kind.CAMPAIGN, paused={"bulk"}) is None


def test_a_channel_that_is_asleep_is_used_where_nothing_else_fits() -> None:
    routes = Routes([_channel("centre", smpp=True, weight=10_000), _channel("web")])
    assert _way(routes, MCI, asleep={"centre"}) == "web"
    assert _way(routes, MCI, asleep={"centre"}, tried=["web"]) == "web"
    assert _way(routes, MCI, asleep={"centre"}, paused={"web"}) == "centre"


def test_a_price_is_what_the_channel_says_of_it() -> None:
    assert _channel("a").estimate(MCI, 3) is None
    price = Price(Cost(Decimal(1150), "rial"), {"+98935": Decimal("1.1")})
    assert str(_channel("a", price=price).estimate(IRANCELL, 2)) == "2530 rial"


WEIGHTS = st.lists(st.integers(1, 1000), min_size=2, max_size=4)
SHARES = st.floats(0.05, 1)


@settings(max_examples=25)
@given(weights=WEIGHTS, share=SHARES)
def test_channels_divide_texts_by_weight_and_share(
    weights: list[int], share: float
) -> None:
    names = "abcd"[: len(weights)]
    routes = Routes(
        [_channel(n, weight=w) for n, w in zip(names, weights, strict=True)]
    )
    chosen = Counter(
        channel.name
        for n in range(1500)
        if (channel := routes.choose(outbox_id=n, test=False, shares={"a": share}))
    )
    effective = dict(zip(names, weights, strict=True)) | {"a": weights[0] * share}
    for name in names:
        expected = effective[name] / sum(effective.values())
        # Four standard deviations of a coin thrown so often.
        slack = 4 * (expected * (1 - expected) / 1500) ** 0.5
        assert abs(chosen[name] / 1500 - expected) <= slack + 0.001


@settings(max_examples=25)
@given(weights=WEIGHTS, share=SHARES)
def test_a_smaller_share_moves_only_that_channels_texts(
    weights: list[int], share: float
) -> None:
    routes = Routes(
        [
            _channel(name, weight=weight)
            for name, weight in zip("abcd", weights, strict=False)
        ]
    )
    for n in range(300):
        before = routes.choose(outbox_id=n, test=False)
        after = routes.choose(outbox_id=n, test=False, shares={"a": share})
        assert before is not None
        assert after is not None
        assert after.name == before.name or before.name == "a"
