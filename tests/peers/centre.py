"""The message centre of ussd-centre.js, started and told what to do."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import services

HERE = Path(__file__).parent
INSTALL_SECONDS_MAX = 120.0
EVENT_SECONDS_MAX = 15.0


class UssdCentre:
    """A USSD centre that answers to nobody but the test."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        # Everything that happened, the first first.
        self.told: list[dict[str, Any]] = []
        threading.Thread(target=self._listen, daemon=True).start()
        self.port = int(self.wait_for("listening")["port"])

    def do(self, order: str, **how: Any) -> None:
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


@contextmanager
def ussd_centre(*arguments: str) -> Iterator[UssdCentre]:
    """Run a centre; `services.missing` without Node or its one library."""
    node = shutil.which("node") or shutil.which("nodejs")
    if node is None:
        services.missing("no Node: apt-get install nodejs npm")
    _install()
    process = subprocess.Popen(
        [node, str(HERE / "ussd-centre.js"), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield UssdCentre(process)
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
