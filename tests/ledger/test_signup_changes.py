from __future__ import annotations

import pytest
from sqlalchemy import Connection, Engine, select

from ledger import erasing, schema, signup_changes
from ledger.engine import writing
from ledger.records import untrue_records
from ledger.signup_changes import Changed
from ledger.signups import Placed, Said, name_of, signup_of
from tests.ledger.facts import AT, KEYS, caller, count
from tests.ledger.races import at_once
from tests.ledger.test_signups import volunteer

OTHER = Said("centre", "11023", None, None, "health", "more", "later-menus")
PLACED = Placed("c11023", "23-t11", "c11023")


def change(db: Connection, key: str = "at:5", *, name: str | None = None) -> Changed:
    return signup_changes.change(
        db,
        KEYS,
        key=key,
        person_id=caller(db),
        campaign="winter",
        said=OTHER,
        placed=PLACED,
        name=name,
        channel="at",
        test=False,
        at=AT,
    )


def leave(db: Connection, key: str = "at:6") -> Changed:
    of = {"person_id": caller(db), "campaign": "winter", "channel": "at"}
    return signup_changes.leave(db, key=key, test=False, at=AT, **of)  # type: ignore[arg-type]  # strings and a number


def come_back(db: Connection, key: str = "at:7") -> Changed:
    of = {"person_id": caller(db), "campaign": "winter", "channel": "at"}
    of["consent"] = "later-menus"
    return signup_changes.come_back(db, key=key, test=False, at=AT, **of)  # type: ignore[arg-type]  # strings and a number


def state(db: Connection) -> str:
    return str(db.execute(select(schema.signup.c.state)).scalar_one())


def test_other_answers_take_the_place_of_the_first(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        first = volunteer(db, round_id="1405-09-01")
        done = change(db)
        assert (done.done, done.code) == (True, first.code)
        mine = signup_of(db, person_id=caller(db), campaign="winter", test=False)
        assert mine is not None
        assert (mine.skill, mine.place_code, mine.round) == (
            "health",
            "c11023",
            "1405-09-01",
        )
        assert list(untrue_records(db)) == []


def test_a_row_that_was_changed_by_hand_is_named(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        volunteer(db)
        change(db)
        db.execute(schema.signup.update().values(skill="teaching"))
        assert [fault.what for fault in untrue_records(db)] == [
            "has another skill than its event"
        ]
        db.execute(schema.signup.update().values(skill="health", state="left"))
        assert [fault.what for fault in untrue_records(db)] == [
            "has another state than its event"
        ]


def test_who_leaves_comes_back_with_the_same_code(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        first = volunteer(db)
        assert leave(db).done
        assert state(db) == "left"
        assert not leave(db, "at:16").done
        assert list(untrue_records(db)) == []
        back = come_back(db)
        assert (back.done, back.code) == (True, first.code)
        assert state(db) == "active"
        assert not come_back(db, "at:17").done
        assert list(untrue_records(db)) == []


def test_a_consent_is_that_of_whoever_was_asked_for_it(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        volunteer(db)
        consent = select(schema.signup.c.consent)
        assert change(db).done
        assert db.scalar(consent) == "menus-hash"
        leave(db)
        come_back(db)
        assert db.scalar(consent) == "later-menus"
        assert list(untrue_records(db)) == []


def test_who_comes_back_is_in_the_round_that_is_open_then(
    ledger_engine: Engine,
) -> None:
    of = {"campaign": "winter", "consent": "later-menus", "channel": "at"}
    with writing(ledger_engine) as db:
        volunteer(db, round_id="1405-09-01")
        for key, round_id in (("at:7", "1405-10-01"), ("at:8", "")):
            leave(db, f"{key}:before")
            assert db.scalar(select(schema.signup.c.round)) != round_id
            back = signup_changes.come_back(
                db,
                key=key,
                person_id=caller(db),
                round_id=round_id,
                test=False,
                at=AT,
                **of,
            )
            assert back.done
            assert db.scalar(select(schema.signup.c.round)) == (round_id or None)
            assert list(untrue_records(db)) == []


def test_each_act_by_its_key_is_answered_as_it_was(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        volunteer(db)
        assert leave(db).done
        assert leave(db).done
        assert come_back(db).done
        assert leave(db).done
        assert state(db) == "active"
        assert count(db, schema.event) == 3


def test_who_left_and_signs_up_again_is_back_with_the_new_answers(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        first = volunteer(db)
        leave(db)
        for _ in range(2):
            again = volunteer(db, "at:9", skill="repairs")
            assert (again.code, again.already) == (first.code, False)
        mine = signup_of(db, person_id=caller(db), campaign="winter", test=False)
        assert mine is not None
        assert (mine.skill, str(mine.state)) == ("repairs", "active")
        assert list(untrue_records(db)) == []


def test_a_name_is_sealed_and_goes_with_the_person(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        made = volunteer(db, name="مریم")
        event_id = made.recorded.event_id
        assert name_of(db, KEYS, event_id=event_id) == "مریم"
        change(db)
        assert name_of(db, KEYS, event_id=event_id) == "مریم"
        change(db, "at:8", name="زهرا")
        assert name_of(db, KEYS, event_id=event_id) == "زهرا"
        change(db, "at:9", name="")
        assert name_of(db, KEYS, event_id=event_id) == ""
        change(db, "at:10", name="زهرا")
        erasing.erase(
            db,
            KEYS,
            person_id=caller(db),
            key="erase",
            channel="at",
            by="self",
            test=False,
            at=AT,
        )
        assert name_of(db, KEYS, event_id=event_id) == ""
        assert db.execute(select(schema.signup.c.name)).scalar_one() is None


@pytest.mark.parametrize("_", range(3))
def test_a_change_and_a_leaving_at_once_leave_one_truth(
    ledger_url: str, _: int
) -> None:
    from ledger.engine import connect

    engine = connect(ledger_url)
    with writing(engine) as db:
        volunteer(db)
    changed, left = at_once(ledger_url, change, leave)
    assert isinstance(changed, Changed)
    assert isinstance(left, Changed)
    assert left.done
    with writing(engine) as db:
        assert state(db) == "left"
        assert list(untrue_records(db)) == []
        kinds = set(db.execute(select(schema.event.c.kind)).scalars())
        assert ("signup.change" in kinds) is changed.done
    engine.dispose()
