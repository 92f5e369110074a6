"""A worker that is killed with many calls under way: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
from sqlalchemy import Engine

from ledger import outbox
from ledger.engine import connect, reading
from ledger.outbox import State
from sms import registry
from sms.carrier import Tools
from sms.delivery import Drained, Rendered, deliver
from sms.owner import this_process
from sms.routes import Channel, Routes
from tests.carrier_server import (
    Asked,
    Say,
    carrier_server,
    kavenegar_never_had_it,
    kavenegar_takes,
)
from tests.texts import KEYS, Texts

TEXTS = 120
ROOM = 24
SECONDS_MAX = 30


def work(database: str, carrier: str) -> Drained:
    """Deliver what there is, as a worker does."""
    engine = connect(database)
    try:
        with httpx.Client(timeout=5) as http:
            tools = Tools(
                http=http, write=lambda line: None, feed=lambda to, id, text: None
            )
            options = {"api_key": "4B6F75", "sender": "10001", "base_url": carrier}
            kave = registry.build("kavenegar", options, tools)
            return deliver(
                engine,
                KEYS,
                routes=Routes([Channel("kave", kave, sender="10001")]),
                render=lambda row: Rendered("سلام"),
                owner=this_process(),
                now=lambda: datetime.now(UTC),
                room=ROOM,
            )
    finally:
        engine.dispose()


def test_a_worker_killed_with_many_calls_under_way_loses_and_doubles_nothing(
    ledger_engine: Engine, ledger_url: str
) -> None:
    texts = Texts(ledger_engine, at=datetime.now(UTC))
    promised = {texts.reference(texts.promise()) for _ in range(TEXTS)}
    known: Counter[str] = Counter()

    def take(asked: Asked) -> Say:
        localid = asked.form.get("localid", "")
        if localid not in promised:
            # What a death cut off in the middle is no text.
            return Say(400)
        known[localid] += 1
        taken = kavenegar_takes(int(localid) % 10**9)
        return Say(200, taken.body, before=lambda: time.sleep(0.1))

    def tell(asked: Asked) -> Say:
        has_it = asked.form["localid"] in known
        return kavenegar_takes(1) if has_it else kavenegar_never_had_it()

    with carrier_server() as server:
        server.script("send.json", take)
        server.script("statuslocalmessageid.json", tell)
        said = [sys.executable, "-c", _WORK, ledger_url, server.url]
        worker = subprocess.Popen(said, cwd=Path(__file__).parents[2])
        try:
            _until(lambda: len(known) >= TEXTS // 3)
        finally:
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait()
        assert len(known) < TEXTS, "it was killed too late to say anything"

        until = time.monotonic() + SECONDS_MAX
        while _states(ledger_engine) != {"sent": TEXTS}:
            assert time.monotonic() < until
            work(ledger_url, server.url)

    assert set(known) == promised
    assert set(known.values()) == {1}


def _states(engine: Engine) -> dict[State, int]:
    with reading(engine) as db:
        counts = outbox.state_counts(db)
    return {state: count for state, count in counts.items() if count}


_WORK = "import sys; from tests.sms.test_deaths import work; work(*sys.argv[1:])"


def _until(happens: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS_MAX
    while not happens():
        assert time.monotonic() < until
        time.sleep(0.01)
