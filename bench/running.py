"""Our own commands as processes: started from this tree, ended by their ids."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

__all__ = [
    "ROOT",
    "answers",
    "cpu_seconds",
    "descendants",
    "eventually",
    "free_port",
    "lives",
    "resident_bytes_max",
    "run",
    "running",
]

ROOT = Path(__file__).parents[1]
STOP_SECONDS_MAX = 15.0
POLL_SECONDS = 0.02

Environment = Mapping[str, str]


def _start(*words: str, log: Path, told: Environment) -> subprocess.Popen[bytes]:
    """Start `python -m WORDS` in a session of its own, with our settings only."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            env=_environment(told),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=ROOT,
        )


def run(*words: str, told: Environment) -> None:
    """Run `python -m WORDS` to its end; raises CalledProcessError."""
    command = [sys.executable, "-m", *words]
    subprocess.run(
        command,
        env=_environment(told),
        stdout=subprocess.DEVNULL,
        check=True,
        cwd=ROOT,
    )


@contextmanager
def running(
    *words: str, log: Path, told: Environment
) -> Iterator[subprocess.Popen[bytes]]:
    """Have a process run, and nothing of it afterwards."""
    process = _start(*words, log=log, told=told)
    try:
        yield process
    finally:
        below = descendants(process.pid)
        process.terminate()
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            for process_id in below:
                _kill(process_id)
            process.kill()
            process.wait()


def eventually(is_so: Callable[[], bool], seconds_max: float) -> bool:
    """Wait until something is so; False if it was not in that time."""
    deadline = time.monotonic() + seconds_max
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def answers(port: int) -> bool:
    """Say whether anybody listens at a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def descendants(process_id: int) -> list[int]:
    """The ids of every process below one, whatever session each is in."""
    children: dict[int, list[int]] = {}
    for found in Path("/proc").glob("[0-9]*/stat"):
        if facts := _facts(int(found.parent.name)):
            children.setdefault(int(facts[1]), []).append(int(found.parent.name))
    below, unseen = [], [process_id]
    while unseen:
        found_here = children.get(unseen.pop(), [])
        below += found_here
        unseen += found_here
    return below


def lives(process_id: int) -> bool:
    facts = _facts(process_id)
    return bool(facts) and facts[0] != "Z"


def cpu_seconds(process_id: int) -> float:
    """What a process and all below it have used of the processors so far."""
    used = 0
    for one in [process_id, *descendants(process_id)]:
        if facts := _facts(one):
            used += int(facts[11]) + int(facts[12])
    return used / os.sysconf("SC_CLK_TCK")


def resident_bytes_max(process_id: int) -> int:
    """The most a process and those below it had resident so far; 0 once they are gone.

    Each one's own most (proc(5), VmHWM), added up.
    """
    most = 0
    for one in [process_id, *descendants(process_id)]:
        try:
            told = Path(f"/proc/{one}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        found = [line for line in told.splitlines() if line.startswith("VmHWM:")]
        most += sum(1024 * int(line.split()[1]) for line in found)
    return most


def _facts(process_id: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on (proc(5)); none if it is gone."""
    try:
        told = Path(f"/proc/{process_id}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return told.rpartition(")")[2].split()


def _kill(process_id: int) -> None:
    try:
        os.kill(process_id, 9)
    except ProcessLookupError:
        return


def _environment(told: Environment) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("YARIGAR_")}
    return {**kept, "YARIGAR_CONFIG": os.devnull, **told}
