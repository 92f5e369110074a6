"""How a payment channel is set up, what its operator is told, what its page says."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

from gateway.doctor import examine
from gateway.payments import signing
from gateway.payments.form import Form, Setup
from gateway.settings import PaymentChannel, SettingsError, load
from tests import services
from tests.gateway.cashier import Cashier
from tests.gateway.operator import write_settings

PAGE = (Path(__file__).parents[2] / "docs/payments.md").read_text(encoding="utf-8")
TILL = {"YARIGAR_PAYMENTS__TILL__ADAPTER": "pos", "YARIGAR_PAYMENTS__TILL__SECRET": "s"}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No yarigar.toml of the developer's is read."""
    monkeypatch.chdir(tmp_path)


def faults_of(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load(environ)
    return str(refused.value).splitlines()


def test_the_channels_of_the_page_are_good_settings() -> None:
    (block,) = re.findall(r"```toml\n(\[payments\.psp\].*?)```", PAGE, re.DOTALL)
    Path("yarigar.toml").write_text(block, encoding="utf-8")
    settings = load({})
    assert settings.payments["psp"].signature_tolerance_seconds == 86_400
    assert settings.payments["shahrvand"].purpose == "needed"
    assert "random" not in repr(settings)


def test_the_commands_of_the_page_sign_what_is_accepted() -> None:
    """The page's own lines, with curl put aside: its header signs the page's body."""
    shell, openssl = shutil.which("sh"), shutil.which("openssl")
    if shell is None or openssl is None:
        services.missing("no sh or no openssl")
    (block,) = re.findall(r"```sh\n(BODY=.*?)```", PAGE, re.DOTALL)
    script = f'curl() {{ printf "%s\\n%s" "$3" "$5"; }}\n{block}'
    said = subprocess.run(
        [shell, "-euc", script],
        env={"SECRET": "long and random", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    header, body = said.splitlines()
    name, _, value = header.partition(": ")
    now = datetime.fromtimestamp(int(value[2:].partition(",")[0]), UTC)
    signing.check(
        b"long and random",
        {name.lower(): value},
        body.encode(),
        at=now,
        tolerance=timedelta(seconds=1),
    )
    assert name.lower() == signing.HEADER


def test_a_till_has_to_say_what_its_gifts_are_for() -> None:
    assert faults_of(TILL) == [
        "YARIGAR_PAYMENTS__TILL: campaign and purpose say what a till's gifts are for"
    ]
    told = {"CAMPAIGN": "one-plus-one", "PURPOSE": "needed"}
    named = {f"YARIGAR_PAYMENTS__TILL__{name}": told[name] for name in told}
    assert load(TILL | named).payments["till"].campaign == "one-plus-one"


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("ADAPTER", "zarin", "no such adapter: there are pos, signed-json"),
        ("SECRET", "", "at least 1"),
        ("SIGNATURE_TOLERANCE_SECONDS", "0", "greater than or equal to 1"),
        ("CAMPAIGN", "a:b", "pattern"),
        ("BANK", "Melli Bank", "pattern"),
        ("UNIT", "dollar", "rial"),
        ("ALLOW_FROM", "everywhere", "network"),
        ("SECRETT", "s", "is it secret?"),
        ("KEY", "s", "key is no option"),
    ],
)
def test_a_wrong_setting_is_told_by_its_name(name: str, value: str, fault: str) -> None:
    set_up = {
        "YARIGAR_PAYMENTS__PSP__ADAPTER": "signed-json",
        "YARIGAR_PAYMENTS__PSP__SECRET": "s",
        f"YARIGAR_PAYMENTS__PSP__{name}": value,
    }
    told = faults_of(set_up)
    assert any(fault in line for line in told), told
    assert all(line.startswith("YARIGAR_PAYMENTS__PSP") for line in told)


@pytest.mark.parametrize(
    "point", entry_points(group="yarigar.payments"), ids=lambda point: point.name
)
def test_every_installed_form_is_one(point: EntryPoint) -> None:
    form = point.load()(Setup(b"s", timedelta(days=1), "IR", "one-plus-one", "needed"))
    assert isinstance(form, Form)
    assert f"`{point.name}`" in PAGE


def test_a_secret_is_shown_to_nobody() -> None:
    channel = PaymentChannel(adapter="signed-json", secret="hunter2", password="pw2")
    assert "hunter2" not in repr(channel)
    assert "pw2" not in repr(channel)
    assert "hunter2" not in repr(Setup(b"hunter2", timedelta(days=1), "IR"))


def test_the_doctor_says_which_till_collects_for_nothing(
    cashier: Cashier, tmp_path: Path
) -> None:
    config = tmp_path / "yarigar.toml"
    lines = ['adapter = "pos"', 'secret = "s"', 'campaign = "one-plus-one"']
    write_settings(
        cashier.gateway,
        config,
        *("[payments.right]", *lines, 'purpose = "needed"'),
        *("[payments.wrong]", *lines, 'purpose = "nedded"'),
    )
    found = {one.what: one for one in examine({"YARIGAR_CONFIG": str(config)})}
    assert not found["tills"].is_well
    assert found["tills"].says == (
        "payments.wrong: no purpose 'nedded' stands in a list of the menus"
    )
