from __future__ import annotations

from collections import Counter

import pytest

from sms.routes import Channel, Routes
from tests.fake_carrier import FakeCarrier


def _channel(name: str, *, weight: int = 100, test: bool = False) -> Channel:
    return Channel(name, FakeCarrier(), sender="10001", weight=weight, test=test)


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
