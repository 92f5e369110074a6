"""The tutorial is one story, told from a fresh service to a proof, on each database.

Its commands run one after another in a single shell beside a running service, and each
prints what stands below it. A command that fails prints its error too.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_readme import ROOT, Terminal, settled

TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
_DONE = re.compile(r"<<done (\d+)>>\n")
# What differs from run to run beside codes and times: hashes, days, ids, and how far
# the scheduler had sealed when it was asked.
_HASH = re.compile(r"[0-9a-f]{64}")
_VOLATILE = (
    (re.compile(r"\d{4}-\d\d-\d\d"), "<day>"),
    (re.compile(r"\b(event|person|leaf) \d+"), r"\1 <n>"),
    (re.compile(r"\b\d+( new| sealed)? leaves\b"), r"<n>\1 leaves"),
    (re.compile(r"(tree has|leaves of|--seal|size=) ?\d+"), r"\1 <n>"),
    (re.compile(r"^ *\d+(?=  <jalali>)", re.MULTILINE), "<id>"),
    (re.compile(r"\d+ texts are"), "<n> texts are"),
    # The screen of a seal: its day, the leaf and the root's fingerprint.
    (re.compile(r"(مهر|شماره|نشان) [0-9a-f/]+"), r"\1 <n>"),
)


def steps() -> Iterator[tuple[str, str]]:
    """Commands and what they print."""
    for block in re.findall(r"```console\n(.*?)```", TUTORIAL, re.DOTALL):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            document = re.match(
                r".*<<'?END'?\n.*?^END\n", step, re.DOTALL | re.MULTILINE
            )
            command = document[0] if document else step.partition("\n")[0] + "\n"
            yield command, step[len(command) :]


class Shell:
    """One shell for the whole story, so that what a command sets is there after it."""

    def __init__(self, terminal: Terminal) -> None:
        self._port = str(terminal.port)
        self._shell = subprocess.Popen(
            ["sh"],
            cwd=terminal.folder,
            env=terminal.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, command: str) -> str:
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        command = command.replace("localhost:8000", f"localhost:{self._port}")
        self._shell.stdin.write(
            f"{{ {command}}} 2>errors\n"
            "done=$?; [ $done = 0 ] || cat errors; printf '<<done %s>>\\n' $done\n"
        )
        self._shell.stdin.flush()
        printed = ""
        while not _DONE.search(printed):
            line = self._shell.stdout.readline()
            assert line, f"the shell ended: {printed}"
            printed += line
        return _DONE.sub("", printed)

    def close(self) -> None:
        self._shell.communicate(timeout=30)


@pytest.fixture(params=["sqlite", "postgresql"])
def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        terminal.environ["YARIGAR_DATABASE_URL"] = url
    yield terminal
    terminal.stop()


def test_the_story_goes_as_the_tutorial_tells_it(terminal: Terminal) -> None:
    told = list(steps())
    assert len(told) > 30
    shell = Shell(terminal)
    try:
        for command, printed in told:
            is_start = command == "make run\n"
            found = terminal.start() if is_start else shell.run(command)
            assert volatile(found) == volatile(printed), command
    finally:
        shell.close()


def volatile(text: str) -> str:
    # First: nine digits of a hash could be a tracking code.
    text = settled(_HASH.sub("<hash>", text))
    for pattern, word in _VOLATILE:
        text = pattern.sub(word, text)
    return text
