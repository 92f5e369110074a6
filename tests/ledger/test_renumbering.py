from __future__ import annotations

import pytest
from sqlalchemy import Connection, Engine, select

from ledger import (
    enquiries,
    erasing,
    inbox,
    people,
    renumbering,
    requests,
    schema,
    staff,
    stops,
)
from ledger.engine import connect, writing
from ledger.renumbering import NotMoved, Renumbering, State
from ledger.signups import name_of, signup_of
from ledger.vault import look_up
from tests.ledger.facts import AT, KEYS, OTHER_PHONE, PHONE, caller, pledge
from tests.ledger.races import at_once
from tests.ledger.test_signups import volunteer

NEW = "+989350000001"


def ask(
    db: Connection,
    phone: str = NEW,
    *,
    of: str = PHONE,
    way: str = renumbering.PHONES,
    test: bool = False,
) -> Renumbering:
    made = renumbering.ask(
        db,
        KEYS,
        person_id=caller(db, of),
        phone=phone,
        way=way,
        by=None,
        test=test,
        at=AT,
    )
    found = renumbering.find(db, made)
    assert found is not None
    return found


def move(db: Connection, change: Renumbering) -> int:
    return renumbering.move(
        db,
        KEYS,
        key=f"number:{change.id}",
        change=change,
        by="phones",
        channel="desk",
        at=AT,
    )


def test_a_person_keeps_all_but_the_number(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        made = volunteer(db, name="مریم")
        who = caller(db)
        move(db, ask(db))
        assert people.find(db, KEYS, PHONE) is None
        found = people.find(db, KEYS, NEW)
        assert found is not None
        assert found.id == who
        assert people.phone_of(db, KEYS, person_id=who) == NEW
        assert name_of(db, KEYS, event_id=made.recorded.event_id) == "مریم"
        assert signup_of(db, person_id=who, campaign="winter", test=False)


def test_whoever_calls_from_the_old_number_is_a_stranger(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        who = caller(db)
        move(db, ask(db))
        assert caller(db, PHONE) != who


def test_what_was_stopped_stays_stopped_for_both_numbers(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        stops.stop(
            db,
            key="stop:1",
            look_up=look_up(KEYS, PHONE),
            line=stops.EVERY_LINE,
            channel="at",
            test=False,
            at=AT,
        )
        move(db, ask(db))
        for phone in (PHONE, NEW):
            assert stops.is_stopped(db, look_up=look_up(KEYS, phone), line="1")


def test_somebody_who_did_nothing_gives_their_number_up(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        there = caller(db, NEW)
        move(db, ask(db))
        assert erasing.is_erased(db, person_id=there)
        found = people.find(db, KEYS, NEW)
        assert found is not None
        assert found.id == caller(db, NEW) != there


def test_a_number_with_records_of_its_own_is_not_taken(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        volunteer(db)
        change = ask(db, OTHER_PHONE)
        pledge(db, "at:7", person_id=caller(db, OTHER_PHONE))
        with pytest.raises(NotMoved, match="records of its own"):
            move(db, change)
        assert people.find(db, KEYS, PHONE) is not None


def test_a_later_change_takes_the_place_of_one_that_waits(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        first, second = ask(db), ask(db, OTHER_PHONE)
        with pytest.raises(NotMoved, match="does not wait"):
            move(db, first)
        before = renumbering.find(db, first.id)
        assert before is not None
        assert (before.state, before.look_up, before.phone) == (
            State.REFUSED,
            None,
            b"",
        )
        move(db, second)


def test_who_is_erased_meanwhile_is_not_moved(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        change = ask(db)
        erasing.erase(
            db,
            KEYS,
            person_id=change.person_id,
            key="erase:1",
            channel="at",
            by="self",
            test=False,
            at=AT,
        )
        with pytest.raises(NotMoved, match="erased"):
            move(db, change)
        kept = db.execute(
            select(schema.renumbering.c.look_up, schema.renumbering.c.phone)
        ).one()
        assert kept == (None, b"")


def test_two_that_want_one_number_at_once_do_not_both_have_it(ledger_url: str) -> None:
    engine = connect(ledger_url)
    with writing(engine) as db:
        volunteer(db)
        volunteer(db, "at:2", person_id=caller(db, OTHER_PHONE))
        changes = [ask(db), ask(db, of=OTHER_PHONE)]

    def act(number: int) -> object:
        def moved(db: Connection) -> object:
            try:
                return move(db, changes[number])
            except NotMoved:
                return None

        return moved

    acts = [act(0), act(1)]
    results = at_once(ledger_url, *acts)  # type: ignore[arg-type]  # each takes a connection
    assert len([one for one in results if one is not None]) == 1
    with writing(engine) as db:
        found = people.find(db, KEYS, NEW)
        assert found is not None
        assert people.phone_of(db, KEYS, person_id=found.id) == NEW
    engine.dispose()


def test_a_rehearsal_moves_nobody_of_the_real_books(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        volunteer(db)
        who = caller(db)
        with pytest.raises(NotMoved, match="rehearsal"):
            move(db, ask(db, test=True))
        found = people.find(db, KEYS, PHONE)
        assert found is not None
        assert found.id == who


def test_what_the_old_phone_wrote_goes_with_its_person(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        volunteer(db)
        who = caller(db)
        inbox.store_inbound(
            db,
            KEYS,
            carrier="at",
            carrier_id="7",
            look_up=look_up(KEYS, PHONE),
            line="1",
            raw=b"my name is Maryam",
            keyword=None,
            at=AT,
        )
        move(db, ask(db))
        erasing.erase(
            db,
            KEYS,
            person_id=who,
            key="erase:1",
            channel="at",
            by="self",
            test=False,
            at=AT,
        )
        assert db.scalar(select(schema.inbound.c.look_up)) == b""


def test_a_number_that_was_registered_is_so_no_more_by_phone(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        staff.add(
            db,
            KEYS,
            phone=PHONE,
            role=staff.Role.CENTRE,
            place="c11023",
            title="head",
            by="sara",
            test=False,
            at=AT,
        )
        move(db, ask(db))
        assert not staff.roles_of(db, person_id=caller(db, NEW), test=False)


def test_what_the_new_phone_asked_a_person_goes_along(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        enquiries.add(
            db,
            KEYS,
            inbound_id=1,
            person_id=caller(db, NEW),
            channel="at",
            line="1",
            words="where is my receipt",
            at=AT,
        )
        who = caller(db)
        move(db, ask(db))
        row = db.execute(select(schema.enquiry)).one()
        assert (row.person_id, row.state) == (who, "open")
        assert row.words


def test_a_change_whose_request_is_over_holds_no_number(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        change = ask(db, way=renumbering.CENTRE)
        made = requests.make(
            db,
            kind=renumbering.ACT,
            body={"renumbering": change.id, "person": change.person_id},
            about_id=None,
            why="lost SIM",
            by="sara",
            needs=2,
            at=AT,
        )
        later = AT + renumbering.RENUMBER_TIME
        assert renumbering.over(db, at=later, limit=5) == []
        requests.refuse(db, made.id, by="reza", why="not seen", at=AT)
        assert [one.id for one in renumbering.over(db, at=later, limit=5)] == [
            change.id
        ]
