"""Start everything on one machine, and keep it running until it is told to stop.

The way up: data folder, lock, port, keys, Redis, migrations, menus, processes. The
way down is the other way round, so that what is under way can finish.
"""

from __future__ import annotations

import errno
import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from gateway import keys, redis_server
from gateway.faults import CannotServe
from gateway.processes import SUPERVISED_BY, die_with_parent
from gateway.settings import DIAL_CODE, Settings, told_of_rehearsal
from gateway.supervisor import Spawn, Supervisor, supervising

READY_SECONDS_MAX = 60.0
READY_POLL_SECONDS = 0.1
# How long the port of a run that was killed may take to be free again.
PORT_SECONDS_MAX = 3.0

# Redis is started before these; what is started last is stopped first.
PROCESSES = ("worker", "schedule", "web")


def serve(settings: Settings, environ: Mapping[str, str]) -> None:
    """Run until SIGINT, SIGTERM or SIGHUP; raise Unready if that is impossible."""
    if above := environ.get(SUPERVISED_BY):
        die_with_parent(int(above), signal.SIGTERM)
    _make_folders(settings)
    with _lock(settings.data_dir) as was_killed, supervising() as supervisor:
        _try_port(settings, PORT_SECONDS_MAX if was_killed else 0)
        with _telling_of_the_ledger():
            has_ledger = _has_ledger(settings)
        ready = keys.complete_or_make(settings, has_ledger=has_ledger)
        ready = _provide_redis(ready, supervisor)
        with _telling_of_the_ledger():
            _prepare_ledger(ready)
        for name in PROCESSES:
            supervisor.start(name, _spawn(name, ready, environ))
        if supervisor.wait(lambda: _answers(settings), READY_SECONDS_MAX):
            _announce(settings)
            supervisor.watch()


def _make_folders(settings: Settings) -> None:
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.data_dir):
            pass
    except OSError as fault:
        raise CannotServe(
            f"{settings.data_dir} cannot be written ({fault.strerror}): make it "
            "writable, or set data_dir (YARIGAR_DATA_DIR)"
        ) from fault


@contextmanager
def _lock(data_dir: Path) -> Iterator[bool]:
    """Hold the folder for this process; give whether the last holder was killed."""
    with (data_dir / "lock").open("a+") as file:
        file.seek(0)
        holder = file.read(20).strip()
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            raise CannotServe(
                f"yarigar serve already runs in {data_dir} (process {holder})"
            ) from fault
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield bool(holder)
        finally:
            file.truncate(0)


def _try_port(settings: Settings, patience_seconds: float) -> None:
    """Bind the port before anything is started: the web service says it late."""
    at = f"{settings.host}:{settings.port}"
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            family, *_, address = socket.getaddrinfo(
                settings.host, settings.port, type=socket.SOCK_STREAM
            )[0]
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
            return
        except OSError as fault:
            if fault.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                time.sleep(READY_POLL_SECONDS)
                continue
            if fault.errno == errno.EADDRINUSE:
                raise CannotServe(
                    f"{at} is in use: stop what listens there, or set port "
                    "(YARIGAR_PORT)"
                ) from fault
            raise CannotServe(
                f"{at} cannot be listened on ({fault.strerror}): set host and port "
                "(YARIGAR_HOST, YARIGAR_PORT)"
            ) from fault


@contextmanager
def _telling_of_the_ledger() -> Iterator[None]:
    """Add to a fault of the database which setting names the database."""
    from ledger.engine import LedgerError

    try:
        yield
    except LedgerError as fault:
        raise CannotServe(
            f"the ledger cannot be opened ({fault}): check that the database of "
            "database_url (YARIGAR_DATABASE_URL) runs and can be written"
        ) from fault


def _has_ledger(settings: Settings) -> bool:
    """Say whether data was written already."""
    path = settings.database_url.removeprefix("sqlite:///").partition("?")[0]
    if path != settings.database_url:
        return Path(path).exists()
    from ledger import engine, migrate

    connected = engine.connect(settings.database_url, pool_size=1)
    try:
        return migrate.is_current(connected)
    finally:
        connected.dispose()


def _provide_redis(settings: Settings, supervisor: Supervisor) -> Settings:
    if settings.redis_url:
        redis_server.check(settings.redis_url)
        return settings
    supervisor.start("redis", lambda: redis_server.start(settings.data_dir).process)
    url = redis_server.url_of(settings.data_dir)
    return settings.model_copy(update={"redis_url": url})


def _prepare_ledger(settings: Settings) -> None:
    """Migrate, make sure that these are the ledger's keys, and publish the menus."""
    # Here and not above: a start that is refused need not wait for these to load.
    from gateway.placing import at_start
    from gateway.publishing import publish_file
    from gateway.service import now
    from ledger import engine, migrate, vault

    migrate.upgrade(settings.database_url)
    connected = engine.connect(settings.database_url, pool_size=1)
    try:
        with engine.writing(connected) as db:
            vault.claim_key(db, keys.ledger_keys(settings))
        at_start(settings, connected, now())
    finally:
        connected.dispose()
    publish_file(settings)


def _spawn(name: str, settings: Settings, environ: Mapping[str, str]) -> Spawn:
    """How to start one of our own processes, told where its Redis is."""
    told = {**environ, SUPERVISED_BY: str(os.getpid())}
    told["YARIGAR_REDIS_URL"] = settings.redis_url
    told["YARIGAR_SIMULATOR"] = str(settings.has_simulator).lower()

    def spawn() -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  # ourselves
            [sys.executable, "-m", "gateway", name],
            env=told,
            stdin=subprocess.DEVNULL,
            # Ctrl-C reaches the whole group of the terminal: only `serve` is to
            # hear it, and to end these in order.
            start_new_session=True,
        )

    return spawn


def _answers(settings: Settings) -> bool:
    """Say whether the web service finds everything it needs."""
    connection = http.client.HTTPConnection(
        settings.local_host, settings.port, timeout=2
    )
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _announce(settings: Settings) -> None:
    lines = [f"Yarigar is running at {settings.local_url}"]
    if settings.has_simulator:
        simulator = f"{settings.local_url}/phone"
        lines.append(f"Phone simulator: {simulator}  (dial {DIAL_CODE})")
    if settings.rehearsal:
        lines.append(f"Rehearsal: {told_of_rehearsal(settings)}")
    lines.append("Stop with Ctrl-C.")
    click.echo("\n".join(lines))
