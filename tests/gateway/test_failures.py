"""Something is gone: the caller reads the truth, and no half of a fact is left."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy.engine import make_url
from structlog.typing import EventDict

from gateway import redis_server
from ledger import engine as ledger_engine
from ledger.engine import reading
from ledger.verify import verify
from tests.fakes import Cut, Proxy, proxy
from tests.gateway.house import (
    AMOUNT,
    BUSY,
    CONFIRM,
    DONE,
    ROOT_CODE,
    UNSURE,
    WELCOME,
    Gateway,
    close_gateway,
    open_gateway,
    settings,
)

CONFIRMED = "3*75000*1*1"
WAIT_MS = 200
# As it goes over the wire: BEGIN ISOLATION LEVEL READ COMMITTED is another word.
COMMIT = b"COMMIT\0"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would be waited for five seconds is waited for a fifth of one."""
    monkeypatch.setattr(ledger_engine, "BUSY_TIMEOUT_MS", WAIT_MS)


@pytest.fixture
def wire(postgres_ledger_url: str) -> Iterator[Proxy]:
    """What stands between the service and PostgreSQL."""
    folder = make_url(postgres_ledger_url).query["host"]
    with proxy(f"{folder}/.s.PGSQL.5432") as between:
        yield between


@pytest.fixture
def wired(
    wire: Proxy, postgres_ledger_url: str, redis_url: str, tmp_path: Path
) -> Iterator[Gateway]:
    """A service whose connections to PostgreSQL go through `wire`."""
    url = make_url(postgres_ledger_url)
    through = url.set(
        host="127.0.0.1",
        port=wire.port,
        query={"sslmode": "disable", "gssencmode": "disable"},
    )
    opened = open_gateway(
        settings(through.render_as_string(False), redis_url, tmp_path)
    )
    yield opened
    wire.reopen()
    close_gateway(opened)


def whole(gateway: Gateway, gifts: int) -> None:
    """The books hold so many gifts, each with its text, and no fault."""
    assert gateway.pledged == [750_000] * gifts
    assert gateway.promised == ["sms.pledge"] * gifts
    with reading(gateway.service.engine, snapshot=True) as db:
        assert verify(db).faults == ()


# -- the outcome of a COMMIT ---------------------------------------------------------


@pytest.mark.parametrize("when", [Cut.BEFORE, Cut.BEFORE_ANSWER, Cut.AFTER_ANSWER])
def test_a_connection_that_dies_during_commit_costs_no_gift(
    wire: Proxy, wired: Gateway, when: Cut
):
    wired.walk("3", "75000", "1")
    wire.cut(when, COMMIT)
    done = wired.dial(CONFIRMED)
    assert wire.cuts == 1
    assert done.text.startswith(DONE)
    assert wired.dial(CONFIRMED) == done
    whole(wired, 1)


def test_an_outcome_that_cannot_be_learnt_is_told_as_such(
    wire: Proxy, wired: Gateway, logs: list[EventDict]
):
    wired.walk("3", "75000", "1")
    wire.cut(Cut.BEFORE_ANSWER, COMMIT, then_closed=True)
    assert wired.dial(CONFIRMED) == ("END", UNSURE)
    assert "outcome_unknown" in [log["event"] for log in logs]
    wire.reopen()
    # It stood all along, and the retry tells its code.
    assert wired.pledged == [750_000]
    assert wired.dial(CONFIRMED).text.startswith(DONE)
    whole(wired, 1)


def test_a_commit_that_never_arrived_is_told_no_better(wire: Proxy, wired: Gateway):
    wired.walk("3", "75000", "1")
    wire.cut(Cut.BEFORE, COMMIT)
    engine = wired.service.engine
    sqlalchemy.event.listen(engine, "invalidate", lambda *_: wire.close())
    assert wired.dial(CONFIRMED) == ("END", UNSURE)
    wire.reopen()
    assert wired.pledged == []
    assert wired.dial(CONFIRMED).text.startswith(DONE)
    whole(wired, 1)


def test_what_was_done_is_never_told_as_not_done(wire: Proxy, wired: Gateway):
    """The deed stands, and the facts of the screen that tells it cannot be read."""
    wired.walk("9", "4", "1", session="agreed", code=ROOT_CODE)
    wired.walk("9", "4", code=ROOT_CODE)
    wire.cut(Cut.AFTER_ANSWER, COMMIT, then_closed=True)
    assert wired.dial("9*4*1", code=ROOT_CODE) == ("END", UNSURE)
    wire.reopen()
    assert len(wired.rows("stop")) == 1
    again = wired.dial("9*4*1", code=ROOT_CODE)
    assert again.text.startswith("پیامک پویش قطع شد.")
    assert wired.promised == ["sms.in", "sms.out"]


# -- the database is gone, busy or full -----------------------------------------------


def test_a_postgresql_that_is_gone_is_told_truly(wire: Proxy, wired: Gateway):
    wired.walk("3", "75000", "1")
    wire.close()
    # Whether an earlier request recorded it cannot be asked.
    assert wired.dial(CONFIRMED) == ("END", UNSURE)
    # A first screen has nothing that could stand.
    assert wired.dial("", session="new") == ("END", BUSY)
    wire.reopen()
    assert wired.dial(CONFIRMED).text.startswith(DONE)
    whole(wired, 1)


def test_both_gone_at_once_is_told_truly(wire: Proxy, wired: Gateway):
    wired.walk("3", "75000", "1")
    wire.close()
    wired.forget()
    assert wired.dial(CONFIRMED) == ("END", UNSURE)
    wire.reopen()
    assert wired.dial(CONFIRMED).text.startswith(CONFIRM)
    whole(wired, 0)


def test_a_writer_who_holds_the_database_makes_us_busy(gateway: Gateway):
    gateway.walk("3", "75000", "1")
    path = make_url(gateway.service.settings.database_url).database
    assert path is not None
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        assert gateway.dial(CONFIRMED) == ("END", BUSY)
        assert time.monotonic() - began < 3
        # Reading waits for nobody.
        screen = gateway.dial("", session="new", phone="+989350000000")
        assert screen.text.startswith(AMOUNT)
        whole(gateway, 0)
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert gateway.dial(CONFIRMED).text.startswith(DONE)
    whole(gateway, 1)


def test_who_had_something_recorded_is_not_told_that_nothing_was(gateway: Gateway):
    """The same call agreed to texts, and now wants a pledge."""
    done = gateway.walk("9", "4", "1", code=ROOT_CODE)
    assert not done.ends
    assert len(gateway.rows("consent")) == 1
    home = "9*4*1*0"
    assert gateway.dial(home, code=ROOT_CODE).text.startswith(WELCOME)
    assert gateway.dial(f"{home}*1*1*1", code=ROOT_CODE).text.startswith(CONFIRM)
    path = make_url(gateway.service.settings.database_url).database
    assert path is not None
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        assert gateway.dial(f"{home}*1*1*1*1", code=ROOT_CODE) == ("END", UNSURE)
    finally:
        other.execute("ROLLBACK")
        other.close()


def test_a_full_disk_makes_us_busy_and_leaves_no_half(gateway: Gateway):
    engine = gateway.service.engine
    limit = {"pages": 0}

    def limited(driver: Any, record: object) -> None:
        if limit["pages"]:
            driver.execute(f"PRAGMA max_page_count = {limit['pages']}")

    sqlalchemy.event.listen(engine, "connect", limited)
    with reading(engine) as db:
        limit["pages"] = db.exec_driver_sql("PRAGMA page_count").scalar_one() + 2
    engine.dispose()
    codes = []
    for number in range(200):
        who = {"session": f"s{number}", "phone": f"+98912{number:07}"}
        screen = gateway.walk("3*75000*1", "1", **who)
        if not screen.text.startswith(DONE):
            break
        codes.append(screen.code)
    assert screen == ("END", BUSY)
    whole(gateway, len(codes))
    assert len(set(codes)) == len(codes) == len(gateway.rows("code"))
    assert len(gateway.rows("person")) == len(codes)
    limit["pages"] = 0
    engine.dispose()
    assert gateway.dial("3*75000*1*1", **who).text.startswith(DONE)
    whole(gateway, len(codes) + 1)


def test_a_ledger_whose_tables_are_gone_records_nothing(gateway: Gateway):
    gateway.walk("3", "75000", "1")
    with gateway.service.engine.connect() as db:
        db.exec_driver_sql("ALTER TABLE outbox RENAME TO gone")
        db.commit()
    assert gateway.dial(CONFIRMED) == ("END", BUSY)
    with gateway.service.engine.connect() as db:
        db.exec_driver_sql("ALTER TABLE gone RENAME TO outbox")
        db.commit()
    whole(gateway, 0)
    assert gateway.rows("person") == []
    assert gateway.dial(CONFIRMED).text.startswith(DONE)


# -- Redis is gone ------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "redis"
    path.mkdir()
    return path


@pytest.fixture
def lonely(
    folder: Path, sqlite_ledger_url: str, tmp_path: Path
) -> Iterator[tuple[Gateway, redis_server.RedisServer]]:
    """A service whose Redis is its own, to be stopped by the test."""
    server = redis_server.start(folder)
    opened = open_gateway(settings(sqlite_ledger_url, server.url, tmp_path))
    yield opened, server
    server.stop()
    close_gateway(opened)


def test_without_redis_nothing_is_begun_and_nothing_recorded(
    lonely: tuple[Gateway, redis_server.RedisServer], folder: Path
):
    gateway, server = lonely
    gateway.walk("3", "75000", "1")
    server.stop()
    assert gateway.dial(CONFIRMED) == ("END", BUSY)
    assert gateway.dial("", session="new") == ("END", BUSY)
    assert gateway.dial("", code="*1#").ends
    whole(gateway, 0)
    again = redis_server.start(folder)
    try:
        assert gateway.dial(CONFIRMED).text.startswith(CONFIRM)
        assert gateway.dial(f"{CONFIRMED}*1").text.startswith(DONE)
    finally:
        again.stop()
    whole(gateway, 1)


def test_without_redis_what_was_recorded_is_told(
    lonely: tuple[Gateway, redis_server.RedisServer],
):
    gateway, server = lonely
    done = gateway.walk("3", "75000", "1", "1")
    server.stop()
    assert gateway.dial(CONFIRMED) == done
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(gateway.dial, [CONFIRMED] * 4)) == {done}
    whole(gateway, 1)


def test_without_redis_nobody_is_held_at_a_confirm(
    lonely: tuple[Gateway, redis_server.RedisServer],
):
    gateway, server = lonely
    gateway.walk("9", "3", code=ROOT_CODE)
    server.stop()
    for text in ("9*3*0*1*1*1", "9*3*0*1*1*1*1"):
        assert gateway.dial(text, code=ROOT_CODE).ends
    assert gateway.pledged == []


def test_a_redis_that_takes_nothing_more_costs_no_gift(
    lonely: tuple[Gateway, redis_server.RedisServer],
):
    """It is full: what it holds can be read, and the reply cannot be saved."""
    gateway, _ = lonely
    gateway.walk("3", "75000", "1")
    redis = gateway.service.redis
    redis.config_set("maxmemory", 1)
    done = gateway.dial(CONFIRMED)
    assert done.text.startswith(DONE)
    assert gateway.dial("", session="new") == ("END", BUSY)
    redis.config_set("maxmemory", 0)
    assert gateway.dial(CONFIRMED) == done
    whole(gateway, 1)


def test_redis_comes_back_without_its_menus(
    lonely: tuple[Gateway, redis_server.RedisServer],
):
    gateway, _ = lonely
    gateway.service.redis.set("ussd:menus", "0" * 64)
    assert gateway.dial("").text.startswith(AMOUNT)


def test_a_ledger_that_was_moved_away_takes_nothing(gateway: Gateway):
    """SQLite itself would write on in the file that nobody will find again."""
    gateway.walk("3", "75000", "1")
    path = Path(str(make_url(gateway.service.settings.database_url).database))
    away = path.parent / "away"
    away.mkdir()
    for file in path.parent.glob(f"{path.name}*"):
        file.rename(away / file.name)
    assert gateway.dial(CONFIRMED) == ("END", UNSURE)
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    for file in away.iterdir():
        file.rename(path.parent / file.name)
    whole(gateway, 0)
    assert gateway.dial(CONFIRMED).text.startswith(DONE)
    whole(gateway, 1)
