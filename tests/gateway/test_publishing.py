"""Menus are proved before anyone hears them, and every process hears the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.typing import EventDict

from gateway.publishing import MenusRefused
from gateway.schedule import _Watched
from gateway.service import build
from ledger import menus as published
from ledger.engine import LedgerError, reading
from tests.gateway.house import AMOUNT, CODE, NOON, ROOT, Gateway, close_gateway

QUESTION = "چند تومان؟"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The shipped menus with one question asked in other words."""
    path = tmp_path / "menus.yaml"
    source = (ROOT / "menus.yaml").read_text().replace(AMOUNT, QUESTION)
    assert QUESTION in source
    path.write_text(source)
    return path


def current(gateway: Gateway) -> str | None:
    with reading(gateway.service.engine) as db:
        return published.current_hash(db)


def test_new_menus_are_heard_by_the_next_call_in_every_process(
    gateway: Gateway, file: Path
):
    other = build(gateway.service.settings)
    gateway.dial("", session="before")
    version = gateway.load_menus(file)
    assert current(gateway) == version
    assert gateway.dial("", session="after").text.startswith(QUESTION)
    assert gateway.dial("3*0", session="before").text.startswith(AMOUNT)
    announced = other.redis.get("ussd:menus")
    assert announced is not None
    assert other.library.current(announced.decode()).hash == version
    assert other.library.current(None).hash == version
    other.engine.dispose()
    other.redis.close()


def test_the_same_file_again_is_the_same_version(gateway: Gateway, file: Path):
    assert gateway.load_menus(file) == gateway.load_menus(file)
    assert len(gateway.rows("menus_version")) == 2


def test_bad_menus_are_refused_and_the_current_ones_stay(gateway: Gateway, file: Path):
    before = current(gateway)
    file.write_text(file.read_text().replace("to: give.other", "to: give.nowhere"))
    with pytest.raises(MenusRefused) as refused:
        gateway.load_menus(file)
    assert "give.nowhere" in str(refused.value)
    assert f"{file}:" in str(refused.value)
    assert current(gateway) == before
    assert gateway.dial("").text.startswith(AMOUNT)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"[", b"a: &a [*a]", b"\x00"])
def test_what_is_no_menu_file_is_refused_in_words(
    gateway: Gateway, tmp_path: Path, content: bytes
):
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(MenusRefused, match="bad.yaml"):
        gateway.load_menus(path)


def test_a_file_that_is_missing_is_named(gateway: Gateway, tmp_path: Path):
    with pytest.raises(MenusRefused, match="No such file"):
        gateway.load_menus(tmp_path / "none.yaml")


# -- the file that `serve` watches ---------------------------------------------------


@pytest.fixture
def watching(gateway: Gateway, file: Path) -> Iterator[tuple[Gateway, Path]]:
    """A service whose settings name a file of its own."""
    shipped = (ROOT / "menus.yaml").read_text()
    changed = file.read_text()
    file.write_text(shipped)
    settings = gateway.service.settings.model_copy(update={"menus": file})
    opened = Gateway(build(settings, clock=gateway.clock), gateway.clock, gateway.app)
    file.with_suffix(".new").write_text(changed)
    yield opened, file
    close_gateway(opened)


def test_a_changed_file_is_published(watching: tuple[Gateway, Path]):
    gateway, file = watching
    watched = _Watched(gateway.service)
    before = current(gateway)
    watched.look(NOON)
    assert current(gateway) == before
    file.with_suffix(".new").replace(file)
    watched.look(NOON)
    assert current(gateway) != before
    assert gateway.dial("", code=CODE).text.startswith(QUESTION)


def test_a_fault_is_named_once_and_changes_nothing(
    watching: tuple[Gateway, Path], logs: list[EventDict]
):
    gateway, file = watching
    watched = _Watched(gateway.service)
    before = current(gateway)
    file.write_text("screens: [")
    watched.look(NOON)
    watched.look(NOON)
    assert current(gateway) == before
    assert [log["event"] for log in logs] == ["menus_refused"]


def test_a_ledger_that_is_away_gets_the_change_later(watching: tuple[Gateway, Path]):
    gateway, file = watching
    watched = _Watched(gateway.service)
    before = current(gateway)
    file.with_suffix(".new").replace(file)
    engine = gateway.service.engine
    with engine.connect() as db:
        db.exec_driver_sql("ALTER TABLE menus_version RENAME TO gone")
        db.commit()
    with pytest.raises(LedgerError):
        watched.look(NOON)
    with engine.connect() as db:
        db.exec_driver_sql("ALTER TABLE gone RENAME TO menus_version")
        db.commit()
    watched.look(NOON)
    assert current(gateway) != before
