from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, select

from ledger import consents
from ledger.engine import reading, writing
from ledger.schema import consent
from tests.ledger.facts import AT, OTHER_PHONE, caller


def test_who_agreed_is_known_until_they_take_it_back(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        person = caller(db)
        assert not consents.has(db, person_id=person, test=False)
        consents.give(db, person_id=person, menus="m" * 64, test=False, at=AT)
        assert consents.has(db, person_id=person, test=False)
        assert consents.withdraw(db, person_id=person, test=False, at=AT)
        assert not consents.has(db, person_id=person, test=False)
        assert not consents.withdraw(db, person_id=person, test=False, at=AT)


def test_a_consent_that_is_given_again_says_which_words_were_read_last(
    ledger_engine: Engine,
):
    later = AT + timedelta(days=1)
    with writing(ledger_engine) as db:
        person = caller(db)
        consents.give(db, person_id=person, menus="a" * 64, test=False, at=AT)
        consents.withdraw(db, person_id=person, test=False, at=AT)
        consents.give(
            db, person_id=person, menus=consents.BY_A_WORD, test=False, at=later
        )
    with reading(ledger_engine) as db:
        [row] = db.execute(select(consent)).all()
    assert (row.menus, row.given_at, row.withdrawn_at) == ("word", later, None)


def test_what_was_agreed_to_in_a_rehearsal_is_no_consent(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        person, other = caller(db), caller(db, OTHER_PHONE)
        consents.give(db, person_id=person, menus="m" * 64, test=True, at=AT)
        consents.give(db, person_id=other, menus="m" * 64, test=False, at=AT)
        assert not consents.has(db, person_id=person, test=False)
        assert consents.agreed(db, [person, other], test=False) == {other}
        assert consents.agreed(db, [person, other], test=True) == {person}
        assert consents.agreed(db, [], test=True) == set()
