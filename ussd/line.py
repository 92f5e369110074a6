"""A line to Redis for every thread, with nothing between a question and its answer."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any, cast

from redis import Redis
from redis.exceptions import NoScriptError, RedisError, ResponseError

__all__ = ["Line", "NoScriptError"]


class Line:
    """Asks what `redis` would be asked; raises RedisError."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._own = threading.local()

    def ask(self, *words: str | int) -> object:
        """One round trip on this thread's own connection, made anew if it went stale.

        Redis.execute_command adds a pool, retries and metrics that cost more than the
        answer, twice in every turn of every call; who calls here knows what to do
        without one. An error leaves no answer behind for the next question to read.
        """
        connection = self._connection()
        try:
            connection.send_command(*words)
            return cast(object, connection.read_response())
        except ResponseError:
            raise
        except BaseException:
            self._own.connection = None
            connection.disconnect()
            raise

    def _connection(self) -> Any:
        connection = getattr(self._own, "connection", None)
        if connection is not None:
            # Nothing was asked: what is there to read is the end of the stream.
            with suppress(RedisError):
                if not connection.can_read(timeout=0):
                    return connection
            connection.disconnect()
        # Not one that the pool keeps account of: it goes when its thread goes.
        connection = self._redis.connection_pool.make_connection()
        self._own.connection = connection
        return connection
