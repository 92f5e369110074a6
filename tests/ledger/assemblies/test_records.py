"""A row of a register that was changed by hand is named by who verifies the books."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from ledger import schema
from ledger.assemblies import benefactors, claims, decisions, invitations, meetings
from ledger.assemblies import premises as rooms
from ledger.assemblies.claims import Claim
from ledger.assemblies.invitations import Answer
from ledger.engine import reading, writing
from ledger.erasing import erase
from ledger.verify import Fault, verify
from tests.ledger.assemblies.registers import ELEVEN, SOON, TODAY, Registers
from tests.ledger.books import unguarded
from tests.ledger.facts import AT, KEYS, OTHER_PHONE, PHONE, caller
from tests.ledger.races import at_once

LATER = AT + timedelta(hours=1)
THIRD_PHONE = "+989361234567"
SECRETARY: Any = {"by": "sara", "channel": "operator"}


def kept(engine: Engine) -> dict[str, str]:
    """A district's year, with all that can become of a row; rows by what they are."""
    with writing(engine) as db:
        of = Registers(db)
        office, other = caller(db, OTHER_PHONE), caller(db, THIRD_PHONE)
        helps = of.join(name="بنیاد مهر").recorded.event_id
        of.join(amount=7, at=LATER)
        left = of.join(OTHER_PHONE).recorded.event_id
        benefactors.leave(
            db,
            key="left",
            person_id=office,
            district=ELEVEN,
            channel="at",
            test=False,
            at=LATER,
        )
        held, off, ahead = of.plan(), of.plan(), of.plan()
        meetings.cancel(db, key="off", meeting_id=off.event_id, **SECRETARY, at=LATER)
        for meeting in (held, ahead):
            for person_id in invitations.to_ask(db, meeting, limit=9):
                invitations.ask(
                    db, meeting, person_id=person_id, channel="schedule", at=AT
                )
        invitations.answer(
            db,
            key="yes",
            meeting_id=held.event_id,
            person_id=caller(db),
            said=Answer.YES,
            channel="at",
            test=False,
            at=LATER,
        )
        meetings.hold(
            db, key="held", meeting_id=held.event_id, came=2, **SECRETARY, at=SOON
        )
        invitations.mark_came(db, meeting_id=held.event_id, person_id=other, at=SOON)
        offer, need = of.room(rooms.Side.OFFER), of.room(rooms.Side.NEED, OTHER_PHONE)
        free = of.room(rooms.Side.OFFER, metres=70)
        assert offer is not None
        assert need is not None
        assert free is not None
        rooms.match(
            db,
            key="met",
            offer_id=offer.event_id,
            need_id=need.event_id,
            **SECRETARY,
            at=LATER,
        )
        claimed = of.decide(owner_id=office)
        of.claim(claimed, office)
        done, dropped = of.decide(owner_id=office), of.decide()
        of.claim(done, office, Claim.GOING)
        of.confirm(done)
        decisions.drop(db, key="drop", decision=dropped, **SECRETARY, at=LATER)
        late = of.decide(kind=decisions.Kind.PROPOSAL, owner_id=office, days=9)
        decisions.change(
            db,
            key="change",
            decision=late,
            kind=decisions.Kind.STUDY,
            due_on=TODAY + timedelta(days=3),
            owner="شهرداری ناحیه",
            owner_id=office,
            today=TODAY,
            **SECRETARY,
            at=LATER,
        )
        of.claim(late, office)
        claims.send_back(db, key="back", decision=late, **SECRETARY, at=LATER)
        asked = decisions.decision_of(
            db, district=ELEVEN, number=late.number, test=False
        )
        assert asked is not None
        claims.remind(db, asked, today=TODAY, channel="schedule", at=LATER)
        rehearsed = Registers(db, test=True, name="rehearsed")
        rehearsed.join(THIRD_PHONE), rehearsed.decide(), rehearsed.plan()
        return {
            "helps": str(helps),
            "left": str(left),
            "held": str(held.event_id),
            "ahead": str(ahead.event_id),
            "yes": f"{held.event_id}/{caller(db)}",
            "came": f"{held.event_id}/{other}",
            "need": str(need.event_id),
            "free": str(free.event_id),
            "claimed": str(claimed.event_id),
            "done": str(done.event_id),
            "late": str(late.event_id),
        }


def faults(engine: Engine) -> tuple[Fault, ...]:
    with reading(engine, snapshot=True) as db:
        return verify(db).faults


# By hand: in a table, of one of its rows, a column and what is put there.
CHANGED = {
    "benefactor": [
        ("helps", "person_id", "2"),
        ("helps", "district", "'23-t9'"),
        ("helps", "kind", "'organisation'"),
        ("helps", "capacity", "'money'"),
        ("helps", "amount", "amount + 1"),
        ("helps", "covers", "covers + 1"),
        ("left", "covers", "covers + 1"),
        ("helps", "state", "'left'"),
        ("left", "state", "'active'"),
        ("helps", "test", "true"),
        ("helps", "at", "changed_at"),
        ("helps", "changed_at", "at"),
    ],
    "meeting": [
        ("held", "district", "'23-t9'"),
        ("held", "meets_at", "at"),
        ("held", "venue", "'مسجد'"),
        ("held", "state", "'planned'"),
        ("ahead", "state", "'held'"),
        ("held", "test", "true"),
        ("held", "at", "meets_at"),
        ("held", "changed_at", "at"),
    ],
    "attendance": [
        ("yes", "answer", "'no'"),
        ("came", "answer", "'yes'"),
        ("came", "came", "NULL"),
        ("yes", "came", "false"),
        ("yes", "asked_at", "changed_at"),
        ("yes", "changed_at", "asked_at"),
    ],
    "decision": [
        ("late", "district", "'23-t9'"),
        ("late", "number", "9"),
        ("late", "title", "'x'"),
        ("late", "kind", "'resolution'"),
        ("late", "owner", "'x'"),
        ("claimed", "owner_id", "2"),
        ("late", "owner_id", "NULL"),
        ("late", "due_on", "'2027-01-01'"),
        ("done", "state", "'open'"),
        ("late", "state", "'done'"),
        ("claimed", "claim", "'going'"),
        ("late", "claim", "'done'"),
        ("claimed", "claimed_at", "NULL"),
        ("late", "test", "true"),
        ("late", "at", "changed_at"),
        ("late", "changed_at", "at"),
    ],
    "premises": [
        ("free", "person_id", "2"),
        ("free", "district", "'23-t9'"),
        ("free", "side", "'need'"),
        ("free", "kind", "'plot'"),
        ("free", "square_metres", "700"),
        ("free", "state", "'met'"),
        ("need", "state", "'open'"),
        ("free", "test", "true"),
        ("need", "at", "changed_at"),
        ("need", "changed_at", "at"),
    ],
}
WHAT = {
    ("came", "came"): "has no event that it belongs to",
    ("late", "number"): "is not numbered among its district's from one",
}


@pytest.mark.parametrize("table", CHANGED)
def test_a_row_with_another_column_than_its_events_is_named(
    ledger_engine: Engine, table: str
) -> None:
    rows = kept(ledger_engine)
    assert faults(ledger_engine) == ()
    told = schema.metadata.tables[table]
    with unguarded(ledger_engine) as db:
        db.commit()
        for name, column, value in CHANGED[table]:
            keys = zip(told.primary_key, rows[name].split("/"), strict=True)
            of = told.update().where(*(key == int(number) for key, number in keys))
            assert db.execute(of.values({column: text(value)})).rowcount == 1
            what = WHAT.get((name, column), f"has another {column} than its events")
            assert Fault(table, rows[name], what) in verify(db).faults, (name, column)
            db.rollback()
    assert faults(ledger_engine) == ()


def test_a_name_that_comes_back_after_its_benefactor_left_is_found(
    ledger_engine: Engine,
) -> None:
    rows = kept(ledger_engine)
    benefactor = schema.benefactor
    left = benefactor.c.event_id == int(rows["left"])
    with unguarded(ledger_engine) as db:
        db.execute(benefactor.update().where(left).values(name=b"x"))
    assert faults(ledger_engine) == (
        Fault("benefactor", rows["left"], "has another name than its events"),
    )


LOST = [
    ("benefactor", "is a benefactor's without their row"),
    ("meeting", "is a meeting without its row"),
    ("decision", "is a decision without its row"),
    ("premises", "is of premises without their row"),
    ("attendance", "is of somebody who was asked to a meeting, and has no row there"),
]


@pytest.mark.parametrize(("table", "what"), LOST)
def test_an_event_whose_row_is_gone_is_named(
    ledger_engine: Engine, table: str, what: str
) -> None:
    kept(ledger_engine)
    with unguarded(ledger_engine) as db:
        db.execute(schema.metadata.tables[table].delete())
    assert what in {one.what for one in faults(ledger_engine) if one.table == "event"}


def test_a_row_under_another_event_is_named(ledger_engine: Engine) -> None:
    rows = kept(ledger_engine)
    with unguarded(ledger_engine) as db:
        move = "UPDATE decision SET event_id = :to WHERE event_id = :late"
        db.execute(text(move), {"to": int(rows["free"]), "late": int(rows["late"])})
    found = faults(ledger_engine)
    what = "has no event that it belongs to"
    assert Fault("decision", rows["free"], what) in found
    assert Fault("event", rows["late"], "is a decision without its row") in found


def test_a_row_of_who_was_neither_asked_nor_came_is_named(
    ledger_engine: Engine,
) -> None:
    rows = kept(ledger_engine)
    with unguarded(ledger_engine) as db:
        move = "UPDATE attendance SET meeting_id = :ahead WHERE came"
        db.execute(text(move), {"ahead": int(rows["ahead"])})
    moved = f"{rows['ahead']}/{rows['came'].partition('/')[2]}"
    what = "has no event that it belongs to"
    assert faults(ledger_engine) == (Fault("attendance", moved, what),)


def test_what_an_erased_person_left_behind_is_sound(ledger_engine: Engine) -> None:
    kept(ledger_engine)
    for phone in (PHONE, OTHER_PHONE, THIRD_PHONE):
        with writing(ledger_engine) as db:
            erase(
                db,
                KEYS,
                person_id=caller(db, phone),
                key=f"erase:{phone[-3:]}{phone[4]}{phone[3]}",
                channel="at",
                by="self",
                test=False,
                at=LATER,
            )
        assert faults(ledger_engine) == ()


def test_an_erased_person_who_helps_again_is_named(ledger_engine: Engine) -> None:
    rows = kept(ledger_engine)
    with writing(ledger_engine) as db:
        erase(
            db,
            KEYS,
            person_id=caller(db),
            key="erase",
            channel="at",
            by="self",
            test=False,
            at=LATER,
        )
    with unguarded(ledger_engine) as db:
        db.execute(text("UPDATE benefactor SET state = 'active'"))
        db.execute(text("UPDATE premises SET state = 'open'"))
        db.execute(text("UPDATE decision SET owner_id = 3"))
    found = faults(ledger_engine)
    what = "has another state than its events"
    assert Fault("benefactor", rows["helps"], what) in found
    assert Fault("premises", rows["free"], what) in found


def test_an_event_that_cannot_be_understood_stops_nothing(
    ledger_engine: Engine,
) -> None:
    rows = kept(ledger_engine)
    spoilt = text("UPDATE event SET body = :body WHERE kind IN ('meeting', 'decision')")
    for body in ('{"meets_at": "soon", "due_on": 7}', "[]", "1"):
        with unguarded(ledger_engine) as db:
            db.execute(spoilt, {"body": body})
        found = faults(ledger_engine)
        named = {one.id for one in found}
        assert {rows["held"], rows["late"]} <= named
        assert "database" not in {one.table for one in found}


def test_a_day_that_is_none_is_named(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        made = Registers(db).decide()
    with unguarded(ledger_engine) as db:
        db.execute(text("UPDATE decision SET due_on = 'infinity'"))
    what = "has a value that cannot be read"
    assert Fault("decision", str(made.event_id), what) in faults(ledger_engine)


def test_the_same_words_at_once_leave_rows_as_the_first_of_them(
    ledger_engine: Engine, ledger_url: str
) -> None:
    with writing(ledger_engine) as db:
        of, office = Registers(db), caller(db)
        of.join()
        decision, meeting = of.decide(owner_id=office), of.plan()

    def act(number: int) -> Callable[[Connection], object]:
        said: Any = {"person_id": office, "channel": "at"}
        at = AT + timedelta(seconds=number)

        def claim(db: Connection) -> object:
            return claims.claim(
                db, key="c", decision=decision, said=Claim.DONE, **said, at=at
            )

        def answer(db: Connection) -> object:
            return invitations.answer(
                db,
                key="a",
                meeting_id=meeting.event_id,
                said=Answer.YES,
                test=False,
                **said,
                at=at,
            )

        return claim if number % 2 else answer

    done: Any = at_once(ledger_url, *(act(number) for number in range(8)))
    assert sum(one.recorded.first for one in done) == 2
    assert faults(ledger_engine) == ()
