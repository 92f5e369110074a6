"""What stands in the way of a start is told in a line, and what was started ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import redis_server, supervisor
from gateway.faults import CannotServe
from gateway.supervisor import supervising

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0


def yarigar(*arguments: str, **settings: str) -> subprocess.Popen[str]:
    """Start our command with the settings given and no others."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("YARIGAR_")}
    return subprocess.Popen(
        [sys.executable, "-m", "gateway", *arguments],
        env=kept | {"YARIGAR_CONFIG": os.devnull} | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def refusal(*arguments: str, **settings: str) -> str:
    """The one line that the command ends with."""
    process = yarigar(*arguments, **settings)
    printed, line = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, printed) == (2, "")
    assert line.count("\n") == 1, line
    return line.strip()


def eventually(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def lives(process_id: int) -> bool:
    try:
        state = (
            Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
        )
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_busy_port_is_named_with_its_setting(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        line = refusal("serve", YARIGAR_PORT=port, YARIGAR_DATA_DIR=str(tmp_path))
    assert line == (
        f"yarigar: 127.0.0.1:{port} is in use: stop what listens there, "
        "or set port (YARIGAR_PORT)"
    )
    assert not (tmp_path / "keys.toml").exists()


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "var").write_text("a file")
    line = refusal("serve", YARIGAR_DATA_DIR=str(tmp_path / "var"))
    assert "var cannot be written" in line
    assert "YARIGAR_DATA_DIR" in line


def test_a_redis_that_does_not_answer_is_told(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    line = refusal(
        "serve",
        YARIGAR_PORT=str(free),
        YARIGAR_DATA_DIR=str(tmp_path),
        YARIGAR_REDIS_URL=f"unix://{tmp_path}/none.sock",
    )
    assert "the Redis of redis_url does not answer" in line


def test_a_wrong_setting_is_one_line_and_no_traceback():
    assert refusal("web", YARIGAR_PORT="x").startswith("yarigar: YARIGAR_PORT: should")


def test_another_command_refuses_before_the_first_serve(tmp_path: Path):
    line = refusal("worker", YARIGAR_DATA_DIR=str(tmp_path))
    assert "keys.toml is missing: `yarigar serve` makes it" in line


def test_redis_is_found_by_other_commands_and_ends_when_told(tmp_path: Path):
    server = redis_server.start(tmp_path)
    try:
        assert redis_server.running_url(tmp_path) == server.url
        assert redis_server.check(server.url)
    finally:
        server.stop()
    assert redis_server.running_url(tmp_path) is None


def test_a_folder_with_a_long_name_gets_a_short_socket(tmp_path: Path):
    deep = tmp_path / ("long" * 30)
    deep.mkdir()
    server = redis_server.start(deep)
    try:
        assert redis_server.running_url(deep) == server.url
        assert len(server.url) < len(str(deep))
    finally:
        server.stop()
        redis_server.socket_path(deep).parent.rmdir()


def test_the_redis_of_a_killed_run_is_ended_by_the_next(tmp_path: Path):
    orphan = redis_server.start(tmp_path)
    second = redis_server.start(tmp_path)
    try:
        assert orphan.process.wait(PATIENCE_SECONDS) is not None
        assert redis_server.answers(second.url)
    finally:
        second.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's promise is Linux's")
def test_redis_ends_with_a_parent_that_is_killed(tmp_path: Path):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert parent.stdout is not None
    # Redis has the same pipe: reading to its end would wait for Redis.
    with parent.stdout as printed:
        child = int(printed.readline())
    assert lives(child)
    parent.kill()
    parent.wait()
    try:
        assert eventually(lambda: not lives(child))
    finally:
        if lives(child):
            os.kill(child, signal.SIGKILL)


PARENT = """
import pathlib, sys, time
from gateway import redis_server
server = redis_server.start(pathlib.Path(sys.argv[1]))
print(server.process.pid, flush=True)
time.sleep(60)
"""


def sleeper(seconds: float = 60) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", f"import time; time.sleep({seconds})"]
    )


class Told(subprocess.Popen[bytes]):
    """A process that notes when it was told to end."""

    ended: list[subprocess.Popen[bytes]]

    def terminate(self) -> None:
        self.ended.append(self)
        super().terminate()


def test_processes_end_last_started_first_and_handlers_come_back():
    before = signal.getsignal(signal.SIGTERM)
    started: list[subprocess.Popen[bytes]] = []
    ended: list[subprocess.Popen[bytes]] = []

    def spawn() -> subprocess.Popen[bytes]:
        process = Told([sys.executable, "-c", "import time; time.sleep(60)"])
        process.ended = ended
        started.append(process)
        return process

    with supervising() as watch:
        watch.start("redis", spawn)
        watch.start("web", spawn)
        os.kill(os.getpid(), signal.SIGTERM)
        watch.watch()
        assert all(lives(process.pid) for process in started)
    assert [process.returncode for process in started] == [-signal.SIGTERM] * 2
    assert ended == started[::-1]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_second_ctrl_c_does_not_wait_for_a_process_that_hangs():
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True)"
    began = time.monotonic()
    with supervising() as watch:
        process = subprocess.Popen(
            [sys.executable, "-c", f"{deaf}; time.sleep(60)"], stdout=subprocess.PIPE
        )
        watch.start("web", lambda: process)
        assert process.stdout is not None
        with process.stdout as is_deaf:
            is_deaf.readline()
        os.kill(os.getpid(), signal.SIGINT)
        watch.watch()
        os.kill(os.getpid(), signal.SIGINT)
    assert process.returncode == -signal.SIGKILL
    assert time.monotonic() - began < supervisor.GRACE_SECONDS


def test_a_process_that_dies_is_started_again():
    started: list[subprocess.Popen[bytes]] = []
    with supervising() as watch:
        watch.start("web", lambda: started.append(sleeper()) or started[-1])
        started[0].kill()
        assert watch.wait(lambda: len(started) == 2, PATIENCE_SECONDS)
        assert lives(started[1].pid)
    assert not lives(started[1].pid)


def test_one_that_keeps_dying_ends_the_whole(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(supervisor, "BACKOFF_SECONDS", 0.001)
    with supervising() as watch:
        watch.start("redis", sleeper)
        watch.start("web", lambda: sleeper(0))
        with pytest.raises(CannotServe, match="web ended 6 times in a minute"):
            watch.watch()
