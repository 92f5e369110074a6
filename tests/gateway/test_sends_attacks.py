"""What somebody tried against sends, stops and consents, and what must come of it."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from gateway.texts import renderer
from ledger import attempts, claims, consents, people, schema
from ledger.engine import reading, writing
from ledger.outbox import State
from sms.delivery import Rendered, deliver
from sms.routes import Channel, Routes
from tests.fake_carrier import FakeCarrier
from tests.gateway.correspondence import Phone
from tests.gateway.house import KEY, PHONE, Gateway
from tests.gateway.test_sends import _agreed


def _running(operator, people_of_it: int = 2) -> None:
    _agreed(operator.gateway, people_of_it)
    operator.prepare()
    operator.send("start")
    operator.turn()


def _claimed(gateway: Gateway) -> list[claims.Claimed]:
    with writing(gateway.service.engine) as db:
        return claims.claim(
            db, owner="w", at=gateway.clock(), lease_seconds=30, limit=10
        )


def _come_back(gateway: Gateway, rows: list[claims.Claimed]) -> None:
    """A carrier did not take them: they are queued again."""
    closed = [
        attempts.Closed(row.id, State.QUEUED, gateway.clock(), None, None)
        for row in rows
    ]
    with writing(gateway.service.engine) as db:
        attempts.close(db, closed, owner="w", at=gateway.clock())


def _left(gateway: Gateway, render=None) -> int:
    """How many texts leave now."""
    service, carrier = gateway.service, FakeCarrier()
    deliver(
        service.engine,
        service.keys,
        routes=Routes([Channel("kave", carrier, "10001", "لغو۱۱")]),
        render=render or renderer(service.library, service.keys),
        owner="t",
        now=gateway.clock,
        rules=service.rules,
    )
    return len(carrier.sent)


def test_a_cancelled_send_sends_nothing_that_comes_back(operator) -> None:
    _running(operator)
    rows = _claimed(operator.gateway)
    assert len(rows) == 2
    operator.send("cancel")
    _come_back(operator.gateway, rows)
    operator.turn()
    assert _left(operator.gateway) == 0


def test_a_paused_send_sends_nothing_that_comes_back_late(operator) -> None:
    _running(operator)
    rows = _claimed(operator.gateway)
    operator.send("pause")
    operator.gateway.clock.wait(seconds=601)
    _come_back(operator.gateway, rows)
    operator.turn()
    assert _left(operator.gateway) == 0


def test_a_pause_holds_what_is_claimed_and_not_begun(operator) -> None:
    _running(operator)
    service = operator.gateway.service
    words, paused = renderer(service.library, service.keys), []

    def render(row: claims.Claimed) -> Rendered:
        if not paused:
            paused.append(operator.send("pause"))
        return words(row)

    assert _left(operator.gateway, render) == 0
    assert paused


@pytest.mark.parametrize("who", ["Sara", "sara ", "SARA", "sara\u200c"])
def test_a_maker_by_another_spelling_is_the_maker(operator, who: str) -> None:
    _agreed(operator.gateway, 4)
    operator.prepare()
    assert operator.send("approve", by=who).exit_code == 2


def test_no_number_stays_in_a_reason(operator) -> None:
    Phone(operator.gateway).says("سلام، سوالی دارم")
    done = operator.run(
        "desk", "close", "1", "--reason", "called 09121234567", "--by", "mina"
    )
    assert done.exit_code == 2
    assert b"9121234567" not in operator.gateway.everything_kept()


def test_a_rehearsed_start_undoes_no_real_stop(gateway: Gateway) -> None:
    assert Phone(gateway).post("11").status_code == 200
    gateway.client.post(
        f"/sms/console/{KEY}/inbound",
        data={"id": "1", "from": PHONE, "to": "10001", "text": "12"},
    )
    assert len(gateway.rows("stop")) == 1


def test_a_late_repeat_of_12_brings_no_consent_back(gateway: Gateway) -> None:
    phone, service = Phone(gateway), gateway.service
    phone.post("12", id="77")
    with writing(service.engine) as db:
        person = people.find(db, service.keys, PHONE)
        assert person is not None
        assert consents.has(db, person_id=person.id, test=False)
        consents.withdraw(db, person_id=person.id, test=False, at=gateway.clock())
        # Incoming texts are forgotten after a month.
        db.execute(delete(schema.inbound))
    phone.post("12", id="77")
    with reading(service.engine) as db:
        assert not consents.has(db, person_id=person.id, test=False)


def test_a_reply_leaves_from_the_line_that_was_written_to(gateway: Gateway) -> None:
    service = gateway.service
    for n in range(12):
        Phone(gateway, f"+98912000{n:04}").post("1+1 50000")
    ours, other = FakeCarrier(), FakeCarrier()
    deliver(
        service.engine,
        service.keys,
        routes=Routes(
            [Channel("kave", ours, "10001"), Channel("other", other, "YARIGAR")]
        ),
        render=renderer(service.library, service.keys),
        owner="t",
        now=gateway.clock,
    )
    assert (len(ours.sent), len(other.sent)) == (12, 0)
