"""Somebody who is everything at once is forgotten, and what waits of them ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, select

from gateway.placing import shipped, take_in
from gateway.sweeping import sweep
from ledger import awaiting, entries, people, schema, staff
from ledger.assemblies import decisions, meetings, premises
from ledger.engine import reading, writing
from ledger.entries import Answers
from ledger.erasing import erase
from ledger.signups import Placed, Said, Where
from ledger.staff import Role
from ledger.vault import WrongKeys, look_up, unseal_raw, unseal_slots
from ledger.verify import verify
from tests.gateway.conftest import DATABASES
from tests.gateway.correspondence import Phone
from tests.gateway.house import OTHER_PHONE, PHONE, ROOT_CODE, Gateway

pytestmark = pytest.mark.parametrize("gateway_database", DATABASES)

CENTRE, CENTRE_CODE, DISTRICT = "11023", "c11023", "23-t11"
NEW_PHONE, NAME = "+989355556677", "شیرین‌دخت"
# Columns that say whose row it is.
WHOSE = ("person_id", "giver_id", "receiver_id", "owner_id")


def call(gateway: Gateway, code: str, *answers: str, phone: str = PHONE) -> str:
    session = f"call-{next(gateway._sessions)}"
    return gateway.walk(*answers, phone=phone, code=code, session=session).text


def live(gateway: Gateway) -> int:
    """Be a giver, a volunteer, a benefactor, an office, staff and all the others."""
    service, at = gateway.service, gateway.clock()
    take_in(service.engine, shipped(), by="test", at=at)
    with writing(service.engine) as db:
        who = people.remember(db, service.keys, PHONE, at=at).id
        # Written down by somebody else, of another campaign than they sign up for.
        said = Said("centre", CENTRE, None, None, "teaching", "mornings", "m")
        entries.enter(
            db,
            service.keys,
            key="entry:1",
            person_id=who,
            by_id=None,
            campaign="one-plus-one",
            answers=Answers(
                said,
                Placed(CENTRE_CODE, DISTRICT, CENTRE_CODE),
                Where(None, None, None),
            ),
            source="paper",
            batch="list",
            line=1,
            place=CENTRE_CODE,
            channel="operator",
            test=False,
            at=at,
        )
    gateway.pledge()
    done = call(gateway, "*780*5588*2#", "1", "1", CENTRE, "1", "4", "3", NAME, "1")
    assert done.startswith("سپاس، یاریگر گرامی."), done
    assert "سپاس" in call(gateway, "*780*5588*5#", "1", "2", "1")
    asked = call(gateway, "*780*5588*3#", "1", CENTRE, "1", "3", "1", "1")
    assert asked.startswith("درخواست ثبت شد."), asked
    join = ("2", "1", "11", "2", "20", "35", NAME, "1")
    assert call(gateway, "*780*5588*7#", *join).startswith("سپاس؛ آمادگی شما ثبت شد.")
    # Gives hours to one, and needs some of another kind, whom the same one gives them.
    for side, kind, phone in (
        *(("1", "3", PHONE), ("2", "3", OTHER_PHONE)),
        *(("2", "1", PHONE), ("1", "1", OTHER_PHONE)),
    ):
        noted = call(
            gateway, ROOT_CODE, "3", side, kind, "2", "2", CENTRE, "1", phone=phone
        )
        assert noted.startswith("ثبت شد. کد "), noted
    told = call(gateway, "*780*5588*24#", "1", "0" + NEW_PHONE[3:], "1")
    assert told.startswith("سپاس. با گوشی تازه"), told
    with writing(service.engine) as db:
        common: dict[str, Any] = {"channel": "operator", "test": False, "at": at}
        for role, place in (
            *((Role.CENTRE, CENTRE_CODE), (Role.HELPER, CENTRE_CODE)),
            *((Role.SECRETARY, DISTRICT), (Role.OWNER, DISTRICT)),
        ):
            staff.add(
                db,
                service.keys,
                phone=PHONE,
                role=role,
                place=place,
                title="office",
                by="sara",
                test=False,
                at=at,
            )
        awaiting.await_opening(
            db, key="tell", person_id=who, campaign="salam-mahalle", **common
        )
        premises.register(
            db,
            key="room",
            person_id=who,
            district=DISTRICT,
            side=premises.Side.OFFER,
            kind="hall",
            square_metres=90,
            **common,
        )
        meetings.plan(
            db,
            key="meet",
            district=DISTRICT,
            meets_at=at + timedelta(days=3),
            venue="hall",
            by="sara",
            **common,
        )
        decisions.decide(
            db,
            key="decide",
            district=DISTRICT,
            title="school",
            kind=decisions.Kind.RESOLUTION,
            owner="works",
            owner_id=who,
            due_on=date(2026, 11, 29),
            today=at.date(),
            by="sara",
            **common,
        )
    need = ("2", "1", "1", "3", "10", "1", "1")
    assert call(gateway, "*780*5588*6#", *need).startswith("ثبت شد.")
    for _ in range(4):
        gateway.clock.wait(minutes=1)
        sweep(gateway.service, gateway.clock())
    return who


def rows_of(gateway: Gateway, who: int) -> set[str]:
    """The tables that have a row of somebody's."""
    with reading(gateway.service.engine) as db:
        return {
            table.name
            for table in schema.metadata.sorted_tables
            for name in WHOSE
            if name in table.c
            and db.execute(select(table).where(table.c[name] == who)).first()
        }


def traces(gateway: Gateway, *phones: str) -> Iterator[str]:
    """Where a phone or the name stands: in clear, hashed, or sealed by our own key."""
    keys = gateway.service.keys
    hashed = {look_up(keys, phone) for phone in phones}
    plain = (NAME, *(phone[3:] for phone in phones))
    with reading(gateway.service.engine) as db:
        for table in schema.metadata.sorted_tables:
            if table is schema.menus_version:
                # An example of a number stands there.
                continue
            for row in db.execute(select(table)).mappings():
                for column, value in row.items():
                    said = value
                    if table is schema.outbox and column == "slots":
                        said = unseal_slots(keys, value)
                    if isinstance(value, bytes):
                        try:
                            said = unseal_raw(keys, value).decode("utf-8", "ignore")
                        except WrongKeys:
                            said = ""
                    if value in list(hashed) or any(one in str(said) for one in plain):
                        yield f"{table.name}.{column}"


def personal() -> set[str]:
    tables: list[Table] = schema.metadata.sorted_tables
    return {one.name for one in tables if any(name in one.c for name in WHOSE)}


def test_who_is_everything_at_once_is_forgotten_everywhere(gateway: Gateway):
    who = live(gateway)
    # What the test is about is there, but for what texts bring and monthly gifts.
    assert personal() - rows_of(gateway, who) == {"consent", "enquiry", "standing"}
    assert len(gateway.rows("sensitive", person_id=who)) == 2
    states = [row.state for row in gateway.rows("introduction")]
    assert states == ["asked", "asked"]
    texts = {row.template for row in gateway.rows("outbox", person_id=who)}
    assert {"sms.ben.meet", "sms.tb.ask", "sms.vol.invite"} <= texts
    assert {"person.look_up", "question.look_up"} <= set(traces(gateway, PHONE))
    assert "renumbering.look_up" in set(traces(gateway, NEW_PHONE))

    with writing(gateway.service.engine) as db:
        erase(
            db,
            gateway.service.keys,
            person_id=who,
            key="erase",
            channel="desk",
            by="sara",
            test=False,
            at=gateway.clock(),
        )

    # The new number is that of somebody who was asked, and is a person of their own.
    assert set(traces(gateway, PHONE)) == set()
    (change,) = gateway.rows("renumbering")
    assert (change.state, change.look_up, change.phone) == ("refused", None, b"")
    gone = {"vault", "sensitive", "question", "awaiting", "attendance", "decision"}
    assert not gone & rows_of(gateway, who)
    for row in gateway.rows("outbox", person_id=who):
        assert (row.slots, row.state == "queued") == ({}, False), row.template
    (signup,), (entry,) = gateway.rows("signup"), gateway.rows("entry")
    (benefactor,) = gateway.rows("benefactor")
    assert signup.name is None
    assert (entry.state, entry.answers) == ("refused", b"")
    assert (benefactor.state, benefactor.name) == ("left", None)
    assert [row.state for row in gateway.rows("delivery")] == ["withdrawn"]
    assert [row.state for row in gateway.rows("premises")] == ["closed"]
    assert [row.state for row in gateway.rows("invite")] == ["withdrawn"]
    assert {row.state for row in gateway.rows("favour", person_id=who)} == {"closed"}
    assert {row.state for row in gateway.rows("introduction")} == {"withdrawn"}
    assert all(row.ended_at for row in gateway.rows("staff"))

    # What the service goes on doing finds nobody, and late answers change nothing.
    events = len(gateway.rows("event", person_id=who))
    texts_before = len(gateway.rows("outbox", person_id=who))
    Phone(gateway, NEW_PHONE).post("1")
    for wait in (1, 24, 24 * 4, 24 * 10, 24 * 20):
        gateway.clock.wait(hours=wait)
        sweep(gateway.service, gateway.clock())
    assert len(gateway.rows("outbox", person_id=who)) == texts_before
    new = [row.kind for row in gateway.rows("event", person_id=who)][events:]
    assert set(new) <= {"pledge.expire"}, new
    with reading(gateway.service.engine, snapshot=True) as db:
        assert verify(db).faults == ()
        assert people.phone_of(db, gateway.service.keys, person_id=who) is None
