"""The menus that ship, read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ussd.menus import Menus
from ussd.reading import read

SHIPPED = Path(__file__).parents[2] / "menus.yaml"


@pytest.fixture(scope="session")
def source() -> str:
    """The text of the shipped menu file."""
    return SHIPPED.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def menus(source: str) -> Menus:
    """The shipped menus."""
    return read(source, time_zone="Asia/Tehran")
