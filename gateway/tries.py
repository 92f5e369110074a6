"""How often a stranger may try something, counted in Redis for all processes together.

What is counted is known by a keyed hash: no address and no code stands in Redis.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from redis import Redis

from ledger.vault import Keys

__all__ = ["Limit", "wait"]

_NAME_BYTES = 16


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries of one thing in so many seconds; `name` is said in Redis."""

    name: str
    tries_max: int
    seconds: int


def wait(redis: Redis, keys: Keys, limit: Limit, of: str) -> int:
    """Count one try of `of`, and say for how many seconds it has to wait; 0 if it may.

    The time begins with the first try, and tries that were refused do not lengthen it.
    Raises RedisError: who cannot count must not let in.
    """
    named = f"tries {limit.name}:{of}".encode()
    digest = hmac.digest(keys.index, named, "sha256")[:_NAME_BYTES].hex()
    key = f"yarigar:tries:{limit.name}:{digest}"
    # In one transaction: a count that nothing ends would shut somebody out for good.
    with redis.pipeline(transaction=True) as asked:
        asked.set(key, 0, ex=limit.seconds, nx=True)
        asked.incr(key)
        asked.ttl(key)
        _, tries, left = asked.execute()
    return max(1, int(left)) if int(tries) > limit.tries_max else 0
