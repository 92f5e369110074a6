"""The worker: it delivers promised texts whenever it is woken."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog
from redis import Redis
from rq import Queue
from rq.worker import SimpleWorker

from gateway import asking
from gateway.logs import write_logs
from gateway.service import Service, build, now, prove_keys
from gateway.settings import Settings
from gateway.texts import renderer
from gateway.wake import QUEUE, heard, is_quiet, silence
from ledger.engine import LedgerError
from sms.calls import make
from sms.carrier import keep_urls_out_of_logs
from sms.condition import Conditions
from sms.delivery import deliver
from sms.owner import this_process

__all__ = ["deliver_texts", "main"]

GATHER_SECONDS = 0.1
NICE = 5
# So much more than its threads call is written down, so that no thread ever waits for
# the ledger. A worker that is killed has to ask about those too.
AHEAD = 2
LISTENING_SECONDS_MAX = 60.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Post:
    service: Service
    worker: SimpleWorker
    # These outlive the jobs: who makes the calls, and how each carrier does.
    pool: ThreadPoolExecutor
    conditions: Conditions

    @classmethod
    def of(cls, service: Service, worker: SimpleWorker) -> _Post:
        threads = service.settings.text_threads
        pool = ThreadPoolExecutor(threads, thread_name_prefix="texts")
        return cls(service, worker, pool, Conditions(service.routes))

    def is_stopping(self) -> bool:
        return bool(self.worker._stop_requested)


# RQ calls its jobs by name, so what they work with has to be found by name too.
_post: _Post | None = None


def main(settings: Settings) -> None:
    """Work until told to stop; what is under way is finished."""
    global _post
    write_logs()
    keep_urls_out_of_logs()
    service = build(settings)
    prove_keys(service)
    # On one machine a caller waits for a screen; a text may wait a moment.
    os.nice(NICE)
    # RQ waits for work on its connection, so it cannot have a time limit on reads.
    redis = Redis.from_url(settings.redis_url)
    worker = SimpleWorker([Queue(QUEUE, connection=redis)], connection=redis)
    _post = _Post.of(service, worker)
    asking.prepare(service)
    # Texts that a worker before this one left behind do not wait for a new one, nor
    # for the bell it left up.
    silence(service.redis)
    service.wake()
    worker.work(logging_level="WARNING")


def deliver_texts() -> None:
    """Deliver texts until nobody asks for more. A job of RQ: it carries no data."""
    assert _post is not None, "deliver_texts runs in a worker"
    redis = _post.service.redis
    deadline = time.monotonic() + LISTENING_SECONDS_MAX
    rings = heard(redis)
    while _drained(_post, deadline):
        if time.monotonic() >= deadline or _post.is_stopping():
            # Another job goes on from here, in whichever worker is free.
            silence(redis)
            _post.service.wake()
            return
        if is_quiet(redis, rings):
            return
        # What is promised meanwhile is cheaper together than one by one.
        time.sleep(GATHER_SECONDS)
        rings = heard(redis)
    silence(redis)


def _drained(post: _Post, deadline: float) -> bool:
    """Deliver what is due, until `deadline`; False if the ledger is away."""
    service = post.service
    settings = service.settings
    try:
        drained = deliver(
            service.engine,
            service.keys,
            routes=service.routes,
            render=renderer(service.library, service.keys),
            owner=this_process(),
            now=now,
            batch_max=settings.text_batch_max,
            lease_seconds=settings.lease_seconds,
            start=lambda call: post.pool.submit(make, call),
            room=settings.text_threads + settings.text_threads // AHEAD,
            conditions=post.conditions,
            rules=service.rules,
            # Else RQ would cut a long run off wherever it is.
            should_stop=lambda: post.is_stopping() or time.monotonic() >= deadline,
        )
    except LedgerError as failure:
        # The scheduler wakes a worker again while texts are due.
        log.error("texts_not_delivered", why=str(failure))
        return False
    if drained.states:
        log.info("texts", **{str(state): n for state, n in drained.states.items()})
    return True
