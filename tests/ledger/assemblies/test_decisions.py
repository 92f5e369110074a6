"""Decisions under their numbers, what offices say, and who has the last word."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Connection, Engine, select

from ledger import schema
from ledger.assemblies import claims, decisions
from ledger.assemblies.claims import Claim, Outcome
from ledger.assemblies.decisions import Kind, Shown, State
from ledger.assemblies.limits import Wrong
from ledger.engine import writing
from tests.ledger.assemblies.registers import (
    ELEVEN,
    TODAY,
    TWELVE,
    ZONE,
    Registers,
)
from tests.ledger.facts import AT, OTHER_PHONE, caller, count
from tests.ledger.races import at_once, while_erased


def test_numbers_are_a_districts_own_and_leave_no_gap(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        eleven, twelve = Registers(db, ELEVEN), Registers(db, TWELVE)
        made = [eleven.decide(), twelve.decide(), eleven.decide(), eleven.decide()]
        assert [one.number for one in made] == [1, 1, 2, 3]
        decisions.drop(
            db, key="d", decision=made[3], by="sara", channel="operator", at=AT
        )
        assert eleven.decide().number == 4
        assert Registers(db, ELEVEN, test=True, name="r").decide().number == 1
        assert decisions.last_number(db, district=ELEVEN, test=False) == 4


def test_the_same_act_again_takes_no_number(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        of = Registers(db)
        first, again = of.decide(key="x"), of.decide(key="x")
        assert first == again
        assert of.decide().number == 2


def test_a_decision_is_due_three_jalali_months_on() -> None:
    # 1405/09/01 and 1405/12/01; 1405/11/30 and the 30th of Ordibehesht.
    assert decisions.usual_day(AT, ZONE) == date(2027, 2, 20)
    assert decisions.usual_day(AT + timedelta(days=89), ZONE) == date(2027, 5, 20)


def test_decisions_made_at_once_have_numbers_of_their_own(ledger_url: str) -> None:
    def act(name: str) -> object:
        def decide(db: Connection) -> int:
            return Registers(db, name=name).decide().number

        return decide

    numbers = at_once(ledger_url, *(act(f"one{n}") for n in range(4)))  # type: ignore[arg-type]  # acts of one kind
    assert sorted(numbers) == [1, 2, 3, 4]  # type: ignore[type-var]  # numbers all


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"title": "ت" * 18},
        {"title": "تماس 09121234567"},
        {"title": "\x07"},
        {"days": -1},
        {"days": 4 * 366},
    ],
)
def test_what_no_register_takes_is_refused(
    ledger_engine: Engine, wrong: dict[str, object]
) -> None:
    with writing(ledger_engine) as db:
        with pytest.raises(Wrong):
            Registers(db).decide(**wrong)  # type: ignore[arg-type]  # as parametrized
        assert count(db, schema.decision) == 0


def test_a_claim_is_kept_and_changes_nothing_that_is_counted(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        of, owner_id = Registers(db), caller(db)
        made = of.decide(owner_id=owner_id)
        assert made.shown(TODAY) is Shown.OPEN
        assert of.claim(made, owner_id).outcome is Outcome.NOTED
        after = decisions.locked(db, made.event_id)
        assert (after.state, after.claim) == (State.OPEN, Claim.DONE)
        assert after.shown(TODAY) is Shown.CLAIMED
        (waiting,) = claims.waiting(db, districts=[ELEVEN], test=False, limit=9)
        assert waiting.number == made.number
        assert not claims.waiting(db, districts=[TWELVE], test=False, limit=9)


def test_nobody_elses_phone_answers_for_an_office(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        of = Registers(db)
        made = of.decide(owner_id=caller(db))
        other = caller(db, OTHER_PHONE)
        assert of.claim(made, other).outcome is Outcome.NOT_YOURS
        assert decisions.locked(db, made.event_id).claim is None


def test_a_secretary_confirms_once(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        of, owner_id = Registers(db), caller(db)
        made = of.decide(owner_id=owner_id)
        of.claim(made, owner_id)
        assert of.confirm(made, key="c").outcome is Outcome.NOTED
        assert of.confirm(made, key="c").outcome is Outcome.NOTED
        assert of.confirm(made).outcome is Outcome.SETTLED
        assert of.claim(made, owner_id, Claim.GOING).outcome is Outcome.SETTLED
        done = decisions.locked(db, made.event_id)
        assert (done.state, done.shown(TODAY)) == (State.DONE, Shown.DONE)


def test_of_two_secretaries_who_confirm_at_once_one_is_first(ledger_url: str) -> None:
    made: list[decisions.Decision] = []

    def decide(db: Connection) -> None:
        made.append(Registers(db).decide())

    at_once(ledger_url, decide)

    def confirm(name: str) -> object:
        def act(db: Connection) -> Outcome:
            return Registers(db, name=name).confirm(made[0]).outcome

        return act

    found = at_once(ledger_url, confirm("a"), confirm("b"))  # type: ignore[arg-type]  # acts of one kind
    assert sorted(map(str, found)) == ["noted", "settled"]


def test_a_claim_that_is_sent_back_leaves_the_decision_open(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        of, owner_id = Registers(db), caller(db)
        made = of.decide(owner_id=owner_id)
        of.claim(made, owner_id)
        claims.send_back(
            db, key="b", decision=made, by="sara", channel="operator", at=AT
        )
        after = decisions.locked(db, made.event_id)
        assert (after.state, after.claim) == (State.OPEN, None)
        kinds = [one.kind for one in decisions.story(db, made)]
        assert kinds == ["decision", "decision.claimed", "decision.returned"]


def test_a_proposal_becomes_a_resolution_with_another_office(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        of, owner_id = Registers(db), caller(db)
        made = of.decide(kind=Kind.PROPOSAL, owner_id=owner_id)
        assert made.shown(TODAY) is Shown.PROPOSAL
        of.claim(made, owner_id)
        decisions.change(
            db,
            key="c",
            decision=made,
            kind=Kind.RESOLUTION,
            owner="ناحیه ۲",
            owner_id=caller(db, OTHER_PHONE),
            due_on=TODAY,
            today=TODAY,
            by="sara",
            channel="operator",
            at=AT,
        )
        after = decisions.locked(db, made.event_id)
        assert (after.kind, after.owner, after.claim) == (
            Kind.RESOLUTION,
            "ناحیه ۲",
            None,
        )
        assert after.shown(TODAY + timedelta(days=1)) is Shown.LATE
        so_already = {"kind": Kind.RESOLUTION, "due_on": TODAY}
        for values in ({}, so_already):
            with pytest.raises(Wrong, match="nothing is to be changed"):
                decisions.change(
                    db,
                    key="d",
                    decision=made,
                    today=TODAY,
                    by="sara",
                    channel="operator",
                    at=AT,
                    **values,
                )


def test_offices_are_asked_two_weeks_ahead_and_in_the_last_days(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        of, owner_id = Registers(db), caller(db)
        made = of.decide(owner_id=owner_id, days=20)
        of.decide(days=5)  # no phone
        of.decide(kind=Kind.PROPOSAL, owner_id=owner_id, days=5)

        def asked(days: int) -> list[int]:
            at, today = AT + timedelta(days=days), TODAY + timedelta(days=days)
            found = claims.to_remind(db, test=False, today=today, at=at, limit=9)
            for one in found:
                claims.remind(db, one, today=today, channel="schedule", at=at)
            return [one.number for one in found]

        assert [asked(days) for days in (0, 6, 7, 12, 17, 18, 21, 23, 27)] == [
            *([], [made.number], [], []),
            *([made.number], [], [], [], []),
        ]
        late = of.decide(owner_id=owner_id, days=20)
        of.claim(made, owner_id)
        assert asked(24) == [late.number]
        assert asked(26) == []


def test_a_closed_decision_is_not_changed(ledger_engine: Engine) -> None:
    with writing(ledger_engine) as db:
        of = Registers(db)
        made = of.decide()
        of.confirm(made)
        with pytest.raises(Wrong, match="is done"):
            decisions.drop(
                db, key="d", decision=made, by="sara", channel="operator", at=AT
            )
        assert db.scalar(select(schema.decision.c.state)) == "done"


def test_an_office_that_is_erased_while_a_secretary_confirms_holds_nobody_up(
    ledger_url: str,
) -> None:
    made: list[decisions.Decision] = []

    def decide(db: Connection) -> None:
        made.append(Registers(db).decide(owner_id=caller(db, OTHER_PHONE)))

    at_once(ledger_url, decide)

    def confirm(db: Connection) -> Outcome:
        settled = Registers(db, name="c").confirm(made[0])
        decisions.note(
            db,
            "told",
            "decision.told",
            {},
            made[0],
            person_id=made[0].owner_id,
            channel="operator",
            at=AT,
        )
        return settled.outcome

    assert while_erased(ledger_url, OTHER_PHONE, confirm) is Outcome.NOTED


def test_an_office_is_not_asked_of_what_was_settled_meanwhile(
    ledger_engine: Engine,
) -> None:
    with writing(ledger_engine) as db:
        of, owner_id = Registers(db), caller(db)
        confirmed, claimed = (of.decide(owner_id=owner_id, days=9) for _ in range(2))
        of.confirm(confirmed)
        of.claim(claimed, owner_id)
        for one in (confirmed, claimed):
            asked = claims.remind(db, one, today=TODAY, channel="schedule", at=AT)
            assert asked is None
