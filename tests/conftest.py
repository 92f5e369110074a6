"""What every test can ask for: real services, and a guard against the outside world."""

from __future__ import annotations

import functools
import ipaddress
import itertools
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis

from tests import services

if TYPE_CHECKING:
    from sqlalchemy import Engine

_numbers = itertools.count(1)


@pytest.fixture(autouse=True, scope="session")
def _only_this_machine() -> Iterator[None]:
    """Refuse every connection that would leave the machine."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded(self: socket.socket, address: Any) -> None:
        _refuse_outside(self, address)
        connect(self, address)

    def guarded_ex(self: socket.socket, address: Any) -> int:
        _refuse_outside(self, address)
        return connect_ex(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        patch.setattr(socket.socket, "connect_ex", guarded_ex)
        yield


def _refuse_outside(client: socket.socket, address: Any) -> None:
    if client.family not in (socket.AF_INET, socket.AF_INET6):
        return
    host = address[0]
    if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        pytest.fail(f"a test may not connect to {host}")


@pytest.fixture(autouse=True, scope="session")
def _menus_are_read_once() -> Iterator[None]:
    """Share between the services of a process what they read of the same menus.

    Reading the shipped ones takes a tenth of a second, and thousands of tests do.
    """
    from ussd.reading import read

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.library.read", functools.lru_cache(maxsize=4)(read))
        yield


@pytest.fixture(autouse=True)
def _settings_of_its_own() -> Iterator[None]:
    """Leave the environment as it was.

    Commands that run in several threads set it and put it back in any order.
    """
    before = {k: v for k, v in os.environ.items() if k.startswith("YARIGAR_")}
    yield
    for name in [k for k in os.environ if k.startswith("YARIGAR_")]:
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(scope="session")
def _redis() -> Iterator[str]:
    with services.redis() as url:
        yield url


@pytest.fixture
def redis_url(_redis: str) -> str:
    """A real Redis with nothing in it."""
    with redis.Redis.from_url(_redis) as client:
        client.flushall()
    return _redis


@pytest.fixture(scope="session")
def _postgres() -> Iterator[services.Postgres]:
    with services.postgres() as server:
        yield server


@pytest.fixture
def postgres_url(_postgres: services.Postgres) -> Iterator[str]:
    """A PostgreSQL database with nothing in it."""
    name = f"empty_{next(_numbers)}"
    yield _postgres.create(name)
    _postgres.drop(name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture(scope="session")
def _migrated_postgres(_postgres: services.Postgres) -> str:
    from ledger import migrate

    migrate.upgrade(_postgres.create("migrated"))
    return "migrated"


@pytest.fixture
def postgres_ledger_url(
    _postgres: services.Postgres, _migrated_postgres: str
) -> Iterator[str]:
    """A PostgreSQL ledger, migrated and empty."""
    name = f"ledger_{next(_numbers)}"
    yield _postgres.create(name, template=_migrated_postgres)
    _postgres.drop(name)


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from ledger import migrate

    path = tmp_path_factory.mktemp("migrated") / "ledger.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_ledger_url(_migrated_sqlite: Path, sqlite_url: str, tmp_path: Path) -> str:
    """A SQLite ledger, migrated and empty."""
    for path in _migrated_sqlite.parent.glob("ledger.db*"):
        shutil.copy(path, tmp_path / path.name)
    return sqlite_url


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty ledger: the test runs once on each database."""
    wanted = {"sqlite": "sqlite_ledger_url", "postgresql": "postgres_ledger_url"}
    url: str = request.getfixturevalue(wanted[request.param])
    return url


@pytest.fixture
def ledger_engine(ledger_url: str) -> Iterator[Engine]:
    """An engine on a migrated, empty ledger: the test runs once on each database."""
    from ledger.engine import connect

    engine = connect(ledger_url)
    yield engine
    engine.dispose()
