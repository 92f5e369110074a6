"""A real service for each test: real Redis, and SQLite unless a test asks for both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from structlog.typing import EventDict

from tests.gateway.cashier import Cashier, open_cashier
from tests.gateway.house import Gateway, close_gateway, open_gateway, settings
from tests.gateway.operator import Operator, write_settings

DATABASES = {"sqlite": "sqlite_ledger_url", "postgresql": "postgres_ledger_url"}


@pytest.fixture
def gateway_database() -> str:
    """A test parametrized by this name gets each database in turn."""
    return "sqlite"


@pytest.fixture
def gateway(
    request: pytest.FixtureRequest,
    gateway_database: str,
    redis_url: str,
    tmp_path: Path,
) -> Iterator[Gateway]:
    """A service with the shipped menus and empty books, at noon of 1405/09/01."""
    url: str = request.getfixturevalue(DATABASES[gateway_database])
    opened = open_gateway(settings(url, redis_url, tmp_path))
    yield opened
    close_gateway(opened)


@pytest.fixture
def cashier(
    request: pytest.FixtureRequest,
    gateway_database: str,
    redis_url: str,
    tmp_path: Path,
) -> Iterator[Cashier]:
    """A payment service and a till, beside a service that knows their secret."""
    url: str = request.getfixturevalue(DATABASES[gateway_database])
    opened = open_cashier(url, redis_url, tmp_path)
    yield opened
    close_gateway(opened.gateway)


@pytest.fixture
def operator(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Operator:
    """Somebody at a terminal of the same machine, whose clock is the service's."""
    config = tmp_path / "yarigar.toml"
    write_settings(gateway, config)
    for module in ("send", "texts", "desk", "people", "needs", "staff"):
        monkeypatch.setattr(f"gateway.cli.{module}.now", gateway.clock)
    return Operator(gateway, config)


@pytest.fixture
def logs() -> Iterator[list[EventDict]]:
    """What the service logs during the test."""
    with structlog.testing.capture_logs() as captured:
        yield captured
