"""The simulator has a channel for every dialect, the same in every process."""

from __future__ import annotations

import os
import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from gateway import keys
from gateway.proving import limits
from gateway.settings import KEYS, Settings, load
from gateway.stand_ins import stand_ins
from phone.encoding import Limits
from ussd.turn import Call, Ending, dialect

ROOT = Path(__file__).parents[2]
SHARED = {f"YARIGAR_{name.upper()}": f"{n:064x}" for n, name in enumerate(KEYS)}


def settings_of(folder: Path, **more: str) -> Settings:
    environ = SHARED | {"YARIGAR_CONFIG": os.devnull, "YARIGAR_DATA_DIR": str(folder)}
    return keys.complete(load(environ | more))


def test_every_dialect_over_http_has_a_channel_to_rehearse_on():
    ours = {
        entry.name
        for entry in entry_points(group="yarigar.ussd")
        if entry.value.startswith("ussd.dialects.")
    }
    channels = stand_ins("secret").values()
    assert {channel.adapter for channel in channels} == ours - {
        "africastalking",  # `phone` speaks it
        "mapped",
        "smpp",
    }
    assert all(channel.test for channel in channels)


def test_each_has_a_key_that_follows_from_the_one_of_phone():
    one, other = stand_ins("secret"), stand_ins("another")
    secrets = {channel.key.get_secret_value() for channel in one.values()}
    assert len(secrets) == len(one)
    assert not secrets & {channel.key.get_secret_value() for channel in other.values()}


@pytest.mark.parametrize("said", [{}, {"YARIGAR_SIMULATOR": "true"}])
def test_every_process_of_every_machine_has_the_same(
    tmp_path: Path, said: dict[str, str]
):
    # `serve` tells its children that the simulator is on; nobody tells a terminal.
    here = settings_of(tmp_path / "here")
    there = settings_of(tmp_path / "there", **said)
    assert "phone_mtn_madapi" in here.ussd
    assert here.ussd == there.ussd


def test_a_simulator_that_is_off_has_none(tmp_path: Path):
    off = settings_of(tmp_path, YARIGAR_SIMULATOR="false")
    assert list(off.ussd) == ["phone"]


def test_what_the_operator_calls_so_stays_as_it_is(tmp_path: Path):
    own = {
        "YARIGAR_USSD__PHONE_HUBTEL__ADAPTER": "nalo",
        "YARIGAR_USSD__PHONE_HUBTEL__KEY": "mine",
    }
    channel = settings_of(tmp_path, **own).ussd["phone_hubtel"]
    assert (channel.adapter, channel.test) == ("nalo", False)
    assert channel.key.get_secret_value() == "mine"


def test_channels_that_prove_alike_are_proved_once(tmp_path: Path):
    wide = {
        "YARIGAR_USSD__WIDE__ADAPTER": "hubtel",
        "YARIGAR_USSD__WIDE__KEY": "k",
        "YARIGAR_USSD__WIDE__UCS2_UNITS": "80",
    }
    others = len(stand_ins(""))
    assert limits(settings_of(tmp_path, **wide)) == {
        "wide": Limits(ucs2_units=80),
        f"phone (and {others} alike)": Limits(),
    }


def test_the_page_says_what_each_carrier_tells_of_an_end(tmp_path: Path):
    page = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(phone\w*)` \| `([\w-]+)` \| (.+) \|$", page, re.MULTILINE)
    call = Call("s1", "+989121234567", "*780#")
    found = []
    for name, channel in settings_of(tmp_path).ussd.items():
        spoken = dialect(channel.adapter)(region="IR", options=channel.options)
        left = spoken.send_end(call, Ending.LEFT) is not None
        reached = spoken.send_end(call, Ending.REACHED) is not None
        tells = "always" if reached else "unless the last screen was reached"
        found.append((name, channel.adapter, tells if left else "never"))
    assert rows == found
