"""Tell a worker that texts are waiting: one enqueue, however many are.

A bell in Redis counts rings. The first ring queues a job; while the job runs, others
only count up, and it looks again until nobody has rung since its last look. The bell
falls silent by itself a few seconds after a worker died; and if Redis is gone, the
scheduler finds the text in the database.
"""

from __future__ import annotations

from typing import cast

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue

from ussd.line import Line

__all__ = ["QUEUE", "heard", "is_quiet", "silence", "wake"]

QUEUE = "texts"
JOB = "gateway.worker.deliver_texts"
BELL = "texts:bell"
BELL_SECONDS = 5
JOB_SECONDS_MAX = 600

RING = """
local rings = redis.call('INCR', KEYS[1])
if rings == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return rings
"""
# Takes the bell down if nobody has rung since ARGV[1]; answers whether it did.
QUIET = """
local rings = redis.call('GET', KEYS[1])
if not rings or rings == ARGV[1] then redis.call('DEL', KEYS[1]) return 1 end
return 0
"""

log = structlog.get_logger()


def wake(redis: Redis, line: Line) -> None:
    """Ring the bell, and queue a delivery job unless one is queued or running."""
    try:
        if line.ask("EVAL", RING, 1, BELL, BELL_SECONDS) == 1:
            Queue(QUEUE, connection=redis).enqueue(
                JOB, job_timeout=JOB_SECONDS_MAX, result_ttl=0, failure_ttl=3600
            )
    except RedisError as failure:
        log.warning("worker_not_woken", why=type(failure).__name__)


def heard(redis: Redis) -> str:
    """How often it has rung, for `is_quiet`; while somebody listens, it stays up."""
    redis.expire(BELL, BELL_SECONDS)
    rings = cast(bytes | None, redis.get(BELL))
    return rings.decode() if rings is not None else ""


def is_quiet(redis: Redis, rings: str) -> bool:
    """Take the bell down, unless it has rung since `rings` were heard."""
    return bool(redis.eval(QUIET, 1, BELL, rings) == 1)


def silence(redis: Redis) -> None:
    """Take the bell down, whoever has rung: the next ring queues a job."""
    redis.delete(BELL)
