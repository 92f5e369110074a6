from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, select

from ledger import entries, entries_over, erasing, people, schema, signups
from ledger.engine import connect, writing
from ledger.entries import ENTRY_TIME, Answers, Entry, EntryState, Made
from ledger.signups import Placed, Said, Where
from ledger.vault import WrongKeys
from tests.ledger.facts import AT, KEYS, OTHER_PHONE, caller, count
from tests.ledger.test_signups import volunteer

SAID = Said("centre", "11023", None, None, "teaching", "more", "menus-hash")
ANSWERS = Answers(SAID, Placed("c11023", None, "c11023"), Where("c11023", None, "b1"))


def enter(
    db: Connection, key: str = "at:1", *, line: int | None = None, test: bool = False
) -> Made:
    return entries.enter(
        db,
        KEYS,
        key=key,
        person_id=caller(db, OTHER_PHONE),
        by_id=caller(db),
        campaign="winter",
        answers=ANSWERS,
        source="helper" if line is None else "paper",
        batch=None if line is None else "stand",
        line=line,
        place="c11023",
        channel="at",
        test=test,
        at=AT,
    )


def waiting(db: Connection) -> Entry | None:
    return entries.waiting_for(
        db, person_id=caller(db, OTHER_PHONE), campaign="winter", test=False
    )


def end(db: Connection, entry: Entry, state: EntryState, key: str = "at:9") -> bool:
    recorded = entries.end(
        db,
        key=key,
        entry=entry,
        state=state,
        by_id=entry.person_id,
        channel="at",
        at=AT,
    )
    return recorded is not None


def test_what_was_written_down_is_sealed_and_read_again(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        enter(db)
        entry = waiting(db)
        assert entry is not None
        assert entries.answers_of(db, KEYS, entry) == ANSWERS
        assert b"teaching" not in entry.sealed
        body = db.execute(select(schema.event.c.body)).scalar_one()
    assert "teaching" not in str(body)


def test_the_event_of_an_entry_is_the_helpers_own(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        enter(db)
        of = db.execute(select(schema.event.c.person_id)).scalar_one()
        assert of == caller(db)
        assert entries.made_since(db, by_id=of, since=AT) == 1


def test_the_same_key_makes_one_entry(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        first, again = enter(db), enter(db)
        assert (first.first, again.first) == (True, False)
        assert first.event_id == again.event_id
        assert count(db, schema.entry) == 1


def test_a_phone_is_asked_once_and_has_its_time_from_then(
    ledger_engine: Engine,
) -> None:
    later = AT + timedelta(days=3)
    with writing(ledger_engine) as db:
        enter(db)
        (entry,) = entries.due(db, campaigns=["winter"], limit=5)
        assert entries.begin(db, entry=entry, channel="desk", at=later) is not None
        assert entries.begin(db, entry=entry, channel="desk", at=later) is None
        assert entries.due(db, campaigns=["winter"], limit=5) == []
        assert entries.over(db, at=AT + ENTRY_TIME, limit=5) == []
        assert len(entries.over(db, at=later + ENTRY_TIME, limit=5)) == 1


@pytest.mark.parametrize("state", [EntryState.CONFIRMED, EntryState.REFUSED])
def test_an_entry_is_ended_once(ledger_engine: Engine, state: EntryState) -> None:
    with writing(ledger_engine) as db:
        enter(db)
        entry = waiting(db)
        assert entry is not None
        assert end(db, entry, state)
        assert not end(db, entry, EntryState.REFUSED, "at:10")
        assert waiting(db) is None


def test_who_is_erased_leaves_nothing_of_what_was_written_down(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        enter(db)
        entry = waiting(db)
        assert entry is not None
        erasing.erase(
            db,
            KEYS,
            person_id=entry.person_id,
            key="erase:1",
            channel="at",
            by="self",
            test=False,
            at=AT,
        )
        row = db.execute(select(schema.entry.c.state, schema.entry.c.answers)).one()
        assert (row.state, row.answers) == (EntryState.REFUSED, b"")
        with pytest.raises(WrongKeys):
            entries.answers_of(db, KEYS, entry)


def test_who_only_was_written_down_is_nobody_else(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        enter(db)
        entry = waiting(db)
        assert entry is not None
        assert not entries_over.is_all(db, person_id=entry.person_id)
        end(db, entry, EntryState.REFUSED)
        assert entries_over.is_all(db, person_id=entry.person_id)
        signups.sign_up(
            db,
            KEYS,
            key="at:20",
            person_id=entry.person_id,
            campaign="winter",
            place_kind="unknown",
            place=None,
            province=None,
            district=None,
            skill="teaching",
            time="more",
            consent="menus-hash",
            channel="at",
            test=False,
            at=AT,
        )
        assert not entries_over.is_all(db, person_id=entry.person_id)


def test_a_refused_entry_is_emptied_after_a_while(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        enter(db)
        entry = waiting(db)
        assert entry is not None
        end(db, entry, EntryState.REFUSED)
        assert entries_over.old(db, before=AT - timedelta(days=1), limit=5) == []
        assert len(entries_over.old(db, before=AT, limit=5)) == 1
        entries_over.empty(db, event_id=entry.event_id)
        assert entries_over.old(db, before=AT, limit=5) == []


def test_a_campaign_that_is_gone_stands_in_nobodys_way(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        enter(db)
        assert entries.due(db, campaigns=["spring"], limit=1) == []
        assert len(entries.due(db, campaigns=["spring", "winter"], limit=1)) == 1


def test_who_signs_up_in_the_moment_they_would_be_forgotten_is_waited_for(
    postgres_ledger_url: str,
) -> None:
    engine = connect(postgres_ledger_url, pool_size=2)
    with writing(engine) as db:
        enter(db)
        entry = waiting(db)
        assert entry is not None
        end(db, entry, EntryState.REFUSED)
    looked = threading.Event()

    def is_all() -> bool:
        with writing(engine) as db:
            looked.set()
            return entries_over.is_all(db, person_id=entry.person_id)

    with ThreadPoolExecutor(1) as pool:
        with writing(engine) as db:
            people.hold(db, person_id=entry.person_id)
            told = pool.submit(is_all)
            looked.wait()
            time.sleep(0.3)
            volunteer(db, "at:30", person_id=entry.person_id)
        assert told.result() is False
    engine.dispose()
