"""The phone in the terminal speaks every carrier's dialect, mishaps included."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway import keys
from gateway.cli import dial as dial_module
from gateway.stand_ins import stand_ins
from phone.encoding import Limits
from tests.gateway.house import (
    AMOUNT,
    CONFIRM,
    DONE,
    KEY,
    NOON,
    OTHER_AMOUNT,
    PURPOSE,
    ROOT,
    Gateway,
    close_gateway,
    open_gateway,
    settings,
)
from tests.gateway.terminal import Terminal, terminal_of
from ussd.reading import read as read_menus
from ussd.transcripts import play, read

CODE = "*780*5588*1#"
CHANNELS = ("phone", *stand_ins(""))
SAME = "[sent again: the same reply, byte for byte]"
OTHER = "[sent again: another reply than before]"
UNTOLD = "this carrier does not tell the service"
NARROW = {
    "adapter": "hubtel",
    "key": KEY,
    "test": True,
    "ucs2_units": 40,
    "gsm7_septets": 80,
}
# What the terminal's settings say of the same channel.
TABLES = [
    "simulator = true",
    "[ussd.narrow]",
    *(f"{name} = {value!r}".lower() for name, value in NARROW.items()),
]


@pytest.fixture
def gateway(
    sqlite_ledger_url: str, redis_url: str, tmp_path: Path
) -> Iterator[Gateway]:
    """A service whose operator has set up one narrow channel and nothing else."""
    ussd: dict[str, Any] = {"ussd": {"narrow": NARROW}}
    given = settings(sqlite_ledger_url, redis_url, tmp_path, **ussd)
    opened = open_gateway(keys.complete(given))
    yield opened
    close_gateway(opened)


@pytest.fixture
def terminal(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Terminal]:
    monkeypatch.setattr(dial_module, "TEXT_SECONDS_MAX", 0.0)
    with terminal_of(gateway, tmp_path / "dial.toml", TABLES) as opened:
        yield opened


@contextmanager
def at_another_pace(terminal: Terminal, wait: Callable[[], None]) -> Iterator[Terminal]:
    """The same terminal, where `wait` moves the clock before each request."""
    gateway = terminal.gateway

    def paced(environ: Any, start_response: Any) -> Any:
        wait()
        return gateway.app(environ, start_response)

    with terminal_of(gateway, terminal.config, TABLES, app=paced) as opened:
        yield opened


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_a_carrier_repeats_is_one_pledge(terminal: Terminal, channel: str):
    typed = "!start\n3\n!retry\n!start\n75000\n2\n!lost\n1\n"
    called = terminal.dial(CODE, "--channel", channel, typed=typed)
    assert called.exit_code == 0, called.output
    for screen in (AMOUNT, OTHER_AMOUNT, PURPOSE, CONFIRM, DONE):
        assert screen in called.output
    # A start in the middle of a call may show the screen that it has come to.
    assert called.output.count(SAME) >= 3
    assert called.output.count(SAME) + called.output.count(OTHER) == 4
    assert terminal.gateway.pledged == [750_000]


@pytest.mark.parametrize("command", ["!timeout", "!abort"])
def test_a_call_that_ends_early_is_told_where_the_carrier_tells_it(
    terminal: Terminal, command: str
):
    silent = []
    for channel in CHANNELS:
        before = len(terminal.gateway.rows("dial_end"))
        typed = f"3\n{command}\n75000\n"
        called = terminal.dial(CODE, "--channel", channel, typed=typed)
        assert called.exit_code == 0, called.output
        assert PURPOSE not in called.output
        told = [row.reached for row in terminal.gateway.rows("dial_end")[before:]]
        if UNTOLD in called.output:
            silent.append(channel)
        assert told == ([] if UNTOLD in called.output else [False]), channel
    assert silent == ["phone_nalo", "phone_arkesel", "phone_safaricom"]


def test_a_late_retry_is_another_reply_where_it_cannot_be_told(
    terminal: Terminal, tmp_path: Path
):
    typed, file = "3\n!retry\n", tmp_path / "call.yaml"
    clock = terminal.gateway.clock
    with at_another_pace(terminal, lambda: clock.wait(seconds=10)) as slow:
        numbered = slow.dial(CODE, "--channel", "phone_hubtel", typed=typed)
        unnumbered = slow.dial(
            CODE, "--channel", "phone_truroute", "--record", str(file), typed=typed
        )
    assert SAME in numbered.output
    assert OTHER in unnumbered.output
    assert "yarigar: not recorded" in unnumbered.output
    assert not file.exists()


def test_an_answer_typed_twice_in_a_row_is_not_taken_for_a_retry(terminal: Terminal):
    clock, began = terminal.gateway.clock, time.monotonic()

    def tick() -> None:
        clock.at = NOON + timedelta(seconds=time.monotonic() - began)

    with at_another_pace(terminal, tick) as timely:
        # 1 is the purpose, and then the confirm.
        typed = "3\n75000\n1\n1\n"
        called = timely.dial(CODE, "--channel", "phone_truroute", typed=typed)
    assert DONE in called.output
    assert terminal.gateway.pledged == [750_000]


def test_help_is_not_an_answer(terminal: Terminal):
    called = terminal.dial(CODE, typed="!help\n!nonsense\n3\n")
    assert called.output.count("!timeout  the carrier's timer") == 2
    assert OTHER_AMOUNT in called.output


def test_a_handset_breaks_lines_and_says_what_it_cannot_show(terminal: Terminal):
    called = terminal.dial(
        CODE, "--channel", "phone", "--handset", "12x4", "--language", "en"
    )
    lines = called.output.splitlines()
    assert lines[:3] == ["How many", "toman would", "you like to"]
    assert "rows, the handset shows 4 at once]" in called.output


def test_a_language_is_remembered_for_the_phone(terminal: Terminal):
    english = terminal.dial(CODE, "--channel", "phone", "--language", "en")
    assert "How many toman" in english.output
    again = terminal.dial(CODE, "--channel", "phone_beem")
    assert "How many toman" in again.output
    assert AMOUNT in terminal.dial(CODE, "--language", "fa").output


def test_the_operators_own_channel_comes_first(terminal: Terminal):
    # A screen is paged to what the channel holds, so none is too long for it.
    assert " of 40 UCS-2 units]" in terminal.dial(CODE).output


def test_a_call_over_a_narrow_channel_is_recorded_with_its_limits(
    terminal: Terminal, tmp_path: Path
):
    file = tmp_path / "call.yaml"
    called = terminal.dial(
        CODE, "--record", str(file), typed="!retry\n3\n75000\n!lost\n1\n"
    )
    assert f"recorded in {file}" in called.output
    (story,) = read(file)
    assert story.channel is not None
    assert story.channel.limits == Limits(gsm7_septets=80, ucs2_units=40)
    assert len(story.turns) == 4
    menus = read_menus((ROOT / "menus.yaml").read_text(), time_zone="Asia/Tehran")
    now = terminal.gateway.clock()
    assert play(menus, story, limits=Limits(), now=now) == []
