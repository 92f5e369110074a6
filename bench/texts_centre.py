"""The message centre of others/centre.js, and what is sent to it by others than us."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.texts_carrier import Counts

__all__ = ["Centre", "centre", "send_by_smpplib"]

LATENCY_MS = 50
OTHERS = Path(__file__).parent / "others"
RUN_SECONDS_MAX = 300.0


class Centre:
    """A centre at `port` that answers everybody late."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.port = int(self._read())
        # The most submits that were without their answer at one moment.
        self.window = 0

    def anew(self) -> None:
        self._ask("anew")

    def taken(self) -> int:
        return int(self._ask("taken"))

    def counts(self) -> Counts:
        told = self._ask("counts")
        self.window = told.pop("window")
        return Counts(**told)

    def _ask(self, what: str) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            sys.exit("the message centre is gone")
        return json.loads(line)


@contextmanager
def centre(library: Path, *, receipts: bool) -> Iterator[Centre]:
    """Run one, with the library that was installed into `library`."""
    command = ["node", str(OTHERS / "centre.js"), str(LATENCY_MS), str(int(receipts))]
    process = subprocess.Popen(
        command,
        env={**os.environ, "NODE_PATH": str(library / "node_modules")},
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


def send_by_smpplib(
    venv: Path, at: Centre, *, window: int, texts: int, words: str
) -> None:
    """Have smpplib submit texts, with nothing remembered of them."""
    program = str(OTHERS / "smpplib_window.py")
    numbers = (str(at.port), str(window), str(texts))
    subprocess.run(
        [str(venv / "bin" / "python"), program, *numbers, words],
        check=True,
        timeout=RUN_SECONDS_MAX,
    )
