"""Meetings: who is asked, who comes, who came."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from ledger import schema
from ledger.assemblies import invitations, meetings
from ledger.assemblies.invitations import Answer, Attendance, Outcome
from ledger.assemblies.limits import Wrong
from ledger.assemblies.meetings import Meeting, State
from ledger.engine import Connection, writing
from tests.ledger.assemblies.registers import ELEVEN, SOON, TWELVE, Registers
from tests.ledger.facts import AT, OTHER_PHONE, PHONE, caller, count
from tests.ledger.races import at_once, while_erased


def answer(
    db: Connection,
    meeting: Meeting,
    said: Answer,
    *,
    key: str,
    phone: str = PHONE,
    at: object = AT,
    test: bool = False,
) -> Outcome:
    return invitations.answer(
        db,
        key=key,
        meeting_id=meeting.event_id,
        person_id=caller(db, phone),
        said=said,
        channel="at",
        test=test,
        at=at,  # type: ignore[arg-type]  # a moment
    ).outcome


def ask_all(db: Connection, meeting: Meeting) -> list[int]:
    found = invitations.to_ask(db, meeting, limit=50)
    for person_id in found:
        invitations.ask(db, meeting, person_id=person_id, channel="schedule", at=AT)
    return list(found)


def test_the_benefactors_of_the_district_are_asked_once(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        of = Registers(db)
        of.join()
        Registers(db, TWELVE).join(OTHER_PHONE)
        Registers(db, ELEVEN, test=True, name="r").join("+989120000001")
        made = of.plan()
        assert ask_all(db, made) == [caller(db)]
        assert ask_all(db, made) == []
        of.join("+989120000002")
        assert ask_all(db, made) == [caller(db, "+989120000002")]


def test_an_answer_may_be_changed_until_it_begins(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        of = Registers(db)
        of.join()
        made = of.plan()
        ask_all(db, made)
        assert answer(db, made, Answer.YES, key="a") is Outcome.NOTED
        assert answer(db, made, Answer.NO, key="b") is Outcome.NOTED
        # The first text, repeated by the carrier, is no third answer.
        assert answer(db, made, Answer.YES, key="a") is Outcome.NOTED
        counts = invitations.attendance_of(db, meeting_id=made.event_id)
        assert counts == Attendance(asked=1, yes=0, no=1, came=0)
        assert answer(db, made, Answer.YES, key="c", at=SOON) is Outcome.OVER


def test_only_who_was_asked_or_helps_there_can_answer(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        of = Registers(db)
        of.join()
        made = of.plan()
        # In the register, and not asked yet.
        assert answer(db, made, Answer.YES, key="a") is Outcome.NOTED
        assert ask_all(db, made) == []
        stranger = answer(db, made, Answer.YES, key="b", phone=OTHER_PHONE)
        assert stranger is Outcome.NOT_YOURS
        rehearsal = answer(db, made, Answer.YES, key="c", test=True)
        assert rehearsal is Outcome.NOT_YOURS
        assert count(db, schema.attendance) == 1


def test_who_comes_is_reminded_once(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        of = Registers(db)
        for phone in (PHONE, OTHER_PHONE):
            of.join(phone)
        made = of.plan()
        ask_all(db, made)
        answer(db, made, Answer.YES, key="a")
        answer(db, made, Answer.NO, key="b", phone=OTHER_PHONE)
        sooner = AT - timedelta(seconds=1)
        assert invitations.to_remind(db, made, before=sooner, limit=9) == []
        assert invitations.to_remind(db, made, before=SOON, limit=9) == [caller(db)]
        invitations.remind(db, made, person_id=caller(db), channel="schedule", at=AT)
        assert invitations.to_remind(db, made, before=SOON, limit=9) == []


def test_a_meeting_that_was_held_has_a_count(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        of = Registers(db)
        made = of.plan()

        def hold(key: str, came: int) -> object:
            return meetings.hold(
                db,
                key=key,
                meeting_id=made.event_id,
                came=came,
                by="sara",
                channel="operator",
                at=SOON,
            )

        hold("h", 17)
        invitations.mark_came(
            db, meeting_id=made.event_id, person_id=caller(db), at=SOON
        )
        hold("h", 17)
        counts = invitations.attendance_of(db, meeting_id=made.event_id)
        assert (counts.came, counts.asked) == (17, 1)
        with pytest.raises(Wrong, match="held"):
            hold("again", 3)
        assert db.scalar(select(schema.attendance.c.came)) is True


def test_a_meeting_is_not_held_before_it_begins(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        made = Registers(db).plan()
        with pytest.raises(Wrong, match="has not begun"):
            meetings.hold(
                db,
                key="h",
                meeting_id=made.event_id,
                came=1,
                by="sara",
                channel="operator",
                at=AT,
            )


def test_the_next_meeting_is_the_nearest_that_is_ahead(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        of = Registers(db)
        later, sooner = of.plan(SOON + timedelta(days=5)), of.plan(SOON)

        def found() -> int | None:
            one = meetings.next_meeting(db, district=ELEVEN, test=False, at=AT)
            return one and one.event_id

        assert found() == sooner.event_id
        meetings.cancel(
            db,
            key="c",
            meeting_id=sooner.event_id,
            by="sara",
            channel="operator",
            at=AT,
        )
        assert found() == later.event_id
        after = meetings.meeting_of(db, sooner.event_id)
        assert after is not None
        assert after.state is State.CANCELLED


@pytest.mark.parametrize("moment", [AT, AT - timedelta(days=1), AT.replace(year=2031)])
def test_a_meeting_is_ahead_and_not_years_away(
    ledger_engine: Engine, moment: object
) -> None:
    with writing(ledger_engine) as db:
        with pytest.raises(Wrong):
            Registers(db).plan(moment)  # type: ignore[arg-type]  # a moment
        assert count(db, schema.event) == 0


def test_nobody_is_asked_or_reminded_of_what_was_called_off_meanwhile(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        of = Registers(db)
        of.join()
        made, of_event = of.plan(), caller(db, OTHER_PHONE)
        ask_all(db, made)
        answer(db, made, Answer.YES, key="a")
        meetings.cancel(
            db,
            key="c",
            meeting_id=made.event_id,
            by="sara",
            channel="operator",
            at=AT,
        )
        asked = invitations.ask(db, made, person_id=of_event, channel="schedule", at=AT)
        reminded = invitations.remind(
            db, made, person_id=caller(db), channel="schedule", at=AT
        )
        assert (asked, reminded) == (None, None)


def test_who_thought_again_is_not_reminded(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        of = Registers(db)
        of.join()
        made = of.plan()
        answer(db, made, Answer.NO, key="a")
        person_id = caller(db)
        reminded = invitations.remind(
            db, made, person_id=person_id, channel="schedule", at=AT
        )
        assert reminded is None


def test_who_is_erased_while_they_are_asked_is_not(ledger_url: str) -> None:
    made: list[Meeting] = []
    ids: list[int] = []

    def fill(db: Connection) -> None:
        of = Registers(db)
        of.join()
        made.append(of.plan())
        ids.extend(invitations.to_ask(db, made[0], limit=9))

    at_once(ledger_url, fill)

    def ask(db: Connection) -> object:
        asked = invitations.ask(
            db, made[0], person_id=ids[0], channel="schedule", at=AT
        )
        return asked, count(db, schema.attendance)

    assert while_erased(ledger_url, PHONE, ask) == (None, 0)
