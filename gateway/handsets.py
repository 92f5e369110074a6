"""The simulator's handsets: the texts that a test channel's console showed them.

Kept in Redis for a day, under the phone's keyed hash.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

from ledger.vault import Keys, look_up

__all__ = ["Handsets", "Text"]

TEXTS_KEPT_MAX = 50
KEPT_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Text:
    id: str
    text: str


class Handsets:
    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    def feed(self, phone: str, id: str, text: str) -> None:
        """Put a text into a phone's inbox; the same id again is one entry.

        Raises OSError if the inbox is away.
        """
        name = self._name(phone)
        entry = json.dumps([id, text], ensure_ascii=False)
        try:
            with self._redis.pipeline() as pipe:
                pipe.lrem(name, 0, entry)
                pipe.lpush(name, entry)
                pipe.ltrim(name, 0, TEXTS_KEPT_MAX - 1)
                pipe.expire(name, KEPT_SECONDS)
                pipe.execute()
        except RedisError as failure:
            raise OSError(type(failure).__name__) from failure

    def inbox(self, phone: str) -> list[Text]:
        """The texts of a phone, the newest first."""
        entries = cast(list[bytes], self._redis.lrange(self._name(phone), 0, -1))
        return [Text(*json.loads(entry)) for entry in entries]

    def _name(self, phone: str) -> str:
        return f"handset:{look_up(self._keys, phone).hex()}"
