"""Every carrier through what carriers do: lost answers, early receipts, deaths.

Each adapter's own answers stand under `conformance` in tests/carriers/<adapter>.yaml,
with `{id}` for our id of the text, `{carrier_id}` for theirs, and `{n}` for a small
number to make theirs of.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from ledger import schema
from ledger.engine import connect, reading, writing
from ledger.outbox import NEVER
from sms.beginning import begin
from sms.calls import Job
from sms.delivery import WORKERS, Rendered, deliver
from sms.owner import this_process
from sms.receiving import take_receipts
from sms.routes import Channel, Routes
from tests.carrier_server import CarrierServer, Reset, Say, Silence, carrier_server
from tests.sms.posts import build, can, cases, names, posted
from tests.texts import KEYS, Texts

WIRED = [name for name in names() if cases(name)["conformance"]]
ASKED = [name for name in WIRED if can(name, "can_look_up")]
REPORTING = [name for name in WIRED if "delivered" in cases(name)["conformance"]]
UNDER_OUR_ID = [name for name in REPORTING if can(name, "ids_are_ours")]
# Waits grow by a quarter, and some carriers are believed after ten minutes only.
RUNS_MAX = 40


@dataclass
class Scene:
    """One promised text, its carrier on loopback, and what that carrier says."""

    texts: Texts
    server: CarrierServer
    channel: Channel
    case: Mapping[str, Any]
    text: int

    @property
    def ids_are_ours(self) -> bool:
        return self.channel.carrier.ids_are_ours

    @property
    def can_look_up(self) -> bool:
        return self.channel.carrier.can_look_up

    @property
    def state(self) -> str:
        return self.texts.state(self.text)

    @property
    def carrier_id(self) -> str:
        return self.filled(self.case["carrier_id"])

    def filled(self, value: Any, **more: str) -> Any:
        """What a case says, about this text."""
        reference = self.texts.reference(self.text)
        slots = {"id": reference, "n": str(self.text), **more}
        written = json.dumps(value, ensure_ascii=False)
        for name, filler in slots.items():
            written = written.replace(f"{{{name}}}", filler)
        return json.loads(written)

    def says(self, what: str, before: Callable[[], None] = lambda: None) -> Say:
        answer = self.filled(self.case[what])
        body = answer.get("body", "").encode()
        return Say(answer.get("status", 200), body, before=before)

    def script(self, *answers: Any) -> None:
        self.server.script(self.case["send"], *answers)

    def script_look_up(self, what: str) -> None:
        for path_end, answer in self.filled(self.case.get(what, {})).items():
            say = Say(answer.get("status", 200), answer.get("body", "").encode())
            self.server.script(path_end, say)

    def sends(self) -> int:
        asked = self.server.of(self.case["send"])
        # Where texts are sent and asked about under one address, look-ups do not count.
        asks_here = f"GET {self.case['send']}" in self.case.get("known", {})
        return len([one for one in asked if one.method != "GET" or not asks_here])

    def deliver(self) -> None:
        drained = deliver(
            self.texts.engine,
            KEYS,
            routes=Routes([self.channel]),
            render=lambda row: Rendered("سلام"),
            owner=this_process(),
            now=self.texts.now,
        )
        if drained.next_due is not None and drained.next_due < NEVER:
            self.texts.at = max(self.texts.at, drained.next_due)

    def settle(self) -> None:
        for _ in range(RUNS_MAX):
            self.deliver()
            if self.state not in ("queued", "unclear"):
                return

    def post_receipt(self, carrier_id: str | None = None) -> None:
        filled = {"carrier_id": carrier_id or self.carrier_id}
        case = self.filled(self.case["delivered"], **filled)
        if carrier_id is not None and self.ids_are_ours:
            written = json.dumps(self.case["delivered"], ensure_ascii=False)
            case = json.loads(written.replace("{id}", carrier_id))
        found = self.channel.carrier.read_receipts(posted(case))
        with writing(self.texts.engine) as db:
            take_receipts(
                db,
                KEYS,
                Routes([self.channel]),
                self.channel,
                found,
                raw=b"a post",
                at=self.texts.at,
            )

    def receipts(self) -> list[Any]:
        with reading(self.texts.engine) as db:
            return list(db.execute(select(schema.receipt)))


@pytest.fixture(params=WIRED)
def scene(request: pytest.FixtureRequest, sqlite_ledger_url: str) -> Iterator[Scene]:
    name = request.param
    engine = connect(sqlite_ledger_url)
    with (
        carrier_server() as server,
        httpx.Client(timeout=httpx.Timeout(5, read=0.3)) as http,
    ):
        texts = Texts(engine)
        channel = Channel("it", build(name, server.url, http), sender="10001")
        text = texts.promise()
        yield Scene(texts, server, channel, cases(name)["conformance"], text)
    engine.dispose()


def test_what_is_taken_is_sent_once(scene: Scene) -> None:
    scene.script(scene.says("taken"))
    scene.settle()
    assert (scene.state, scene.sends()) == ("sent", 1)
    [attempt] = scene.texts.attempts(scene.text)
    assert (attempt.outcome, attempt.carrier_id) == ("accepted", scene.carrier_id)


def test_what_is_throttled_is_sent_later(scene: Scene) -> None:
    scene.script(scene.says("throttled"), scene.says("taken"))
    scene.deliver()
    assert (scene.state, scene.sends()) == ("queued", 1)
    scene.settle()
    assert (scene.state, scene.sends()) == ("sent", 2)
    assert scene.texts.outcomes(scene.text) == ["throttled", "accepted"]


def _late(scene: Scene) -> Say:
    return scene.says("taken", before=lambda: time.sleep(0.5))


@pytest.mark.parametrize(
    "fault",
    [lambda scene: Silence(), lambda scene: Reset(), _late],
    ids=["silence", "reset", "late"],
)
def test_a_text_whose_answer_was_lost_is_never_blindly_sent_again(
    scene: Scene, fault: Callable[[Scene], Any]
) -> None:
    scene.script(fault(scene), scene.says("taken"))
    scene.script_look_up("known")
    scene.settle()
    assert scene.sends() == 1
    assert scene.state == ("sent" if scene.can_look_up else "unclear")


@pytest.mark.parametrize("scene", ASKED, indirect=True)
def test_a_text_that_never_arrived_is_sent_again(scene: Scene) -> None:
    scene.script(Reset(), scene.says("taken"))
    scene.script_look_up("never")
    scene.settle()
    assert (scene.state, scene.sends()) == ("sent", 2)
    assert scene.texts.outcomes(scene.text) == ["retryable", "accepted"]


@pytest.mark.parametrize("scene", UNDER_OUR_ID, indirect=True)
def test_a_receipt_under_our_own_id_settles_a_lost_answer(scene: Scene) -> None:
    scene.script(Reset())
    scene.deliver()
    assert scene.state == "unclear"
    scene.post_receipt()
    assert scene.state == "delivered"
    scene.settle()
    assert scene.sends() == 1


@pytest.mark.parametrize("scene", REPORTING, indirect=True)
def test_a_receipt_that_comes_before_the_answer_is_believed(scene: Scene) -> None:
    scene.script(scene.says("taken", before=scene.post_receipt))
    scene.settle()
    assert (scene.state, scene.sends()) == ("delivered", 1)


@pytest.mark.parametrize("scene", REPORTING, indirect=True)
def test_a_doubled_receipt_is_one(scene: Scene) -> None:
    scene.script(scene.says("taken"))
    scene.deliver()
    for _ in range(3):
        scene.post_receipt()
        assert scene.state == "delivered"
    assert len(scene.receipts()) == 1


@pytest.mark.parametrize("scene", REPORTING, indirect=True)
def test_a_receipt_for_nobody_is_kept_and_changes_nothing(scene: Scene) -> None:
    scene.script(scene.says("taken"))
    scene.deliver()
    scene.post_receipt("987654321")
    assert scene.state == "sent"
    [kept] = scene.receipts()
    assert kept.matched_at is None


@pytest.mark.parametrize("look_up", ["known", "never"])
def test_a_death_during_a_call_loses_no_text_and_doubles_none(
    scene: Scene, look_up: str
) -> None:
    _die_during_a_call(scene)
    scene.script(scene.says("taken"))
    scene.script_look_up(look_up)
    scene.settle()
    if scene.can_look_up:
        assert (scene.state, scene.sends()) == ("sent", 0 if look_up == "known" else 1)
        return
    assert (scene.state, scene.sends()) == ("unclear", 0)
    if scene.ids_are_ours and "delivered" in scene.case:
        scene.post_receipt()
        assert scene.state == "delivered"


def _die_during_a_call(scene: Scene) -> None:
    """Begin an attempt as a worker does, and say nothing more of it."""
    texts = scene.texts
    [row] = texts.claim("dead", limit=10)
    with writing(texts.engine) as db:
        begun = begin(
            db,
            KEYS,
            [Job(row, scene.channel, Rendered("سلام"), text="سلام")],
            owner="dead",
            via=WORKERS,
            rules=None,
            at=texts.at,
            lease_seconds=30,
        )
    assert [call.row.id for call in begun.calls] == [row.id]
    texts.wait(60)
