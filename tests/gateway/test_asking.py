"""Carriers that post nothing: asked in time, once, and believed as if they posted."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rq import Queue
from sqlalchemy import select, update
from structlog.typing import EventDict

from gateway import asking
from gateway.asking import Asker
from gateway.schedule import _Turns
from gateway.texts import renderer
from gateway.wake import QUEUE
from ledger import schema
from ledger.asking import claim, take_turn
from ledger.engine import LedgerError, reading, writing
from ledger.outbox import NEVER
from sms.asking import first_due
from sms.carrier import Outcome, Result
from sms.delivery import deliver
from sms.routes import Channel, Routes
from tests.carrier_server import CarrierServer, Say, carrier_server
from tests.fake_carrier import FakeCarrier
from tests.gateway.house import (
    KEY,
    Gateway,
    close_gateway,
    open_gateway,
    settings,
)

GOOD = {"status": 200, "message": "ok"}
DATE = 1795336205  # noon


@pytest.fixture
def carrier() -> Iterator[CarrierServer]:
    """Kavenegar on loopback; it has nothing to say at first."""
    with carrier_server() as server:
        for path in ("status.json", "receive.json"):
            server.script(path, entries())
        yield server


@pytest.fixture(params=["sqlite_ledger_url", "postgres_ledger_url"])
def asked(
    request: pytest.FixtureRequest,
    carrier: CarrierServer,
    redis_url: str,
    tmp_path: Path,
) -> Iterator[Gateway]:
    """A service whose one real carrier has to be asked."""
    channel = {
        "adapter": "kavenegar",
        "key": KEY,
        "api_key": "atsk",
        "sender": "10001",
        "base_url": carrier.url,
        "asks": True,
        "ask_inbound_seconds": 30,
    }
    url: str = request.getfixturevalue(request.param)
    given = settings(url, redis_url, tmp_path, http_timeout_seconds=0.3)
    opened = open_gateway(
        type(given)(**{**dict(given), "sms": {"kave": channel}})  # as set in a file
    )
    yield opened
    kave: Any = opened.service.routes.named("kave")
    # Else its kept connection is closed at some later time, with a warning.
    kave.carrier._http.close()
    close_gateway(opened)


# -- receipts ------------------------------------------------------------------------


def test_a_text_is_asked_about_until_something_final_is_known(
    asked: Gateway, carrier: CarrierServer
) -> None:
    send(asked)
    assert due_in(asked) == 30
    ask(asked)
    assert carrier.of("status.json") == []

    asked.clock.wait(seconds=31)
    carrier.script("status.json", entries({"messageid": 8792343, "status": 5}))
    ask(asked)
    assert (state(asked), due_in(asked)) == ("sent", 89)

    asked.clock.wait(seconds=90)
    carrier.script("status.json", entries({"messageid": 8792343, "status": 10}))
    ask(asked)
    assert state(asked) == "delivered"
    assert [row.status for row in asked.rows("receipt")] == ["sent", "delivered"]

    asked.clock.wait(days=1)
    ask(asked)
    assert [one.query for one in carrier.of("status.json")] == [
        {"messageid": "8792343"}
    ] * 2


def test_a_receiver_who_blocks_the_line_has_stopped_it(
    asked: Gateway, carrier: CarrierServer
) -> None:
    send(asked)
    asked.clock.wait(seconds=31)
    carrier.script("status.json", entries({"messageid": 8792343, "status": 14}))
    ask(asked)
    assert state(asked) == "failed"
    assert [row.line for row in asked.rows("stop")] == ["10001"]


def test_what_a_carrier_says_of_other_texts_is_not_believed(
    asked: Gateway, carrier: CarrierServer
) -> None:
    send(asked)
    asked.clock.wait(seconds=31)
    carrier.script("status.json", entries({"messageid": 7, "status": 10}))
    ask(asked)
    assert asked.rows("receipt") == []


def test_a_carrier_that_is_away_is_asked_again_later(
    asked: Gateway, carrier: CarrierServer
) -> None:
    send(asked)
    asked.clock.wait(seconds=31)
    carrier.script("status.json", Say(500))
    ask(asked)
    assert (state(asked), due_in(asked)) == ("sent", 89)


def test_a_death_while_asking_delays_a_text_and_loses_none(
    asked: Gateway, carrier: CarrierServer
) -> None:
    send(asked)
    asked.clock.wait(seconds=31)
    with writing(asked.service.engine) as db:
        [text] = claim(db, at=asked.clock(), lease_seconds=120, limit=10)
        # Two that ask at once do not ask about the same text.
        assert claim(db, at=asked.clock(), lease_seconds=120, limit=10) == []
    assert (text.carrier, text.carrier_id) == ("kave", "8792343")
    asked.clock.wait(seconds=121)
    carrier.script("status.json", entries({"messageid": 8792343, "status": 10}))
    ask(asked)
    assert state(asked) == "delivered"


def test_a_silent_carrier_does_not_keep_delivery_waiting_for_long(
    asked: Gateway, carrier: CarrierServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    kave = asked.service.routes.named("kave")
    assert kave is not None
    monkeypatch.setattr(kave.carrier, "ids_at_once", 1)
    for _ in range(12):
        send(asked)
    asked.clock.wait(seconds=31)
    carrier.script("status.json", Say(200, before=lambda: time.sleep(0.5)))
    began = time.monotonic()
    ask(asked, seconds_max=0.5)
    assert time.monotonic() - began < 2.5
    # Those that the time did not suffice for come again soon, the others later.
    waits = [row.due_at - asked.clock() for row in asked.rows("outbox")]
    assert len(waits) == 12
    assert set(waits) == {timedelta(seconds=60), timedelta(seconds=89)}


def test_texts_that_cannot_be_asked_about_are_left_for_ever(
    asked: Gateway, carrier: CarrierServer
) -> None:
    send(asked, carrier_id=None)
    with writing(asked.service.engine) as db:
        db.execute(update(schema.outbox).values(due_at=asked.clock()))
    ask(asked)
    assert asked.rows("outbox")[0].due_at == NEVER
    assert carrier.of("status.json") == []


# -- texts that came in ---------------------------------------------------------------


def test_a_text_that_came_in_is_obeyed_as_if_it_were_posted(
    asked: Gateway, carrier: CarrierServer
) -> None:
    carrier.script("receive.json", entries(came("۱۱")), entries())
    ask(asked)
    assert [row.line for row in asked.rows("stop")] == ["10001"]
    [row] = asked.rows("inbound")
    assert (row.carrier_id, row.keyword) == ("1", "stop")

    ask(asked)
    assert len(carrier.of("receive.json")) == 2  # unread, and once what was read
    asked.clock.wait(seconds=30)
    ask(asked)
    assert len(carrier.of("receive.json")) == 4  # another process begins anew


def test_one_process_asks_for_what_is_unread_only(
    asked: Gateway, carrier: CarrierServer
) -> None:
    asker = Asker(asked.service)
    for _ in range(3):
        asker.ask()
        asked.clock.wait(seconds=30)
    read = [one.query["isread"] for one in carrier.of("receive.json")]
    assert read == ["0", "1", "0", "0"]


def test_a_list_that_could_not_be_stored_is_asked_for_again(
    asked: Gateway,
    carrier: CarrierServer,
    monkeypatch: pytest.MonkeyPatch,
    logs: list[EventDict],
) -> None:
    monkeypatch.setattr(asking, "STORE_PAUSE_SECONDS", 0.0)
    asker = Asker(asked.service)
    asker.ask()
    asked.clock.wait(seconds=30)
    # It shows the text once as unread; afterwards it is among those that were read.
    carrier.script("receive.json", entries(came("11")), entries(), entries(came("11")))
    rename(asked, "inbound", "gone")
    with pytest.raises(LedgerError):
        asker.ask()
    rename(asked, "gone", "inbound")
    asked.clock.wait(seconds=30)
    asker.ask()
    assert [row.keyword for row in asked.rows("inbound")] == ["stop"]
    assert {log["event"] for log in logs} >= {"inbound_not_stored"}


def test_what_is_shown_again_after_it_was_forgotten_is_not_new(
    asked: Gateway, carrier: CarrierServer
) -> None:
    asked.clock.wait(days=29, seconds=60)
    carrier.script("receive.json", entries(came("سلام"), came("x", id=2, days=1)))
    ask(asked)
    assert [row.carrier_id for row in asked.rows("inbound")] == ["2"]


def test_a_piece_that_cannot_be_read_is_kept(
    asked: Gateway, carrier: CarrierServer
) -> None:
    bad = {**came("ad"), "sender": "IRANCELL"}
    carrier.script("receive.json", entries(bad, came("۱۱", id=2)))
    ask(asked)
    assert [row.carrier_id for row in asked.rows("inbound")] == ["2"]
    assert asked.rows("unreadable")[0].why == "sender is no phone number"


def test_two_that_ask_at_once_take_one_turn(asked: Gateway) -> None:
    def take(_: int) -> bool:
        with writing(asked.service.engine) as db:
            return take_turn(db, channel="kave", every_seconds=30, at=asked.clock())

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(take, range(8))) == 1
    asked.clock.wait(seconds=30)
    assert take(0)


# -- when ----------------------------------------------------------------------------


def test_the_scheduler_rings_when_something_is_to_be_asked(asked: Gateway) -> None:
    assert is_time(asked)
    ask(asked)
    assert not is_time(asked)
    send(asked)
    asked.clock.wait(seconds=29)
    assert not is_time(asked)
    asked.clock.wait(seconds=1)
    assert is_time(asked)


def test_a_turn_of_the_scheduler_queues_a_job_that_asks(asked: Gateway) -> None:
    redis = asked.service.redis
    turns = _Turns(asked.service)
    turns.turn(asked.clock())
    turns.wait()
    [job] = Queue(QUEUE, connection=redis).jobs
    assert job.func_name == "gateway.asking.ask_carriers"


def test_where_every_carrier_posts_nobody_rings(gateway: Gateway) -> None:
    assert not is_time(gateway)
    kave = gateway.service.routes.named("kave")
    assert kave is not None
    assert first_due(kave, gateway.clock()) == NEVER


def test_one_job_is_queued_however_often_it_rings(asked: Gateway) -> None:
    redis = asked.service.redis
    for _ in range(3):
        asking.ring(redis)
    assert len(Queue(QUEUE, connection=redis)) == 1
    asking.prepare(asked.service)
    asking.ask_carriers()
    asking.ring(redis)
    assert len(Queue(QUEUE, connection=redis)) == 2


def test_a_ledger_that_is_away_ends_a_job_without_a_fuss(
    asked: Gateway, logs: list[EventDict]
) -> None:
    rename(asked, "channel_state", "gone")
    asking.prepare(asked.service)
    asking.ask_carriers()
    assert [log["event"] for log in logs] == ["carriers_not_asked"]
    assert asked.service.redis.get(asking.BELL) is None


def entries(*found: dict[str, Any]) -> Say:
    return Say(200, json.dumps({"return": GOOD, "entries": list(found)}).encode())


def came(text: str, *, id: int = 1, days: int = 0) -> dict[str, Any]:
    return {
        "messageid": id,
        "message": text,
        "sender": "09121234567",
        "receptor": "10001",
        "date": DATE + days * 86_400,
    }


def ask(gateway: Gateway, **how: float) -> None:
    """Ask as a process does that has just begun."""
    Asker(gateway.service).ask(**how)


def send(gateway: Gateway, carrier_id: str | None = "8792343") -> None:
    """Pledge, and have a carrier take the text under that id."""
    gateway.pledge()
    service = gateway.service
    taken = FakeCarrier(*[Result(Outcome.ACCEPTED, carrier_id=carrier_id)] * 2)
    kave = service.routes.named("kave")
    assert kave is not None
    with writing(service.engine) as db:
        before = db.scalars(select(schema.outbox.c.id)).all()
    deliver(
        service.engine,
        service.keys,
        routes=Routes([Channel("kave", taken, "10001")]),
        render=renderer(service.library, service.keys),
        owner="test",
        now=gateway.clock,
    )
    with writing(service.engine) as db:
        # What a fake takes is not asked about.
        db.execute(
            update(schema.outbox)
            .where(schema.outbox.c.id == max(before))
            .values(due_at=first_due(kave, gateway.clock()))
        )


def state(gateway: Gateway) -> str:
    found: str = gateway.rows("outbox")[-1].state
    return found


def due_in(gateway: Gateway) -> float:
    due_at: datetime = gateway.rows("outbox")[-1].due_at
    return (due_at - gateway.clock()).total_seconds()


def is_time(gateway: Gateway) -> bool:
    with reading(gateway.service.engine) as db:
        return asking.is_time_to_ask(gateway.service, db)


def rename(gateway: Gateway, table: str, name: str) -> None:
    with gateway.service.engine.connect() as db:
        db.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {name}")
        db.commit()
