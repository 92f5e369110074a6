"""What an operator sets, and how they are told what is wrong with it."""

from __future__ import annotations

import base64
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.settings import KEYS, Settings, SettingsError, load
from gateway.settings_page import settings_markdown
from ledger.outbox import Kind


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No yarigar.toml of the developer's is read."""
    monkeypatch.chdir(tmp_path)


def faults_of(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load(environ)
    return str(refused.value).splitlines()


def test_nothing_needs_to_be_set():
    settings = load({})
    assert settings.database_url == "sqlite:///var/yarigar.db"
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.redis_url == ""


def test_the_file_of_the_design_is_read(tmp_path: Path):
    Path("yarigar.toml").write_text(
        """
        trusted_proxies = ["10.0.0.0/8"]
        [ussd.at]
        adapter = "africastalking"
        key = "long-random"
        allow_from = ["127.0.0.0/8"]
        ucs2_units = 80
        gsm7_septets = 182
        [sms.kave]
        adapter = "kavenegar"
        key = "long-random"
        api_key = "hunter2"
        base_url = "https://api.kavenegar.com"
        sender = "10001"
        stop_line = "لغو۱۱"
        [payments.psp]
        adapter = "signed-json"
        secret = "hunter2"
        """
    )
    settings = load({})
    assert settings.ussd["at"].ucs2_units == 80
    assert str(settings.ussd["at"].allow_from[0]) == "127.0.0.0/8"
    assert settings.sms["kave"].stop_line == "لغو۱۱"
    assert "hunter2" not in repr(settings)


def test_the_environment_wins_over_the_file(tmp_path: Path):
    path = tmp_path / "other.toml"
    path.write_text('port = 9000\nregion = "KE"\n[ussd.at]\nadapter="africastalking"\n')
    settings = load(
        {
            "YARIGAR_CONFIG": str(path),
            "YARIGAR_PORT": "9001",
            "YARIGAR_USSD__AT__KEY": "123456",
            "YARIGAR_TRUSTED_PROXIES": "10.0.0.0/8, 192.168.0.1",
        }
    )
    assert (settings.port, settings.region) == (9001, "KE")
    assert settings.ussd["at"].key.get_secret_value() == "123456"
    assert [str(network) for network in settings.trusted_proxies] == [
        "10.0.0.0/8",
        "192.168.0.1/32",
    ]


def test_what_follows_from_another_setting_follows_it():
    settings = load({"YARIGAR_DATA_DIR": "/srv/y", "YARIGAR_PORT": "81"})
    assert settings.database_url == "sqlite:////srv/y/yarigar.db"
    assert settings.public_url == "http://127.0.0.1:81"
    everywhere = load({"YARIGAR_HOST": "::"})
    assert everywhere.local_url == everywhere.public_url == "http://[::1]:8000"


def test_all_faults_are_told_at_once_by_the_names_that_were_written(tmp_path: Path):
    Path("yarigar.toml").write_text(
        """
        aprovals = 2
        [ussd.at]
        adapter = "africastalkin"
        [ussd.Nalo]
        adapter = "africastalking"
        key = "k"
        """
    )
    faults = faults_of(
        {
            "YARIGAR_PORT": "eighty",
            "YARIGAR_PROT": "80",
            "YARIGAR_REGION": "iran",
            "YARIGAR_TIME_ZONE": "../../etc/passwd",
            "YARIGAR_SMS__KAVE__ADAPTER": "kavenegar",
            "YARIGAR_SMS__KAVE__KEY": "a/b",
            "YARIGAR_SMS__KAVE__SENDR": "10001",
        }
    )
    for expected in (
        "yarigar.toml: aprovals: no such setting (is it approvals?)",
        "yarigar.toml: ussd.at.key: is missing",
        "YARIGAR_PROT: no such setting (is it port?)",
        "YARIGAR_SMS__KAVE__SENDR: no such setting (is it sender?)",
    ):
        assert expected in faults
    for beginning in (
        "yarigar.toml: ussd.at.adapter: no such adapter: there are africastalking",
        "yarigar.toml: ussd.Nalo: a channel's name",
        "YARIGAR_PORT: should be a valid integer",
        "YARIGAR_REGION: ",
        "YARIGAR_TIME_ZONE: no such time zone",
        "YARIGAR_SMS__KAVE__KEY: ",
    ):
        assert any(fault.startswith(beginning) for fault in faults), faults
    assert len(faults) == 10


def test_a_channel_without_a_key_is_refused():
    assert faults_of({"YARIGAR_USSD__AT__ADAPTER": "africastalking"}) == [
        "YARIGAR_USSD__AT__KEY: is missing"
    ]


def test_a_secret_is_never_quoted_in_a_fault():
    faults = faults_of(
        {
            "YARIGAR_VAULT_KEY": "hunter2",
            "YARIGAR_DATABASE_URL": "mysql://u:hunter2@h/d",
        }
    )
    assert len(faults) == 2
    assert "hunter2" not in str(faults)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"port = ", "yarigar.toml: Invalid value"),
        (b"\xff", "yarigar.toml: is not UTF-8"),
        (b"#" * 2_000_000, "yarigar.toml: is longer than"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(content: bytes, told: str):
    Path("yarigar.toml").write_bytes(content)
    assert faults_of({})[0].startswith(told)


def test_a_named_file_must_be_there():
    assert faults_of({"YARIGAR_CONFIG": "no.toml"}) == [
        "no.toml: cannot be read: No such file or directory"
    ]


@given(key=st.binary(min_size=32, max_size=32))
def test_a_key_is_read_in_every_spelling(key: bytes):
    spellings = (
        key.hex(),
        base64.b64encode(key).decode(),
        base64.urlsafe_b64encode(key).decode().rstrip("="),
    )
    for spelling in spellings:
        settings = Settings(vault_key=spelling)
        assert settings.key_bytes("vault_key") == key


def test_the_test_channels_are_added_where_the_operator_has_none():
    made = dict.fromkeys(KEYS, "ab" * 32)
    made |= {"phone_channel_key": "cd" * 32, "console_channel_key": "ef" * 32}
    settings = load({}).with_keys(made)
    assert settings.ussd["phone"].test
    assert settings.sms["console"].sender == "10001"
    assert settings.key_bytes("seal_key") == b"\xab" * 32

    own = load(
        {
            "YARIGAR_USSD__PHONE__ADAPTER": "africastalking",
            "YARIGAR_USSD__PHONE__KEY": "k",
        }
    ).with_keys(made)
    assert own.ussd["phone"].key.get_secret_value() == "k"
    assert not own.ussd["phone"].test


def test_every_setting_is_on_the_page():
    page = settings_markdown()
    for name, field in Settings.model_fields.items():
        assert name in page
        assert field.description, name


def test_a_channel_of_texts_says_what_it_carries_and_what_it_costs() -> None:
    Path("yarigar.toml").write_text(
        """
        [sms.mci]
        adapter = "console"
        key = "long-random"
        prefixes = ["+98912", "+98919"]
        kinds = ["receipt", "service"]
        price_per_part = "1150.50 rial"
        prefix_factors = { "98935" = 1.1, "+98912" = "0.95" }
        slow_seconds = 2.5
        unclear_resend_seconds = 0
        """
    )
    environ = {
        "YARIGAR_SMS__BULK__ADAPTER": "console",
        "YARIGAR_SMS__BULK__KEY": "long-random",
        "YARIGAR_SMS__BULK__PREFIXES": "+98935, +98936",
        "YARIGAR_SMS__BULK__KINDS": "campaign",
    }
    settings = load(environ)
    mci, bulk = settings.sms["mci"], settings.sms["bulk"]
    assert mci.prefixes == ["+98912", "+98919"]
    assert mci.kinds == [Kind.RECEIPT, Kind.SERVICE]
    assert mci.prefix_factors == {"+98935": Decimal("1.1"), "+98912": Decimal("0.95")}
    assert (mci.slow_seconds, mci.unclear_resend_seconds) == (2.5, 0)
    assert (bulk.prefixes, bulk.kinds) == (["+98935", "+98936"], [Kind.CAMPAIGN])
    assert (bulk.price_per_part, bulk.unclear_resend_seconds) == ("", 900)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PREFIXES", "98912"),
        ("PREFIXES", "+98 91x"),
        ("PREFIXES", "+1234567890123456"),
        ("KINDS", "adverts"),
        ("PRICE_PER_PART", "cheap"),
        ("PRICE_PER_PART", "-1 rial"),
        ("PRICE_PER_PART", "1 2nd"),
        ("SLOW_SECONDS", "0"),
        ("SLOW_SECONDS", "nan"),
        ("UNCLEAR_RESEND_SECONDS", "-1"),
        ("SEGMENTS_PER_SECOND", "0"),
    ],
)
def test_a_bad_route_or_price_is_one_line(name: str, value: str) -> None:
    faults = faults_of(
        {
            "YARIGAR_SMS__MCI__ADAPTER": "console",
            "YARIGAR_SMS__MCI__KEY": "long-random",
            f"YARIGAR_SMS__MCI__{name}": value,
        }
    )
    assert len(faults) == 1
    assert faults[0].startswith(f"YARIGAR_SMS__MCI__{name}")


@pytest.mark.parametrize(
    "factors", ['{ "98x" = 1 }', '{ "98" = 0 }', '{ "98" = "much" }', '{ "98" = nan }']
)
def test_a_bad_factor_is_one_line(factors: str) -> None:
    Path("yarigar.toml").write_text(
        f'[sms.mci]\nadapter = "console"\nkey = "k"\nprefix_factors = {factors}\n'
    )
    (fault,) = faults_of({})
    assert fault.startswith("yarigar.toml: sms.mci.prefix_factors")
