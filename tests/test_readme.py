"""The README's commands print what it says they print, and its texts are answered so.

Each console block is run in a temporary folder against a real service, and each line of
a block of texts sent to its console. Tracking codes and times differ from one run to
the next, and nothing else may.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
START_SECONDS_MAX = 60
REPLY_SECONDS_MAX = 60
PHONE = "09121234569"
_VOLATILE = (
    (re.compile(r"(?<![0-9])[1-9][0-9]{8}(?![0-9])"), "<code>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<utc>"),
    (re.compile(r"14\d\d/\d\d/\d\d \d\d:\d\d"), "<jalali>"),
)


def console_blocks() -> Iterator[list[tuple[str, str]]]:
    """Commands and what they print, block by block."""
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL):
        steps: list[tuple[str, str]] = []
        for line in block.splitlines():
            command, printed = steps[-1] if steps else ("", "")
            if "<<'END'" in command and not command.endswith("\nEND"):
                steps[-1] = (f"{command}\n{line}", printed)
                continue
            if line.startswith("$ "):
                steps.append((line[2:], ""))
            else:
                steps[-1] = (command, f"{printed}{line}\n")
        yield steps


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def settled(text: str) -> str:
    for pattern, word in _VOLATILE:
        text = pattern.sub(word, text)
    return text


class Terminal:
    """A shell that remembers what was defined, beside a service that keeps running."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "YARIGAR_PORT": str(self.port),
        }
        (folder / "menus.yaml").symlink_to(ROOT / "menus.yaml")
        (folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
        self.service: subprocess.Popen[str] | None = None
        self.defined: list[str] = []

    def run(self, command: str) -> str:
        if command == "make run":
            return self.start()
        command = command.replace("localhost:8000", f"localhost:{self.port}")
        if "() {" in command or re.match(r"[A-Z]+=", command):
            # What a line defines is there for the lines after it.
            self.defined.append(command)
            return ""
        done = subprocess.run(
            ["sh", "-c", "\n".join([*self.defined, command])],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.replace(str(self.port), "8000")

    def start(self) -> str:
        self.stop()
        self.service = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve"],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        printed = ""
        deadline = time.monotonic() + START_SECONDS_MAX
        assert self.service.stdout is not None
        while "Stop with" not in printed and time.monotonic() < deadline:
            line = self.service.stdout.readline()
            assert line, f"the service ended: {printed}"
            printed += line
        return printed.replace(str(self.port), "8000")

    def stop(self) -> None:
        if self.service is None:
            return
        self.service.send_signal(signal.SIGTERM)
        self.service.wait(timeout=30)
        assert self.service.stdout is not None
        self.service.stdout.close()
        self.service = None


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.stop()


def test_the_readme_prints_what_it_says(terminal: Terminal) -> None:
    steps = [step for block in console_blocks() for step in block]
    assert len(steps) > 10
    for command, printed in steps:
        assert settled(terminal.run(command)) == settled(printed), command


def text_turns() -> list[tuple[str, str]]:
    """What is texted and what comes back, from the one block of texts."""
    (block,) = re.findall(r"```sms\n(.*?)```", README, re.DOTALL)
    return re.findall(r"^> (.*)\n((?:[^>].*\n)+)", block, re.MULTILINE)


def test_the_texts_of_the_readme_are_answered_as_it_says(terminal: Terminal) -> None:
    terminal.start()
    keys = tomllib.loads((terminal.folder / "var/keys.toml").read_text())
    inbound = f"/sms/console/{keys['console_channel_key']}/inbound"
    turns = text_turns()
    assert len(turns) > 1
    with httpx.Client(base_url=f"http://127.0.0.1:{terminal.port}") as phone:
        for number, (words, reply) in enumerate(turns, start=1):
            form = {"id": f"{number}", "from": PHONE, "to": "10001", "text": words}
            assert phone.post(inbound, data=form).status_code == 200
            assert settled(received(phone, number)) == settled(reply), words


def received(phone: httpx.Client, number: int) -> str:
    """The n-th text that the handset gets."""
    deadline = time.monotonic() + REPLY_SECONDS_MAX
    while time.monotonic() < deadline:
        texts = phone.get("/phone/line", params={"phone": PHONE}).json()["texts"]
        if len(texts) >= number:
            return f"{texts[0]['text']}\n"
        time.sleep(0.1)
    raise AssertionError(f"text {number} did not come")
