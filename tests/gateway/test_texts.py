"""The channels of the settings, as whoever delivers has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from gateway.handsets import Handsets
from gateway.settings import load
from gateway.texts import routes
from ledger.outbox import Kind
from ledger.vault import Keys
from sms.routes import Routes

KEYS = Keys(vault=bytes(32), index=bytes(32), code=bytes(32))
MCI, IRANCELL = "+989121234567", "+989351234567"


def _routes(tmp_path: Path, written: str) -> Routes:
    config = tmp_path / "yarigar.toml"
    config.write_text(written)
    # Nothing is fed here, so nothing is connected.
    return routes(load({"YARIGAR_CONFIG": str(config)}), Handsets(Redis(), KEYS))


def test_what_is_set_for_a_channel_reaches_those_who_deliver(tmp_path: Path) -> None:
    found = _routes(
        tmp_path,
        """
        [sms.mci]
        adapter = "kavenegar"
        key = "long-random"
        api_key = "k"
        sender = "10001"
        prefixes = ["+98912"]
        kinds = ["receipt"]
        price_per_part = "1150 rial"
        prefix_factors = { "98912" = 1.1 }
        segments_per_second = 70
        slow_seconds = 2
        unclear_resend_seconds = 60
        [sms.other]
        adapter = "kavenegar"
        key = "long-random"
        api_key = "k"
        sender = "10002"
        """,
    )
    mci = found.choose(outbox_id=1, test=False, to=MCI, kind=Kind.RECEIPT)
    assert mci is not None
    assert mci.name == "mci"
    assert str(mci.estimate(MCI, 2)) == "2530 rial"
    assert mci.segments_per_second == 70
    assert (mci.slow_seconds, mci.unclear_resend_seconds) == (2, 60)
    assert not mci.smpp
    for to, kind in ((MCI, Kind.CAMPAIGN), (IRANCELL, Kind.RECEIPT)):
        other = found.choose(outbox_id=1, test=False, to=to, kind=kind)
        assert other is not None
        assert other.name == "other"
        assert other.estimate(to, 1) is None
        assert (other.segments_per_second, other.unclear_resend_seconds) == (50, 900)


@pytest.mark.parametrize("price", ["0", "0.5 KES", "999999999.9999 rial"])
def test_any_price_that_is_let_in_can_be_reckoned_with(
    tmp_path: Path, price: str
) -> None:
    (channel,) = _routes(
        tmp_path,
        f"""
        [sms.console]
        adapter = "console"
        key = "long-random"
        test = true
        price_per_part = "{price}"
        """,
    )
    assert str(channel.estimate(MCI, 1)) == price
