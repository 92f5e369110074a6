from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Connection, Engine, select

from ledger import schema
from ledger.engine import writing
from ledger.signups import NOWHERE, Placed, SignedUp, sign_up
from phone.codes import is_code
from tests.ledger.facts import AT, KEYS, OTHER_PHONE, caller, count, pledge


def volunteer(
    db: Connection,
    key: str = "at:1",
    *,
    person_id: int | None = None,
    campaign: str = "winter",
    skill: str = "teaching",
    place_kind: str = "postcode",
    place: str | None = "14155",
    placed: Placed = NOWHERE,
    round_id: str = "",
    booth: str | None = None,
    name: str | None = None,
    test: bool = False,
) -> SignedUp:
    return sign_up(
        db,
        KEYS,
        key=key,
        person_id=caller(db) if person_id is None else person_id,
        campaign=campaign,
        place_kind=place_kind,
        place=place,
        province="07",
        district="6",
        skill=skill,
        time="weekends",
        consent="menus-hash",
        placed=placed,
        round_id=round_id,
        booth=booth,
        name=name,
        channel="at",
        test=test,
        at=AT,
    )


def test_a_volunteer_is_signed_up_and_has_a_code(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        signed_up = volunteer(db)
        assert not signed_up.already
        assert is_code(signed_up.code)
        row = db.execute(select(schema.signup)).one()
    assert (row.place_kind, row.place, row.skill, row.consent) == (
        "postcode",
        "14155",
        "teaching",
        "menus-hash",
    )


def test_the_same_key_again_is_the_same_sign_up(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        first = volunteer(db)
    with writing(ledger_engine) as db:
        again = volunteer(db)
        assert (again.code, again.already) == (first.code, False)
        assert again.recorded.first is False
        assert again.recorded.differs == ()
        assert volunteer(db, skill="driving").recorded.differs == ("skill",)
        assert count(db, schema.event) == 1


def test_who_is_signed_up_already_gets_their_code_again(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        first = volunteer(db)
        second = volunteer(db, "at:2", skill="driving")
        assert second.already
        assert second.code == first.code
        assert second.recorded.first
        again = volunteer(db, "at:2", skill="driving")
        assert (again.code, again.already) == (first.code, True)
        assert again.recorded.differs == ()
        assert count(db, schema.signup) == 1
        kinds = db.execute(
            select(schema.event.c.kind, schema.event.c.about_id).order_by(
                schema.event.c.id
            )
        ).all()
    assert kinds == [
        ("signup", None),
        ("signup.again", first.recorded.event_id),
    ]


def test_each_campaign_and_each_person_has_its_own(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        found = {
            volunteer(db, "at:1").code,
            volunteer(db, "at:2", campaign="spring").code,
            volunteer(db, "at:3", person_id=caller(db, OTHER_PHONE)).code,
        }
        assert len(found) == 3


def test_a_rehearsal_does_not_stand_in_the_way(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        rehearsed = volunteer(db, "phone:1", test=True)
        real = volunteer(db, "at:1")
        assert not real.already
        assert real.code != rehearsed.code


def test_many_sign_ups_at_once_make_one(ledger_engine: Engine) -> None:
    def run(number: int) -> SignedUp:
        with writing(ledger_engine) as db:
            return volunteer(db, f"at:{number}")

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(run, range(10)))
    assert len({result.code for result in results}) == 1
    assert sum(not result.already for result in results) == 1


def test_an_unknown_place_is_left_out(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        volunteer(db, place_kind="unknown", place=None)
        body = db.execute(select(schema.event.c.body)).scalar_one()
    assert "place" not in body
    assert body["place_kind"] == "unknown"


def test_the_places_of_the_tree_stand_in_the_event(ledger_engine: Engine) -> None:
    placed = Placed("c1204", "23-t11", "c1204")
    with writing(ledger_engine) as db:
        volunteer(db, place_kind="centre", place="1204", placed=placed)
        found = select(schema.event.c.district, schema.event.c.centre)
        assert db.execute(found).one() == ("23-t11", "c1204")
        assert db.execute(select(schema.signup.c.place_code)).scalar_one() == "c1204"


def test_a_key_of_something_else_adds_no_sign_up(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        given = pledge(db, "at:1")
        answered = volunteer(db, "at:1")
        assert answered.code == given.code
        assert "kind" in answered.recorded.differs
        assert count(db, schema.signup) == 0
