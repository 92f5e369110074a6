"""USSD over SMPP, against a message centre on another codec than ours."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from structlog.typing import EventDict

from gateway import smpp
from gateway.conversation import LAST_WORDS
from gateway.service import Service
from gateway.smpp import Desk, run
from phone.smpp import Message, Status, Tag
from tests.gateway.house import (
    AMOUNT,
    CODE,
    CONFIRM,
    DONE,
    KEY,
    OTHER_AMOUNT,
    PURPOSE,
    ROOT,
    ROOT_CODE,
    STANDS,
    WELCOME,
    Gateway,
    close_gateway,
    open_gateway,
    settings,
)
from tests.peers.centre import Centre, ussd_centre
from ussd.dialects.smpp import Smpp

PHONE = "989121234567"
BOUND_SECONDS_MAX = 60.0
READING_SECONDS = 5
ESME_RX_R_APPN = 0x66


@pytest.fixture
def centre() -> Iterator[Centre]:
    with ussd_centre() as running:
        yield running


@pytest.fixture
def house(
    centre: Centre, sqlite_ledger_url: str, redis_url: str, tmp_path: Path
) -> Iterator[Gateway]:
    channels = {
        "ussdc": channel(centre),
        "pair": channel(centre, bind="transmitter+receiver"),
        "stranger": channel(centre, password="wrong"),
    }
    opened = open_gateway(
        settings(sqlite_ledger_url, redis_url, tmp_path, ussd=channels)
    )
    yield opened
    close_gateway(opened)


def channel(centre: Centre, **more: Any) -> dict[str, Any]:
    return {
        "adapter": "smpp",
        "key": KEY,
        "host": "127.0.0.1",
        "port": centre.port,
        "system_id": "test",
        "password": "test",
        **more,
    }


@contextmanager
def running(service: Service, name: str = "ussdc") -> Iterator[None]:
    """What `yarigar smpp NAME` does, in a thread of this process."""
    told: dict[str, Any] = {}
    is_up = threading.Event()

    async def work() -> None:
        told["loop"], told["stop"] = asyncio.get_running_loop(), asyncio.Event()
        is_up.set()
        await run(service, name, told["stop"])

    thread = threading.Thread(target=asyncio.run, args=(work(),))
    thread.start()
    try:
        assert is_up.wait(BOUND_SECONDS_MAX)
        yield
    finally:
        told["loop"].call_soon_threadsafe(told["stop"].set)
        thread.join(BOUND_SECONDS_MAX)
        assert not thread.is_alive()


@pytest.fixture
def bound(house: Gateway, centre: Centre) -> Iterator[None]:
    with running(house.service):
        centre.wait_for("bound")
        yield


@dataclass
class Caller:
    """A phone, and the person who reads each screen before the next key."""

    house: Gateway
    centre: Centre
    phone: str = PHONE

    def dial(self, code: str = CODE, session: int = 7) -> dict[str, Any]:
        self.house.clock.wait(seconds=READING_SECONDS)
        self.centre.do("dial", phone=self.phone, code=code, session=session)
        return self.screen()

    def answer(self, text: str, **how: Any) -> dict[str, Any]:
        self.house.clock.wait(seconds=READING_SECONDS)
        self.centre.do("answer", phone=self.phone, text=text, **how)
        return self.screen()

    def screen(self) -> dict[str, Any]:
        return self.centre.wait_for("screen", phone=self.phone)


@pytest.fixture
def caller(house: Gateway, centre: Centre) -> Caller:
    return Caller(house, centre)


@pytest.mark.usefixtures("bound")
def test_a_gift_in_persian_survives_two_lost_connections_and_three_confirms(
    house: Gateway, centre: Centre, caller: Caller
):
    first = caller.dial()
    assert first["text"].startswith(AMOUNT)
    assert (first["coding"], first["op"], first["ends"]) == (8, 2, False)
    assert (first["number"], first["service_type"]) == (7, "USSD")
    assert (first["source"], first["ton"], first["npi"]) == ("780", 1, 1)

    assert caller.answer("۳")["text"].startswith(OTHER_AMOUNT)
    centre.do("disconnect")
    centre.wait_for("bound")
    assert caller.answer("۷۵٬۰۰۰")["text"].startswith(PURPOSE)
    assert caller.answer("1")["text"].startswith(CONFIRM)
    centre.do("disconnect")

    # The caller does not wait for us to be back, and the centre asks three times.
    last = caller.answer("1", copies=3)
    assert last["text"].startswith(DONE)
    assert (last["op"], last["ends"]) == (17, True)
    told = [told["status"] for told in centre.told if told["event"] == "acknowledged"]
    assert told == [0] * 7
    assert house.pledged == [750_000]
    assert house.promised == ["sms.pledge"]


@pytest.mark.usefixtures("bound")
def test_a_screen_that_nobody_acknowledged_is_shown_again(
    centre: Centre, caller: Caller
):
    centre.do("lose")
    first = caller.dial()
    centre.wait_for("bound")
    again = caller.screen()
    assert again == first
    assert caller.answer("1")["text"].startswith(PURPOSE)


@pytest.mark.usefixtures("bound")
def test_a_last_screen_that_nobody_acknowledged_is_offered_and_may_be_refused(
    house: Gateway, centre: Centre, caller: Caller, logs: list[EventDict]
):
    caller.dial()
    caller.answer("1")
    assert caller.answer("1")["text"].startswith(CONFIRM)
    centre.do("lose")
    assert caller.answer("1")["text"].startswith(DONE)
    # The dialogue is over, so the centre has no use for its last screen.
    assert centre.wait_for("strange")["op"] == 17
    assert house.pledged == [200_000]
    assert caller.dial()["text"].startswith(STANDS)
    refused = [log for log in logs if log["event"] == "smpp_screen_refused"]
    assert [log["status"] for log in refused] == ["ESME_RINVDSTADR"]
    assert PHONE not in repr(logs)


@pytest.mark.usefixtures("bound")
def test_a_centre_that_throttles_gets_the_same_screen_a_little_later(
    centre: Centre, caller: Caller
):
    centre.do("throttle", times=2)
    assert caller.dial()["text"].startswith(AMOUNT)
    assert centre.count("throttled") == 2
    assert centre.count("screen") == 1


@pytest.mark.usefixtures("bound")
def test_a_caller_who_hangs_up_is_heard_and_may_dial_again(
    house: Gateway, centre: Centre, caller: Caller
):
    caller.dial()
    caller.answer("3")
    centre.do("abort", phone=PHONE)
    assert centre.wait_for("acknowledged")["status"] == 0
    # The same number of dialogue again, as centres do that count in one octet.
    assert caller.dial()["text"].startswith(AMOUNT)
    assert caller.answer("1")["text"].startswith(PURPOSE)
    assert house.pledged == []


@pytest.mark.usefixtures("bound")
def test_the_next_call_may_have_the_number_of_the_last_one(
    house: Gateway, caller: Caller
):
    for _ in range(2):
        assert caller.dial(ROOT_CODE)["text"].startswith(WELCOME)
        for text in ("1", "1", "1"):
            caller.answer(text)
        assert caller.answer("1")["text"].startswith(DONE)
        # Within ten minutes the first screen would tell of the gift.
        house.clock.wait(minutes=15)
    assert house.pledged == [200_000, 200_000]


@pytest.mark.usefixtures("bound")
def test_a_screen_in_english_goes_as_gsm7(caller: Caller):
    caller.dial(ROOT_CODE)
    caller.answer("9")
    english = caller.answer("3")
    assert english["coding"] == 0
    assert english["text"].isascii()
    assert "English" in english["text"]


@pytest.mark.usefixtures("bound")
def test_many_callers_at_once_each_get_their_own_screen(house: Gateway, centre: Centre):
    callers = {f"98912000{n:04}": n for n in range(25)}
    for phone, session in callers.items():
        centre.do("dial", phone=phone, code=CODE, session=session)
    while centre.count("screen") < len(callers):
        centre.wait_for("screen")
    screens = [told for told in centre.told if told["event"] == "screen"]
    assert {screen["phone"]: screen["number"] for screen in screens} == callers
    assert all(screen["text"].startswith(AMOUNT) for screen in screens)
    assert centre.count("strange") == 0


@pytest.mark.usefixtures("bound")
def test_what_cannot_be_understood_is_refused_and_the_call_goes_on(
    centre: Centre, caller: Caller, logs: list[EventDict]
):
    caller.dial()
    centre.do("send", phone=PHONE, op=55, text="?")
    assert centre.wait_for("acknowledged")["status"] == ESME_RX_R_APPN
    assert caller.answer("1")["text"].startswith(PURPOSE)
    (unreadable,) = [log for log in logs if log["event"] == "smpp_unreadable"]
    assert unreadable["why"] == "ussd_service_op 55 has no meaning here."


@pytest.mark.usefixtures("bound")
def test_the_centre_may_ask_whether_we_live(centre: Centre):
    centre.do("enquire")
    centre.wait_for("alive")


def test_one_bind_to_send_and_one_to_receive_do_as_well(
    house: Gateway, centre: Centre, caller: Caller
):
    with running(house.service, "pair"):
        roles = {centre.wait_for("bound")["role"] for _ in range(2)}
        assert roles == {"transmitter", "receiver"}
        assert caller.dial()["text"].startswith(AMOUNT)
    for _ in range(2):
        centre.wait_for("unbound")


def test_a_wrong_password_is_named_and_not_tried_again_at_once(
    house: Gateway, centre: Centre, logs: list[EventDict]
):
    with running(house.service, "stranger"):
        centre.wait_for("refused")
        # A centre that was merely busy would be asked again in less than a second.
        assert not threading.Event().wait(1.5)
    assert centre.count("refused") == 1
    (refused,) = [log for log in logs if log["event"] == "smpp_bind_refused"]
    assert (refused["status"], refused["log_level"]) == ("ESME_RINVPASWD", "error")
    assert "wrong" not in repr(refused)


class Broken:
    """Conversations that fail as nobody foresaw."""

    def answer(self, *_: Any) -> Any:
        raise RuntimeError("unforeseen")


def test_a_caller_whose_turn_breaks_gets_a_polite_end(
    house: Gateway, centre: Centre, caller: Caller, logs: list[EventDict]
):
    broken: Any = Broken()
    with running(replace(house.service, conversations=broken)):
        centre.wait_for("bound")
        screen = caller.dial()
    assert (screen["text"], screen["ends"]) == (LAST_WORDS["unsure"], True)
    assert any(log["event"] == "turn_broke" for log in logs)


class Waiting:
    """A centre that takes nothing before it is told, and remembers who still asks."""

    def __init__(self) -> None:
        self.asked: list[Callable[[], bool]] = []
        self.open = asyncio.Event()

    async def submit(self, screen: Message, *, is_wanted: Callable[[], bool]) -> None:
        self.asked.append(is_wanted)
        await self.open.wait()

    async def waits_for(self, screens: int) -> list[bool]:
        async with asyncio.timeout(BOUND_SECONDS_MAX):
            while len(self.asked) < screens:
                await asyncio.sleep(0.01)
        return [is_wanted() for is_wanted in self.asked]


def at_the_desk(
    house: Gateway, work: Callable[[Desk, Waiting], Coroutine[Any, Any, None]]
) -> None:
    async def sit() -> None:
        door = house.service.doors["ussdc"]
        assert isinstance(door.dialect, Smpp)
        with ThreadPoolExecutor(2) as threads:
            desk = Desk(house.service, door.channel, door.dialect, threads)
            waiting: Any = Waiting()
            desk.centre = waiting
            await work(desk, waiting)
            waiting.open.set()
            await desk.finish(BOUND_SECONDS_MAX)

    asyncio.run(sit())


def sent(op: int, text: bytes = b"", *, session: int = 7) -> Message:
    return Message(
        source=PHONE,
        dest="780",
        short_message=text,
        tlvs=(
            (Tag.USSD_SERVICE_OP, bytes([op])),
            (Tag.ITS_SESSION_INFO, bytes([session, 0])),
        ),
    )


def test_a_screen_on_its_way_is_dropped_when_nobody_can_read_it(house: Gateway):
    async def work(desk: Desk, waiting: Waiting) -> None:
        assert desk.take(sent(1, CODE.encode())) == 0
        assert await waiting.waits_for(1) == [True]
        # The centre asks again: one of two screens alike is enough.
        assert desk.take(sent(1, CODE.encode())) == 0
        assert await waiting.waits_for(2) == [False, True]
        # The end of another dialogue is none of its business.
        assert desk.take(sent(129, session=8)) == 0
        assert await waiting.waits_for(2) == [False, True]
        assert desk.take(sent(129)) == 0
        assert await waiting.waits_for(2) == [False, False]

    at_the_desk(house, work)


def test_more_callers_than_can_be_answered_are_turned_away(
    house: Gateway, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(smpp, "TURNS_MAX", 3)

    async def work(desk: Desk, waiting: Waiting) -> None:
        dials = [sent(1, CODE.encode(), session=n) for n in range(5)]
        said = [desk.take(dial) for dial in dials]
        assert said == [0, 0, 0, Status.ESME_RX_T_APPN, Status.ESME_RX_T_APPN]
        waiting.open.set()
        await desk.finish(BOUND_SECONDS_MAX)
        # Nor is anybody let in at the door once it closes.
        assert desk.take(dials[0]) == Status.ESME_RX_T_APPN
        assert len(waiting.asked) == 3

    at_the_desk(house, work)


def test_a_screen_that_would_come_too_late_is_given_up(
    house: Gateway, centre: Centre, logs: list[EventDict]
):
    door = house.service.doors["ussdc"]
    options = {k: v for k, v in channel(centre).items() if k not in ("adapter", "key")}
    # Enough for the service to answer on a busy machine; the centre never takes it.
    hasty = Smpp(region="IR", options={**options, "answer_seconds": 5})

    async def sit() -> None:
        with ThreadPoolExecutor(1) as threads:
            desk = Desk(house.service, door.channel, hasty, threads)
            waiting: Any = Waiting()
            desk.centre = waiting
            assert desk.take(sent(1, CODE.encode())) == 0
            assert await waiting.waits_for(1) == [True]
            await desk.finish(BOUND_SECONDS_MAX)
            assert [is_wanted() for is_wanted in waiting.asked] == [False]

    asyncio.run(sit())
    assert [log["event"] for log in logs] == ["smpp_screen_late"]


def test_nothing_is_posted_to_a_channel_of_smpp(house: Gateway):
    assert house.post({"text": "*780#"}, channel="ussdc").status_code == 404


# -- as a process ---------------------------------------------------------------------


def yarigar(house: Gateway, centre: Centre, name: str) -> subprocess.Popen[str]:
    """Start `yarigar smpp NAME` on the same ledger, set up by the environment."""
    service = house.service.settings
    kept = {k: v for k, v in os.environ.items() if not k.startswith("YARIGAR_")}
    given = {
        "YARIGAR_CONFIG": os.devnull,
        "YARIGAR_DATA_DIR": str(service.data_dir),
        "YARIGAR_DATABASE_URL": service.database_url,
        "YARIGAR_REDIS_URL": service.redis_url,
        "YARIGAR_VAULT_KEY": "76" * 32,
        "YARIGAR_INDEX_KEY": "69" * 32,
        "YARIGAR_CODE_KEY": "63" * 32,
        "YARIGAR_SEAL_KEY": "73" * 32,
        "YARIGAR_WEB_SECRET": "77" * 32,
    }
    for option, value in channel(centre, window=2, op_abort="129, 130").items():
        given[f"YARIGAR_USSD__USSDC__{option.upper()}"] = str(value)
    given["YARIGAR_USSD__AT__ADAPTER"] = "africastalking"
    given["YARIGAR_USSD__AT__KEY"] = KEY
    return subprocess.Popen(
        [sys.executable, "-m", "gateway", "smpp", name],
        env=kept | given,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def test_the_command_answers_callers_and_takes_leave_when_told(
    house: Gateway, centre: Centre, caller: Caller
):
    process = yarigar(house, centre, "ussdc")
    try:
        centre.wait_for("bound")
        assert caller.dial()["text"].startswith(AMOUNT)
        process.send_signal(signal.SIGTERM)
        centre.wait_for("unbound")
        printed, logged = process.communicate(timeout=BOUND_SECONDS_MAX)
    finally:
        process.kill()
    assert (process.returncode, printed) == (0, "")
    assert '"event": "smpp_bound"' in logged
    assert PHONE not in logged


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("pigeon", "yarigar: ussd.pigeon is not set up\n"),
        ("at", "yarigar: ussd.at: its adapter is not smpp\n"),
    ],
)
def test_a_channel_that_is_not_one_of_smpp_is_told_in_a_line(
    house: Gateway, centre: Centre, name: str, line: str
):
    process = yarigar(house, centre, name)
    printed, told = process.communicate(timeout=BOUND_SECONDS_MAX)
    assert (process.returncode, printed, told) == (2, "", line)
