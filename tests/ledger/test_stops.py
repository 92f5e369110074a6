from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, select

from ledger import schema, stops
from ledger.engine import writing
from ledger.vault import look_up
from tests.ledger.facts import AT, KEYS, OTHER_PHONE, PHONE, caller, count

WHO = look_up(KEYS, PHONE)
CALL: dict[str, Any] = {"look_up": WHO, "channel": "kave", "test": False, "at": AT}


def is_stopped(db: Connection, line: str = "10001") -> bool:
    return stops.is_stopped(db, look_up=WHO, line=line)


def test_a_stop_holds_for_its_line_and_its_person(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        assert not is_stopped(db)
        stops.stop(db, key="in:1", line="10001", **CALL)
        assert is_stopped(db)
        assert not is_stopped(db, "20002")
        other = look_up(KEYS, OTHER_PHONE)
        assert not stops.is_stopped(db, look_up=other, line="10001")


def test_a_stop_of_every_line_holds_for_each(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        stops.stop(db, key="in:1", line=stops.EVERY_LINE, **CALL)
        assert is_stopped(db)
        assert is_stopped(db, "20002")


def test_two_stops_are_one_row_and_two_events(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        assert stops.stop(db, key="in:1", line="10001", **CALL).first
        assert stops.stop(db, key="in:2", line="10001", **CALL).first
        assert count(db, schema.stop) == 1
        kinds = db.execute(select(schema.event.c.kind)).scalars().all()
    assert kinds == ["texts.stop", "texts.stop"]


def test_a_start_ends_the_stop_of_its_line_and_of_every_line(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        for number, line in enumerate(("10001", "20002", stops.EVERY_LINE)):
            stops.stop(db, key=f"in:{number}", line=line, **CALL)
        stops.start(db, key="in:9", line="10001", **CALL)
        assert not is_stopped(db)
        assert is_stopped(db, "20002")


def test_a_late_repeat_of_a_stop_does_not_undo_a_start(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        stops.stop(db, key="in:1", line="10001", **CALL)
        stops.start(db, key="in:2", line="10001", **CALL)
        assert not stops.stop(db, key="in:1", line="10001", **CALL).first
        assert not is_stopped(db)


def test_everything_can_be_started_at_once(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        stops.stop(db, key="in:1", line="10001", **CALL)
        stops.stop(db, key="in:2", line="20002", **CALL)
        stops.start_all(db, key="in:3", **CALL)
        assert count(db, schema.stop) == 0
        stops.stop(db, key="in:4", line="10001", **CALL)
        stops.start_all(db, key="in:3", **CALL)
        assert is_stopped(db)


def test_a_person_is_known_by_the_lines_they_refused(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        person, other = caller(db), caller(db, OTHER_PHONE)
        for number, line in enumerate(["10001", stops.EVERY_LINE]):
            stops.stop(
                db,
                key=f"stop:{number}",
                look_up=look_up(KEYS, PHONE),
                line=line,
                channel="at",
                test=line == "10001",
                at=AT,
            )
        assert stops.lines_of(db, person_id=person) == {"~10001", "*"}
        assert stops.lines_of(db, person_id=other) == set()
