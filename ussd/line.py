"""A line to Redis for every thread, with nothing between a question and its answer."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any, cast

from redis import Redis
from redis.exceptions import ConnectionError, NoScriptError, ResponseError

__all__ = ["Line", "NoScriptError"]


class Line:
    """Asks what `redis` would be asked; raises RedisError.

    What is asked may be asked twice: a connection that was left since it was last used
    is only found out by asking, and the question is then put again on a new one.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._own = threading.local()

    def ask(self, *words: str | int) -> object:
        """One round trip on this thread's own connection.

        Redis.execute_command adds a pool, retries and metrics that cost more than the
        answer, twice in every turn of every call. An error leaves no answer behind for
        the next question to read.
        """
        connection = getattr(self._own, "connection", None)
        if connection is not None:
            with suppress(ConnectionError):
                return self._asked(connection, words)
        # Not one that the pool keeps account of: it goes when its thread goes, and the
        # pool, which would count it for ever, refuses all after the hundredth.
        pool = self._redis.connection_pool
        connection = self._own.connection = pool.connection_class(
            **pool.connection_kwargs
        )
        return self._asked(connection, words)

    def _asked(self, connection: Any, words: tuple[str | int, ...]) -> object:
        try:
            connection.send_command(*words)
            return cast(object, connection.read_response())
        except ResponseError:
            raise
        except BaseException:
            self._own.connection = None
            connection.disconnect()
            raise
