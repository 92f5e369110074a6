"""Tell a worker that texts are waiting: one enqueue, however many are.

A flag in Redis says that a job is queued and has not begun; while it stands nothing
needs to be queued. A job takes the flag down before it looks for texts, so one that is
promised after its last look finds no flag and queues the next job. If Redis is gone
the scheduler finds the text in the database.
"""

from __future__ import annotations

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue

__all__ = ["QUEUE", "lower_flag", "wake"]

QUEUE = "texts"
JOB = "gateway.worker.deliver_texts"
FLAG = "texts:wanted"
FLAG_SECONDS = 30
JOB_SECONDS_MAX = 600

log = structlog.get_logger()


def wake(redis: Redis) -> None:
    """Queue a delivery job unless one is queued already."""
    try:
        if redis.set(FLAG, 1, nx=True, ex=FLAG_SECONDS):
            Queue(QUEUE, connection=redis).enqueue(
                JOB, job_timeout=JOB_SECONDS_MAX, result_ttl=0, failure_ttl=3600
            )
    except RedisError as failure:
        log.warning("worker_not_woken", why=type(failure).__name__)


def lower_flag(redis: Redis) -> None:
    """Say that the queued job has begun."""
    redis.delete(FLAG)
