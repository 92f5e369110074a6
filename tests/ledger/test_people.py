from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine, delete, select

from ledger import people, schema
from ledger.engine import reading, writing
from tests.ledger.facts import AT, KEYS, OTHER_PHONE, PHONE, count


def test_a_stranger_is_nobody_until_remembered(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        assert people.find(db, KEYS, PHONE) is None
        person = people.remember(db, KEYS, PHONE, at=AT)
        assert people.find(db, KEYS, PHONE) == person
        assert people.find(db, KEYS, OTHER_PHONE) is None


def test_a_caller_is_one_person_however_often_they_call(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        first = people.remember(db, KEYS, PHONE, at=AT)
        assert people.remember(db, KEYS, PHONE, at=AT) == first
        assert count(db, schema.person) == 1


def test_two_first_calls_at_once_make_one_person(ledger_engine: Engine) -> None:
    def remember(_: int) -> int:
        with writing(ledger_engine) as db:
            return people.remember(db, KEYS, PHONE, at=AT).id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(remember, range(12)))) == 1


def test_a_chosen_language_is_remembered(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        person = people.remember(db, KEYS, PHONE, at=AT)
        assert person.language is None
        people.set_language(db, person_id=person.id, language="en")
        other = people.remember(db, KEYS, OTHER_PHONE, at=AT)
        found = people.find(db, KEYS, PHONE)
    assert found is not None
    assert found.language == "en"
    assert other.language is None


def test_phones_come_back_from_the_vault_until_it_is_emptied(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        first = people.remember(db, KEYS, PHONE, at=AT).id
        second = people.remember(db, KEYS, OTHER_PHONE, at=AT).id
        ids = [first, second, 999]
        assert people.phones_of(db, KEYS, person_ids=ids) == {
            first: PHONE,
            second: OTHER_PHONE,
        }
        db.execute(delete(schema.vault).where(schema.vault.c.person_id == first))
        assert people.phone_of(db, KEYS, person_id=first) is None
        assert people.phones_of(db, KEYS, person_ids=ids) == {second: OTHER_PHONE}
        assert people.phones_of(db, KEYS, person_ids=[]) == {}


def test_no_table_holds_a_phone_in_the_clear(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        people.remember(db, KEYS, PHONE, at=AT)
    with reading(ledger_engine) as db:
        shown = repr(
            [db.execute(select(table)).all() for table in (schema.person, schema.vault)]
        )
    assert "9121234567" not in shown
