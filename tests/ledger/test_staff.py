from __future__ import annotations

from sqlalchemy import Engine, select

from ledger import erasing, schema, staff
from ledger.engine import reading, writing
from ledger.staff import Role
from tests.ledger.facts import AT, KEYS, OTHER_PHONE, PHONE

AT_THE_CENTRE = {
    "phone": PHONE,
    "role": Role.CENTRE,
    "place": "c11023",
    "title": "دفتر مرکز",
    "by": "sara",
    "test": False,
    "at": AT,
}


def test_a_phone_is_registered_once_for_a_role_and_a_place(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        first = staff.add(db, KEYS, **AT_THE_CENTRE)
        again = staff.add(db, KEYS, **{**AT_THE_CENTRE, "title": "another"})
        helper = staff.add(db, KEYS, **{**AT_THE_CENTRE, "role": Role.HELPER})
        assert (first.first, again.first, helper.first) == (True, False, True)
        assert again.member == first.member
        person = first.member.person_id
        roles = staff.roles_of(db, person_id=person, test=False)
        assert [one.role for one in roles] == [Role.CENTRE, Role.HELPER]
        assert staff.roles_of(db, person_id=person, test=True) == ()


def test_a_role_that_ended_is_no_role_and_can_begin_anew(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        member = staff.add(db, KEYS, **AT_THE_CENTRE).member
        assert staff.end(db, staff_id=member.id, by="sara", at=AT) is not None
        assert staff.end(db, staff_id=member.id, by="sara", at=AT) is None
        assert staff.roles_of(db, person_id=member.person_id, test=False) == ()
        anew = staff.add(db, KEYS, **AT_THE_CENTRE)
        assert anew.first
        kinds = select(schema.event.c.kind).order_by(schema.event.c.id)
        told = [kind for kind in db.scalars(kinds) if kind.startswith("staff.")]
        assert told == ["staff.added", "staff.ended", "staff.added"]


def test_a_day_is_told_of_once(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        member = staff.add(db, KEYS, **AT_THE_CENTRE).member
        asked = {"role": Role.CENTRE, "limit": 9}
        assert staff.untold(db, day="2026-11-22", **asked) == [member]
        assert staff.mark_told(db, staff_id=member.id, day="2026-11-22")
        assert not staff.mark_told(db, staff_id=member.id, day="2026-11-22")
        assert not staff.mark_told(db, staff_id=member.id, day="2026-11-21")
        assert staff.untold(db, day="2026-11-22", **asked) == []
        assert len(staff.untold(db, day="2026-11-23", **asked)) == 1


def test_who_is_erased_has_no_role_any_more(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        member = staff.add(db, KEYS, **AT_THE_CENTRE).member
        staff.add(db, KEYS, **{**AT_THE_CENTRE, "phone": OTHER_PHONE})
        erasing.erase(
            db,
            KEYS,
            person_id=member.person_id,
            key="erase",
            channel="at",
            by="self",
            test=False,
            at=AT,
        )
    with reading(ledger_engine) as db:
        left = staff.listed(db, test=False, limit=9)
        [other] = staff.of_places(db, places=["c11023"], role=Role.CENTRE, test=False)
    assert [one.id for one in left] == [other.id]
    assert other.person_id != member.person_id
