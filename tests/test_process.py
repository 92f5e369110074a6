"""`yarigar serve` as an operator runs it: a process that is dialled over HTTP."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from gateway.installation import find_without_redis
from ledger.engine import connect, reading
from ledger.schema import outbox
from ledger.vault import Keys
from phone.codes import is_code
from sms.calls import reference
from tests.carrier_server import (
    CarrierServer,
    Say,
    carrier_server,
    kavenegar_never_had_it,
    kavenegar_says,
    kavenegar_takes,
)

ROOT = Path(__file__).parents[1]
KEY = "long-random"
PHONE = "09121234567"
START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0
TEXT_SECONDS_MAX = 2.0
RETRIED_SECONDS_MAX = 45.0
CONFIRMED = "3*75000*1*1"
GIVING = ("", "3", "3*75000", "3*75000*1", CONFIRMED)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="processes are looked up in /proc"
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@dataclass
class Installation:
    """A folder with settings, and the service that runs in it."""

    folder: Path
    port: int
    said: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    _listener: threading.Thread | None = None

    def configure(self, carrier_url: str) -> None:
        (self.folder / "yarigar.toml").write_text(
            f"""
port = {self.port}
menus = "{ROOT / "menus.yaml"}"
data_dir = "{self.folder / "var"}"
web_threads = 8

[ussd.at]
adapter = "africastalking"
key = "{KEY}"

[ussd.rehearsal]
adapter = "africastalking"
key = "{KEY}"
test = true

[sms.kave]
adapter = "kavenegar"
key = "{KEY}"
api_key = "atsk"
base_url = "{carrier_url}"
sender = "10001"
stop_line = "لغو۱۱"
""",
            encoding="utf-8",
        )

    def start(self) -> None:
        kept = ours()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve"],
            cwd=self.folder,
            env=kept | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self.said.clear()
        self._listener = threading.Thread(target=self._listen, args=(self.process,))
        self._listener.start()
        assert eventually(
            lambda: "Stop with Ctrl-C." in "".join(self.said) or self.has_ended,
            START_SECONDS_MAX,
        )
        assert not self.has_ended, "".join(self.said)

    @property
    def has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def family(self) -> set[int]:
        """The process and all that descend from it."""
        assert self.process is not None
        parents = dict(processes())
        found = {self.process.pid}
        while grown := {p for p, above in parents.items() if above in found} - found:
            found |= grown
        return found

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.wait()

    def wait(self) -> int:
        assert self.process is not None
        assert self._listener is not None
        status = self.process.wait(STOP_SECONDS_MAX)
        self._listener.join(STOP_SECONDS_MAX)
        assert not self._listener.is_alive()
        return status

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as printed:
            for line in printed:
                self.said.append(line)

    # -- as the carrier --------------------------------------------------------------

    def dial(self, text: str, *, session: str = "s1", channel: str = "at") -> str:
        answer = httpx.post(
            f"http://127.0.0.1:{self.port}/ussd/{channel}/{KEY}",
            data={
                "sessionId": session,
                "serviceCode": "*780*5588*1#",
                "phoneNumber": PHONE,
                "text": text,
            },
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        return answer.text

    def pledge(self, *, session: str = "s1", channel: str = "at") -> str:
        """Give, and return the nine digits that the last screen tells."""
        for text in GIVING:
            screen = self.dial(text, session=session, channel=channel)
        assert screen.startswith("END "), screen
        found = re.search(r"\d{9}", screen)
        assert found, screen
        return found[0]

    def inbox(self) -> list[str]:
        answer = httpx.get(
            f"http://127.0.0.1:{self.port}/phone/line", params={"phone": PHONE}
        )
        return [text["text"] for text in answer.json()["texts"]]

    def exported(self) -> str:
        out = self.folder / "pledges.csv"
        subprocess.run(
            [sys.executable, "-m", "gateway"]
            + ["ledger", "export", "pledges", "--out", str(out)],
            cwd=self.folder,
            env=ours() | {"PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
        )
        return out.read_text(encoding="utf-8-sig")


def ours() -> dict[str, str]:
    """The environment without anybody's settings."""
    return {k: v for k, v in os.environ.items() if not k.startswith("YARIGAR_")}


def processes() -> Iterator[tuple[int, int]]:
    """Every live process and its parent."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            state, parent, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            yield int(entry.name), int(parent)


def alive(family: set[int]) -> set[int]:
    return family & {process for process, _ in processes()}


def eventually(is_so: Callable[[], Any], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def carrier() -> Iterator[CarrierServer]:
    with carrier_server() as server:
        server.script("send.json", kavenegar_takes(8792343))
        yield server


@pytest.fixture
def installation(tmp_path: Path, carrier: CarrierServer) -> Iterator[Installation]:
    installed = Installation(tmp_path, free_port())
    installed.configure(carrier.url)
    yield installed
    if not installed.has_ended:
        installed.stop()


@pytest.fixture
def running(installation: Installation) -> Installation:
    installation.start()
    return installation


def test_a_call_becomes_a_pledge_a_text_and_a_row(running: Installation):
    code = running.pledge(channel="rehearsal")
    assert is_code(code)
    assert eventually(lambda: running.inbox(), TEXT_SECONDS_MAX)
    (text,) = running.inbox()
    assert code in text
    assert "۷۵٬۰۰۰" in text
    printed = f"text to ***4567: {text.splitlines()[0]}"
    assert eventually(lambda: printed in "".join(running.said), TEXT_SECONDS_MAX)
    assert PHONE[1:] not in "".join(running.said)
    # A rehearsal is in no export; a real gift is.
    real = running.pledge(session="s2")
    assert [line.split(",")[0] for line in running.exported().splitlines()[1:]] == [
        real
    ]


def test_it_ends_cleanly_and_a_second_start_finds_its_data(
    running: Installation, carrier: CarrierServer
):
    code = running.pledge()
    family = running.family()
    assert len(family) >= 5  # serve, Redis, worker, scheduler, web
    assert running.stop() == 0
    assert alive(family) == set()
    running.start()
    # Its Redis knows nothing any more: the retry is told from the ledger.
    assert code in running.dial(CONFIRMED)
    assert running.exported().count("\n") == 2
    assert running.stop() == 0
    assert len(carrier.of("send.json")) == 1


def test_a_kill_leaves_no_child_and_loses_no_text(
    running: Installation, carrier: CarrierServer
):
    family = running.family()
    running.kill()
    assert eventually(lambda: not alive(family), 10)
    running.start()
    code = running.pledge()
    assert eventually(lambda: carrier.of("send.json"), TEXT_SECONDS_MAX)
    assert code in carrier.of("send.json")[0].form["message"]


# -- a carrier of its own --------------------------------------------------------------


def only_reference(running: Installation) -> str:
    """What the carrier is told that the only text is called."""
    config = {"YARIGAR_CONFIG": str(running.folder / "yarigar.toml")}
    settings = find_without_redis(config)
    engine = connect(settings.database_url)
    with reading(engine) as db:
        (row,) = db.execute(select(outbox))
    engine.dispose()
    keys = Keys(
        vault=settings.key_bytes("vault_key"),
        index=settings.key_bytes("index_key"),
        code=settings.key_bytes("code_key"),
    )
    return reference(keys, row)


def test_the_carrier_has_the_text_within_two_seconds(
    running: Installation, carrier: CarrierServer
):
    code = running.pledge()
    assert eventually(lambda: carrier.of("send.json"), TEXT_SECONDS_MAX)
    (asked,) = carrier.of("send.json")
    assert asked.form["receptor"] == PHONE
    assert asked.form["sender"] == "10001"
    assert asked.form["localid"] == only_reference(running)
    assert code in asked.form["message"]
    assert asked.form["message"].endswith("لغو۱۱")
    assert "atsk" not in "".join(running.said)


def test_busy_is_tried_again_and_a_500_is_looked_up_first(
    running: Installation, carrier: CarrierServer
):
    """Three gifts in one run of the service: 409, 500 and unknown, 500 and known."""
    carrier.script("send.json", kavenegar_says(409), kavenegar_takes(1))
    running.pledge(session="busy")
    assert eventually(lambda: len(carrier.of("send.json")) == 2, RETRIED_SECONDS_MAX)
    assert carrier.of("statuslocalmessageid.json") == []
    assert len({asked.form["localid"] for asked in carrier.of("send.json")}) == 1

    carrier.asked.clear()
    carrier.script("send.json", Say(500, b"oops"), kavenegar_takes(2))
    carrier.script("statuslocalmessageid.json", kavenegar_never_had_it())
    running.pledge(session="unknown")
    assert eventually(lambda: len(carrier.of("send.json")) == 2, RETRIED_SECONDS_MAX)
    paths = [asked.path.rsplit("/", 1)[1] for asked in carrier.asked]
    # It is asked at once and, because it may only be slow, once more after a while.
    first, *looked_up, last = paths
    assert (first, last) == ("send.json", "send.json")
    assert set(looked_up) == {"statuslocalmessageid.json"}
    assert len({asked.form["localid"] for asked in carrier.asked}) == 1

    carrier.asked.clear()
    carrier.script("send.json", Say(500, b"oops"), kavenegar_takes(3))
    carrier.script("statuslocalmessageid.json", kavenegar_takes(3, status=5))
    running.pledge(session="known")
    assert eventually(
        lambda: carrier.of("statuslocalmessageid.json"), RETRIED_SECONDS_MAX
    )
    # What is known is not sent again, however long one waits.
    assert not eventually(lambda: len(carrier.of("send.json")) > 1, 4)
    assert eventually(
        lambda: running.exported().count(",sent,") == 3, RETRIED_SECONDS_MAX
    )
