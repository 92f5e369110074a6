from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import ResponseError

from ussd.line import Line

POOL = 2


@pytest.fixture
def client(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url, max_connections=POOL) as client:
        yield client


def test_an_error_leaves_nothing_for_the_next_question(client: Redis) -> None:
    line = Line(client)
    with pytest.raises(ResponseError):
        line.ask("GET")
    assert line.ask("ECHO", "a") == b"a"


def test_lines_of_threads_that_went_are_not_counted(client: Redis) -> None:
    line = Line(client)
    for _ in range(POOL + 2):
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(line.ask, "ECHO", "a").result() == b"a"
    assert client.ping()


def test_a_redis_that_refused_often_is_still_asked(redis_url: str) -> None:
    with Redis.from_url("redis://127.0.0.1:1", max_connections=POOL) as client:
        line = Line(client)
        for _ in range(POOL + 2):
            with pytest.raises(NoConnection, match="refused"):
                line.ask("PING")
