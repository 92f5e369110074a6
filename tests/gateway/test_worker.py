from __future__ import annotations

import pytest
from rq import Queue
from rq.worker import SimpleWorker

from gateway import worker
from gateway.wake import QUEUE
from tests.gateway.house import Gateway


def test_a_run_that_has_taken_long_leaves_the_rest_to_another_job(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
):
    redis = gateway.service.redis
    queue = Queue(QUEUE, connection=redis)
    gateway.pledge(channel="rehearsal")
    assert len(queue) == 1
    queue.empty()
    rq = SimpleWorker([queue], connection=redis)
    post = worker._Post.of(gateway.service, rq)
    monkeypatch.setattr(worker, "_post", post)
    monkeypatch.setattr(worker, "now", gateway.clock)
    with monkeypatch.context() as hasty:
        hasty.setattr(worker, "LISTENING_SECONDS_MAX", 0.0)
        worker.deliver_texts()
    (text,) = gateway.rows("outbox")
    assert (text.state, text.attempts) == ("queued", 0)
    assert len(queue) == 1
    worker.deliver_texts()
    (text,) = gateway.rows("outbox")
    assert (text.state, text.attempts) == ("delivered", 1)
