"""The phone in the terminal dials the running service, and writes what it heard."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.cli import dial as dial_module
from gateway.texts import renderer
from phone.encoding import Limits
from sms.delivery import deliver
from tests.gateway.house import (
    AMOUNT,
    CONFIRM,
    DONE,
    KEY,
    ROOT,
    WELCOME,
    Gateway,
)
from tests.gateway.terminal import PHONE, Terminal, terminal_of
from ussd.reading import read as read_menus
from ussd.transcripts import play, read


@pytest.fixture
def terminal(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Terminal]:
    monkeypatch.setattr(dial_module, "TEXT_SECONDS_MAX", 0.2)
    tables = [
        f'[ussd.at]\nadapter = "africastalking"\nkey = "{KEY}"',
        f'[ussd.rehearsal]\nadapter = "africastalking"\nkey = "{KEY}"',
        "test = true",
        f'[ussd.centre]\nadapter = "smpp"\nkey = "{KEY}"\nhost = "127.0.0.1"',
        'system_id = "yarigar"\npassword = "secret"',
        f'[sms.console]\nadapter = "console"\nkey = "{KEY}"\ntest = true',
    ]
    with terminal_of(gateway, tmp_path / "dial.toml", tables) as opened:
        yield opened


def test_a_call_is_shown_screen_by_screen(terminal: Terminal):
    called = terminal.dial("*780*5588*1#", typed="3\n75000\n1\n1\n")
    assert called.exit_code == 0, called.output
    for screen in (AMOUNT, CONFIRM, DONE):
        assert screen in called.output
    assert "of 70 UCS-2 units]" in called.output
    assert terminal.gateway.pledged == [750_000]
    # It goes through the rehearsal channel unless it is told another.
    assert terminal.gateway.exported() == []


def test_the_end_is_reported_as_a_carrier_does(terminal: Terminal):
    terminal.dial("*780*5588*1#", typed="3\n75000\n1\n1\n")
    assert [row.reached for row in terminal.gateway.rows("dial_end")] == [True]
    assert AMOUNT in terminal.dial("*780*5588*1#").output


def test_a_call_that_is_hung_up_is_reported_as_such(terminal: Terminal):
    left = terminal.dial("*780*5588*1#", typed="3\n")
    assert left.exit_code == 0
    assert [row.reached for row in terminal.gateway.rows("dial_end")] == [False]
    assert terminal.gateway.pledged == []


def test_another_channel_is_dialled_by_name(terminal: Terminal):
    terminal.dial("*780*5588*1#", "--channel", "at", typed="3\n75000\n1\n1\n")
    assert len(terminal.gateway.exported()) == 1


def test_the_text_is_shown_when_it_comes(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dial_module, "TEXT_SECONDS_MAX", 5.0)
    gateway = terminal.gateway
    service = gateway.service

    def work() -> None:
        deadline = time.monotonic() + 10
        while not gateway.promised and time.monotonic() < deadline:
            time.sleep(0.02)
        deliver(
            service.engine,
            service.keys,
            routes=service.routes,
            render=renderer(service.library, service.keys),
            owner="test",
            now=gateway.clock,
        )

    worker = threading.Thread(target=work)
    worker.start()
    called = terminal.dial("*780*5588*1#", typed="3\n75000\n1\n1\n")
    worker.join()
    assert "\nSMS: ۱+۱: ثبت کمک ۷۵٬۰۰۰ تومان" in called.output
    assert gateway.rows("outbox")[0].state == "delivered"


def test_what_was_recorded_passes_as_a_test(terminal: Terminal, tmp_path: Path):
    file = tmp_path / "calls.yaml"
    typed = "1\n3\n75000\n1\n1\n"
    first = terminal.dial("*780*5588#", "--record", str(file), typed=typed)
    assert first.exit_code == 0, first.output
    second = terminal.dial("*780*5588#", "--record", str(file), typed="9\n0\n0\n")
    assert second.exit_code == 0, second.output
    text = file.read_text(encoding="utf-8")
    assert terminal.gateway.rows("code")[0].code not in text
    assert PHONE[1:] not in text
    menus = read_menus((ROOT / "menus.yaml").read_text(), time_zone="Asia/Tehran")
    stories = read(file)
    assert [len(story.turns) for story in stories] == [6, 4]
    now = datetime(2026, 11, 22, tzinfo=UTC)
    for story in stories:
        assert play(menus, story, limits=Limits(), now=now) == []


def test_a_reversed_code_is_dialled_all_the_same(terminal: Terminal):
    assert WELCOME in terminal.dial("#۵۵۸۸*۷۸۰*").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("hello", "--from", PHONE), "that is no dial code"),
        (("*780#", "--from", "12"), "--from is no mobile number"),
        (("*780#", "--from", "02188776655"), "--from is no mobile number"),
        (("*780#", "--from", PHONE, "--channel", "none"), "no USSD channel 'none'"),
        (("*780#", "--from", PHONE, "--channel", "centre"), "`yarigar smpp centre`"),
        (("*780#", "--from", PHONE, "--language", "de"), "the menus speak fa, en"),
        (
            ("*780#", "--from", PHONE, "--channel", "at", "--language", "en"),
            "at is no test channel",
        ),
        (("*780#", "--from", PHONE, "--handset", "wide"), "--handset: write columns"),
        (("*780#", "--from", PHONE, "--handset", "7x9"), "has 8 to 80 columns"),
        (("*780#", "--from", PHONE, "--url", "http://["), "no service answers at"),
        (("*780#", "--from", PHONE, "--url", "http://127.0.0.1:9"), "no service"),
        (("*780#", "--from", PHONE, "--url", "nowhere"), "no service answers at"),
    ],
)
def test_what_cannot_be_dialled_is_told_in_a_line(
    terminal: Terminal, arguments: tuple[str, ...], said: str
):
    refused = terminal.run(*arguments)
    assert refused.exit_code == 2, refused.output
    assert said in refused.output
    assert refused.output.count("\n") == 1


def test_a_redis_that_is_gone_is_told_in_a_line(terminal: Terminal, tmp_path: Path):
    here = f'"{terminal.gateway.service.settings.redis_url}"'
    config = terminal.config.read_text().replace(here, f'"unix://{tmp_path}/none"')
    terminal.config.write_text(config)
    refused = terminal.dial("*780#")
    assert refused.exit_code == 2, refused.output
    assert "Traceback" not in refused.output
    assert refused.output.startswith("yarigar: ")
