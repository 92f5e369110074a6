"""A message centre, a service bound to it, and the engine's texts, for the defects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.gateway.house import close_gateway, open_gateway, settings
from tests.gateway.test_smpp_texts import House, Ticking, channel, running
from tests.peers.centre import Centre, text_centre
from tests.texts import Texts


@pytest.fixture
def centre() -> Iterator[Centre]:
    with text_centre() as started:
        yield started


@pytest.fixture
def house(
    centre: Centre, sqlite_ledger_url: str, redis_url: str, tmp_path: Path
) -> Iterator[House]:
    """A service whose one carrier is the centre, and nobody bound to it yet."""
    sms = {"centre": channel(centre)}
    opened = open_gateway(settings(sqlite_ledger_url, redis_url, tmp_path, sms=sms))
    yield House(opened, Ticking())
    close_gateway(opened)


@pytest.fixture
def bound(house: House, centre: Centre) -> Iterator[None]:
    """What `yarigar smpp NAME` does, in this process."""
    with running(house):
        centre.wait_for("bound")
        yield


@pytest.fixture
def texts(ledger_engine: Engine) -> Texts:
    """The outbox alone, on each database."""
    return Texts(ledger_engine)
