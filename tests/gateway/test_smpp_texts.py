"""Texts over SMPP, against a message centre on another codec than ours."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from structlog.typing import EventDict

from gateway.service import Service
from gateway.smpp_texts import run
from ledger import events, outbox, people
from ledger.engine import writing
from ledger.outbox import Kind
from phone.smpp import Status
from tests.gateway.house import (
    KEY,
    NOON,
    ROOT,
    Gateway,
    _proven,
    close_gateway,
    open_gateway,
    settings,
)
from tests.peers.centre import Centre, text_centre

PHONE = "+989121234567"
SECONDS_MAX = 60.0
# Longer than receipts without a text wait to be looked at again.
SETTLED_SECONDS = 5
WORDS = ("یاریگر سپاسگزار شماست و این پیام در سه بخش می‌رسد. " * 3).strip()
SHORT = "سپاس"


@dataclass
class Ticking:
    """The clock of a test that takes real time, and leaps when it is told."""

    ahead: timedelta = timedelta()
    _began: float = field(default_factory=time.monotonic)

    def __call__(self) -> datetime:
        return NOON + self.ahead + timedelta(seconds=time.monotonic() - self._began)


@dataclass
class House:
    """A service with texts to promise, and what became of them."""

    gateway: Gateway
    clock: Ticking
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def service(self) -> Service:
        return replace(self.gateway.service, clock=self.clock)

    def promise(
        self,
        words: str = WORDS,
        phone: str = PHONE,
        *,
        kind: Kind = Kind.SERVICE,
        expires_in_seconds: float = 6 * 3600,
    ) -> int:
        at, service = self.clock(), self.gateway.service
        version, _ = _proven(service.settings.menus)
        with writing(service.engine) as db:
            person = people.remember(db, service.keys, phone, at=at)
            recorded = events.record(
                db,
                key=f"test-{next(self._numbers)}",
                kind="test",
                body={},
                person_id=person.id,
                channel="at",
                test=False,
                at=at,
            )
            return outbox.promise(
                db,
                event_id=recorded.event_id,
                person_id=person.id,
                template="sms.answer",
                slots={"words": words},
                language="fa",
                menus=version,
                kind=kind,
                campaign=None,
                test=False,
                at=at,
                expires_at=at + timedelta(seconds=expires_in_seconds),
            )

    def states(self) -> Counter[str]:
        return Counter(row.state for row in self.gateway.rows("outbox"))

    def come_to(self, **states: int) -> None:
        """Wait until the texts are in these states and no others."""
        until(lambda: self.states() == states, self.states)

    def settle(self) -> None:
        """Wait until one of a later text came, and receipts find no more texts."""
        until(lambda: set(self.states()) <= {"delivered", "unclear"}, self.states)
        later = self.promise(SHORT, phone="+989351112233")
        until(lambda: self._state(later) == "delivered", self.states)
        # Without another, each was given to a text, or never will be: of a text that
        # came in part nobody knows whose they are.
        seen, since = self._strays(), time.monotonic()
        while seen and time.monotonic() < since + SETTLED_SECONDS:
            time.sleep(0.1)
            if (now := self._strays()) != seen:
                seen, since = now, time.monotonic()

    def _strays(self) -> list[int]:
        return [r.id for r in self.gateway.rows("receipt") if r.matched_at is None]

    def _state(self, text: int) -> str:
        (row,) = self.gateway.rows("outbox", id=text)
        state: str = row.state
        return state

    def outcomes(self, table: str) -> Counter[str | None]:
        return Counter(row.outcome for row in self.gateway.rows(table))


def until(is_so: Callable[[], bool], told: Callable[[], Any]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not is_so():
        assert time.monotonic() < deadline, told()
        time.sleep(0.02)


@pytest.fixture
def centre() -> Iterator[Centre]:
    with text_centre() as running:
        yield running


def channel(centre: Centre, **more: Any) -> dict[str, Any]:
    return {
        "adapter": "smpp",
        "key": KEY,
        "host": "127.0.0.1",
        "port": centre.port,
        "system_id": "test",
        "password": "test",
        "sender": "10001",
        "window": 20,
        "segments_per_second": 1000,
        "response_seconds": 1,
        **more,
    }


@pytest.fixture
def options() -> dict[str, Any]:
    """What a test sets beyond `channel`."""
    return {}


@pytest.fixture
def house(
    request: pytest.FixtureRequest,
    centre: Centre,
    options: dict[str, Any],
    redis_url: str,
    tmp_path: Path,
) -> Iterator[House]:
    name = getattr(request, "param", "sqlite_ledger_url")
    url = request.getfixturevalue(name)
    sms = {"centre": channel(centre, **options)}
    opened = open_gateway(settings(url, redis_url, tmp_path, sms=sms))
    yield House(opened, Ticking())
    close_gateway(opened)


@contextmanager
def running(house: House) -> Iterator[None]:
    """What `yarigar smpp NAME` does, in a thread of this process."""
    told: dict[str, Any] = {}
    is_up = threading.Event()
    service = house.service
    found = service.routes.named("centre")
    assert found is not None

    async def work() -> None:
        told["loop"], told["stop"] = asyncio.get_running_loop(), asyncio.Event()
        is_up.set()
        await run(service, found, told["stop"])

    thread = threading.Thread(target=asyncio.run, args=(work(),))
    thread.start()
    try:
        assert is_up.wait(SECONDS_MAX)
        yield
    finally:
        told["loop"].call_soon_threadsafe(told["stop"].set)
        thread.join(SECONDS_MAX)
        assert not thread.is_alive()


@pytest.fixture
def bound(house: House, centre: Centre) -> Iterator[None]:
    with running(house):
        centre.wait_for("bound")
        yield


both = pytest.mark.parametrize(
    "house", ["sqlite_ledger_url", "postgres_ledger_url"], indirect=True
)


@both
@pytest.mark.usefixtures("bound")
def test_a_persian_text_of_three_parts_is_delivered_when_all_parts_are(
    house: House, centre: Centre
):
    centre.do("set", hold=True)
    house.promise()
    house.come_to(sent=1)
    (text,) = [told for told in centre.told if told["event"] == "text"]
    assert text["text"] == f"۱+۱: {WORDS}"
    assert (text["parts"], text["width"]) == (3, "8")
    submits = [told for told in centre.told if told["event"] == "submit"]
    assert [submit["coding"] for submit in submits] == [8, 8, 8]
    assert [submit["registered"] for submit in submits] == [1, 1, 1]
    assert house.outcomes("part") == {"accepted": 3}
    centre.do("release")
    house.come_to(delivered=1)


@both
@pytest.mark.usefixtures("bound")
@pytest.mark.parametrize("ids", ["hex", "zeros", "hexdec", "case"])
@pytest.mark.parametrize("form", ["text", "tlv"])
def test_receipts_before_their_answers_and_doubled_are_all_matched(
    house: House, centre: Centre, ids: str, form: str
):
    centre.do("set", delay=-1, copies=2, ids=ids, form=form)
    for number in range(5):
        house.promise(phone=f"+98912123456{number}")
    house.come_to(delivered=5)

    def matched() -> list[bool]:
        return [row.matched_at is not None for row in house.gateway.rows("receipt")]

    until(lambda: matched() == [True] * 15, matched)
    assert centre.count("repeated") == 0


@pytest.mark.usefixtures("bound")
def test_the_same_id_of_two_centres_counts_for_the_phone_it_names(
    house: House, centre: Centre
):
    # 1001 is an id in hexadecimal and another in decimal: only the phone tells which.
    centre.do("set", ids="hexdec", hold=True)
    for number in range(2):
        house.promise(SHORT, phone=f"+98912123456{number}")
    house.come_to(sent=2)
    centre.do("release")
    house.come_to(delivered=2)


@both
@pytest.mark.usefixtures("bound")
def test_a_lost_answer_is_healed_by_its_receipt_and_nothing_goes_twice(
    house: House, centre: Centre
):
    centre.do("lose", times=2)
    house.promise()
    house.promise(SHORT, phone="+989351112233")
    # In doubt while the answers may still come, and then no more.
    house.come_to(delivered=2)
    assert house.outcomes("part")["accepted"] == 3
    assert {row.attempts for row in house.gateway.rows("outbox")} == {1}
    assert centre.count("submit") == 4


@pytest.mark.usefixtures("bound")
def test_a_lost_answer_without_a_receipt_stays_unclear(house: House, centre: Centre):
    centre.do("set", receipt="none")
    centre.do("lose", times=1)
    house.promise()
    house.come_to(unclear=1)
    assert house.outcomes("part") == {"accepted": 2, "ambiguous": 1}
    time.sleep(2)
    assert centre.count("submit") == 3
    assert house.states() == {"unclear": 1}


@pytest.mark.usefixtures("bound")
def test_what_a_cut_connection_left_in_doubt_goes_again_only_when_silence_says_so(
    house: House, centre: Centre
):
    for number in range(10):
        house.promise(phone=f"+98912123456{number}")
        centre.do("cut")
        centre.wait_for("gone")
    # A text of which the centre had every part is healed by its receipts. Of one that
    # it had some of, nobody knows which those are: all in doubt go again, to be joined
    # with what the handset has.
    house.settle()
    house.clock.ahead += timedelta(minutes=20)
    house.come_to(delivered=11)
    texts = [told for told in centre.told if told["event"] == "text"]
    assert [text["times"] for text in texts] == [1] * 11


@pytest.mark.usefixtures("bound")
@pytest.mark.parametrize("status", [Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL])
def test_what_a_full_centre_does_not_take_goes_again_in_the_same_attempt(
    house: House, centre: Centre, status: int
):
    centre.do("refuse", status=int(status), times=4)
    for number in range(3):
        house.promise(phone=f"+98912123456{number}")
    house.come_to(delivered=3)
    assert centre.count("refused") == 4
    assert centre.count("submit") == 9
    assert [row.outcome for row in house.gateway.rows("attempt")] == ["accepted"] * 3


@pytest.mark.usefixtures("bound")
def test_a_centre_that_takes_few_a_second_gets_few_and_refuses_little(
    house: House, centre: Centre
):
    centre.do("set", tps=60, quiet=True)
    for number in range(80):
        house.promise(phone=f"+9891212345{number:02}")
    house.come_to(delivered=80)
    assert {row.attempts for row in house.gateway.rows("outbox")} == {1}
    assert centre.count("refused") < 24


@pytest.mark.usefixtures("bound")
def test_a_phone_that_the_centre_does_not_know_fails_its_text(
    house: House, centre: Centre
):
    centre.do("refuse", status=int(Status.ESME_RINVDSTADR), times=1)
    house.promise(SHORT)
    house.come_to(failed=1)
    (attempt,) = house.gateway.rows("attempt")
    assert (attempt.outcome, attempt.detail) == ("refused", "ESME_RINVDSTADR")


@pytest.mark.usefixtures("bound")
def test_only_the_parts_that_were_surely_not_taken_are_handed_over_again(
    house: House, centre: Centre
):
    centre.do("refuse", status=int(Status.ESME_RSYSERR), times=1)
    house.promise()
    house.come_to(delivered=1)
    (row,) = house.gateway.rows("outbox")
    assert row.attempts == 2
    assert centre.count("submit") == 3
    numbers = [told["number"] for told in centre.told if told["event"] == "submit"]
    assert sorted(numbers) == [1, 2, 3]


@pytest.mark.usefixtures("bound")
def test_a_text_that_did_not_arrive_is_failed(house: House, centre: Centre):
    centre.do("set", receipt="UNDELIV")
    house.promise()
    house.come_to(failed=1)


@pytest.mark.usefixtures("bound")
def test_the_centre_is_told_how_long_a_text_is_worth_anything(
    house: House, centre: Centre
):
    house.promise(SHORT, expires_in_seconds=3_600)
    submit = centre.wait_for("submit")
    assert submit["phone"] == PHONE[1:]
    assert (submit["source"], submit["source_ton"], submit["dest_ton"]) == (
        "10001",
        0,
        1,
    )
    # It reads a relative time as a date: within the hour.
    assert submit["validity"]


# -- other ways to be bound -------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"bind": "transmitter+receiver"},
        {"binds": 3, "window": 2},
        {"bind": "transmitter+receiver", "binds": 2, "parts": "udh16"},
        {"parts": "sar"},
    ],
    ids=str,
)
@pytest.mark.usefixtures("bound")
def test_texts_go_and_receipts_come_over_whatever_was_bound(
    house: House, centre: Centre
):
    for number in range(10):
        house.promise(phone=f"+98912123456{number}")
    house.come_to(delivered=10)
    assert centre.count("text") == 10


def test_a_wrong_password_is_named_not_hammered_and_texts_wait(
    house: House, centre: Centre, logs: list[EventDict]
):
    centre.do("refuse_binds", status=int(Status.ESME_RINVPASWD), times=9)
    house.promise(SHORT)
    with running(house):
        centre.wait_for("not_let_in")
        time.sleep(1.5)
    assert centre.count("not_let_in") == 1
    assert house.states() == {"queued": 1}
    (refused,) = [log for log in logs if log["event"] == "smpp_bind_refused"]
    assert (refused["status"], refused["log_level"]) == ("ESME_RINVPASWD", "error")
    # Nobody counts on it meanwhile.
    (standing,) = house.gateway.rows("channel_state")
    assert standing.alive_until is None or standing.alive_until <= house.clock()


def test_who_is_bound_says_so_and_who_parts_takes_it_back(house: House, centre: Centre):
    def is_alive() -> bool:
        rows = house.gateway.rows("channel_state")
        return any(row.alive_until > house.clock() for row in rows)

    with running(house):
        until(is_alive, lambda: house.gateway.rows("channel_state"))
    assert not is_alive()
    centre.wait_for("unbound")


# -- what people text -------------------------------------------------------------


def heard(house: House) -> list[Any]:
    return house.gateway.rows("inbound")


@both
@pytest.mark.usefixtures("bound")
def test_a_long_text_that_comes_last_part_first_is_one_keyword(
    house: House, centre: Centre
):
    text = "۱+۱ ۵۰ هزار تومان".ljust(140)
    centre.do(
        "text", **{"from": PHONE[1:], "to": "10001", "text": text}, parts=[3, 1, 2]
    )
    until(lambda: len(heard(house)) == 1, lambda: centre.told)
    # It asks for the amount to be confirmed, over the same centre.
    asked = centre.wait_for("text", phone=PHONE[1:])
    assert "۵۰" in asked["text"]
    centre.do("text", **{"from": PHONE[1:], "to": "10001", "text": "1"})
    until(lambda: house.gateway.pledged == [500_000], lambda: centre.told)
    assert centre.count("acknowledged") >= 4


@pytest.mark.usefixtures("bound")
@pytest.mark.parametrize("how", [{"wide": True}, {"sar": True}])
def test_parts_of_two_senders_with_one_reference_do_not_mix(
    house: House, centre: Centre, how: dict[str, Any]
):
    mine, theirs = "الف " * 40, "ب " * 80
    centre.do(
        "text", **{"from": PHONE[1:], "to": "10001", "text": mine}, parts=[3, 2], **how
    )
    centre.do(
        "text",
        **{"from": "989351112233", "to": "10001", "text": theirs},
        parts=[3, 1, 2],
        **how,
    )
    centre.do(
        "text", **{"from": PHONE[1:], "to": "10001", "text": mine}, parts=[1], **how
    )
    until(lambda: len(heard(house)) == 2, lambda: centre.told)
    assert len({row.look_up for row in heard(house)}) == 2


@pytest.mark.usefixtures("bound")
def test_11_stops_campaign_texts_and_12_rejoins_and_receipts_always_go(
    house: House, centre: Centre
):
    def say(text: str) -> None:
        # The centre is sure that we have the last one.
        time.sleep(0.1)
        before = centre.count("acknowledged")
        centre.do("text", **{"from": PHONE[1:], "to": "10001", "text": text})
        until(lambda: centre.count("acknowledged") > before, lambda: centre.told)

    say("لغو ۱۱")
    assert len(house.gateway.rows("stop")) == 1
    house.promise(SHORT, kind=Kind.CAMPAIGN)
    house.come_to(withdrawn=1)
    house.promise(SHORT, kind=Kind.RECEIPT)
    house.come_to(withdrawn=1, delivered=1)
    say("۱۲")
    assert house.gateway.rows("stop") == []
    assert centre.count("text") == 1


@pytest.mark.usefixtures("bound")
def test_a_second_try_is_one_text_and_the_same_word_later_is_another(
    house: House, centre: Centre
):
    said = {"from": PHONE[1:], "to": "10001", "text": "سلام"}
    centre.do("text", **said, copies=2)
    until(lambda: centre.count("acknowledged") == 2, lambda: centre.told)
    assert len(heard(house)) == 1
    until(lambda: not house.gateway.rows("fragment"), lambda: "the mark stays")
    centre.do("text", **said)
    until(lambda: len(heard(house)) == 2, lambda: centre.told)


@pytest.mark.usefixtures("bound")
def test_a_bind_lost_after_the_answer_makes_the_next_try_no_second_text(
    house: House, centre: Centre
):
    said = {"from": PHONE[1:], "to": "10001", "text": "سلام"}
    centre.do("text", **said)
    centre.wait_for("acknowledged")
    centre.do("disconnect")
    centre.wait_for("bound")
    time.sleep(4)
    centre.do("text", **said)
    centre.wait_for("acknowledged")
    assert len(heard(house)) == 1


@pytest.mark.usefixtures("bound")
def test_what_cannot_be_stored_is_refused_for_now_and_comes_again(
    house: House, centre: Centre, tmp_path: Path
):
    ledger, away = tmp_path / "ledger.db", tmp_path / "away.db"
    ledger.rename(away)
    centre.do("text", **{"from": PHONE[1:], "to": "10001", "text": "سلام"})
    assert centre.wait_for("acknowledged")["status"] == Status.ESME_RX_T_APPN
    ledger.unlink(missing_ok=True)
    away.rename(ledger)
    while centre.wait_for("acknowledged")["status"] != 0:
        pass
    assert len(heard(house)) == 1


@pytest.mark.usefixtures("bound")
def test_what_cannot_be_read_is_kept_and_answered(
    house: House, centre: Centre, logs: list[EventDict]
):
    centre.do("text", **{"from": "MTN", "to": "10001", "text": "hello"})
    assert centre.wait_for("acknowledged")["status"] == 0
    (kept,) = house.gateway.rows("unreadable")
    assert (kept.carrier, kept.way) == ("centre", "inbound")
    assert heard(house) == []
    assert "hello" not in repr(logs)


# -- as a process -----------------------------------------------------------------


@contextmanager
def yarigar(
    house: House, centre: Centre, name: str = "centre"
) -> Iterator[subprocess.Popen[str]]:
    """Run `yarigar smpp NAME` on the same ledger, set up by the environment."""
    service = house.gateway.service.settings
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
    for option, value in channel(centre).items():
        given[f"YARIGAR_SMS__CENTRE__{option.upper()}"] = str(value)
        given[f"YARIGAR_SMS__BOTH__{option.upper()}"] = str(value)
    for option in ("adapter", "key", "host", "system_id", "password"):
        given[f"YARIGAR_USSD__BOTH__{option.upper()}"] = str(channel(centre)[option])
    given["YARIGAR_SMS__PIGEON__ADAPTER"] = "console"
    given["YARIGAR_SMS__BOTH__WEIGHT"] = given["YARIGAR_SMS__PIGEON__WEIGHT"] = "0"
    given["YARIGAR_SMS__PIGEON__KEY"] = KEY
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "smpp", name],
        env=kept | given,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def now() -> datetime:
    """A process of its own has the time of day."""
    return datetime.now(NOON.tzinfo)


def test_the_command_carries_texts_and_takes_leave_when_told(
    house: House, centre: Centre
):
    house.clock.ahead = now() - NOON
    with yarigar(house, centre) as process:
        centre.wait_for("bound")
        house.promise()
        house.come_to(delivered=1)
        process.send_signal(signal.SIGTERM)
        centre.wait_for("unbound")
        printed, logged = process.communicate(timeout=SECONDS_MAX)
    assert (process.returncode, printed) == (0, "")
    assert '"event": "smpp_bound"' in logged
    for private in (PHONE[1:], SHORT, "یاریگر"):
        assert private not in logged


def test_killed_with_texts_queued_it_loses_none_and_doubles_none(
    house: House, centre: Centre
):
    house.clock.ahead = now() - NOON
    centre.do("set", latency=30, quiet=True)
    texts = 150
    for number in range(texts):
        house.promise(phone=f"+989121234{number:03}")
    for _ in range(3):
        with yarigar(house, centre) as process:
            centre.wait_for("bound")
            enough = centre.count("text") + 15
            until(lambda enough=enough: centre.count("text") >= enough, house.states)
            process.kill()
            centre.wait_for("gone")
    # What was in flight and got no receipt waits until silence says that it is lost.
    with running(house):
        house.settle()
        house.clock.ahead += timedelta(minutes=20)
        house.come_to(delivered=texts + 1)
    came = [told for told in centre.told if told["event"] == "text"]
    assert len({text["phone"] for text in came}) == texts + 1
    assert Counter(text["times"] for text in came) == {1: texts + 1}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("pigeon", "yarigar: sms.pigeon: its adapter is not smpp\n"),
        (
            "both",
            "yarigar: ussd.both and sms.both are both of smpp: give one another name\n",
        ),
        ("nobody", "yarigar: ussd.nobody is not set up\n"),
    ],
)
def test_a_channel_that_is_not_one_of_smpp_is_told_in_a_line(
    house: House, centre: Centre, name: str, line: str
):
    with yarigar(house, centre, name) as process:
        printed, told = process.communicate(timeout=SECONDS_MAX)
    assert (process.returncode, printed, told) == (2, "", line)
