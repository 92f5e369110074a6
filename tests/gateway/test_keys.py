"""The keys are made once, kept whole, and never made for an old ledger."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from gateway import keys
from gateway.faults import KeysUnavailable
from gateway.settings import KEYS, Settings, load


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load({"YARIGAR_DATA_DIR": str(tmp_path), "YARIGAR_CONFIG": os.devnull})


def test_the_first_start_makes_keys_that_only_their_owner_reads(
    settings: Settings, tmp_path: Path
):
    first = keys.complete_or_make(settings, has_ledger=False)
    path = tmp_path / "keys.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["keys.toml"]
    assert len({first.key_bytes(name) for name in KEYS}) == len(KEYS)

    again = keys.complete_or_make(settings, has_ledger=True)
    assert [again.key_bytes(name) for name in KEYS] == [
        first.key_bytes(name) for name in KEYS
    ]


def test_no_keys_are_made_for_an_old_ledger(settings: Settings, tmp_path: Path):
    with pytest.raises(KeysUnavailable, match="put back your copy"):
        keys.complete_or_make(settings, has_ledger=True)
    assert not list(tmp_path.iterdir())


def test_other_commands_refuse_without_keys(settings: Settings):
    with pytest.raises(KeysUnavailable, match="keys.toml is missing: `yarigar serve`"):
        keys.complete(settings)


def test_keys_that_others_can_read_are_refused(settings: Settings, tmp_path: Path):
    keys.complete_or_make(settings, has_ledger=False)
    (tmp_path / "keys.toml").chmod(0o640)
    with pytest.raises(KeysUnavailable, match="chmod 600"):
        keys.complete(settings)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: text.replace("vault_key", "vault_kee"),
        lambda text: text.replace('vault_key = "', 'vault_key = "00'),
        lambda text: text.replace('vault_key = "', "vault_key = 7 # "),
        lambda text: text.replace('index_key = "', 'index_key = "z').replace('z"', '"'),
    ],
)
def test_a_damaged_file_is_refused_and_left_alone(settings, tmp_path, damage):
    keys.complete_or_make(settings, has_ledger=False)
    path = tmp_path / "keys.toml"
    path.write_text(damage(path.read_text()))
    damaged = path.read_text()
    with pytest.raises(KeysUnavailable, match="is damaged") as refused:
        keys.complete_or_make(settings, has_ledger=False)
    assert path.read_text() == damaged
    assert str(tmp_path) in str(refused.value)


def test_machines_that_share_the_settings_share_the_test_channels(tmp_path: Path):
    environ = {f"YARIGAR_{name.upper()}": f"{n:064x}" for n, name in enumerate(KEYS)}
    environ["YARIGAR_CONFIG"] = os.devnull
    one = keys.complete(load(environ | {"YARIGAR_DATA_DIR": str(tmp_path / "one")}))
    two = keys.complete(load(environ | {"YARIGAR_DATA_DIR": str(tmp_path / "two")}))
    assert one.ussd["phone"].key == two.ussd["phone"].key
    assert one.ussd["phone"].key != one.sms["console"].key
