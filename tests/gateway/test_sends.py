"""Sends to many, as operators prepare them and the scheduler carries them out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from gateway import bulk
from gateway.bulk import plan
from gateway.schedule import _Turns
from gateway.texts import renderer
from gateway.wake import heard
from ledger import bulks, consents, people, schema
from ledger.audience import Audience, Reached
from ledger.bulks import Refused
from ledger.engine import reading, writing
from ledger.outbox import NEVER, State
from sms.delivery import deliver
from sms.owner import this_process
from sms.routes import Channel, Routes
from tests.fake_carrier import FakeCarrier
from tests.gateway.house import KEY, Gateway
from tests.gateway.operator import CAMPAIGN, Operator, write_settings

FIRST, SECOND = "+989350000000", "+989350000001"


def _agreed(gateway: Gateway, number: int, *, language: str | None = None) -> None:
    at = gateway.clock()
    with writing(gateway.service.engine) as db:
        for index in range(number):
            phone = f"+98935{index:07}"
            person = people.remember(db, gateway.service.keys, phone, at=at)
            consents.give(db, person_id=person.id, menus="m" * 64, test=False, at=at)
            if language is not None:
                people.set_language(db, person_id=person.id, language=language)


def _leave(gateway: Gateway, state: State = State.SENT) -> None:
    """Whatever waits has left."""
    with writing(gateway.service.engine) as db:
        db.execute(
            update(schema.outbox)
            .where(schema.outbox.c.state == State.QUEUED)
            .values(state=state, attempts=1)
        )


@pytest.fixture(params=["sqlite", "postgresql"])
def gateway_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# --- what an operator sees and does ---


def test_a_send_is_shown_with_its_size_parts_and_cost_before_it_begins(
    operator: Operator,
):
    _agreed(operator.gateway, 3)
    told = operator.prepare()
    assert told.exit_code == 0, told.output
    assert "yalda: waiting" in told.output
    assert "people    3" in told.output
    assert "cost      3450 rial" in told.output
    assert "fa        3 people, 1 part each" in told.output
    assert operator.turn() == 0
    assert operator.gateway.rows("outbox") == []


def test_a_small_send_needs_nobody_else(operator: Operator):
    _agreed(operator.gateway, 3)
    operator.prepare()
    assert operator.send("start").exit_code == 0
    assert operator.turn() == 3
    [row, *_] = operator.gateway.rows("outbox")
    assert (row.kind, row.template, row.bulk_id) == ("campaign", "sms.campaign", 1)


def test_a_large_send_needs_a_second_person_and_the_books_say_who(operator: Operator):
    _agreed(operator.gateway, 4)
    operator.prepare()
    refused = operator.send("start")
    assert (refused.exit_code, "1 more must approve" in refused.output) == (2, True)
    assert "somebody else" in operator.send("approve").output
    assert operator.send("approve", by="omid").exit_code == 0
    assert operator.send("start").exit_code == 0
    acts = [
        (row.kind, row.body["by"])
        for row in operator.gateway.rows("event")
        if row.kind.startswith("send.")
    ]
    assert acts == [
        ("send.prepared", "sara"),
        ("send.approved", "omid"),
        ("send.started", "sara"),
    ]


def test_where_one_person_is_enough_for_all_the_books_say_so(operator: Operator):
    write_settings(operator.gateway, operator.config, "approvals = 1")
    _agreed(operator.gateway, 4)
    operator.prepare()
    assert operator.send("start").exit_code == 0
    started = operator.gateway.rows("event", kind="send.started")[0].body
    assert (started["people"], started["needed"]) == (1, 1)


def test_a_send_is_paused_goes_on_and_is_watched_to_its_end(operator: Operator):
    _agreed(operator.gateway, 3)
    operator.prepare()
    operator.send("start")
    operator.turn()
    assert operator.send("pause", by="omid").exit_code == 0
    assert {row.due_at for row in operator.gateway.rows("outbox")} == {NEVER}
    assert operator.turn() == 0
    operator.send("resume")
    _leave(operator.gateway)
    operator.turn()
    told = operator.run("send", "show", "yalda", "--watch")
    assert "yalda: done: sent 3" in told.output


def test_sends_are_listed(operator: Operator):
    _agreed(operator.gateway, 1)
    operator.prepare()
    assert "yalda" in operator.run("send", "list").output
    assert "promised  0" in operator.run("send", "show", "yalda").output
    assert "no send nowruz" in operator.run("send", "show", "nowruz").output


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--everyone-who-agreed", "--gave"], "say whom it is for"),
        (["--district", "d1", "--at", "never"], "is no time"),
        (["--everyone-who-agreed", "--expires", "0"], "0 is not in the range"),
        (["--everyone-who-agreed"], "nobody would get it"),
    ],
)
def test_a_send_that_cannot_be_is_refused_in_a_line(
    operator: Operator, more: list[str], said: str
):
    told = operator.prepare(*more)
    assert told.exit_code == 2
    assert said in told.output


def test_a_send_waits_for_its_day(operator: Operator):
    _agreed(operator.gateway, 1)
    told = operator.prepare("--everyone-who-agreed", "--at", "1405/09/01 18:30")
    assert "from      1405/09/01 18:30 to 1405/09/04 18:30" in told.output
    operator.send("start")
    assert operator.turn() == 0
    operator.gateway.clock.wait(hours=7)
    assert operator.turn() == 1


# --- what the scheduler does ---


def test_nothing_new_is_promised_at_night(operator: Operator):
    _agreed(operator.gateway, 2)
    operator.prepare()
    operator.send("start")
    operator.gateway.clock.wait(hours=11)  # 23:00
    assert operator.turn() == 0
    operator.gateway.clock.wait(hours=8)  # 07:00
    assert operator.turn() == 2


def test_the_outbox_is_filled_as_it_empties(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bulk, "QUEUED_MAX", 2)
    _agreed(operator.gateway, 3)
    operator.prepare()
    operator.send("start")
    assert [operator.turn(), operator.turn()] == [2, 0]
    _leave(operator.gateway)
    assert operator.turn() == 1
    _leave(operator.gateway)
    operator.turn()
    assert "yalda: done" in operator.send("show").output or (
        "done" in operator.run("send", "list").output
    )


def test_texts_that_wait_for_another_day_do_not_stop_the_rest(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bulk, "QUEUED_MAX", 2)
    _agreed(operator.gateway, 3)
    operator.prepare()
    operator.send("start")
    operator.turn()
    tomorrow = operator.gateway.clock() + timedelta(days=1)
    with writing(operator.gateway.service.engine) as db:
        db.execute(update(schema.outbox).values(due_at=tomorrow))
    assert operator.turn() == 1


def test_what_comes_back_to_a_paused_send_is_held_too(operator: Operator):
    _agreed(operator.gateway, 1)
    operator.prepare()
    operator.send("start")
    operator.turn()
    engine = operator.gateway.service.engine
    with writing(engine) as db:
        db.execute(update(schema.outbox).values(state=State.SENDING))
    operator.send("pause")
    with writing(engine) as db:
        db.execute(
            update(schema.outbox).values(
                state=State.QUEUED, due_at=operator.gateway.clock()
            )
        )
    operator.turn()
    assert operator.gateway.rows("outbox")[0].due_at == NEVER


def test_a_paused_send_that_expires_lets_its_texts_expire(operator: Operator):
    _agreed(operator.gateway, 1)
    operator.prepare("--everyone-who-agreed", "--expires", "1")
    operator.send("start")
    operator.turn()
    operator.send("pause")
    operator.gateway.clock.wait(hours=2)
    operator.turn()
    [row] = operator.gateway.rows("outbox")
    assert row.due_at == operator.gateway.clock()
    with reading(operator.gateway.service.engine) as db:
        assert bulks.named(db, "yalda").state == "done"


def test_a_turn_of_the_scheduler_fills_the_outbox_and_wakes_a_worker(
    operator: Operator,
):
    _agreed(operator.gateway, 2)
    operator.prepare()
    operator.send("start")
    service = operator.gateway.service
    rings = heard(service.redis)
    turns = _Turns(service)
    turns.turn(operator.gateway.clock())
    turns.wait()
    assert len(operator.gateway.rows("outbox", kind="campaign")) == 2
    assert heard(service.redis) != rings


# --- what a send would be ---


def test_a_receipt_is_no_text_for_many(gateway: Gateway):
    with pytest.raises(Refused, match="its kind must be campaign"):
        _plan(gateway, "sms.pledge")
    with pytest.raises(Refused, match="no text"):
        _plan(gateway, "sms.none")


def test_whoever_chose_no_language_reads_the_first(gateway: Gateway):
    planned = _plan(gateway, "sms.campaign", {None: 5, "en": 2, "xx": 1})
    assert {name: people for name, (_, people) in planned.languages.items()} == {
        "fa": 6,
        "en": 2,
    }
    each = {name: parts for name, (parts, _) in planned.languages.items()}
    assert planned.parts == 6 * each["fa"] + 2 * each["en"]


def _plan(gateway: Gateway, template: str, languages: dict | None = None) -> bulk.Plan:
    return plan(
        Reached(languages or {None: 1}),
        menus=gateway.service.library.current(None),
        template=template,
        audience=Audience(CAMPAIGN),
        routes=gateway.service.routes,
        at=gateway.clock(),
    )


# --- what arrives ---


def _deliver(operator: Operator, *, stop_line: str = "") -> dict[str, str]:
    """Deliver what is due; returns what each phone read."""
    service = operator.gateway.service
    carrier = FakeCarrier()
    deliver(
        service.engine,
        service.keys,
        routes=Routes([Channel("kave", carrier, sender="10001", stop_line=stop_line)]),
        render=renderer(service.library, service.keys),
        owner=this_process(),
        now=operator.gateway.clock,
        rules=service.rules,
    )
    return {message.to: message.text for message in carrier.sent}


@pytest.mark.parametrize("stop_line", ["لغو۱۱", ""])
def test_everybody_reads_how_to_stop_whatever_the_line_has(
    operator: Operator, stop_line: str
):
    _agreed(operator.gateway, 2)
    with writing(operator.gateway.service.engine) as db:
        people.set_language(db, person_id=1, language="en")
    operator.prepare()
    operator.send("start")
    operator.turn()
    read = _deliver(operator, stop_line=stop_line)
    assert read[FIRST].endswith("Send 11 to stop.")
    assert read[SECOND].endswith("\nلغو۱۱")


def _writes(operator: Operator, words: str, *, id: str) -> None:
    """The first of those who agreed sends a text to our line."""
    answer = operator.gateway.client.post(
        f"/sms/kave/{KEY}/inbound",
        data={"messageid": id, "from": FIRST, "to": "10001", "message": words},
    )
    assert answer.status_code == 200, answer.text


def test_who_said_11_after_the_promise_gets_the_receipt_and_not_the_campaign_text(
    operator: Operator,
):
    _agreed(operator.gateway, 2)
    operator.prepare()
    operator.send("start")
    operator.turn()
    _writes(operator, "۱۱", id="7")
    operator.gateway.pledge(phone=FIRST)
    read = _deliver(operator)
    assert "ثبت کمک" in read[FIRST]
    assert "پویش ۱+۱" in read[SECOND]
    states = [row.state for row in operator.gateway.rows("outbox", kind="campaign")]
    assert sorted(states) == ["sent", "withdrawn"]


def test_who_rejoins_with_12_is_written_to_again(operator: Operator):
    _agreed(operator.gateway, 1)
    _writes(operator, "11", id="7")
    _writes(operator, "12", id="8")
    operator.prepare()
    operator.send("start")
    operator.turn()
    assert [*_deliver(operator)] == [FIRST]
