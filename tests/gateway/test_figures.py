"""The figures that callers hear: one sums, the others get what was summed last."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from redis import Redis
from sqlalchemy import Engine, event

from gateway import figures
from gateway.figures import OLDEST_SECONDS, kept_figures
from tests.ledger.books import CAMPAIGN, Books
from tests.ledger.purchases import Shop

NAME = f"figures:{CAMPAIGN}:real"


class Watched:
    """Counts how often the campaign is summed; each sum waits for `go`."""

    def __init__(self, engine: Engine) -> None:
        self.sums = 0
        self.begun, self.go = Event(), Event()
        self.go.set()
        event.listen(engine, "before_cursor_execute", self._hear)

    def _hear(
        self, conn: object, cursor: object, statement: str, *rest: object
    ) -> None:
        if "count(DISTINCT" in statement:
            self.sums += 1
            self.begun.set()
            assert self.go.wait(30)


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        client.flushdb()
        yield client


@pytest.fixture
def shop(ledger_engine: Engine) -> Shop:
    shop = Shop(Books(ledger_engine))
    for last in range(6):
        shop.given(100, f"+98912123456{last}")
    return shop


def test_of_many_first_callers_one_sums(shop: Shop, redis: Redis) -> None:
    watched = Watched(shop.books.engine)
    told, together = kept_figures(shop.books.engine, redis), Barrier(12)

    def ask(_: int) -> int:
        together.wait(30)
        return told(CAMPAIGN, False).paid_rial

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(ask, range(12))) == {600}
    assert watched.sums == 1


def test_who_asks_while_another_sums_gets_the_last_figures(
    shop: Shop, redis: Redis
) -> None:
    told = kept_figures(shop.books.engine, redis)
    assert told(CAMPAIGN, False).paid_rial == 600
    shop.given(100, "+989121234569")
    redis.delete(f"{NAME}:turn")
    watched = Watched(shop.books.engine)
    watched.go.clear()
    with ThreadPoolExecutor(1) as pool:
        summing = pool.submit(told, CAMPAIGN, False)
        assert watched.begun.wait(30)
        assert told(CAMPAIGN, False).paid_rial == 600
        watched.go.set()
        assert summing.result().paid_rial == 700
    assert told(CAMPAIGN, False).paid_rial == 700


def test_old_figures_are_forgotten(shop: Shop, redis: Redis) -> None:
    kept_figures(shop.books.engine, redis)(CAMPAIGN, False)
    assert 0 < redis.ttl(NAME) <= OLDEST_SECONDS


def test_a_process_that_died_while_it_summed_keeps_nobody_from_the_figures(
    shop: Shop, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "FIRST_LOOKS", 2)
    redis.set(f"{NAME}:turn", 1, ex=60)
    assert kept_figures(shop.books.engine, redis)(CAMPAIGN, False).paid_rial == 600


def test_without_redis_the_figures_are_summed(shop: Shop) -> None:
    away = Redis(host="127.0.0.1", port=1, socket_connect_timeout=1)
    assert kept_figures(shop.books.engine, away)(CAMPAIGN, False).paid_rial == 600
