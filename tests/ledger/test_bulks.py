"""Sends to many: who may start one, and that nobody gets a text twice or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, select, update

from ledger import audience, bulks, consents, outbox, promising, schema, stops
from ledger.audience import Audience
from ledger.bulks import Bulk, BulkState, Refused
from ledger.engine import connect, reading, writing
from ledger.outbox import NEVER, State
from ledger.schema import outbox as texts
from ledger.stops import EVERY_LINE
from ledger.vault import look_up
from tests.ledger.facts import AT, KEYS, caller

EVERYBODY = Audience("winter")
LATER = AT + timedelta(hours=1)


def _people(db: Connection, number: int) -> list[int]:
    people = [caller(db, f"+98912{index:07}") for index in range(number)]
    for person in people:
        consents.give(db, person_id=person, menus="m" * 64, test=False, at=AT)
    return people


def _prepare(db: Connection, name: str = "yalda", **more: Any) -> Bulk:
    told: dict[str, Any] = {
        "template": "sms.campaign",
        "slots": {},
        "menus": "m" * 64,
        "audience": EVERYBODY,
        "reached": audience.count(db, EVERYBODY),
        "parts": 3,
        "cost": "1150 rial",
        "approvals": 1,
        "by": "sara",
        "begins_at": AT,
        "expires_at": AT + timedelta(days=3),
        "at": AT,
    }
    return bulks.prepare(db, name=name, **(told | more))


def _slots(language: str) -> Mapping[str, str | int]:
    return {"word": language}


def _some(db: Connection, *, limit: int = 500, at: datetime = AT) -> int | None:
    return promising.promise_some(
        db, "yalda", slots=_slots, languages=["fa", "en"], limit=limit, at=at
    )


def _rows(engine: Engine) -> list[Any]:
    with reading(engine) as db:
        return list(db.execute(select(texts).order_by(texts.c.id)))


def _acts(engine: Engine) -> list[tuple[str, str]]:
    kinds = select(schema.event.c.kind, schema.event.c.body).where(
        schema.event.c.kind.like("send.%"), schema.event.c.kind != "send.text"
    )
    with reading(engine) as db:
        return [
            (row.kind, row.body["by"])
            for row in db.execute(kinds.order_by(schema.event.c.id))
        ]


# --- people ---


def test_a_small_send_is_started_by_whoever_prepared_it(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        _people(db, 3)
        _prepare(db)
        assert bulks.start(db, "yalda", by="sara", at=AT).state is BulkState.RUNNING
    assert _acts(ledger_engine) == [("send.prepared", "sara"), ("send.started", "sara")]


def test_a_large_send_waits_for_as_many_people_as_it_needs(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        _people(db, 3)
        _prepare(db, approvals=3)
        with pytest.raises(Refused, match="2 more"):
            bulks.start(db, "yalda", by="sara", at=AT)
        bulks.approve(db, "yalda", by="omid", at=AT)
        with pytest.raises(Refused, match="1 more"):
            bulks.start(db, "yalda", by="omid", at=AT)
        bulks.approve(db, "yalda", by="mina", at=LATER)
        bulks.start(db, "yalda", by="sara", at=LATER)
        assert bulks.approved_by(db, bulks.named(db, "yalda")) == ["omid", "mina"]


def test_nobody_approves_their_own_send_nor_one_twice(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        _people(db, 3)
        _prepare(db, approvals=3)
        with pytest.raises(Refused, match="somebody else"):
            bulks.approve(db, "yalda", by="sara", at=AT)
        bulks.approve(db, "yalda", by="omid", at=AT)
        with pytest.raises(Refused, match="already"):
            bulks.approve(db, "yalda", by="omid", at=LATER)
        with pytest.raises(Refused, match="1 more"):
            bulks.start(db, "yalda", by="sara", at=LATER)


def test_a_name_is_given_once_and_a_send_to_nobody_never(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        with pytest.raises(Refused, match="nobody"):
            _prepare(db)
        _people(db, 1)
        _prepare(db)
        with pytest.raises(Refused, match="already"):
            _prepare(db)
        with pytest.raises(Refused, match="no send"):
            bulks.start(db, "nowruz", by="sara", at=AT)


@pytest.mark.parametrize("act", [bulks.pause, bulks.resume])
def test_an_act_that_does_not_fit_the_state_is_refused(ledger_engine: Engine, act: Any):
    with writing(ledger_engine) as db:
        _people(db, 1)
        _prepare(db)
        with pytest.raises(Refused, match="yalda is waiting"):
            act(db, "yalda", by="sara", at=AT)


# --- promises ---


def test_everybody_is_promised_one_text_in_their_language(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        people = _people(db, 5)
        db.execute(
            update(schema.person)
            .where(schema.person.c.id == people[0])
            .values(language="en")
        )
        db.execute(
            update(schema.person)
            .where(schema.person.c.id == people[1])
            .values(language="xx")
        )
        _prepare(db)
        bulks.start(db, "yalda", by="sara", at=AT)
    promised = []
    while True:
        with writing(ledger_engine) as db:
            new = _some(db, limit=2)
        if new is None:
            break
        promised.append(new)
    assert promised == [2, 2, 1]
    rows = _rows(ledger_engine)
    assert [row.person_id for row in rows] == people
    assert [row.language for row in rows] == ["en", "fa", "fa", "fa", "fa"]
    assert [row.slots["word"] for row in rows] == [row.language for row in rows]
    assert {(row.kind, row.state, row.template) for row in rows} == {
        ("campaign", "queued", "sms.campaign")
    }


def test_nothing_is_promised_before_the_start(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        _people(db, 3)
        _prepare(db)
        assert _some(db) is None
    assert _rows(ledger_engine) == []


def test_a_death_between_two_batches_loses_nobody_and_doubles_nobody(
    ledger_engine: Engine,
):
    with writing(ledger_engine) as db:
        people = _people(db, 6)
        _prepare(db)
        bulks.start(db, "yalda", by="sara", at=AT)
        _some(db, limit=2)

    class Death(Exception):
        pass

    with suppress(Death), writing(ledger_engine) as db:
        assert _some(db, limit=2) == 2
        raise Death
    with writing(ledger_engine) as db:
        while _some(db, limit=2) is not None:
            pass
    counts = Counter(row.person_id for row in _rows(ledger_engine))
    assert counts == dict.fromkeys(people, 1)


def test_a_cursor_that_was_set_back_promises_nobody_twice(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        _people(db, 4)
        _prepare(db)
        bulks.start(db, "yalda", by="sara", at=AT)
        _some(db)
        db.execute(update(schema.bulk).values(cursor=0, promised=0))
        assert _some(db) == 0
    assert len(_rows(ledger_engine)) == 4


def test_who_agrees_after_the_size_was_shown_does_not_make_it_larger(
    ledger_engine: Engine,
):
    with writing(ledger_engine) as db:
        _people(db, 2)
        _prepare(db)
        _people(db, 5)
        bulks.start(db, "yalda", by="sara", at=AT)
        while _some(db) is not None:
            pass
    assert len(_rows(ledger_engine)) == 2


def test_who_stops_after_the_start_is_left_out(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        people = _people(db, 3)
        _prepare(db)
        bulks.start(db, "yalda", by="sara", at=AT)
        stops.stop(
            db,
            key="stop",
            look_up=look_up(KEYS, "+989120000001"),
            line=EVERY_LINE,
            channel="at",
            test=False,
            at=AT,
        )
        while _some(db) is not None:
            pass
    assert [row.person_id for row in _rows(ledger_engine)] == [people[0], people[2]]


def test_a_send_is_over_when_nothing_of_it_waits(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        _people(db, 1)
        _prepare(db)
        bulks.start(db, "yalda", by="sara", at=AT)
        assert not promising.is_over(db, bulks.named(db, "yalda"))
        while _some(db) is not None:
            pass
        assert not promising.is_over(db, bulks.named(db, "yalda"))
        db.execute(update(texts).values(state=State.SENT))
        found = bulks.named(db, "yalda")
        assert promising.is_over(db, found)
        bulks.end(db, found, at=LATER)
        assert bulks.named(db, "yalda").state is BulkState.DONE
        assert bulks.progress(db, found)[State.SENT] == 1


# --- pauses ---


def test_a_pause_holds_what_has_not_left_until_it_goes_on(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        _people(db, 3)
        _prepare(db)
        bulks.start(db, "yalda", by="sara", at=AT)
        _some(db)
        db.execute(update(texts).where(texts.c.id == 1).values(state=State.SENDING))
        bulks.pause(db, "yalda", by="omid", at=AT)
        assert _some(db) is None
        assert not outbox.due(db, at=LATER) or outbox.next_due(db) is None
        assert promising.due_texts(db, at=LATER, vias=[], most=10) == 0
    assert [row.due_at == NEVER for row in _rows(ledger_engine)] == [False, True, True]
    with writing(ledger_engine) as db:
        bulks.resume(db, "yalda", by="omid", at=LATER)
        assert promising.due_texts(db, at=LATER, vias=[], most=10) == 2
    assert [row.due_at for row in _rows(ledger_engine)][1:] == [LATER, LATER]


def test_a_cancelled_send_withdraws_what_has_not_left(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        _people(db, 3)
        _prepare(db)
        bulks.start(db, "yalda", by="sara", at=AT)
        _some(db)
        db.execute(update(texts).where(texts.c.id == 1).values(state=State.SENT))
        bulks.pause(db, "yalda", by="omid", at=AT)
        bulks.cancel(db, "yalda", by="mina", at=LATER)
        with pytest.raises(Refused, match="cancelled"):
            bulks.resume(db, "yalda", by="sara", at=LATER)
    states = [row.state for row in _rows(ledger_engine)]
    assert states == ["sent", "withdrawn", "withdrawn"]
    assert _acts(ledger_engine)[-1] == ("send.cancelled", "mina")


def test_the_texts_that_wait_are_counted_up_to_a_limit_from_an_index(
    sqlite_ledger_url: str,
):
    engine = connect(sqlite_ledger_url)
    with writing(engine) as db:
        _people(db, 8)
        _prepare(db)
        bulks.start(db, "yalda", by="sara", at=AT)
        _some(db)
    said: list[tuple[str, Any]] = []
    event.listen(
        engine,
        "before_cursor_execute",
        lambda db, cursor, statement, values, *_: said.append((statement, values)),
    )
    with reading(engine) as db:
        assert promising.due_texts(db, at=AT, vias=["smsc"], most=5) == 5
        [(statement, values)] = said
        rows = db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        told = " ".join(str(row) for row in rows)
    engine.dispose()
    assert "ix_outbox_state_kind_via_due_at" in told
    assert "due_at<" in told
