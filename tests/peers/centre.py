"""The message centres of ussd-centre.js and text-centre.js, told what to do."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from tests import services

HERE = Path(__file__).parent
INSTALL_SECONDS_MAX = 120.0
EVENT_SECONDS_MAX = 60.0


class Centre:
    """A message centre that answers to nobody but the test."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        # Everything that happened, the first first.
        self.told: list[dict[str, Any]] = []
        threading.Thread(target=self._listen, daemon=True).start()
        self.port = int(self.wait_for("listening")["port"])

    def do(self, order: str, /, **how: Any) -> None:
        """Give an order; it is under way when this returns."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": order, **how}) + "\n")
        self._process.stdin.flush()
        self.wait_for("done")

    def wait_for(self, event: str, **what: Any) -> dict[str, Any]:
        """The next event of that name; those before it are passed over."""
        while True:
            try:
                happened = self._events.get(timeout=EVENT_SECONDS_MAX)
            except queue.Empty:
                raise AssertionError(f"no {event}, only {self.told}") from None
            if happened["event"] == event and what.items() <= happened.items():
                return happened

    def count(self, event: str) -> int:
        return sum(happened["event"] == event for happened in self.told)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            happened = json.loads(line)
            self.told.append(happened)
            # `done` tells no more than that the order was read.
            self._events.put(happened)


def ussd_centre(*arguments: str) -> AbstractContextManager[Centre]:
    """Run a centre of dialogues; `services.missing` without Node or its library."""
    return _centre("ussd-centre.js", *arguments)


def text_centre(*arguments: str) -> AbstractContextManager[Centre]:
    """Run a centre of texts; `services.missing` without Node or its library."""
    return _centre("text-centre.js", *arguments)


@contextmanager
def _centre(program: str, *arguments: str) -> Iterator[Centre]:
    node = shutil.which("node") or shutil.which("nodejs")
    if node is None:
        services.missing("no Node: apt-get install nodejs npm")
    _install()
    process = subprocess.Popen(
        [node, str(HERE / program), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Centre(process)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _install() -> None:
    """Install what package-lock.json names, unless it is there."""
    if (HERE / "node_modules" / "smpp").exists():
        return
    npm = shutil.which("npm")
    if npm is None:
        services.missing("no npm: apt-get install npm")
    try:
        subprocess.run(
            [npm, "ci", "--ignore-scripts", "--loglevel=error"],
            cwd=HERE,
            env=dict(os.environ),
            check=True,
            capture_output=True,
            timeout=INSTALL_SECONDS_MAX,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        services.missing("npm could not install tests/peers/package-lock.json")
