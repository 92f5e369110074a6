from __future__ import annotations

from itertools import count as numbers

import pytest
from sqlalchemy import Connection, Engine, delete, update

from ledger import audience, consents, people, pledges, schema, signups, stops
from ledger.audience import Audience
from ledger.engine import writing
from ledger.stops import EVERY_LINE
from ledger.vault import look_up
from tests.ledger.facts import AT, KEYS, caller, pledge

_keys = numbers()
EVERYBODY = Audience("winter")


def _person(db: Connection, number: int, *, agrees: bool = True) -> int:
    person = caller(db, f"+98912000{number:04}")
    if agrees:
        consents.give(db, person_id=person, menus="m" * 64, test=False, at=AT)
    return person


def _signed_up(db: Connection, person: int, district: str | None) -> None:
    signups.sign_up(
        db,
        KEYS,
        key=f"sign:{next(_keys)}",
        person_id=person,
        campaign="winter",
        place_kind="postcode",
        place="12345",
        province="tehran",
        district=district,
        skill="teach",
        time="morning",
        consent="m" * 64,
        channel="at",
        test=False,
        at=AT,
    )


def _walked(db: Connection, wanted: Audience, limit: int = 2) -> list[int]:
    found, cursor = [], 0
    while True:
        seen = audience.window(db, wanted, after=cursor, limit=limit)
        if seen.cursor is None:
            return found
        assert seen.cursor > cursor
        cursor = seen.cursor
        found += [person for person, _ in seen.people]


def test_everybody_who_agreed_is_counted_by_language(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        first, second = _person(db, 1), _person(db, 2)
        _person(db, 3, agrees=False)
        people.set_language(db, person_id=second, language="en")
        reached = audience.count(db, EVERYBODY)
        assert reached.languages == {None: 1, "en": 1}
        assert (reached.size, reached.no_consent) == (2, 0)
        seen = audience.window(db, EVERYBODY, after=0, limit=10)
        assert seen.people == ((first, None), (second, "en"))


def test_who_cannot_get_it_is_left_out_and_counted(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        agreed, never, withdrawn, stopped, erased = (
            _person(db, number, agrees=number != 2) for number in range(1, 6)
        )
        for person in (agreed, never, withdrawn, stopped, erased):
            pledge(db, f"p:{person}", person_id=person)
        consents.withdraw(db, person_id=withdrawn, test=False, at=AT)
        stops.stop(
            db,
            key="stop",
            look_up=look_up(KEYS, "+989120000004"),
            line=EVERY_LINE,
            channel="at",
            test=False,
            at=AT,
        )
        db.execute(delete(schema.vault).where(schema.vault.c.person_id == erased))
        db.execute(
            update(schema.person)
            .where(schema.person.c.id == erased)
            .values(look_up=None)
        )
        wanted = Audience("winter", gave=True)
        reached = audience.count(db, wanted)
        assert reached.size == 1
        assert (reached.no_consent, reached.stopped, reached.erased) == (2, 1, 1)
        assert _walked(db, wanted) == [agreed]


def test_a_stop_on_one_line_leaves_somebody_in(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        person = _person(db, 1)
        stops.stop(
            db,
            key="stop",
            look_up=look_up(KEYS, "+989120000001"),
            line="10001",
            channel="at",
            test=False,
            at=AT,
        )
        assert _walked(db, EVERYBODY) == [person]
        assert audience.count(db, EVERYBODY).size == 1


def test_who_took_a_pledge_back_did_not_give(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        kept, back = _person(db, 1), _person(db, 2)
        pledge(db, "kept", person_id=kept)
        made = pledge(db, "back", person_id=back)
        assert made.code is not None
        pledges.cancel_pledge(
            db,
            key="cancel",
            person_id=back,
            code=made.code,
            channel="at",
            test=False,
            at=AT,
        )
        assert _walked(db, Audience("winter", gave=True)) == [kept]
        assert _walked(db, Audience("summer", gave=True)) == []


def test_a_district_is_where_people_signed_up_from(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        here, there, _ = (_person(db, number) for number in range(1, 4))
        _signed_up(db, here, "d1")
        _signed_up(db, there, "d2")
        assert _walked(db, Audience("winter", district="d1")) == [here]
        assert _walked(db, Audience("winter", signed_up=True)) == [here, there]
        assert audience.count(db, Audience("winter", district="d1")).size == 1


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
def test_every_window_walks_over_everybody_once(ledger_engine: Engine, limit: int):
    with writing(ledger_engine) as db:
        everybody = [_person(db, number) for number in range(20)]
        assert _walked(db, EVERYBODY, limit) == everybody


def test_a_rehearsal_is_for_who_agreed_in_one(ledger_engine: Engine):
    with writing(ledger_engine) as db:
        _person(db, 1)
        other = _person(db, 2, agrees=False)
        consents.give(db, person_id=other, menus="m" * 64, test=True, at=AT)
        assert _walked(db, Audience("winter", test=True)) == [other]
